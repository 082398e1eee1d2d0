"""Many dimensions to a map of two: PCA, t-SNE and UMAP. Zone: trainer (scikit-learn and umap-learn where asked for)."""

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


def project(vectors: NDArray[np.floating], method: str = "pca", seed: int = 0) -> tuple[Floats, str]:
    """A map of vectors, the same for the same input.

    Args:
        vectors: (n, D), n at least 1.
        method: One of METHODS.
        seed: Of t-SNE and UMAP.

    Returns:
        (n, 2) points, centred, the farthest coordinate at 1; and a sentence where another method had to be used, else
        an empty text.

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
    points = {"pca": _pca, "tsne": _tsne, "umap": _umap}[method](rows, seed)
    points = points - 0.5 * (points.max(axis=0) + points.min(axis=0))
    return points / max(float(np.abs(points).max()), 1e-12), note


def _pca(rows: Floats, _seed: int) -> Floats:
    """Directions of the greatest variance; the longest component of each points to plus, so that no map is mirrored."""
    centred = rows - rows.mean(axis=0)
    _, strength, directions = np.linalg.svd(centred, full_matrices=False)
    axes = directions[:2]
    axes *= np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])[:, None]
    points = np.zeros((len(rows), 2))
    # what is below rounding is no direction
    real = strength[:2] > 1e-9 * max(float(np.abs(rows).max()), 1e-12)
    points[:, : len(axes)] = centred @ axes.T * real
    return points


def _tsne(rows: Floats, seed: int) -> Floats:
    """t-SNE (van der Maaten and Hinton 2008) from a PCA start, with a perplexity that fits few tracks."""
    try:
        from sklearn.manifold import TSNE
    except ImportError as error:
        raise HouseXError("t-SNE needs scikit-learn.", "Install it with: pip install --group map") from error
    perplexity = min(_PERPLEXITY, max(1.0, (len(rows) - 1) / 3.0))
    points: Floats = TSNE(2, perplexity=perplexity, init="pca", random_state=seed).fit_transform(rows)
    return points.astype(np.float64)


def _umap(rows: Floats, seed: int) -> Floats:
    """UMAP (McInnes, Healy and Melville 2018) from a PCA start."""
    try:
        with warnings.catch_warnings():
            # it says that its optional neural variant would need TensorFlow
            warnings.simplefilter("ignore")
            from umap import UMAP
    except ImportError as error:
        raise HouseXError("UMAP needs umap-learn.", "Install it with: pip install umap-learn") from error
    neighbours = min(_NEIGHBOURS, len(rows) - 1)
    points: Floats = UMAP(n_neighbors=neighbours, init="pca", random_state=seed, n_jobs=1).fit_transform(rows)
    return points.astype(np.float64)
