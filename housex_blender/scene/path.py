"""The tunnel's centre line: a closed, wavy loop made of equal modules. Zone: pure (numpy).

The loop is k-fold symmetric: one module, turned k times about the world's Z axis, closes it. So one set of meshes
serves the whole tunnel as instances, and a distance that grows for hours needs no jump anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..core.scene_kinds import LOOP_M

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LoopPath:
    """Closed centre line.

    Attributes:
        n_modules: How many equal modules close the loop.
        module_m: Length of one module in metres.
        sway_rad: Amplitude of the heading wave, left and right bends.
        climb_m: Amplitude of the height wave.
    """

    n_modules: int = 8
    module_m: float = LOOP_M["tunnel"]
    sway_rad: float = 0.22
    climb_m: float = 2.2

    @property
    def length_m(self) -> float:
        """Length of the whole loop in metres."""
        return self.n_modules * self.module_m

    def _heading(self, s_m: Floats) -> Floats:
        return 2 * np.pi * s_m / self.length_m + self.sway_rad * np.sin(2 * np.pi * s_m / self.module_m)

    def _flat(self, s_m: Floats) -> Floats:
        """(n, 2) positions before centring, by integrating the heading on a fine grid."""
        grid_m = np.linspace(0.0, self.length_m * 1.25, int(self.length_m * 1.25 * 16) + 1)
        step_m = grid_m[1] - grid_m[0]
        middle = self._heading(grid_m[:-1] + step_m / 2)
        steps = np.stack([np.cos(middle), np.sin(middle)], axis=1) * step_m
        xy = np.vstack([np.zeros((1, 2)), np.cumsum(steps, axis=0)])
        return np.stack([np.interp(s_m, grid_m, xy[:, i]) for i in range(2)], axis=1)

    def frames(self, s_m: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Position, forward, right and up at distances along the loop; each (n, 3), metres and unit vectors.

        Distances lie between 0 and 1.25 loops.
        """
        s_m = np.asarray(s_m, dtype=np.float64)
        turn = 2 * np.pi / self.n_modules
        rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        centre = np.linalg.solve(np.eye(2) - rotation, self._flat(np.array([self.module_m]))[0])
        wave = 2 * np.pi * s_m / self.module_m
        height, slope = self.climb_m * np.sin(wave + 1.0), np.cos(wave + 1.0)
        slope = slope * self.climb_m * 2 * np.pi / self.module_m
        heading = self._heading(s_m)
        position = np.column_stack([self._flat(s_m) - centre, height])
        forward = np.column_stack([np.cos(heading), np.sin(heading), slope])
        forward /= np.linalg.norm(forward, axis=1, keepdims=True)
        right = np.column_stack([np.sin(heading), -np.cos(heading), np.zeros_like(heading)])
        return position, forward, right, np.cross(right, forward)

    def bank(self, s_m: Floats) -> Floats:
        """(n,) banking angle in radians: the camera leans into bends like an aircraft."""
        wave = 2 * np.pi * np.asarray(s_m, dtype=np.float64) / self.module_m
        return 0.10 * np.cos(wave)

    def bend(self, straight: Floats) -> Floats:
        """World points of (n, 3) tunnel points: distance along, to the right, up; all in metres."""
        first_m = np.minimum(straight[:, 0].min(initial=0.0), 0.0)
        lift = np.ceil(-first_m / self.length_m) * self.length_m
        position, _, right, up = self.frames(straight[:, 0] + lift)
        return position + right * straight[:, 1:2] + up * straight[:, 2:3]

    def turn(self, along_m: Floats, across: Floats) -> Floats:
        """World directions (n, 3) of directions (n, 2) to the right and up at distances (n,) along."""
        _, _, right, up = self.frames(np.mod(along_m, self.length_m))
        turned: Floats = np.add(right * across[:, 0:1], up * across[:, 1:2])
        return turned
