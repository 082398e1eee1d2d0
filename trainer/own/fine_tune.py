"""``python -m trainer train --data FOLDER``: the shipped network learns a user's labelled music. Zone: trainer."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from housex_blender.analysis.model_folder import ModelFolder, load_model_folder
from housex_blender.analysis.network import MixNet, load_weights
from housex_blender.core.errors import HouseXError

from ..calibrate import fit_temperature, fit_uncertain, probs_of, smoothed
from ..datasets import DROP, BarTrack
from ..export import Card, write_model_folder
from ..maps.listening import warn
from ..metrics import bar_figures
from ..train import Recipe, predict, train_network
from .collection import Collection, LabelledFile, read_collection, split_by_track
from .file_bars import FileBars, bars_of_files
from .label_rows import CollectionError

LIMITS = (
    "Fine-tuned on a private collection. The figures are those of its validation tracks, on which the temperature was "
    "set as well; music unlike the collection may be heard worse than by the model that ships."
)
# a tenth of the rate from scratch: what the network knows of sounds shall stay
_LR_SHARE = 0.1


def as_tracks(files: Sequence[LabelledFile], heard: Sequence[FileBars]) -> list[BarTrack]:
    """Bars with the label of their track; the attributes are not known yet."""
    result = []
    for file, bars in zip(files, heard, strict=True):
        count = len(bars)
        section = np.where(bars.drop(file.drops_s), DROP, np.where(bars.section == DROP, 0, bars.section))
        result.append(BarTrack(file.title, bars.pictures, bars.bpm.astype(np.float32), np.tile(file.probs, (count, 1)),
                               np.full((count, 7), np.nan, np.float32), section, np.zeros(count, np.int64),
                               np.zeros(count, bool)))  # fmt: skip
    return result


def hear_files(collection: Collection, cache: Path, jobs: int) -> tuple[list[LabelledFile], list[FileBars]]:
    """The bars of all files that can be heard; the others are named on stderr.

    Raises:
        CollectionError: None can be heard.
    """
    heard = bars_of_files([track.path for track in collection.tracks], cache, jobs)
    files, bars = [], []
    for track, (_, result) in zip(tqdm(collection.tracks, desc="hearing"), heard, strict=True):
        if isinstance(result, HouseXError):
            warn([f"Left out: {result}"])
            continue
        files.append(track)
        bars.append(result)
    if not files:
        raise CollectionError("None of the tracks can be heard.", "Check that the files play.")
    return files, bars


def adapted(base: ModelFolder, genres: Sequence[str]) -> MixNet:
    """The network of ``base`` for other genres: outputs of genres that it knows are kept, others start near zero."""
    old = load_weights(base)
    if tuple(genres) == base.genres:
        return old
    net = MixNet(len(genres), base.shape)
    state = old.state_dict()
    weight, bias = 0.01 * torch.randn(len(genres), base.shape.size), torch.zeros(len(genres))
    for row, genre in enumerate(genres):
        if genre in base.genres:
            known = base.genres.index(genre)
            weight[row], bias[row] = state["genre.weight"][known], state["genre.bias"][known]
    net.load_state_dict({**state, "genre.weight": weight, "genre.bias": bias})
    return net.eval()


@dataclass(frozen=True)
class Tuned:
    """A network that has learnt a collection, with its card."""

    net: MixNet
    card: Card


def fine_tune(
    base: ModelFolder, collection: Collection, heard: Sequence[FileBars], recipe: Recipe, device: str
) -> Tuned:
    """Train on four fifths of the tracks, set temperature and limit on the rest, and measure there.

    Args:
        base: Model to start from.
        collection: Its tracks, all of which were heard.
        heard: Their bars.
        recipe: Of the training.
        device: As for the extension.

    Raises:
        CollectionError: Fewer than two tracks of some genre.
    """
    torch.manual_seed(recipe.seed)
    first, rest = split_by_track(collection, seed=recipe.seed)
    tracks = as_tracks(collection.tracks, heard)
    training, validation = [tracks[index] for index in first], [tracks[index] for index in rest]
    # a collection does not tell the attributes: what the network said of them before is what it shall go on saying
    before = predict(load_weights(base), training)
    training = [replace(track, attributes=one.attributes.astype(np.float32))
                for track, one in zip(training, before, strict=True)]  # fmt: skip
    net = train_network(adapted(base, collection.genres), training, recipe, device=device)
    assert isinstance(net, MixNet)
    said = predict(net, validation)
    temperature = fit_temperature(validation, said)
    settled = [smoothed(one, temperature, base.smoothing) for one in said]
    card = Card(
        name=f"{base.name} fine-tuned",
        version="1",
        genres=collection.genres,
        shape=base.shape,
        temperature=temperature,
        smoothing=base.smoothing,
        uncertain_below=fit_uncertain(settled),
        trained_on=f"{base.trained_on}; then {len(training)} tracks of a private collection",
        figures={"validation tracks": bar_figures(validation, probs_of(said, temperature))},
        limits=LIMITS,
    )
    return Tuned(net, card)


def add_train_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """``python -m trainer train``."""
    parser = subparsers.add_parser(
        "train",
        help="fine-tune the model on your own labelled music",
        description="Reads tracks in folders named by genre, a CSV with labels or shares, or the papers' formats; "
        "hears their bars (kept in --cache, 0.6 MB a track), trains and writes a model folder for the extension. "
        "Minutes for a hundred tracks.",
    )
    parser.add_argument("--data", type=Path, required=True, help="folder, CSV or Label Studio export")
    parser.add_argument("-o", "--output", type=Path, required=True, help="model folder to write")
    parser.add_argument("--model", default="", help="model folder to start from (default: the one that ships)")
    parser.add_argument("--cache", type=Path, default=Path("build/bars"))
    parser.add_argument("--bars", type=int, default=100_000, help="bars shown in the training")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    parser.add_argument("--skip-missing", action="store_true", help="leave out listed files that are not there")
    parser.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Read, hear, train, write."""
    base = load_model_folder(arguments.model)
    collection = read_collection(arguments.data, arguments.skip_missing)
    warn(collection.warnings)
    # a collection that is too small shall be refused before hours of hearing
    split_by_track(collection, seed=arguments.seed)
    files, heard = hear_files(collection, arguments.cache, arguments.jobs)
    collection = replace(collection, tracks=tuple(files))
    recipe = Recipe(bars=arguments.bars, peak_lr=_LR_SHARE * Recipe.peak_lr, seed=arguments.seed)
    tuned = fine_tune(base, collection, heard, recipe, arguments.device)
    write_model_folder(tuned.net, tuned.card, arguments.output)
    figures = tuned.card.figures["validation tracks"]
    print(f"drop bars of {figures['tracks']} validation tracks: {figures['drop accuracy']:.3f} right", file=sys.stderr)
    print(f"wrote {arguments.output}")
    return 0
