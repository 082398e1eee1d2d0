"""Many dimensions to two or three: PCA, t-SNE and UMAP. Zone: trainer (scikit-learn, umap-learn where asked for)."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from housex_blender.core.errors import HouseXError

METHODS = ("pca", "tsne", "umap")
NAMES = {"pca": "PCA", "tsne": "t-SNE", "umap": "UMAP"}
# below it UMAP has no neighbourhoods to speak of, and its layout cannot start
_FEWEST_FOR_UMAP = 5
_FEWEST_FOR_TSNE = 3
_PERPLEXITY, _NEIGHBOURS = 30.0, 15

Floats = NDArray[np.float64]


def project(
    vectors: NDArray[np.floating],
    method: str = "pca",
    seed: int = 0,
    dimensions: int = 2,
    fitted_on: NDArray[np.floating] | None = None,
) -> tuple[Floats, str]:
    """A map of vectors, the same for the same input.

    Args:
        vectors: (n, D), n at least 1.
        method: One of METHODS.
        seed: Of t-SNE and UMAP.
        dimensions: Of the map: 2 or 3.
        fitted_on: (m, D) vectors that a PCA takes its directions from; the mapped ones where None. Others ignore it.

    Returns:
        (n, dimensions) points, centred, the farthest coordinate at 1; and a sentence where another method had to be
        used, else an empty text.

    Raises:
        HouseXError: The library of the method is not installed.
    """
    if method not in METHODS:
        raise ValueError(f"unknown method {method!r}; known: {', '.join(METHODS)}")
    rows = np.asarray(vectors, dtype=np.float64)
    different = len(np.unique(np.round(rows, 9), axis=0))
    fewest = {"pca": 1, "tsne": _FEWEST_FOR_TSNE, "umap": _FEWEST_FOR_UMAP}[method]
    note = ""
    if different < fewest:
        note = f"{NAMES[method]} needs {fewest} different tracks, there are {different}: this map is a PCA."
        method = "pca"
    if method == "pca":
        points = _pca(rows, dimensions, rows if fitted_on is None else np.asarray(fitted_on, dtype=np.float64))
    else:
        # both start from a PCA, which has no more directions than there are columns
        rows = np.pad(rows, ((0, 0), (0, max(0, dimensions - rows.shape[1]))))
        points = {"tsne": _tsne, "umap": _umap}[method](rows, seed, dimensions)
    points = points - 0.5 * (points.max(axis=0) + points.min(axis=0))
    return points / max(float(np.abs(points).max()), 1e-12), note


def _pca(rows: Floats, dimensions: int, fitted_on: Floats) -> Floats:
    """Directions of the greatest variance; the longest component of each points to plus, so that no map is mirrored."""
    centre = fitted_on.mean(axis=0)
    _, strength, directions = np.linalg.svd(fitted_on - centre, full_matrices=False)
    axes = directions[:dimensions]
    axes *= np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])[:, None]
    points = np.zeros((len(rows), dimensions))
    # what is below rounding is no direction
    real = strength[:dimensions] > 1e-9 * max(float(np.abs(fitted_on).max()), 1e-12)
    points[:, : len(axes)] = (rows - centre) @ axes.T * real
    return points


def _tsne(rows: Floats, seed: int, dimensions: int) -> Floats:
    """t-SNE (van der Maaten and Hinton 2008) from a PCA start, with a perplexity that fits few tracks."""
    try:
        from sklearn.manifold import TSNE
    except ImportError as error:
        raise HouseXError("t-SNE needs scikit-learn.", "Install it with: pip install --group map") from error
    perplexity = min(_PERPLEXITY, max(1.0, (len(rows) - 1) / 3.0))
    points: Floats = TSNE(dimensions, perplexity=perplexity, init="pca", random_state=seed).fit_transform(rows)
    return points.astype(np.float64)


def _umap(rows: Floats, seed: int, dimensions: int) -> Floats:
    """UMAP (McInnes, Healy and Melville 2018) from a PCA start."""
    try:
        with warnings.catch_warnings():
            # it says that its optional neural variant would need TensorFlow
            warnings.simplefilter("ignore")
            from umap import UMAP
    except ImportError as error:
        raise HouseXError("UMAP needs umap-learn.", "Install it with: pip install umap-learn") from error
    neighbours = min(_NEIGHBOURS, len(rows) - 1)
    layout = UMAP(n_neighbors=neighbours, n_components=dimensions, init="pca", random_state=seed, n_jobs=1)
    points: Floats = layout.fit_transform(rows)
    return points.astype(np.float64)
