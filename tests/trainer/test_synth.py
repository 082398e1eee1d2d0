"""Proves that the synthesiser does what its truth says: kicks, levels, determinism, mixes, the committed demo."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("scipy")
sf = pytest.importorskip("soundfile")

from scipy import signal  # noqa: E402

from trainer.synth import cli, dsp, master  # noqa: E402
from trainer.synth.arrange import DEMO_PLAN, SHORT_PLAN, has_kick, lay_out  # noqa: E402
from trainer.synth.demo import write_audio  # noqa: E402
from trainer.synth.mixer import Mix, TrackSpec, Transition, mix_tracks, tempo_map  # noqa: E402
from trainer.synth.recipes import GENRES, RECIPES, sample_style  # noqa: E402
from trainer.synth.track import Track, render_track  # noqa: E402
from trainer.synth.truth import mix_truth  # noqa: E402

RATE = dsp.SAMPLE_RATE_HZ
PLAN = [("intro", 2), ("build", 4), ("drop", 8), ("break", 4), ("outro", 2)]
DEMO = Path(__file__).resolve().parents[2] / "demo_scenes" / "demo_mix.ogg"


@pytest.fixture(scope="module")
def tracks() -> dict[str, Track]:
    return {genre: render_track(genre, 3, plan=PLAN) for genre in GENRES}


@pytest.fixture(scope="module")
def small_mix() -> Mix:
    plan = (("intro", 4), ("drop", 8), ("outro", 4))
    specs = [TrackSpec("Tech House", 1, 124.0, plan), TrackSpec("Bigroom", 2, 128.0, plan)]
    return mix_tracks(specs, [Transition(4)])


STEP = 20


def low_band(audio: np.ndarray) -> np.ndarray:
    """Kick-band energy of (n, 2) audio every STEP samples, without delay and without the ripple of a squared sine."""
    sos = signal.butter(2, [40.0, 250.0], "bandpass", fs=RATE, output="sos")
    band = signal.sosfiltfilt(sos, audio.mean(axis=1))[::STEP]
    # Zero padding to a product of small primes keeps the transform fast.
    envelope = np.abs(signal.hilbert(band, signal_length(len(band))))[: len(band)]
    return np.clip(envelope**2, 1e-7, None)


def signal_length(count: int) -> int:
    return int(2 ** np.ceil(np.log2(count)))


def kick_onsets(audio: np.ndarray, beats_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Per beat: when the low band comes within 3 dB of its peak, in seconds after the beat, and its climb in dB."""
    energy = 10.0 * np.log10(low_band(audio))
    step_s = STEP / RATE
    offsets, rises = [], []
    for beat in beats_s:
        before = energy[max(0, int((beat - 0.05) / step_s)) : max(1, int((beat - 0.01) / step_s))].mean()
        peak = energy[int(beat / step_s) : int((beat + 0.08) / step_s)].max()
        first = max(0, int((beat - 0.02) / step_s))
        window = energy[first : int((beat + 0.08) / step_s)]
        offsets.append((first + int(np.argmax(window > peak - 3.0))) * step_s - beat)
        rises.append(peak - before)
    return np.array(offsets), np.array(rises)


def section_of(track: Track, name: str) -> np.ndarray:
    bars = [bar for bar, section in enumerate(track.sections) if section == name]
    return track.audio[int(track.beat_s[4 * bars[0]] * RATE) : int(track.beat_s[4 * bars[-1] + 4] * RATE)]


def drop_beats(track: Track) -> np.ndarray:
    (first, end), *_ = track.drops
    return track.beat_s[4 * first : 4 * end]


@pytest.mark.parametrize("genre", GENRES)
def test_a_kick_starts_on_every_beat_of_the_drop(tracks: dict[str, Track], genre: str) -> None:
    offsets, rises = kick_onsets(tracks[genre].audio, drop_beats(tracks[genre]))
    assert rises.min() > 1.5
    assert np.median(rises) > 4.0
    assert np.mean(np.abs(offsets) < 0.025) > 0.9
    assert abs(np.median(offsets)) < 0.015


@pytest.mark.parametrize("genre", GENRES)
def test_levels_follow_the_sections(tracks: dict[str, Track], genre: str) -> None:
    track = tracks[genre]
    level = {name: master.loudness_lufs(section_of(track, name)) for name in ("intro", "drop", "break", "outro")}
    assert -9.0 < level["drop"] < -6.0
    assert 6.0 < level["drop"] - level["break"] < 12.0
    assert 2.0 < level["drop"] - level["intro"] < 7.0
    assert 2.0 < level["drop"] - level["outro"] < 7.0
    assert np.abs(track.audio).max() <= 0.966
    assert np.isfinite(track.audio).all()
    assert np.abs(track.audio.mean(axis=0)).max() < 1e-3


