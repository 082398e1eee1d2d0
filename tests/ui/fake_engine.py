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


def succeed(mix: Path, output: Path, seconds: float, cut: int | None = None) -> None:
    """Progress for a while, then a real timeline, of which ``cut`` characters are left."""
    from ui_samples import sample_timeline

    say("status", text="Listening")
    for step in range(41):
        say("progress", done=step, total=40, unit="s")
        time.sleep(seconds / 40)
    say("warning", text="The tempo drifts.")
    say("status", text="Hearing sub-genres")
    time.sleep(seconds / 8)
    sample_timeline(mix).save(output)
    output.write_text(output.read_text()[:cut])
    say("result", path=str(output), summary={"bars": 16})
    say("done", ok=True)


def check(mode: str) -> None:
    """Answer like ``python -m housex_blender.analysis.check``."""
    say("hello", protocol=2 if mode == "stranger" else 1, version="0", pid=os.getpid())
    if mode == "hang":
        say("status", text="Timing the network")
        time.sleep(600)
    elif mode == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    elif mode == "memory":
        print("Traceback\nMemoryError", file=sys.stderr, flush=True)
        sys.exit(1)
    elif mode == "garbage":
        say("result", path=sys.executable, summary={"python": ["x"] * 999, "providers": 3, "hour_s": {"a\nb": "fast"}})
    elif mode == "nothing":
        say("result", path=sys.executable, summary=[1, 2])
    else:
        say("result", path=sys.executable, summary={
            "python": "3.13.1", "onnxruntime": "1.31.1", "providers": ["CUDA", "CPU"], "torch": "2.13.0",
            "model": "bars 1.0", "runs_on": "torch on NVIDIA H100",
            "hour_s": {"torch on NVIDIA H100": 0.031, "ONNX Runtime on cpu": 0.63}})  # fmt: skip
    say("done", ok=True)


def main() -> None:
    """Answer like ``python -c CODE`` or like ``python -m housex_blender.analysis MIX -o FILE``."""
    if "-c" in sys.argv:
        print("can hear")
        return
    mode = os.environ.get("HOUSEX_FAKE", "ok")
    if sys.argv[2].endswith(".check"):
        check(mode)
        return
    mix = Path(sys.argv[3])
    output = Path(sys.argv[sys.argv.index("-o") + 1])
    say("hello", protocol=1, version="0", pid=os.getpid())
    if mode == "garbage":
        print("{{{ not a message\n" + "x" * 70_000 + '\n{"type": "progress", "done": NaN, "total": []}', flush=True)
        say("progress", done="many", total=None)
        succeed(mix, output, 0.2)
    elif mode == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    elif mode == "stranger":
        say("hello", protocol=2, version="9", pid=os.getpid())
        time.sleep(600)
    elif mode == "memory":
        print("Traceback\nMemoryError", file=sys.stderr, flush=True)
        sys.exit(1)
    elif mode == "truncated":
        succeed(mix, output, 0.0, cut=300)
    elif mode == "missing":
        say("result", path=str(output), summary={})
        say("done", ok=True)
    elif mode == "mute":
        os.close(1)
        os.close(2)
        time.sleep(600)
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
