"""Track titles in the lower third, in front of whatever camera the cuts show. Zone: bpy.

Every camera carries a mount at a distance that grows with its lens, so that titles keep their place and size while the
lens moves. One holder sits on the mount of the camera that is on. It carries a strip with all titles side by side,
which one curve pulls along: what is not shown waits beside the frame, and another title costs no curve.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import bpy
import numpy as np

from ..core.errors import SceneError
from ..core.keys import KeyTrack
from ..core.titles import TitleCard, title_strength
from . import compat
from .build import remove_object
from .formula import Num
from .framing import half_frame
from .keyframes import write_keys
from .meshes import quad_mesh
from .nodes import fresh_group, fresh_material, use_group

COLLECTION_NAME = "HX Titles"
FADE_PATH = 'nodes["Fade"].outputs[0].default_value'
# Metres to the titles for each millimetre of the lens; near, so that nothing comes between.
_NEAR_M, _SHORTEST_LENS_MM = 0.006, 12.0
# In half widths of the frame: from one title to the next on the strip, and how far behind the letters the shade is.
# Near enough that hundreds of titles stay where single precision is fine.
_STEP, _BEHIND = 4.0, 0.02
_SMALL_CAPS = 0.7
# Mean width of a letter, as a part of its size.
_LETTER = 0.5
# letters on a white light are still read: contrast at least 4.5 to 1, as WCAG asks of text
_WHITE, _SHADE = 0.85, 0.9


class _Layout:
    """Where titles stand in a frame, in half widths of it from its middle.

    Tall pictures are watched on telephones, whose buttons lie over the lowest fifth.
    """

    def __init__(self, resolution: tuple[int, int]) -> None:
        self.high = resolution[1] / resolution[0]
        lowest, side = (0.24, 0.09) if self.high > 1.2 else (0.13, 0.07) if self.high > 0.8 else (0.12, 0.06)
        self.left = -1.0 + 2.0 * side
        self.bottom = -self.high + 2.0 * self.high * lowest
        self.width = -2.0 * self.left
        self.size = 0.1 * min(1.0, max(self.high, 0.5)) ** 0.5 * (1.15 if self.high > 0.8 else 1.0)
        self.letters = int(self.width / self.size / _LETTER)


def add_titles(
    scene: bpy.types.Scene, cards: Sequence[TitleCard], resolution: tuple[int, int], *, shade: bool = True
) -> Any:
    """Put titles into a built scene; call it after its cuts and cameras are made.

    Args:
        scene: With a camera.
        cards: What to show when, in order; at least one.
        resolution: Width and height of the picture in pixels, which decide where titles stand.
        shade: Darken what lies behind the letters.

    Returns:
        The holder of the titles.
    """
    collection = bpy.data.collections.new(COLLECTION_NAME)
    # inside our scene, so that whatever removes that removes the titles too
    top = next((child for child in scene.collection.children if child.get(compat.OWNED)), scene.collection)
    top.children.link(collection)
    layout = _Layout(resolution)
    strength = title_strength(cards)
    fade = fresh_group("HX Title Fade")
    fade.interface.new_socket("Fade", in_out="OUTPUT", socket_type="NodeSocketFloat")
    value, out = fade.nodes.new("ShaderNodeValue"), fade.nodes.new("NodeGroupOutput")
    value.name = "Fade"
    fade.links.new(value.outputs[0], out.inputs[0])
    write_keys(fade, FADE_PATH, -1, strength)
    holder = bpy.data.objects.new("HX Title Holder", None)
    holder.empty_display_size = 0.01
    collection.objects.link(holder)
    _follow_cuts(scene, collection, holder, resolution)
    letters = _letters_material(fade, strength)
    strip = _strip(collection, holder, cards)
    texts = [_text(f"HX Title {number}", card, layout, letters) for number, card in enumerate(cards, 1)]
    for text in texts:
        _place(collection, strip, text)
    scene.view_layers[0].update()
    letters_top = max(_fit(text, layout) for text in texts)
    for number, text in enumerate(texts):
        text.location[0] += number * _STEP
    if shade:
        _place(collection, strip, _shade(layout, letters_top, len(cards), _shade_material(fade)))
    for part in (collection, *collection.objects):
        part[compat.OWNED] = "titles"
    return holder


def remove_titles(scene: bpy.types.Scene) -> None:
    """Take titles away that an earlier build left, in a file that was saved with them."""
    for collection in [part for part in scene.collection.children_recursive if part.get(compat.OWNED) == "titles"]:
        for thing in list(collection.objects):
            remove_object(thing)
        bpy.data.collections.remove(collection)


# -- cameras ---------------------------------------------------------------------------------------------------


def camera_cuts(scene: bpy.types.Scene) -> list[tuple[int, Any]]:
    """(frame, camera) of every cut, in order; the first one holds from the start.

    Raises:
        SceneError: What a marker is bound to, or the scene looks through, is no camera.
    """
    cuts: dict[int, Any] = {}
    for marker in scene.timeline_markers:
        # Blender takes none that is hidden from renders, and the first of several on one frame
        if marker.camera is not None and not marker.camera.hide_render:
            cuts.setdefault(marker.frame, marker.camera)
    if not cuts:
        cuts = {scene.frame_start: scene.camera}
    for camera in cuts.values():
        if camera.type != "CAMERA":
            raise SceneError(f"{camera.name} is no camera.", "Bind its marker to a camera, or leave out the titles.")
    return sorted(cuts.items(), key=lambda cut: cut[0])


def _follow_cuts(scene: bpy.types.Scene, collection: Any, holder: Any, resolution: tuple[int, int]) -> None:
    """Let the holder sit on the mount of the camera that is on."""
    cuts = camera_cuts(scene)
    cameras = list(dict.fromkeys(camera for _, camera in cuts))
    for number, camera in enumerate(cameras):
        seat: Any = holder.constraints.new("COPY_TRANSFORMS")
        seat.name = f"HX {camera.name}"
        seat.target = _mount(collection, camera, resolution)
        # the last one that is on counts: the first stays on below the others
        if number:
            on = [float(shown == camera) for _, shown in cuts]
            frames = np.array([frame for frame, _ in cuts], np.float32)
            path = f"constraints[{_quoted(seat.name)}].influence"
            write_keys(holder, path, -1, KeyTrack(frames, np.array(on, np.float32), "CONSTANT"))


def _quoted(name: str) -> str:
    return '"' + bpy.utils.escape_identifier(name) + '"'


def _mount(collection: Any, camera: Any, resolution: tuple[int, int]) -> Any:
    """An empty in front of a camera; its units are half widths of the frame from the frame's middle."""
    half_width, _, right, up = half_frame(camera, resolution)
    mount = bpy.data.objects.new(f"HX Title Mount {camera.name.removeprefix('HX ')}", None)
    mount.empty_display_size = 0.01
    mount.parent = camera
    collection.objects.link(mount)
    if camera.data.type == "ORTHO":
        mount.scale = (half_width,) * 3
        mount.location = (right, up, -2.0 * camera.data.clip_start)
        return mount
    near_m = max(_NEAR_M, 1.5 * camera.data.clip_start / _SHORTEST_LENS_MM)
    mount.scale = (half_width * near_m,) * 3
    mount.location = (right * near_m, up * near_m, 0.0)
    # simple enough for Blender to evaluate where scripts are disabled
    driver = mount.driver_add("location", 2).driver
    driver.type, driver.expression = "SCRIPTED", f"lens * {-near_m:.6g}"
    lens = driver.variables.new()
    lens.name = "lens"
    target = lens.targets[0]
    target.id_type, target.id, target.data_path = "CAMERA", camera.data, "lens"
    return mount


