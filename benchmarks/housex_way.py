"""The HouseX (2022) way of hearing a mix, as its paper and published program describe it: the rival in speed.

librosa loads the whole file as mono at 22 050 Hz; every 1.875 s (a bar at 128 BPM) from sample 0 becomes a mel
spectrogram (librosa's defaults), is drawn by matplotlib as a JPEG, read back, resized to 96 x 96 and classified by a
ResNet18 with ImageNet's 1000 outputs, dropout and a linear layer to 4 classes. Weights are random: speed does not
depend on them. Prints one JSON line with seconds per step.
"""

from __future__ import annotations

import argparse
import io
import json
import time

import librosa
import librosa.display
import matplotlib
import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

matplotlib.use("Agg")
import matplotlib.pyplot as plt

SLICE_S = 60 * 4 / 128
RATE_HZ = 22050


class Block(nn.Module):
    """A basic residual block."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        self.side = None
        if stride != 1 or before != after:
            self.side = nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))

    def forward(self, x: Tensor) -> Tensor:
        """(B, before, H, W) to (B, after, H / stride, W / stride)."""
        y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        return torch.relu(y + (x if self.side is None else self.side(x)))


def resnet18(classes: int = 4) -> nn.Module:
    """ResNet18 (He et al. 2015) with 1000 outputs, then HouseX's dropout and linear layer: 11 693 516 parameters."""
    stages: list[nn.Module] = [
        nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1),
    ]  # fmt: skip
    before = 64
    for width, stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
        stages += [Block(before, width, stride), Block(width, width, 1)]
        before = width
    return nn.Sequential(
        *stages, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 1000), nn.Dropout(0.5), nn.Linear(1000, classes)
    )


def picture(samples: np.ndarray) -> Tensor:
    """(3, 96, 96) normalised image of one slice, through a JPEG."""
    mel = librosa.feature.melspectrogram(y=samples, sr=RATE_HZ)
    plt.figure()
    plt.axis("off")
    librosa.display.specshow(librosa.power_to_db(mel, ref=np.max), sr=RATE_HZ)
    buffer = io.BytesIO()
    plt.savefig(buffer, format="jpg", bbox_inches="tight")
    plt.close()
    buffer.seek(0)
    image = Image.open(buffer).convert("RGB").resize((96, 96), Image.Resampling.BILINEAR)
    tensor = torch.from_numpy(np.asarray(image, dtype=np.float32) / 255).permute(2, 0, 1)
    mean, spread = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    return (tensor - mean[:, None, None]) / spread[:, None, None]


def main() -> None:
    """Classify every slice of a file one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mix")
    arguments = parser.parse_args()
    began_s = time.perf_counter()
    audio, _ = librosa.load(arguments.mix, sr=RATE_HZ)
    loaded_s = time.perf_counter()
    net = resnet18().eval()
    length = int(SLICE_S * RATE_HZ)
    labels = []
    with torch.inference_mode():
        for first in range(0, len(audio) - length + 1, length):
            labels.append(int(net(picture(audio[first : first + length])[None]).argmax()))
    ended_s = time.perf_counter()
    print(json.dumps({"seconds_of_music": len(audio) / RATE_HZ, "load_s": loaded_s - began_s, "slices": len(labels),
                      "slices_s": ended_s - loaded_s, "total_s": ended_s - began_s}))  # fmt: skip


if __name__ == "__main__":
    main()
