"""Drum hits from the Hydrogen kits, and the patterns they play. Zone: trainer."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from functools import lru_cache
from pathlib import Path

import numpy as np
import soundfile as sf
import soxr
from numpy.typing import NDArray

from housex_blender.core.errors import HouseXError

INSTALL = "Run: apt-get install csound timgm6mb-soundfont hydrogen-drumkits fluidsynth"
KIT_FOLDERS = tuple(
    Path(root) / "hydrogen" / "data" / "drumkits" for root in ("/usr/share", "/usr/local/share", "/opt/homebrew/share")
)
RATE_HZ = 44100
STEPS = 16  # of a bar
# what an instrument of a kit is, from its name; the first match counts
KINDS: tuple[tuple[str, str], ...] = (
    ("shaker", r"maraca|fxshake|shaker|tambourine"),
    ("rim", r"stick|rim click|clave|woodblock|click"),
    ("clap", r"clap|snap"),
    ("snare", r"snare|cajon slap"),
    ("open", r"open|hat op|ohh|cymbal 1"),
    ("closed", r"closed|pedal|hat|chh|side hh"),
    ("ride", r"ride|bell"),
    ("crash", r"crash|china|splash"),
    ("kick", r"kick|bass ?drum"),
    ("perc", r"tom|conga|bongo|djembe|agogo|cowbell|drum|dununba|kenkeni|sangban|waterglass|zap|cajon|tone|slap"),
)
# kits whose kicks fit an electronic track without help
CLUB_KITS = ("ElectricEmpireKit", "HardElectro1", "rumpf_kit_z01_h2", "VariBreaks")


@lru_cache(maxsize=1)
def catalogue() -> dict[str, tuple[Path, ...]]:
    """Files of all kits by kind of drum.

    Raises:
        HouseXError: If no kit is installed.
    """
    found: dict[str, list[Path]] = {kind: [] for kind, _ in KINDS}
    for sheet in sorted(path for folder in KIT_FOLDERS for path in folder.glob("*/drumkit.xml")):
        for item in ElementTree.parse(sheet).getroot().iter():
            if item.tag.rpartition("}")[2] != "instrument":
                continue
            texts: dict[str, list[str]] = {"name": [], "filename": []}
            for child in item.iter():
                tag = child.tag.rpartition("}")[2]
                if tag in texts and child.text:
                    texts[tag].append(child.text)
            if not texts["name"] or not texts["filename"] or "empty" in texts["filename"][0].lower():
                continue
            kind = next((k for k, pattern in KINDS if re.search(pattern, texts["name"][0].lower())), None)
            # the loud layers: house music does not whisper
            paths = [sheet.parent / name for name in (texts["filename"][0], texts["filename"][-1])]
            if kind and not (kind == "kick" and sheet.parent.name not in CLUB_KITS):
                found[kind] += [path for path in dict.fromkeys(paths) if path.is_file()]
    if not all(found.values()):
        raise HouseXError("The Hydrogen drum kits are not installed.", INSTALL)
    return {kind: tuple(dict.fromkeys(paths)) for kind, paths in found.items()}


@lru_cache(maxsize=256)
def load(path: Path) -> NDArray[np.float32]:
    """(n, 2) hit at 44.1 kHz, silence before it cut, peak 1, at most 2 s."""
    sound, rate = sf.read(path, dtype="float32", always_2d=True)
    sound = sound[: 3 * rate]
    if rate != RATE_HZ:
        sound = soxr.resample(sound, rate, RATE_HZ)
    sound = np.repeat(sound[:, :1], 2, axis=1) if sound.shape[1] == 1 else sound[:, :2]
    level = np.abs(sound).max(axis=1)
    peak = float(level.max(initial=0.0))
    if peak < 1e-4:
        return np.zeros((1, 2), np.float32)
    start = max(int(np.argmax(level > 0.05 * peak)) - 20, 0)
    sound = sound[start : start + 2 * RATE_HZ] / peak
    return np.asarray(sound, np.float32)


def shape(
    hit: NDArray[np.float32], rng: np.random.Generator, length_s: float, pitch: bool = True
) -> NDArray[np.float32]:
    """(n, 2) the hit at another pitch (up to 3 semitones) and with a shorter tail, peak 1."""
    if pitch:
        ratio = 2 ** (rng.uniform(-3, 3) / 12)
        at = np.arange(0, len(hit) - 1, ratio)
        hit = np.stack([np.interp(at, np.arange(len(hit)), hit[:, c]) for c in (0, 1)], axis=1).astype(np.float32)
    n = min(len(hit), int(length_s * RATE_HZ))
    tail = np.exp(-np.maximum(np.arange(n) / RATE_HZ - 0.5 * length_s, 0) * 9 / length_s)
    hit = hit[:n] * tail[:, None].astype(np.float32)
    hit[-min(64, n) :] *= np.linspace(1, 0, min(64, n), dtype=np.float32)[:, None]
    return np.asarray(hit / max(float(np.abs(hit).max(initial=0.0)), 1e-6), np.float32)


def kit(rng: np.random.Generator) -> dict[str, NDArray[np.float32]]:
    """One hit per kind, two of percussion, each from any kit."""
    files = catalogue()
    lengths = {
        "shaker": 0.12,
        "rim": 0.15,
        "clap": 0.3,
        "snare": 0.3,
        "open": 0.3,
        "closed": 0.09,
        "ride": 0.5,
        "crash": 2.0,
        "kick": 0.3,
        "perc": 0.3,
    }
    hits = {}
    for name in (*lengths, "perc2"):
        kind = "perc" if name == "perc2" else name
        path = files[kind][int(rng.integers(len(files[kind])))]
        hits[name] = shape(load(path), rng, lengths[kind] * rng.uniform(0.7, 1.5), pitch=kind != "crash")
    return hits


def _spread(pulses: int, rotate: int) -> list[int]:
    """Steps of an evenly spread rhythm."""
    return sorted({(int(i * STEPS / pulses) + rotate) % STEPS for i in range(pulses)})


def patterns(rng: np.random.Generator, amount: float) -> dict[str, list[tuple[int, float]]]:
    """Which hits fall on which steps of two bars, with their velocity, without the kick.

    Args:
        rng: Draws.
        amount: 0 calm to 1 busy.

    Returns:
        Kind of drum to (step in 0..31, velocity in 0..1).
    """
    result: dict[str, list[tuple[int, float]]] = {}

    def put(name: str, steps: list[int], low: float, high: float) -> None:
        result[name] = [(s + STEPS * b, float(rng.uniform(low, high))) for b in range(2) for s in steps]

    back = str(rng.choice(["clap", "snare", "both"], p=[0.5, 0.2, 0.3]))
    for name in ("clap", "snare"):
        if back in (name, "both"):
            put(name, [4, 12], 0.85, 1.0)
    if rng.random() < 0.85:
        put("open", [2, 6, 10, 14], 0.75, 1.0)
    style = str(rng.choice(["sixteenths", "eighths", "gallop", "none"], p=[0.4, 0.25, 0.2, 0.15]))
    if style == "sixteenths":
        put("closed", list(range(16)), 0.3, 0.9)
    elif style == "eighths":
        put("closed", list(range(0, 16, 2)), 0.5, 0.9)
    elif style == "gallop":
        put("closed", [s for s in range(16) if s % 4 != 1], 0.4, 0.9)
    if rng.random() < 0.25 + 0.6 * amount:
        put("shaker", list(range(int(rng.integers(2)), 16, int(rng.choice([1, 1, 2])))), 0.2, 0.8)
    if rng.random() < 0.25 + 0.2 * amount:
        put("ride", list(range(0, 16, int(rng.choice([2, 4])))), 0.5, 0.8)
    for name in ("perc", "perc2", "rim"):
        if rng.random() < 0.15 + 0.75 * amount:
            put(name, _spread(int(rng.choice([3, 5, 7])), int(rng.integers(16))), 0.35, 0.9)
    if "snare" not in result and rng.random() < amount * 0.6:
        result["snare"] = [(int(s), 0.35) for s in rng.choice([7, 9, 15, 23, 26, 31], 2, replace=False)]
    return result


def roll(rng: np.random.Generator, n_bars: int) -> list[tuple[float, float]]:
    """A roll that grows denser over a build: (beat from its start, velocity), the last beat sometimes left empty."""
    hits: list[tuple[float, float]] = []
    gap = 1.0 if rng.random() < 0.4 else 0.0
    end = 4.0 * n_bars - gap
    steps = rng.choice(
        [(1.0, 0.5, 0.25, 0.25), (1.0, 0.5, 0.25, 0.125), (0.5, 0.5, 0.25, 0.125), (2.0, 1.0, 0.5, 0.25)]
    )
    at = 0.0
    while at < end - 1e-9:
        done = at / (4.0 * n_bars)
        hits.append((at, 0.25 + 0.75 * done))
        at += float(steps[min(int(done * 4), 3)])
    return hits
