"""Geometry node trees under construction: the geometry on its way, and the keyed numbers it may use. Zone: bpy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .formula import Num, Vec
from .nodes import fresh_motion


def values_group(name: str, rests: Mapping[str, float]) -> Any:
    """A geometry node group with one Value node, to be keyed, and one output for each name.

    Args:
        name: Of the group.
        rests: Name of each Value node -> what stands there until keys are written.
    """
    tree = fresh_motion(name)
    tree.interface.clear()
    output = tree.nodes.new("NodeGroupOutput")
    for row, (title, rest) in enumerate(rests.items()):
        value = tree.nodes.new("ShaderNodeValue")
        value.name = value.label = title
        value.location = (-300, -100 * row)
        value.outputs[0].default_value = rest
        tree.interface.new_socket(title, in_out="OUTPUT", socket_type="NodeSocketFloat")
        tree.links.new(value.outputs[0], output.inputs[row])
    return tree


class Motion:
    """A modifier's node tree.

    Attributes:
        tree: The tree.
        geometry: Socket with the geometry so far.
        value: The keyed numbers of a :func:`values_group`, by name.
    """

    def __init__(self, name: str, values: Any) -> None:
        self.tree = fresh_motion(name)
        self.geometry = self.tree.nodes.new("NodeGroupInput").outputs[0]
        source: Any = self.tree.nodes.new("GeometryNodeGroup")
        source.node_tree = values
        self.value = {socket.name: Num(self.tree, socket) for socket in source.outputs}

    def position(self) -> Vec:
        """Where each point is."""
        return Vec(self.tree, self.tree.nodes.new("GeometryNodeInputPosition").outputs[0])

    def named(self, name: str) -> Vec:
        """A vector that is stored on the mesh."""
        node = self.tree.nodes.new("GeometryNodeInputNamedAttribute")
        node.data_type = "FLOAT_VECTOR"
        node.inputs["Name"].default_value = name
        return Vec(self.tree, node.outputs["Attribute"])

    def store(self, name: str, value: Vec, domain: str = "POINT") -> None:
        """Store a vector for the shader."""
        node = self.tree.nodes.new("GeometryNodeStoreNamedAttribute")
        node.data_type, node.domain = "FLOAT_VECTOR", domain
        node.inputs["Name"].default_value = name
        self.tree.links.new(value.socket, node.inputs["Value"])
        self.through(node)

    def place(self, position: Vec) -> None:
        """Put every point there."""
        node = self.tree.nodes.new("GeometryNodeSetPosition")
        self.tree.links.new(position.socket, node.inputs["Position"])
        self.through(node)

    def through(self, node: Any) -> None:
        """Send the geometry through a node."""
        self.tree.links.new(self.geometry, node.inputs["Geometry"])
        self.geometry = node.outputs["Geometry"]

    def finish(self) -> Any:
        """The tree."""
        self.tree.links.new(self.geometry, self.tree.nodes.new("NodeGroupOutput").inputs[0])
        return self.tree
