"""Stands in for the Python that runs the analysis; what it does is chosen by HOUSEX_FAKE. Zone: tests."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))


def say(kind: str, **fields: object) -> None:
    """One message on the wire."""
    print(json.dumps({"type": kind, **fields}), flush=True)


def succeed(mix: Path, output: Path, seconds: float) -> None:
    """Progress for a while, then a real timeline."""
    from ui_samples import sample_timeline

    say("status", text="Listening")
    for step in range(41):
        say("progress", done=step, total=40, unit="s")
        time.sleep(seconds / 40)
    say("warning", text="The tempo drifts.")
    say("status", text="Hearing sub-genres")
    time.sleep(seconds / 8)
    sample_timeline(mix).save(output)
    say("result", path=str(output), summary={"bars": 16})
    say("done", ok=True)


def main() -> None:
    """Answer like ``python -c CODE`` or like ``python -m housex_blender.analysis MIX -o FILE``."""
    if "-c" in sys.argv:
        print("can hear")
        return
    mode = os.environ.get("HOUSEX_FAKE", "ok")
    mix = Path(sys.argv[3])
    output = Path(sys.argv[sys.argv.index("-o") + 1])
    say("hello", protocol=1, version="0", pid=os.getpid())
    if mode == "garbage":
        print("{{{ not a message\n" + "x" * 70_000 + '\n{"type": "progress", "done": NaN, "total": []}', flush=True)
        say("progress", done="many", total=None)
        succeed(mix, output, 0.2)
    elif mode == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    elif mode == "error":
        say("error", text="The file is silent.", hint="Choose another one.")
        say("done", ok=False)
        sys.exit(1)
    elif mode == "hang":
        say("status", text="Listening")
        say("progress", done=1, total=10, unit="s")
        time.sleep(600)
    elif mode == "deaf":
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        say("status", text="Listening")
        time.sleep(600)
    else:
        succeed(mix, output, float(mode.removeprefix("ok") or 0.3))


main()
