"""The user's own scene: properties that follow a channel of the mix, and an action placed at every drop. Zone: ui."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import bpy
from bpy.props import EnumProperty, FloatProperty, IntProperty, StringProperty

from ..core.channels import DIRECTED, HEARD, MOTION
from ..core.errors import HouseXError, SceneError
from ..core.show_light import LIGHTS
from ..core.show_mix import COLOURS, genre_channels
from ..scene.drives import add_drive, can_animate, check_drive, drives, remove_drive, update_drive
from ..scene.drop_strips import drop_spans, hidden_by, place_drops, remove_drops
from ..scene.tables import root_of
from . import show
from .job_operator import redraw, say
from .operators_bars import BarsOperator
from .report import fail
from .shown import heard, shown
from .translations import CONTEXT

_HELP = {
    "energy": "How much is going on in the bar",
    "kick": "A pulse on every kick drum",
    "sub": "Lowest bass", "bass": "Bass", "mid": "Middle of the spectrum", "high": "Hats and air",
    "loudness": "Loudness against the minute around it",
    "build": "Rises through a build-up to the drop",
    "drop": "Full on the drop's first beat, fades over two bars",
    "colour_a": "Key color of the sub-genre", "colour_b": "Fill color", "colour_c": "Accent color",
    "displacement": "Movement of the walls", "ripple": "Fine movement of the walls", "travel": "Way traveled, meters",
    "speed": "Speed of the flight, meters per second", "roll": "Sway of the camera", "zoom": "Lens of the camera",
    "light_a": "Strength of the key light, with the kicks", "light_b": "Strength of the fill light",
    "light_c": "Strength of the accents",
    "pulse": "Strength of the pulse of light that the last kick sent off",
    "pulse_at": "How far that pulse has run, 0 on every beat; faster before a drop",
    "shock": "How far the shock wave of a drop has run, 0 on the drop; 1 everywhere else",
    "narrow": "Rises as a build-up narrows the space", "open": "Rises as a break opens the space",
    "swell": "Movement in smooth swells", "shards": "Movement in angular shards",
    "grid": "Movement in a grid that falls to pieces", "slabs": "Movement in heavy slabs",
    "ribs": "Movement in ribs that pulse", "drift": "From -1 to 1 during every shot",
}  # fmt: skip


_CHANNELS = (*HEARD, *COLOURS, *LIGHTS, *MOTION, *DIRECTED)


@lru_cache(maxsize=16)
def _items_for(genres: tuple[str, ...]) -> list[tuple[str, str, str]]:
    # kept, because Blender holds no reference to what a callback returns
    titles = {name: name.replace("colour", "color").replace("_", " ").title() for name in _CHANNELS}
    names = [(name, title, _HELP.get(name, "")) for name, title in titles.items()]
    channels = zip(genre_channels(genres), genres, strict=True)
    return names + [(channel, name, f"How sure it is that the bar is {name}") for channel, name in channels]


def channel_items(_operator: Any, context: Any) -> list[tuple[str, str, str]]:
    """Every channel of the scene's timeline."""
    what = shown(context.scene) if context is not None else None
    return _items_for(what.timeline.model.genres if what is not None else ())


def owner_named(text: str) -> Any:
    """The datablock behind ``collection/name``, as :func:`name_of` wrote it.

    Raises:
        SceneError: It is gone.
    """
    collection, _, name = text.partition("/")
    name, _, embedded = name.rpartition("|")
    holder = getattr(bpy.data, collection, None)
    owner = holder.get(name) if isinstance(holder, bpy.types.bpy_prop_collection) else None
    if owner is not None and embedded:
        owner = getattr(owner, embedded, None)
    if owner is None:
        raise SceneError(f"{name} is gone.", "Right-click the property again.")
    return owner


def name_of(owner: Any) -> str:
    """``collection/name|embedded`` of a datablock of this file; empty for one that cannot be found by name."""
    try:
        root = root_of(owner)
    except SceneError:
        return ""
    embedded = "" if root == owner else "node_tree"
    for prop in bpy.data.bl_rna.properties:
        if prop.type == "COLLECTION":
            found = getattr(bpy.data, prop.identifier)
            if root.name in found and found[root.name] == root:
                return f"{prop.identifier}/{root.name}|{embedded}"
    return ""


def clicked(context: Any) -> tuple[Any, str, int] | None:
    """Datablock, path and index of the property under the mouse when the right-click menu opened."""
    pointer, prop = getattr(context, "button_pointer", None), getattr(context, "button_prop", None)
    if pointer is None or prop is None or pointer.id_data is None:
        return None
    found = getattr(context, "property", None)
    if found and found[0] == pointer.id_data:
        return pointer.id_data, found[1], found[2]
    try:
        return pointer.id_data, pointer.path_from_id(prop.identifier), -1
    except ValueError:
        return None


