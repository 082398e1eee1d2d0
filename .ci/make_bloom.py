"""Writes housex_blender/scene/bloom.blend, the node group that makes lights glow. Run it with Blender 4.2 as a module.

A Glare node keeps its numbers in other places from 4.4 on, and a newer Blender cannot write the old ones: a scene
saved by 4.5 would open in 4.2 with a glow of no threshold over all of it. A node that was made by 4.2 keeps both.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import bpy

TARGET = Path(__file__).resolve().parents[1] / "housex_blender" / "scene" / "bloom.blend"


def main() -> None:
    """Make the group and write it alone."""
    if bpy.app.version[:2] != (4, 2):
        sys.exit("make_bloom: run it with Blender 4.2.")
    bpy.ops.wm.read_factory_settings(use_empty=True)
    tree = bpy.data.node_groups.new("HX Bloom", "CompositorNodeTree")
    for in_out in ("INPUT", "OUTPUT"):
        tree.interface.new_socket("Image", in_out=in_out, socket_type="NodeSocketColor")
    entry, end = tree.nodes.new("NodeGroupInput"), tree.nodes.new("NodeGroupOutput")
    glare = tree.nodes.new("CompositorNodeGlare")
    glare.name = "HX Bloom"
    glare.glare_type, glare.quality = "BLOOM", "MEDIUM"
    # newer versions read these as threshold 0.55, size 2 ** (8 - 9) = 0.5 and strength (1 - 0.925) * 8 = 0.6
    glare.threshold, glare.size, glare.mix = 0.55, 8, -0.925
    entry.location, end.location = (-300, 0), (300, 0)
    tree.links.new(entry.outputs[0], glare.inputs[0])
    tree.links.new(glare.outputs[0], end.inputs[0])
    bpy.data.libraries.write(str(TARGET), {tree}, compress=True)
    print(f"wrote {TARGET.name}: {TARGET.stat().st_size} bytes")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
    os._exit(0)  # 4.2 as a module may crash at its end
