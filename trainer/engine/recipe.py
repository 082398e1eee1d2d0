"""A recipe: one row of a published table as a YAML file, read strictly. Zone: trainer."""

from __future__ import annotations

import dataclasses
import importlib
import math
import typing
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, NoneType
from typing import Any, Literal

import yaml

from housex_blender.core.errors import HouseXError

from ..systems import get_setup
from ..systems.base import PRESETS, Setup, SplitRule, Training

RECIPES = Path(__file__).resolve().parents[1] / "recipes"

TABLES = (
    "housex-whole",
    "housex-drops",
    "mainstage",
    "mainstage-llm",
    "mlachmish",
    "gtzan-classical",
    "gtzan-networks",
    "encoders",
)
Kind = Literal["network", "classical", "prompted", "cited"]
KINDS: tuple[str, ...] = typing.get_args(Kind)
# where a figure was measured, and what can stand after the point; ``f1`` is followed by the name of a class
PARTS_MEASURED = ("train", "val", "test", "new_songs")
METRICS = (
    "accuracy",
    "tie_accuracy",
    "weighted_f1",
    "weighted_precision",
    "weighted_recall",
    "micro_f1",
    "macro_f1",
)
# fields of Training that have bounds besides 0
_FROM_ONE = ("batch", "epochs", "patience", "validations")
_ABOVE_ZERO = ("lr", "clip_norm")
_SHARES = ("momentum", "warmup_share")


@dataclass(frozen=True)
class Recipe:
    """One row of a published table: what is trained, and what its paper says came out.

    Attributes:
        table: One of TABLES.
        row: Name of the row: of the file, without its ending.
        kind: ``network`` is trained, ``classical`` fitted, ``prompted`` asked; ``cited`` is only quoted.
        system: ``paper/network``.
        options: What the row chooses of the system's options.
        presets: Which presets the row is run with.
        training: Overrides of fields of Training.
        seeds: One run each.
        published: Metric (``part.metric`` or ``part.f1.class`` or ``epochs``) -> value, in 0..1 unless a count.
        source: Where the figures stand.
        remarks: What a reader of the row should know, one sentence each.
        split: How tracks are parted, where that shall be otherwise than the preset says; not in files, where a row has
            the split of its paper.
    """

    table: str
    row: str
    kind: Kind
    system: str
    options: Mapping[str, str] = field(default_factory=dict)
    presets: tuple[str, ...] = PRESETS
    training: Mapping[str, Any] = field(default_factory=dict)
    seeds: tuple[int, ...] = (0,)
    published: Mapping[str, float] = field(default_factory=dict)
    source: str = ""
    remarks: tuple[str, ...] = ()
    split: SplitRule | None = None

    @property
    def name(self) -> str:
        """``table/row``."""
        return f"{self.table}/{self.row}"


class RecipeError(HouseXError):
    """A recipe is missing, or says something that nothing here understands."""


def system_module(kind: str) -> ModuleType:
    """The module of ``classical`` or ``prompted`` systems: NAMES and the function that runs one."""
    return importlib.import_module(f"..systems.{kind}", __package__)


def setup_of(recipe: Recipe, preset: str) -> Setup:
    """The network that a recipe trains, with the recipe's options and its own training.

    Raises:
        HouseXError: No such system, preset, option or value.
    """
    setup = get_setup(recipe.system, preset, recipe.options)
    training = dataclasses.replace(setup.training, **recipe.training)
    return dataclasses.replace(setup, training=training, split=recipe.split or setup.split)


