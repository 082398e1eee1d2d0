"""The map of tracks as one HTML file that needs no network, and as a picture. Zone: trainer."""

from __future__ import annotations

import colorsys
import json
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from housex_blender.core.attributes import ATTRIBUTES, HIGHEST, LOWEST, SCALES
from housex_blender.core.errors import HouseXError
from housex_blender.core.files import replacing, write_text_atomic
from housex_blender.core.genres import GENRES
from housex_blender.core.looks import Palettes

from .listening import TrackPortrait

_TEMPLATE = Path(__file__).with_name("map_page.html")
_BACK, _INK, _DIM = "#0b0d14", "#e8ebf5", "#98a1bb"
_SHARES_SHOWN = 4
_LEAST_SHARE = 0.03
# more names than these would lie on top of each other
_MOST_TITLES = 40
_LONGEST_TITLE = 36
# as many tracks have smaller points
_MANY = 200
# turns of the hue that never meet: the golden angle
_GOLDEN = 0.381966

Floats = NDArray[np.float64]
# genre -> (fill, ring) as #rrggbb
Colours = Mapping[str, tuple[str, str]]


def colours_of(labels: Sequence[str], palettes: Palettes) -> Colours:
    """Fill and ring of every label: the first two of its palette; a sub-genre without one gets a hue of its own."""
    ordered = [genre for genre in GENRES if genre in labels] + sorted(set(labels) - set(GENRES), key=str.casefold)
    result = {}
    unknown = 0
    for label in ordered:
        if label in palettes.colours:
            fill, ring, _ = palettes.colours[label]
        else:
            fill = "#" + "".join(f"{round(255 * v):02x}" for v in colorsys.hls_to_rgb(unknown * _GOLDEN % 1, 0.6, 0.5))
            ring, unknown = "#ffffff", unknown + 1
        result[label] = (fill, ring)
    return result


def facts_of(portrait: TrackPortrait) -> str:
    """Sub-genre, tempo and length in one line."""
    seconds = round(portrait.duration_s)
    parts = [portrait.heard_label, f"{portrait.bpm:.0f} BPM" if portrait.bpm else "no steady beat"]
    return " · ".join([*parts, f"{seconds // 60}:{seconds % 60:02d}"])


def _traits(portrait: TrackPortrait) -> list[tuple[str, float, str]]:
    """(name, 0..1, text) of every attribute."""
    rows = []
    for name in ATTRIBUTES:
        value = portrait.attribute(name)
        if name in SCALES:
            rows.append((name, (value - LOWEST) / (HIGHEST - LOWEST), f"{value:.1f}"))
        else:
            rows.append((name, value, f"{100 * value:.0f} %"))
    return [(name, round(share, 4), text) for name, share, text in rows]


def write_page(
    portraits: Sequence[TrackPortrait], points: Floats, path: Path, colours: Colours, about: str, note: str = ""
) -> None:
    """Write the interactive map.

    Args:
        portraits: n tracks.
        points: (n, 2) in -1..1.
        path: HTML file.
        colours: From :func:`colours_of`.
        about: One line: method and model.
        note: A sentence under it, or empty.
    """
    counts = Counter(portrait.label for portrait in portraits)
    tracks = []
    for portrait, (x, y) in zip(portraits, points.tolist(), strict=True):
        order = np.argsort(-portrait.probs, kind="stable")[:_SHARES_SHOWN]
        shares = [(portrait.genres[i], round(float(portrait.probs[i]), 4)) for i in order]
        given = sorted(portrait.given.items(), key=lambda item: -item[1])
        tracks.append(
            {
                "title": portrait.title,
                "label": portrait.label,
                "heard": portrait.heard_label,
                "facts": facts_of(portrait),
                "given": ", ".join(f"{genre} {100 * share:.0f} %" for genre, share in given),
                "shares": [row for row in shares if row[1] >= _LEAST_SHARE],
                "traits": _traits(portrait),
                "x": round(x, 5),
                "y": round(y, 5),
            }
        )
    data = {
        "heading": f"{len(tracks)} track{'s' * (len(tracks) != 1)}",
        "about": about,
        "note": note,
        "genres": [{"name": g, "fill": fill, "ring": ring, "count": counts[g]} for g, (fill, ring) in colours.items()],
        "tracks": tracks,
    }
    page = _TEMPLATE.read_text(encoding="utf-8")
    _write(path, page.replace("@DATA@", _script_safe(json.dumps(data, allow_nan=False))))


def _script_safe(text: str) -> str:
    """JSON that cannot end the script element it stands in, nor begin a comment; all else is ASCII already."""
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _write(path: Path, text: str) -> None:
    try:
        write_text_atomic(path, text)
    except OSError as error:
        raise HouseXError(f"{path.name} cannot be written.", "Choose a folder that is there and writable.") from error


def draw_map(
    portraits: Sequence[TrackPortrait], points: Floats, path: Path, colours: Colours, about: str, note: str = ""
) -> None:
    """Draw the map as a PNG, with titles where there are few; arguments as in :func:`write_page`.

    Raises:
        HouseXError: matplotlib is not installed, or the file cannot be written.
    """
    try:
        import matplotlib
    except ImportError as error:
        raise HouseXError("Drawing the map needs matplotlib.", "Install it, or leave out --png.") from error
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(11.0, 8.0), facecolor=_BACK)
    axis.set_facecolor(_BACK)
    labels = [portrait.label for portrait in portraits]
    area, ring_width = (70, 1.6) if len(portraits) < _MANY else (28, 0.9)
    for label, (fill, ring) in colours.items():
        mine = [index for index, one in enumerate(labels) if one == label]
        axis.scatter(*points[mine].T, s=area, c=fill, edgecolors=ring, linewidths=ring_width,
                     label=f"{label} ({len(mine)})", zorder=2)  # fmt: skip
    if len(portraits) <= _MOST_TITLES:
        for portrait, (x, y) in zip(portraits, points.tolist(), strict=True):
            title = portrait.title
            text = title if len(title) <= _LONGEST_TITLE else title[: _LONGEST_TITLE - 1] + "…"
            # a dollar sign would start a formula
            axis.annotate(text, (x, y), (8, 0), textcoords="offset points", color=_DIM, fontsize=7.5, va="center",
                          parse_math=False)  # fmt: skip
    axis.set_xlim(-1.12, 1.12 + 0.35 * (len(portraits) <= _MOST_TITLES))
    axis.set_ylim(-1.12, 1.12)
    # a distance means the same in every direction
    axis.set_aspect("equal", adjustable="box")
    axis.set_xticks([])
    axis.set_yticks([])
    for spine in axis.spines.values():
        spine.set_visible(False)
    axis.set_title(f"{about}  {note}".strip(), color=_INK, fontsize=11, loc="left", parse_math=False)
    legend = axis.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False, fontsize=9)
    for entry in legend.get_texts():
        entry.set_color(_INK)
        entry.set_parse_math(False)
    try:
        with warnings.catch_warnings(), replacing(path) as temporary:
            # a sign that the font does not have is only a box
            warnings.filterwarnings("ignore", message=".*[Gg]lyph")
            figure.savefig(temporary, dpi=130, facecolor=_BACK, bbox_inches="tight", format="png")
    except OSError as error:
        raise HouseXError(f"{path.name} cannot be written.", "Choose a folder that is there and writable.") from error
    finally:
        plt.close(figure)
