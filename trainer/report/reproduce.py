"""``python -m trainer reproduce``: a published table beside what comes out here. Zone: trainer."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from housex_blender.core.errors import HouseXError

from ..engine.command import changed
from ..engine.recipe import RECIPES, Recipe, load_recipe
from ..engine.run import RUN_FILE, Run, open_run, run_folder, run_recipe
from ..systems.base import SplitRule
from .comparison import Variant, duel_of, variant_not_run, variant_of
from .written import overview, write_report


@dataclass(frozen=True)
class Wish:
    """What is to be run, and where.

    Attributes:
        data: Folder of the data set; None trains nothing.
        runs: Folder of the run folders.
        presets: Which of those that a row names; empty for all.
        seeds: How many of each; None for those of the recipe.
        weights: ``imagenet``, ``none``, a file, or the folder of a prompted system's model; None for what the system
            begins with.
        device: As for training.
        steps: At most so many steps of training; None for all.
        options: ``name=value`` of the systems, other than the recipes say.
        settings: ``training.name=value``, likewise.
        split: How tracks are parted, where not as each preset says.
    """

    data: Path | None
    runs: Path
    presets: tuple[str, ...] = ()
    seeds: int | None = None
    weights: str | None = None
    device: str = "auto"
    steps: int | None = None
    options: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    split: SplitRule | None = None


def rows_of(table: str, patterns: Sequence[str] = ()) -> list[Recipe]:
    """The recipes of a table whose names fit one of the patterns (``resnet*``), or all.

    Raises:
        HouseXError: No row fits a pattern.
    """
    recipes = [load_recipe(path) for path in sorted((RECIPES / table).glob("*.yaml"))]
    for pattern in patterns:
        if not any(fnmatchcase(recipe.row, pattern) for recipe in recipes):
            names = ", ".join(recipe.row for recipe in recipes)
            raise HouseXError(f"{table} has no row {pattern!r}.", f"Its rows are {names}.")
    return [recipe for recipe in recipes if not patterns or any(fnmatchcase(recipe.row, one) for one in patterns)]


def seeds_of(recipe: Recipe, wanted: int | None) -> tuple[int, ...]:
    """The first so many seeds of a recipe, continued by the numbers after its greatest."""
    if wanted is None:
        return recipe.seeds
    following = range(max(recipe.seeds) + 1, max(recipe.seeds) + 1 + wanted)
    return (*recipe.seeds, *following)[:wanted]


def compared(recipe: Recipe, wish: Wish) -> list[Variant]:
    """One variant per preset that has runs or failed; a row without any is one variant, not run."""
    if recipe.kind == "cited":
        return [variant_not_run(recipe)]
    variants = []
    for preset in recipe.presets:
        if wish.presets and preset not in wish.presets:
            continue
        runs, problem = _runs(recipe, preset, wish)
        if runs:
            variants.append(variant_of(recipe, preset, runs, problem))
        elif problem:
            variants.append(variant_not_run(recipe, preset, problem))
    return variants or [variant_not_run(recipe)]


def _runs(recipe: Recipe, preset: str, wish: Wish) -> tuple[list[Run], str]:
    """Finished runs, made now where they are missing and there is data; and the last thing that went wrong."""
    runs: list[Run] = []
    problem = ""
    for seed in seeds_of(recipe, wish.seeds):
        folder = run_folder(wish.runs, recipe, preset, seed)
        try:
            if wish.data is not None:
                # also where it is finished: a run of other settings is then refused, not taken for this one
                asks_training = any(metric.startswith("train.") for metric in recipe.published)
                made = changed(recipe, wish.options, wish.settings, wish.split)
                run_recipe(made, preset, seed, wish.data, wish.runs, wish.weights, wish.device, wish.steps,
                           train_predictions=asks_training)  # fmt: skip
            if (folder / RUN_FILE).is_file():
                runs.append(open_run(folder))
        except HouseXError as error:
            problem = str(error)
            print(f"{recipe.name}, {preset}, seed {seed}: {error}", file=sys.stderr)
    return runs, problem


def run(arguments: argparse.Namespace) -> int:
    """Train what is missing, compare, print, write; 1 where a run failed or is not finished."""
    wish = Wish(None if arguments.report_only else arguments.data, arguments.runs, tuple(arguments.preset),
                arguments.seeds, arguments.weights, arguments.device, arguments.steps, tuple(arguments.option),
                tuple(arguments.set), arguments.split)  # fmt: skip
    variants: list[Variant] = []
    duels = []
    for recipe in rows_of(arguments.table, arguments.rows):
        mine = compared(recipe, wish)
        variants += mine
        duel = duel_of(mine)
        duels += [duel] if duel else []
    print(overview(arguments.table, variants, duels))
    for path in write_report(arguments.out or arguments.runs / arguments.table, arguments.table, variants, duels):
        print(f"wrote {path}")
    return int(any(variant.problem for variant in variants))
