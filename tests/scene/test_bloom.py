"""The glow: the same numbers in every Blender, however often a scene is configured. Zone: tests (bpy)."""

from __future__ import annotations

from pathlib import Path

import bpy

from housex_blender.scene import output


def glare_numbers(node) -> tuple[float, float, float]:
    """Threshold, strength (0..1) and size (0..1) of a Glare node, wherever this Blender keeps them."""
    if "Threshold" in node.inputs:
        return tuple(round(node.inputs[name].default_value, 3) for name in ("Threshold", "Strength", "Size"))
    size = 2.0 ** (node.size - 9)
    return round(node.threshold, 3), round((1 + node.mix) * node.size, 3), round(size, 3)


def test_the_glow_has_its_numbers_in_this_blender(scene) -> None:
    output.configure(scene)
    output.configure(scene)
    groups = [tree for tree in bpy.data.node_groups if tree.name.startswith(output.BLOOM)]
    assert len(groups) == 1
    assert glare_numbers(groups[0].nodes["HX Bloom"]) == (0.55, 0.6, 0.5)


def test_a_saved_scene_keeps_the_glow(scene, tmp_path: Path) -> None:
    output.configure(scene)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "glow.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "glow.blend"), use_scripts=False)
    kept = bpy.data.node_groups[output.BLOOM]
    assert kept.library is None
    assert not bpy.data.libraries, "no path to where the extension lies"
    assert bpy.utils.blend_paths(local=True) == []
    assert glare_numbers(kept.nodes["HX Bloom"]) == (0.55, 0.6, 0.5)
