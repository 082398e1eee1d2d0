"""Timeline and look in, key tracks out: every channel of the show. Zone: pure.

Channels named after what was heard run 0..1; channels of the look carry what a light, a wall or a camera does.
Colours change on the frame of the downbeat; a kick's pulse peaks on the frame of the kick. Keys are sparse: beats,
bars and what lies between them where something is heard, never frames.
"""

from __future__ import annotations

from .edits import with_edits
from .flash_limit import tame
from .keys import KeyTrack
from .looks import Look
from .manners import CHARACTERS
from .show_camera import camera_tracks
from .show_heard import BANDS, heard_tracks
from .show_light import PULSES, light_tracks, pulse_tracks
from .show_mix import clear_weights, mix_tracks, trusted_probs
from .show_motion import SPACE, space_tracks, wall_tracks
from .show_times import Clock
from .timeline import Timeline

HEARD = ("energy", "kick", *BANDS, "build", "drop")
MOTION = ("displacement", "ripple", "travel", "speed", "roll", "zoom")
# what makes a show of it: pulses, room, characters of the walls, the camera's drift
DIRECTED = (*PULSES, *SPACE, *CHARACTERS, "drift")


def compile_show(
    timeline: Timeline, look: Look, fps: float, first_frame: int = 1, *, allow_flashes: bool = False
) -> dict[str, KeyTrack]:
    """All channels of a show.

    Args:
        timeline: What was heard; its edits are applied here.
        look: Colours, strengths, characters and camera.
        fps: Frames per second of the scene, > 0.
        first_frame: Frame at which the mix begins.
        allow_flashes: Leave flashes in that may harm people: more than three within a second.

    Returns:
        Channel name -> keys. Colours have width 3 (linear RGB), all others 1.

    Raises:
        SceneError: fps is not positive.
        TimelineError: An edit makes no sense.
    """
    clock, timeline = Clock(fps, first_frame), with_edits(timeline)
    weights = clear_weights(trusted_probs(timeline))
    tracks = heard_tracks(timeline, look, clock)
    tracks.update(mix_tracks(timeline, look, weights, clock))
    tracks.update(space_tracks(timeline, clock))
    tracks.update(pulse_tracks(tracks, timeline, clock))
    tracks.update(light_tracks(tracks, timeline, look, clock))
    tracks.update(wall_tracks(tracks, timeline, look, weights, clock))
    tracks.update(camera_tracks(tracks, timeline, look, clock))
    return tracks if allow_flashes else tame(tracks, fps)[0]
