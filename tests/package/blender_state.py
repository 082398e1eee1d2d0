"""What an extension can leave behind in Blender: a snapshot of it all, and what differs between two. Not a test.

Runs inside the Blender that is looked at; knows nothing of HouseX. What Blender and Python do not list (timers, draw
handlers, calls at exit) is counted from :func:`watch` on.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import tempfile
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import bpy

Snapshot = dict[str, Counter[str]]
_timers: list[Any] = []
_draw_handlers: Counter[str] = Counter()
_exit_calls: list[Any] = []


def watch() -> None:
    """Note from now on every timer, draw handler and call at exit; call before the extension is there."""
    register = bpy.app.timers.register

    def noted_register(function: Any, *arguments: Any, **options: Any) -> Any:
        _timers.append(function)
        return register(function, *arguments, **options)

    bpy.app.timers.register = noted_register
    _watch_exit()
    for name in dir(bpy.types):
        space = getattr(bpy.types, name)
        if name.startswith("Space") and name != "Space" and hasattr(space, "draw_handler_add"):
            _watch_space(name, space)


def _watch_exit() -> None:
    register, unregister = atexit.register, atexit.unregister

    def noted_register(function: Any, *arguments: Any, **options: Any) -> Any:
        _exit_calls.append(function)
        return register(function, *arguments, **options)

    def noted_unregister(function: Any) -> None:
        _exit_calls[:] = [known for known in _exit_calls if known != function]
        unregister(function)

    atexit.register, atexit.unregister = noted_register, noted_unregister  # type: ignore[assignment]


def _watch_space(name: str, space: Any) -> None:
    add, remove = space.draw_handler_add, space.draw_handler_remove

    def noted_add(*arguments: Any) -> Any:
        _draw_handlers[name] += 1
        return add(*arguments)

    def noted_remove(*arguments: Any) -> Any:
        _draw_handlers[name] -= 1
        return remove(*arguments)

    space.draw_handler_add, space.draw_handler_remove = noted_add, noted_remove


def snapshot(folders: tuple[str, ...] = ()) -> Snapshot:
    """Kind of thing -> the things that are there, with how many of each.

    Args:
        folders: Their files are looked at too, beside the temporary folder's.
    """
    return {
        "handlers": _handlers(),
        "menu entries": _menu_entries(),
        "keys": _keys(),
        "classes": Counter(dir(bpy.types)),
        "properties": _properties(),
        "operators": Counter(f"{group}.{name}" for group in dir(bpy.ops) for name in dir(getattr(bpy.ops, group))),
        "add-ons": Counter(bpy.context.preferences.addons.keys()),
        "manual links": Counter(f"{f.__module__}.{f.__qualname__}" for f in bpy.utils._manual_map),
        "timers": Counter(_name(f) for f in _timers if bpy.app.timers.is_registered(f)),
        "draw handlers": Counter({name: count for name, count in _draw_handlers.items() if count}),
        "threads": Counter(thread.name for thread in threading.enumerate()),
        "processes": _children(),
        "exit calls": Counter(map(_name, _exit_calls)),
        "signals": Counter(f"{number.name} {signal.getsignal(number)}" for number in (signal.SIGINT, signal.SIGTERM)),
        "hooks": Counter([repr(sys.excepthook), repr(sys.displayhook), repr(sys.stdout), repr(sys.stderr)]),
        "python path": Counter(sys.path),
        "data": _data(),
        "files": Counter(
            str(path) for folder in (tempfile.gettempdir(), *folders) for path in Path(folder).rglob("*")
        ),
    }  # fmt: skip


def difference(before: Snapshot, after: Snapshot) -> list[str]:
    """What came or went, one line for each thing, such as "keys + Screen houses.tap"."""
    lines = []
    for kind, had in before.items():
        has = after[kind]
        lines += [f"{kind} + {thing}" for thing in (has - had)] + [f"{kind} - {thing}" for thing in (had - has)]
    return sorted(lines)


def _name(function: Any) -> str:
    return f"{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', function)}"


def _handlers() -> Counter[str]:
    lists = {name: getattr(bpy.app.handlers, name) for name in dir(bpy.app.handlers)}
    return Counter(
        f"{name} {_name(function)}" for name, found in lists.items() if isinstance(found, list) for function in found
    )


def _menu_entries() -> Counter[str]:
    """Draw functions of every menu, panel and header, which `append` and `prepend` add to."""
    found: Counter[str] = Counter()
    for name in dir(bpy.types):
        draw = getattr(getattr(bpy.types, name), "draw", None)
        for function in getattr(draw, "_draw_funcs", ()):
            # Blender keeps a menu's own function in the list once something was appended to it
            if not _name(function).endswith((f"{name}.draw", "draw_ls")):
                found[f"{name} {_name(function)}"] += 1
    return found


def _keys() -> Counter[str]:
    configurations = bpy.context.window_manager.keyconfigs
    found: Counter[str] = Counter()
    for configuration in (configurations.addon, configurations.user, configurations.default):
        for keymap in configuration.keymaps if configuration is not None else ():
            for item in keymap.keymap_items:
                found[f"{configuration.name} {keymap.name} {item.idname} {item.type} {item.value}"] += 1
    return found


def _properties() -> Counter[str]:
    """Every property of every type, so also those that were added to Scene, WindowManager or Object."""
    found: Counter[str] = Counter()
    for name in dir(bpy.types):
        rna = getattr(getattr(bpy.types, name), "bl_rna", None)
        if rna is not None:
            found.update(f"{name}.{key}" for key in rna.properties.keys())  # noqa: SIM118 - not a dictionary
    return found


def _children() -> Counter[str]:
    """Process ids of living children, where the system tells (Linux)."""
    listings = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    return Counter(number for listing in listings for number in listing.read_text().split())


def _data() -> Counter[str]:
    collections = {name: getattr(bpy.data, name) for name in dir(bpy.data)}
    return Counter({n: len(c) for n, c in collections.items() if isinstance(c, bpy.types.bpy_prop_collection)})
