"""Loss, optimiser and learning rate, as a Training says. Zone: trainer (torch)."""

from __future__ import annotations

import math
from collections.abc import Mapping

from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import SGD, Adam, AdamW, Optimizer

from ..systems.base import Training

# below it a probability has no logarithm worth keeping
_LEAST_PROBABILITY = 1e-9


def logits_of(outputs: Tensor, are_probabilities: bool) -> Tensor:
    """What a network answers, as logits; of probabilities their logarithm."""
    return outputs.clamp(min=_LEAST_PROBABILITY).log() if are_probabilities else outputs


def losses(outputs: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy of each example against shares of the classes, (B,).

    Args:
        outputs: (B, C) what the network said. They are taken for logits also where they are probabilities already: the
            error of the published networks that end in a softmax, whose loss cannot go below ln(e + C - 1) - 1.
        target: (B, C) shares.
    """
    return F.cross_entropy(outputs, target, reduction="none")


def classes_of(target: Tensor) -> Tensor:
    """(B,) class with the greatest share; of equal ones the last, as in :attr:`Predictions.true`."""
    return target.shape[-1] - 1 - target.flip(-1).argmax(-1)


def make_optimiser(network: nn.Module, training: Training, group_lr: Mapping[str, float]) -> Optimizer:
    """The optimiser of all parameters that learn; those with a factor of 0 are frozen for good.

    Args:
        network: Its frozen parameters are marked.
        training: Kind and settings.
        group_lr: Parameter name prefix -> factor of the learning rate; the longest prefix that fits counts.
    """
    groups: dict[float, list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        factor = _factor(name, group_lr)
        if factor == 0.0:
            parameter.requires_grad_(False)
        if parameter.requires_grad:
            groups.setdefault(factor, []).append(parameter)
    # an optimiser wants something to do; a network without a weight that learns is only looked at
    described = [{"params": found, "factor": factor} for factor, found in groups.items()]
    if training.optimiser == "sgd":
        return SGD(described, lr=training.lr, momentum=training.momentum, weight_decay=training.weight_decay)
    kind = {"adam": Adam, "adamw": AdamW}[training.optimiser]
    return kind(described, lr=training.lr, weight_decay=training.weight_decay)


def _factor(name: str, group_lr: Mapping[str, float]) -> float:
    fitting = [prefix for prefix in group_lr if name.startswith(prefix)]
    return group_lr[max(fitting, key=len)] if fitting else 1.0


def rate_at(step: int, steps: int, training: Training) -> float:
    """Share of the peak learning rate at a step, counted from 0."""
    if training.schedule == "constant":
        return 1.0
    warm = math.ceil(training.warmup_share * steps)
    if step < warm:
        return (step + 1) / warm
    return 0.5 + 0.5 * math.cos(math.pi * (step - warm) / max(1, steps - warm))


def set_rate(optimiser: Optimizer, training: Training, share: float) -> None:
    """Give each group its learning rate."""
    for group in optimiser.param_groups:
        group["lr"] = training.lr * share * group["factor"]
