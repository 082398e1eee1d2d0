"""Frames and sound become a film. Zone: bpy (as a fallback) and the program ffmpeg."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import IO, Any, NamedTuple

import bpy

from ..core.errors import Cancelled, SceneError
from . import compat
from .pictures import FILLED_IN, frame_path, gone, is_picture, move_into, one_line, set_frame_rate, writable_folder

POLL_S = 0.1
CONTAINERS = {".mov": "mov", ".mkv": "matroska"}
H264 = ("-c:v", "libx264", "-preset", "medium", "-crf", "17")
# Odd sizes have no 4:2:0 form; the matrix is named because players guess it from the size otherwise.
# The number of pictures is cut in the filter: with -frames:v ffmpeg 5 ends the sound too early.
SCREEN_SHAPE = ",crop=trunc(iw/2)*2:trunc(ih/2)*2,scale=out_color_matrix=bt709:out_range=tv,format=yuv420p"
# Codecs of a .mov that carry transparency, the one that programs read best first.
ALPHA_CODECS = (
    ("-c:v", "prores_ks", "-profile:v", "4444", "-pix_fmt", "yuva444p10le", "-vendor", "apl0"),
    ("-c:v", "qtrle", "-pix_fmt", "argb"),
    ("-c:v", "png", "-pix_fmt", "rgba"),
)


class Job(NamedTuple):
    """What both encoders need to know; see :func:`encode_film`."""

    folder: Path
    first_frame: int
    n_frames: int
    fps: float
    sound_path: str | os.PathLike[str] | None
    sound_offset_s: float
    out_path: Path
    alpha: bool = False


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
    should_stop: Callable[[], bool] | None = None,
    alpha: bool = False,
) -> Path:
    """Encode frames and sound as H.264 and AAC; returns the film's path.

    The program ffmpeg does it if it is there (quicker, exact to the sample); else Blender's own sequencer. With
    ``alpha`` it has transparency, for which ffmpeg is needed: ProRes 4444, else whatever of that kind is there.

    Args:
        frames_folder: Holds frame_000001.png and so on.
        first_frame: Number of the film's first picture.
        n_frames: How many pictures.
        fps: Frames per second, may be fractional.
        sound_path: The mix, or None for a silent film.
        sound_offset_s: Second of the mix that is heard with the first picture; negative delays the sound.
        out_path: An .mp4, .mov or .mkv file, with ``alpha`` a .mov; written under another name first.
        should_stop: Asked about ten times a second while the program works, and before Blender's sequencer starts.
        alpha: Whether the film has the transparency of the frames.

    Raises:
        SceneError: Missing frames or sound, unwritable folder, no encoder, or a failed encoder.
        Cancelled: ``should_stop`` said so; an older film of that name is still there.
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
    # Always the same name, so that what a killed run left is overwritten; short, as file systems limit names.
    ending = target.suffix.lower() if target.suffix.lower() in CONTAINERS else ".mp4"
    partial = target.with_name(f".{target.stem[:40]}.part{ending}")
    job = Job(Path(frames_folder).absolute(), first_frame, n_frames, fps, sound_path, sound_offset_s, partial, alpha)
    try:
        _encode(job, should_stop)
        if not target.parent.is_dir():
            raise gone(target.parent)
        if not partial.is_file() or partial.stat().st_size == 0:
            raise SceneError(f"The film {target.name} could not be written.", "Check the free space.")
        os.replace(partial, target)
    except OSError as error:
        raise SceneError(
            f"The film {target.name} could not be written: {one_line(error)}.", "Check the free space."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink()
    return target


def _encode(job: Job, should_stop: Callable[[], bool] | None) -> None:
    """Encode in one way or the other; see :func:`encode_film`."""
    codecs = ALPHA_CODECS if job.alpha else (H264,)
    stop = should_stop or (lambda: False)
    if stop():
        raise Cancelled()
    if shutil.which("ffmpeg") and any(with_ffmpeg(job, stop, codec) for codec in codecs):
        return
    # Blender cannot be interrupted: a wish to stop that came while the program failed must be heard now.
    if stop():
        raise Cancelled()
    if job.alpha:
        raise SceneError("A film with transparency needs the program ffmpeg.", "Install it, or name a folder instead.")
    with_sequencer(job)


def ffmpeg_command(job: Job, codec: Sequence[str] = H264) -> list[str]:
    """The command line of the program; ``codec`` are its options for the pictures."""
    rate = exact_rate(job.fps)
    # A percent sign in the folder's name would be read as a pattern.
    pattern = str(job.folder).replace("%", "%%") + "/frame_%06d.png"
    command = [
        "ffmpeg",
        "-nostdin",
        "-v",
        "error",
        "-y",
        "-framerate",
        str(rate),
        "-start_number",
        str(job.first_frame),
        "-i",
        pattern,
    ]
    if job.sound_path is not None:
        # Seeking the input keeps a film of the tenth minute from decoding nine; transcoding makes it exact.
        seek = ["-ss", f"{job.sound_offset_s:.6f}"] if job.sound_offset_s > 0 else []
        command += [*seek, "-i", str(Path(job.sound_path).absolute())]
    command += ["-map", "0:v:0", "-vf", f"trim=end_frame={job.n_frames}{'' if job.alpha else SCREEN_SHAPE}", *codec]
    if not job.alpha:
        command += ["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"]
    if job.sound_path is not None:
        delay = f"adelay={round(-job.sound_offset_s * 1000)}:all=1," if job.sound_offset_s < 0 else ""
        # Silence after the end of the mix, then a cut: sound and picture end together.
        cut = f"{delay}apad,atrim=0:{float(job.n_frames / rate):.6f}"
        command += ["-map", "1:a:0", "-af", cut, "-c:a", "aac", "-b:a", "256k"]
    container = CONTAINERS.get(job.out_path.suffix, "mp4")
    command += [] if container == "matroska" else ["-movflags", "+faststart"]
    return [*command, "-f", container, str(job.out_path)]


def with_ffmpeg(job: Job, stop: Callable[[], bool], codec: Sequence[str] = H264) -> bool:
    """Encode with the program; False when it lacks the encoders, so that the caller can go another way.

    Raises:
        SceneError: It failed for another reason, such as a full disk.
        Cancelled: ``stop`` said so.
    """
    try:
        code, text = run_program(ffmpeg_command(job, codec), stop)
    except OSError:
        return False
    if code == 0:
        return True
    if "unknown encoder" in text.lower():
        return False
    lines = text.strip().splitlines() or ["no reason given"]
    raise SceneError(
        f"The film could not be encoded: {lines[-1].strip().rstrip('.')}.", "Check the free space and the sound file."
    )


def run_program(command: list[str], stop: Callable[[], bool]) -> tuple[int, str]:
    """Run a program to its end; returns its exit code and what it said on stderr.

    Raises:
        OSError: It cannot be started.
        Cancelled: ``stop``, asked about ten times a second, said so; the program is gone then.
    """
    # A file takes any amount of messages; a pipe that nobody reads would stop the program.
    with tempfile.TemporaryFile() as report:
        child = start_program(command, report)
        try:
            while child.poll() is None:
                if stop():
                    raise Cancelled()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.wait(POLL_S)
        finally:
            # No polite request: what it would still write is thrown away.
            child.kill()
            child.wait()
        # A Ctrl-C that reached the program too is no failure.
        if child.returncode and stop():
            raise Cancelled()
        report.seek(0)
        return child.returncode, report.read().decode(errors="replace")


def start_program(command: list[str], report: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start a program that a Ctrl-C in our terminal does not reach and that does not outlive us, where that can be had.

    Linux ends it with us even if we are killed, so there it may leave our group. Elsewhere it stays in the group,
    which whoever started us ends as a whole.
    """
    own_session = sys.platform.startswith("linux")
    # Looked up before the fork: as little as possible may happen between fork and exec.
    prctl, parent = getattr(ctypes.CDLL(None), "prctl", None) if own_session else None, os.getpid()

    def die_with_parent() -> None:
        if prctl is not None:
            prctl(1, int(signal.SIGKILL))  # 1 is PR_SET_PDEATHSIG
            if os.getppid() != parent:  # killed before the call
                os._exit(1)

    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=report,
        start_new_session=own_session,
        preexec_fn=die_with_parent if own_session else None,
    )


def with_sequencer(job: Job) -> None:
    """Encode with a temporary scene's sequencer.

    Raises:
        SceneError: Blender has no encoder, cannot read the sound, or failed.
    """
    if not compat.has_ffmpeg() or (job.sound_path is not None and not compat.has_audio()):
        raise SceneError("This Blender cannot write films with sound.", "Install the program ffmpeg.")
    first = frame_path(job.folder, job.first_frame)
    image = bpy.data.images.load(str(first))
    width, height = image.size
    bpy.data.images.remove(image)
    scene: Any = bpy.data.scenes.new("HX Film")
    sounds = set(bpy.data.sounds)
    try:
        set_frame_rate(scene, job.fps)
        scene.frame_start, scene.frame_end = 1, job.n_frames
        render = scene.render
        render.resolution_x, render.resolution_y, render.resolution_percentage = width // 2 * 2, height // 2 * 2, 100
        # The pictures are finished: any view transform would grade them a second time.
        scene.view_settings.view_transform, scene.view_settings.look = "Standard", "None"
        render.dither_intensity = 0.0
        strips = compat.strips_of(scene.sequence_editor_create())
        pictures = strips.new_image(name="HX Frames", filepath=str(first), channel=1, frame_start=1)
        for frame in range(job.first_frame + 1, job.first_frame + job.n_frames):
            pictures.elements.append(frame_path(job.folder, frame).name)
        pictures.frame_final_duration = job.n_frames
        if job.sound_path is not None:
            start = 1 - round(job.sound_offset_s * float(exact_rate(job.fps)))
            strips.new_sound(
                name="HX Sound", filepath=str(Path(job.sound_path).absolute()), channel=2, frame_start=start
            )
        compat.set_film_output(scene, job.sound_path is not None)
        render.use_file_extension = True
        # Blender puts the ending of an MP4 behind any other
        written = job.out_path.with_suffix(".mp4")
        render_literally(scene, written)
        if written != job.out_path and written.is_file():
            os.replace(written, job.out_path)
    except RuntimeError as error:
        raise SceneError(
            f"The film could not be encoded: {one_line(error)}.", "Check the free space and the sound file."
        ) from error
    finally:
        bpy.data.scenes.remove(scene)
        for sound in [sound for sound in bpy.data.sounds if sound not in sounds and not sound.users]:
            bpy.data.sounds.remove(sound)


def render_literally(scene: bpy.types.Scene, out_path: Path) -> None:
    """Render an animation to exactly this path, though Blender fills in names in braces and rows of #."""
    if not FILLED_IN.intersection(str(out_path)):
        scene.render.filepath = str(out_path)
        bpy.ops.render.render(animation=True, scene=scene.name)
        return
    with tempfile.TemporaryDirectory(prefix="housex_", ignore_cleanup_errors=True) as room:
        plain = Path(room) / "film.mp4"
        scene.render.filepath = str(plain)
        bpy.ops.render.render(animation=True, scene=scene.name)
        move_into(plain, out_path)
