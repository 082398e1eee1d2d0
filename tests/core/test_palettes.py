"""The palettes that ship, judged as colours: apart in hue or value, and apart for eyes that see otherwise.

How eyes without one of the three kinds of cones see a colour is simulated by the matrices of G. M. Machado, M. M.
Oliveira and L. A. F. Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency", IEEE
Transactions on Visualization and Computer Graphics 15 (2009), severity 1.0, applied to linear RGB. Distances are those
of CIE 1976 L*a*b* under D65, in which 2 to 3 can just be told apart side by side; 30 is told apart at a glance.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from housex_blender.core.genres import GENRES
from housex_blender.core.looks import LUMINANCE, load_palettes, palette_names

SEEN = {
    "every cone": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
# linear sRGB to CIE XYZ, IEC 61966-2-1
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
LEAST_APART = 30.0
# (light + 0.05) / (dark + 0.05), as WCAG 2 has it
LEAST_CONTRAST = 2.0


def lab(linear_rgb: np.ndarray) -> np.ndarray:
    """(n, 3) CIE 1976 L*a*b* of (n, 3) linear RGB."""
    part = np.clip(linear_rgb, 0.0, 1.0) @ XYZ.T / XYZ.sum(axis=1)
    root = np.where(part > (6 / 29) ** 3, np.cbrt(part), part / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * root[:, 1] - 16, 500 * (root[:, 0] - root[:, 1]), 200 * (root[:, 1] - root[:, 2])], axis=1)


def nearest(linear_rgb: np.ndarray, eyes: np.ndarray) -> float:
    """Distance of the two of three colours that are hardest to tell apart with these eyes."""
    points = lab(linear_rgb @ eyes.T)
    return min(float(np.linalg.norm(a - b)) for a, b in combinations(points, 2))


def test_the_simulation_knows_what_is_known() -> None:
    """Whites and greys stay; red and green, far apart for most, come close for those who lack a cone for them."""
    for name, eyes in SEEN.items():
        assert eyes.sum(axis=1) == pytest.approx(np.ones(3), abs=1e-3), name
    pair = np.array([[0.35, 0.03, 0.01], [0.13, 0.13, 0.01], [1.0, 1.0, 1.0]])  # a dark red, an olive green
    assert nearest(pair, SEEN["every cone"]) > 40
    assert nearest(pair, SEEN["deuteranopia"]) < 15
    assert lab(np.ones((1, 3)))[0] == pytest.approx([100, 0, 0], abs=0.1)


@pytest.mark.parametrize("genre", GENRES)
@pytest.mark.parametrize("name", palette_names())
def test_three_colours_are_three(name: str, genre: str) -> None:
    row = load_palettes(name).linear_rgb([genre])[0]
    assert nearest(row, SEEN["every cone"]) >= LEAST_APART
    values = row @ LUMINANCE
    assert (values.max() + 0.05) / (values.min() + 0.05) >= LEAST_CONTRAST, "they differ in value, not in hue alone"


@pytest.mark.parametrize("eyes", SEEN)
@pytest.mark.parametrize("genre", GENRES)
def test_the_clear_palette_is_clear_to_all_eyes(genre: str, eyes: str) -> None:
    assert nearest(load_palettes("clear").linear_rgb([genre])[0], SEEN[eyes]) >= LEAST_APART


@pytest.mark.parametrize("name", palette_names())
def test_genres_differ_within_a_palette(name: str) -> None:
    """As three lights together: no two genres are closer than colours that are told apart side by side."""
    rows = load_palettes(name).linear_rgb(GENRES)
    for one, other in combinations(range(len(GENRES)), 2):
        apart = [float(np.linalg.norm(a - b)) for a, b in zip(lab(rows[one]), lab(rows[other]), strict=True)]
        assert max(apart) > 20, (GENRES[one], GENRES[other])


def test_families_stay_in_their_family() -> None:
    """Ice is blue and green, ember is red to yellow: analogous on purpose; black and white belong to both."""
    for name, low, high in (("ice", 160.0, 260.0), ("ember", 315.0, 415.0)):
        for colour in load_palettes(name).linear_rgb(GENRES).reshape(-1, 3):
            red, green, blue = colour
            if colour.max() - colour.min() < 0.2 * colour.max() or colour.max() == 0:
                continue
            hue = np.degrees(np.arctan2(np.sqrt(3) * (green - blue), 2 * red - green - blue)) % 360
            assert low <= hue <= high or low <= hue + 360 <= high, (name, colour)
    for genre, row in load_palettes("mono").colours.items():
        grey = [len({text[1:3], text[3:5], text[5:7]}) == 1 for text in row]
        assert sum(grey) == 2, f"{genre} has one colour"
