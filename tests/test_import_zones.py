"""Imports point one way: ui -> scene -> core <- analysis <- trainer, and core <- exchange <- analysis and ui."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "housex_blender"
# zone -> what its files may import besides the standard library
ALLOWED = {
    "housex_blender": {"ui"},
    "core": {"core", "numpy"},
    "exchange": {"core", "exchange", "numpy"},
    "analysis": {"core", "exchange", "analysis", "numpy", "soundfile", "soxr", "onnxruntime", "matplotlib"},
    "scene": {"core", "scene", "numpy", "bpy", "mathutils", "bpy_extras", "idprop", "gpu", "_cycles"},
    "ui": {"core", "exchange", "scene", "ui", "numpy", "bpy", "bpy_extras"},
    "trainer": {"trainer", "housex_blender.core", "housex_blender.analysis", "numpy", "scipy", "soundfile", "soxr",
                "torch", "safetensors", "tqdm", "mido", "matplotlib"},
    "render_mix": {"housex_blender.core", "housex_blender.exchange", "housex_blender.scene"},
}  # fmt: skip
# a library that not everybody has is known to one file
ONLY_IN = {
    PACKAGE / "analysis" / "network.py": {"torch", "safetensors"},
    PACKAGE / "exchange" / "write_midi.py": {"mido"},
    PACKAGE / "exchange" / "write_jams.py": {"jams"},
    PACKAGE / "ui" / "ribbon.py": {"gpu", "gpu_extras", "blf"},
    ROOT / "trainer" / "maps" / "projection.py": {"sklearn", "umap"},
    ROOT / "trainer" / "engine" / "recipe.py": {"yaml"},
    ROOT / "trainer" / "engine" / "runtime.py": {"lightning_fabric"},
    ROOT / "trainer" / "report" / "space.py": {"plotly"},
    ROOT / "trainer" / "systems" / "tabular_features.py": {"librosa"},
    ROOT / "trainer" / "data" / "pictures.py": {"PIL"},
    ROOT / "trainer" / "data" / "workbook.py": {"openpyxl"},
    ROOT / "trainer" / "data" / "miniature_housex.py": {"openpyxl"},
}
STDLIB = set(__import__("sys").stdlib_module_names)


def zone_of(path: Path) -> str:
    parts = path.relative_to(ROOT).parts
    if parts[0] == "housex_blender":
        return parts[1] if len(parts) > 2 else "housex_blender"
    return Path(parts[0]).stem


def imported(path: Path, source: str | None = None) -> list[tuple[int, str]]:
    """(line, zone or module) of every import; relative ones resolved to their zone."""
    found = []
    for node in ast.walk(ast.parse(source if source is not None else path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.append((node.lineno, node.module or ""))
        elif isinstance(node, ast.ImportFrom):
            base = path.parent
            for _ in range(node.level - 1):
                base = base.parent
            names = [node.module] if node.module else [alias.name for alias in node.names]
            for name in names:
                found.append((node.lineno, "/" + zone_of(base.joinpath(*name.split("."), "x.py"))))
    return found


def problems(path: Path, source: str | None = None) -> list[str]:
    zone = zone_of(path)
    allowed = ALLOWED[zone] | ONLY_IN.get(path, set())
    result = []
    for line, name in imported(path, source):
        if name.startswith("/"):
            good = name[1:] in allowed
        else:
            top = name.split(".")[0]
            good = top in STDLIB or any(name == ok or name.startswith(ok + ".") for ok in allowed)
            if zone in ("core", "exchange", "analysis", "scene", "ui", "housex_blender") and top == "housex_blender":
                good = False
        if not good:
            result.append(f"{path.relative_to(ROOT)}:{line} ({zone}) imports {name.lstrip('/')}")
    return result


def sources() -> list[Path]:
    return [*PACKAGE.rglob("*.py"), *(ROOT / "trainer").rglob("*.py"), ROOT / "render_mix.py"]


def test_imports_point_one_way() -> None:
    assert len(sources()) > 40
    assert [text for path in sources() for text in problems(path)] == []


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("core/new.py", "import bpy"),
        ("core/new.py", "from ..analysis import grid"),
        ("analysis/new.py", "import torch"),
        ("analysis/new.py", "from .. import scene"),
        ("analysis/new.py", "import scipy.signal"),
        ("scene/new.py", "from ..analysis.grid import track_grid"),
        ("scene/new.py", "from ..ui import panels"),
        ("ui/new.py", "import onnxruntime"),
        ("core/new.py", "from housex_blender.core import bars"),
        ("core/new.py", "from ..exchange import read"),
        ("exchange/new.py", "from ..analysis import grid"),
        ("exchange/new.py", "import mido"),
        ("exchange/write_midi.py", "import jams"),
    ],
)
def test_a_forbidden_edge_is_found(file: str, line: str) -> None:
    assert len(problems(PACKAGE / file, line)) == 1


def test_blender_versions_are_known_to_one_file() -> None:
    offenders = []
    for path in sources():
        if path == PACKAGE / "scene" / "compat.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            # bpy.app.version decides something; bpy.app.version_string is only written down
            if isinstance(node, ast.Attribute) and node.attr == "version" and ast.unparse(node.value) == "bpy.app":
                offenders.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert offenders == []


def test_no_bare_except() -> None:
    bare = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ExceptHandler) and node.type is None
    ]
    assert bare == []
