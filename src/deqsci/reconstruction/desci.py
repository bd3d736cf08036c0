"""DeSCI: accelerated GAP with low-rank groups of like patches, and a falling noise level."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from deqsci.denoisers.wnnm import WNNM
from deqsci.errors import ConfigError
from deqsci.physics import SnapshotPhysics
from deqsci.reconstruction.schedule import FiniteSchedule, accelerated_gap, check_iterations
from deqsci.reconstruction.total_variation import GapTV


class DeSCI(FiniteSchedule):
    r"""DeSCI (Liu, Yuan, Suo, Brady, Dai 2018): accelerated GAP with :class:`WNNM`.

    Needs no training, sees all frames together, and takes minutes. It begins at GAP-TV's video. The
    noise level falls by the same factor at every iteration,

    .. math:: \sigma_k = \sigma_0 (\sigma_{n-1} / \sigma_0)^{k/(n-1)}, \quad 0 \le k < n,

    where the authors' falls in steps of a half; so any number of iterations is a whole schedule: 90
    gave 0.3 dB more than 30 on validation clips, where the defaults were chosen. Patches are
    matched anew every ``rematch`` iterations, on a grid that moves, so that seams average out.

    Parameters
    ----------
    iterations : projections and denoisings.
    sigmas : first and last noise level, in the unit of the intensity.
    rematch : iterations from one matching to the next.
    denoiser : WNNM, with its patches and groups.

    Raises
    ------
    ConfigError : a parameter that is not above 0.
    """

    def __init__(
        self,
        iterations: int = 60,
        sigmas: tuple[float, float] = (33 / 255, 5 / 255),
        rematch: int = 3,
        denoiser: WNNM | None = None,
    ) -> None:
        super().__init__()
        check_iterations(iterations)
        if rematch < 1 or not all(sigma > 0 for sigma in sigmas):
            raise ConfigError(
                f"noise levels {sigmas} with a matching every {rematch} iterations; "
                "wanted all above 0"
            )
        self.iterations, self.sigmas, self.rematch = iterations, sigmas, rematch
        self.denoiser = WNNM() if denoiser is None else denoiser

    @property
    def max_evaluations(self) -> int:
        return self.iterations

    def sigma(self, k: int) -> float:
        """Noise level of iteration k = 0, 1, …"""
        first, last = self.sigmas
        return first * (last / first) ** (k / max(1, self.iterations - 1))

    def iterates(self, snapshot: Tensor, physics: SnapshotPhysics) -> Iterator[Tensor]:
        estimate, groups = GapTV()(snapshot, physics), []

        def denoise(video: Tensor, k: int) -> Tensor:
            nonlocal estimate, groups
            if k % self.rematch == 0:
                # What was denoised before tells like patches better than what is to be denoised.
                groups = self.denoiser.match(estimate, shift=2 * (k // self.rematch))
            estimate = self.denoiser(video, self.sigma(k), groups)
            return estimate

        return accelerated_gap(snapshot, physics, self.iterations, denoise, estimate)
