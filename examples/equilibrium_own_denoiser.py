"""Make an equilibrium model of a denoiser of one's own, and ask whether it has an equilibrium.

Two denoisers, alike to the eye: one smooths a little, the other sharpens as it does so. Only the
first has an equilibrium that plain iteration finds. Run it with
``python examples/equilibrium_own_denoiser.py``; it draws ``smooth.png`` into the current folder.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from deqsci import (
    Anderson,
    DeepEquilibrium,
    GapMap,
    Implicit,
    SnapshotPhysics,
    bernoulli_masks,
    convergence_figure,
    convergence_report,
    psnr,
)


# %% A denoiser takes frames (N, 1, H, W) and a noise level, and returns frames.
class Smooth(nn.Module):
    """The frame, mixed with the mean of its neighbourhood."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, frames: Tensor, sigma: Tensor | float | None = None) -> Tensor:
        near = F.avg_pool2d(frames, 3, stride=1, padding=1, count_include_pad=False)
        return torch.lerp(frames, near, self.share)


# %% A soft spot that wanders, seen through random masks.
torch.manual_seed(0)
rows, columns = torch.meshgrid(torch.arange(48.0), torch.arange(48.0), indexing="ij")
spots = [torch.exp(-((rows - 24) ** 2 + (columns - 10 - 4 * t) ** 2) / 60) for t in range(6)]
video = torch.stack(spots)[None]
physics = SnapshotPhysics(bernoulli_masks(6, 48, 48))
snapshot = physics.A(video)

# %% The map is projection, then denoiser; the solver and the gradient rule know nothing of it.
for name, share in (("smoothing", 0.5), ("sharpening", -0.5)):
    model = DeepEquilibrium(GapMap(Smooth(share)), Anderson(tol=1e-5, max_iter=200), Implicit())
    report = convergence_report(model, snapshot, physics)
    quality = psnr(report.video, video)
    print(f"{name}, {quality:.2f} dB: {report}")
    if share > 0:
        convergence_figure("smooth.png", report)
