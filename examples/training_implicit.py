"""Train a small denoiser at the equilibrium it makes, with the exact gradient.

The loop is an ordinary one of PyTorch: the solver's iterations are not recorded, the gradient comes
from the implicit function theorem. Run it with ``python examples/training_implicit.py``.
"""

import torch

from deqsci import (
    Anderson,
    DeepEquilibrium,
    GapMap,
    Implicit,
    SnapshotPhysics,
    bernoulli_masks,
    convergence_report,
    psnr,
)
from deqsci.denoisers.rsn_cnn import RSNCNN

# %% Moving stripes, each sample with another direction and speed: (B, T, H, W), 0…1.
torch.manual_seed(0)


def stripes(count: int, frames: int = 4, size: int = 32) -> torch.Tensor:
    """Videos of stripes that move."""
    rows, columns = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    time = torch.arange(frames).view(1, frames, 1, 1)
    angle, speed = 6.28 * torch.rand(2, count, 1, 1, 1)
    phase = torch.cos(angle) * rows + torch.sin(angle) * columns + speed * time
    return 0.5 + 0.4 * torch.sin(phase / 2)


# %% The model. Its denoiser contracts by construction, so that every solve ends, from the first on.
network = RSNCNN(rounds=1, channels=16)
solver = Anderson(tol=1e-3, max_iter=60)
model = DeepEquilibrium(GapMap(network), solver, Implicit(solver))
physics = SnapshotPhysics(bernoulli_masks(4, 32, 32))
held_out = stripes(8)


def quality() -> float:
    """PSNR on videos that are not trained on."""
    with torch.no_grad():
        return psnr(model(physics.A(held_out), physics), held_out)


# %% Training. Memory is that of one pass, however many the solve took.
print(f"before {quality():.2f} dB")
optimizer = torch.optim.Adam(model.parameters(), lr=2e-2)
for _ in range(25):
    video = stripes(4)
    loss = (model(physics.A(video), physics) - video).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(f"after  {quality():.2f} dB")

# %% Is what was trained an equilibrium?
print(convergence_report(model.eval(), physics.A(held_out[:1]), physics))
