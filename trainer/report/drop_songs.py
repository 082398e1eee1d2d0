"""Songs by clips of their drops, as the mainstage benchmark listens to whole tracks. Zone: trainer (torch)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from housex_blender.analysis.front_ends.mainstage import CLIP_S
from housex_blender.analysis.headers import shown
from housex_blender.core.errors import HouseXError

from ..engine.predictions import Predictions
from ..engine.run import RUN_FILE, Run, open_run
from ..systems.base import Setup
from ..systems.mainstage import CLIPS_PER_DROP
from ..systems.mainstage_track import hear_track, listening_front_end
from .songs import Song

_PAPER = "mainstage/"


def drop_run(folder: Path) -> Run:
    """A run of a network that listens to drops.

    Raises:
        HouseXError: It is an exported model, no finished run, or of another system.
    """
    if not (folder / RUN_FILE).is_file():
        raise HouseXError(f"There is no {RUN_FILE} in {folder}, and --drops is for runs.", "Leave out --drops.")
    run = open_run(folder)
    if not str(run.card["system"]).startswith(_PAPER):
        raise HouseXError(
            f"{run.card['system']} does not listen to drops: only the networks of {_PAPER} do.", "Leave out --drops."
        )
    return run


def heard_in_drops(run: Run, songs: Sequence[Song]) -> tuple[Predictions, list[str]]:
    """What a network says of the clips of each song's drops, which the rule of its preset finds.

    Args:
        run: From :func:`drop_run`.
        songs: The label of one whose class is not known is all zeros.

    Returns:
        One row per clip, and a sentence about each song that cannot be read, is damaged or has no drop.

    Raises:
        HouseXError: The run has no network, or no song has a drop.
    """
    setup, network = run.setup, run.network()
    parts: list[Predictions] = []
    problems: list[str] = []
    for song in tqdm(songs, desc="songs", unit="song"):
        try:
            clips = hear_track(network, setup, song.path, on_problem=problems.append).clips
        except HouseXError as error:
            problems.append(f'"{shown(song.name)}" is left out: {error.message}')
            continue
        target = np.zeros_like(clips.probs)
        if song.label >= 0:
            target[:, song.label] = 1.0
        names = np.full(len(target), song.name)
        parts.append(Predictions(clips.classes, names, clips.start_s, target, clips.probs, clips.logits))
    if not parts:
        raise HouseXError(
            "Not one of the songs can be heard.", problems[0] if problems else "Put songs into the folder."
        )
    return Predictions.joined(parts), problems


def how_heard(setup: Setup) -> str:
    """What :func:`heard_in_drops` does, in one sentence."""
    count = "as many as fit" if setup.preset == "fixed" else str(CLIPS_PER_DROP)
    rate_hz = listening_front_end(setup).sample_rate_hz
    at = f" at {rate_hz} Hz, which the training was not," if rate_hz != setup.front_end.sample_rate_hz else ","
    return (
        f"Clips of {CLIP_S:g} s{at} {count} in each drop that the volume rule of {setup.preset} finds in the whole "
        "song; a song by the mean logit of its clips."
    )
