"""The published systems by name: one file each. Zone: trainer."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from types import ModuleType

from housex_blender.core.errors import HouseXError

from .base import Setup, check_preset, chosen_options

# each has NAMES (``paper/network``), OPTIONS (name -> allowed values, the first is the default) and
# setup(name, preset, options) -> Setup
_MODULES = ("housex", "mainstage", "mlachmish", "gtzan_crnn", "encoders")


def _module_of(name: str) -> ModuleType:
    for module_name in _MODULES:
        module = importlib.import_module(f".{module_name}", __name__)
        if name in module.NAMES:
            return module
    raise HouseXError(f"There is no system {name!r}.", f"Known are {', '.join(system_names())}.")


def system_names() -> tuple[str, ...]:
    """All networks, ``paper/network``."""
    return tuple(name for module in _MODULES for name in importlib.import_module(f".{module}", __name__).NAMES)


def options_of(name: str) -> Mapping[str, tuple[str, ...]]:
    """What can be chosen besides the preset: option -> values, the first is the default."""
    options: Mapping[str, tuple[str, ...]] = _module_of(name).OPTIONS
    return options


def get_setup(name: str, preset: str = "fixed", options: Mapping[str, str] | None = None) -> Setup:
    """One system, ready to be built, fed and trained.

    Raises:
        HouseXError: No such system, preset, option or value.
    """
    module = _module_of(name)
    check_preset(preset)
    made: Setup = module.setup(name, preset, chosen_options(name, module.OPTIONS, options))
    return made
