"""Total-variation baselines: GAP-TV and ADMM-TV."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from deqsci.denoisers.tv import tv_prox
from deqsci.errors import ConfigError
from deqsci.physics import SnapshotPhysics
from deqsci.reconstruction.schedule import FiniteSchedule, accelerated_gap, check_iterations

# Chosen on validation clips. A large weight with five dual steps does better, and for a fifth of
# the time, than the exact minimiser at any weight: see tv_prox.
_WEIGHT = 0.3
_TV_ITERATIONS = 5


class GapTV(FiniteSchedule):
    """GAP-TV (Yuan 2016): accelerated GAP with total variation, each frame on its own.

    The baseline to have when nothing was trained: a fifth of a second on one core for 256×256×8.
    It trusts the snapshot entirely; for a noisy one `AdmmTV` is better.

    Parameters
    ----------
    iterations : projections and denoisings.
    weight : λ of the total variation, in the unit of the intensity.
    tv_iterations : dual steps of each denoising.

    Raises
    ------
    ConfigError : a parameter that is not above 0.
    """

    def __init__(
        self, iterations: int = 40, weight: float = _WEIGHT, tv_iterations: int = _TV_ITERATIONS
    ) -> None:
        super().__init__()
        _check(iterations, weight, tv_iterations)
        self.iterations, self.weight, self.tv_iterations = iterations, weight, tv_iterations

    @property
    def max_evaluations(self) -> int:
        return self.iterations

    def iterates(self, snapshot: Tensor, physics: SnapshotPhysics) -> Iterator[Tensor]:
        def denoise(video: Tensor, _: int) -> Tensor:
            return tv_prox(video, self.weight, self.tv_iterations)

        return accelerated_gap(snapshot, physics, self.iterations, denoise)


class AdmmTV(FiniteSchedule):
    r"""ADMM for ½‖y − Φx‖² + ρλ TV(x), each frame on its own.

    .. math:: x \leftarrow z + \Phi^\top \frac{y - \Phi z}{\rho + \Phi\Phi^\top}, \; z = v - u;
        \quad v \leftarrow \mathrm{TV}_\lambda(x + u); \quad u \leftarrow u + x - v

    For ρ → 0 it is accelerated GAP. A larger ρ trusts the snapshot less: raise it to 1 or 2 where
    the noise of the snapshot exceeds a tenth of a frame's full scale.

    Parameters
    ----------
    iterations, weight, tv_iterations : as for `GapTV`.
    rho : ρ > 0, the penalty.

    Raises
    ------
    ConfigError : a parameter that is not above 0.
    """

    def __init__(
        self,
        iterations: int = 40,
        weight: float = _WEIGHT,
        tv_iterations: int = _TV_ITERATIONS,
        rho: float = 0.1,
    ) -> None:
        super().__init__()
        _check(iterations, weight, tv_iterations)
        if not rho > 0:
            raise ConfigError(f"ADMM's penalty rho is {rho:g}; wanted a number > 0")
        self.iterations, self.weight, self.tv_iterations = iterations, weight, tv_iterations
        self.rho = rho

    @property
    def max_evaluations(self) -> int:
        return self.iterations

    def iterates(self, snapshot: Tensor, physics: SnapshotPhysics) -> Iterator[Tensor]:
        trust = 1 / (self.rho + physics.gram)
        video = physics.initial(snapshot)
        dual = torch.zeros_like(video)
        for _ in range(self.iterations):
            z = video - dual
            explained = z + physics.A_adjoint((snapshot - physics.A(z)) * trust)
            video = tv_prox(explained + dual, self.weight, self.tv_iterations)
            dual += explained
            dual -= video
            yield video


def _check(iterations: int, weight: float, tv_iterations: int) -> None:
    check_iterations(iterations)
    if not weight > 0 or tv_iterations < 1:
        raise ConfigError(
            f"total variation with weight {weight:g} and {tv_iterations} iterations; "
            "wanted both above 0"
        )
