"""Frames and sound become an MP4. Zone: bpy (as a fallback) and the program ffmpeg."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import bpy

from ..core.errors import SceneError
from . import compat
from .pictures import frame_path, is_picture, set_frame_rate, writable_folder


def exact_rate(fps: float) -> Fraction:
    """The rate as a fraction: 23.976 is 24000/1001, 30 is 30/1."""
    for whole in (24, 30, 48, 60, 120):
        if abs(whole * 1000 / 1001 - fps) < 2e-3:
            return Fraction(whole * 1000, 1001)
    return Fraction(fps).limit_denominator(1001)


def encode_film(
    frames_folder: str | os.PathLike[str],
    first_frame: int,
    n_frames: int,
    fps: float,
    sound_path: str | os.PathLike[str] | None,
    sound_offset_s: float,
    out_path: str | os.PathLike[str],
) -> Path:
    """Encode frames and sound as H.264 and AAC; returns the film's path.

    The program ffmpeg does it if it is there (quicker, exact to the sample); else Blender's own sequencer.

    Args:
        frames_folder: Holds frame_000001.png and so on.
        first_frame: Number of the film's first picture.
        n_frames: How many pictures.
        fps: Frames per second, may be fractional.
        sound_path: The mix, or None for a silent film.
        sound_offset_s: Second of the mix that is heard with the first picture; negative delays the sound.
        out_path: An .mp4 file; written under another name first.

    Raises:
        SceneError: Missing frames or sound, unwritable folder, no encoder, or a failed encoder.
    """
    if n_frames < 1:
        raise SceneError("A film needs at least one frame.")
    for frame in range(first_frame, first_frame + n_frames):
        if not is_picture(frame_path(frames_folder, frame)):
            raise SceneError(f"Frame {frame} is missing or damaged in {frames_folder}.", "Render it again.")
    if sound_path is not None and not Path(sound_path).is_file():
        raise SceneError(f"The sound {sound_path} is not there.")
    target = Path(out_path).absolute()
    writable_folder(target.parent)
    partial = target.with_name(f".{target.stem}.{os.getpid()}.part.mp4")
    job = (Path(frames_folder).absolute(), first_frame, n_frames, fps, sound_path, sound_offset_s, partial)
    try:
        if not (shutil.which("ffmpeg") and with_ffmpeg(*job)):
            with_sequencer(*job)
        if not partial.is_file() or partial.stat().st_size == 0:
            raise SceneError(f"The film {target.name} could not be written.", "Check the free space.")
        os.replace(partial, target)
    except OSError as error:
        raise SceneError(
            f"The film {target.name} could not be written: {error.strerror or error}.", "Check the free space."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink()
    return target


def ffmpeg_command(
    folder: Path,
    first_frame: int,
    n_frames: int,
    fps: float,
    sound_path: str | os.PathLike[str] | None,
    sound_offset_s: float,
    out_path: Path,
) -> list[str]:
    """The command line of the program; same arguments as :func:`encode_film`."""
    rate = exact_rate(fps)
    # A percent sign in the folder's name would be read as a pattern.
    pattern = str(folder).replace("%", "%%") + "/frame_%06d.png"
    command = [
        "ffmpeg",
        "-nostdin",
        "-v",
        "error",
        "-y",
        "-framerate",
        str(rate),
        "-start_number",
        str(first_frame),
        "-i",
        pattern,
    ]
    if sound_path is not None:
        # Seeking the input keeps a film of the tenth minute from decoding nine; transcoding makes it exact.
        seek = ["-ss", f"{sound_offset_s:.6f}"] if sound_offset_s > 0 else []
        command += [*seek, "-i", str(Path(sound_path).absolute())]
    # Odd sizes have no 4:2:0 form; the matrix is named because players guess it from the size otherwise.
    # The number of pictures is cut in the filter: with -frames:v ffmpeg 5 ends the sound too early.
    shape = "crop=trunc(iw/2)*2:trunc(ih/2)*2,scale=out_color_matrix=bt709:out_range=tv,format=yuv420p"
    command += [
        "-map",
        "0:v:0",
        "-vf",
        f"trim=end_frame={n_frames},{shape}",
        "-c:v",
        "libx264",
        "-preset",
        "medium",
        "-crf",
        "17",
        "-colorspace",
        "bt709",
        "-color_primaries",
        "bt709",
        "-color_trc",
        "bt709",
    ]
    if sound_path is not None:
        delay = f"adelay={round(-sound_offset_s * 1000)}:all=1," if sound_offset_s < 0 else ""
        # Silence after the end of the mix, then a cut: sound and picture end together.
        cut = f"{delay}apad,atrim=0:{float(n_frames / rate):.6f}"
        command += ["-map", "1:a:0", "-af", cut, "-c:a", "aac", "-b:a", "256k"]
    return [*command, "-movflags", "+faststart", "-f", "mp4", str(out_path)]


def with_ffmpeg(
    folder: Path,
    first_frame: int,
    n_frames: int,
    fps: float,
    sound_path: str | os.PathLike[str] | None,
    sound_offset_s: float,
    out_path: Path,
) -> bool:
    """Encode with the program; False when it lacks the encoders, so that the caller can go another way.

    Raises:
        SceneError: It failed for another reason, such as a full disk.
    """
    command = ffmpeg_command(folder, first_frame, n_frames, fps, sound_path, sound_offset_s, out_path)
    try:
        result = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    except OSError:
        return False
    if result.returncode == 0:
        return True
    if "unknown encoder" in result.stderr.lower():
        return False
    lines = result.stderr.strip().splitlines() or ["no reason given"]
    raise SceneError(
        f"The film could not be encoded: {lines[-1].strip().rstrip('.')}.", "Check the free space and the sound file."
    )


def with_sequencer(
    folder: Path,
    first_frame: int,
    n_frames: int,
    fps: float,
    sound_path: str | os.PathLike[str] | None,
    sound_offset_s: float,
    out_path: Path,
) -> None:
    """Encode with a temporary scene's sequencer.

    Raises:
        SceneError: Blender has no encoder, cannot read the sound, or failed.
    """
    if not compat.has_ffmpeg() or (sound_path is not None and not compat.has_audio()):
        raise SceneError("This Blender cannot write films with sound.", "Install the program ffmpeg.")
    first = frame_path(folder, first_frame)
    image = bpy.data.images.load(str(first))
    width, height = image.size
    bpy.data.images.remove(image)
    scene: Any = bpy.data.scenes.new("HX Film")
    sounds = set(bpy.data.sounds)
    try:
        set_frame_rate(scene, fps)
        scene.frame_start, scene.frame_end = 1, n_frames
        render = scene.render
        render.resolution_x, render.resolution_y, render.resolution_percentage = width // 2 * 2, height // 2 * 2, 100
        # The pictures are finished: any view transform would grade them a second time.
        scene.view_settings.view_transform, scene.view_settings.look = "Standard", "None"
        render.dither_intensity = 0.0
        strips = compat.strips_of(scene.sequence_editor_create())
        pictures = strips.new_image(name="HX Frames", filepath=str(first), channel=1, frame_start=1)
        for frame in range(first_frame + 1, first_frame + n_frames):
            pictures.elements.append(frame_path(folder, frame).name)
        pictures.frame_final_duration = n_frames
        if sound_path is not None:
            start = 1 - round(sound_offset_s * float(exact_rate(fps)))
            strips.new_sound(name="HX Sound", filepath=str(Path(sound_path).absolute()), channel=2, frame_start=start)
        compat.set_film_output(scene, sound_path is not None)
        render.filepath, render.use_file_extension = str(out_path), True
        bpy.ops.render.render(animation=True, scene=scene.name)
    except RuntimeError as error:
        raise SceneError(
            f"The film could not be encoded: {str(error).strip().rstrip('.')}.",
            "Check the free space and the sound file.",
        ) from error
    finally:
        bpy.data.scenes.remove(scene)
        for sound in [sound for sound in bpy.data.sounds if sound not in sounds and not sound.users]:
            bpy.data.sounds.remove(sound)
