"""An action that the user made once, played at every drop by the NLA editor. Zone: bpy."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import bpy

from ..core.bars import frame_on
from ..core.edits import with_edits
from ..core.errors import SceneError
from ..core.timeline import Timeline
from . import compat
from .rig import ensure_show, find_show
from .tables import living, pack_owner, read_table, root_in, root_of, unpack_owner, write_table

TRACK_NAME = "HX Drops"
_STRIP_NAME = "HX Drop"
_DROPS = "drops"
# how long an action plays, besides a number of bars
WHOLE_DROP, AS_MADE = -1.0, 0.0


class DropFrames(NamedTuple):
    """Where a drop lies in a scene: its first frame, the frame after its last, and the length of a bar in frames."""

    start: float
    end: float
    bar_frames: float


def drop_spans(timeline: Timeline, fps: float, first_frame: int = 1) -> list[DropFrames]:
    """Where every drop lies, edits included."""
    timeline = with_edits(timeline)
    starts_s, ends_s = timeline.grid.starts_s, timeline.grid.ends_s
    spans = []
    for drop in timeline.drops:
        start, end = (
            int(frame_on(time_s, fps, first_frame)) for time_s in (starts_s[drop.start_bar], ends_s[drop.end_bar - 1])
        )
        spans.append(DropFrames(start, end, (end - start) / (drop.end_bar - drop.start_bar)))
    return spans


def place_drops(
    scene: bpy.types.Scene,
    owner: Any,
    action: Any,
    spans: Sequence[DropFrames],
    *,
    bars: float = WHOLE_DROP,
) -> int:
    """Lay one NLA strip of an action at every drop; placing again replaces our strips and nobody else's.

    An active action of ``owner`` lies on top of all strips: if it is this one, it is taken off; if it is another one,
    see :func:`hidden_by`. Between the strips ``owner`` holds the pose of the last one, unless it has other animation.

    Args:
        scene: Remembers it, so that :func:`refresh_drops` can move the strips with the drops.
        owner: What the action animates.
        action: Stays the user's.
        spans: Where the drops lie.
        bars: Over how many bars the action's frame range is stretched; or WHOLE_DROP, or AS_MADE for its own speed.

    Returns:
        The number of strips.

    Raises:
        SceneError: The action does not fit the owner, has no length, or the owner is linked; nothing was changed.
    """
    root = root_of(owner)
    if root.library is not None or not root.is_editable:
        raise SceneError(f"{root.name} is linked from another file.", "Make it local first.")
    slot = _playable(owner, action)
    show = ensure_show(scene)
    others = [row for row in read_table(show, _DROPS) if unpack_owner(row, show) != owner]
    before = [row for row in read_table(show, _DROPS) if unpack_owner(row, show) == owner]
    data = owner.animation_data or owner.animation_data_create()
    compat.leave_tweak_mode(data)
    active = data.action == action
    if active:
        data.action = None
    active = active or any(row["active"] and row.get("action") == action for row in before)
    facts = {"action": action, "bars": float(bars), "active": int(active)}
    row = {**pack_owner(owner, show), **facts}
    write_table(show, _DROPS, [*others, row])
    return _lay(owner, action, slot, spans, row["bars"])


def refresh_drops(scene: bpy.types.Scene, spans: Sequence[DropFrames]) -> int:
    """Move all strips of a scene to where the drops are now; returns the number of strips.

    Strips of an action that was changed so that it cannot be played any more stay as they are.
    """
    show = find_show(scene)
    rows = read_table(show, _DROPS)
    if not rows:
        return 0
    alive = living(root_in(row, show) for row in rows)
    rows = [row for row in rows if root_in(row, show) in alive and row.get("action") is not None]
    write_table(show, _DROPS, rows)
    total = 0
    for row in rows:
        owner, action = unpack_owner(row, show), row["action"]
        with suppress(SceneError):
            total += _lay(owner, action, _playable(owner, action), spans, row["bars"])
    return total


def remove_drops(scene: bpy.types.Scene, owner: Any) -> None:
    """Take our strips off; the action becomes the active one again if it was, and is kept in the file if not."""
    show = find_show(scene)
    rows = read_table(show, _DROPS)
    mine = [row for row in rows if unpack_owner(row, show) == owner]
    if not mine:
        return
    _clear(owner)
    write_table(show, _DROPS, [row for row in rows if unpack_owner(row, show) != owner])
    for action, active in ((row.get("action"), row["active"]) for row in mine):
        if action is None:
            continue
        data = owner.animation_data
        if active and (data is None or data.action is None):
            compat.assign_action(owner, action, compat.slot_for(owner, action))
        if action.users == 0:
            action.use_fake_user = True


def drop_actions(scene: bpy.types.Scene) -> list[tuple[Any, Any]]:
    """(owner, action) of everything that plays at the drops of a scene."""
    show = find_show(scene)
    rows = read_table(show, _DROPS)
    alive = living(root_in(row, show) for row in rows)
    pairs = [(unpack_owner(row, show), row.get("action")) for row in rows if root_in(row, show) in alive]
    return [(owner, action) for owner, action in pairs if owner is not None and action is not None]


def hidden_by(owner: Any) -> str:
    """A sentence if the owner's active action covers the strips; empty if there is none."""
    data = owner.animation_data
    if data is None or data.action is None:
        return ""
    return f"The action {data.action.name} plays on top of the drops: push it down in the NLA editor to see them."


def _playable(owner: Any, action: Any) -> Any:
    """The slot of an action that can be laid at drops.

    Raises:
        SceneError: It does not fit the owner, or has no length.
    """
    if action.frame_range[1] - action.frame_range[0] < 1.0:
        raise SceneError(f"The action {action.name} is shorter than a frame.", "Give it a second key.")
    return compat.slot_for(owner, action)


def _clear(owner: Any) -> None:
    """Remove our strips, wherever the user put them, and tracks that held nothing else."""
    data = owner.animation_data or owner.animation_data_create()
    compat.leave_tweak_mode(data)
    for track in list(data.nla_tracks):
        ours = [strip for strip in track.strips if strip.name.startswith(_STRIP_NAME)]
        for strip in ours:
            track.strips.remove(strip)
        if ours and not len(track.strips):
            data.nla_tracks.remove(track)


def _lay(owner: Any, action: Any, slot: Any, spans: Sequence[DropFrames], bars: float) -> int:
    _clear(owner)
    data = owner.animation_data
    alone = data.action is None and not len(data.nla_tracks)
    drops = sorted({round(drop.start): drop for drop in spans}.items())
    if not drops:
        return 0
    track = data.nla_tracks.new(prev=data.nla_tracks[-1] if len(data.nla_tracks) else None)
    track.name = TRACK_NAME
    length = action.frame_range[1] - action.frame_range[0]
    for number, (start, drop) in enumerate(drops, 1):
        whole = float(round(drop.end) - start)
        wanted = {WHOLE_DROP: whole, AS_MADE: length}.get(bars, bars * drop.bar_frames)
        # on a frame that two strips share, Blender plays the first
        until = max(drops[number][0] - 1, start + 1) if number < len(drops) else start + wanted
        strip = track.strips.new(_STRIP_NAME, start, action)
        strip.name = f"{_STRIP_NAME} {number}"  # 4.3 names new strips after their action
        compat.set_strip_slot(strip, slot)
        strip.use_auto_blend = strip.use_sync_length = False
        strip.extrapolation = "HOLD" if alone else "NOTHING"
        strip.scale = wanted / length
        if start + wanted > until:
            strip.action_frame_end = strip.action_frame_start + (until - start) / strip.scale
    return len(drops)
