"""Every difference between the Blender versions 4.2 to 5.2 that touches the show. Zone: bpy.

No other file may look at ``bpy.app.version`` or probe for an API.
"""

from __future__ import annotations

import ctypes
import sys
from typing import Any

import bpy

from ..core.errors import SceneError

ENGINE_IDS = {
    "cycles": ("CYCLES",),
    "eevee": ("BLENDER_EEVEE_NEXT", "BLENDER_EEVEE"),
    "workbench": ("BLENDER_WORKBENCH",),
}
# Numbers behind the interpolation and handle enums, as foreach_set wants them; the same in every version.
INTERPOLATION_CODE: dict[str, int] = {"CONSTANT": 0, "LINEAR": 1, "BEZIER": 2}
HANDLE_FREE = 0
# Keyframe type of the keys that we write, and nobody's hand does; also the same number in every version.
OUR_KEY_TYPE = 5  # GENERATED
# Marks actions that we made, so that nobody else's is ever removed.
OWNED = "hx_owned"


def is_part(thing: Any) -> bool:
    """Whether an object or a collection is part of a scene that we built; "HX Show" is of none."""
    return thing.get(OWNED) not in (None, "show")


def set_engine(scene: bpy.types.Scene, engine: str) -> str:
    """Choose a render engine by our name; returns Blender's identifier.

    Raises:
        SceneError: Unknown engine, or one that would abort the process on this machine.
    """
    if engine not in ENGINE_IDS:
        raise SceneError(f"There is no render engine called {engine!r}.", "Use cycles, eevee or workbench.")
    if engine != "cycles" and not has_gpu_context():
        raise SceneError(
            f"The {engine} engine needs OpenGL, which this machine lacks.", "Install libegl1 or use the engine cycles."
        )
    for identifier in ENGINE_IDS[engine]:
        try:
            scene.render.engine = identifier  # type: ignore[assignment]
        except TypeError:
            continue
        return identifier
    raise SceneError(f"This Blender has no {engine} engine.", "Use the engine cycles.")


def has_gpu_context() -> bool:
    """Whether EEVEE and Workbench can start: without libEGL a headless Blender aborts instead of raising."""
    if not bpy.app.background or not sys.platform.startswith("linux"):
        return True
    try:
        ctypes.CDLL("libEGL.so.1")
    except OSError:
        return False
    return True


def has_oidn() -> bool:
    """Whether Cycles was built with OpenImageDenoise; with denoising on and no OIDN a render raises."""
    try:
        import _cycles
    except ImportError:
        return False
    return bool(getattr(_cycles, "with_openimagedenoise", False))


def has_audio() -> bool:
    """Whether this Blender can read and write sound."""
    return bool(bpy.app.build_options.audaspace)


def fcurves_of(owner: bpy.types.ID, create: bool = True) -> Any:
    """The F-curve collection of an ID's own action (slot); None if absent and not to be created."""
    data: Any = owner.animation_data  # type: ignore[attr-defined]
    if data is None:
        if not create:
            return None
        data = owner.animation_data_create()
    leave_tweak_mode(data)
    action = data.action
    if action is None:
        if not create:
            return None
        action = data.action = bpy.data.actions.new(f"HX {owner.name.removeprefix('HX ')} action")
        action[OWNED] = "action"
    if not hasattr(action, "layers"):
        return action.fcurves
    if data.action_slot is None:
        if not create:
            return None
        data.action_slot = action.slots.new(id_type=owner.id_type, name=owner.name)
    layer = action.layers[0] if action.layers else action.layers.new("Layer")
    strip = layer.strips[0] if layer.strips else layer.strips.new(type="KEYFRAME")
    bag = strip.channelbag(data.action_slot, ensure=create)
    return None if bag is None else bag.fcurves


def leave_tweak_mode(data: Any) -> None:
    """Let the owner's own action be the active one again: while an NLA strip is tweaked, the strip's stands in its
    place, and Blender crashes when it leaves a strip that was removed."""
    if data.use_tweak_mode:
        data.use_tweak_mode = False


def drop_empty_action(owner: Any) -> None:
    """Remove an action that we made for ``owner`` and that animates nothing any more."""
    data = owner.animation_data
    action = None if data is None else data.action
    if action is None or not action.get(OWNED) or len(fcurves_of(owner, create=False) or ()):
        return
    data.action = None
    if not len(data.drivers) and not len(data.nla_tracks):
        owner.animation_data_clear()
    if action.users == 0:
        bpy.data.actions.remove(action)


