"""The DE-GAP-FFDNet map: accelerated GAP with FFDNet at one noise level a snapshot."""

from __future__ import annotations

import math
from functools import partial

import torch
from torch import Tensor

from deqsci.denoisers.ffdnet import LevelledFFDNet
from deqsci.denoisers.video import denoise_video
from deqsci.errors import ConfigError
from deqsci.fixed_point.monitor import Map
from deqsci.physics import SnapshotPhysics
from deqsci.reconstruction.accelerated import Accelerated
from deqsci.reconstruction.total_variation import GapTV

START_ITERATIONS = 20
"""Of GAP-TV, before a solve: a fraction of what one evaluation of the network costs."""


class FFDNetMap(Accelerated):
    r"""f(z; y, Φ) = z + α (D(2 P(z) − z; σ) − P(z)), D FFDNet on every frame.

    .. math:: \sigma = s \, \mathrm{rms}(a - y / \textstyle\sum \Phi)

    One noise level for a whole solve, never a schedule: a learned share s of how much the frames of
    a, the video of a short GAP-TV, differ from the mean frame. What moves leaves the snapshot in
    doubt and wants a strong denoiser, what stands still is nearly given and wants a weak one.

    Parameters
    ----------
    network : FFDNet and the share.
    spread : τ of the data step, the standard deviation of an estimate's error that the snapshot's
        noise is weighed against, in intensities.
    relaxation : α, as in `EquilibriumMap`.

    Raises
    ------
    ConfigError : a spread that is not above 0, or a relaxation outside (0, 1].
    """

    network: LevelledFFDNet

    def __init__(
        self, network: LevelledFFDNet | None = None, spread: float = 0.05, relaxation: float = 1.0
    ) -> None:
        super().__init__(relaxation)
        if not 0 < spread < math.inf:
            raise ConfigError(f"spread is {spread}; wanted a number above 0")
        self.network = LevelledFFDNet() if network is None else network
        self.spread = spread

    def at(
        self, snapshot: Tensor, physics: SnapshotPhysics, context: Tensor | None = None
    ) -> tuple[Map, Tensor]:
        """z ↦ f(z; y, Φ), and the video of GAP-TV, where a solve begins, as the context has it."""
        context = self.context(snapshot, physics) if context is None else context
        return partial(self, snapshot=snapshot, physics=physics, context=context), context.clone()

    @torch.no_grad()
    def context(self, snapshot: Tensor, physics: SnapshotPhysics) -> Tensor:
        """The video of a short GAP-TV. Shape: (B, H, W) → (B, T, H, W)."""
        return GapTV(START_ITERATIONS)(snapshot, physics)

    def clean(
        self, u: Tensor, context: Tensor, snapshot: Tensor, physics: SnapshotPhysics
    ) -> Tensor:
        return denoise_video(self.network, u, self.level(context, snapshot, physics))

    def level(self, context: Tensor, snapshot: Tensor, physics: SnapshotPhysics) -> Tensor:
        """σ of each snapshot, in intensities. Shape: (B, T, H, W), (B, H, W) → (B,)."""
        change = (context - physics.initial(snapshot)).square().mean((1, 2, 3)).sqrt()
        return self.network.log_share.exp() * change

    def denoise(
        self, z: Tensor, sigma: Tensor | float | None, snapshot: Tensor, physics: SnapshotPhysics
    ) -> Tensor:
        """D alone."""
        return denoise_video(self.network, z, sigma)