class _Strict(yaml.SafeLoader):
    """Plain data only, and no key twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} stands there twice")
        return super().construct_mapping(node, deep)


def load_recipe(path: Path) -> Recipe:
    """One recipe; its table is the name of its folder, its row that of the file.

    Raises:
        RecipeError: The file is missing or no YAML, or holds an unknown key, system, preset, option or metric.
    """
    path = Path(path)
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), Loader=_Strict)
    except FileNotFoundError as error:
        raise RecipeError(f"There is no recipe {path}.", "`python -m trainer run --list` names all.") from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        said = " ".join(str(error).split())
        raise RecipeError(f"{path.name} is not a recipe in YAML: {said}.", "Correct the file.") from error
    if not isinstance(data, dict):
        raise _wrong(path, "it holds no keys")
    return _checked(_read(path, data), path)


def all_recipes(folder: Path = RECIPES) -> tuple[Recipe, ...]:
    """All recipes of a folder, ``<table>/<row>.yaml``, in the order of TABLES and then of their names."""
    return tuple(load_recipe(path) for table in TABLES for path in sorted((folder / table).glob("*.yaml")))


def find_recipe(name: str, folder: Path = RECIPES) -> Recipe:
    """A recipe by the path of its file or as ``table/row``.

    Raises:
        RecipeError: There is none, or it is wrong.
    """
    if name.endswith((".yaml", ".yml")):
        return load_recipe(Path(name))
    return load_recipe(folder / f"{name}.yaml")


def _wrong(path: Path, what: str) -> RecipeError:
    return RecipeError(f"The recipe {path.parent.name}/{path.name} cannot be used: {what}.", "Correct the file.")


def _read(path: Path, data: Mapping[str, Any]) -> Recipe:
    readers: dict[str, Callable[[Any], Any]] = {
        "kind": _text,
        "system": _text,
        "options": _texts_by_name,
        "presets": _several(_text),
        "training": _training,
        "seeds": _several(_whole),
        "published": _numbers_by_name,
        "source": _text,
        "remarks": _several(_text),
    }
    unknown = [str(key) for key in data if key not in readers]
    if unknown:
        raise _wrong(path, f"{unknown[0]!r} is none of {', '.join(readers)}")
    if missing := [key for key in ("kind", "system") if key not in data]:
        raise _wrong(path, f"{missing[0]!r} is missing")
    values = {}
    for key, value in data.items():
        try:
            values[key] = readers[key](value)
        except ValueError as error:
            raise _wrong(path, f"{key}: {error}") from error
    return Recipe(path.parent.name, path.stem, **values)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not text; put it in quotes")
    return " ".join(value.split())


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{value!r} is not a whole number from 0 on")
    return value


def _several(read: Callable[[Any], Any]) -> Callable[[Any], tuple[Any, ...]]:
    def all_of(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise ValueError(f"{value!r} is not a list")
        return tuple(read(item) for item in value)

    return all_of


def _named(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise ValueError(f"{value!r} is not a list of names with values")
    return value


def _texts_by_name(value: Any) -> dict[str, str]:
    return {key: _text(item) for key, item in _named(value).items()}


def _numbers_by_name(value: Any) -> dict[str, float]:
    for key, item in _named(value).items():
        if isinstance(item, bool) or not isinstance(item, int | float):
            raise ValueError(f"{key} is {item!r}, which is not a number")
    return {key: float(item) for key, item in value.items()}


def _training(value: Any) -> dict[str, Any]:
    return {key: training_value(key, item) for key, item in _named(value).items()}


def training_value(name: str, value: Any) -> Any:
    """A field of Training, as its type; whole numbers are taken for fractional ones too.

    Raises:
        ValueError: No such field, not of its type, or a number that nothing can be trained with.
    """
    types = typing.get_type_hints(Training)
    if name not in types:
        raise ValueError(f"{name!r} is none of {', '.join(types)}")
    wanted = types[name]
    if typing.get_origin(wanted) is Literal:
        if value not in typing.get_args(wanted):
            raise ValueError(f"{name} is {value!r}, which is none of {', '.join(typing.get_args(wanted))}")
        return value
    allowed = typing.get_args(wanted) or (wanted,)
    if float in allowed and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) not in allowed:
        kinds = " or ".join("none" if kind is NoneType else kind.__name__ for kind in allowed)
        raise ValueError(f"{name} is {value!r}, not {kinds} (YAML wants 1.0e-4, not 1e-4)")
    if isinstance(value, int | float) and not isinstance(value, bool):
        _check_bounds(name, value)
    return value


def _check_bounds(name: str, value: float) -> None:
    if not math.isfinite(value):
        raise ValueError(f"{name} is {value}, which is not a finite number")
    if name in _FROM_ONE and value < 1:
        raise ValueError(f"{name} is {value}, less than 1")
    if name in _ABOVE_ZERO and value <= 0:
        raise ValueError(f"{name} is {value}, not above 0")
    if value < 0:
        raise ValueError(f"{name} is {value}, less than 0")
    if name in _SHARES and value > 1:
        raise ValueError(f"{name} is {value}, more than 1")


def value_of(text: str) -> Any:
    """A value of a command line as YAML reads it, and 1e-4 as the number that everybody means.

    Raises:
        ValueError: It is neither.
    """
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(f"{text!r} is not a value") from error
    if isinstance(value, str):
        with suppress(ValueError):
            return float(value)
    return value


def _checked(recipe: Recipe, path: Path) -> Recipe:
    if recipe.table not in TABLES:
        raise _wrong(path, f"there is no table {recipe.table!r}; its folder must be one of {', '.join(TABLES)}")
    if recipe.kind not in KINDS:
        raise _wrong(path, f"kind is {recipe.kind!r}, which is none of {', '.join(KINDS)}")
    if not recipe.seeds or not recipe.presets:
        raise _wrong(path, "it has no seeds or no presets")
    for preset in recipe.presets:
        if preset not in PRESETS:
            raise _wrong(path, f"preset {preset!r} is none of {', '.join(PRESETS)}")
    if recipe.training and recipe.kind != "network":
        raise _wrong(path, f"training is for networks, and this is {recipe.kind}")
    classes = _classes_of(recipe, path)
    for name, value in recipe.published.items():
        _check_metric(path, name, value, classes)
    return recipe


def _classes_of(recipe: Recipe, path: Path) -> Sequence[str] | None:
    """Names of the classes; None where only running the system tells them."""
    if recipe.kind == "network":
        try:
            # every preset is made, so that what one of them cannot have is told now
            setups = [setup_of(recipe, preset) for preset in recipe.presets]
        except HouseXError as error:
            raise _wrong(path, str(error).rstrip(".")) from error
        return setups[0].classes
    if recipe.kind in ("classical", "prompted"):
        module = system_module(recipe.kind)
        if recipe.system not in module.NAMES:
            raise _wrong(
                path, f"there is no {recipe.kind} system {recipe.system!r}; known are {', '.join(module.NAMES)}"
            )
        known = getattr(module, "OPTIONS", {})
        for option, value in recipe.options.items():
            if option not in known:
                raise _wrong(path, f"{recipe.system} has no option {option!r}; known are {', '.join(known) or 'none'}")
            if known[option][0] and value not in known[option]:
                raise _wrong(path, f"{option} is {value!r}, which is none of {', '.join(known[option])}")
    return None


def _check_metric(path: Path, name: str, value: float, classes: Sequence[str] | None) -> None:
    if name == "epochs":
        return
    part, _, metric = name.partition(".")
    kind, _, of_class = metric.partition(".")
    known = metric in METRICS or (kind == "f1" and of_class and (classes is None or of_class in classes))
    if part not in PARTS_MEASURED or not known:
        measured, metrics = ", ".join(PARTS_MEASURED), ", ".join(METRICS)
        raise _wrong(path, f"there is no metric {name!r}; it is one of {measured}, a point, and one of {metrics} or "
                           "f1.CLASS; or epochs")  # fmt: skip
    if not 0.0 <= value <= 1.0:
        raise _wrong(path, f"{name} is {value:g}, which is not within 0..1")
