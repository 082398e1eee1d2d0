"""Settings of this computer: which Python, which device, which model. Zone: ui."""

from typing import Any

import bpy
from bpy.props import EnumProperty, StringProperty

from . import error_dialog, operators_engine
from .places import IS_EXTENSION, ROOT_PACKAGE

DEVICES = [
    ("auto", "Automatic", "The fastest device that works"),
    ("cpu", "CPU", "The processor: works everywhere"),
    ("cuda", "CUDA", "NVIDIA graphics card; needs an engine Python with the CUDA libraries"),
    ("mps", "MPS", "Apple graphics, through an engine Python with torch"),
    ("directml", "DirectML", "Graphics card on Windows"),
    ("coreml", "Core ML", "Apple Neural Engine"),
]
TORCH_SOURCES = [
    ("auto", "Automatic", "CUDA on Linux and Windows, MPS on Apple computers; from pypi.org, on Windows pytorch.org"),
    ("cuda", "CUDA 12.6", "NVIDIA graphics cards, also with older drivers; from pytorch.org"),
    ("cpu", "CPU", "Without a graphics card, a small download; from pytorch.org"),
]


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
    torch: EnumProperty(  # type: ignore[valid-type]
        name="Torch", description="Which build of torch Set Up GPU Engine downloads", items=TORCH_SOURCES
    )

    # what new scenes begin with, as JSON
    defaults: StringProperty(options={"HIDDEN"})  # type: ignore[valid-type]

    def draw(self, context: Any) -> None:
        """The fields, the buttons and what the last check found."""
        layout: Any = self.layout
        layout.use_property_split = True
        layout.prop(self, "python")
        layout.prop(self, "device")
        layout.prop(self, "model")
        layout.prop(self, "torch")
        operators_engine.draw_engine_page(layout, context)
        layout.separator()
        layout.label(text="New scenes begin with settings of yours" if self.defaults else "New scenes begin as shipped")
        row = layout.row(align=True)
        row.operator("housex.save_defaults", text="Take Those of This Scene", icon="SCENE_DATA")
        row.operator("housex.reset_defaults", icon="LOOP_BACK")


CLASSES = (
    *error_dialog.CLASSES,
    *operators_engine.CLASSES,
    # without an entry in Blender's add-on list the class could not be registered to any purpose
    *((HouseXPreferences,) if IS_EXTENSION else ()),
)
