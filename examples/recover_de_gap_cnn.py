"""Recover a video from one coded snapshot with an equilibrium model.

The scene is a bright disc that crosses a textured background, made here, so that the script needs
no file. Run it with ``python examples/recover_de_gap_cnn.py``.
"""

import torch

from deqsci import SnapshotPhysics, bernoulli_masks, build, psnr

# %% A video of 8 frames, (B, T, H, W), intensities 0…1.
torch.manual_seed(0)
rows, columns = torch.meshgrid(torch.arange(96.0), torch.arange(96.0), indexing="ij")
background = 0.4 + 0.2 * torch.sin(columns / 5) * torch.cos(rows / 7)
frames = []
for t in range(8):
    disc = ((rows - 48) ** 2 + (columns - 20 - 8 * t) ** 2).sqrt() < 14
    frames.append(torch.where(disc, 0.95, background))
video = torch.stack(frames)[None]

# %% A camera: each frame is multiplied by its own random mask, and their sum is all it keeps.
physics = SnapshotPhysics(bernoulli_masks(8, 96, 96))
snapshot = physics.A(video)

# %% The fixed point. It says how it ended and what it took.
result = build("de-gap-cnn").reconstruct(snapshot, physics)
print(f"{result.status[0]}, {int(result.evaluations[0])} evaluations")
print(f"mean frame {psnr(physics.initial(snapshot)[0], video[0]):.2f} dB")
print(f"recovered  {psnr(result.video[0], video[0]):.2f} dB")
