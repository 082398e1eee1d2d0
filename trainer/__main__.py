"""``python -m trainer COMMAND``: one command per step."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from housex_blender.core.errors import HouseXError


def get_parser() -> argparse.ArgumentParser:
    """The command line; every command says what it reads, writes and costs."""
    from .export import add_export_parser
    from .make_default import add_make_default_parser
    from .maps.embed import add_embed_parser
    from .maps.similar import add_similar_parser
    from .own.fine_tune import add_train_parser
    from .synth.cli import add_synth_parser

    parser = argparse.ArgumentParser(prog="python -m trainer", description=__doc__)
    subparsers = parser.add_subparsers(dest="command", required=True)
    add_synth_parser(subparsers)
    add_make_default_parser(subparsers)
    add_train_parser(subparsers)
    add_export_parser(subparsers)
    add_embed_parser(subparsers)
    add_similar_parser(subparsers)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    arguments = get_parser().parse_args(argv)
    try:
        return int(arguments.func(arguments) or 0)
    except HouseXError as error:
        print(f"trainer: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("trainer: cancelled", file=sys.stderr)
        return 130


if __name__ == "__main__":
    raise SystemExit(main())
