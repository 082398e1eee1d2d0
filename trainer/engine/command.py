"""``python -m trainer run``: one row of a published table, trained and asked. Zone: trainer."""

from __future__ import annotations

import argparse
import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path

from housex_blender.core.errors import HouseXError

from ..systems.base import PRESETS, SPLIT_RULES, SplitRule
from .recipe import Recipe, all_recipes, find_recipe, training_value, value_of


def add_run_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """``python -m trainer run``."""
    parser = subparsers.add_parser(
        "run",
        help="train one published system on its data set",
        description="Reads a recipe and a data set, writes OUT/TABLE/ROW/PRESET/seed-N with the weights, the learning "
        "curve and the answers. A run that was cut off goes on when it is started again. Several GPUs: "
        "torchrun --nproc-per-node 2 -m trainer run ...; several machines as well, if all see --data and --out. "
        "Costs minutes for a --steps 10 on a CPU, hours to days for a published network on a GPU.",
    )
    parser.add_argument("recipe", nargs="?", metavar="RECIPE", help="a YAML file, or TABLE/ROW (see --list)")
    parser.add_argument("--list", action="store_true", help="name all recipes and stop")
    parser.add_argument("--data", type=Path, help="the folder of the data set")
    parser.add_argument("--out", type=Path, help="folder of all runs")
    parser.add_argument("--preset", choices=PRESETS, help="default: fixed, or the recipe's first")
    parser.add_argument("--seed", type=_from_zero, help="default: the recipe's first")
    parser.add_argument("--weights", help="imagenet, none or a file; for a prompted system the folder of its model")
    parser.add_argument("--steps", type=count, help="stop after so many steps, for a short try")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1 or mps")
    parser.add_argument("--precision", default="auto", choices=("auto", "32", "bf16", "16"))
    parser.add_argument("--micro-batch", type=count, help="most examples at once, where memory is short")
    parser.add_argument("--workers", type=_from_zero, default=0, help="processes that read ahead")
    parser.add_argument("--train-predictions", action="store_true", help="ask about the training part too")
    parser.add_argument("--cache", type=Path, help="folder of the features; default OUT/features")
    parser.add_argument("--option", action="append", default=[], metavar="NAME=VALUE", help="of the system")
    parser.add_argument("--set", action="append", default=[], metavar="training.NAME=VALUE", help="of the training")
    parser.add_argument("--split", choices=SPLIT_RULES, help="part the tracks otherwise than the preset does")
    parser.add_argument("--split-file", type=Path, metavar="FILE", help="a split that `prepare` froze, for networks")
    parser.add_argument("--again", action="store_true", help="throw away what there is of this run")
    parser.set_defaults(func=run)


def count(text: str) -> int:
    """A number from 1 on, for argparse.

    Raises:
        argparse.ArgumentTypeError: It is none.
    """
    return _at_least(1, text)


def _from_zero(text: str) -> int:
    return _at_least(0, text)


def _at_least(least: int, text: str) -> int:
    try:
        number = int(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from error
    if number < least:
        raise argparse.ArgumentTypeError(f"{text} is less than {least}")
    return number


def run(arguments: argparse.Namespace) -> int:
    """Run one recipe."""
    if arguments.list:
        for recipe in all_recipes():
            print(f"{recipe.name:44} {recipe.kind:10} {recipe.system}")
        return 0
    missing = [name for name in ("recipe", "data", "out") if getattr(arguments, name) is None]
    if missing:
        raise HouseXError(f"A run needs RECIPE, --data and --out; {missing[0]} is missing.", "See --help.")
    from .run import run_recipe

    recipe = changed(find_recipe(arguments.recipe), arguments.option, arguments.set, arguments.split)
    folder = run_recipe(
        recipe,
        arguments.preset or ("fixed" if "fixed" in recipe.presets else recipe.presets[0]),
        recipe.seeds[0] if arguments.seed is None else arguments.seed,
        arguments.data,
        arguments.out,
        arguments.weights,
        arguments.device,
        arguments.steps,
        precision=arguments.precision,
        micro_batch=arguments.micro_batch,
        workers=arguments.workers,
        train_predictions=arguments.train_predictions,
        cache=arguments.cache,
        again=arguments.again,
        frozen_split=arguments.split_file,
    )
    # torchrun numbers its processes so; one tells
    if os.environ.get("RANK", "0") == "0":
        print(folder)
    return 0


def changed(recipe: Recipe, options: Sequence[str], settings: Sequence[str], split: SplitRule | None = None) -> Recipe:
    """A recipe with what the command line says otherwise.

    Args:
        recipe: As read.
        options: ``name=value``.
        settings: ``training.name=value``.
        split: How tracks are parted; None as the preset says.

    Raises:
        HouseXError: One of them is not of that form, or there is no such field of the training.
    """
    chosen = {**recipe.options, **dict(_pair(text, "--option NAME=VALUE") for text in options)}
    training = dict(recipe.training)
    for text in settings:
        name, value = _pair(text, "--set training.NAME=VALUE")
        if not name.startswith("training."):
            raise HouseXError(f"{name!r} cannot be set.", "Only the training can: --set training.NAME=VALUE.")
        field = name.removeprefix("training.")
        try:
            training[field] = training_value(field, value_of(value))
        except ValueError as error:
            raise HouseXError(f"{text} is not understood: {error}.", "See the fields of Training.") from error
    return dataclasses.replace(recipe, options=chosen, training=training, split=split)


def _pair(text: str, form: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise HouseXError(f"{text!r} is not of the form {form}.", "Put an = between name and value.")
    return name, value
