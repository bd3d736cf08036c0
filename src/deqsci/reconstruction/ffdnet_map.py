"""The DE-GAP-FFDNet map: accelerated GAP with FFDNet at one noise level a snapshot."""

from __future__ import annotations

import torch
from torch import Tensor

from deqsci.denoisers.ffdnet import FFDNet
from deqsci.denoisers.video import denoise_video
from deqsci.physics import SnapshotPhysics
from deqsci.reconstruction.accelerated import Accelerated
from deqsci.reconstruction.maps import checked_spread
from deqsci.reconstruction.total_variation import GapTV

START_ITERATIONS = 20
"""Of GAP-TV, before a solve: a fraction of what one evaluation of the network costs."""

SHARE = 0.7
"""Noise level over how much the frames differ, chosen on the validation clips: 31.31, 31.46, 31.59
and 31.61 dB in 14, 15, 17 and 19 evaluations with 0.35, 0.5, 0.7 and 0.9."""


class FFDNetMap(Accelerated):
    r"""f(z; y, Φ) = z + α (D(2 P(z) − z; σ) − P(z)), D FFDNet on every frame.

    .. math:: \sigma = 0.7 \, \mathrm{rms}(a_t - \bar a)

    One noise level for a whole solve, never a schedule: a share of how much the frames of a, the
    video of a short GAP-TV, differ from their mean. What moves leaves the snapshot in doubt and
    wants a strong denoiser, what stands still is nearly given and wants a weak one. A tile of a
    large snapshot is a solve, and has its own.

    Parameters
    ----------
    network : the denoiser, told σ.
    spread : τ of the data step, as in `SpaceTimeMap`.
    relaxation : α, as in `EquilibriumMap`.

    Raises
    ------
    ConfigError : a spread that is not above 0, or a relaxation outside (0, 1].
    """

    network: FFDNet

    def __init__(
        self, network: FFDNet | None = None, spread: float = 0.05, relaxation: float = 1.0
    ) -> None:
        super().__init__(relaxation)
        self.network = FFDNet() if network is None else network
        self.spread = checked_spread(spread)

    @torch.no_grad()
    def context(self, snapshot: Tensor, physics: SnapshotPhysics) -> Tensor:
        """The video of a short GAP-TV. Shape: (B, H, W) → (B, T, H, W)."""
        return GapTV(START_ITERATIONS)(snapshot, physics)

    def start(self, context: Tensor, snapshot: Tensor, physics: SnapshotPhysics) -> Tensor:
        """That video."""
        return context

    def clean(
        self, u: Tensor, context: Tensor, snapshot: Tensor, physics: SnapshotPhysics
    ) -> Tensor:
        return denoise_video(self.network, u, level(context))

    def denoise(
        self, z: Tensor, sigma: Tensor | float | None, snapshot: Tensor, physics: SnapshotPhysics
    ) -> Tensor:
        """D alone."""
        return denoise_video(self.network, z, sigma)


def level(video: Tensor) -> Tensor:
    """σ of each video, in intensities. Shape: (B, T, H, W) → (B,)."""
    return SHARE * (video - video.mean(1, keepdim=True)).square().mean((1, 2, 3)).sqrt()
