"""Where networks beside a denoiser begin: at the denoiser, exactly."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from deqsci.denoisers.checkpoints import load_checkpoint
from deqsci.physics import SnapshotPhysics
from deqsci.physics.masks import bernoulli_masks
from deqsci.reconstruction.zoo import new_map
from deqsci.training import checkpoint
from deqsci.training.beside import METHODS, combine


@pytest.mark.parametrize("method", METHODS)
def test_beside_a_denoiser_it_changes_nothing_yet(method: str, tmp_path: Path) -> None:
    cnn, both = new_map("de-gap-cnn"), new_map(method)
    alone, joined = tmp_path / "cnn.safetensors", tmp_path / "both.safetensors"
    checkpoint.save_weights(cnn.network.state_dict(), alone)
    combine(method, alone, joined)
    load_checkpoint(both.network, joined)
    physics = SnapshotPhysics(bernoulli_masks(3, 16, 16))
    snapshot = physics.A(torch.rand(1, 3, 16, 16))
    z = physics.project(torch.rand(1, 3, 16, 16), snapshot)
    ours, theirs = both(z, snapshot, physics), cnn(z, snapshot, physics)
    torch.testing.assert_close(  # de-gap-st ends with the data step
        physics.project(ours, snapshot), physics.project(theirs, snapshot)
    )


def test_what_the_other_network_learned_is_kept(tmp_path: Path) -> None:
    cnn, small, both = (new_map(f"de-gap-{name}") for name in ("cnn", "st-small", "st"))
    torch.nn.init.normal_(small.network.head.weight)
    files = [tmp_path / f"{name}.safetensors" for name in ("cnn", "small", "both")]
    checkpoint.save_weights(cnn.network.state_dict(), files[0])
    checkpoint.save_weights(small.network.state_dict(), files[1])
    combine("de-gap-st", files[0], files[2], across=files[1])
    load_checkpoint(both.network, files[2])
    torch.testing.assert_close(both.network.embed.weight, small.network.embed.weight)
    assert not both.network.head.weight.any()
