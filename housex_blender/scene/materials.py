"""Shaders of the tunnel: one node group of signals, one of haze, a hull and three emitters. Zone: bpy.

The light that lamps throw on the hull is stored on the mesh (see ``lamps``) and multiplied here by the keyed
colours, so what Cycles samples is only mirror reflections: quick, free of noise, and alike in EEVEE.
"""

from __future__ import annotations

import re
from typing import Any

import bpy

from . import compat

HAZE_M = 58.0
# Distance between two pulses on a strip; a whole number of them fits a module.
PULSE_M = 24.0


def fresh_group(name: str) -> Any:
    """An empty shader node group of that name; an earlier one is emptied, so that its action stays its own."""
    tree: Any = free_block(bpy.data.node_groups, name)
    if tree is None:
        return bpy.data.node_groups.new(name, "ShaderNodeTree")
    tree.nodes.clear()
    tree.interface.clear()
    return tree


def fresh_material(name: str) -> tuple[Any, Any]:
    """A material of that name with an empty tree."""
    material = free_block(bpy.data.materials, name) or bpy.data.materials.new(name)
    return material, compat.node_tree(material)


def free_block(blocks: Any, name: str) -> Any:
    """What an earlier build left under that name and no tunnel in any scene uses: each has colours of its own."""
    ours = re.compile(rf"{re.escape(name)}(\.\d+)?")
    found = [block for block in blocks if block.library is None and ours.fullmatch(block.name)]
    taken = taken_blocks() if found else set()
    return next((block for block in found if block not in taken), None)


def taken_blocks() -> set[Any]:
    """Materials of the tunnels that stand in a scene, and the groups in them."""
    tunnels = [thing for thing in bpy.data.objects if thing.get(compat.OWNED) == "tunnel" and thing.users_scene]
    found: set[Any] = {slot.material for thing in tunnels for slot in thing.material_slots if slot.material}
    trees: list[Any] = [material.node_tree for material in found]
    while trees:
        groups = {node.node_tree for node in trees.pop().nodes if node.type == "GROUP" and node.node_tree} - found
        found |= groups
        trees.extend(groups)
    return found


def math(tree: Any, operation: str, first: Any, second: Any = 0.0, third: Any = 0.0) -> Any:
    """Output socket of a Math node; numbers and sockets may be mixed."""
    node = tree.nodes.new("ShaderNodeMath")
    node.operation = operation
    for socket, value in zip(node.inputs, (first, second, third), strict=False):
        if isinstance(value, (int, float)):
            socket.default_value = value
        else:
            tree.links.new(value, socket)
    return node.outputs[0]


def vector_math(tree: Any, operation: str, first: Any, second: Any = None, scale: Any = None) -> Any:
    """Output socket of a Vector Math node."""
    node = tree.nodes.new("ShaderNodeVectorMath")
    node.operation = operation
    tree.links.new(first, node.inputs[0])
    if second is not None:
        tree.links.new(second, node.inputs[1])
    if scale is not None:
        if isinstance(scale, (int, float)):
            node.inputs["Scale"].default_value = scale
        else:
            tree.links.new(scale, node.inputs["Scale"])
    return node.outputs[0]


def signals_group() -> Any:
    """Node group "HX Signals": colour times light of each group, and the running phase.

    Keyed inside: nodes "Colour A".."C" (RGB), "Light A".."C" and "Phase" (Value).
    """
    tree = fresh_group("HX Signals")
    output = tree.nodes.new("NodeGroupOutput")
    for row, letter in enumerate("ABC"):
        colour, light = tree.nodes.new("ShaderNodeRGB"), tree.nodes.new("ShaderNodeValue")
        colour.name = colour.label = f"Colour {letter}"
        light.name = light.label = f"Light {letter}"
        colour.location, light.location = (-600, -300 * row), (-600, -300 * row - 200)
        tree.interface.new_socket(letter, in_out="OUTPUT", socket_type="NodeSocketVector")
        tree.links.new(vector_math(tree, "SCALE", colour.outputs[0], scale=light.outputs[0]), output.inputs[row])
    phase = tree.nodes.new("ShaderNodeValue")
    phase.name = phase.label = "Phase"
    tree.interface.new_socket("Phase", in_out="OUTPUT", socket_type="NodeSocketFloat")
    tree.links.new(phase.outputs[0], output.inputs[3])
    return tree