# -- letters ---------------------------------------------------------------------------------------------------


def _text(name: str, card: TitleCard, layout: _Layout, material: Any) -> Any:
    """Two lines with Blender's own font: the artist small, the title in capitals and small capitals."""
    curve: Any = bpy.data.curves.new(name, "FONT")
    artist, title = card.artist.lower(), card.title
    plain = (artist + title).isascii()
    if not plain:
        # since 4.5 Blender makes small capitals of ASCII letters alone: others would be boxes
        artist, title = artist.upper(), title.upper()
    artists = _lines(artist, int(layout.letters / _SMALL_CAPS)) if artist else []
    curve.body = "\n".join([*artists, *_lines(title, layout.letters)])
    for letter in curve.body_format:
        letter.use_small_caps = plain
    curve.small_caps_scale = _SMALL_CAPS
    curve.size, curve.space_line, curve.space_character = layout.size, 0.9 if plain else 1.1, 1.12
    curve.align_x, curve.align_y = "LEFT", "BOTTOM_BASELINE"
    curve.resolution_u = 4
    curve.materials.append(material)
    return bpy.data.objects.new(name, curve)


def _lines(title: str, letters: int) -> list[str]:
    """A title in one line, or in two of about the same length where one would be too long."""
    spaces = [place for place, letter in enumerate(title) if letter == " "]
    if len(title) <= letters or not spaces:
        return [title]
    middle = min(spaces, key=lambda place: abs(place - len(title) / 2))
    return [title[:middle], title[middle + 1 :]]


