"""Recipes: all that ship are read, and what is wrong in one is told in a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("yaml")

from housex_blender.core.errors import HouseXError
from trainer.engine.command import changed
from trainer.engine.recipe import (
    RECIPES,
    TABLES,
    RecipeError,
    all_recipes,
    find_recipe,
    load_recipe,
    setup_of,
)

GOOD = """
kind: network
system: housex/resnet18
options: {subset: drops}
presets: [as_code, fixed]
training: {lr: 1.0e-4, epochs: 3, patience: null}
seeds: [0, 4]
published: {val.accuracy: 0.7434, test.f1.Future House: 0.7, epochs: 20}
source: Table II
remarks: [One run.]
"""


@pytest.mark.parametrize("table", TABLES)
def test_every_recipe_that_ships_is_read(table: str) -> None:
    recipes = [load_recipe(path) for path in sorted((RECIPES / table).glob("*.yaml"))]
    assert recipes
    for recipe in recipes:
        assert recipe.table == table
        assert recipe.source
        assert find_recipe(recipe.name) == recipe
        # nobody published a figure of the encoders
        # the paper of the mainstage benchmark has no row of the one network that trains without a GPU
        assert bool(recipe.published) is (table != "encoders" and recipe.row != "resnet18-mel-soft")


def test_no_recipe_lies_outside_a_table() -> None:
    assert {path.parent.name for path in RECIPES.rglob("*.y*ml")} == set(TABLES)
    assert len(all_recipes()) == len(list(RECIPES.rglob("*.yaml")))


def write(folder: Path, text: str, table: str = "housex-drops") -> Path:
    path = folder / table / "row.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_all_keys(tmp_path: Path) -> None:
    recipe = load_recipe(write(tmp_path, GOOD))
    assert recipe.name == "housex-drops/row"
    assert recipe.options == {"subset": "drops"}
    assert recipe.seeds == (0, 4)
    assert recipe.published["test.f1.Future House"] == 0.7
    assert recipe.remarks == ("One run.",)
    training = setup_of(recipe, "fixed").training
    assert (training.lr, training.epochs, training.patience) == (1e-4, 3, None)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("seeds: [0, 4]", "seed: 0", "'seed' is none of kind, system"),
        ("seeds: [0, 4]", "seeds: []", "no seeds"),
        ("seeds: [0, 4]", "seeds: [true]", "True is not a whole number"),
        ("seeds: [0, 4]", "seeds: [0]\nseeds: [1]", "the key 'seeds' stands there twice"),
        ("kind: network", "kind: magic", "kind is 'magic'"),
        ("kind: network\n", "", "'kind' is missing"),
        ("kind: network", "kind: classical", "training is for networks"),
        ("resnet18", "resnet19", "no system 'housex/resnet19'"),
        ("{subset: drops}", "{subset: half}", "subset of housex/resnet18 cannot be 'half'"),
        ("{subset: drops}", "{tempo: fast}", "no option 'tempo'"),
        ("{subset: drops}", "{subset: 1}", "1 is not text"),
        ("[as_code, fixed]", "[as_coded]", "preset 'as_coded'"),
        ("[as_code, fixed]", "fixed", "'fixed' is not a list"),
        ("lr: 1.0e-4", "lr: 1e-4", "YAML wants 1.0e-4"),
        ("lr: 1.0e-4", "rate: 1.0e-4", "'rate' is none of optimiser"),
        ("lr: 1.0e-4", "optimiser: lion", "optimiser is 'lion'"),
        ("epochs: 3", "epochs: true", "epochs is True, not int"),
        ("val.accuracy", "validation.accuracy", "no metric 'validation.accuracy'"),
        ("val.accuracy", "val.luck", "no metric 'val.luck'"),
        ("Future House", "Future Hous", "no metric 'test.f1.Future Hous'"),
        ("0.7434", "74.34", "not within 0..1"),
        ("0.7434", "high", "is 'high', which is not a number"),
        ("kind: network", "kind: [", "not a recipe in YAML"),
        ("kind: network", "kind: !!python/object/apply:os.getcwd []", "not a recipe in YAML"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in GOOD
    with pytest.raises(RecipeError) as caught:
        load_recipe(write(tmp_path, GOOD.replace(old, new)))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_other_kinds_are_checked_too(tmp_path: Path) -> None:
    good = "kind: classical\nsystem: gtzan/svm\noptions: {table: '3'}\n"
    assert load_recipe(write(tmp_path, good, "gtzan-classical")).options == {"table": "3"}
    for old, new, said in (("gtzan/svm", "gtzan/tree", "gtzan/svm"), ("'3'", "'4'", "'4'"), ("table", "rows", "rows")):
        with pytest.raises(RecipeError, match=said):
            load_recipe(write(tmp_path, good.replace(old, new), "gtzan-classical"))


def test_missing_recipe_and_wrong_folder(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no recipe"):
        find_recipe("housex-whole/no-such-row")
    with pytest.raises(RecipeError, match="no table 'elsewhere'"):
        load_recipe(write(tmp_path, GOOD, "elsewhere"))
    with pytest.raises(RecipeError, match="holds no keys"):
        load_recipe(write(tmp_path, "- a\n- b\n"))


OUT_OF_BOUNDS = (
    ("batch", "-4", "less than 1"),
    ("batch", "0", "less than 1"),
    ("epochs", "0", "less than 1"),
    ("patience", "0", "less than 1"),
    ("validations", "0", "less than 1"),
    ("lr", "-1", "not above 0"),
    ("lr", "0", "not above 0"),
    ("lr", "nan", "not a finite number"),
    ("clip_norm", "0", "not above 0"),
    ("clip_norm", "inf", "not a finite number"),
    ("momentum", "1.5", "more than 1"),
    ("warmup_share", "2", "more than 1"),
    ("weight_decay", "-0.1", "less than 0"),
)


def test_command_line_changes_a_recipe(tmp_path: Path) -> None:
    recipe = load_recipe(write(tmp_path, GOOD))
    other = changed(recipe, ["subset=whole"], ["training.lr=3e-4", "training.patience=null", "training.balanced=true"])
    assert other.options == {"subset": "whole"}
    assert other.training == {"lr": 3e-4, "epochs": 3, "patience": None, "balanced": True}
    for options, settings, said in (
        (["subset"], [], "NAME=VALUE"),
        ([], ["lr=1"], "Only the training"),
        ([], ["training.speed=1"], "'speed' is none of"),
        ([], ["training.epochs=1.5"], "not int"),
        ([], ["training.keep=nan"], "which is none of best, last"),
        ([], ["training.lr=["], "is not a value"),
        *(([], [f"training.{name}={value}"], said) for name, value, said in OUT_OF_BOUNDS),
    ):
        with pytest.raises(HouseXError, match=said):
            changed(recipe, options, settings)
