"""The designs that were compared with the one that ships, on the same bars. Zone: trainer (torch).

Each hears sequences of bars like MixNet, so that one training loop serves all. The two published ways are built at the
size of our pictures, 128 mel bands by 64 columns a bar, and without weights from ImageNet.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from housex_blender.analysis.model_folder import NetworkShape
from housex_blender.analysis.network import BarEncoder, MixNet

SHAPE = NetworkShape(widths=(16, 32, 64, 128), size=256, dilations=(1, 2, 4, 8))
# columns of a patch and from one patch to the next, of a window of four bars
_PATCH, _HOP, _WINDOW_BARS = 64, 32, 4


class _BasicBlock(nn.Module):
    """The block of ResNet-18 (He et al. 2016)."""

    def __init__(self, source: int, target: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(source, target, 3, stride, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(target)
        self.second = nn.Conv2d(target, target, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(target)
        self.shortcut = (
            nn.Sequential(nn.Conv2d(source, target, 1, stride, bias=False), nn.BatchNorm2d(target))
            if stride != 1 or source != target
            else nn.Identity()
        )

    def forward(self, maps: Tensor) -> Tensor:
        inner = F.relu(self.first_norm(self.first(maps)))
        return F.relu(self.shortcut(maps) + self.second_norm(self.second(inner)))


class OneBarResNet18(nn.Module):
    """The way of HouseX (arXiv 2207.11690): one bar alone, a ResNet-18, here with one channel instead of a picture in
    three colours."""

    def __init__(self, n_genres: int) -> None:
        super().__init__()
        stages: list[nn.Module] = [
            nn.Conv2d(1, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)
        ]  # fmt: skip
        source = 64
        for target, stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
            stages += [_BasicBlock(source, target, stride), _BasicBlock(target, target, 1)]
            source = target
        self.stages = nn.Sequential(*stages, nn.AdaptiveAvgPool2d(1), nn.Flatten(1))
        self.genre = nn.Linear(source, n_genres)

    def sequences(self, patches: Tensor, bpm: Tensor) -> tuple[Tensor, None, None, None]:
        """Logits (B, S, G) of (B, S, 128, 64); the tempo is not heeded."""
        batch, length = patches.shape[:2]
        bars = self.stages(patches.reshape(batch * length, 1, *patches.shape[2:]) * 2.0 - 1.0)
        return self.genre(bars).view(batch, length, -1), None, None, None


class FourBarPatches(nn.Module):
    """The way of the mainstage benchmark (arXiv 2409.06690): overlapping patches of four bars, a convolutional
    extractor on each, one transformer layer of six heads over them, the first token decides.

    Its extractors (ViT-B/16 to DenseNet-201) at 27 patches a clip are out of reach without a GPU: here the encoder of
    MixNet extracts 7 patches, each one bar wide.
    """

    def __init__(self, n_genres: int, size: int = 192) -> None:
        super().__init__()
        self.size = size
        self.extractor = BarEncoder(SHAPE.widths, size)
        self.place = nn.Parameter(torch.zeros(1, 7, size))
        self.layer = nn.TransformerEncoderLayer(size, 6, 4 * size, dropout=0.1, batch_first=True)
        self.genre = nn.Linear(size, n_genres)

    def sequences(self, patches: Tensor, bpm: Tensor) -> tuple[Tensor, None, None, None]:
        """Logits (B, S, G) of (B, S, 128, 64): all bars of a window of four get its answer; no tempo."""
        batch, length = patches.shape[:2]
        extra = -length % _WINDOW_BARS
        if extra:
            patches = torch.cat([patches, patches[:, -1:].expand(-1, extra, -1, -1)], dim=1)
        windows = patches.reshape(-1, _WINDOW_BARS, *patches.shape[2:]).permute(0, 2, 1, 3).flatten(2)
        pieces = windows.unfold(2, _PATCH, _HOP).permute(0, 2, 1, 3)
        count = pieces.shape[1]
        tokens = torch.tanh(self.extractor(pieces.reshape(-1, 1, *pieces.shape[2:]))).view(
            -1, count, self.place.shape[2]
        )
        logits = self.genre(F.relu(self.layer(tokens + self.place)[:, 0]))
        logits = logits[:, None].expand(-1, _WINDOW_BARS, -1).reshape(batch, length + extra, -1)
        return logits[:, :length], None, None, None


class BarsAlone(MixNet):
    """MixNet without its neighbours: what context is worth."""

    def __init__(self, n_genres: int) -> None:
        super().__init__(n_genres, SHAPE)
        self.context = nn.Sequential()


class _NearAttention(nn.Module):
    """Self-attention over bars that reaches as far as the convolutions would, with a learned weight per distance."""

    def __init__(self, size: int, reach: int, heads: int = 4) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(size)
        self.ask = nn.Linear(size, 3 * size)
        self.tell = nn.Linear(size, size)
        self.after = nn.Sequential(nn.LayerNorm(size), nn.Linear(size, 2 * size), nn.GELU(), nn.Dropout(0.2),
                                   nn.Linear(2 * size, size))  # fmt: skip
        self.distance = nn.Parameter(torch.zeros(heads, 2 * reach + 1))
        self.reach, self.heads = reach, heads

    def forward(self, bars: Tensor) -> Tensor:
        batch, length, size = bars.shape
        asked = self.ask(self.norm(bars)).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        apart = torch.arange(length)[None, :] - torch.arange(length)[:, None]
        bias = self.distance[:, apart.clamp(-self.reach, self.reach) + self.reach]
        bias = bias.masked_fill(apart.abs() > self.reach, float("-inf"))
        heard = F.scaled_dot_product_attention(asked[0], asked[1], asked[2], attn_mask=bias.to(asked.dtype))
        bars = bars + self.tell(heard.transpose(1, 2).reshape(batch, length, size))
        return bars + self.after(bars)


class AttentiveMixNet(MixNet):
    """MixNet with two layers of attention to 15 bars each way in place of its convolutions."""

    def __init__(self, n_genres: int) -> None:
        super().__init__(n_genres, SHAPE)
        self.context = nn.Sequential(_NearAttention(SHAPE.size, 15), _NearAttention(SHAPE.size, 15))


_HOUSEX, _MAINSTAGE = "one bar, ResNet-18 (the HouseX way)", "four bars, patches (the mainstage way)"
DESIGNS: dict[str, Callable[[int], nn.Module]] = {
    _HOUSEX: OneBarResNet18,
    _MAINSTAGE: FourBarPatches,
    "MixNet without neighbours": BarsAlone,
    "MixNet with attention": AttentiveMixNet,
    "MixNet": lambda n_genres: MixNet(n_genres, SHAPE),
}
# the highest rate of learning, of those that do not bear that of MixNet: at 3e-3 both stayed at chance
PEAK_LR = {_HOUSEX: 1e-3, _MAINSTAGE: 5e-4}
