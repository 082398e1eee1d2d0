"""``python -m trainer prepare``: what is there of a data set and what is missing; its splits, frozen. Zone: trainer."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from housex_blender.analysis.headers import shown
from housex_blender.core.errors import HouseXError

from . import DATA_SETS, read_collection
from .by_track import main_classes
from .collection import PARTS, Collection, Piece
from .pictures import read_picture
from .published import (
    GTZAN_CUTS,
    GTZAN_SHARES_PERCENT,
    GTZAN_TRACKS,
    HOMBURG_TESTED,
    HOUSEX_DROP_SLICES,
    HOUSEX_SLICES,
    HOUSEX_TRACKS,
    MAINSTAGE_CLIPS,
    MLACHMISH_CLIPS,
)
from .reading import counted, quoted
from .splits import Split, split_pieces

_PRESETS = ("as_code", "fixed")
# besides what networks hear or see
_TABLES = {"gtzan": {"features_30_sec.csv": 30, "features_3_sec.csv": 3}}


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


def _by_part(numbers: Iterable[int]) -> dict[str, int]:
    """The first parts, as far as there are numbers."""
    return dict(zip(PARTS, numbers, strict=False))


_MAINSTAGE = {part: tuple(clips[number] for clips in MAINSTAGE_CLIPS.values()) for number, part in enumerate(PARTS[:2])}
PLANS: Mapping[str, tuple[Plan, ...]] = {
    "housex": (
        Plan("whole", "bars of whole tracks", "housex/resnet18", {"subset": "whole"},
             _by_part(HOUSEX_SLICES), _by_part(HOUSEX_TRACKS)),
        Plan("drops", "bars of drops", "housex/resnet18", {"subset": "drops"},
             _by_part(HOUSEX_DROP_SLICES), _by_part(HOUSEX_TRACKS)),
    ),
    "mainstage": (
        Plan("clips", "clips of 7.5 s", "mainstage/resnet152", {}, _by_part(map(sum, _MAINSTAGE.values())),
             by_class=_MAINSTAGE),
    ),
    "gtzan": (
        *(Plan(f"pieces-{length}", f"pieces of {length} s", "gtzan/crnn", {"length": length},
               _by_part(GTZAN_TRACKS * cuts * share // 100 for share in GTZAN_SHARES_PERCENT))
          for length, cuts in GTZAN_CUTS.items()),
        Plan("clips", "clips of 24 s", "mlachmish/mel-cnn", {}, _by_part(MLACHMISH_CLIPS)),
    ),
    "homburg": (Plan("clips", "clips", published={"test": HOMBURG_TESTED}),),
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


@dataclass(frozen=True)
class _Cut:
    """One split before it is written; name: of its file."""

    plan: Plan
    what: str
    name: str
    split: Split

    def empty(self) -> list[str]:
        """Parts without a piece."""
        return [part for part in PARTS if not len(self.split.parts[part])]

    def lines(self, out: Path | None) -> list[str]:
        """What to tell of it; out: the folder where it was written, if it was."""
        lines = [f"{self.what}, rule {self.split.rule}{f' -> {out / self.name}' if out else ''}"]
        for part in PARTS:
            mine = self.split.parts[part]
            if part == "test" and len(mine) and np.array_equal(mine, self.split.parts["val"]):
                lines.append("  test   is the same as val")
                continue
            lines.append(_part_line(self.split, self.plan, part))
            lines += _class_lines(self.split, self.plan, part)
        return lines


@dataclass
class _Seen:
    """What was found so far.

    Attributes:
        told: The report, with the splits in their places.
        problems: One sentence each.
        missing: Files and forms that are not there.
        collections: The data set by its forms.
    """

    told: list[str | _Cut] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    collections: dict[tuple[str, ...], Collection] = field(default_factory=dict)


def prepare(name: str, folder: Path, out: Path) -> Prepared:
    """Check a data set and, if it can be used, freeze its splits in a folder.

    Raises:
        HouseXError: The folder is not the data set, or the splits cannot be written.
    """
    seen = _seen(name, folder)
    collections = list(seen.collections.values())
    tables = [file for file in _TABLES.get(name, ()) if file not in seen.missing]
    faults = _damaged(collections, tables, seen.problems)
    empty = {one for read in collections for one in _empty_classes(_readable(read, seen.problems))}
    if empty:
        faults.append(f"no track of {', '.join(sorted(empty))}")
    cuts = [one for one in seen.told if isinstance(one, _Cut)]
    faults += _without_part(cuts)
    if not faults:
        _write(cuts, out)
    where = None if faults else out
    lines = [line for one in seen.told for line in (one.lines(where) if isinstance(one, _Cut) else [one])]
    if seen.missing:
        lines += ["", f"Not there: {', '.join(seen.missing)}."]
    problems = list(dict.fromkeys(seen.problems))
    heading = f"{counted(len(problems), 'problem')}:" if problems else "No problem."
    verdict = f"Not usable: {'; '.join(faults)}." if faults else f"Usable. The splits lie in {out}."
    return Prepared((*lines, "", heading, *(f"- {text}" for text in problems), "", verdict), not faults)


def _seen(name: str, folder: Path) -> _Seen:
    """The data set in all its forms, and the splits of each.

    Raises:
        HouseXError: The folder is not the data set.
    """
    seen = _Seen(missing=[file for file in _TABLES.get(name, ()) if not _is_there(folder, file)])
    for plan in PLANS[name]:
        for source in _sources(plan):
            # pictures of drops, or of 3 s, are others than those of whole tracks; the audio is the same
            form = (source, *plan.options.values()) if source == "pictures" else (source or "audio",)
            if form not in seen.collections:
                read = _read(name, folder, plan, source)
                if read is None:
                    seen.missing.append(f"{plan.says} as {source}")
                    continue
                seen.collections[form] = read
                seen.told += [*_found(read), ""]
                seen.problems += read.problems
            for preset in _PRESETS if plan.system else ("fixed",):
                seen.told += _cut(seen.collections[form], plan, preset, source, seen.problems)
    if not seen.collections:
        # it says what is missing
        read_collection(name, folder)
        raise HouseXError(f'"{shown(folder.name)}" holds nothing that a system takes.', "See what the papers had.")
    return seen


def _damaged(collections: Sequence[Collection], tables: Iterable[str], problems: list[str]) -> list[str]:
    """Why lists and tables that lie there are of no use."""
    names = dict.fromkeys(name for collection in collections for name in collection.damaged)
    for table in tables:
        if not _table_fits(collections[0], table, problems):
            names[table] = None
    return [f"{', '.join(names)} cannot be read, to be downloaded again or moved away"] if names else []


def _table_fits(collection: Collection, table: str, problems: list[str]) -> bool:
    """Whether a table of features has rows of the clips; which it lacks is told."""
    from ..systems.tabular_rows import published_rows

    try:
        rows = published_rows(collection, _TABLES[collection.name][table], problems.append)
    except HouseXError as error:
        problems.append(f"{table} is of no use: {error.message}")
        return False
    there = set(rows.track.tolist())
    without = [track.name for index, track in enumerate(collection.tracks) if index not in there]
    # a small miniature has rows of every second clip
    if without and not collection.synthetic:
        problems.append(f"{table} has no row of {counted(len(without), 'clip')}: {quoted(without)}.")
    return True


def _readable(collection: Collection, problems: list[str]) -> Collection:
    """The tracks that pictures which can be read to their end are of; those that cannot are told."""
    if not any(track.pictures for track in collection.tracks):
        return collection
    paths = [path for track in collection.tracks for path in track.pictures]
    with ThreadPoolExecutor() as pool:
        broken = [path for path, whole in zip(paths, pool.map(_is_whole, paths), strict=True) if not whole]
    if broken:
        names = quoted([path.name for path in broken])
        problems.append(f"{counted(len(broken), 'picture')} cut off or damaged, left out of every run: {names}.")
    lost = set(broken)
    tracks = tuple(track for track in collection.tracks if not lost.issuperset(track.pictures))
    return dataclasses.replace(collection, tracks=tracks)


def _is_whole(path: Path) -> bool:
    try:
        read_picture(path)
    except HouseXError:
        return False
    return True


def _without_part(cuts: Sequence[_Cut]) -> list[str]:
    """What is wrong where a published part has no piece, or no split has all parts."""
    published = [f"{one.what} has no piece in {' and '.join(one.empty())}"
                 for one in cuts if one.empty() and one.split.rule == "published"]  # fmt: skip
    if published or any(not one.empty() for one in cuts):
        return published
    return ["not one split could be made with all its parts"]


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


def _cut(collection: Collection, plan: Plan, preset: str, source: str, problems: list[str]) -> list[_Cut]:
    """One split; none, with a sentence, where it cannot be made."""
    words = [word for word in (source, preset) if word] if plan.system else []
    what = f"{plan.says} ({', '.join(words)})" if words else plan.says
    try:
        split = _split(collection, plan, preset, source)
    except HouseXError as error:
        problems.append(f"{what}: {error.message}")
        return []
    problems += [f"{what}: {problem}" for problem in split.problems]
    return [_Cut(plan, what, "-".join([plan.name, *words]) + ".json", split)]


def _write(cuts: Iterable[_Cut], out: Path) -> None:
    """Freeze the splits.

    Raises:
        HouseXError: The folder or a file cannot be written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HouseXError(f"{out} cannot be made: {error.strerror}.", "Choose another folder.") from error
    for cut in cuts:
        cut.split.save(out / cut.name)


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
