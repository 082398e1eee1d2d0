"""A small vision transformer, as HouseX trained one from scratch. Zone: trainer (torch).

Dosovitskiy et al., arXiv 2010.11929, in the proportions of the package vit-pytorch 0.30.0: heads of 64 numbers
whatever the width, queries without bias, the norm before each part, a class token that is read at the end.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

HEAD_WIDTH = 64


class _Attention(nn.Module):
    """(B, n, width) to the same."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.queries_keys_values = nn.Linear(width, 3 * heads * HEAD_WIDTH, bias=False)
        self.out = nn.Linear(heads * HEAD_WIDTH, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: Tensor) -> Tensor:
        batch, count, _ = tokens.shape
        every = self.queries_keys_values(self.norm(tokens)).reshape(batch, count, 3, self.heads, HEAD_WIDTH)
        queries, keys, values = every.permute(2, 0, 3, 1, 4)
        dropped = self.dropout.p if self.training else 0.0
        heard = functional.scaled_dot_product_attention(queries, keys, values, dropout_p=dropped)
        said: Tensor = self.dropout(self.out(heard.transpose(1, 2).reshape(batch, count, self.heads * HEAD_WIDTH)))
        return said


class _Layer(nn.Module):
    """(B, n, width) to the same: attention, then each token by itself, both added to what was there."""

    def __init__(self, width: int, heads: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.attention = _Attention(width, heads, dropout)
        self.feed_forward = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, hidden),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, width),
            nn.Dropout(dropout),
        )

    def forward(self, tokens: Tensor) -> Tensor:
        tokens = tokens + self.attention(tokens)
        said: Tensor = tokens + self.feed_forward(tokens)
        return said


class SmallViT(nn.Module):
    """Pictures (B, 3, H, W) to (B, outputs).

    Args:
        picture: Height and width that the table of positions is made for.
        patch: Height and width of a patch.
        outputs: Numbers at the end.
        width: Of a token.
        depth: Layers.
        heads: Of each attention.
        hidden: Width inside each feed-forward part.
        dropout: Everywhere.

    A smaller picture than declared is taken too, as vit-pytorch does: its patches get the first rows of the table,
    which then no longer say where in the picture they lie.

    Raises:
        ValueError: The patches do not fill the picture.
    """

    def __init__(
        self, picture: tuple[int, int], patch: tuple[int, int], outputs: int = 1000, width: int = 512, depth: int = 6,
        heads: int = 16, hidden: int = 512, dropout: float = 0.1,
    ) -> None:  # fmt: skip
        super().__init__()
        if picture[0] % patch[0] or picture[1] % patch[1]:
            raise ValueError(f"patches of {patch[0]} x {patch[1]} do not fill {picture[0]} x {picture[1]}")
        self.patch = patch
        count = (picture[0] // patch[0]) * (picture[1] // patch[1])
        self.positions = nn.Parameter(torch.randn(1, count + 1, width))
        self.class_token = nn.Parameter(torch.randn(1, 1, width))
        self.embed = nn.Linear(3 * patch[0] * patch[1], width)
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.Sequential(*(_Layer(width, heads, hidden, dropout) for _ in range(depth)))
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, outputs))

    def forward(self, pictures: Tensor) -> Tensor:
        tokens = self.embed(self._patches(pictures))
        tokens = torch.cat([self.class_token.expand(tokens.shape[0], -1, -1), tokens], dim=1)
        tokens = self.dropout(tokens + self.positions[:, : tokens.shape[1]])
        said: Tensor = self.head(self.layers(tokens)[:, 0])
        return said

    def _patches(self, pictures: Tensor) -> Tensor:
        """(B, 3, H, W) to (B, patches, 3 * patch area), a pixel's colours beside each other."""
        batch, channels, height, width = pictures.shape
        down, across = self.patch
        grid = pictures.reshape(batch, channels, height // down, down, width // across, across)
        return grid.permute(0, 2, 4, 3, 5, 1).reshape(batch, -1, down * across * channels)
