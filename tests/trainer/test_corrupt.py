"""Corruptions of rendered sound: each is measured for what it claims, and the truth moves along with time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("scipy")
pytest.importorskip("soxr")

from scipy import signal

from housex_blender.core.attributes import ATTRIBUTES
from trainer import corrupt
from trainer.labelled import Labelled

RATE_HZ = 44100


def clicks(bars: int = 4, bpm: float = 125.0, rate_hz: int = RATE_HZ, tone_hz: float = 440.0) -> Labelled:
    """A short broad click on every beat over a soft tone."""
    beats_s = 0.1 + np.arange(4 * bars + 1) * 60.0 / bpm
    times_s = np.arange(int((beats_s[-1] + 0.2) * rate_hz)) / rate_hz
    rng = np.random.default_rng(7)
    mono = 0.1 * np.sin(2 * np.pi * tone_hz * times_s)
    burst = 0.7 * rng.standard_normal(300) * np.exp(-np.arange(300) / 60.0) / 2
    for beat_s in beats_s[:-1]:
        start = round(beat_s * rate_hz)
        mono[start : start + 300] += burst
    audio = np.clip(np.stack([mono, 0.8 * mono], axis=1), -1, 1).astype(np.float32)
    probs = np.zeros((bars, 9), np.float32)
    probs[:, 2] = 1
    return Labelled(
        audio, rate_hz, beats_s, ("drop",) * bars, probs, np.ones((bars, len(ATTRIBUTES)), np.float32),
        np.zeros(bars, np.int64), np.zeros(bars, bool), {"seed": 3},
    )  # fmt: skip


def noise(seconds: float = 4.0, seed: int = 0) -> np.ndarray:
    return (0.1 * np.random.default_rng(seed).standard_normal((int(seconds * RATE_HZ), 2))).astype(np.float32)


def band_db(audio: np.ndarray, low_hz: float, high_hz: float) -> float:
    """Mean power density of a band."""
    hz, power = signal.welch(audio[:, 0], RATE_HZ, nperseg=min(8192, len(audio)))
    return float(10 * np.log10(power[(hz >= low_hz) & (hz < high_hz)].mean() + 1e-20))


def pitch_hz(audio: np.ndarray) -> float:
    """Strongest of the frequencies above 200 Hz."""
    spectrum = np.abs(np.fft.rfft(audio[:, 0] * np.hanning(len(audio))))
    hz = np.fft.rfftfreq(len(audio), 1 / RATE_HZ)
    return float(hz[hz > 200][np.argmax(spectrum[hz > 200])])


def click_offsets_s(track: Labelled) -> np.ndarray:
    """How late each click is against its beat."""
    high = signal.sosfilt(signal.butter(2, 2000, "highpass", fs=track.sample_rate_hz, output="sos"), track.audio[:, 0])
    found = []
    for beat_s in track.beats_s[:-1]:
        first = max(0, int((beat_s - 0.05) * track.sample_rate_hz))
        power = high[first : first + int(0.1 * track.sample_rate_hz)] ** 2
        onset = np.flatnonzero(power > 0.1 * power.max())[0]
        found.append((first + onset) / track.sample_rate_hz - beat_s)
    return np.array(found)


def test_equaliser_does_what_the_knobs_say() -> None:
    sound = noise()
    out = corrupt.equalise(sound, RATE_HZ, [(100.0, 9.0, 1.0), (5000.0, -6.0, 1.0)])
    for hz, gain_db in ((100.0, 9.0), (5000.0, -6.0), (800.0, 0.0)):
        change = band_db(out, 0.9 * hz, 1.1 * hz) - band_db(sound, 0.9 * hz, 1.1 * hz)
        assert change == pytest.approx(gain_db, abs=0.7)
    assert out.dtype == np.float32
    assert corrupt.equalise(sound, RATE_HZ, []) is sound


@pytest.mark.parametrize("rt60_s", [0.4, 1.5])
def test_reverb_smears_and_falls_as_asked(rt60_s: float) -> None:
    rng = np.random.default_rng(1)
    impulse = corrupt.room_impulse(rng, RATE_HZ, rt60_s, damping=0.0)
    sound = np.zeros((2 * RATE_HZ, 2), np.float32)
    sound[100] = 1.0
    out = corrupt.reverberate(sound, RATE_HZ, impulse, -6.0)
    assert out[:101] == pytest.approx(sound[:101], abs=1e-7), "the direct sound stays first"
    wet = out - sound
    assert 10 * np.log10(np.sum(wet**2) / np.sum(sound**2)) == pytest.approx(-6.0, abs=0.1)
    # Schroeder's backward integral between 0.1 s, past the early reflections, and half the decay
    left = np.cumsum((wet**2).sum(1)[::-1])[::-1]
    span_s = 0.4 * rt60_s
    drop_db = 10 * np.log10(left[int(0.15 * RATE_HZ)] / left[int((0.15 + span_s) * RATE_HZ)])
    assert drop_db == pytest.approx(60 * span_s / rt60_s, abs=4.0)


def test_gated_and_ducked_rooms() -> None:
    gated = corrupt.room_impulse(np.random.default_rng(2), RATE_HZ, 2.0, 0.0, gate_s=0.2)
    assert len(gated) < 0.25 * RATE_HZ
    assert np.sum(gated[int(0.1 * RATE_HZ) :] ** 2) > 0.1
    sound = noise(2.0)
    sound[RATE_HZ:] = 0
    impulse = corrupt.room_impulse(np.random.default_rng(3), RATE_HZ, 1.0)
    plain, ducked = (corrupt.reverberate(sound, RATE_HZ, impulse, -6.0, duck) - sound for duck in (0.0, 0.9))

    def rise(wet: np.ndarray) -> float:
        return float(np.sum(wet[RATE_HZ : RATE_HZ + 8000] ** 2) / np.sum(wet[RATE_HZ - 8000 : RATE_HZ] ** 2))

    assert rise(ducked) > 4 * rise(plain), "the tail swells when the sound stops"


def test_echo_repeats_and_fades() -> None:
    sound = np.zeros((RATE_HZ, 2), np.float32)
    sound[:200] = noise(0.1)[:200]
    out = corrupt.echo(sound, RATE_HZ, 0.2, 0.5, -6.0)
    power = [np.sum(out[int(k * 0.2 * RATE_HZ) :][:2000] ** 2) for k in range(4)]
    assert power[1] > power[2] > power[3] > 0
    assert power[2] / power[1] == pytest.approx(0.25, rel=0.3)
    assert np.all(out[4000 : int(0.19 * RATE_HZ)] == 0)


def test_compressor_lowers_the_loud_and_pumps() -> None:
    sound = noise(3.0)
    sound[:RATE_HZ] *= 0.1
    sound[2 * RATE_HZ :] *= 0.1
    out = corrupt.compress(sound, RATE_HZ, -6.0, 4.0, 0.005, 0.3)

    def level(x: np.ndarray, start_s: float) -> float:
        return float(20 * np.log10(np.sqrt(np.mean(x[int(start_s * RATE_HZ) :][:4410] ** 2))))

    assert level(out, 1.5) < level(sound, 1.5) - 5
    assert level(out, 0.5) == pytest.approx(level(sound, 0.5), abs=0.2)
    # the quiet part is held down at first and comes up again
    assert level(out, 2.02) < level(out, 2.8) - 3
    tone = 0.1 * np.sin(2 * np.pi * 3000 * np.arange(RATE_HZ) / RATE_HZ)
    high = np.stack([tone, tone], axis=1).astype(np.float32)
    kick = np.zeros_like(high)
    kick[20000:24000] = np.sin(2 * np.pi * 50 * np.arange(4000) / RATE_HZ)[:, None]
    ducked = corrupt.compress(high + kick, RATE_HZ, 0.0, 6.0, 0.002, 0.1, by_bass=True)
    assert band_db(ducked[20500:24000], 2500, 3500) < band_db(high[20500:24000], 2500, 3500) - 4


def test_overdrive_clips_at_the_same_peak() -> None:
    sound = noise(1.0)
    driven, clipped = corrupt.overdrive(sound, gain=3.0), corrupt.overdrive(sound, clip_db=6.0)
    for out in (driven, clipped):
        assert np.abs(out).max() == pytest.approx(np.abs(sound).max(), rel=1e-4)
        assert np.sqrt(np.mean(out**2)) > 1.2 * np.sqrt(np.mean(sound**2))
    assert np.mean(np.abs(clipped) > 0.999 * np.abs(clipped).max()) > 0.01
    assert np.array_equal(corrupt.overdrive(sound), sound)


def test_sides() -> None:
    sound = noise(0.2)
    mono = corrupt.set_sides(sound, 0.0)
    assert np.array_equal(mono[:, 0], mono[:, 1])
    wide = corrupt.set_sides(sound, 1.8)
    assert wide.sum(1) == pytest.approx(sound.sum(1), abs=1e-6)
    assert wide[:, 0] - wide[:, 1] == pytest.approx(1.8 * (sound[:, 0] - sound[:, 1]), abs=1e-6)


@pytest.mark.parametrize("speed", [0.94, 1.06])
def test_vari_speed_moves_beats_and_pitch_together(speed: float) -> None:
    track = clicks()
    moved = corrupt.vari_speed(track, speed)
    assert moved.beats_s == pytest.approx(track.beats_s / speed)
    assert len(moved.audio) == pytest.approx(len(track.audio) / speed, abs=2)
    assert pitch_hz(moved.audio) == pytest.approx(440 * speed, abs=0.5)
    assert click_offsets_s(moved) == pytest.approx(click_offsets_s(track), abs=1e-3)


@pytest.mark.parametrize("speed", [0.94, 1.06])
def test_key_lock_moves_beats_but_not_pitch(speed: float) -> None:
    track = clicks()
    moved = corrupt.key_lock(track, speed)
    assert moved.beats_s == pytest.approx(track.beats_s / speed)
    assert len(moved.audio) == round(len(track.audio) / speed)
    assert pitch_hz(moved.audio) == pytest.approx(440, abs=1.0)
    offsets = click_offsets_s(moved) - click_offsets_s(track)
    assert np.median(np.abs(offsets)) < 0.012
    assert np.abs(offsets).max() < 0.03
    assert np.sqrt(np.mean(moved.audio**2)) == pytest.approx(np.sqrt(np.mean(track.audio**2)), rel=0.15)
    silent = corrupt.key_lock(replace(track, audio=np.zeros_like(track.audio)), speed)
    assert not silent.audio.any()


def test_key_lock_at_normal_speed_changes_nothing() -> None:
    track = clicks(1)
    same = corrupt.key_lock(track, 1.0)
    inner = slice(RATE_HZ // 10, -RATE_HZ // 10)
    assert np.abs(same.audio[inner] - track.audio[inner]).max() < 1e-4


def test_swept_filter_removes_and_opens() -> None:
    sound = noise()
    open_ = corrupt.sweep_filter(sound, RATE_HZ, np.zeros(2), np.full(2, np.inf))
    assert np.abs(open_ - sound).max() < 1e-5
    low = corrupt.sweep_filter(sound, RATE_HZ, np.zeros(2), np.full(2, 500.0))
    assert band_db(low, 4000, 8000) < band_db(sound, 4000, 8000) - 60
    assert band_db(low, 50, 200) == pytest.approx(band_db(sound, 50, 200), abs=0.5)
    high = corrupt.sweep_filter(sound, RATE_HZ, np.full(2, 400.0), np.full(2, np.inf))
    assert band_db(high, 40, 100) < band_db(sound, 40, 100) - 30
    opening = corrupt.sweep_filter(sound, RATE_HZ, np.zeros(3), np.array([300.0, 2000.0, 16000.0]))
    early, late = (band_db(opening[part], 3000, 6000) for part in (slice(RATE_HZ), slice(-RATE_HZ, None)))
    assert late > early + 25
    assert low.shape == sound.shape


def test_wow_swings_the_pitch_and_moves_beats_with_the_sound() -> None:
    track = clicks(tone_hz=3000.0)
    moved = corrupt.wow(track, 0.02, 0.55, 1.0)
    assert moved.audio.shape == track.audio.shape
    assert np.all(np.diff(moved.beats_s) > 0)
    shift = np.abs(moved.beats_s - track.beats_s).max()
    assert 0.004 < shift < 0.013
    assert click_offsets_s(moved) == pytest.approx(click_offsets_s(track), abs=1e-3)
    pitches = [pitch_hz(moved.audio[start:][:8192]) for start in range(0, 5 * RATE_HZ, 8192)]
    assert max(pitches) - min(pitches) == pytest.approx(2 * 0.02 * 3000, rel=0.25)


def test_surface_noise_crackles() -> None:
    for rate in (1.0, 30.0):
        surface = corrupt.surface_noise(RATE_HZ, np.random.default_rng(4), rate)
        assert np.sqrt(np.mean(surface**2)) == pytest.approx(1.0, rel=1e-3)
        assert np.abs(surface).max() > 8, "crackle stands out"
    sound = noise(40.0)
    noisy = corrupt.add_noise(sound, surface, -20.0)
    ratio = np.mean((noisy - sound) ** 2) / np.mean(sound**2)
    assert 10 * np.log10(ratio) == pytest.approx(-20, abs=0.5)


def test_rates_and_band_limits() -> None:
    track = clicks()
    back = corrupt.through_rate(track.audio, RATE_HZ, 32000)
    assert back.shape == track.audio.shape
    sound = noise()
    limited = corrupt.through_rate(sound, RATE_HZ, 32000)
    assert band_db(limited, 17000, 20000) < band_db(sound, 17000, 20000) - 40
    assert click_offsets_s(replace(track, audio=back)) == pytest.approx(click_offsets_s(track), abs=1e-3)
    narrow = corrupt.band_limit(sound, RATE_HZ, 11000.0)
    assert band_db(narrow, 15000, 20000) < band_db(sound, 15000, 20000) - 20
    assert band_db(narrow, 1000, 9000) == pytest.approx(band_db(sound, 1000, 9000), abs=0.5)


@pytest.mark.parametrize("name", sorted(corrupt.CODECS))
@pytest.mark.parametrize("rate_hz", [44100, 48000])
def test_codecs_keep_beats_where_they_are(name: str, rate_hz: int) -> None:
    if name not in corrupt.codecs_available():
        pytest.skip(f"ffmpeg cannot encode {name} here")
    track = clicks(rate_hz=rate_hz)
    for kbit in (corrupt.CODECS[name].kbits[0], corrupt.CODECS[name].kbits[-1]):
        out = corrupt.through_codec(track.audio, rate_hz, name, kbit)
        assert out.shape == track.audio.shape
        assert out.dtype == np.float32
        assert not np.array_equal(out, track.audio)
        assert np.corrcoef(out[:, 0], track.audio[:, 0])[0, 1] > 0.9
        offsets = click_offsets_s(replace(track, audio=out)) - click_offsets_s(track)
        assert np.abs(offsets).max() < 0.005


def test_priming_is_found_or_assumed() -> None:
    sound = noise(1.0)
    late = np.concatenate([np.zeros((777, 2), np.float32), sound])
    assert corrupt._lag(sound, late, RATE_HZ, 1105) == 777
    assert corrupt._lag(late, sound, RATE_HZ, 1105) == -777
    assert corrupt._lag(sound, noise(1.0, seed=9), RATE_HZ, 1105) == 1105
    assert corrupt._lag(np.zeros_like(sound), sound, RATE_HZ, 1024) == 1024
    assert corrupt._lag(sound[:1], sound, RATE_HZ, 5) == 5


def test_without_ffmpeg_codecs_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corrupt.ffmpeg, "find", lambda: None)
    assert corrupt.codecs_available() == ()
    with pytest.raises(RuntimeError, match="not installed"):
        corrupt.through_codec(noise(0.1), RATE_HZ, "mp3", 128)
    track = clicks(1)
    same, told = corrupt._random_codec(track, np.random.default_rng(0), 1.0)
    assert same is track
    assert "left out" in told


def test_ffmpeg_says_why_it_fails() -> None:
    if not corrupt.codecs_available():
        pytest.skip("no ffmpeg")
    with pytest.raises(RuntimeError, match=r"ffmpeg failed: \w+"):
        corrupt._piped(["-i", "pipe:0", "-f", "f32le"], b"this is no sound")


def test_deep_dj_filters_make_hidden_parts_unknown() -> None:
    track = clicks(8, rate_hz=11025)
    hidden = set()
    for seed in range(60):
        out, told = corrupt._random_dj_filter(track, np.random.default_rng(seed), 1.0)
        missing = np.isnan(out.attributes)
        columns = {ATTRIBUTES[column] for column in np.flatnonzero(missing.any(0))}
        if columns:
            hidden.add("low" if told.startswith("low") else "high")
            assert columns == ({"bass"} if told.startswith("high") else {"lead", "chord", "distortion", "organicity"})
        assert out.beats_s is track.beats_s
    assert hidden == {"low", "high"}
    assert not np.isnan(track.attributes).any()


def test_chain_keeps_the_promises_of_labelled_sound() -> None:
    track = clicks(2)
    untouched = track.audio.copy()
    names = set()
    for seed in range(30):
        out = corrupt.corrupt_audio(track, np.random.default_rng(seed))
        assert out.audio.dtype == np.float32
        assert out.audio.flags.c_contiguous
        assert out.audio.ndim == 2
        assert np.isfinite(out.audio).all()
        assert np.abs(out.audio).max() <= 1
        assert np.all(np.diff(out.beats_s) > 0)
        assert out.beats_s[-1] <= len(out.audio) / RATE_HZ
        assert out.sections == track.sections
        assert np.array_equal(out.probs, track.probs)
        assert out.facts["seed"] == 3
        done = out.facts["corruptions"]
        assert isinstance(done, list)
        order = [name for name, _, _ in corrupt.STEPS] + ["level"]
        places = [order.index(word.split(":")[0]) for word in done]
        assert places == sorted(places)
        names |= {order[place] for place in places}
    assert names == set(order)
    assert np.array_equal(track.audio, untouched)


def test_chain_is_seeded_and_strength_scales_it() -> None:
    track = clicks(2)
    first, again = (corrupt.corrupt_audio(track, np.random.default_rng(11)) for _ in range(2))
    assert np.array_equal(first.audio, again.audio)
    assert np.array_equal(first.beats_s, again.beats_s)
    assert first.facts["corruptions"] == again.facts["corruptions"]
    assert corrupt.corrupt_audio(track, np.random.default_rng(0), strength=0.0) is track

    def steps(strength: float) -> int:
        drawn = (corrupt.corrupt_audio(track, np.random.default_rng(s), strength=strength) for s in range(8))
        return sum(len(out.facts["corruptions"]) for out in drawn)  # type: ignore[arg-type]

    assert steps(0.2) < 0.5 * steps(1.0)
