"""A larger model that begins where a smaller one ended: the same D, at first."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from deqsci.denoisers.checkpoints import load_checkpoint
from deqsci.errors import WeightsError
from deqsci.physics import SnapshotPhysics
from deqsci.physics.masks import bernoulli_masks
from deqsci.reconstruction.zoo import new_map
from deqsci.training import checkpoint
from deqsci.training.graft import grafted


@pytest.mark.parametrize("larger", ["de-rnn", "rnn"])
def test_grafted_it_does_what_the_smaller_one_does(larger: str, tmp_path: Path) -> None:
    """Of a video that explains the snapshot, where the plane that only the smaller sees is 0."""
    torch.manual_seed(0)
    small, large = new_map("de-gap-st"), new_map(larger)
    torch.nn.init.normal_(small.network.head.weight, std=0.1)
    checkpoint.save_weights(small.network.state_dict(), tmp_path / "small.safetensors")
    large.network.load_state_dict(grafted("de-gap-st", tmp_path / "small.safetensors", larger))
    physics = SnapshotPhysics(bernoulli_masks(3, 16, 16))
    snapshot = physics.A(torch.rand(1, 3, 16, 16))
    u = physics.project(torch.rand(1, 3, 16, 16), snapshot)
    context = small.context(snapshot, physics)
    wanted = small.clean(u, context, snapshot, physics)
    torch.testing.assert_close(large.clean(u, context, snapshot, physics), wanted)
    assert (wanted - u).abs().max() > 0.1


def test_a_part_begins_with_what_was_learned_wherever_it_is_used(tmp_path: Path) -> None:
    """The guide is de-gap-st; the network has its features, and what it makes of them is new."""
    torch.manual_seed(0)
    small, large = new_map("de-gap-st"), new_map("de-gap-nl")
    torch.nn.init.normal_(small.network.head.weight, std=0.1)
    untrained = large.network.space_time.head.weight.clone()
    checkpoint.save_weights(small.network.state_dict(), tmp_path / "small.safetensors")
    begun = grafted("de-gap-st", tmp_path / "small.safetensors", "de-gap-nl")
    checkpoint.save_weights(begun, tmp_path / "begun.safetensors")
    load_checkpoint(large.network, tmp_path / "begun.safetensors")
    planes = torch.rand(1, 3, 6, 16, 16)
    assert torch.equal(large.network.guide(planes), small.network(planes))
    planes[:, :, 5] = 0  # the network sees another misfit
    wanted = small.network(planes)
    assert torch.equal(large.network.space_time.head.weight, untrained)
    large.network.space_time.head, large.network.space_time.anchors = small.network.head, 1
    seen = torch.cat((planes[:, :, :5], torch.rand(1, 3, 2, 16, 16)), 2)
    torch.testing.assert_close(large.network.space_time(seen), wanted)


@pytest.mark.parametrize(
    ("smaller", "larger"),
    [("de-gap-st", "de-gap-st-base"), ("de-rnn", "de-gap-st"), ("de-gap-st", "de-gap-cnn")],
)
def test_networks_that_do_not_fit_are_refused(smaller: str, larger: str, tmp_path: Path) -> None:
    weights = tmp_path / "weights.safetensors"
    checkpoint.save_weights(new_map(smaller).network.state_dict(), weights)
    with pytest.raises(WeightsError, match="part of the other"):
        grafted(smaller, weights, larger)
