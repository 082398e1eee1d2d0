"""The glow around lights, in the compositor. Zone: bpy.

Made of blurs and sums, which every Blender since 4.2 draws alike at every size; what a Glare node draws differs.
"""

from __future__ import annotations

from typing import Any

import bpy

from . import compat

BLOOM = "HX Bloom"
# what of a colour (linear) lies above the first glows; a light brighter than the second glows no more
THRESHOLD, MOST = 0.55, 10.0
# size of each blur in percent of the picture's width, about three times its deviation, and how much of it is added;
# whole pixels at the usual sizes, for 4.2 and 4.3 know no others
BLURS = ((2.5, 0.18), (10.0, 0.13), (25.0, 0.30))


def bloom_group() -> Any:
    """The node group that adds the glow to an image and keeps its alpha; the file's own if it has one."""
    groups: Any = bpy.data.node_groups
    found = next((tree for tree in groups if tree.name == BLOOM and tree.library is None), None)
    if found is not None and found.bl_idname == "CompositorNodeTree":
        return found
    tree = groups.new(BLOOM, "CompositorNodeTree")
    for in_out in ("INPUT", "OUTPUT"):
        tree.interface.new_socket("Image", in_out=in_out, socket_type="NodeSocketColor")
    entry, end = tree.nodes.new("NodeGroupInput"), tree.nodes.new("NodeGroupOutput")
    end.location = (1000, 0)
    bright = _limited(tree, entry.outputs[0])
    lit = entry.outputs[0]
    for place, (percent, amount) in enumerate(BLURS):
        blurred = compat.add_blur(tree, bright, percent)
        blurred.node.location = (600, -250 * (place + 1))
        lit = compat.add_mix(tree, "ADD", lit, blurred, amount)
        lit.node.location = (800, -250 * place)
    tree.links.new(lit, end.inputs[0])
    return tree


def _limited(tree: Any, image: Any) -> Any:
    """What of an image is bright enough to glow."""
    for place, (kind, level) in enumerate((("SUBTRACT", THRESHOLD), ("LIGHTEN", 0.0), ("DARKEN", MOST))):
        image = compat.add_mix(tree, kind, image, (level, level, level, 1.0))
        image.node.location = (200 * place, -250)
    return image
