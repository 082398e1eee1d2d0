"""Palettes: the papers' colours exactly, mixed in linear light."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from housex_blender.core.errors import LookError
from housex_blender.core.genres import GENRES, canonical
from housex_blender.core.looks import (
    Look,
    Palettes,
    hex_to_linear,
    linear_to_hex,
    load_palettes,
    palette_names,
    srgb_to_linear,
)

X11 = {"blue": "#0000ff", "red": "#ff0000", "purple": "#a020f0", "black": "#000000", "white": "#ffffff",
       "orange": "#ffa500", "yellow": "#ffff00", "green": "#00ff00"}  # fmt: skip
# HouseX (2022), the mapping of sub-genres to colour triples
PAPER = {
    "Future House": {"blue", "red", "purple"},
    "Bass House": {"black", "white", "purple"},
    "Progressive House": {"orange", "yellow", "purple"},
    "Melodic House": {"green", "blue", "yellow"},
}


@pytest.mark.parametrize("genre", PAPER)
def test_the_papers_four_palettes_are_exact(genre: str) -> None:
    assert set(load_palettes("house").colours[genre]) == {X11[name] for name in PAPER[genre]}


@pytest.mark.parametrize("name", palette_names())
def test_every_palette_that_ships_has_nine_different_genres(name: str) -> None:
    palettes = load_palettes(name)
    assert set(palettes.colours) >= set(GENRES)
    assert len({palettes.colours[genre] for genre in GENRES}) == 9


def test_srgb_curve_at_known_points() -> None:
    assert srgb_to_linear([0.0, 0.04045, 0.5, 1.0]) == pytest.approx([0.0, 0.0031308, 0.21404, 1.0], abs=1e-5)


@pytest.mark.parametrize("text", ["#000000", "#0102ff", "#808080", "#ffffff"])
def test_hex_survives_linear_light(text: str) -> None:
    assert linear_to_hex(hex_to_linear(text)) == text


def test_mixing_is_linear_in_light_not_in_screen_values() -> None:
    palettes = Palettes("two", {"Future House": ("#ff0000",) * 3, "Bass House": ("#0000ff",) * 3})
    mixed = palettes.mix(["Future House", "Bass House"], np.array([[0.5, 0.5], [3.0, 1.0]]))
    assert mixed[0, 0] == pytest.approx([0.5, 0.0, 0.5])
    assert linear_to_hex(mixed[0, 0]) == "#bc00bc"  # mixing screen values would give #800080
    assert mixed[1, 2] == pytest.approx([0.75, 0.0, 0.25])


def test_palettes_survive_a_file(tmp_path: Path) -> None:
    mine = Palettes("Mine", {**load_palettes().colours, "Tech House": ("#010203", "#040506", "#070809")})
    mine.save(tmp_path / "mine.json")
    assert load_palettes(str(tmp_path / "mine.json")) == mine


def test_a_partial_file_keeps_the_other_genres(tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    path.write_text(json.dumps({"schema": 1, "name": "x", "genres": {"techno": ["#111111"] * 3}}))
    palettes = load_palettes(str(path))
    assert palettes.colours["Tech House"] == ("#111111",) * 3
    assert palettes.colours["Bigroom"] == load_palettes().colours["Bigroom"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "cannot be read"),
        ("[]", "not a palette file"),
        ('{"schema": 2, "genres": {}}', "not a palette file"),
        ('{"schema": 1, "genres": {"Bigroom": ["#fff"]}}', "three colours"),
        ('{"schema": 1, "genres": {"Bigroom": ["#fff", "#fff", "#fff"]}}', "not a colour"),
        ('{"schema": 1, "genres": {"Bigroom": [1, 2, 3]}}', "not a colour"),
    ],
)
def test_a_bad_palette_file_is_refused(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "bad.json"
    path.write_text(content)
    with pytest.raises(LookError, match=said):
        load_palettes(str(path))


def test_an_unknown_palette_names_those_that_exist() -> None:
    with pytest.raises(LookError, match="clear"):
        load_palettes("nope")


@pytest.mark.parametrize(("field", "value"), [("intensity", 9), ("speed", -1), ("attack_ms", -5), ("release_ms", 1e9)])
def test_a_look_refuses_what_makes_no_sense(field: str, value: float) -> None:
    with pytest.raises(LookError, match=field):
        Look(**{field: value})


@pytest.mark.parametrize(
    ("written", "meant"),
    [("techno", "Tech House"), ("Techno House", "Tech House"), ("bigroom", "Bigroom"), ("slap", "Slap House"),
     ("FUTURE_HOUSE", "Future House"), ("Jungle", "Jungle")],
)  # fmt: skip
def test_other_spellings(written: str, meant: str) -> None:
    assert canonical(written) == meant
