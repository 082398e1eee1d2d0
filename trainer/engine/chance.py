"""All chance of a run: every step and every epoch has a seed of its own. Zone: trainer (torch)."""

from __future__ import annotations

import hashlib
import random

import numpy as np
import torch
from numpy.typing import NDArray

# what a seed is for, so that no two uses share a stream
_BUILD, _STEP, _ORDER, _TRACK = range(4)


def _number(*what: int) -> int:
    return int(np.random.SeedSequence(what).generate_state(1)[0])


def seed_all(number: int) -> None:
    """Python, numpy and torch, on every device in use."""
    random.seed(number)
    np.random.seed(number)
    # torch.manual_seed also keeps a stack trace for each device that is not in use, at every step
    torch.default_generator.manual_seed(number)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(number)
    if torch.backends.mps.is_available():
        torch.mps.manual_seed(number)


def seed_build(seed: int) -> None:
    """Before a network is built."""
    seed_all(_number(seed, _BUILD))


def seed_step(seed: int, step: int, rank: int = 0) -> None:
    """Before a step, so that a run that was cut off goes on as if it had not been."""
    seed_all(_number(seed, _STEP, step, rank))


def track_generator(name: str, seed: int = 0) -> np.random.Generator:
    """Of one track by its name and a run's seed: the same pieces whatever other tracks there are."""
    digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()
    # seed 0 adds nothing, so that splits frozen before seeds counted here keep their pieces
    seeds = [seed] if seed else []
    return np.random.default_rng([_TRACK, *seeds, *np.frombuffer(digest, np.uint32).tolist()])


def epoch_order(
    count: int, seed: int, epoch: int, reshuffle: bool = True, classes: NDArray[np.int64] | None = None
) -> NDArray[np.int64]:
    """In which order one epoch goes through its examples.

    Args:
        count: Of the examples.
        seed: Of the run.
        epoch: Its number.
        reshuffle: Whether it has an order of its own; else all have the first's.
        classes: (count,) class of each example, where classes shall come equally often.

    Returns:
        (count,) indices: each once; or, with ``classes``, as many of each class, give or take one, those of a small
        class several times, those of a large one not all.
    """
    rng = np.random.default_rng([seed, _ORDER, epoch if reshuffle else 0])
    if classes is None:
        return rng.permutation(count)
    members = [np.flatnonzero(classes == number) for number in np.unique(classes)]
    # who gets one more where the classes do not divide the epoch
    shares = np.full(len(members), count // len(members))
    shares[rng.permutation(len(members))[: count % len(members)]] += 1
    drawn = [_repeated(group, int(share), rng) for group, share in zip(members, shares, strict=True)]
    return rng.permutation(np.concatenate(drawn))


def _repeated(members: NDArray[np.int64], count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """``count`` of them: all once before any comes again."""
    rounds = -(-count // len(members))
    return np.concatenate([rng.permutation(members) for _ in range(rounds)] or [members[:0]])[:count]