def _strip(collection: Any, holder: Any, cards: Sequence[TitleCard]) -> Any:
    """An empty on the holder that brings the place of each card into the frame, and none of them between cards."""
    strip = bpy.data.objects.new("HX Title Strip", None)
    strip.empty_display_size = 0.01
    strip.parent = holder
    collection.objects.link(strip)
    places = {float(cards[0].first_frame) - 1.0: _STEP}
    for number, card in enumerate(cards):
        places |= {float(card.first_frame): -number * _STEP, float(card.end_frame): _STEP}
    frames = np.array(sorted(places), np.float32)
    write_keys(strip, "location", 0, KeyTrack(frames, np.array([places[float(f)] for f in frames]), "CONSTANT"))
    return strip


def _place(collection: Any, strip: Any, thing: Any) -> None:
    """Hang something on the strip that the camera alone sees."""
    thing.parent = strip
    collection.objects.link(thing)
    for ray in ("diffuse", "glossy", "transmission", "volume_scatter", "shadow"):
        setattr(thing, f"visible_{ray}", False)


def _fit(text: Any, layout: _Layout) -> float:
    """Put an evaluated text into the lower left corner of what is safe, smaller if it is too long; returns its top."""
    corners = np.array(text.bound_box)
    low, high = corners.min(axis=0), corners.max(axis=0)
    scale = min(1.0, layout.width / max(float(high[0]), 1e-6))
    text.scale = (scale,) * 3
    text.location[0], text.location[1] = layout.left, layout.bottom - scale * float(low[1])
    return layout.bottom + scale * float(high[1] - low[1])


def _letters_material(fade: Any, strength: KeyTrack) -> Any:
    material, tree = fresh_material("HX Title Letters")
    _see_through(material, tree, fade, (_WHITE,) * 3, 1.0)
    # Workbench looks at this colour alone
    material.diffuse_color = (1.0, 1.0, 1.0, 1.0)
    write_keys(material, "diffuse_color", 3, strength)
    return material


def _see_through(material: Any, tree: Any, fade: Any, colour: tuple[float, ...], cover: Num | float) -> None:
    """A glow of one colour that covers ``cover`` times the fade of what lies behind."""
    emission, clear, mix, out = (
        tree.nodes.new(f"ShaderNode{kind}") for kind in ("Emission", "BsdfTransparent", "MixShader", "OutputMaterial")
    )
    emission.inputs["Color"].default_value = (*colour, 1.0)
    covered = Num(tree, use_group(tree, fade).outputs[0]) * cover
    tree.links.new(covered.socket, mix.inputs["Fac"])
    tree.links.new(clear.outputs[0], mix.inputs[1])
    tree.links.new(emission.outputs[0], mix.inputs[2])
    tree.links.new(mix.outputs[0], out.inputs["Surface"])
    # dithered transparency is noise where there is one sample
    material.surface_render_method = "BLENDED"


# -- shade -----------------------------------------------------------------------------------------------------


def _shade(layout: _Layout, letters_top: float, n_cards: int, material: Any) -> Any:
    """A sheet behind all cards of the strip, wider than the frame: full behind the letters, fading above them."""
    side = 1.1
    end = (n_cards - 1) * _STEP + side
    heights = (-layout.high - 0.1, letters_top, letters_top + 3.2 * layout.size)
    points = [(x, height, 0.0) for height in heights for x in (-side, end)]
    mesh = quad_mesh("HX Title Shade", points, [(0, 1, 3, 2), (2, 3, 5, 4)], [material])
    cover: Any = mesh.attributes.new("hx_shade", "FLOAT", "POINT")
    cover.data.foreach_set("value", np.array([1.0, 1.0, 1.0, 1.0, 0.0, 0.0], np.float32))
    shade = bpy.data.objects.new("HX Title Shade", mesh)
    shade.location[2] = -_BEHIND
    return shade


def _shade_material(fade: Any) -> Any:
    material, tree = fresh_material("HX Title Shade")
    stored = tree.nodes.new("ShaderNodeAttribute")
    stored.attribute_name = "hx_shade"
    _see_through(material, tree, fade, (0.0, 0.0, 0.0), Num(tree, stored.outputs["Fac"]) ** 1.5 * _SHADE)
    # a sheet of one grey would be ugly in Workbench
    material.diffuse_color = (0.0, 0.0, 0.0, 0.0)
    return material
