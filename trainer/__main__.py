"""``python -m trainer COMMAND``: one command per step."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from housex_blender.core.errors import HouseXError


def get_parser() -> argparse.ArgumentParser:
    """The command line; every command says what it reads, writes and costs."""
    from .data.miniature import add_miniature_parser
    from .data.prepare import add_prepare_parser
    from .engine.command import add_run_parser
    from .export import add_export_parser
    from .make_default import add_make_default_parser
    from .maps.embed import add_embed_parser
    from .maps.similar import add_similar_parser
    from .own.fine_tune import add_train_parser
    from .params import add_params_parser
    from .report.command import add_evaluate_parser, add_report_parser, add_reproduce_parser
    from .synth.cli import add_synth_parser
    from .systems.drop_rule import add_drops_parser

    parser = argparse.ArgumentParser(prog="python -m trainer", description=__doc__)
    subparsers = parser.add_subparsers(dest="command", required=True)
    add_synth_parser(subparsers)
    add_make_default_parser(subparsers)
    add_train_parser(subparsers)
    add_export_parser(subparsers)
    add_embed_parser(subparsers)
    add_similar_parser(subparsers)
    add_params_parser(subparsers)
    add_prepare_parser(subparsers)
    add_miniature_parser(subparsers)
    add_drops_parser(subparsers)
    add_run_parser(subparsers)
    add_reproduce_parser(subparsers)
    add_report_parser(subparsers)
    add_evaluate_parser(subparsers)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    arguments = get_parser().parse_args(argv)
    try:
        return int(arguments.func(arguments) or 0)
    except HouseXError as error:
        print(f"trainer: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # whoever read the output has had enough
        sys.stdout = None
        return 0
    except OSError as error:
        # a folder that is read-only or gone, a full disk: whichever command met it, this says it all
        place = f"{error.filename}: " if error.filename else ""
        print(f"trainer: {place}{error.strerror or error}. Choose another folder, or make room.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("trainer: cancelled", file=sys.stderr)
        return 130


if __name__ == "__main__":
    raise SystemExit(main())
