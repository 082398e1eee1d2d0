"""The measurements that prove the show: ``python -m benchmarks.show all|sheet|beats|flicker|...``.

Every command renders the demo mix and writes its part of benchmarks/results/show.json; it ends with 1 when a bound is
broken. Needs bpy and Pillow (the group "test").
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from types import ModuleType

from . import (
    show_anywhere,
    show_beats,
    show_cost,
    show_cover,
    show_engines,
    show_flashes,
    show_flicker,
    show_looks,
    show_mix,
    show_sheet,
)

COMMANDS: dict[str, tuple[ModuleType, str]] = {
    "sheet": (show_sheet, "contact sheet of genres x scenes x (break, build, drop) with its figures"),
    "engines": (show_engines, "does EEVEE light the cells of the sheet as Cycles does"),
    "beats": (show_beats, "do colours change on the downbeat's frame, and do kicks peak on theirs, in every bar"),
    "flicker": (show_flicker, "how much the light of a still camera changes between beats"),
    "flashes": (show_flashes, "flashes in the rendered frames around the drops"),
    "looks": (show_looks, "picture of all looks x genres"),
    "cover": (show_cover, "the README's first picture"),
    "cost": (show_cost, "seconds, faces, curves and bytes beside their budgets"),
    "anywhere": (show_anywhere, "the same .blend rendered by other Blenders, without the extension"),
}


# the times first, while the machine has done nothing else
ALL = ("cost", "sheet", "engines", "beats", "flicker", "flashes", "anywhere", "looks", "cover")


def run_all(arguments: argparse.Namespace) -> int:
    """Run every command in a process of its own; 1 when one of them ended with a broken bound."""
    given = {"anywhere": ["--python", *arguments.python, "--blender", *arguments.blender]}
    codes = {}
    for name in ALL:
        began_s = time.perf_counter()
        command = [sys.executable, "-m", "benchmarks.show", name, *given.get(name, [])]
        codes[name] = subprocess.run(command, cwd=show_mix.ROOT, check=False).returncode
        print(f"{name}: {'kept' if codes[name] == 0 else 'BROKEN'}, {time.perf_counter() - began_s:.0f} s", flush=True)
    print("; ".join(f"{name} {'kept' if code == 0 else 'BROKEN'}" for name, code in codes.items()))
    return 1 if any(codes.values()) else 0


def main() -> int:
    """Run one command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, (module, what) in COMMANDS.items():
        one = commands.add_parser(name, help=what, description=module.__doc__,
                                  formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
        module.add_arguments(one)
    everything = commands.add_parser("all", help="all of them in turn")
    show_anywhere.add_programs(everything)
    arguments = parser.parse_args()
    return run_all(arguments) if arguments.command == "all" else int(COMMANDS[arguments.command][0].run(arguments))


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # without Python's clean-up, at which Blender as a module may hang
    os._exit(code)
