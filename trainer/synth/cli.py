"""Command line of the synthesiser: the demo mix, or a single track."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from .demo import make_demo, truth_path, write_audio
from .mixer import TrackSpec, mix_tracks
from .recipes import GENRES
from .track import render_training_track
from .truth import mix_truth, write_truth


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the sub-commands demo and track to a parser."""
    kinds = parser.add_subparsers(dest="synth_command", required=True)
    demo = kinds.add_parser("demo", help="render the demo mix and its truth (about 10 s, 6 MB)")
    demo.add_argument("-o", "--output", type=Path, default=Path("demo_scenes/demo_mix.ogg"))
    track = kinds.add_parser("track", help="render one track and its truth")
    track.add_argument("genre", choices=GENRES)
    track.add_argument("-o", "--output", type=Path, required=True, help=".ogg, .flac or .wav")
    track.add_argument("--seed", type=int, default=0)
    track.add_argument("--bpm", type=float, default=126.0)
    track.add_argument(
        "--training", action="store_true", help="random plan, tempo and master colour; truth of sections only"
    )


def add_synth_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Hook `synth` into a larger command line; parsed arguments carry run as `func`."""
    parser = subparsers.add_parser("synth", help="render synthetic house music with exact truth", description=__doc__)
    add_arguments(parser)
    parser.set_defaults(func=run)
    return parser


def run(args: argparse.Namespace) -> int:
    """Do what the arguments ask; returns the exit code."""
    if args.synth_command == "demo":
        truth = make_demo(args.output, report=lambda line: print(line, file=sys.stderr))
        print(f"{args.output}\n{truth}")
        return 0
    args.output.parent.mkdir(parents=True, exist_ok=True)
    if args.training:
        track = render_training_track(args.genre, args.seed)
        write_audio(args.output, track.audio)
        facts = {
            "genre": track.genre,
            "bpm": track.bpm,
            "key": track.key,
            "seed": track.seed,
            "beats_s": track.beat_s[:-1].tolist(),
            "sections": track.sections,
            "attributes": track.attributes,
        }
        truth_path(args.output).write_text(json.dumps(facts) + "\n", encoding="utf-8")
    else:
        mix = mix_tracks([TrackSpec(args.genre, args.seed, args.bpm)], [])
        write_audio(args.output, mix.audio)
        write_truth(truth_path(args.output), mix_truth(mix))
    print(f"{args.output}\n{truth_path(args.output)}")
    return 0


def main(argv: list[str] | None = None) -> int:
    """Stand-alone entry point."""
    parser = argparse.ArgumentParser(prog="python -m trainer.synth.cli", description=__doc__)
    add_arguments(parser)
    return run(parser.parse_args(argv))


if __name__ == "__main__":
    sys.exit(main())
