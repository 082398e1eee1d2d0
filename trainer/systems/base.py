"""What every published network has in common: how it is described, built, fed and trained. Zone: trainer (torch)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
from torch import Tensor, nn

from housex_blender.analysis.front_ends.base import FrontEnd
from housex_blender.core.errors import HouseXError

from ..data.collection import Piece, Track

# what produced the published numbers, bugs included; what the paper says; the bugs repaired
PRESETS = ("as_code", "as_paper", "fixed")

# tracks apart (and artists, where known); the folders of the data set; each paper's own shares, leaky or one-sided way
SplitRule = Literal["tracks", "published", "housex", "mainstage", "random-pieces", "random-clips"]
SPLIT_RULES: tuple[SplitRule, ...] = get_args(SplitRule)
# shares as they are; one-hot of the greatest, the last of equal ones; only tracks that have a 1.0
LabelRule = Literal["soft", "sharpen", "clean"]


@dataclass(frozen=True)
class Training:
    """How a network is trained; the loss is cross-entropy against shares of the classes.

    Attributes:
        optimiser: ``sgd`` (no momentum unless said), ``adam`` or ``adamw``.
        lr: Learning rate, at its peak.
        batch: Examples per step, over all processes together.
        epochs: Passes over the training part, at most.
        momentum: Of ``sgd``.
        weight_decay: Of the optimiser.
        schedule: ``constant``, or ``cosine`` down to 0 after a linear warm-up.
        warmup_share: Share of the steps of the warm-up.
        patience: Epochs without a better validation after which training stops; None never.
        monitor: What is better: ``val_loss`` or ``val_accuracy``.
        keep: The weights of the ``best`` epoch by ``monitor``, or of the ``last``.
        reshuffle: Whether every epoch has an order of its own.
        balanced: Whether classes are drawn equally often.
        clip_norm: Greatest norm of the gradient; None for no limit.
        outputs: ``logits``; or ``probabilities`` where the network ends in a softmax and the loss, wrongly, takes that
            for logits.
        validations: How often per epoch the validation part is looked at.
    """

    optimiser: Literal["sgd", "adam", "adamw"]
    lr: float
    batch: int
    epochs: int
    momentum: float = 0.0
    weight_decay: float = 0.0
    schedule: Literal["constant", "cosine"] = "constant"
    warmup_share: float = 0.0
    patience: int | None = None
    monitor: Literal["val_loss", "val_accuracy"] = "val_loss"
    keep: Literal["best", "last"] = "best"
    reshuffle: bool = True
    balanced: bool = False
    clip_norm: float | None = None
    outputs: Literal["logits", "probabilities"] = "logits"
    validations: int = 1


@dataclass(frozen=True)
class Counted:
    """Parameters of a network as others count them.

    Attributes:
        paper: As the paper says; None where it says nothing.
        code: As the reference code really has.
        why: Where they differ from each other or from ours: one sentence.
    """

    paper: int | None
    code: int | None
    why: str = ""


@dataclass(frozen=True)
class Setup:
    """One system with one preset and its options: all that the engine, the report and the export need.

    Attributes:
        system: ``paper/network``, for example ``housex/resnet18``.
        preset: One of PRESETS.
        options: What the recipe chose, for example ``{"subset": "drops"}``.
        dataset: Name of the data set it is trained on.
        classes: Names, in the order of the outputs.
        front_end: From sound to the network's input.
        build: Called with ``weights`` (``imagenet``, ``none`` or a file) and returns the network, whose ``forward``
            takes (B, *front_end.shape) float32 and returns (B, C).
        pieces: Which pieces of a track are examples: called with the track, its index and a generator of its own.
        split: How tracks or pieces are parted.
        labels: What the loss is given.
        training: How it is trained.
        weights: What ``build`` is given unless a recipe says otherwise.
        counted: Parameters by paper and code.
        notes: What this preset does that another would not, one sentence each.
        group_lr: Parameter name prefix -> factor of the learning rate; 0 freezes.
        embed: Called with the network and a batch; returns (B, D) vectors before the last layer, for maps.
        prepare_training: Called with the network when training starts and each time ``train()`` was called, for frozen
            parts that must stay in evaluation mode; None for nothing.
    """

    system: str
    preset: str
    options: Mapping[str, str]
    dataset: str
    classes: tuple[str, ...]
    front_end: FrontEnd
    build: Callable[[str], nn.Module]
    pieces: Callable[[Track, int, np.random.Generator], Sequence[Piece]]
    split: SplitRule
    labels: LabelRule
    training: Training
    counted: Counted
    weights: str = "imagenet"
    notes: tuple[str, ...] = ()
    group_lr: Mapping[str, float] = field(default_factory=dict)
    embed: Callable[[nn.Module, Tensor], Tensor] | None = None
    prepare_training: Callable[[nn.Module], None] | None = None


def check_preset(preset: str) -> None:
    """Refuse what is none of PRESETS.

    Raises:
        HouseXError: There is no such preset.
    """
    if preset not in PRESETS:
        raise HouseXError(f"There is no preset {preset!r}.", f"Known are {', '.join(PRESETS)}.")


def chosen_options(
    system: str, allowed: Mapping[str, tuple[str, ...]], wanted: Mapping[str, str] | None
) -> dict[str, str]:
    """Every option of a system with the value that was chosen for it, else its first one.

    Args:
        system: Its name, for messages.
        allowed: Option -> values; where the first is empty, any text will do, for example a folder.
        wanted: What was chosen.

    Raises:
        HouseXError: No such option or value.
    """
    chosen = {option: values[0] for option, values in allowed.items()}
    for option, value in (wanted or {}).items():
        if option not in allowed:
            raise HouseXError(f"{system} has no option {option!r}.", f"Known are {', '.join(allowed) or 'none'}.")
        values = allowed[option]
        if values[0] and value not in values:
            raise HouseXError(f"{option} of {system} cannot be {value!r}.", f"Choose one of {', '.join(values)}.")
        chosen[option] = value
    return chosen