def slot_for(owner: Any, action: Any) -> Any:
    """The slot of an action that animates ``owner``; None before 4.4, where actions have no slots.

    Raises:
        SceneError: The action animates another kind of thing.
    """
    if not hasattr(action, "slots"):
        fits, slot = action.id_root in ("", owner.id_type), None
    else:
        data = owner.animation_data
        own = data.action_slot if data is not None and data.action == action else None
        kin = [slot for slot in action.slots if slot.target_id_type in (owner.id_type, "UNSPECIFIED")]
        slot = own or next((slot for slot in kin if slot.name_display == owner.name), kin[0] if kin else None)
        fits = slot is not None
    if not fits:
        raise SceneError(
            f"The action {action.name} does not fit {owner.name}.", "Choose one that was made on such a thing."
        )
    return slot


def set_strip_slot(strip: Any, slot: Any) -> None:
    """Let an NLA strip play this slot of its action."""
    if slot is not None:
        strip.action_slot = slot


def assign_action(owner: Any, action: Any, slot: Any) -> None:
    """Make an action the active one of ``owner``."""
    data = owner.animation_data or owner.animation_data_create()
    data.action = action
    if slot is not None:
        data.action_slot = slot


def node_tree(owner: Any) -> Any:
    """The (emptied) node tree of a material, world or light."""
    if owner.node_tree is None:
        owner.use_nodes = True
    owner.node_tree.nodes.clear()
    return owner.node_tree


def compositor(scene: bpy.types.Scene) -> tuple[Any, Any] | None:
    """A fresh compositor tree and its output node, or None when the user has a tree of their own."""
    name = "HX Compositor"
    if hasattr(scene, "compositing_node_group"):
        tree = scene.compositing_node_group
        if tree is not None and not tree.name.startswith(name):
            return None
        if tree is None:
            tree = scene.compositing_node_group = bpy.data.node_groups.new(name, "CompositorNodeTree")
            tree.interface.new_socket("Image", in_out="OUTPUT", socket_type="NodeSocketColor")
        tree.nodes.clear()
        return tree, tree.nodes.new("NodeGroupOutput")
    tree = scene.node_tree
    foreign = tree is not None and scene.use_nodes and not any(n.name.startswith("HX ") for n in tree.nodes)
    if foreign and len(tree.nodes) > 2:
        return None
    scene.use_nodes = True
    tree = scene.node_tree
    tree.nodes.clear()
    return tree, tree.nodes.new("CompositorNodeComposite")


def add_mix(tree: Any, kind: str, image: Any, other: Any, amount: float = 1.0) -> Any:
    """A colour mixed with another in a compositor's tree; returns the mixture, whose alpha is the first one's.

    Args:
        tree: Gets the node.
        kind: Blend type.
        image: Socket.
        other: Socket or four numbers.
        amount: How much of the other.
    """
    # from 5.0 on these trees are made of shader nodes; a newer Blender makes them out of the older ones when it loads
    older = bpy.app.version < (5, 0, 0)
    node = tree.nodes.new("CompositorNodeMixRGB" if older else "ShaderNodeMix")
    if not older:
        node.data_type = "RGBA"
    node.blend_type = kind
    factor, first, second = (node.inputs[number] for number in ((0, 1, 2) if older else (0, 6, 7)))
    factor.default_value = amount
    tree.links.new(image, first)
    if isinstance(other, tuple):
        second.default_value = other
    else:
        tree.links.new(other, second)
    return node.outputs[0 if older else 2]


def add_largest(tree: Any, first: Any, second: Any) -> Any:
    """The larger of two numbers within 0..1, in a compositor's tree; returns its socket."""
    node = tree.nodes.new("CompositorNodeMath" if bpy.app.version < (5, 0, 0) else "ShaderNodeMath")
    node.operation, node.use_clamp = "MAXIMUM", True
    tree.links.new(first, node.inputs[0])
    tree.links.new(second, node.inputs[1])
    return node.outputs[0]


def add_blur(tree: Any, image: Any, percent: float) -> Any:
    """An image blurred by a part of its width, in a compositor's tree; returns the blurred image.

    Args:
        tree: Gets the nodes.
        image: Socket.
        percent: Size of the blur, of the width.
    """
    blur = tree.nodes.new("CompositorNodeBlur")
    tree.links.new(image, blur.inputs["Image"])
    if hasattr(blur, "filter_type"):
        blur.filter_type = "FAST_GAUSS"
    else:
        blur.inputs["Type"].default_value = "Fast Gaussian"
    if hasattr(blur, "use_relative"):
        # 4.5 draws by its sockets and writes these for older versions
        blur.use_relative, blur.aspect_correction = True, "Y"
        blur.factor_x = blur.factor_y = percent
    if hasattr(bpy.types, "CompositorNodeRelativeToPixel"):
        size = tree.nodes.new("CompositorNodeRelativeToPixel")
        size.data_type, size.reference_dimension = "FLOAT", "X"
        size.inputs[1].default_value = percent / 100
        tree.links.new(image, size.inputs["Image"])
        tree.links.new(size.outputs[0], blur.inputs["Size"])
    return blur.outputs["Image"]


