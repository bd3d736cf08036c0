"""SimpleCNN, the small residual denoiser of the paper's DE-GAP-CNN."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class CNN(nn.Module):
    """Residual denoiser u − N(u), N being ``depth`` bias-free 3×3 convolutions with ReLU between.

    The network of Ryu et al. (2019) that the paper uses: 4 layers of 64 channels, 74,880 weights.
    It is blind: trained for one noise level, it takes ``sigma`` and ignores it.

    Shape: (N, 1, H, W) → (N, 1, H, W), any H and W.
    """

    def __init__(self, channels: int = 64, depth: int = 4) -> None:
        super().__init__()
        widths = [1, *[channels] * (depth - 1), 1]
        self.layers = nn.ModuleList(
            nn.Conv2d(a, b, 3, padding=1, bias=False) for a, b in zip(widths, widths[1:])
        )
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x: Tensor, sigma: Tensor | float | None = None) -> Tensor:
        h = x.contiguous(memory_format=torch.channels_last)
        for layer in self.layers[:-1]:
            h = F.relu(layer(h), inplace=True)
        return x - self.layers[-1](h)
