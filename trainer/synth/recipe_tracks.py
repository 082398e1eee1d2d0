"""Tracks of the demo's writer with their truth per bar: a second hand in the training data.

The demo's recipes, instruments and mix chain were written apart from those of ``training``; what a network learns from
both is more likely to be the sub-genre than the hand.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from housex_blender.core.attributes import ATTRIBUTES
from housex_blender.core.genres import GENRES

from ..labelled import Labelled
from .arrange import Plan, has_kick, lay_out
from .recipes import RECIPES, Style, genre_index, sample_style
from .track import part_plan, render_track
from .training import draw_excerpt

# parts of the plan by the attribute that says that they sound
_SOUNDING = {"lead": ("lead", "layer", "organic", "arp"), "chord": ("chord", "pad"), "bass": ("bass", "ground")}
# sections in which a genre is written out, so that rhythm, distortion and organicity are those of the recipe
_WRITTEN_OUT = ("drop", "build")


def truth_of_recipe(style: Style, plan: Plan) -> NDArray[np.float32]:
    """(n_bars, 7) attributes in the order of ATTRIBUTES; NaN where the recipe does not say them exactly."""
    bars = lay_out(plan)
    parts = part_plan(style, bars)
    table = np.full((len(bars), len(ATTRIBUTES)), np.nan, np.float32)
    scales = [style.attributes[name] for name in ATTRIBUTES[:4]]
    for bar in bars:
        heard = {part for part, gains in parts.items() if gains.get(bar.number, 0.0) > 0.1}
        for name, among in _SOUNDING.items():
            table[bar.number, ATTRIBUTES.index(name)] = float(bool(heard & set(among)))
        if heard:
            table[bar.number, 0] = scales[0] if has_kick(bar) else 1.0
        if heard and bar.section in _WRITTEN_OUT:
            table[bar.number, 1:4] = scales[1:]
    return table


def render_recipe_track(genre: str, seed: int) -> Labelled:
    """Render an excerpt of 24 to 40 bars after a recipe; the same arguments always give the same samples.

    Args:
        genre: One of GENRES.
        seed: Decides tempo, plan, and how far instruments are drawn from the pool that all genres share.

    Raises:
        ValueError: Unknown genre.
    """
    rng = np.random.default_rng([seed, genre_index(genre), 5])
    plan = draw_excerpt(rng)
    bpm = round(float(rng.uniform(*RECIPES[genre].bpm)), 2)
    variety = float(rng.uniform(0.0, 0.7))
    track = render_track(genre, seed, bpm=bpm, plan=plan, variety=variety)
    style = sample_style(genre, seed, bpm=bpm, variety=variety)
    return Labelled.single(
        audio=track.audio,
        sample_rate_hz=track.sample_rate_hz,
        beats_s=track.beat_s,
        sections=track.sections,
        shares={GENRES[genre_index(genre)]: 1.0},
        attributes=truth_of_recipe(style, plan),
        facts={"seed": seed, "bpm": bpm, "key": track.key},
    )
