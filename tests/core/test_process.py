"""The worker seen from outside: messages, failures, cancelling, no orphans."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from housex_blender.core.errors import Cancelled, WorkerError
from housex_blender.core.process import AnalysisJob, can_analyse, check_python, find_python, worker_environment
from housex_blender.core.protocol import Kind, Message, decode

from ..conftest import ROOT
from ..processes import alive, wait_until

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the stand-ins are shell scripts")


def stand_in(tmp_path: Path, body: str) -> str:
    """A program that is started like Python but runs ``body`` instead of the analysis."""
    script = tmp_path / "stand_in.py"
    script.write_text("import json, os, signal, subprocess, sys, time\n"
                      "def say(**m): print(json.dumps(m), flush=True)\n" + body)  # fmt: skip
    program = tmp_path / "python"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{script}" "$@"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return str(program)


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
        (
            "say(type='hello', protocol=99)\ntry: time.sleep(60)\n"
            "except KeyboardInterrupt: say(type='error', text='Cancelled.'); say(type='done', ok=False)",
            "protocol 99",
        ),
        ("sys.stdout.buffer.write(os.urandom(3_000_000)); sys.exit(0)", "ended early"),
        ("x = 'x' * (1 << 62)", r"MemoryError.*memory ran out"),
        (
            "import resource; resource.setrlimit(resource.RLIMIT_AS, (1 << 28, 1 << 28)); x = bytes(1 << 30)",
            r"MemoryError.*memory ran out",
        ),
        ("sys.exit(137)", "exit code 137.*memory ran out"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "exit code -11"),
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


def test_a_child_that_is_silent_is_waited_for_until_cancelled(tmp_path: Path) -> None:
    job = AnalysisJob([], python=stand_in(tmp_path, "os.close(1); os.close(2); time.sleep(600)"))
    for _ in range(20):
        assert job.running
        assert job.poll() == []
        time.sleep(0.02)
    job.cancel()
    assert not alive(job.pid)
    assert not job.running


def test_what_a_dead_child_left_behind_is_ended_and_does_not_block(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    job = AnalysisJob([], python=stand_in(
        tmp_path, f"child = subprocess.Popen(['sleep', '600'])\nopen({str(pids)!r}, 'w').write(str(child.pid))\n"
                  "os.kill(os.getpid(), signal.SIGKILL)"))  # fmt: skip
    with pytest.raises(WorkerError, match="exit code -9"):
        job.wait()
    wait_until(lambda: not alive(int(pids.read_text())))


def test_the_child_steps_back_for_the_window(tmp_path: Path) -> None:
    job = AnalysisJob([], python=stand_in(tmp_path, "time.sleep(0.3)\n"
                      "sys.exit(subprocess.call([sys.executable, '-c', 'import os, sys; sys.exit(os.nice(0))']))"))  # fmt: skip
    wait_until(lambda: not job.running)
    assert job.exit_code == max(os.nice(0), 10), "what it starts itself inherits that"


# -- the parent is killed ----------------------------------------------------------------------------------------

PARENT = """
import sys, time
from housex_blender.core.process import AnalysisJob
job = AnalysisJob(sys.argv[2:], python=sys.argv[1])
while True:
    for message in job.poll():
        print(job.pid, message.kind.value, message.text, flush=True)
    time.sleep(0.02)
"""


def killed_parent(python: str, *arguments: str, until: str) -> int:
    """Start a job from another process, kill that process when the job says ``until``; returns the job's pid."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, python, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    for line in parent.stdout:
        pid = int(line.split()[0])
        if until in line:
            break
    parent.kill()
    parent.wait()
    return pid


