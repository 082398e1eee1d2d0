"""Settings of this computer: which Python, which device, which model. Zone: ui."""

from dataclasses import dataclass
from typing import Any

import bpy
from bpy.props import EnumProperty, StringProperty

from ..core.errors import HouseXError
from .engine import choose_engine, describe
from .places import IS_EXTENSION, ROOT_PACKAGE, absolute, blender_python, module_folders

DEVICES = [
    ("auto", "Automatic", "The fastest device that works"),
    ("cpu", "CPU", "The processor: works everywhere"),
    ("cuda", "CUDA", "NVIDIA graphics card; needs an engine Python with the CUDA libraries"),
    ("mps", "MPS", "Apple graphics, through an engine Python with torch"),
    ("directml", "DirectML", "Graphics card on Windows"),
    ("coreml", "Core ML", "Apple Neural Engine"),
]


@dataclass(frozen=True)
class EngineSettings:
    """Preferences as plain values; these defaults hold where no preferences exist (a checkout, for example)."""

    python: str = ""
    device: str = "auto"
    model: str = ""


class HouseXPreferences(bpy.types.AddonPreferences):
    """Shown under the extension in Blender's preferences."""

    bl_idname = ROOT_PACKAGE

    python: StringProperty(  # type: ignore[valid-type]
        name="Engine Python",
        description="Python that analyzes the mix; empty: Blender's own with the libraries that came along. "
        "Name one with torch to use its graphics card",
        subtype="FILE_PATH",
    )
    device: EnumProperty(  # type: ignore[valid-type]
        name="Device", description="Where the network runs", items=DEVICES
    )
    model: StringProperty(  # type: ignore[valid-type]
        name="Model Folder",
        description="A model of your own, as exported by the trainer; empty: the one that came along",
        subtype="DIR_PATH",
    )

    def draw(self, _context: Any) -> None:
        """The fields and the check."""
        layout: Any = self.layout
        layout.use_property_split = True
        layout.prop(self, "python")
        layout.prop(self, "device")
        layout.prop(self, "model")
        layout.operator(HOUSEX_OT_check_engine.bl_idname, icon="CHECKMARK")


def engine_settings(context: Any) -> EngineSettings:
    """The preferences, or their defaults where there are none."""
    addon = context.preferences.addons.get(ROOT_PACKAGE)
    stored = addon.preferences if addon is not None else None
    if not isinstance(stored, HouseXPreferences):
        return EngineSettings()
    return EngineSettings(
        python=str(absolute(stored.python)) if stored.python else "",
        device=stored.device,
        model=str(absolute(stored.model)) if stored.model else "",
    )


class HOUSEX_OT_check_engine(bpy.types.Operator):
    """Say whether mixes can be analyzed on this computer, and with what"""

    bl_idname = "housex.check_engine"
    bl_label = "Check Engine"

    def execute(self, context: Any) -> set[Any]:
        """Start the Python once and report its versions."""
        window = context.window
        if window is not None:
            window.cursor_set("WAIT")
        try:
            engine = choose_engine(engine_settings(context).python, blender_python(), module_folders())
            self.report({"INFO"}, f"Ready: {describe(engine)}")
        except HouseXError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        finally:
            if window is not None:
                window.cursor_set("DEFAULT")
        return {"FINISHED"}


# without an entry in Blender's add-on list the class could not be registered to any purpose
CLASSES = (HOUSEX_OT_check_engine, HouseXPreferences) if IS_EXTENSION else (HOUSEX_OT_check_engine,)