def test_the_break_has_no_kick(tracks: dict[str, Track]) -> None:
    for track in tracks.values():
        sos = signal.butter(4, 75.0, fs=RATE, output="sos")
        crest = {}
        for name in ("drop", "break"):
            low = signal.sosfilt(sos, section_of(track, name).mean(axis=1))
            crest[name] = float(np.sqrt(np.mean(low**2)))
        assert crest["break"] < 0.5 * crest["drop"], track.genre


def test_own_loudness_meter_agrees_with_a_reference(tracks: dict[str, Track]) -> None:
    pyloudnorm = pytest.importorskip("pyloudnorm")
    drop = section_of(tracks["Deep House"], "drop")
    assert master.loudness_lufs(drop) == pytest.approx(
        pyloudnorm.Meter(RATE).integrated_loudness(drop.astype(float)), abs=0.3
    )


def test_same_seed_same_samples_other_seed_other_track() -> None:
    plan = [("drop", 2)]
    first, again, other = (render_track("Slap House", seed, plan=plan) for seed in (5, 5, 6))
    assert np.array_equal(first.audio, again.audio)
    assert first.beat_s.shape == (9,)
    size = min(len(first.audio), len(other.audio))
    assert not np.allclose(first.audio[:size], other.audio[:size], atol=1e-2)


def test_styles_stay_inside_the_published_intervals() -> None:
    for genre, recipe in RECIPES.items():
        for seed in range(12):
            style = sample_style(genre, seed, variety=0.5)
            for name in ("groove", "rhythm", "distortion", "organicity"):
                low, high = getattr(recipe, name)
                assert low <= style.attributes[name] <= high
            assert recipe.bpm[0] <= style.bpm <= recipe.bpm[1]
            assert style.has["bass"] == (recipe.bass == 1.0)
            assert recipe.lead not in (0.0, 1.0) or style.has["lead"] == bool(recipe.lead)


def test_instruments_are_shared_between_genres() -> None:
    for part in ("lead_kinds", "bass_kinds", "chord_kinds"):
        users: dict[str, int] = {}
        for recipe in RECIPES.values():
            for kind in getattr(recipe, part):
                users[kind] = users.get(kind, 0) + 1
        assert sum(count == 1 for count in users.values()) <= 0.4 * len(users), part


def swell_db(track: Track) -> float:
    """How far the mid band grows from just after the kick to the second half of the beat."""
    sos = signal.butter(3, [300.0, 3000.0], "bandpass", fs=RATE, output="sos")
    power = signal.sosfilt(sos, track.audio.mean(axis=1)) ** 2
    early, late = [], []
    for beat in drop_beats(track):
        start = int(beat * RATE)
        early.append(power[start + int(0.05 * RATE) : start + int(0.13 * RATE)].mean())
        late.append(power[start + int(0.28 * RATE) : start + int(0.4 * RATE)].mean())
    return float(10.0 * np.log10(np.mean(late) / np.mean(early)))


def test_genres_differ_as_their_attributes_say(tracks: dict[str, Track]) -> None:
    swells = {genre: swell_db(track) for genre, track in tracks.items()}
    # Groove 4-5 against 1-2, and the one genre without a bass instrument has the longest kick.
    assert swells["Progressive House"] > swells["Bigroom"] + 3.0
    assert swells["Future Rave"] > swells["Bigroom"] + 3.0
    assert RECIPES["Bigroom"].kick_decay_s[0] > max(r.kick_decay_s[1] for g, r in RECIPES.items() if g != "Bigroom")
    bands = []
    for track in tracks.values():
        _, power = signal.welch(section_of(track, "drop").mean(axis=1), RATE, nperseg=4096)
        bands.append(10.0 * np.log10([part.mean() for part in np.array_split(power[2:1400], 40)]))
    for index, left in enumerate(bands):
        for right in bands[index + 1 :]:
            assert np.abs(left - right).mean() > 0.7


def test_plans_lie_on_the_lattice_and_breaks_are_kickless() -> None:
    for plan in (DEMO_PLAN, SHORT_PLAN):
        bars = lay_out(plan)
        assert 40 <= len(bars) <= 64
        assert all(has_kick(bar) == [0, 1, 2, 3] for bar in bars if bar.section in ("drop", "intro", "outro"))
        assert all(not has_kick(bar) for bar in bars if bar.section == "break")
        assert all(not has_kick(bar) for bar in bars if bar.section == "build" and bar.place == bar.length - 1)


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="Polka"):
        render_track("Polka", 1)
    with pytest.raises(ValueError, match="chorus"):
        render_track("Bigroom", 1, plan=[("chorus", 4)])
    with pytest.raises(ValueError, match="tempo map"):
        render_track("Bigroom", 1, plan=[("drop", 2)], beat_s=np.arange(4.0))
    with pytest.raises(ValueError, match="transitions"):
        mix_tracks([TrackSpec("Bigroom", 1, 126.0)], [Transition(8)])
    with pytest.raises(ValueError, match="mp4"):
        write_audio(Path("x.mp4"), np.zeros((4, 2), dtype=np.float32))


