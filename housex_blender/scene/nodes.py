"""Node trees of our scenes: fresh blocks, small nodes, and the group of signals that every scene shares. Zone: bpy."""

from __future__ import annotations

import re
from typing import Any

import bpy

from . import compat
from .rig import SceneHandles


def fresh_group(name: str) -> Any:
    """An empty shader node group of that name; an earlier one is emptied, so that its action stays its own."""
    tree: Any = free_block(bpy.data.node_groups, name)
    if tree is None:
        return bpy.data.node_groups.new(name, "ShaderNodeTree")
    tree.nodes.clear()
    tree.interface.clear()
    return tree


def fresh_motion(name: str) -> Any:
    """An empty geometry node group of that name with a geometry going in and one coming out."""
    tree: Any = free_block(bpy.data.node_groups, name)
    if tree is None:
        tree = bpy.data.node_groups.new(name, "GeometryNodeTree")
    tree.nodes.clear()
    tree.interface.clear()
    for in_out in ("INPUT", "OUTPUT"):
        tree.interface.new_socket("Geometry", in_out=in_out, socket_type="NodeSocketGeometry")
    return tree


def fresh_material(name: str) -> tuple[Any, Any]:
    """A material of that name with an empty tree."""
    material = free_block(bpy.data.materials, name) or bpy.data.materials.new(name)
    return material, compat.node_tree(material)


def free_block(blocks: Any, name: str) -> Any:
    """What an earlier build left under that name and no show in any scene uses: each has colours of its own."""
    ours = re.compile(rf"{re.escape(name)}(\.\d+)?")
    found = [block for block in blocks if block.library is None and ours.fullmatch(block.name)]
    taken = taken_blocks() if found else set()
    return next((block for block in found if block not in taken), None)


def taken_blocks() -> set[Any]:
    """Materials, worlds and geometry groups of the shows that stand in a scene, and the groups in them."""
    parts = [thing for thing in bpy.data.objects if compat.is_part(thing) and thing.users_scene]
    found: set[Any] = {slot.material for thing in parts for slot in thing.material_slots if slot.material}
    found |= {scene.world for scene in bpy.data.scenes if scene.world is not None}
    trees: list[Any] = [block.node_tree for block in found if block.node_tree is not None]
    motions: list[Any] = [part for thing in parts for part in thing.modifiers if part.type == "NODES"]
    groups = {motion.node_group for motion in motions} - {None}
    found |= groups
    trees.extend(groups)
    while trees:
        groups = {node.node_tree for node in trees.pop().nodes if node.type == "GROUP" and node.node_tree} - found
        found |= groups
        trees.extend(groups)
    return found


def math(tree: Any, operation: str, first: Any, second: Any = 0.0) -> Any:
    """Output socket of a Math node; numbers and sockets may be mixed."""
    node = tree.nodes.new("ShaderNodeMath")
    node.operation = operation
    for socket, value in zip(node.inputs, (first, second), strict=False):
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


def bind_lights(handles: SceneHandles, signals: Any) -> None:
    """Key colour and strength of the three groups in a :func:`signals_group`."""
    for letter in "abc":
        upper = letter.upper()
        handles.bind_colour(f"colour_{letter}", signals, f'nodes["Colour {upper}"].outputs[0].default_value')
        handles.bind_value(f"light_{letter}", signals, f"Light {upper}")


def use_group(tree: Any, group: Any) -> Any:
    """A node that uses a group."""
    node = tree.nodes.new("ShaderNodeGroup")
    node.node_tree = group
    return node
