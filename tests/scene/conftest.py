"""Fixtures for tests inside Blender: every test starts from an empty file."""

from __future__ import annotations

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from housex_blender.core.keys import KeyTrack  # noqa: E402
from housex_blender.scene import build, output  # noqa: E402

FPS, BPM, N_FRAMES = 30.0, 126.0, 200
# sRGB hex of light A, B and C.
PALETTES = {
    "Future House": ("1f4bff", "ff2038", "8a2be2"),
    "Bass House": ("000000", "ffffff", "8a1cff"),
    "Progressive House": ("ff7a00", "ffd21f", "8f2bff"),
    "Melodic House": ("12c95a", "1f6bff", "ffe11f"),
}


def linear_rgb(code: str) -> np.ndarray:
    """(3,) linear RGB of an sRGB hex code."""
    value = np.array([int(code[i : i + 2], 16) for i in (0, 2, 4)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def make_channels(palettes: tuple[str, ...] = ("Future House",), n_frames: int = N_FRAMES) -> dict[str, KeyTrack]:
    """Channels like a compiled mix: kick pulses, one palette per bar in turn, a steady ride."""
    frames = np.arange(n_frames) + 1.0
    time_s = np.arange(n_frames) / FPS
    beat = time_s * BPM / 60
    kick = np.exp(-5 * (beat % 1))
    bars = np.arange(int(beat[-1] // 4) + 1)
    bar_frames = np.floor(bars * 240 / BPM * FPS + 0.5) + 1
    channels = {
        "kick": KeyTrack(frames, kick),
        "energy": KeyTrack([1.0, 50.0], [0.5, 0.8]),
        "p_future_house": KeyTrack(bar_frames, np.linspace(0, 1, len(bars)), "CONSTANT"),
        "light_a": KeyTrack(frames, 0.4 + 1.4 * kick),
        "light_b": KeyTrack(frames, 0.8 + 0.2 * np.sin(time_s)),
        "light_c": KeyTrack(frames, 0.6 + 0.2 * np.cos(time_s)),
        "displacement": KeyTrack(frames, 0.4 + 0.6 * kick),
        "ripple": KeyTrack(frames, 0.5 + 0.3 * np.sin(9 * time_s)),
        "travel": KeyTrack([1.0, 90.0, 300.0], [0.0, 40.0, 140.0], "BEZIER", np.array([[0.4], [0.5], [0.45]])),
        "roll": KeyTrack([1.0, 100.0], [0.0, 0.1], "BEZIER", np.zeros((2, 1))),
        "zoom": KeyTrack([1.0], [0.1]),
        "speed": KeyTrack([1.0], [14.0]),
        "pulse": KeyTrack(frames, kick),
        "pulse_at": KeyTrack(frames, beat % 1),
        "shock": KeyTrack([1.0], [1.0]),
        **{name: KeyTrack([1.0], [0.0]) for name in ("narrow", "open", "drift", "shards", "grid", "slabs", "ribs")},
        "swell": KeyTrack(frames, 0.4 + 0.6 * kick),
    }
    for row, letter in enumerate("abc"):
        colours = np.array([linear_rgb(PALETTES[palettes[bar % len(palettes)]][row]) for bar in bars])
        channels[f"colour_{letter}"] = KeyTrack(bar_frames, colours, "CONSTANT")
    return channels


@pytest.fixture(autouse=True)
def empty_file():
    """A fresh, empty file."""
    bpy.ops.wm.read_factory_settings(use_empty=True)


@pytest.fixture
def scene():
    """The open scene."""
    return bpy.context.scene


@pytest.fixture
def show(scene):
    """A built tunnel, configured for tiny pictures."""
    handles = build.build_show(scene, make_channels(("Future House", "Progressive House")), fps=FPS, n_frames=N_FRAMES)
    output.configure(scene, resolution=(96, 54))
    return handles