def strips_of(editor: Any) -> Any:
    """The strip collection of a sequence editor."""
    return editor.strips if hasattr(editor, "strips") else editor.sequences


def set_image_output(scene: bpy.types.Scene) -> None:
    """8-bit RGB PNG."""
    settings = scene.render.image_settings
    if hasattr(settings, "media_type"):
        settings.media_type = "IMAGE"
    settings.file_format = "PNG"
    settings.color_mode = "RGB"
    settings.color_depth = "8"
    settings.compression = 15


def set_film_output(scene: bpy.types.Scene, with_sound: bool) -> None:
    """H.264 in an MP4, AAC when there is sound."""
    settings = scene.render.image_settings
    if hasattr(settings, "media_type"):
        settings.media_type = "VIDEO"
    settings.file_format = "FFMPEG"
    film = scene.render.ffmpeg
    film.format = "MPEG4"
    film.codec = "H264"
    film.constant_rate_factor = "HIGH"
    film.ffmpeg_preset = "GOOD"
    film.gopsize = 15
    film.audio_codec = "AAC" if with_sound else "NONE"
    film.audio_bitrate = 256


def has_ffmpeg() -> bool:
    """Whether this Blender can write films itself."""
    return bool(bpy.app.build_options.codec_ffmpeg)


def set_cycles(scene: bpy.types.Scene, *, samples: int, bounces: int, guided: bool) -> None:
    """Cycles for scenes whose light is baked: few samples, mirror bounces only, one fixed noise pattern.

    Args:
        scene: Gets the settings.
        samples: Paths per pixel.
        bounces: Mirror bounces.
        guided: Sharper and slower denoising with cleaned albedo and normals.
    """
    cycles: Any = scene.cycles
    cycles.device = "GPU" if has_gpu_for_cycles() else "CPU"
    cycles.samples = samples
    cycles.use_adaptive_sampling = False
    cycles.use_light_tree = False
    cycles.max_bounces = cycles.glossy_bounces = bounces
    cycles.diffuse_bounces = cycles.transmission_bounces = cycles.volume_bounces = 0
    cycles.transparent_max_bounces = 32  # beams are additive and lie over one another
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.sample_clamp_indirect = 4.0
    # What noise is left stands still: a fixed pattern is far less visible in a film than a new one each frame.
    cycles.seed, cycles.use_animated_seed = 0, False
    cycles.use_denoising = has_oidn()
    if has_oidn():
        cycles.denoiser = "OPENIMAGEDENOISE"
        cycles.denoising_input_passes = "RGB_ALBEDO_NORMAL" if guided else "RGB"
        cycles.denoising_prefilter = "ACCURATE" if guided else "FAST"
        if hasattr(cycles, "denoising_quality"):
            cycles.denoising_quality = "HIGH"


def has_gpu_for_cycles() -> bool:
    """Whether the user switched a graphics card on for Cycles in the preferences (a bare Python module never has)."""
    addon: Any = bpy.context.preferences.addons.get("cycles")
    return addon is not None and bool(addon.preferences.has_active_device())


def set_eevee(scene: bpy.types.Scene, *, samples: int, ray_tracing: bool) -> None:
    """EEVEE: samples per pixel and whether reflections are traced in screen space."""
    eevee: Any = scene.eevee
    eevee.taa_render_samples = samples
    if hasattr(eevee, "use_raytracing"):
        eevee.use_raytracing = ray_tracing


def set_workbench(scene: bpy.types.Scene) -> None:
    """Workbench: flat keyed material colours on black."""
    shading: Any = scene.display.shading
    shading.light, shading.color_type = "STUDIO", "MATERIAL"
    shading.background_type = "THEME"
    scene.display.render_aa = "FXAA"


def blend_relative() -> set[str]:
    """Options of a property that holds a path beginning with ``//``; older versions need none and refuse it."""
    return {"PATH_SUPPORTS_BLEND_RELATIVE"} if bpy.app.version >= (4, 5, 0) else set()


def sequencer_scene(context: Any) -> Any:
    """The scene that a Sequencer shows: the window's own before 5.0; None where none is chosen."""
    return getattr(context, "sequencer_scene", context.scene)


def show_in_sequencers(scene: bpy.types.Scene) -> None:
    """Let the Sequencers that show no scene show this one: from 5.0 on they do not follow the window."""
    for workspace in bpy.data.workspaces:
        if getattr(workspace, "sequencer_scene", scene) is None:
            workspace.sequencer_scene = scene  # type: ignore[attr-defined]
