"""The DE-GAP map: one pass of generalised alternating projection with a learned denoiser."""

from __future__ import annotations

import math
from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from deqsci.denoisers.video import denoise_video
from deqsci.errors import ConfigError
from deqsci.fixed_point.monitor import Map
from deqsci.physics import SnapshotPhysics


class EquilibriumMap(nn.Module):
    """Base of the maps f(z; y, Φ): ``network`` is what is trained, and whose weights are kept.

    A map is relaxed: from its plain pass f₁ it takes f = (1 − α) z + α f₁(z). The relaxation α
    changes no fixed point and takes an eigenvalue λ of the Jacobian to 1 − α + αλ. A residual CNN
    that overshoots has eigenvalues below −1, at which plain iteration breaks; α < 1 brings those
    down to −2/α + 1 inside the unit circle and leaves the others there.

    Methods that evaluate a map a fixed number of times use these too, with α = 1.

    Parameters
    ----------
    relaxation : α.

    Raises
    ------
    ConfigError : a relaxation outside (0, 1].
    """

    network: nn.Module
    sees: ClassVar[tuple[str, ...]] = ()
    """What the network is shown of every frame, in this order, where that is more than a video."""
    heeds_noise: ClassVar[bool] = False
    """Whether the data step weighs the snapshot by its noise; else it takes it as it is."""

    def __init__(self, relaxation: float = 1.0) -> None:
        super().__init__()
        if not 0 < relaxation <= 1:
            raise ConfigError(f"relaxation is {relaxation}; wanted a number in (0, 1]")
        self.relaxation = relaxation

    def context(self, snapshot: Tensor, physics: SnapshotPhysics) -> Any:
        """What y, Φ and the weights decide once a solve; a slice of it is that of some samples.
        None where every pass needs y and Φ alone. Shape: (B, H, W)."""
        return None

    def at(
        self, snapshot: Tensor, physics: SnapshotPhysics, context: Any = None
    ) -> tuple[Map, Tensor]:
        """z ↦ f(z; y, Φ), and where a solve of it begins.

        The context is made where it is not given. Shape: (B, H, W) → (B, T, H, W).
        """
        context = self.context(snapshot, physics) if context is None else context
        known = {} if context is None else {"context": context}
        f = partial(self, snapshot=snapshot, physics=physics, **known)
        return f, self.start(context, snapshot, physics).clone()  # it may outlive the context

    def start(self, context: Any, snapshot: Tensor, physics: SnapshotPhysics) -> Tensor:
        """Where a solve begins, as the context has it: the repeated mean frame where there is none.

        Shape: (B, H, W) → (B, T, H, W).
        """
        return physics.initial(snapshot)

    @property
    def begins_at_mean(self) -> bool:
        """Whether a solve begins at the repeated mean frame."""
        return type(self).start is EquilibriumMap.start

    def video(self, z: Tensor, snapshot: Tensor, physics: SnapshotPhysics) -> Tensor:
        """The video that a state stands for: z itself, but for maps that say otherwise.

        Shape: (B, T, H, W), (B, H, W) → (B, T, H, W).
        """
        return z

    def clean(self, u: Tensor, context: Any, snapshot: Tensor, physics: SnapshotPhysics) -> Tensor:
        """D(u), what the network makes of a video, where a pass is D and a data step.

        Shape: (B, T, H, W) → (B, T, H, W).
        """
        raise NotImplementedError(f"{type(self).__name__} is not made of a D and a data step")

    def relax(self, z: Tensor, plain: Tensor) -> Tensor:
        """(1 − α) z + α f₁(z), of z and the plain pass f₁(z). Shape: (B, T, H, W) each."""
        return plain if self.relaxation == 1 else torch.lerp(z, plain, self.relaxation)

    def denoise(
        self, z: Tensor, sigma: Tensor | float | None, snapshot: Tensor, physics: SnapshotPhysics
    ) -> Tensor:
        """Take Gaussian noise of level σ from z, as a `denoise` stage trains it.

        Raises
        ------
        ConfigError : the map has no such part.
        """
        raise ConfigError("this map has no denoiser; leave denoise stages out")


def checked_spread(spread: float) -> float:
    """τ of a proximal data step, the standard deviation of an estimate's error that the snapshot's
    noise is weighed against, in intensities; a ConfigError unless it is above 0."""
    if not 0 < spread < math.inf:
        raise ConfigError(f"spread is {spread}; wanted a number above 0")
    return spread


class GapMap(EquilibriumMap):
    r"""f(z; y, Φ) = (1 − α) z + α D(P(z)): project on the videos that explain y, denoise, relax.

    Paper eq. 6–7 with accelerated GAP's momentum left out: the map is autonomous, it depends on
    z, y, Φ and the weights, never on how often it was called. ``sigma`` is one value.
    """

    def __init__(
        self, denoiser: nn.Module, sigma: float | None = None, relaxation: float = 1.0
    ) -> None:
        super().__init__(relaxation)
        self.network = denoiser
        self.sigma = sigma

    @property
    def lipschitz(self) -> float | None:
        """L with ‖f(a) − f(b)‖ ≤ L ‖a − b‖, where the denoiser's is known; that of P is 1."""
        denoiser = getattr(self.network, "LIPSCHITZ", None)
        return None if denoiser is None else 1 - self.relaxation + self.relaxation * denoiser

    def denoise(
        self, z: Tensor, sigma: Tensor | float | None, snapshot: Tensor, physics: SnapshotPhysics
    ) -> Tensor:
        """D alone."""
        return denoise_video(self.network, z, sigma)

    def forward(self, z: Tensor, snapshot: Tensor, physics: SnapshotPhysics) -> Tensor:
        """One pass. Shape: (B, T, H, W), (B, H, W) → (B, T, H, W)."""
        return self.relax(z, self.clean(physics.project(z, snapshot), None, snapshot, physics))

    def clean(self, u: Tensor, context: Any, snapshot: Tensor, physics: SnapshotPhysics) -> Tensor:
        return denoise_video(self.network, u, self.sigma)
