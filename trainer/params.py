"""``python -m trainer params``: every network's parameters, shapes and set sizes, without data. Zone: trainer (torch).

Networks are built on torch's ``meta`` device, which knows shapes and holds no numbers.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from housex_blender.analysis.front_ends import card_of
from housex_blender.core.errors import HouseXError
from housex_blender.core.files import write_text_atomic

from .engine.optimising import make_optimiser
from .engine.recipe import system_module
from .set_sizes import Size, all_sizes, thousands
from .systems import get_setup, system_names
from .systems.base import PRESETS, Setup

# systems that are no networks of ours: fitted to tables, or asked in words
_OTHERS = {
    "classical": "fitted to the 57 columns of a table: no network",
    "prompted": "asked in words: the network is the one in the model's folder",
}


@dataclass(frozen=True)
class Stage:
    """A part of a network.

    Attributes:
        name: Of the module.
        kind: Of the module.
        shape: What it makes of one example, at its first call.
        parameters: How many it has.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int


@dataclass(frozen=True)
class Sizes:
    """One system with one preset.

    Attributes:
        system: Its name.
        preset: One of PRESETS.
        paper: Parameters as the paper says; None where it says nothing.
        code: As the reference code has.
        ours: As built here; None where that needs a model's folder.
        trainable: Of ours, those that are trained.
        why: What explains the differences.
        front_end: Its card.
        sample_rate_hz: Of the sound.
        window_samples: Of one example.
        input: Shape of one example.
        stages: What becomes of it.
        notes: What the preset does.
    """

    system: str
    preset: str
    paper: int | None
    code: int | None
    ours: int | None
    trainable: int | None
    why: str
    front_end: Mapping[str, Any]
    sample_rate_hz: int
    window_samples: int
    input: tuple[int, ...]
    stages: tuple[Stage, ...]
    notes: tuple[str, ...]


def sizes_of(system: str, preset: str, options: Mapping[str, str] | None = None) -> Sizes:
    """Parameters and shapes of one system; nothing is computed or downloaded.

    Raises:
        HouseXError: No such system, preset or option.
    """
    setup = get_setup(system, preset, options)
    front_end = setup.front_end
    ours, trainable, why = None, None, setup.counted.why
    stages: tuple[Stage, ...] = ()
    try:
        with torch.device("meta"):
            network = setup.build("none")
    except HouseXError as error:
        # an encoder's size is that of the folder which nobody named
        why = f"{why} {error}"
    else:
        ours, trainable, stages = _count(network), _trainable(network, setup), _stages(network, front_end.shape)
    return Sizes(
        system, preset, setup.counted.paper, setup.counted.code, ours, trainable, why, card_of(front_end),
        front_end.sample_rate_hz, front_end.window_samples, tuple(front_end.shape), stages, setup.notes,
    )  # fmt: skip


def _count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def _trainable(network: nn.Module, setup: Setup) -> int:
    groups = make_optimiser(network, setup.training, setup.group_lr).param_groups
    return sum(parameter.numel() for group in groups for parameter in group["params"])


def _stages(network: nn.Module, shape: Sequence[int]) -> tuple[Stage, ...]:
    """What two levels of modules make of one example, in the order of their first calls."""
    shapes: dict[str, tuple[int, ...]] = {}
    modules = dict(_two_levels(network))

    def watch(name: str) -> Any:
        def seen(_module: nn.Module, _inputs: Any, answer: Any) -> None:
            first = answer[0] if isinstance(answer, tuple) else answer
            if isinstance(first, Tensor):
                shapes.setdefault(name, tuple(first.shape))

        return seen

    handles = [module.register_forward_hook(watch(name)) for name, module in modules.items()]
    try:
        with torch.no_grad(), torch.device("meta"), _once_each(network.children()):
            network.eval()(torch.zeros(1, *shape))
    finally:
        for handle in handles:
            handle.remove()
    return tuple(
        Stage(name, type(modules[name]).__name__, made, _count(modules[name])) for name, made in shapes.items()
    )


