"""The glow: around lights alone, as wide at every size, and kept in a saved file. Zone: tests (bpy)."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest

from housex_blender.scene import glow, output


def lamp_light(scene, path: Path, width: int, strength: float) -> np.ndarray:
    """(9, 16) mean linear light of a picture of a white square in the middle, in tiles."""
    square = bpy.data.objects.get("Square")
    if square is None:
        mesh = bpy.data.meshes.new("Square")
        mesh.from_pydata([(-1, -1, 0), (1, -1, 0), (1, 1, 0), (-1, 1, 0)], [], [(0, 1, 2, 3)])
        square = bpy.data.objects.new("Square", mesh)
        scene.collection.objects.link(square)
        material = bpy.data.materials.new("Lit")
        material.use_nodes = True
        tree = material.node_tree
        tree.nodes.clear()
        shine, end = tree.nodes.new("ShaderNodeEmission"), tree.nodes.new("ShaderNodeOutputMaterial")
        tree.links.new(shine.outputs[0], end.inputs[0])
        mesh.materials.append(material)
        camera = bpy.data.objects.new("Above", bpy.data.cameras.new("Above"))
        camera.location = (0, 0, 20)
        scene.collection.objects.link(camera)
        scene.camera = camera
    next(node for node in square.data.materials[0].node_tree.nodes if node.type == "EMISSION").inputs[
        "Strength"
    ].default_value = strength
    output.configure(scene, engine="cycles", resolution=(width, width * 9 // 16))
    scene.render.dither_intensity = 0.0
    output.render_still(scene, 1, path)
    image = bpy.data.images.load(str(path), check_existing=False)
    image.colorspace_settings.name = "Non-Color"
    pixels = np.array(image.pixels[:]).reshape(image.size[1], image.size[0], 4)[..., 0]
    bpy.data.images.remove(image)
    step = width // 16
    light = np.where(pixels <= 0.04045, pixels / 12.92, ((pixels + 0.055) / 1.055) ** 2.4)
    return light.reshape(9, step, 16, step).mean(axis=(1, 3))


def test_only_bright_things_glow(scene, tmp_path: Path) -> None:
    dim = lamp_light(scene, tmp_path / "dim.png", 80, 0.5)
    lit = lamp_light(scene, tmp_path / "lit.png", 80, 5.0)
    assert dim[4, 5] == 0.0
    # beside the square, and weaker further out
    assert lit[4, 5] > 0.01
    assert lit[4, 5] > 2 * lit[4, 1]


def test_the_glow_is_as_wide_at_every_size(scene, tmp_path: Path) -> None:
    small = lamp_light(scene, tmp_path / "small.png", 160, 5.0)
    large = lamp_light(scene, tmp_path / "large.png", 320, 5.0)
    beside = [(4, column) for column in (4, 5)]
    assert [large[tile] for tile in beside] == pytest.approx([small[tile] for tile in beside], rel=0.15)


def test_a_saved_scene_keeps_the_glow_and_has_one(scene, tmp_path: Path) -> None:
    output.configure(scene)
    output.configure(scene)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "glow.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "glow.blend"), use_scripts=False)
    groups = [tree for tree in bpy.data.node_groups if tree.name.startswith(output.BLOOM)]
    assert len(groups) == 1
    blurs = [node for node in groups[0].nodes if node.bl_idname == "CompositorNodeBlur"]
    assert len(blurs) == len(glow.BLURS)
    assert not bpy.data.libraries, "no path to where the extension lies"
    assert bpy.utils.blend_paths(local=True) == []
