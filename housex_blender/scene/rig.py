"""The object "HX Show" and the table of who is keyed by which channel. Zone: bpy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import bpy

from ..core.channels import DIRECTED, MOTION
from ..core.errors import SceneError
from ..core.keys import KeyTrack
from ..core.manners import CHARACTERS
from ..core.show_light import LIGHTS
from ..core.show_mix import COLOURS
from .compat import OWNED
from .keyframes import write_keys

SHOW_NAME = "HX Show"
# What a scene may bind; raw channels and anything else reach "HX Show" alone.
LOOK_CHANNELS = (*COLOURS, *LIGHTS, *MOTION, *DIRECTED)
# Slider range in the Properties editor where it is not 0 to 1; values outside it are possible.
RANGES = {
    "light_a": (0.0, 2.0),
    "light_b": (0.0, 1.5),
    "light_c": (0.0, 1.5),
    **dict.fromkeys(("displacement", *CHARACTERS), (0.0, 1.5)),
    "travel": (0.0, 100000.0),
    "roll": (-3.2, 3.2),
    "speed": (0.0, 30.0),
    "drift": (-1.0, 1.0),
}


@dataclass(frozen=True)
class Binding:
    """One animated number.

    Attributes:
        id: The datablock that owns the F-curve.
        data_path: RNA path on that datablock.
        index: Array index, or -1 for a property that is no array.
        gain: Factor on the channel's value.
        offset: Added after the factor.
        column: Which component of the channel, for colours.
    """

    id: Any
    data_path: str
    index: int = -1
    gain: float = 1.0
    offset: float = 0.0
    column: int = 0

    @property
    def owner_key(self) -> tuple[int, str, int]:
        """What may have one owner only: datablock, path, index."""
        return (self.id.as_pointer(), self.data_path, max(self.index, 0))


@dataclass
class SceneHandles:
    """What a built scene offers.

    Attributes:
        bindings: Channel name -> everything it keys.
        objects: The objects that people look for: "show", "camera", "HX Light A" and so on.
        cameras: The camera of each shot, by its name in ``core.shots.SHOTS``; empty where nothing is cut.
        keys: How many keys were written at the last time.
        kept: Numbers whose animation is the user's, and which were therefore left alone.
    """

    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    objects: dict[str, Any] = field(default_factory=dict)
    cameras: dict[str, Any] = field(default_factory=dict)
    keys: int = 0
    kept: list[str] = field(default_factory=list)

    def bind(
        self,
        channel: str,
        owner: Any,
        data_path: str,
        index: int = -1,
        gain: float = 1.0,
        offset: float = 0.0,
        column: int = 0,
    ) -> None:
        """Key a number from a channel."""
        self.bindings.setdefault(channel, []).append(Binding(owner, data_path, index, gain, offset, column))

    def bind_colour(self, channel: str, owner: Any, data_path: str, gain: float = 1.0) -> None:
        """Key the three components of a colour."""
        for column in range(3):
            self.bind(channel, owner, data_path, column, gain, column=column)

    def bind_value(self, channel: str, tree: Any, node: str, gain: float = 1.0) -> None:
        """Key what a Value node of a tree gives out."""
        self.bind(channel, tree, f'nodes["{node}"].outputs[0].default_value', gain=gain)


@dataclass
class Baked:
    """What writing keys again did.

    Attributes:
        keys: How many keys were written.
        kept: Numbers that were left alone, because their animation is the user's or their channel is gone.
        missing: A sentence on titles that are not shown; empty if all are.
    """

    keys: int = 0
    kept: list[str] = field(default_factory=list)
    missing: str = ""


def check_channels(channels: Mapping[str, KeyTrack], wanted: tuple[str, ...] = ()) -> None:
    """Refuse channels that no scene could take.

    Args:
        channels: Name -> keys.
        wanted: Names that must be there.

    Raises:
        SceneError: One is missing, or a colour is not three wide, or another is not one wide.
    """
    missing = sorted(set(wanted) - set(channels))
    if missing:
        raise SceneError(f"The scene needs the channel {', '.join(missing)}, which nobody compiled.")
    for name, track in channels.items():
        width = 3 if name in COLOURS else 1
        if track.width != width and (name in LOOK_CHANNELS or track.width != 3):
            raise SceneError(f"The channel {name} has {track.width} components instead of {width}.")
        if '"' in name or "\\" in name or not name:
            raise SceneError(f"The channel name {name!r} cannot be a property name.")


def check_bindings(handles: SceneHandles, channels: Mapping[str, KeyTrack]) -> None:
    """Refuse to key anything unless bindings and channels match one to one and nobody shares a number.

    Raises:
        SceneError: A binding without channel, a channel without binding, a wrong component or two owners.
    """
    check_channels(channels, tuple(handles.bindings))
    idle = sorted(set(channels) - {name for name, bound in handles.bindings.items() if bound})
    if idle:
        raise SceneError(f"The channel {', '.join(idle)} is bound to nothing in this scene.")
    owners: dict[tuple[int, str, int], str] = {}
    for name, bound in handles.bindings.items():
        for binding in bound:
            if binding.column >= channels[name].width:
                raise SceneError(f"The channel {name} has no component {binding.column}.")
            other = owners.setdefault(binding.owner_key, name)
            if other != name or sum(b.owner_key == binding.owner_key for b in bound) > 1:
                raise SceneError(f"{binding.id.name}: {binding.data_path} is keyed by both {other} and {name}.")


def write_channels(handles: SceneHandles, channels: Mapping[str, KeyTrack], *, take_over: bool = False) -> int:
    """Check everything, then write every F-curve; returns how many keys were written.

    Curves that are the user's are left alone and listed in ``handles.kept``.

    Args:
        handles: What to key.
        channels: Name -> keys in scene frames.
        take_over: Replace curves that hold no key of ours too: files of ours from before keys had a type.

    Raises:
        SceneError: See :func:`check_bindings`; nothing has been written then.
    """
    check_bindings(handles, channels)
    total = 0
    handles.kept.clear()
    for name, bound in handles.bindings.items():
        track = channels[name]
        for one in bound:
            curve = write_keys(
                one.id, one.data_path, one.index, track, one.column, one.gain, one.offset, take_over=take_over
            )
            if curve is None:
                handles.kept.append(describe(one.id, one.data_path))
            else:
                total += len(track.frames)
    handles.kept[:] = dict.fromkeys(handles.kept)
    return total


def describe(owner: Any, data_path: str) -> str:
    """A number by the name of its owner: ``Light HX Key: energy``."""
    kind = "Node tree" if owner.id_type == "NODETREE" else owner.id_type.replace("_", " ").capitalize()
    return f"{kind} {owner.name}: {data_path}"


def find_show(scene: bpy.types.Scene) -> Any:
    """The object "HX Show" of this scene, whatever it is called here; None if there is none."""
    named = scene.objects.get(SHOW_NAME)
    if named is not None and named.library is None:
        return named
    ours = [thing for thing in scene.objects if thing.library is None and thing.get(OWNED) == "show"]
    return min(ours, key=lambda thing: thing.name, default=None)


def ensure_show(scene: bpy.types.Scene) -> Any:
    """The object "HX Show" of this scene, made if it is missing."""
    show: Any = find_show(scene)
    if show is None:
        show = bpy.data.objects.new(SHOW_NAME, None)
        show.empty_display_type = "SINGLE_ARROW"
        scene.collection.objects.link(show)
    show[OWNED] = "show"
    show.hide_render = True
    return show


def build_rig(scene: bpy.types.Scene, channels: Mapping[str, KeyTrack], handles: SceneHandles) -> Any:
    """Make or refresh "HX Show", one custom property per channel, and bind them all.

    The object itself survives a rebuild, because drivers in the user's own scene point at it.
    """
    show = ensure_show(scene)
    for name, track in channels.items():
        add_property(show, name, track)
        bind_property(handles, show, name, track)
    handles.objects["show"] = show
    return show


def bind_property(handles: SceneHandles, show: Any, name: str, track: KeyTrack) -> None:
    """Key the custom property of one channel."""
    if track.width == 3:
        handles.bind_colour(name, show, f'["{name}"]')
    else:
        handles.bind(name, show, f'["{name}"]')


def add_property(show: Any, name: str, track: KeyTrack) -> None:
    """Create one custom property with its range and subtype; values start at the first key."""
    first = [float(value) for value in track.values[0]]
    show[name] = first if track.width == 3 else first[0]
    low, high = RANGES.get(name, (0.0, 1.0))
    if name in COLOURS:
        show.id_properties_ui(name).update(subtype="COLOR", soft_min=0.0, soft_max=1.0)
    else:
        show.id_properties_ui(name).update(soft_min=low, soft_max=high, description=f"HouseX channel {name}")
