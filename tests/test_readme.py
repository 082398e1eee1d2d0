"""The README tells the truth: its figures are those of the result files, its pictures and commands exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from housex_blender.core.channels import DIRECTED, HEARD, MOTION
from housex_blender.core.scene_kinds import COMMON_LAP_M
from housex_blender.core.show_light import LIGHTS
from housex_blender.core.show_mix import COLOURS

from .conftest import ROOT


def test_figures_come_from_the_result_files() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.readme", "--check"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_what_it_names_exists() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    targets = [
        *re.findall(r"!\[[^]]*\]\(([^)]+)\)", text),
        *re.findall(r"`((?:housex_blender|demo_scenes|benchmarks|docs)/[\w./]+)`", text),
    ]
    assert targets
    assert [path for path in targets if not (ROOT / path).exists()] == []
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"make ([a-z-]+)", text):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"make {target}"


def test_every_option_it_names_exists() -> None:
    done = subprocess.run([sys.executable, ROOT / "render_mix.py", "--help"], capture_output=True, text=True)
    assert done.returncode == 0
    blocks = "\n".join(re.findall(r"```\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL))
    for line in blocks.splitlines():
        if "render_mix.py" in line:
            after = line.split("render_mix.py", 1)[1]
            for option in re.findall(r"(--[\w-]+)", after):
                assert option in done.stdout, option


def test_every_channel_is_told_of() -> None:
    page = (ROOT / "docs" / "own-scene.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| `(\w+)` \| [^|]+ \| [^|]+ \|$", page, re.MULTILINE)
    assert told == [*HEARD, *COLOURS, *LIGHTS, *MOTION, *DIRECTED]
    assert f"{COMMON_LAP_M:,.0f} m" in page


def test_every_trainer_command_it_names_exists() -> None:
    pytest.importorskip("torch")
    from trainer.__main__ import get_parser

    known = get_parser()._subparsers._group_actions[0].choices  # type: ignore[union-attr]
    named = 0
    for page in ("README.md", "docs/systems.md"):
        text = (ROOT / page).read_text(encoding="utf-8")
        for command, rest in re.findall(r"-m trainer ([a-z][a-z-]*)([^\n`]*)", text):
            assert command in known, f"{page}: {command}"
            offered = known[command].format_help()
            for option in re.findall(r"(?<= )(--[\w-]+)", rest.split(" # ")[0]):
                assert option in offered, f"{page}: {command} {option}"
            named += 1
    assert named > 10


# made-up homes, and the public index that torch is published on
SPEAK_OF_PATHS = {"tests/core/test_privacy.py", "housex_blender/core/engine_setup.py"}


def test_nothing_names_this_machine() -> None:
    """No path of a home or work folder, and no registry, in any file that is text."""
    bad = re.compile(r"/(?:root|home|work)/|https?://[\w.]*pypi|index-url|find-links")
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout.split()
    assert files
    found = []
    for name in sorted(set(files) - SPEAK_OF_PATHS):
        path = ROOT / name
        if path.suffix in (".py", ".md", ".toml", ".json", "") and path.name != Path(__file__).name and path.is_file():
            for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
                if bad.search(line):
                    found.append(f"{name}:{number}")
    assert found == []
