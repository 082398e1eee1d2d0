"""Proves that training tracks and mixes are what their truth says, and that genres are written as the facts say."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("scipy")
sf = pytest.importorskip("soundfile")

from scipy import signal  # noqa: E402

from housex_blender.core.attributes import ATTRIBUTES  # noqa: E402
from housex_blender.core.genres import GENRES  # noqa: E402
from trainer.labelled import Labelled  # noqa: E402
from trainer.synth import cli, sets, training  # noqa: E402
from trainer.synth.compose import Note  # noqa: E402
from trainer.synth.dsp import SAMPLE_RATE_HZ  # noqa: E402
from trainer.synth.facts import FACTS, LABEL_SHAPES, draw_shares  # noqa: E402
from trainer.synth.writing import Line, bar_holds, bar_onsets, fineness  # noqa: E402

RATE = SAMPLE_RATE_HZ
ROOT = Path(__file__).resolve().parents[2]
SHORT = [("intro", 2), ("break", 2), ("build", 2), ("drop", 8), ("outro", 2)]
COLUMN = {name: index for index, name in enumerate(ATTRIBUTES)}


@pytest.fixture(scope="module")
def tracks() -> dict[str, Labelled]:
    return {genre: training.render_training_track({genre: 1.0}, 4, plan=SHORT) for genre in GENRES}


@pytest.fixture(scope="module")
def mix() -> Labelled:
    return sets.render_training_mix(2, None, 2)


def in_drops(track: Labelled, name: str) -> np.ndarray:
    drops = np.array(track.sections) == "drop"
    return track.attributes[drops, COLUMN[name]]


def band(track: Labelled, low_hz: float, high_hz: float) -> np.ndarray:
    """Drops of a track in a band, mono."""
    bars = [bar for bar, section in enumerate(track.sections) if section == "drop"]
    part = track.audio[int(track.starts_s[bars[0]] * RATE) : int(track.ends_s[bars[-1]] * RATE)].mean(axis=1)
    return signal.sosfiltfilt(signal.butter(4, [low_hz, high_hz], "bandpass", fs=RATE, output="sos"), part)


def test_facts_hold_what_the_benchmark_publishes() -> None:
    assert tuple(sorted(FACTS)) == tuple(sorted(GENRES))
    published = {
        "Progressive House": ((4, 5), (1, 3), (1, 2), (3, 5)),
        "Future House": ((3, 4), (4, 5), (3, 4), (1, 3)),
        "Bass House": ((2, 4), (3, 4), (4, 5), (1, 2)),
        "Tech House": ((3, 5), (3, 4), (2, 4), (1, 3)),
        "Deep House": ((2, 3), (1, 2), (1, 2), (2, 4)),
        "Bigroom": ((1, 2), (1, 3), (4, 5), (1, 2)),
        "Future Rave": ((4, 5), (3, 5), (2, 4), (1, 2)),
        "Slap House": ((3, 4), (3, 5), (1, 3), (1, 2)),
    }
    for genre, rows in published.items():
        facts = FACTS[genre]
        assert (facts.groove, facts.rhythm, facts.distortion, facts.organicity) == rows, genre


def test_labels_have_the_published_shapes() -> None:
    rng = np.random.default_rng(0)
    seen = {tuple(draw_shares(GENRES[count % 9], rng).values()) for count in range(300)}
    assert seen == set(LABEL_SHAPES)
    for count in range(50):
        shares = draw_shares(GENRES[count % 9], rng)
        assert sum(shares.values()) == 1.0
        assert shares[GENRES[count % 9]] == max(shares.values())
    # Musicians mix Bass House with Future or Tech House, hardly ever with Deep House.
    partners = [genre for _ in range(300) for genre in draw_shares("Bass House", rng)]
    assert partners.count("Future House") > 5 * partners.count("Deep House")


def test_decisions_stay_inside_the_intervals() -> None:
    for genre in GENRES:
        for seed in range(2):
            song = training.compose_song({genre: 1.0}, seed)
            facts = FACTS[genre]
            for name, value in song.scales.items():
                low, high = getattr(facts, name)
                assert low <= value <= high, (genre, name)
            bpm = 60.0 * RATE / song.beat_samples
            assert facts.tempo_bpm[0] - 0.01 <= bpm <= facts.tempo_bpm[1] + 0.01
            assert 40 <= len(song.bars) <= 64
            assert sum(bar.section == "drop" for bar in song.bars) >= 16


def test_modes_lean_as_in_the_metadata() -> None:
    for genre, low, high in (("Progressive House", 0.6, 1.0), ("Future House", 0.0, 0.5)):
        songs = [training.compose_song({genre: 1.0}, seed) for seed in range(10)]
        assert low <= np.mean([song.harmony.major for song in songs]) <= high, genre


def test_parts_of_the_drops_are_those_of_the_genre(tracks: dict[str, Labelled]) -> None:
    for part, genres in {"bass": ["Bigroom"], "lead": ["Tech House"], "chord": ["Tech House", "Bigroom"]}.items():
        for genre in genres:
            assert not in_drops(tracks[genre], part).any(), (genre, part)
    for part in ("lead", "chord", "bass"):
        assert in_drops(tracks["Progressive House"], part).mean() > 0.7
    assert np.nanmax(in_drops(tracks["Bigroom"], "groove")) <= 2.0
    assert np.nanmax(in_drops(tracks["Progressive House"], "groove")) >= 4.0
    assert np.nanmedian(in_drops(tracks["Bass House"], "distortion")) > 3.6
    assert np.nanmedian(in_drops(tracks["Deep House"], "distortion")) < 2.4


def test_truth_follows_the_notes() -> None:
    song = training.compose_song({"Progressive House": 1.0}, 1, plan=SHORT)
    ducked = song.beats.kicks
    before = training.truth_of(song, ducked)
    drop = next(bar.number for bar in song.bars if bar.section == "drop")
    assert before[drop, COLUMN["bass"]] == 1.0
    for name in song.gains:
        if song.parts[name].counts == "bass":
            song.gains[name][drop] = 0.0
    after = training.truth_of(song, ducked)
    assert after[drop, COLUMN["bass"]] == 0.0
    assert after[drop, COLUMN["lead"]] == before[drop, COLUMN["lead"]]
    for name in song.gains:
        song.gains[name][:] = 0.0
    silent = training.truth_of(song, ducked)
    assert not silent[:, 4:].any()
    assert np.isnan(silent[:, :4]).all()


def test_groove_needs_a_kick_that_ducks() -> None:
    song = training.compose_song({"Future Rave": 1.0}, 1, plan=SHORT)
    truth = training.truth_of(song, np.zeros_like(song.beats.kicks))
    assert np.nanmax(truth[:, COLUMN["groove"]]) == 1.0


def test_rhythm_measures_the_grid_and_its_syncopation() -> None:
    quarters, eighths, sixteenths = ([slot / step for slot in range(4 * step)] for step in (1, 2, 4))
    off = [0.25, 0.75, 1.75, 2.25, 3.25, 3.75]
    values = [fineness(starts) for starts in (quarters, eighths, sixteenths, off, [*off, 2.375, 2.5])]
    assert values == sorted(values)
    for value, low, high in zip(values, (1, 1.8, 2.8, 3.7, 4.5), (1, 2.3, 3.2, 4.4, 5), strict=True):
        assert low <= value <= high
    assert np.isnan(fineness([]))
    line = Line((Note(0.0, 60, 1.0), Note(0.02, 64, 1.0), Note(6.0, 60, 4.0)), 2)
    assert bar_onsets(line) == [[0.0], [2.0]]
    # The last note rings on into the first bar.
    assert bar_holds(line) == pytest.approx([2.0, 2.0], abs=0.1)


def test_measured_side_chain_follows_the_groove() -> None:
    def swing_db(groove: float, seed: int) -> float:
        """How much the middle of the spectrum rises within a beat, after the drums of the first quarter."""
        track = training.render_training_track(
            {"Progressive House": 1.0}, seed, plan=[("drop", 4)], wanted={"groove": groove, "distortion": 1.0}
        )
        assert np.nanmax(track.attributes[:, COLUMN["groove"]]) == pytest.approx(groove)
        beat = int(np.diff(track.beats_s[:2])[0] * RATE)
        energy = (band(track, 250.0, 1200.0)[: 16 * beat].reshape(16, beat) ** 2).mean(axis=0)
        return float(10 * np.log10(energy[-beat // 5 :].mean() / energy[beat // 50 : beat // 10].mean()))

    depths = np.array([[swing_db(groove, seed) for groove in (1.0, 3.0, 5.0)] for seed in (1, 2)]).mean(axis=0)
    assert depths[1] - depths[0] > 2.0
    assert depths[2] - depths[1] > 1.0


def test_measured_spectrum_flattens_with_the_distortion() -> None:
    def flatness_db(distortion: float, seed: int) -> float:
        wanted = {"distortion": distortion, "groove": 1.0}
        song = training.compose_song({"Slap House": 1.0}, seed, plan=[("drop", 4)], wanted=wanted)
        truth = training.truth_of(song, song.beats.kicks)
        assert abs(np.nanmean(truth[:, COLUMN["distortion"]]) - distortion) < 0.6
        song.beats.hits.clear()
        audio, _ = training.render_song(song, np.random.default_rng(seed))
        _, power = signal.welch(audio.mean(axis=1), RATE, nperseg=4096)
        part = power[20:700] + 1e-15
        return float(10 * np.log10(np.exp(np.log(part).mean()) / part.mean()))

    gains = [flatness_db(5.0, seed) - flatness_db(1.0, seed) for seed in (1, 2, 3, 4)]
    assert np.mean(gains) > 1.0


def test_kicks_fall_on_the_beats_of_the_drop(tracks: dict[str, Labelled]) -> None:
    for genre, track in tracks.items():
        low = band(track, 35.0, 150.0) ** 2
        bars = [bar for bar, section in enumerate(track.sections) if section == "drop"][:7]
        beats = (track.beats_s[4 * bars[0] : 4 * bars[-1]] - track.starts_s[bars[0]]) * RATE
        beat = int(beats[1])
        # Energy of the low end folded over one beat: it starts within the first tenth.
        folded = np.mean([low[int(start) : int(start) + beat] for start in beats], axis=0)
        attack = folded[: beat // 6].mean()
        before = folded[-beat // 10 :].mean()
        assert attack > 1.3 * before, genre


def test_tracks_are_clean(tracks: dict[str, Labelled]) -> None:
    for genre, track in tracks.items():
        assert track.audio.dtype == np.float32
        assert np.isfinite(track.audio).all()
        assert 0.3 < np.abs(track.audio).max() <= 1.0, genre
        assert np.abs(track.audio.mean(axis=0)).max() < 0.01, genre
        levels = [
            np.sqrt(np.mean(track.audio[int(start * RATE) : int(end * RATE)] ** 2))
            for start, end in zip(track.starts_s, track.ends_s, strict=True)
        ]
        drops = np.array(track.sections) == "drop"
        assert min(levels) > 1e-3, genre
        assert np.mean(np.array(levels)[drops]) > np.mean(np.array(levels)[np.array(track.sections) == "break"]), genre
        assert len(track.audio) == round(track.beats_s[-1] * RATE)


def test_no_bar_of_a_whole_track_is_silent() -> None:
    for seed in (11, 12, 13):
        song = training.compose_song({"Future Rave": 1.0}, seed)
        for bar in song.bars:
            played = any(gains[bar.number] > 0 for gains in song.gains.values())
            beats = any(
                4 * bar.number <= beat < 4 * bar.number + 4 for hits in song.beats.hits.values() for beat, _ in hits
            )
            assert played or beats


def test_the_seed_alone_decides_in_every_process(tracks: dict[str, Labelled]) -> None:
    code = (
        "import hashlib;from trainer.synth.training import render_training_track as r;"
        f"print(hashlib.sha256(r({{'Deep House': 1.0}}, 4, plan={SHORT!r}).audio.tobytes()).hexdigest())"
    )
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == hashlib.sha256(tracks["Deep House"].audio.tobytes()).hexdigest()
    other = training.render_training_track({"Deep House": 1.0}, 5, plan=SHORT)
    size = min(len(other.audio), len(tracks["Deep House"].audio))
    assert not np.allclose(other.audio[:size], tracks["Deep House"].audio[:size], atol=1e-2)


def test_mixtures_take_parts_from_all_their_genres() -> None:
    shares = {"Deep House": 0.5, "Tech House": 0.5}
    songs = [training.compose_song(shares, seed, plan=[("drop", 2)]) for seed in range(10)]
    kept = [any(song.gains[name].any() for name in song.gains if name.startswith("lead")) for song in songs]
    assert 0.1 < np.mean(kept) < 0.9
    track = training.render_training_track(shares, 1, plan=[("drop", 2)])
    assert track.probs[0, GENRES.index("Deep House")] == 0.5
    assert np.allclose(track.probs.sum(axis=1), 1.0)
    drawn = training.render_training_track("Deep House", 1, plan=[("drop", 2)])
    assert drawn.probs[0].argmax() == GENRES.index("Deep House")


def test_wrong_shares_are_named() -> None:
    for shares in ({"Deep House": 0.5}, {"Polka": 1.0}):
        with pytest.raises(ValueError, match="shares"):
            training.compose_song(shares, 1)


def test_mix_truth_is_consistent(mix: Labelled) -> None:
    assert np.allclose(mix.probs.sum(axis=1), 1.0, atol=1e-5)
    assert len(mix.audio) == round(mix.beats_s[-1] * RATE)
    assert (np.diff(mix.beats_s) > 0.4).all()
    assert set(np.diff(mix.track)) <= {0, 1}
    assert mix.track[-1] == 1
    assert np.isin(mix.attributes[:, 4:], (0.0, 1.0)).all()
    scales = mix.attributes[:, :4]
    assert np.nanmin(scales) >= 1.0
    assert np.nanmax(scales) <= 5.0
    assert np.abs(mix.audio).max() <= 1.0
    fades = mix.facts["fades"]
    assert isinstance(fades, list)
    assert mix.crossfade.sum() == sum(fade["bars"] for fade in fades)


def test_labels_are_mixed_only_where_tracks_are(mix: Labelled) -> None:
    alone = ~mix.crossfade
    for index in range(2):
        rows = mix.probs[alone & (mix.track == index)]
        assert np.ptp(rows, axis=0).max() < 1e-6


def test_shares_of_a_fade_cross_at_the_handover() -> None:
    fade = sets.Fade(8, 2, "swap")
    share = sets.share_curve(np.array([-1.0, 0.0, 2.0, 8.0, 9.0]), fade)
    assert share == pytest.approx([0.0, 0.0, 0.5, 1.0, 1.0])
    cut = sets.share_curve(np.array([-0.5, 0.5]), sets.Fade(0, 0, "cut"))
    assert cut == pytest.approx([0.0, 1.0])


def test_the_command_line_writes_sound_and_truth(tmp_path: Path) -> None:
    path = tmp_path / "track.flac"
    assert cli.main(["track", "Tech House", "--training", "--seed", "3", "-o", str(path)]) == 0
    truth = json.loads(path.with_suffix(".truth.json").read_text(encoding="utf-8"))
    assert sf.info(path).frames == pytest.approx(truth["bars"]["end_s"][-1] * RATE, abs=2)
    assert len(truth["bars"]["attributes"]) == len(truth["bars"]["section"])
    assert truth["bars"]["probs"][0][GENRES.index("Tech House")] == 1.0
