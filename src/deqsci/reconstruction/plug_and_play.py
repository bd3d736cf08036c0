"""Plug-and-play: a denoiser inside accelerated GAP, with a falling noise level."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from torch import Tensor, nn

from deqsci.denoisers.video import denoise_video
from deqsci.errors import ConfigError
from deqsci.physics import SnapshotPhysics
from deqsci.reconstruction.schedule import FiniteSchedule, accelerated_gap


class PnPFFDNet(FiniteSchedule):
    """PnP-FFDNet (Yuan, Liu, Suo, Dai 2020): accelerated GAP with FFDNet on each frame.

    The noise level falls stepwise, so this is a finite schedule and has no equilibrium: run on at
    the last level, it does not settle at a better video.

    Parameters
    ----------
    denoiser : `FFDNet`, or any denoiser that takes σ.
    sigmas : noise levels in the unit of the intensity.
    repeats : iterations at each level.

    Raises
    ------
    ConfigError : no level, a level that is not above 0, or no repeats.
    """

    def __init__(
        self,
        denoiser: nn.Module,
        sigmas: Sequence[float] = (50 / 255, 25 / 255, 12 / 255, 6 / 255),
        repeats: int = 10,
    ) -> None:
        super().__init__()
        if not sigmas or not all(sigma > 0 for sigma in sigmas) or repeats < 1:
            raise ConfigError(
                f"noise levels {tuple(sigmas)} with {repeats} repeats; "
                "wanted at least one level, all above 0, and at least 1 repeat"
            )
        self.denoiser = denoiser
        self.schedule = tuple(sigma for sigma in sigmas for _ in range(repeats))

    @property
    def max_evaluations(self) -> int:
        return len(self.schedule)

    def iterates(self, snapshot: Tensor, physics: SnapshotPhysics) -> Iterator[Tensor]:
        def denoise(video: Tensor, k: int) -> Tensor:
            return denoise_video(self.denoiser, video, self.schedule[k])

        return accelerated_gap(snapshot, physics, self.max_evaluations, denoise)
