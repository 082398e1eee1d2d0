"""``python -m benchmarks.network_speed ours|resnet BARS``: the networks alone, on bars that are there already.

Ours is the shipped graph in ONNX Runtime, as the extension runs it, on two threads; the rival is the ResNet-18 of the
HouseX (2022) way in torch, on pictures of its size in batches. Weights and pictures of the rival are random: speed does
not depend on them. Prints one JSON line.
"""

from __future__ import annotations

import json
import os
import sys
import time

THREADS = 2
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = str(THREADS)

BATCH = 64


def ours(bars: int) -> float:
    """Seconds for all answers of our network; the pictures are made part by part, as they are from a mix."""
    import numpy as np

    from housex_blender.analysis.backends import OnnxBackend, hear_all
    from housex_blender.analysis.model_folder import load_model_folder

    model = load_model_folder()
    backend = OnnxBackend(model)
    pictures = np.random.default_rng(0).random((bars, 1, 128, 64), dtype=np.float32)
    bpm = np.full(bars, 124.0, np.float32)
    began_s = time.perf_counter()
    heard = hear_all(backend, lambda first, end: pictures[first:end], bpm, model.shape.context_bars)
    assert len(heard.logits) == bars
    return time.perf_counter() - began_s


def resnet(bars: int) -> float:
    """Seconds for the names of ResNet-18 on three colours of 96 by 96."""
    import torch

    from .housex_way import resnet18

    torch.set_num_threads(THREADS)
    net = resnet18().eval()
    pictures = torch.rand(BATCH, 3, 96, 96)
    began_s = time.perf_counter()
    with torch.inference_mode():
        for first in range(0, bars, BATCH):
            net(pictures[: min(BATCH, bars - first)])
    return time.perf_counter() - began_s


if __name__ == "__main__":
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])
    seconds = {"ours": ours, "resnet": resnet}[sys.argv[1]](int(sys.argv[2]))
    print(json.dumps({"network_s": seconds}))
