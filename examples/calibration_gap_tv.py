"""Masks that lie half a pixel off, found from the snapshot and put right.

Run it with ``python examples/calibration_gap_tv.py``.
"""

import torch

from deqsci import SnapshotPhysics, bernoulli_masks, build, psnr
from deqsci.physics.camera import MaskDeviation
from deqsci.reconstruction.calibration import calibrate

# %% A scene of soft shapes that move, (B, T, H, W).
torch.manual_seed(0)
rows, columns = torch.meshgrid(torch.arange(128.0), torch.arange(128.0), indexing="ij")
frames = [
    0.5 + 0.2 * torch.sin((rows + 2 * t) / 13) + 0.2 * torch.cos((columns - 3 * t) / 17)
    for t in range(8)
]
video = torch.stack(frames)[None]

# %% The masks' file says one thing, the camera does another.
masks = bernoulli_masks(8, 128, 128)
camera = MaskDeviation(shift=(0.5, 0.3))
snapshot = SnapshotPhysics(camera(masks)).A(video)

# %% What the snapshot tells of the masks.
found = calibrate(snapshot, masks)
print(f"{found.sentence}: shift {found.deviation.shift}, ± {found.displacement_error:.3f} pixels")
mended = SnapshotPhysics(found.deviation(masks))

# %% It matters more than the choice of method.
model = build("gap-tv")
for name, physics in (("as in the file", SnapshotPhysics(masks)), ("calibrated", mended)):
    print(f"masks {name}: {psnr(model(snapshot, physics), video):.2f} dB")
