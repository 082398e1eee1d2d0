"""``python -m trainer embed``: a map of tracks in which those that sound alike lie close. Zone: trainer."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from housex_blender.analysis.model_folder import load_model_folder
from housex_blender.core.looks import load_palettes

from .listening import add_listening_options, find_tracks, listen, warn
from .map_page import colours_of, draw_map, write_page
from .projection import METHODS, NAMES, project


def add_embed_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """``python -m trainer embed``."""
    parser = subparsers.add_parser(
        "embed",
        help="draw a map of tracks by how the network hears them",
        description="Hears every track (cached by content; a few seconds each the first time), takes the mean of the "
        "network's embeddings over its drops, and writes a page that any browser opens without a network. Labels are "
        "taken from sub-folders, a CSV or a Label Studio export where there are some.",
    )
    parser.add_argument(
        "places", nargs="+", type=Path, metavar="FOLDER|FILE", help="folders, tracks or lists of labels"
    )
    parser.add_argument("-o", "--output", type=Path, default=Path("map.html"), help="page to write")
    parser.add_argument("--png", type=Path, help="also a picture")
    parser.add_argument(
        "--method", choices=METHODS, default="pca", help="pca, tsne (scikit-learn) or umap (umap-learn)"
    )
    parser.add_argument("--palette", default="house", help="colours: a name or a JSON file")
    add_listening_options(parser)
    parser.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Hear, project, write."""
    palettes = load_palettes(arguments.palette)
    tracks, warnings = find_tracks(arguments.places)
    warn(warnings)
    portraits = listen(tracks, arguments)
    points, note = project(np.array([portrait.embedding for portrait in portraits]), arguments.method)
    if note:
        print(note, file=sys.stderr)
    method = NAMES["pca" if note else arguments.method]
    about = f"{method} of the embeddings of {load_model_folder(arguments.model).name}"
    colours = colours_of([portrait.label for portrait in portraits], palettes)
    write_page(portraits, points, arguments.output, colours, about, note)
    print(f"wrote {arguments.output}")
    if arguments.png:
        draw_map(portraits, points, arguments.png, colours, about, note)
        print(f"wrote {arguments.png}")
    return 0