def check_truth(truth: dict) -> None:
    bars, beats = truth["bars"], np.array(truth["beats_s"])
    count = len(bars["label"])
    assert truth["schema"] == 1
    assert truth["genres"] == list(GENRES)
    assert all(len(column) == count for column in bars.values())
    assert len(beats) == 4 * count
    assert np.all(np.diff(beats) > 0)
    assert truth["downbeats_s"] == truth["beats_s"][::4] == bars["start_s"]
    assert bars["end_s"][:-1] == bars["start_s"][1:]
    assert bars["end_s"][-1] <= truth["duration_s"]
    assert np.allclose(np.sum(bars["probs"], axis=1), 1.0, atol=1e-4)
    assert np.min(bars["probs"]) >= 0.0
    for index, track in enumerate(truth["tracks"]):
        own = [bar for bar, who in enumerate(bars["track"]) if who == index]
        assert own == list(range(track["start_bar"], track["end_bar"]))
        assert track["fade_in_s"] <= track["handover_s"] == track["start_s"] < track["end_s"] <= track["fade_out_s"]
        # The middle of a track is alone, at its own tempo.
        middle = 4 * ((track["start_bar"] + track["end_bar"]) // 2)
        assert 60.0 / (beats[middle + 1] - beats[middle]) == pytest.approx(track["bpm"], abs=0.02)
        assert bars["probs"][middle // 4][GENRES.index(track["genre"])] == pytest.approx(1.0)
    for drop in truth["drops"]:
        assert set(bars["section"][drop["start_bar"] : drop["end_bar"]]) == {"drop"}
        assert drop["start_s"] == bars["start_s"][drop["start_bar"]]


def test_mix_truth_is_consistent(small_mix: Mix) -> None:
    truth = mix_truth(small_mix)
    check_truth(truth)
    soft = [row for row in truth["bars"]["probs"] if max(row) < 0.999]
    assert len(soft) == 4
    assert truth["tracks"][0]["end_bar"] == truth["tracks"][1]["start_bar"] == 14
    tempo = 60.0 / np.diff(tempo_map([item.spec for item in small_mix.placed], [Transition(4)]))
    assert np.all(np.diff(tempo) >= -1e-9)
    assert tempo[0] == pytest.approx(124.0)
    assert tempo[-1] == pytest.approx(128.0)


def test_one_kick_per_beat_through_a_crossfade(small_mix: Mix) -> None:
    offsets, rises = kick_onsets(small_mix.audio, small_mix.beat_s[48:64])
    assert np.abs(np.median(offsets)) < 0.015
    assert np.mean(np.abs(offsets) < 0.025) > 0.9
    assert rises.min() > 1.5
    assert np.abs(small_mix.audio).max() <= 0.966


def test_vorbis_survives_long_writes_and_the_command_line_runs(tmp_path: Path, small_mix: Mix) -> None:
    path = tmp_path / "long.ogg"
    write_audio(path, np.tile(small_mix.audio, (2, 1)))
    assert sf.info(path).frames == 2 * len(small_mix.audio)
    assert [item.name for item in tmp_path.iterdir()] == ["long.ogg"]
    assert cli.main(["track", "Bass House", "--seed", "4", "-o", str(tmp_path / "one.flac")]) == 0
    check_truth(json.loads((tmp_path / "one.truth.json").read_text()))


@pytest.mark.skipif(not DEMO.exists(), reason="the demo mix has not been rendered")
def test_the_committed_demo_matches_its_truth() -> None:
    truth = json.loads(DEMO.with_suffix(".truth.json").read_text())
    check_truth(truth)
    audio, rate = sf.read(DEMO, dtype="float32")
    assert rate == RATE
    assert len(audio) / RATE == pytest.approx(truth["duration_s"], abs=0.01)
    assert 210.0 <= truth["duration_s"] <= 330.0
    assert DEMO.stat().st_size <= 6_000_000
    assert np.abs(audio).max() <= 0.966
    assert [track["genre"] for track in truth["tracks"]] == list(GENRES[:4])
    assert len(truth["drops"]) >= 4
    for drop in truth["drops"]:
        part = audio[int(drop["start_s"] * RATE) : int(drop["end_s"] * RATE)]
        assert -9.0 < master.loudness_lufs(part) < -6.0
        beats = np.array(truth["beats_s"][4 * drop["start_bar"] : 4 * drop["end_bar"]])
        offsets, rises = kick_onsets(audio, beats)
        assert rises.min() > 1.5
        assert np.median(rises) > 4.0
        assert np.mean(np.abs(offsets) < 0.025) > 0.9
        assert abs(np.median(offsets)) < 0.015
