"""A Blender application on this machine, with a profile of its own: found, asked, given the extension. Zone: tests.

``HOUSEX_BLENDER`` names the program of an ordinary installation. ``HOUSEX_REAL_BLENDER``, or ``real-blender`` on PATH,
names a tool that keeps applications in systems of their own; ``TOOL sh SUITE COMMAND ...`` runs a command in one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# systems of the tool, oldest Blender first
SUITES = ("trixie", "sid")


@dataclass
class Application:
    """A Blender to try the extension in.

    Attributes:
        name: For folders and reports, "5.2.2" for example.
        python: Version of its Python, "3.14" for example.
        program: Blender itself.
        prefix: What goes before every command, so that it runs in Blender's system; empty for this one.
    """

    name: str
    python: str
    program: str = "blender"
    prefix: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)

    def command(self, *arguments: str | Path) -> list[str]:
        """A command line in Blender's system."""
        return [*self.prefix, *map(str, arguments)]

    def settle(self, folder: Path) -> None:
        """Keep profile, cache and temporary files in this folder from now on."""
        for name, part in (("BLENDER_USER_RESOURCES", "profile"), ("HOUSEX_CACHE", "cache"), ("TMPDIR", "tmp")):
            (folder / part).mkdir(parents=True, exist_ok=True)
            self.environment[name] = str(folder / part)

    @property
    def profile(self) -> Path:
        """Blender's own folder for extensions and settings, once settled."""
        return Path(self.environment["BLENDER_USER_RESOURCES"])

    def env(self) -> dict[str, str]:
        """Environment for everything that is started: nothing of ours, no shader cache of another run."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("HOUSEX_", "PYTHON", "BLENDER"))}
        return {**kept, "MESA_SHADER_CACHE_DISABLE": "true", "LIBGL_ALWAYS_SOFTWARE": "1", **self.environment}

    def window_command(self, home: Path, *arguments: str | Path) -> list[str]:
        """Blender's command line with another home folder: where its file browser opens."""
        return self.command("env", f"HOME={home}", self.program, "--offline-mode", *arguments)

    def run(self, *arguments: str | Path, timeout_s: float = 300) -> subprocess.CompletedProcess[str]:
        """Run Blender without a window, to its end."""
        return subprocess.run(self.command(self.program, *arguments), capture_output=True, text=True, check=False,
                              timeout=timeout_s, env=self.env(), stdin=subprocess.DEVNULL)  # fmt: skip

    def extension(self, *arguments: str | Path) -> str:
        """``blender --command extension …``; returns what it said.

        Raises:
            RuntimeError: It went wrong.
        """
        done = self.run("--offline-mode", "--command", "extension", *arguments)
        if done.returncode != 0 or "Traceback" in done.stderr:
            raise RuntimeError(f"extension {arguments[0]}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout


def _ask(program: str, prefix: tuple[str, ...]) -> Application | None:
    """The application behind a command, or None if it does not start."""
    what = "import bpy, sys; print('IS', *bpy.app.version, *sys.version_info[:2])"
    command = [*prefix, program, "--factory-startup", "-b", "--python-expr", what]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    except OSError:
        return None
    words = next((line.split()[1:] for line in done.stdout.splitlines() if line.startswith("IS ")), None)
    if words is None:
        return None
    return Application(".".join(words[:3]), ".".join(words[3:]), program, prefix)


def applications() -> list[Application]:
    """Every Blender application that can be started here, oldest first; empty on most machines."""
    found = []
    if os.environ.get("HOUSEX_BLENDER"):
        found.append(_ask(os.environ["HOUSEX_BLENDER"], ()))
    tool = os.environ.get("HOUSEX_REAL_BLENDER") or shutil.which("real-blender")
    if tool:
        found += [_ask("blender", (tool, "sh", suite)) for suite in SUITES]
    return [application for application in found if application is not None]


def has_window_tools(application: Application) -> bool:
    """Whether a screen, a hand and a camera are there."""
    probe = application.command("sh", "-c", "for tool in Xvfb xdotool xwd convert; do command -v $tool; done")
    done = subprocess.run(probe, capture_output=True, text=True, check=False)
    return len(done.stdout.split()) == 4


def build_zip(folder: Path, pythons: Sequence[str]) -> Path:
    """The extension for these Pythons, with its wheels; needs the network or pip's cache.

    Raises:
        RuntimeError: It cannot be built.
    """
    program = str(ROOT / ".ci" / "build_extension.py")
    options = ["--out", str(folder), "--pythons", ",".join(pythons), "--platforms", "linux-x64"]
    done = subprocess.run([sys.executable, program, *options], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"The zip was not built: {done.stderr[-1000:]}")
    return Path(done.stdout.splitlines()[0])