def test_a_killed_parent_leaves_no_orphans(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    python = stand_in(
        tmp_path, f"sys.path.insert(0, {str(ROOT)!r})\nfrom housex_blender.core import lifeline\nlifeline.hold()\n"
        "child = subprocess.Popen(['sleep', '600'])\n"
        f"open({str(pids)!r}, 'w').write(str(child.pid))\nsay(type='hello', protocol=1)\n"
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\ntime.sleep(600)\n")  # fmt: skip
    pid = killed_parent(python, until="hello")
    wait_until(lambda: not alive(pid) and not alive(int(pids.read_text())))


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")
def test_a_killed_parent_ends_the_analysis_and_its_decoder(tmp_path: Path) -> None:
    short, mix = tmp_path / "short.m4a", tmp_path / "mix.m4a"
    quiet = ["ffmpeg", "-v", "error", "-nostdin"]
    subprocess.run([*quiet, "-f", "lavfi", "-i", "anoisesrc=d=20:c=pink:r=44100", str(short)], check=True)
    subprocess.run([*quiet, "-stream_loop", "150", "-i", str(short), "-c", "copy", str(mix)], check=True)
    output = tmp_path / "mix.housex.json"
    pid = killed_parent(sys.executable, str(mix), "-o", str(output), "--no-cache", until="progress")
    wait_until(lambda: not alive(pid))
    decoders = [path for path in Path("/proc").glob("[0-9]*/cmdline") if str(mix).encode() in read(path)]
    assert decoders == []
    assert [path.name for path in tmp_path.iterdir() if "housex" in path.name] == [], "it did not go on to the end"


def read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_stdin_is_no_lifeline_unless_promised() -> None:
    done = subprocess.run([sys.executable, "-c", "from housex_blender.core import lifeline\nimport threading\n"
                           "lifeline.hold(); print(threading.active_count())"],
                          cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)  # fmt: skip
    assert done.stdout.strip() == "1"


def test_a_child_that_ignores_the_request_is_killed(tmp_path: Path) -> None:
    python = stand_in(
        tmp_path, "signal.signal(signal.SIGINT, signal.SIG_IGN)\nsay(type='hello', protocol=1)\ntime.sleep(60)\n"
    )
    job = AnalysisJob([], python=python)
    while not job.poll():
        time.sleep(0.02)
    job.cancel()
    assert not alive(job.pid)


def test_this_python_can_analyse() -> None:
    check_python(sys.executable)
    assert can_analyse(sys.executable)


def text_file(folder: Path) -> str:
    path = folder / "notes.txt"
    path.write_text("not a program")
    return str(path)


def broken_program(folder: Path) -> str:
    path = folder / "broken"
    path.write_bytes(b"\x7fELF but not really")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("make", "message", "hint"),
    [
        (lambda folder: str(folder / "nothing"), "cannot be started: No such file", "Name a Python"),
        (text_file, "cannot be started: Permission denied", "Name a Python"),
        (broken_program, "cannot be started: Exec format error", "Name a Python"),
        (str, "is a folder", "inside it"),
        (lambda _: "/bin/true", "/bin/true is not a Python: it did not answer", "Name a Python"),
        (lambda _: "/bin/false", "ended with code 1 and without an answer", "Name a Python"),
        (lambda _: "/bin/echo", "/bin/echo is not a Python", "Name a Python"),
        (
            lambda folder: stand_in(folder, "sys.stdout.buffer.write(bytes(range(256)) * 999)"),
            "is not a Python",
            "Name",
        ),
        (lambda folder: stand_in(folder, "raise ModuleNotFoundError('No module named soxr')"), "named soxr", "Name"),
        (lambda folder: stand_in(folder, "print('too old: 3.7.1')"), "is Python 3.7.1, which is too old", "3.11"),
        (lambda folder: str(folder / "nul\0"), "cannot be started", "Name a Python"),
    ],
)
def test_what_is_no_python_is_said(tmp_path: Path, make, message: str, hint: str) -> None:
    python = make(tmp_path)
    with pytest.raises(WorkerError) as caught:
        check_python(python)
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert "\n" not in str(caught.value)
    assert not can_analyse(python)


def test_files_in_the_current_folder_are_no_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("copy.py", "numpy.py", "housex_blender.py"):
        (tmp_path / name).write_text("raise ImportError('a file of the user')")
    monkeypatch.chdir(tmp_path)
    check_python(sys.executable)
    job = AnalysisJob([str(tmp_path / "none.wav"), "-o", str(tmp_path / "none.json")], python=sys.executable)
    with pytest.raises(WorkerError, match="There is no file"):
        job.wait()


def test_a_python_without_the_packages_says_which_and_how(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True)
    bare = str(tmp_path / "bare" / "bin" / "python")
    with pytest.raises(WorkerError, match="lacks numpy, soundfile, soxr, onnxruntime") as caught:
        find_python(bare)
    assert f'"{bare}" -m pip install numpy soundfile soxr onnxruntime' in caught.value.hint
    monkeypatch.setenv("HOUSEX_PYTHON", bare)
    with pytest.raises(WorkerError, match="lacks numpy"):
        find_python()


def test_the_child_does_not_inherit_the_hosts_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHOME", "/opt/blender/python")
    monkeypatch.setenv("PYTHONPATH", "/opt/blender/scripts")
    env = worker_environment(["/wheels"])
    assert "PYTHONHOME" not in env
    assert "/opt/blender/scripts" not in env["PYTHONPATH"]
    assert env["PYTHONPATH"].endswith("/wheels")