def use_group(tree: Any, group: Any) -> Any:
    """A node that uses a group."""
    node = tree.nodes.new("ShaderNodeGroup")
    node.node_tree = group
    return node


def haze_group(signals: Any) -> Any:
    """Node group "HX Haze": fades any shader into glowing air by its distance from the camera."""
    tree = fresh_group("HX Haze")
    tree.interface.new_socket("Shader", in_out="INPUT", socket_type="NodeSocketShader")
    tree.interface.new_socket("Reach", in_out="INPUT", socket_type="NodeSocketFloat")
    tree.interface.new_socket("Shader", in_out="OUTPUT", socket_type="NodeSocketShader")
    entry, output = tree.nodes.new("NodeGroupInput"), tree.nodes.new("NodeGroupOutput")
    camera = tree.nodes.new("ShaderNodeCameraData")
    far = math(tree, "DIVIDE", camera.outputs["View Distance"], entry.outputs["Reach"])
    clear = math(tree, "POWER", 2.718282, math(tree, "MULTIPLY", math(tree, "POWER", far, 2.0), -1.0))
    air = use_group(tree, signals)
    glow = vector_math(
        tree,
        "ADD",
        vector_math(tree, "SCALE", air.outputs["C"], scale=0.5),
        vector_math(tree, "SCALE", air.outputs["A"], scale=0.05),
    )
    emission = tree.nodes.new("ShaderNodeEmission")
    tree.links.new(glow, emission.inputs["Color"])
    mix = tree.nodes.new("ShaderNodeMixShader")
    tree.links.new(clear, mix.inputs[0])
    tree.links.new(emission.outputs[0], mix.inputs[1])
    tree.links.new(entry.outputs["Shader"], mix.inputs[2])
    tree.links.new(mix.outputs[0], output.inputs[0])
    return tree


def finish(material: Any, tree: Any, shader: Any, haze: Any, reach_m: float) -> Any:
    """Send a shader through the haze to the material's output."""
    output, fade = tree.nodes.new("ShaderNodeOutputMaterial"), use_group(tree, haze)
    fade.inputs["Reach"].default_value = reach_m
    tree.links.new(shader, fade.inputs["Shader"])
    tree.links.new(fade.outputs[0], output.inputs["Surface"])
    # The lamps' light is baked on the mesh: sampling millions of tiny emitters again would only add noise.
    material.cycles.emission_sampling = "NONE"
    return material


def hull_material(signals: Any, haze: Any) -> Any:
    """Dark glossy plates under the baked light of the three groups."""
    material, tree = fresh_material("HX Hull")
    light, surface = (tree.nodes.new("ShaderNodeAttribute") for _ in range(2))
    light.attribute_name, surface.attribute_name = "hx_light", "hx_surface"
    part, kind = (tree.nodes.new("ShaderNodeSeparateColor") for _ in range(2))
    tree.links.new(light.outputs["Color"], part.inputs[0])
    tree.links.new(surface.outputs["Color"], kind.inputs[0])
    source = use_group(tree, signals)
    total = None
    for letter, socket, gain in zip("ABC", part.outputs, (0.52, 0.13, 0.035), strict=False):
        one = vector_math(tree, "SCALE", source.outputs[letter], scale=math(tree, "MULTIPLY", socket, gain))
        total = one if total is None else vector_math(tree, "ADD", total, one)
    emission, glossy, add = (tree.nodes.new("ShaderNode" + name) for name in ("Emission", "BsdfGlossy", "AddShader"))
    tree.links.new(vector_math(tree, "SCALE", total, scale=kind.outputs[0]), emission.inputs["Color"])
    weight = tree.nodes.new("ShaderNodeLayerWeight")
    weight.inputs["Blend"].default_value = 0.35
    mirror = math(tree, "MULTIPLY_ADD", weight.outputs["Fresnel"], 0.75, 0.10)
    mirror = math(tree, "MULTIPLY", mirror, kind.outputs[2])
    tree.links.new(mirror, glossy.inputs["Color"])
    tree.links.new(kind.outputs[1], glossy.inputs["Roughness"])
    tree.links.new(emission.outputs[0], add.inputs[0])
    tree.links.new(glossy.outputs[0], add.inputs[1])
    return finish(material, tree, add.outputs[0], haze, HAZE_M)


