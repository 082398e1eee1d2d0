"""The commands of the report: ``reproduce``, ``report`` and ``evaluate``. Zone: trainer."""

from __future__ import annotations

import argparse
import importlib
import math
from collections.abc import Callable
from pathlib import Path

from ..engine.command import count
from ..engine.recipe import TABLES
from ..systems.base import PRESETS, SPLIT_RULES

# more of a song, or of a piece, than a day is a slip of the keyboard
_LONGEST_S = 86400.0


def _later(module: str) -> Callable[[argparse.Namespace], int]:
    """The ``run`` of a module, imported when it is called: other commands must not wait for, or need, its libraries."""

    def run(arguments: argparse.Namespace) -> int:
        return int(importlib.import_module(f".{module}", __package__).run(arguments))

    return run


def add_reproduce_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """``python -m trainer reproduce``."""
    parser = subparsers.add_parser(
        "reproduce",
        help="print a published table beside what comes out here",
        description="Trains every row of TABLE that has no finished run in --runs, for each preset and seed (minutes "
        "on a miniature, hours to days on the real data), and writes report.md, report.csv and report.json. Without "
        "--data nothing is trained: rows without runs are printed as not run. Exits with 1 where a run failed or is "
        "unfinished.",
    )
    parser.add_argument("table", choices=TABLES, metavar="TABLE", help=", ".join(TABLES))
    parser.add_argument("--rows", nargs="+", default=(), metavar="ROW", help="only these; * and ? are understood")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="the data set")
    parser.add_argument("--runs", type=Path, default=Path("runs"), metavar="FOLDER", help="runs (default: runs)")
    parser.add_argument("--preset", nargs="+", choices=PRESETS, default=(), help="only these presets")
    parser.add_argument("--seeds", type=count, metavar="N", help="runs of each preset (default: as the recipe says)")
    parser.add_argument(
        "--weights", metavar="none|imagenet|FILE", help="what the networks begin with; the folder of a language model"
    )
    parser.add_argument(
        "--steps", type=count, metavar="N", help="stop each training after N steps: a trial, not a result"
    )
    parser.add_argument("--option", action="append", default=[], metavar="NAME=VALUE", help="of the systems")
    parser.add_argument("--set", action="append", default=[], metavar="training.NAME=VALUE", help="of the training")
    parser.add_argument(
        "--split", choices=SPLIT_RULES, help="part the tracks of all presets so, which makes their tests equally hard"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1 or mps")
    parser.add_argument("--report-only", action="store_true", help="train nothing, read what is in --runs")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="for the report (default: the table's runs)")
    parser.set_defaults(func=_later("reproduce"))


def add_report_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """``python -m trainer report``."""
    parser = subparsers.add_parser(
        "report",
        help="draw a run: confusion, learning curves, classes, maps, filters, activations",
        description="Writes pictures of a finished run, and maps of three dimensions as HTML pages that need no "
        "network. Embeddings, activations and what a random forest goes by need the data set it was trained on "
        "(minutes on a CPU, an hour for the largest networks).",
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="folder of a run, with run.json")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="for the pictures (default: RUN/pictures)")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="the data set the run was trained on")
    parser.add_argument("--layer", metavar="NAME", help="convolution whose activations are shown")
    parser.set_defaults(func=_later("show_run"))


def _seconds(text: str) -> float:
    """A length of time."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    # a comparison with what is not a number is False
    if not 0.0 < seconds <= _LONGEST_S:
        raise argparse.ArgumentTypeError(f"{text} is no length: give seconds above 0 and up to {_LONGEST_S:g}")
    return seconds


def add_evaluate_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """``python -m trainer evaluate``."""
    parser = subparsers.add_parser(
        "evaluate",
        help="test a run or an exported model on songs outside its data set",
        description="Hears the first 2 minutes of every song (seconds each), in pieces of the length that the model "
        "was trained on. Songs lie in sub-folders named by their class, or a CSV with the columns file and label "
        "names them; songs of another class are heard and not scored.",
    )
    parser.add_argument("model", type=Path, metavar="MODEL", help="folder of a run or of an exported model")
    parser.add_argument("--on", type=Path, required=True, metavar="FOLDER|CSV", help="the songs")
    parser.add_argument("--seconds", type=_seconds, help="how much of each song (default: 120)")
    parser.add_argument(
        "--piece", type=_seconds, metavar="S", help="length of a piece, rounded to a multiple of what the model was "
        "trained on and hears at once; not less (default: that itself)",
    )  # fmt: skip
    parser.add_argument("--middle", action="store_true", help="from the middle of the songs, not their beginning")
    parser.add_argument(
        "--drops", action="store_true", help="clips of the drops of whole songs, found by the volume rule of the run's "
        "preset, then a vote; for runs of mainstage/",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="for the report (default: MODEL/other-songs)")
    parser.add_argument(
        "--keep", action="store_true", help="leave the answers in the run, where `reproduce` reports them as new songs"
    )
    parser.set_defaults(func=_later("evaluate"))
