"""The scenes that ship, by the names a command line and a panel use. Zone: pure."""

from __future__ import annotations

# Name -> metres travelled after which the picture is the same again; 0 where it never is.
LOOP_M: dict[str, float] = {"tunnel": 120.0, "stage": 200.0, "lagoon": 360.0}
SCENES = tuple(LOOP_M)
# metres after which every scene that ships is where it was: common to their laps and to the tunnel's closed path, 960 m
COMMON_LAP_M = 14400.0


def is_own(scene: str) -> bool:
    """Whether a scene is a .blend of the user's rather than one that ships."""
    return scene.lower().endswith(".blend")