def emitter_material(name: str, letter: str, signals: Any, haze: Any, reach_m: float) -> Any:
    """A lamp: colour and strength of its node "Emission" are keyed."""
    material, tree = fresh_material(name)
    emission = tree.nodes.new("ShaderNodeEmission")
    emission.name = "Emission"
    # A little white of the same brightness makes the tube look hot without washing its colour out.
    strongest = tree.nodes.new("ShaderNodeSeparateColor")
    strongest.mode = "HSV"
    tree.links.new(use_group(tree, signals).outputs[letter], strongest.inputs[0])
    hot, add = tree.nodes.new("ShaderNodeEmission"), tree.nodes.new("ShaderNodeAddShader")
    tree.links.new(math(tree, "MULTIPLY", strongest.outputs[2], 0.12), hot.inputs["Strength"])
    if letter == "B":
        add_pulses(tree, signals, add)
    tree.links.new(emission.outputs[0], add.inputs[0])
    tree.links.new(hot.outputs[0], add.inputs[1])
    return finish(material, tree, add.outputs[0], haze, reach_m)


def add_pulses(tree: Any, signals: Any, add: Any) -> None:
    """Bright dashes with a tail that run along the strips; ``add`` is the shader sum to join."""
    place, source = tree.nodes.new("ShaderNodeAttribute"), use_group(tree, signals)
    place.attribute_name = "hx_along"
    saw = math(tree, "FRACT", math(tree, "SUBTRACT", place.outputs["Fac"], source.outputs["Phase"]))
    pulse, both = tree.nodes.new("ShaderNodeEmission"), tree.nodes.new("ShaderNodeAddShader")
    tree.links.new(source.outputs["B"], pulse.inputs["Color"])
    tree.links.new(math(tree, "MULTIPLY", math(tree, "POWER", saw, 5.0), 3.0), pulse.inputs["Strength"])
    tree.links.new(pulse.outputs[0], both.inputs[0])
    tree.links.new(tree.nodes["Emission"].outputs[0], both.inputs[1])
    tree.links.new(both.outputs[0], add.inputs[0])


def core_material(signals: Any) -> Any:
    """Additive glow, brightest in the middle of the disc."""
    material, tree = fresh_material("HX Core")
    place, source = tree.nodes.new("ShaderNodeTexCoord"), use_group(tree, signals)
    reach = tree.nodes.new("ShaderNodeVectorMath")
    reach.operation = "LENGTH"
    tree.links.new(place.outputs["Object"], reach.inputs[0])
    inside = math(tree, "MAXIMUM", math(tree, "SUBTRACT", 1.0, math(tree, "DIVIDE", reach.outputs["Value"], 9.0)), 0.0)
    emission, clear, add, output = (
        tree.nodes.new("Shader" + name)
        for name in ("NodeEmission", "NodeBsdfTransparent", "NodeAddShader", "NodeOutputMaterial")
    )
    tree.links.new(source.outputs["C"], emission.inputs["Color"])
    tree.links.new(math(tree, "MULTIPLY", math(tree, "POWER", inside, 2.5), 1.5), emission.inputs["Strength"])
    tree.links.new(emission.outputs[0], add.inputs[0])
    tree.links.new(clear.outputs[0], add.inputs[1])
    tree.links.new(add.outputs[0], output.inputs["Surface"])
    material.cycles.emission_sampling = "NONE"
    material.surface_render_method = "BLENDED"
    return material


def tunnel_materials() -> dict[str, Any]:
    """All materials by part name, and the group "signals"."""
    signals = signals_group()
    haze = haze_group(signals)
    return {
        "core": core_material(signals),
        "signals": signals,
        "hull": hull_material(signals, haze),
        "rings": emitter_material("HX Rings", "A", signals, haze, HAZE_M * 1.5),
        "strips": emitter_material("HX Strips", "B", signals, haze, HAZE_M * 1.4),
        "accents": emitter_material("HX Accents", "C", signals, haze, HAZE_M * 1.2),
    }
