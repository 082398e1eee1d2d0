"""``python -m trainer make-default``: from nothing to the weights that ship. Zone: trainer.

Renders the data, trains the chosen design from several seeds, compares designs if asked, sets temperature, smoothing
and the limit of "uncertain" on validation data, measures on tracks and mixes that nothing was set on, and writes the
model folder with its card. Every stage keeps what it made in ``--data``: a run that was cut off goes on there.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import zlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from housex_blender.analysis.backends import OnnxBackend
from housex_blender.analysis.grid import track_grid
from housex_blender.analysis.model_folder import MODELS, Smoothing, load_model_folder
from housex_blender.analysis.network import pick_device
from housex_blender.analysis.records import hear_records
from housex_blender.core.files import sha256_of
from housex_blender.core.genres import GENRES

from .calibrate import LEFT_OUT, fit_smoothing, fit_temperature, fit_uncertain, probs_of, smoothed
from .datasets import HANDS, VERSIONS, BarTrack, HeardMix, Source, load_bars, prepare, read_mixes, save_bars
from .designs import DESIGNS, PEAK_LR, SHAPE
from .export import Card, write_model_folder
from .metrics import attribute_figures, bar_figures, mix_figures
from .model_card import write_model_card
from .train import Recipe, predict, train_network

FROZEN = Path(__file__).parent / "frozen_validation.npz"
# seeds of one generator that never meet: the first for choosing and calibrating, the second for the figures
FIRST_TEST_SEED = 5_000
# the demo mix plays seeds below a hundred, and shall not be learnt by heart
FIRST_RECIPE_SEED = 1_000
_FROZEN_BARS = 32
CHOSEN = "MixNet"
TRAINED_ON = "{tracks} tracks that five programs wrote and synthesised, with sampled instruments; no recorded music"
LIMITS = (
    "Trained on synthesised house music alone, and measured on music from two other programs, never on records. "
    "What the figures say of records that people made is unknown; labels may be wrong while the confidence is high."
)


@dataclass(frozen=True)
class Sizes:
    """How much is rendered and trained.

    Attributes:
        training: Tracks per genre to learn from of the first writer; half as many of each other one.
        validation: Tracks per genre of the second generator for choosing and calibrating.
        test: Tracks per genre of the second generator for the figures.
        third: Tracks per genre of the third set.
        validation_mixes: DJ mixes for the smoothing.
        test_mixes: DJ mixes for the figures.
        seeds: Training runs of the chosen design.
        recipe: Of every run.
        compared_bars: Bars shown to each design that is compared.
    """

    training: int = 180
    validation: int = 10
    test: int = 12
    third: int = 5
    validation_mixes: int = 6
    test_mixes: int = 8
    seeds: int = 3
    recipe: Recipe = field(default_factory=Recipe)
    compared_bars: int = 150_000


SMOKE = Sizes(2, 1, 1, 1, 1, 1, 1, Recipe(bars=5_000), 1_000)


@dataclass
class Data:
    """Everything that was rendered."""

    training: list[BarTrack]
    validation: list[BarTrack]
    test: list[BarTrack]
    third: list[BarTrack]
    validation_mixes: list[BarTrack]
    test_mixes: list[BarTrack]


def _training_sources(sizes: Sizes, samples: bool) -> list[Source]:
    half = max(1, sizes.training // 2)
    sources = [Source("training", range(sizes.training)), Source("recipes", _after(FIRST_RECIPE_SEED, half))]
    return sources + [Source(hand, range(half)) for hand in HANDS if samples or hand != "sampler"]


def training_tracks(sizes: Sizes, folder: Path, jobs: int, samples: bool) -> list[BarTrack]:
    """Render what is missing of the tracks to learn from, and read them."""
    shelves = prepare(_training_sources(sizes, samples), folder, jobs, samples)
    return [track for shelf in shelves for track in shelf]


def render_all(sizes: Sizes, folder: Path, jobs: int, samples: bool) -> Data:
    """Render what is missing and read all."""
    others = [
        Source("second", range(sizes.validation)),
        Source("second", _after(FIRST_TEST_SEED, sizes.test)),
        Source("third", range(sizes.third)),
        Source("second-mix", range(sizes.validation_mixes), ()),
        _test_mixes(sizes),
    ]
    own = _training_sources(sizes, samples)
    shelves = prepare([*own, *others], folder, jobs, samples)
    return Data([track for shelf in shelves[: len(own)] for track in shelf], *shelves[len(own) :])


def _test_mixes(sizes: Sizes) -> Source:
    return Source("second-mix", _after(FIRST_TEST_SEED, sizes.test_mixes), ())


def _after(first: int, count: int) -> range:
    return range(first, first + count)


@dataclass(frozen=True)
class Lesson:
    """One training run: a key of DESIGNS, its recipe, and where its state is kept."""

    design: str
    recipe: Recipe
    checkpoint: Path

    def learn(self, tracks: Sequence[BarTrack], device: str, line: int = 0) -> nn.Module:
        """Train, go on with, or only read what was trained to the end."""
        torch.manual_seed(self.recipe.seed)
        net = DESIGNS[self.design](len(GENRES))
        name = f"{self.design}, seed {self.recipe.seed}"
        return train_network(net, tracks, self.recipe, self.checkpoint, device, name=name, line=line)


def learn_side_by_side(
    lessons: Sequence[Lesson], tracks: Callable[[], list[BarTrack]], at_once: int, cores: int
) -> None:
    """Do lessons on the processor, several at once, so that each checkpoint is that of a finished run.

    Small convolutions hardly gain from a second thread: two runs of one thread each are done sooner than one run of
    two after the other.

    Args:
        lessons: What to learn.
        tracks: Reads what they learn from; called once in every process.
        at_once: Processes.
        cores: Of the machine, shared out among them.
    """
    context = multiprocessing.get_context("spawn")
    lines = context.Queue()
    for line in range(at_once):
        lines.put(line)
    start = (tracks, lines, max(1, cores // at_once), context.RLock())
    with ProcessPoolExecutor(at_once, context, _Pupil.sit_down, start) as pool:
        list(pool.map(_Pupil.learn, lessons))


class _Pupil:
    """What a process that learns keeps between its lessons."""

    tracks: Sequence[BarTrack] = ()
    line = 0

    @classmethod
    def sit_down(cls, tracks: Callable[[], list[BarTrack]], lines: Any, threads: int, lock: Any) -> None:
        tqdm.set_lock(lock)
        torch.set_num_threads(threads)
        cls.tracks, cls.line = tracks(), lines.get()

    @classmethod
    def learn(cls, lesson: Lesson) -> None:
        lesson.learn(cls.tracks, "cpu", cls.line)


@dataclass
class Run:
    """One trained network with what was set on validation data and measured on the rest."""

    net: nn.Module
    temperature: float
    smoothing: Smoothing
    uncertain_below: float
    validation: dict[str, Any]
    figures: dict[str, Any]


def measured(net: nn.Module, data: Data) -> Run:
    """Calibrate on validation tracks and mixes, then measure on the others."""
    said = predict(net, data.validation)
    temperature = fit_temperature(data.validation, said)
    # records in a mix are matched to each other's tempo
    mixes = predict(net, data.validation_mixes, tempo_told=False)
    smoothing = fit_smoothing(data.validation_mixes, mixes, temperature)
    settled = [smoothed(one, temperature, smoothing) for one in mixes]
    figures: dict[str, Any] = {}
    for name, tracks in (("second generator", data.test), ("third set", data.third)):
        heard = predict(net, tracks)
        figures[name] = bar_figures(tracks, probs_of(heard, temperature))
        figures[name]["attributes"] = attribute_figures(tracks, [one.attributes for one in heard])
        untold = bar_figures(tracks, probs_of(predict(net, tracks, tempo_told=False), temperature))
        figures[name]["drop accuracy, tempo not told"] = untold["drop accuracy"]
    heard = predict(net, data.test_mixes, tempo_told=False)
    figures["mixes of the second generator"] = mix_figures(
        data.test_mixes, [smoothed(one, temperature, smoothing) for one in heard]
    )
    validation = {
        "tracks": bar_figures(data.validation, probs_of(said, temperature)),
        "mixes": mix_figures(data.validation_mixes, settled),
    }
    return Run(net, temperature, smoothing, fit_uncertain(settled), validation, figures)


def program_figures(folder: Path, mixes: Iterable[HeardMix]) -> dict[str, Any]:
    """Figures of a written model on mixes as the extension hears them: its bars, its tracks, its labels."""
    model = load_model_folder(folder)
    backend = OnnxBackend(model)
    bars, probs = [], []
    for mix in mixes:
        genres, _ = hear_records(mix.features, track_grid(mix.features), model, backend)
        bars.append(mix.bars)
        probs.append(genres.probs)
    return mix_figures(bars, probs)


_QUOTED = ("drop accuracy", "drop accuracy, 95 % over tracks", "drop macro-F1", "tracks by their drops",
             "expected calibration error", "all bars")  # fmt: skip


def _design_lessons(sizes: Sizes, state: Path) -> list[Lesson]:
    shorter = replace(sizes.recipe, bars=sizes.compared_bars)
    return [
        Lesson(name, replace(shorter, peak_lr=PEAK_LR.get(name, shorter.peak_lr)), state / f"design-{number}.pt")
        for number, name in enumerate(DESIGNS)
    ]


def compare(lessons: Sequence[Lesson], data: Data, device: str) -> dict[str, Any]:
    """Measure every design on validation tracks, after the same bars and as many of them."""
    table: dict[str, Any] = {}
    for lesson in lessons:
        net = lesson.learn(data.training, device)
        said = predict(net, data.validation)
        figures = bar_figures(data.validation, probs_of(said, fit_temperature(data.validation, said)))
        parameters = sum(part.numel() for part in net.parameters())
        size = {"parameters": parameters, "bars shown": lesson.recipe.bars}
        table[lesson.design] = {**size, **{key: figures[key] for key in _QUOTED}}
    return table


def spread(runs: Sequence[Run]) -> dict[str, Any]:
    """Mean and range over training seeds of the figures that the card quotes."""

    def over(read: Callable[[Run], float]) -> dict[str, float]:
        values = [float(read(run)) for run in runs]
        return {"mean": round(float(np.mean(values)), 4), "lowest": min(values), "highest": max(values)}

    tracks, mixes = "second generator", "mixes of the second generator"
    result: dict[str, Any] = {"seeds": len(runs)}
    for key in ("drop accuracy", "drop macro-F1", "expected calibration error"):
        result[key] = over(lambda run, key=key: run.figures[tracks][key])  # type: ignore[misc]
    for key in ("bar accuracy outside crossfades", "changes within 2 bars", "flips per 64 bars"):
        result[f"mixes, {key}"] = over(lambda run, key=key: run.figures[mixes][key])  # type: ignore[misc]
    result["third set, drop accuracy"] = over(lambda run: run.figures["third set"]["drop accuracy"])
    return result


def freeze(data: Data, path: Path) -> list[BarTrack]:
    """Keep a few validation tracks, cut to the bars around their first drop, for the test of the shipped weights."""
    chosen = []
    for genre in range(len(GENRES)):
        chosen += [track for track in data.validation if track.genre[0] == genre][:2]
    parts = []
    for track in chosen:
        first = max(0, min(int(np.flatnonzero(track.drop)[0]) - 8, len(track) - _FROZEN_BARS))
        parts.append(track.part(slice(first, first + _FROZEN_BARS)))
    joined = BarTrack(
        "frozen",
        np.concatenate([part.pictures for part in parts]),
        np.concatenate([part.bpm for part in parts]),
        np.concatenate([part.probs for part in parts]),
        np.concatenate([part.attributes for part in parts]),
        np.concatenate([part.section for part in parts]),
        np.concatenate([np.full(len(part), number) for number, part in enumerate(parts)]),
        np.concatenate([part.crossfade for part in parts]),
    )
    save_bars(joined, path)
    return thaw(path)


def thaw(path: Path = FROZEN) -> list[BarTrack]:
    """The tracks of the frozen validation set."""
    joined = load_bars(path)
    return [joined.part(joined.track == number) for number in np.unique(joined.track)]


def frozen_figures(net: nn.Module, temperature: float, tracks: Sequence[BarTrack]) -> dict[str, float]:
    """The two figures that anyone can compute again from the shipped weights and the frozen set."""
    figures = bar_figures(tracks, probs_of(predict(net, tracks), temperature))
    return {key: figures[key] for key in ("drop accuracy", "expected calibration error")}  # type: ignore[misc]


def add_make_default_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """``python -m trainer make-default``."""
    parser = subparsers.add_parser(
        "make-default",
        help="render the data, train, calibrate, measure and write the model that ships",
        description="From nothing to housex_blender/models/default. Keeps about 3 GB in --data and goes on where an "
        "earlier run was cut off. About two hours on 2 cores; a GPU is used where there is one. The sampled "
        "instruments need fluidsynth, FluidR3 and Sonic Pi's samples, the figures Csound and LMMS's samples.",
    )
    parser.add_argument("-o", "--output", type=Path, default=MODELS / "default")
    parser.add_argument(
        "--data", type=Path, default=Path("build/data"), help="what is rendered and trained is kept here"
    )
    parser.add_argument("--tracks", type=int, default=Sizes.training, help="training tracks per genre")
    parser.add_argument("--bars", type=int, default=Recipe.bars, help="bars shown in each training run")
    parser.add_argument("--seeds", type=int, default=Sizes.seeds, help="training runs of the chosen design")
    parser.add_argument("--no-compare", dest="compare", action="store_false", help="leave out the other designs")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes that render and train")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    parser.add_argument("--no-samples", dest="samples", action="store_false", help="train on our own voices alone")
    parser.add_argument("--smoke", action="store_true", help="a tiny run that shows that every step works")
    parser.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Do all stages."""
    recipe = Recipe(bars=arguments.bars)
    sizes = SMOKE if arguments.smoke else Sizes(training=arguments.tracks, seeds=arguments.seeds, recipe=recipe)
    data = render_all(sizes, arguments.data, arguments.jobs, arguments.samples)
    state = arguments.data / f"training-{_fingerprint(sizes, arguments.samples)}"
    state.mkdir(parents=True, exist_ok=True)
    compared = _design_lessons(sizes, state) if arguments.compare else []
    seeds = [Lesson(CHOSEN, replace(sizes.recipe, seed=seed), state / f"seed-{seed}.pt") for seed in range(sizes.seeds)]
    if pick_device(arguments.device) == "cpu" and arguments.jobs > 1:
        tracks = partial(training_tracks, sizes, arguments.data, 1, arguments.samples)
        learn_side_by_side([*compared, *seeds], tracks, min(arguments.jobs, len(compared) + len(seeds)), arguments.jobs)
    designs = compare(compared, data, arguments.device)
    runs = []
    for lesson in seeds:
        runs.append(measured(lesson.learn(data.training, arguments.device), data))
        right = runs[-1].validation["tracks"]["drop accuracy"]
        print(f"seed {lesson.recipe.seed}: drop bars of validation {right:.3f}")
    best = max(runs, key=lambda one: one.validation["tracks"]["drop accuracy"])
    frozen_path = FROZEN if arguments.output == MODELS / "default" and not arguments.smoke else state / FROZEN.name
    frozen = freeze(data, frozen_path)
    figures = {
        "over seeds": spread(runs),
        **best.figures,
        "validation": best.validation,
        "frozen set": {**frozen_figures(best.net, best.temperature, frozen), "sha256": sha256_of(frozen_path)},
        "designs": designs,
        "left out as uncertain": LEFT_OUT,
    }
    card = Card(
        name="housex-bars",
        version="1.0",
        genres=GENRES,
        shape=SHAPE,
        temperature=best.temperature,
        smoothing=best.smoothing,
        uncertain_below=best.uncertain_below,
        trained_on=TRAINED_ON.format(tracks=len(data.training)),
        figures=figures,
        limits=LIMITS,
    )
    write_model_folder(best.net, card, state / "model")
    mixes = read_mixes(_test_mixes(sizes), arguments.data)
    figures["mixes as the program hears them"] = program_figures(state / "model", mixes)
    write_model_folder(best.net, card, arguments.output)
    write_model_card(arguments.output)
    print(f"wrote {arguments.output}")
    return 0


def _fingerprint(sizes: Sizes, samples: bool) -> str:
    """Names the state of runs that may go on in each other's place; more seeds or more tests do not matter."""
    parts = (sizes.training, sizes.recipe, sizes.compared_bars, samples, VERSIONS, PEAK_LR, SHAPE)
    return f"{zlib.crc32(repr(parts).encode()):08x}"
