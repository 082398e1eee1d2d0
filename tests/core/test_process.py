"""The worker seen from outside: messages, failures, cancelling, no orphans."""

from __future__ import annotations

import os
import stat
import sys
import time
from pathlib import Path

import pytest

from housex_blender.core.errors import Cancelled, WorkerError
from housex_blender.core.process import AnalysisJob, can_analyse, find_python, worker_environment
from housex_blender.core.protocol import Kind, Message, decode


def stand_in(tmp_path: Path, body: str) -> str:
    """A program that is started like Python but runs ``body`` instead of the analysis."""
    script = tmp_path / "stand_in.py"
    script.write_text("import json, os, signal, subprocess, sys, time\n"
                      "def say(**m): print(json.dumps(m), flush=True)\n" + body)  # fmt: skip
    program = tmp_path / "python"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{script}" "$@"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return str(program)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().split(")")[1][:3]


@pytest.mark.parametrize("kind", list(Kind))
def test_messages_survive_the_wire(kind: Kind) -> None:
    message = Message(kind, {"text": "naïve “quotes” 🎧\nnew line", "done": 1.5})
    line = message.encode()
    assert "\n" not in line
    assert line.isascii()
    assert decode(line) == message


@pytest.mark.parametrize(
    "line", ["", "hello", "{}", "[1]", '{"type": "magic"}', '{"type": ["done"]}', "{" * 50_000, "null"]
)
def test_lines_that_are_no_messages(line: str) -> None:
    assert decode(line) is None


def test_a_good_run(tmp_path: Path) -> None:
    python = stand_in(tmp_path, "print('a library says hello')\nsay(type='hello', protocol=1)\n"
                      "say(type='progress', done=1, total=2)\nsay(type='result', path=sys.argv[-1])\nsay(type='done', ok=True)\n")  # fmt: skip
    seen: list[Kind] = []
    job = AnalysisJob(["/somewhere/x.json"], python=python)
    assert job.wait(lambda message: seen.append(message.kind)) == Path("/somewhere/x.json")
    assert seen == [Kind.HELLO, Kind.PROGRESS, Kind.RESULT, Kind.DONE]
    assert "a library says hello" in job.log


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            "say(type='error', text='The mix is silent.', hint='Check it.'); say(type='done', ok=False); sys.exit(1)",
            "silent",
        ),
        ("print('garbage ' * 1000); sys.exit(0)", "ended early"),
        ("say(type='result', path='x'); say(type='done', ok=True); sys.exit(3)", "exit code 3"),
        ("say(type='result', path='x'); sys.exit(0)", "ended early"),
        (
            "print('Killed by hand', file=sys.stderr, flush=True); os.kill(os.getpid(), signal.SIGKILL)",
            "Killed by hand",
        ),
        ("say(type='hello', protocol=99); time.sleep(60)", "protocol 99"),
    ],
)
def test_failures_become_one_sentence(tmp_path: Path, body: str, said: str) -> None:
    job = AnalysisJob([], python=stand_in(tmp_path, body))
    with pytest.raises(WorkerError, match=said):
        job.wait()
    assert not alive(job.pid)


def test_cancel_ends_the_child_and_its_children(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    python = stand_in(tmp_path, f"child = subprocess.Popen(['sleep', '60'])\nopen({str(pids)!r}, 'w').write(str(child.pid))\n"
                      "say(type='hello', protocol=1)\ntime.sleep(60)\n")  # fmt: skip
    job = AnalysisJob([], python=python)
    stopped: list[Message] = []
    with pytest.raises(Cancelled):
        job.wait(stopped.append, should_stop=lambda: bool(stopped))
    time.sleep(0.2)
    assert not alive(job.pid)
    assert not alive(int(pids.read_text()))


def test_a_child_that_ignores_the_request_is_killed(tmp_path: Path) -> None:
    python = stand_in(
        tmp_path, "signal.signal(signal.SIGINT, signal.SIG_IGN)\nsay(type='hello', protocol=1)\ntime.sleep(60)\n"
    )
    job = AnalysisJob([], python=python)
    while not job.poll():
        time.sleep(0.02)
    job.cancel()
    assert not alive(job.pid)


def test_this_python_can_analyse_and_others_say_why_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert can_analyse(sys.executable) == ""
    assert "cannot be started" in can_analyse(str(tmp_path / "nothing"))
    empty = stand_in(tmp_path, "raise ModuleNotFoundError('No module named soxr')")
    assert "soxr" in can_analyse(empty)
    with pytest.raises(WorkerError, match="cannot run"):
        find_python(empty)
    monkeypatch.setenv("HOUSEX_PYTHON", empty)
    with pytest.raises(WorkerError, match="soxr"):
        find_python()


def test_the_child_does_not_inherit_the_hosts_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHOME", "/opt/blender/python")
    monkeypatch.setenv("PYTHONPATH", "/opt/blender/scripts")
    env = worker_environment(["/wheels"])
    assert "PYTHONHOME" not in env
    assert "/opt/blender/scripts" not in env["PYTHONPATH"]
    assert env["PYTHONPATH"].endswith("/wheels")
