"""How all pictures of the report look, and how they are written. Zone: trainer (matplotlib)."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from housex_blender.core.errors import HouseXError
from housex_blender.core.files import replacing
from housex_blender.core.genres import GENRES, canonical
from housex_blender.core.looks import load_palettes

from ..maps.map_page import Colours, colours_of

BACK, PANEL, INK, DIM, GRID = "#0b0d14", "#121623", "#e8ebf5", "#98a1bb", "#262c40"
# of what is pointed at: kept weights, published figures, frames
FRAME = "#ffd07f"
# dark for little, bright for much; and cold for below, warm for above zero
RAMP = ("#121623", "#22456b", "#3f8fb8", "#c9f0ff")
SIGNED = ("#7fd4ff", "#22456b", "#121623", "#8f3d20", "#ffd07f")
_DPI = 130
_SWATCH_INCH = 0.09


def project_order(classes: Sequence[str]) -> list[int]:
    """Indices of classes as the project orders them: its sub-genres first and in its order, then the others."""
    known = {genre: place for place, genre in enumerate(GENRES)}
    return sorted(range(len(classes)), key=lambda index: (known.get(canonical(classes[index]), len(known)), index))


def class_colours(classes: Sequence[str]) -> Colours:
    """Fill and ring of every class: the sub-genres' own, hues for others."""
    names = [canonical(name) for name in classes]
    colours = colours_of(names, load_palettes())
    return {name: colours[spelled] for name, spelled in zip(classes, names, strict=True)}


def plotting() -> ModuleType:
    """pyplot, drawing into files.

    Raises:
        HouseXError: matplotlib is not installed.
    """
    try:
        import matplotlib
    except ImportError as error:
        raise HouseXError("Drawing needs matplotlib.", "Install it with: pip install --group plot") from error
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    return plt


@contextmanager
def picture(path: Path, width: float, height: float, title: str) -> Iterator[Any]:
    """A dark figure of inches with a title at its upper left corner, written when the block ends.

    Raises:
        HouseXError: matplotlib is not installed, or the file cannot be written.
    """
    plt = plotting()
    style = {"text.color": INK, "axes.labelcolor": DIM, "xtick.color": DIM, "ytick.color": DIM, "font.size": 9,
             "axes.facecolor": PANEL, "axes.edgecolor": GRID, "axes.titlecolor": INK, "axes.titlesize": 10,
             # a dollar sign in the name of a song would start a formula
             "text.parse_math": False}  # fmt: skip
    with plt.rc_context(style):
        figure = plt.figure(figsize=(width, height), facecolor=BACK, layout="constrained")
        figure.suptitle(title, x=0.01, ha="left", fontsize=11, color=INK)
        try:
            yield figure
            with warnings.catch_warnings(), replacing(path) as temporary:
                # a sign that the font does not have is only a box
                warnings.filterwarnings("ignore", message=".*[Gg]lyph")
                figure.savefig(temporary, dpi=_DPI, facecolor=BACK, bbox_inches="tight", pad_inches=0.15, format="png")
        except OSError as error:
            raise HouseXError(
                f"{path.name} cannot be written.", "Choose a folder that is there and writable."
            ) from error
        finally:
            plt.close(figure)


def ramp(colours: Sequence[str]) -> Any:
    """A colour map through these colours."""
    plotting()
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("housex", list(colours))


def bare(axis: Any) -> None:
    """No ticks and no frame."""
    axis.set_xticks([])
    axis.set_yticks([])
    for spine in axis.spines.values():
        spine.set_visible(False)


def swatches(axis: Any, colours: Colours, along: str) -> None:
    """A small square of its colour beside each class name, on an axis whose ticks are 0, 1, 2 ..."""
    from matplotlib.transforms import ScaledTranslation

    inch = axis.figure.dpi_scale_trans
    for place, (fill, ring) in enumerate(colours.values()):
        x, y = (0.0, place) if along == "y" else (place, 0.0)
        away = (
            ScaledTranslation(-_SWATCH_INCH, 0.0, inch) if along == "y" else ScaledTranslation(0.0, -_SWATCH_INCH, inch)
        )
        transform = (axis.get_yaxis_transform() if along == "y" else axis.get_xaxis_transform()) + away
        axis.plot([x], [y], marker="s", markersize=6, markerfacecolor=fill, markeredgecolor=ring, markeredgewidth=0.9,
                  transform=transform, clip_on=False, linestyle="none", zorder=5)  # fmt: skip
    axis.tick_params(axis=along, length=0, pad=13)


def legend_of(figure: Any, axis: Any, colours: Colours, counts: Sequence[int]) -> None:
    """The classes with their colours and how many points each has, right of everything."""
    handles = [
        axis.scatter([], [], s=46, c=fill, edgecolors=ring, linewidths=1.2, label=f"{name} ({count})")
        for (name, (fill, ring)), count in zip(colours.items(), counts, strict=True)
    ]
    figure.legend(handles=handles, loc="outside right center", frameon=False, fontsize=9, labelcolor=INK)


def readable_on(share: float) -> str:
    """The colour of text on a place of RAMP."""
    return BACK if share > 0.6 else INK
