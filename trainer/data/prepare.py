"""``python -m trainer prepare``: what is there of a data set and what is missing; its splits, frozen. Zone: trainer."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from housex_blender.analysis.headers import shown
from housex_blender.core.errors import HouseXError

from . import DATA_SETS, read_collection
from .by_track import main_classes
from .collection import PARTS, Collection, Piece
from .reading import counted
from .splits import Split, split_pieces

_PRESETS = ("as_code", "fixed")
# besides what networks hear or see
_TABLES = {"gtzan": ("features_30_sec.csv", "features_3_sec.csv")}


@dataclass(frozen=True)
class Plan:
    """What a paper cuts from a data set.

    Attributes:
        name: Of the files of its splits.
        says: For people.
        system: Whose pieces and rules are used; empty for one piece per track, parted by tracks.
        options: Of the system.
        published: Part -> how many pieces the paper had.
        tracks: Part -> how many tracks.
        by_class: Part -> how many pieces of each class, where the paper says it.
    """

    name: str
    says: str
    system: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    published: Mapping[str, int] = field(default_factory=dict)
    tracks: Mapping[str, int] = field(default_factory=dict)
    by_class: Mapping[str, Sequence[int]] = field(default_factory=dict)


_HOUSEX_TRACKS = {"train": 128, "val": 20, "test": 12}
PLANS: Mapping[str, tuple[Plan, ...]] = {
    "housex": (
        Plan("whole", "bars of whole tracks", "housex/resnet18", {"subset": "whole"},
             {"train": 13_932, "val": 2_184, "test": 1_364}, _HOUSEX_TRACKS),
        Plan("drops", "bars of drops", "housex/resnet18", {"subset": "drops"},
             {"train": 2_183, "val": 339, "test": 204}, _HOUSEX_TRACKS),
    ),
    "mainstage": (
        Plan("clips", "clips of 7.5 s", "mainstage/resnet152", {}, {"train": 7_104, "val": 1_752},
             {"train": 828, "val": 207},
             {"train": (1215, 1192, 1102, 643, 591, 774, 920, 667), "val": (344, 348, 120, 200, 116, 284, 108, 232)}),
    ),
    "gtzan": (
        *(Plan(f"pieces-{length}", f"pieces of {length} s", "gtzan/crnn", {"length": length},
               {"train": 800 * chunks, "val": 100 * chunks, "test": 100 * chunks})
          for length, chunks in (("30", 1), ("10", 3), ("3", 10), ("1", 30))),
        Plan("clips", "clips of 24 s", "mlachmish/mel-cnn", {}, {"train": 800, "val": 200}),
    ),
    "homburg": (Plan("clips", "clips", published={"test": 189}),),
}  # fmt: skip


@dataclass(frozen=True)
class Prepared:
    """What was found.

    Attributes:
        lines: The report.
        usable: Whether a system can be trained on it.
    """

    lines: tuple[str, ...]
    usable: bool


def prepare(name: str, folder: Path, out: Path) -> Prepared:
    """Check a data set and freeze its splits in a folder.

    Raises:
        HouseXError: The folder is not the data set, or the splits cannot be written.
    """
    lines: list[str] = []
    problems: list[str] = []
    collections: dict[tuple[str, ...], Collection] = {}
    missing = [file for file in _TABLES.get(name, ()) if not _is_there(folder, file)]
    made = 0
    for plan in PLANS[name]:
        for source in _sources(plan):
            # pictures of drops, or of 3 s, are others than those of whole tracks; the audio is the same
            form = (source, *plan.options.values()) if source == "pictures" else (source or "audio",)
            if form not in collections:
                read = _read(name, folder, plan, source)
                if read is None:
                    missing.append(f"{plan.says} as {source}")
                    continue
                collections[form] = read
                lines += [*_found(read), ""]
                problems += read.problems
            for preset in _PRESETS if plan.system else ("fixed",):
                told, wrong = _frozen(collections[form], plan, preset, source, out)
                lines += told
                problems += wrong
                made += bool(told)
    if not collections:
        # it says what is missing
        read_collection(name, folder)
        raise HouseXError(f'"{shown(folder.name)}" holds nothing that a system takes.', "See what the papers had.")
    usable = made > 0 and not any(_empty_classes(collection) for collection in collections.values())
    problems = list(dict.fromkeys(problems))
    heading = f"{counted(len(problems), 'problem')}:" if problems else "No problem."
    if missing:
        lines += ["", f"Not there: {', '.join(missing)}."]
    lines += ["", heading, *(f"- {text}" for text in problems), "", _verdict(usable, collections.values(), out)]
    return Prepared(tuple(lines), usable)


def _is_there(folder: Path, file: str) -> bool:
    return any((place / file).is_file() for place in (folder, folder / "Data", folder.parent))


def _sources(plan: Plan) -> tuple[str, ...]:
    if not plan.system:
        return ("",)
    from ..systems import options_of

    return ("pictures", "audio") if "source" in options_of(plan.system) else ("",)


def _read(name: str, folder: Path, plan: Plan, source: str) -> Collection | None:
    """The data set in one form; None where it is not there in that form.

    Raises:
        HouseXError: It is there, but cannot be used, or the form was not chosen.
    """
    try:
        return read_collection(name, folder, {**plan.options, "source": source})
    except HouseXError:
        if not source:
            raise
        return None


def _empty_classes(collection: Collection) -> list[str]:
    there = set(main_classes(collection.tracks, len(collection.classes)).tolist())
    return [name for number, name in enumerate(collection.classes) if number not in there]


def _found(collection: Collection) -> list[str]:
    """Tracks, pictures and hours, in all and of each class."""
    tracks = collection.tracks
    main = main_classes(tracks, len(collection.classes))
    pictures = sum(len(track.pictures) for track in tracks)
    hours = sum(track.duration_s for track in tracks) / 3600.0
    what = f"{pictures} pictures" if pictures else f"{hours:.2f} hours of audio"
    lines = [f"{collection.name}: {counted(len(tracks), 'track')}, {what}"]
    if collection.synthetic:
        lines.append("This is a miniature made by the synthesiser: its figures say nothing of real music.")
    soft = any(track.label.max() < 1.0 for track in tracks)
    lines.append(f"{'class':20} {'tracks':>7} {'pictures' if pictures else 'hours':>9}{'    shares' if soft else ''}")
    for number, name in enumerate(collection.classes):
        mine = [track for track, one in zip(tracks, main, strict=True) if one == number]
        amount = (f"{sum(len(track.pictures) for track in mine):9}" if pictures
                  else f"{sum(track.duration_s for track in mine) / 3600.0:9.2f}")  # fmt: skip
        shares = f" {sum(float(track.label[number]) for track in tracks):9.2f}" if soft else ""
        lines.append(f"{name:20} {len(mine):7} {amount}{shares}")
    return lines


def _frozen(collection: Collection, plan: Plan, preset: str, source: str, out: Path) -> tuple[list[str], list[str]]:
    """What to tell of one split, and what is wrong; nothing to tell where it cannot be made."""
    words = [word for word in (source, preset) if word] if plan.system else []
    what = f"{plan.says} ({', '.join(words)})" if words else plan.says
    try:
        split = _split(collection, plan, preset, source)
    except HouseXError as error:
        return [], [f"{what}: {error.message}"]
    path = out / ("-".join([plan.name, *words]) + ".json")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HouseXError(f"{out} cannot be made: {error.strerror}.", "Choose another folder.") from error
    split.save(path)
    lines = [f"{what}, rule {split.rule} -> {path}"]
    for part in PARTS:
        if part == "test" and np.array_equal(split.parts["test"], split.parts["val"]):
            lines.append("  test   is the same as val")
            continue
        lines.append(_part_line(split, plan, part))
        lines += _class_lines(split, plan, part)
    return lines, [f"{what}: {problem}" for problem in split.problems]


def _split(collection: Collection, plan: Plan, preset: str, source: str) -> Split:
    """The parts that a run with seed 0 has.

    Raises:
        HouseXError: The rule does not fit, or there is no piece.
    """
    if not plan.system:
        pieces = [Piece(index, 0.0) for index in range(len(collection.tracks))]
        return split_pieces(collection, pieces, "tracks", 0)
    from ..engine.prepared import cut
    from ..systems import get_setup

    setup = get_setup(plan.system, preset, {**plan.options, **({"source": source} if source else {})})
    pieces = cut(collection, setup)
    if not pieces:
        raise HouseXError("Not one piece can be cut.", "See what is missing.")
    return split_pieces(collection, pieces, setup.split, 0)


def _part_line(split: Split, plan: Plan, part: str) -> str:
    pieces, tracks = len(split.parts[part]), len(split.tracks(part))
    published = []
    if part in plan.published:
        published.append(f"{plan.published[part]} pieces")
    if part in plan.tracks:
        published.append(f"{plan.tracks[part]} tracks")
    paper = f"; published: {', '.join(published)}" if published else ""
    return f"  {part:6} {counted(pieces, 'piece')} of {counted(tracks, 'track')}{paper}"


def _class_lines(split: Split, plan: Plan, part: str) -> list[str]:
    """Pieces of each class beside those of the paper, which sums shares in training and counts in validation."""
    if part not in plan.by_class:
        return []
    collection = split.collection
    labels = np.array([collection.tracks[split.pieces[index].track].label for index in split.parts[part]])
    if part == "train":
        amounts = labels.reshape(-1, len(collection.classes)).sum(axis=0)
    else:
        owners = [collection.tracks[split.pieces[index].track] for index in split.parts[part]]
        amounts = np.bincount(main_classes(owners, len(collection.classes)), minlength=len(collection.classes))
    how = "sum of shares" if part == "train" else "greatest share"
    return [f"           {name}: {amount:g}; published: {paper} ({how})"
            for name, amount, paper in zip(collection.classes, amounts, plan.by_class[part], strict=True)]  # fmt: skip


def _verdict(usable: bool, collections: Iterable[Collection], out: Path) -> str:
    if usable:
        return f"Usable. The splits lie in {out}."
    empty = sorted({name for collection in collections for name in _empty_classes(collection)})
    if empty:
        return f"Not usable: no track of {', '.join(empty)}."
    return "Not usable: not one split could be made."


def add_prepare_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """``python -m trainer prepare``."""
    parser = subparsers.add_parser(
        "prepare",
        help="check a downloaded data set, say what is missing and freeze its splits",
        description="Reads a data set, tells what is there beside what its paper had, and every problem, and writes "
        "its splits by name and SHA-256. The exit code is 0 only if it can be used. Reads every file once.",
    )
    parser.add_argument("name", choices=tuple(DATA_SETS))
    parser.add_argument("--from", dest="folder", type=Path, required=True, metavar="FOLDER", help="the data set")
    parser.add_argument("--out", type=Path, help="where to write the splits (default: prepared/NAME)")
    parser.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Prepare one data set."""
    found = prepare(arguments.name, arguments.folder, arguments.out or Path("prepared") / arguments.name)
    print("\n".join(shown(line) for line in found.lines))
    return 0 if found.usable else 1