# what the dialog asks for, as the fields of a Drive are called
_FIELDS = ("channel", "low", "high", "attack_ms", "release_ms")


class DriveDialog(BarsOperator):
    """Mixin: what is followed and how; asked for in a dialog."""

    channel: EnumProperty(  # type: ignore[valid-type]
        name="Channel", description="What it follows", items=channel_items, translation_context=CONTEXT
    )
    low: FloatProperty(  # type: ignore[valid-type]
        name="From", description="Value while the channel is at 0", default=0.0, translation_context=CONTEXT
    )
    high: FloatProperty(  # type: ignore[valid-type]
        name="To", description="Value while the channel is at 1", default=1.0, translation_context=CONTEXT
    )
    attack_ms: FloatProperty(  # type: ignore[valid-type]
        name="Attack (ms)", description="How quickly it follows a rise; 0 at once",
        default=0.0, min=0.0, max=10_000.0, soft_max=500.0,
    )  # fmt: skip
    release_ms: FloatProperty(  # type: ignore[valid-type]
        name="Release (ms)", description="How slowly it follows a fall; 0 at once",
        default=0.0, min=0.0, max=10_000.0, soft_max=2000.0,
    )  # fmt: skip

    def draw(self, _context: Any) -> None:
        """Channel, range and shaping; colours have no range."""
        layout: Any = self.layout  # type: ignore[attr-defined]
        layout.use_property_split = True
        layout.prop(self, "channel")
        if self.channel not in COLOURS:
            column = layout.column(align=True)
            column.prop(self, "low")
            column.prop(self, "high")
        column = layout.column(align=True)
        column.prop(self, "attack_ms")
        column.prop(self, "release_ms")


class HOUSEX_OT_drive_property(DriveDialog, bpy.types.Operator):
    """Let this property follow the mix: choose a channel, and from where to where"""

    bl_idname = "housex.drive_property"
    bl_label = "Drive by Mix"

    owner: StringProperty(options={"HIDDEN", "SKIP_SAVE"})  # type: ignore[valid-type]
    data_path: StringProperty(options={"HIDDEN", "SKIP_SAVE"})  # type: ignore[valid-type]
    index: IntProperty(options={"HIDDEN", "SKIP_SAVE"}, default=-1)  # type: ignore[valid-type]

    def invoke(self, context: Any, _event: bpy.types.Event) -> set[Any]:
        """Ask for channel and range, beginning with the property's own value."""
        try:
            owner = owner_named(self.owner)
            problem = check_drive(owner, self.data_path, self.index)
            if problem:
                raise SceneError(problem)
            value = owner.path_resolve(self.data_path)
        except (HouseXError, ValueError) as error:
            shown_error = error if isinstance(error, HouseXError) else SceneError(f"{self.data_path} is gone.")
            return fail(self, context, shown_error, "OWN")
        if hasattr(value, "__len__"):
            self.channel = "colour_a" if len(value) in (3, 4) and self.index < 0 else "energy"
        elif isinstance(value, int | float) and value:
            self.high = float(value)
        return context.window_manager.invoke_props_dialog(self, width=320)

    def execute(self, context: Any) -> set[Any]:
        """Key the property and remember it for every further bake."""
        scene, what = context.scene, heard(context)
        try:
            owner = owner_named(self.owner)
            add_drive(
                scene, owner, self.data_path, self.index, self.channel, self.low, self.high,
                self.attack_ms, self.release_ms, show.channels_of(scene, what.timeline), show.rate_of(scene),
            )  # fmt: skip
        except HouseXError as error:
            return fail(self, context, error, "OWN")
        done = f"{owner.name}: {self.data_path} follows {self.channel}"
        say(context, done, "CHECKMARK", "OWN")
        self.report({"INFO"}, done)
        redraw(context)
        return {"FINISHED"}


class HOUSEX_OT_change_drive(DriveDialog, bpy.types.Operator):
    """Let the property follow another channel, or the same one in another range"""

    bl_idname = "housex.change_drive"
    bl_label = "Change Drive"

    number: IntProperty(options={"HIDDEN", "SKIP_SAVE"}, min=0)  # type: ignore[valid-type]

    def invoke(self, context: Any, _event: bpy.types.Event) -> set[Any]:
        """Ask, beginning with what it follows now."""
        known = next((drive for drive in drives(context.scene) if drive.number == self.number), None)
        if known is None:
            return fail(self, context, SceneError("This property follows the mix no more."), "OWN")
        for name in _FIELDS:
            setattr(self, name, getattr(known, name))
        return context.window_manager.invoke_props_dialog(self, width=320)

    def execute(self, context: Any) -> set[Any]:
        """Key it anew."""
        scene, what = context.scene, heard(context)
        changes = {name: getattr(self, name) for name in _FIELDS}
        try:
            drive = update_drive(
                scene, self.number, show.channels_of(scene, what.timeline), show.rate_of(scene), **changes
            )
        except HouseXError as error:
            return fail(self, context, error, "OWN")
        say(context, f"{drive.label} follows {drive.channel}", "CHECKMARK", "OWN")
        redraw(context)
        return {"FINISHED"}


