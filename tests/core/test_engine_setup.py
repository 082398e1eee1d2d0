"""The GPU engine's environment: real venv and real pip, packages of our own making, no network."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from housex_blender.core import engine_setup
from housex_blender.core.engine_setup import FOLDER_NAME, LOG, PACKAGES, TORCH, is_ready, python_of, told_by_pip
from housex_blender.core.errors import WorkerError
from housex_blender.core.process import ProcessJob, worker_environment
from housex_blender.core.protocol import Kind, Message

from ..conftest import ROOT
from ..processes import wait_until


def make_wheel(folder: Path, requirement: str) -> None:
    """A tiny package under a great name."""
    name, version = requirement.split("==")
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}.py", f"__version__ = {version!r}\n")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", f"{name}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Packages for pip, which asks nobody else."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    for requirement in (*PACKAGES, *TORCH):
        make_wheel(folder, requirement)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def from_url(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    for name in ("PIP_NO_INDEX", "PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_INDEX_URL", url)


def start(folder: Path, python: str = sys.executable) -> ProcessJob:
    return ProcessJob([python, "-m", "housex_blender.core.engine_setup", str(folder)], worker_environment())


def test_an_engine_is_made_where_it_stays(tmp_path: Path, index: Path) -> None:
    folder = tmp_path / "user" / FOLDER_NAME
    folder.mkdir(parents=True)
    (folder / "half").write_text("left by a setup that was killed")
    stages: list[str] = []
    job = start(folder)
    assert job.wait(lambda message: stages.append(message.text)) == python_of(folder)
    assert is_ready(folder)
    assert not (folder / "half").exists()
    assert "Making an environment" in stages
    assert "Looking for torch" in stages
    said = subprocess.run([str(python_of(folder)), "-c", "import torch, numpy, onnxruntime; print(torch.__version__)"],
                          capture_output=True, text=True, check=True)  # fmt: skip
    assert said.stdout.strip() == TORCH[0].split("==")[1]
    assert json.loads((folder / "ready.json").read_text())["packages"] == [*PACKAGES, *TORCH]
    with pytest.raises(WorkerError, match="There is an engine already"):
        start(folder).wait()
    assert is_ready(folder), "the one that works is left alone"


def test_what_cannot_be_installed_leaves_nothing(tmp_path: Path, index: Path) -> None:
    next(index.glob("torch-*")).unlink()
    folder = tmp_path / FOLDER_NAME
    with pytest.raises(WorkerError, match="has no torch for Python 3") as caught:
        start(folder).wait()
    assert "Choose another source" in caught.value.hint
    assert not folder.exists()
    assert "No matching distribution found for torch" in (tmp_path / LOG).read_text()


def test_no_network_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from_url(monkeypatch, "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    folder = tmp_path / FOLDER_NAME
    with pytest.raises(WorkerError, match="The package index cannot be reached"):
        start(folder).wait()
    assert not folder.exists()


@pytest.mark.skipif(os.name == "nt", reason="reads /proc")
@pytest.mark.parametrize("way", ["cancel", "parent dies"])
def test_an_end_midway_leaves_no_process_and_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:  # takes calls and never answers
        from_url(monkeypatch, f"http://127.0.0.1:{server.getsockname()[1]}/simple")
        folder = tmp_path / FOLDER_NAME
        job = start(folder)
        seen: list[str] = []
        wait_until(lambda: seen.extend(message.text for message in job.poll()) or any("Looking for" in t for t in seen))
        server.accept()
        assert python_of(folder).exists()
        if way == "cancel":
            job.cancel()
        else:
            job._process.stdin.close()  # what the system does when the parent dies
        wait_until(lambda: not job.running)
    wait_until(lambda: not users_of(folder))
    assert not folder.exists()
    assert job.exit_code != 0


def users_of(folder: Path) -> list[str]:
    """Processes that run from the folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().decode("utf-8", "replace")
        except OSError:
            continue
        if str(folder) in line:
            found.append(line)
    return found


def test_a_python_without_ensurepip_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\necho 'The virtual environment was not created successfully because ensurepip is not'\n"
                       "echo 'available.  On Debian/Ubuntu systems, you need to install the python3-venv package'\nexit 1\n")  # fmt: skip
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    with pytest.raises(WorkerError, match="a part of Python is missing") as caught:
        engine_setup.make_engine(tmp_path / FOLDER_NAME, "", lambda message: None)
    assert f"apt install python3.{sys.version_info.minor}-venv" in caught.value.hint


def test_a_folder_of_somebodys_work_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "text").write_text("years")
    with pytest.raises(WorkerError, match="not called"):
        engine_setup.make_engine(tmp_path / "thesis", "", lambda message: None)
    assert (tmp_path / "thesis" / "text").read_text() == "years"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("Progress 123 of 456\n", Message(Kind.PROGRESS, {"done": 123, "total": 456, "unit": "bytes"})),
        (
            "  Downloading torch-2.13.0-cp311-cp311-manylinux_2_28_x86_64.whl (532.1 MB)\n",
            "Downloading torch (532.1 MB)",
        ),
        (
            "Downloading https://x.org/whl/cu126/torch-2.13.0%2Bcu126-cp311-cp311-win_amd64.whl (2.9 GB)",
            "Downloading torch (2.9 GB)",
        ),
        (
            "  Downloading nvidia_cublas_cu12-12.8.4.1-py3-none-any.whl.metadata (1.7 kB)",
            "Downloading nvidia_cublas_cu12 (1.7 kB)",
        ),
        ("Installing collected packages: numpy, torch\n", "Installing 2 packages"),
        ("Requirement already satisfied: numpy", None),
        ("", None),
    ],
)
def test_what_pip_says_is_understood(line: str, message: Message | str | None) -> None:
    told = Message(Kind.STATUS, {"text": message}) if isinstance(message, str) else message
    assert told_by_pip(line) == told


def test_the_versions_are_those_of_the_project() -> None:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    pinned = {pin for group in ("hear", "train") for pin in groups[group] if isinstance(pin, str)}
    ours = {pin for pin in (*PACKAGES, *TORCH) if not pin.startswith("numpy")}  # of which Blender has its own
    assert ours <= pinned


@pytest.mark.skipif(shutil.which("python3") is None, reason="needs another Python")
def test_the_program_needs_the_standard_library_only() -> None:
    done = subprocess.run([sys.executable, "-I", "-S", "-c",
                           f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
                           "from housex_blender.core import engine_setup\nprint('numpy' in sys.modules)"],
                          capture_output=True, text=True, check=True)  # fmt: skip
    assert done.stdout.strip() == "False"
