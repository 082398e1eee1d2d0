"""Shaders of the tunnel: one node group of signals, one of haze, a hull and three emitters. Zone: bpy.

The light that lamps throw on the hull is stored on the mesh (see ``lamps``) and multiplied here by the keyed
colours, so what Cycles samples is only mirror reflections: quick, free of noise, and alike in EEVEE.
"""

from __future__ import annotations

from typing import Any

from .nodes import fresh_group, fresh_material, math, signals_group, use_group, vector_math

HAZE_M = 58.0
# Distance between two pulses on a strip; a whole number of them fits a module.
PULSE_M = 24.0


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
