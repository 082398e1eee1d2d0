"""The extension inside the bpy module, with an engine that only pretends. Zone: tests."""

from __future__ import annotations

import os
import sys
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest

from .ui_samples import sample_timeline

bpy = pytest.importorskip("bpy")

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def addon() -> Iterator[object]:
    """Registered for the whole run; taken back before exit, because some Blenders hang or crash otherwise."""
    import housex_blender

    housex_blender.register()
    yield housex_blender
    housex_blender.unregister()


@pytest.fixture
def scene(addon: object) -> Iterator[object]:
    """An empty file."""
    from housex_blender.ui import session

    bpy.ops.wm.read_factory_settings(use_empty=True)
    yield bpy.context.scene
    session.close_all()


@pytest.fixture
def mix(tmp_path: Path) -> Path:
    """A silent recording of a second."""
    path = tmp_path / "set one.wav"
    with wave.open(str(path), "wb") as stream:
        stream.setnchannels(1)
        stream.setsampwidth(2)
        stream.setframerate(44100)
        stream.writeframes(bytes(2 * 44100))
    return path


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    """``engine("ok")`` and so on: choose what the pretended engine does; returns its path."""
    if os.name == "nt":
        pytest.skip("the stand-in is a shell script")
    path = tmp_path / "engine"
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{HERE / "fake_engine.py"}" "$@"\n')
    path.chmod(0o755)
    monkeypatch.setenv("HOUSEX_PYTHON", str(path))

    def choose(mode: str) -> Path:
        monkeypatch.setenv("HOUSEX_FAKE", mode)
        return path

    return choose


@pytest.fixture
def loaded(scene: object, mix: Path) -> Path:
    """The sample timeline beside the mix, loaded into the scene."""
    path = mix.with_name("set one.housex.json")
    sample_timeline(mix).save(path)
    scene.housex.mix_path = str(mix)
    bpy.ops.housex.load_timeline(filepath=str(path))
    return path


@pytest.fixture
def lamp(scene: object) -> object:
    """A light of the user's."""
    lamp = bpy.data.objects.new("Lamp", bpy.data.lights.new("Lamp", "POINT"))
    scene.collection.objects.link(lamp)
    return lamp
