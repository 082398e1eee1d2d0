"""A whole track through a mainstage network: clips of its drops, then a vote. Zone: trainer (torch)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from housex_blender.analysis.front_ends.base import FrontEnd
from housex_blender.analysis.front_ends.mainstage import CLIP_S, MainstageMaps
from housex_blender.analysis.headers import shown
from housex_blender.core.errors import HouseXError

from ..data.cache import decoded
from ..data.collection import Spans
from ..engine.predictions import Predictions
from .base import Setup
from .drop_rule import detect_drops
from .mainstage import CLIPS_PER_DROP
from .voting import How, vote

# what librosa loads at unless told otherwise, and the reference code did not tell it
_UNTOLD_RATE_HZ = 22050


@dataclass(frozen=True)
class TrackAnswer:
    """What a network says of a track.

    Attributes:
        clips: One row per clip; the targets are 0, since nobody knows.
        whole: One row: the vote.
    """

    clips: Predictions
    whole: Predictions


def listening_front_end(setup: Setup) -> FrontEnd:
    """The features that whole tracks are heard with: those of the training, except for the reference code.

    That one trains at 44 100 Hz, 646 frames and 27 patches, and listens at 22 050 Hz: 323 frames, 7 patches of twice
    the length, and mel bands that reach half as high.
    """
    if setup.preset != "as_code":
        return setup.front_end
    return MainstageMaps(chroma=setup.options["chroma"] == "with", sample_rate_hz=_UNTOLD_RATE_HZ)


def clip_starts(drops_s: Spans, preset: str) -> NDArray[np.float64]:
    """(n,) starts in seconds of the clips, equally spaced in each drop: four, or ``fixed`` as many as fit."""
    starts = [np.zeros(0)]
    for start_s, end_s in drops_s:
        if end_s - start_s >= CLIP_S:
            count = int((end_s - start_s) / CLIP_S) if preset == "fixed" else CLIPS_PER_DROP
            starts.append(np.linspace(start_s, end_s - CLIP_S, count))
    return np.concatenate(starts)


def hear_track(
    network: nn.Module,
    setup: Setup,
    path: Path,
    drops_s: Spans | None = None,
    how: How = "mean-logit",
    on_problem: Callable[[str], None] | None = None,
) -> TrackAnswer:
    """The answers for the clips of a track's drops, and one for all of it.

    Args:
        network: Of ``setup``, on any device; it is put into evaluation mode.
        setup: Of the benchmark.
        path: Audio file.
        drops_s: Its drops; None to find them by the volume rule of the preset.
        how: Of the vote.
        on_problem: Called with a sentence where the file is cut short or damaged.

    Raises:
        AudioError: The file cannot be read.
        HouseXError: It has no drop that a clip fits into.
    """
    found = tuple(detect_drops(path, setup.preset, on_problem)) if drops_s is None else drops_s
    starts_s = clip_starts(found, setup.preset)
    if not len(starts_s):
        raise HouseXError(f'"{shown(path.name)}" has no drop of {CLIP_S} s or more.', "Mark its drops by hand.")
    front_end = listening_front_end(setup)
    # whoever looked for the drops has said what is damaged
    samples = decoded(path, front_end.sample_rate_hz, None if drops_s is None else on_problem)
    device = next(network.parameters()).device
    network.eval()
    logits = []
    for start_s in starts_s:
        first = round(start_s * front_end.sample_rate_hz)
        clip = samples[first : first + front_end.window_samples]
        clip = np.pad(clip, (0, front_end.window_samples - len(clip)))
        ready = torch.from_numpy(front_end.ready(front_end.stored(clip)))
        with torch.inference_mode():
            logits.append(network(ready[None].to(device)).float().cpu())
    said = torch.cat(logits)
    clips = Predictions(
        setup.classes,
        np.full(len(starts_s), path.name),
        starts_s,
        np.zeros(said.shape, np.float32),
        torch.softmax(said, dim=1).numpy(),
        said.numpy(),
    )
    return TrackAnswer(clips, vote(clips, how))
