"""Maps of what a network makes of pieces: PCA, t-SNE and UMAP, flat as a picture and deep as a page. Zone: trainer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from housex_blender.core.errors import HouseXError
from housex_blender.core.files import write_text_atomic

from ..maps.projection import METHODS, NAMES, project
from .drawing import BACK, DIM, GRID, INK, bare, class_colours, legend_of, picture, project_order

Floats = NDArray[np.float64]
# t-SNE and UMAP of more take minutes, and points beyond it cover each other
MOST_POINTS = 2000


@dataclass(frozen=True)
class Cloud:
    """Vectors of pieces.

    Attributes:
        name: Which pieces these are, for people.
        vectors: (n, D).
        label: (n,) index of the true class.
        what: One line for each: track and time.
    """

    name: str
    vectors: NDArray[np.floating]
    label: NDArray[np.int64]
    what: tuple[str, ...]

    def thinned(self, most: int = MOST_POINTS) -> Cloud:
        """At most so many of the pieces, evenly over all."""
        if len(self.vectors) <= most:
            return self
        kept = np.linspace(0, len(self.vectors) - 1, most).astype(int)
        return Cloud(f"{self.name}, {most} of {len(self.vectors)}", self.vectors[kept], self.label[kept],
                     tuple(self.what[index] for index in kept))  # fmt: skip


@dataclass(frozen=True)
class Panel:
    """One map: its title, the (n, 2 or 3) points, and the cloud they are of."""

    title: str
    points: Floats
    cloud: Cloud


def panels_by_method(cloud: Cloud, dimensions: int = 2, methods: Sequence[str] = METHODS) -> list[Panel]:
    """One cloud by PCA, t-SNE and UMAP side by side, as the mainstage benchmark shows its embeddings.

    Raises:
        HouseXError: The library of a method is not installed.
    """
    cloud = cloud.thinned()
    panels = []
    for method in methods:
        points, note = project(cloud.vectors, method, dimensions=dimensions)
        panels.append(Panel(f"{NAMES['pca' if note else method]}: {cloud.name}", points, cloud))
    return panels


def panels_by_part(clouds: Sequence[Cloud], dimensions: int = 2) -> list[Panel]:
    """A PCA whose directions come from the first cloud, for every cloud, as HouseX shows its logits."""
    first = clouds[0]
    panels = []
    for cloud in clouds:
        shown = cloud.thinned()
        points, _ = project(shown.vectors, "pca", dimensions=dimensions, fitted_on=first.vectors)
        panels.append(Panel(f"PCA fitted on {first.name}: {shown.name}", points, shown))
    return panels


def draw_panels(panels: Sequence[Panel], classes: Sequence[str], path: Path, title: str) -> None:
    """Draw flat maps in one row, with one legend.

    Raises:
        HouseXError: matplotlib is not installed, or the file cannot be written.
    """
    order = project_order(classes)
    colours = class_colours([classes[index] for index in order])
    with picture(path, 5.0 * len(panels) + 2.4, 5.4, title) as figure:
        for number, panel in enumerate(panels):
            axis = figure.add_subplot(1, len(panels), number + 1)
            count = len(panel.points)
            area, ring_width = (42, 1.2) if count < 200 else (26, 0.9) if count < 800 else (13, 0.5)
            drawn = np.random.default_rng(0).permutation(count)
            fills, rings = zip(*(colours[classes[panel.cloud.label[index]]] for index in drawn), strict=True)
            # in an order of chance, so that no class covers the others
            axis.scatter(*panel.points[drawn].T, s=area, c=fills, edgecolors=rings, linewidths=ring_width, zorder=2)
            axis.set_xlim(-1.08, 1.08)
            axis.set_ylim(-1.08, 1.08)
            axis.set_aspect("equal", adjustable="box")
            bare(axis)
            axis.set_title(panel.title, loc="left")
        labels = (
            panels[-1].cloud.label if len(panels) == 1 else np.concatenate([p.cloud.label for p in _clouds(panels)])
        )
        counts = np.bincount(labels, minlength=len(classes))
        legend_of(figure, axis, colours, [int(counts[index]) for index in order])


def _clouds(panels: Sequence[Panel]) -> list[Panel]:
    """The panels of different clouds: three maps of one cloud count its pieces once."""
    return [panel for index, panel in enumerate(panels) if all(panel.cloud is not p.cloud for p in panels[:index])]


def write_deep_page(panels: Sequence[Panel], classes: Sequence[str], path: Path, title: str) -> None:
    """Write maps of three dimensions as one HTML file that turns under the mouse and needs no network.

    Args:
        panels: With (n, 3) points.
        classes: Names.
        path: HTML to write, about 5 MB.
        title: Above it.

    Raises:
        HouseXError: plotly is not installed, or the file cannot be written.
    """
    try:
        import plotly.graph_objects as shapes
        from plotly.subplots import make_subplots
    except ImportError as error:
        raise HouseXError("Maps of three dimensions need plotly.", "Install it with: pip install plotly") from error
    colours = class_colours([classes[index] for index in project_order(classes)])
    figure = make_subplots(1, len(panels), specs=[[{"type": "scene"}] * len(panels)],
                           subplot_titles=[panel.title for panel in panels], horizontal_spacing=0.01)  # fmt: skip
    for number, panel in enumerate(panels):
        for name, (fill, ring) in colours.items():
            mine = np.flatnonzero(panel.cloud.label == list(classes).index(name))
            if not len(mine):
                continue
            x, y, z = panel.points[mine].round(5).T.tolist()
            figure.add_trace(
                shapes.Scatter3d(
                    x=x, y=y, z=z, mode="markers", name=name, legendgroup=name, showlegend=number == 0,
                    marker={"size": 4, "color": fill, "line": {"color": ring, "width": 1}},
                    text=[panel.cloud.what[index] for index in mine],
                    hovertemplate="%{text}<extra>" + name + "</extra>",
                ),
                row=1, col=number + 1,
            )  # fmt: skip
    axis = {"showticklabels": False, "title": "", "gridcolor": GRID, "zerolinecolor": GRID, "backgroundcolor": BACK}
    figure.update_scenes(xaxis=axis, yaxis=axis, zaxis=axis, bgcolor=BACK, aspectmode="cube")
    figure.update_layout(title=title, paper_bgcolor=BACK, font={"color": INK}, height=720,
                         legend={"itemsizing": "constant", "font": {"color": DIM}})  # fmt: skip
    text = figure.to_html(include_plotlyjs=True, full_html=True)
    try:
        write_text_atomic(path, text)
    except OSError as error:
        raise HouseXError(f"{path.name} cannot be written.", "Choose a folder that is there and writable.") from error
