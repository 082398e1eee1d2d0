"""Songs for the miniatures: invented artists with a sound of their own, rendered by the synthesiser. Zone: trainer."""

from __future__ import annotations

import multiprocessing
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import soxr
from numpy.typing import NDArray
from scipy import signal
from tqdm import tqdm

from ..labelled import Labelled
from ..synth.arrange import Plan
from ..synth.training import colour_master, render_training_track

Task = TypeVar("Task")
Result = TypeVar("Result")
Sound = NDArray[np.float32]

SOUND_RATE_HZ = 44100
_PEAK = 0.95
_STARTS = ("Al", "Bri", "Cor", "Da", "El", "Fen", "Gro", "Hal", "Iv", "Jo", "Kas", "Lu", "Mar", "Nor", "Or", "Pel",
           "Ro", "Sol", "Tal", "Ul", "Vel", "Wes", "Yar", "Zan")  # fmt: skip
_ENDS = ("ado", "bert", "cia", "din", "eso", "fir", "gant", "holm", "ix", "jan", "kova", "lund", "mere", "nox", "oro",
         "pont", "quist", "rell", "sen", "tek", "una", "vik", "wyn", "zza")  # fmt: skip
_FIRST = ("Black", "Blue", "Broken", "Distant", "Endless", "Golden", "Hidden", "Last", "Lost", "Neon", "Paper",
          "Quiet", "Rising", "Second", "Silver", "Slow")  # fmt: skip
_SECOND = ("Arcade", "Bridge", "City", "Dawn", "Echo", "Fever", "Garden", "Harbour", "Island", "Letter", "Mirror",
           "Motion", "Signal", "Summer", "Tide", "Window")  # fmt: skip


@dataclass(frozen=True)
class Song:
    """What is asked of the synthesiser.

    Attributes:
        shares: Of the sub-genres it is written in; they sum to 1.
        plan: Sections and their lengths in bars.
        seed: Decides what is left open: notes, voices, rooms, drums.
        artist: Decides how it is mastered.
        bpm: Tempo; None as the sub-genre has it.
        wanted: Attributes 1..5 to set instead of drawing them.
        darkest_hz: Where it is given, the artist's masters end somewhere between here and 11 kHz, like old recordings.
    """

    shares: Mapping[str, float]
    plan: Plan
    seed: int
    artist: str
    bpm: float | None = None
    wanted: Mapping[str, float] | None = None
    darkest_hz: float | None = None


def generator(seed: int, *words: str | int) -> np.random.Generator:
    """Random numbers that belong to a seed and to what they are for, and to nothing else."""
    return np.random.default_rng([seed, *(zlib.crc32(str(word).encode()) for word in words)])


def draw_names(rng: np.random.Generator, count: int) -> list[str]:
    """Invented artists, all different."""
    every = rng.permutation(len(_STARTS) * len(_ENDS))[:count]
    return [_STARTS[number // len(_ENDS)] + _ENDS[number % len(_ENDS)] for number in map(int, every)]


def draw_titles(rng: np.random.Generator, count: int) -> list[str]:
    """Invented titles, all different."""
    every = rng.permutation(len(_FIRST) * len(_SECOND))[:count]
    return [f"{_FIRST[number // len(_SECOND)]} {_SECOND[number % len(_SECOND)]}" for number in map(int, every)]


def draw_artists(rng: np.random.Generator, classes: int, count: int) -> list[list[str]]:
    """For each class the artists of its ``count`` tracks: in the first half every two share one, later none does."""
    pairs = count // 4
    names = draw_names(rng, classes * (count - pairs))
    each = [names[place::classes] for place in range(classes)]
    return [[mine[max(number // 2, number - pairs)] for number in range(count)] for mine in each]


def draw_signed(rng: np.random.Generator, classes: int, count: int) -> list[tuple[str, str]]:
    """Title and artist of ``count`` tracks of each class, one class after the other."""
    titles = draw_titles(rng, count * classes)
    artists = [artist for among in draw_artists(rng, classes, count) for artist in among]
    return list(zip(titles, artists, strict=True))


def render(song: Song) -> Labelled:
    """The song with its truth: 44.1 kHz, stereo, peak at most 0.95."""
    track = render_training_track(song.shares, song.seed, plan=song.plan, bpm=song.bpm, wanted=song.wanted)
    return Labelled(**{**vars(track), "audio": _mastered(track.audio, song)})


def _mastered(audio: Sound, song: Song) -> Sound:
    """The artist's hand: the same colour and loudness on every song."""
    rng = generator(0, "master", song.artist)
    audio = colour_master(audio, float(rng.uniform(-5.0, 5.0)))
    level_db = float(rng.uniform(-6.0, 0.0))
    if song.darkest_hz is not None:
        cutoff_hz = float(np.exp(rng.uniform(np.log(song.darkest_hz), np.log(11000.0))))
        audio = signal.sosfilt(signal.butter(4, cutoff_hz, fs=SOUND_RATE_HZ, output="sos"), audio, axis=0)
    gain = _PEAK * 10.0 ** (level_db / 20.0) / max(float(np.abs(audio).max()), 1e-6)
    return np.asarray(audio * gain, np.float32)


def mono(audio: Sound, rate_hz: int) -> Sound:
    """(n,) mean of the channels of (n, 2) sound at 44.1 kHz, at another rate."""
    return np.asarray(soxr.resample(audio.mean(axis=1), SOUND_RATE_HZ, rate_hz), np.float32)


def drops_of(track: Labelled) -> list[tuple[float, float]]:
    """(start, end) of each drop in seconds."""
    inside = np.array([False, *(section == "drop" for section in track.sections), False])
    edges = np.flatnonzero(inside[1:] != inside[:-1])
    times = np.append(track.starts_s, track.ends_s[-1])[edges]
    return [(float(start), float(end)) for start, end in zip(times[::2], times[1::2], strict=True)]


def uploaded_name(rng: np.random.Generator, name: str) -> str:
    """A file name as Label Studio keeps it: eight hexadecimal digits, then the name without spaces and brackets."""
    plain = re.sub(r"[^-\w.]", "", name.replace(" ", "_"))
    return f"{rng.bytes(4).hex()}-{plain}"


def run_all(work: Callable[[Task], Result], tasks: Sequence[Task], jobs: int, says: str) -> list[Result]:
    """Results of all tasks in their order, with a progress bar where somebody watches."""
    if jobs == 1:
        return [work(task) for task in tqdm(tasks, desc=says, disable=None)]
    with multiprocessing.get_context("spawn").Pool(min(jobs, len(tasks))) as pool:
        return list(tqdm(pool.imap(work, tasks), total=len(tasks), desc=says, disable=None))