def _two_levels(network: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    for name, child in network.named_children():
        inner = [(f"{name}.{below}", module) for below, module in child.named_children()]
        # parts of a recurrent or attending layer are not called by themselves
        whole = isinstance(child, nn.RNNBase | nn.TransformerEncoder)
        if inner and not whole:
            yield from inner
        else:
            yield name, child


@contextmanager
def _once_each(modules: Iterable[nn.Module]) -> Iterator[None]:
    """Modules that are called again with the same shapes answer with what they answered first: only shapes matter."""
    changed = []
    for module in modules:
        changed.append(module)
        module.forward = _remembered(module.forward)
    try:
        yield
    finally:
        for module in changed:
            del module.forward


def _remembered(forward: Any) -> Any:
    made: dict[Any, Any] = {}

    def again(*inputs: Any, **named: Any) -> Any:
        if named or not all(isinstance(one, Tensor) for one in inputs):
            return forward(*inputs, **named)
        key = tuple(one.shape for one in inputs)
        if key not in made:
            made[key] = forward(*inputs)
        return made[key]

    return again


def other_systems() -> dict[str, str]:
    """Systems without a network of their own -> what they are instead."""
    return {name: what for kind, what in _OTHERS.items() for name in system_module(kind).NAMES}


def chosen(wanted: Sequence[str]) -> tuple[str, ...]:
    """Names of systems: all, or those that are named or whose paper is.

    Raises:
        HouseXError: There is no such system or paper.
    """
    known = (*system_names(), *other_systems())
    if not wanted:
        return known
    names: list[str] = []
    for one in wanted:
        fitting = [name for name in known if name == one or name.startswith(f"{one.rstrip('/')}/")]
        if not fitting:
            raise HouseXError(f"There is no system {one!r}.", f"Known are {', '.join(known)}.")
        names += fitting
    return tuple(dict.fromkeys(names))


# --- printing


def _number(value: int | None) -> str:
    return "-" if value is None else thousands(value)


def _text_of(rows: Sequence[Sizes]) -> Iterator[str]:
    columns = "{:<28} {:<9} {:>12} {:>12} {:>12} {:>12}  {}"
    yield "Parameters: as the paper says, as the reference code has, as built here, and those of these that are trained"
    yield columns.format("system", "preset", "paper", "code", "ours", "trainable", "input")
    for row in rows:
        numbers = (_number(value) for value in (row.paper, row.code, row.ours, row.trainable))
        yield columns.format(row.system, row.preset, *numbers, row.input)
    for system in dict.fromkeys(row.system for row in rows):
        yield from _details([row for row in rows if row.system == system])


def _details(rows: Sequence[Sizes]) -> Iterator[str]:
    yield ""
    yield rows[0].system
    yield from (f"  {why}" for why in dict.fromkeys(row.why for row in rows) if why)
    said: set[tuple[str, ...]] = set()
    for row in rows:
        yield f"  {row.preset}: {thousands(row.window_samples)} samples at {row.sample_rate_hz} Hz, as {row.input}"
        table = tuple(_stage_lines(row.stages))
        yield from ("    shapes as above",) if table and table in said else table
        said.add(table)
        yield from _note_lines(row.notes)


def _note_lines(notes: Sequence[str]) -> Iterator[str]:
    yield from (f"    - {note}" for note in notes)


def _others_text(names: Sequence[str]) -> Iterator[str]:
    """What systems without a network are, and what their presets do."""
    for kind, what in _OTHERS.items():
        module = system_module(kind)
        these = [name for name in names if name in module.NAMES]
        if not these:
            continue
        yield ""
        yield from (f"{name}: {what}" for name in these)
        for preset in PRESETS:
            yield f"  {preset}"
            yield from _note_lines(module.notes_of(preset))


def _stage_lines(stages: Sequence[Stage]) -> Iterator[str]:
    for stage in stages:
        yield f"    {stage.name:<24} {stage.kind:<24} {stage.shape!s:<22} {_number(stage.parameters):>12}"


def _set_lines(sizes: Sequence[Size]) -> Iterator[str]:
    for table in dict.fromkeys(size.table for size in sizes):
        yield ""
        yield f"{table}: as published, and what it follows from"
        for size in sizes:
            if size.table == table:
                yield f"  {size.what}: {size.published}"
                yield f"    {size.arithmetic}"


def add_params_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """``python -m trainer params``."""
    parser = subparsers.add_parser(
        "params",
        help="parameters, shapes and set sizes of the published systems; needs no data",
        description="Prints parameters as the paper says, as the reference code has and as built here, with what "
        "explains each difference, the shapes at each stage, what each preset does, and the size of every table's set. "
        "Reads nothing; half a minute, half a gigabyte.",
    )
    parser.add_argument("systems", nargs="*", metavar="SYSTEM", help="housex/resnet18, or housex for all of a paper")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write everything as JSON")
    parser.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Print, and write the JSON."""
    names = chosen(arguments.systems)
    others = other_systems()
    rows = [sizes_of(name, preset) for name in names if name not in others for preset in PRESETS]
    if rows:
        print("\n".join(_text_of(rows)))
    for line in _others_text(names):
        print(line)
    sizes = all_sizes()
    print("\n".join(_set_lines(sizes)))
    if arguments.json:
        document = {"systems": [asdict(row) for row in rows], "sets": [asdict(size) for size in sizes]}
        try:
            write_text_atomic(arguments.json, json.dumps(document, indent=2, ensure_ascii=False) + "\n")
        except OSError as error:
            raise HouseXError(f"{arguments.json} cannot be written: {error.strerror}.", "Name another file.") from error
    return 0
