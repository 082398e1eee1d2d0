"""Command line of the synthesiser: the demo mix, a single track, or a mix of training tracks."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from housex_blender.core.attributes import ATTRIBUTES
from housex_blender.core.genres import GENRES

from ..labelled import Labelled
from .demo import make_demo, truth_path, write_audio
from .mixer import TrackSpec, mix_tracks
from .samples import open_bank
from .sets import render_training_mix
from .training import render_training_track
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
    track.add_argument("--training", action="store_true", help="as written for training, with its truth bar by bar")
    mix = kinds.add_parser("mix", help="render a DJ mix of training tracks and its truth")
    mix.add_argument("-o", "--output", type=Path, required=True, help=".ogg, .flac or .wav")
    mix.add_argument("--seed", type=int, default=0)
    mix.add_argument("--tracks", type=int, help="number of tracks; default: 5 to 8, drawn")
    for kind in (track, mix):
        kind.add_argument("--sounds", type=Path, help="cache folder of sampled instruments; default: synthesised only")


def add_synth_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Hook `synth` into a larger command line; parsed arguments carry run as `func`."""
    parser = subparsers.add_parser("synth", help="render synthetic house music with exact truth", description=__doc__)
    add_arguments(parser)
    parser.set_defaults(func=run)
    return parser


def labelled_truth(labelled: Labelled) -> dict[str, object]:
    """Truth of a training track or mix as plain JSON values; what is not known of a bar is null."""

    def rows(table: NDArray[np.float32]) -> list[list[float | None]]:
        return [[round(float(value), 4) if np.isfinite(value) else None for value in row] for row in table]

    return {
        "genres": list(GENRES),
        "attributes": list(ATTRIBUTES),
        "beats_s": [round(float(beat), 6) for beat in labelled.beats_s[:-1]],
        "bars": {
            "start_s": [round(float(start), 6) for start in labelled.starts_s],
            "end_s": [round(float(end), 6) for end in labelled.ends_s],
            "section": list(labelled.sections),
            "probs": rows(labelled.probs),
            "attributes": rows(labelled.attributes),
            "track": labelled.track.tolist(),
            "crossfade": labelled.crossfade.tolist(),
        },
        "facts": labelled.facts,
    }


def run(args: argparse.Namespace) -> int:
    """Do what the arguments ask; returns the exit code."""
    if args.synth_command == "demo":
        truth = make_demo(args.output, report=lambda line: print(line, file=sys.stderr))
        print(f"{args.output}\n{truth}")
        return 0
    args.output.parent.mkdir(parents=True, exist_ok=True)
    if args.synth_command == "mix" or args.training:
        bank = open_bank(args.sounds) if args.sounds else None
        labelled = (
            render_training_mix(args.seed, bank, args.tracks)
            if args.synth_command == "mix"
            else render_training_track({args.genre: 1.0}, args.seed, bank)
        )
        write_audio(args.output, labelled.audio)
        truth_path(args.output).write_text(json.dumps(labelled_truth(labelled)) + "\n", encoding="utf-8")
    else:
        solo = mix_tracks([TrackSpec(args.genre, args.seed, args.bpm)], [])
        write_audio(args.output, solo.audio)
        write_truth(truth_path(args.output), mix_truth(solo))
    print(f"{args.output}\n{truth_path(args.output)}")
    return 0


def main(argv: list[str] | None = None) -> int:
    """Stand-alone entry point."""
    parser = argparse.ArgumentParser(prog="python -m trainer.synth.cli", description=__doc__)
    add_arguments(parser)
    return run(parser.parse_args(argv))


if __name__ == "__main__":
    sys.exit(main())
