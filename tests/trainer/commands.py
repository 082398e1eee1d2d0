"""Commands of the trainer called as from a shell. Not a test itself."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from trainer.report.command import add_evaluate_parser

AddParser = Callable[["argparse._SubParsersAction[argparse.ArgumentParser]"], Any]


def call(add_parser: AddParser, *words: str) -> int:
    """Exit code of one command with these words behind ``python -m trainer``."""
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers(required=True))
    arguments = parser.parse_args(words)
    return int(arguments.func(arguments))


def evaluate_in(folder: Path) -> Callable[..., int]:
    """``evaluate`` of the model in a folder, waiting for the other words."""
    return lambda *words: call(add_evaluate_parser, "evaluate", str(folder), *words)
