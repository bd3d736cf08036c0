"""FFDNet, the denoiser that is told the noise level."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from deqsci.errors import ConfigError


class FFDNet(nn.Module):
    r"""Gray FFDNet (Zhang, Zuo, Zhang 2018): x − N(σ, x) at a quarter of the pixels.

    The image is split into its four 2×2 phases, which are stacked under a constant map of σ and
    pass ``depth`` 3×3 convolutions of ``channels`` with ReLU between; the result is the noise.
    The batch normalisation of the published network is part of the convolutions here (loading
    folds it in): no statistics are left that could change during a solve. Odd sizes are padded by
    repeating the last row and column, then cropped.

    The network runs in the type of its weights, and the subtraction in that of ``x``:
    ``net.to(torch.bfloat16)`` halves the time on processors with bfloat16 arithmetic, for about
    0.4 dB at σ = 25/255.

    Shape: (N, 1, H, W) → (N, 1, H, W), any H and W; σ a number or (N,), in the unit of ``x``.
    Raises ConfigError where σ is missing.
    """

    def __init__(self, channels: int = 64, depth: int = 15) -> None:
        super().__init__()
        # The published network has no normalisation, hence no bias, at either end.
        middle = [nn.Conv2d(channels, channels, 3, padding=1) for _ in range(depth - 2)]
        # Without normalisation a signal must survive the depth: the middle begins close to the
        # identity, which trains from the first step on; He's initialisation alone does not.
        for layer in middle:
            noise = nn.init.kaiming_normal_(torch.empty_like(layer.weight), nonlinearity="relu")
            layer.weight.data = nn.init.dirac_(torch.empty_like(noise)) + 0.1 * noise
        self.layers = nn.ModuleList(
            [
                nn.Conv2d(5, channels, 3, padding=1, bias=False),
                *middle,
                nn.Conv2d(channels, 4, 3, padding=1, bias=False),
            ]
        )
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x: Tensor, sigma: Tensor | float | None = None) -> Tensor:
        if sigma is None:
            raise ConfigError("FFDNet was given no noise level; wanted sigma, e.g. 25 / 255")
        height, width = x.shape[-2:]
        phases = F.pixel_unshuffle(_pad_to_even(x), 2)
        level = torch.as_tensor(sigma, dtype=x.dtype, device=x.device)
        level = level.view(-1, 1, 1, 1).expand(len(x), 1, *phases.shape[-2:])
        h = torch.cat([level, phases], 1)
        h = h.to(next(self.parameters()).dtype, memory_format=torch.channels_last)
        for layer in self.layers[:-1]:
            h = F.relu(layer(h), inplace=True)
        noise = F.pixel_shuffle(self.layers[-1](h).to(x.dtype), 2)
        return x - noise[..., :height, :width]


def _pad_to_even(x: Tensor) -> Tensor:
    rows, columns = x.shape[-2] % 2, x.shape[-1] % 2
    return F.pad(x, (0, columns, 0, rows), mode="replicate") if rows or columns else x
