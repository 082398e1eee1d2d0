"""A data set as one system trains on it: pieces, features, a frozen split, examples. Zone: trainer (torch)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from housex_blender.core.errors import HouseXError

from ..data import read_collection
from ..data.cache import open_features
from ..data.collection import PARTS, Collection, Piece
from ..data.examples import Examples
from ..data.splits import Split, split_pieces
from ..systems.base import Setup
from .chance import track_generator

SPLIT_FILE, FEATURES_FOLDER = "split.json", "features"
_REPAIR = "Use the data that the run was made of, another folder of runs, or --again."


@dataclass(frozen=True)
class Prepared:
    """All that a network is trained and tested on.

    Attributes:
        collection: The data set.
        split: Its parts, as frozen in the run's folder.
        examples: Per part.
        problems: One sentence each: what was left out.
    """

    collection: Collection
    split: Split
    examples: Mapping[str, Examples]
    problems: tuple[str, ...]

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """Part -> number of tracks and of pieces that are examples."""
        result = {}
        for part, examples in self.examples.items():
            tracks = {self.split.pieces[index].track for index in examples.indices}
            result[part] = {"tracks": len(tracks), "pieces": len(examples)}
        return result


def cut(collection: Collection, setup: Setup, seed: int = 0) -> list[Piece]:
    """The pieces of all tracks; those of a track hang on its name and the seed, not on what other tracks there are."""
    return [
        piece
        for index, track in enumerate(collection.tracks)
        for piece in setup.pieces(track, index, track_generator(track.name, seed))
    ]


def prepare(
    setup: Setup, data: Path, folder: Path, cache: Path, seed: int, progress: bool = True, frozen: Path | None = None
) -> Prepared:
    """Read a data set and make everything that a run needs of it.

    Args:
        setup: The system.
        data: Where its data set lies.
        folder: Of the run: the split is frozen there, and used again when the run goes on.
        cache: Where features are kept.
        seed: Of the split, and of the pieces where their system draws them.
        progress: Whether to show bars.
        frozen: A split that was frozen before, to be used for the tracks that it names.

    Raises:
        HouseXError: The data set is missing or is another, has no piece for this system, or has changed since the
            split was frozen.
    """
    collection = read_collection(setup.dataset, data, setup.options)
    if collection.classes != setup.classes:
        raise HouseXError(
            f"The {setup.dataset} data set has the classes {', '.join(collection.classes)}, and {setup.system} wants "
            f"{', '.join(setup.classes)}.",
            "Choose the data set that the system is for.",
        )
    split = _frozen(collection, setup, folder / SPLIT_FILE, seed, frozen)
    table = open_features(collection, split.pieces, setup.front_end, cache, progress)
    examples = {
        part: Examples(table, collection, split.pieces, split.parts[part], setup.labels, setup.front_end)
        for part in PARTS
    }
    problems = [*collection.problems, *split.problems, *table.problems, *_without(collection, examples)]
    return Prepared(collection, split, examples, tuple(dict.fromkeys(problems)))


def _frozen(collection: Collection, setup: Setup, path: Path, seed: int, given: Path | None) -> Split:
    pieces = cut(collection, setup, seed)
    if path.is_file():
        try:
            split = Split.load(path, collection)
        except HouseXError as error:
            raise HouseXError(error.message, _REPAIR) from error
        if given is None and (split.rule, split.seed) != (setup.split, seed):
            raise HouseXError(f"{path} was made by another rule or seed.", "Start with --again.")
        # a run that was cut off before its first checkpoint must not go on with the pieces of other settings
        if split.pieces != tuple(pieces):
            raise HouseXError(f"{path} was made with other settings: it parts other pieces.", "Start with --again.")
        return split
    if not pieces:
        raise HouseXError(
            f"The {collection.name} data set holds nothing that {setup.system} ({setup.preset}) can take.",
            "`python -m trainer prepare` tells what is missing.",
        )
    if given is None:
        split = split_pieces(collection, pieces, setup.split, seed)
    else:
        loaded = Split.load(given, collection)
        split = loaded if loaded.pieces == tuple(pieces) else loaded.applied(pieces)
    split.save(path)
    return split


def _without(collection: Collection, examples: Mapping[str, Examples]) -> list[str]:
    """A sentence on each class that a part has nothing of."""
    said = []
    for part, found in examples.items():
        there = Counter(found.main.tolist())
        missing = [name for number, name in enumerate(collection.classes) if not there[number]]
        if missing:
            said.append(f"The part {part} has no example of {', '.join(missing)}.")
    return said