class HOUSEX_OT_remove_drive(BarsOperator, bpy.types.Operator):
    """Let the property go: it keeps its present value"""

    bl_idname = "housex.remove_drive"
    bl_label = "Let Go"

    number: IntProperty(options={"HIDDEN", "SKIP_SAVE"}, min=0)  # type: ignore[valid-type]

    def execute(self, context: Any) -> set[Any]:
        """Remove the keys."""
        try:
            remove_drive(context.scene, self.number)
        except HouseXError as error:
            return fail(self, context, error, "OWN")
        redraw(context)
        return {"FINISHED"}


def draw_button_menu(menu: Any, context: Any) -> None:
    """Our entry in the right-click menu of a property that can be animated."""
    found = clicked(context)
    if found is None or not getattr(context.button_prop, "is_animatable", False):
        return
    owner, path, index = found
    name = name_of(owner) if can_animate(owner) else ""
    if not name:
        return
    layout = menu.layout
    layout.separator()
    layout.operator_context = "INVOKE_DEFAULT"
    entry = layout.operator(HOUSEX_OT_drive_property.bl_idname, icon="SOUND")
    entry.owner, entry.data_path, entry.index = name, path, index


# -- drop action -----------------------------------------------------------------------------------------------


class DropActionOperator(BarsOperator):
    """Mixin: works on the object and the action chosen in the panel."""

    @classmethod
    def poll(cls, context: Any) -> bool:
        """An object must be chosen."""
        if not super().poll(context):
            return False
        if context.scene.housex.drop_object is None:
            cls.poll_message_set("Choose the object that plays the drop action")  # type: ignore[attr-defined]
            return False
        return True


class HOUSEX_OT_place_drop_action(DropActionOperator, bpy.types.Operator):
    """Play the action at every drop, as NLA strips as long as its phrase; they move with the drops"""

    bl_idname = "housex.place_drop_action"
    bl_label = "Place at Every Drop"

    @classmethod
    def poll(cls, context: Any) -> bool:
        """An action must be chosen too."""
        if not super().poll(context):
            return False
        if context.scene.housex.drop_action is None:
            cls.poll_message_set("Choose the action to play at every drop")
            return False
        return True

    def execute(self, context: Any) -> set[Any]:
        """Place the strips."""
        scene, what = context.scene, heard(context)
        settings = scene.housex
        try:
            spans = drop_spans(what.timeline, show.rate_of(scene), show.FIRST_FRAME)
            if not spans:
                raise SceneError("There is no drop in this mix.", "Mark bars as drop first.")
            count = place_drops(
                scene, settings.drop_object, settings.drop_action, spans, bars=float(settings.drop_phrase)
            )
        except HouseXError as error:
            return fail(self, context, error, "OWN")
        done = f"{settings.drop_action.name} is played at {count} drop{'s' * (count != 1)}"
        hidden = hidden_by(settings.drop_object)
        say(context, hidden or done, "ERROR" if hidden else "CHECKMARK", "OWN")
        self.report({"WARNING"} if hidden else {"INFO"}, hidden or done)
        redraw(context)
        return {"FINISHED"}


class HOUSEX_OT_remove_drop_action(DropActionOperator, bpy.types.Operator):
    """Take the strips at the drops away again; the action stays"""

    bl_idname = "housex.remove_drop_action"
    bl_label = "Remove"

    def execute(self, context: Any) -> set[Any]:
        """Remove the strips."""
        remove_drops(context.scene, context.scene.housex.drop_object)
        redraw(context)
        return {"FINISHED"}


CLASSES = (
    HOUSEX_OT_drive_property,
    HOUSEX_OT_change_drive,
    HOUSEX_OT_remove_drive,
    HOUSEX_OT_place_drop_action,
    HOUSEX_OT_remove_drop_action,
)


def attach() -> None:
    """Put the entry into the right-click menu of every property."""
    bpy.types.UI_MT_button_context_menu.append(draw_button_menu)


def detach() -> None:
    """Take it out again."""
    bpy.types.UI_MT_button_context_menu.remove(draw_button_menu)
