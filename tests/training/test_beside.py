"""Where de-gap-st begins: at de-gap-cnn, exactly."""

from __future__ import annotations

from pathlib import Path

import torch

from deqsci.denoisers.checkpoints import load_checkpoint
from deqsci.physics import SnapshotPhysics
from deqsci.physics.masks import bernoulli_masks
from deqsci.reconstruction.zoo import new_map
from deqsci.training import checkpoint
from deqsci.training.beside import combine


def test_beside_a_denoiser_it_changes_nothing_yet(tmp_path: Path) -> None:
    torch.manual_seed(0)
    cnn, small, both = (new_map(f"de-gap-{name}") for name in ("cnn", "st-small", "st"))
    torch.nn.init.normal_(small.network.head.weight)
    files = [tmp_path / f"{name}.safetensors" for name in ("cnn", "small", "both")]
    checkpoint.save_weights(cnn.network.state_dict(), files[0])
    checkpoint.save_weights(small.network.state_dict(), files[1])
    combine(*files)
    load_checkpoint(both.network, files[2])
    physics = SnapshotPhysics(bernoulli_masks(3, 16, 16))
    z = torch.rand(1, 3, 16, 16)
    snapshot = physics.A(torch.rand_like(z))
    torch.testing.assert_close(both(z, snapshot, physics), cnn(z, snapshot, physics))
    features = both.network.embed.weight
    torch.testing.assert_close(features, small.network.embed.weight)
