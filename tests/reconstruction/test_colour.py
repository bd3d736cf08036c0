"""Any method for a colour camera: phase by phase, then demosaicked."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from deqsci.errors import ConfigError
from deqsci.physics import SnapshotPhysics
from deqsci.physics.bayer import PATTERNS, mosaic, split_phases
from deqsci.physics.masks import bernoulli_masks
from deqsci.reconstruction.colour import Colour
from deqsci.reconstruction.demosaic import malvar
from deqsci.reconstruction.phases import Phases
from deqsci.reconstruction.result import Reconstruction
from deqsci.reconstruction.tiling import Tiled
from deqsci.reconstruction.total_variation import GapTV
from deqsci.reconstruction.zoo import build


def camera(height: int = 24, width: int = 28) -> tuple[SnapshotPhysics, Tensor, Tensor]:
    """Masks, a mosaicked video and its snapshot."""
    generator = torch.Generator().manual_seed(0)
    physics = SnapshotPhysics(bernoulli_masks(4, height, width, generator=generator))
    video = torch.rand(2, 4, height, width, generator=generator)
    return physics, video, physics.A(video)


@pytest.mark.parametrize("size", [(24, 28), (23, 28), (24, 27)])
def test_each_phase_is_a_snapshot_of_its_own(size: tuple[int, int]) -> None:
    physics, _, snapshot = camera(*size)
    method = GapTV(5)
    result = Phases(method).reconstruct(snapshot, physics)
    assert result.video.shape == (2, 4, *size)
    parts = zip(*map(split_phases, (result.video, snapshot, physics.masks)))
    for video, seen, masks in parts:
        torch.testing.assert_close(video, method(seen, SnapshotPhysics(masks)))


def test_one_word_for_four_solves() -> None:
    physics, _, snapshot = camera()
    model = build("de-gap-cnn", max_iter=3)
    result = Phases(model).reconstruct(snapshot[:1], physics)
    assert result.status[0].startswith("not converged in all 4 phases: the iteration limit")
    assert not result.converged.any()
    assert result.evaluations.tolist() == [3]
    alone = [
        model.reconstruct(y, SnapshotPhysics(phi)).residuals.min()
        for y, phi in zip(split_phases(snapshot[:1]), split_phases(physics.masks))
    ]
    assert min(alone) <= result.residuals.min() <= max(alone)


class BrightFails:
    """Converges where the snapshot is dark."""

    max_evaluations = 1

    def reconstruct(self, snapshot, physics, callback=None) -> Reconstruction:
        dark = bool(snapshot.max() == 0)
        status = "converged" if dark else "not converged: raise max_iter"
        one = torch.ones(1, 1)
        return Reconstruction(
            physics.initial(snapshot), (status,), torch.tensor([dark]), one, one[0].long()
        )


def test_phases_that_differ_in_their_tiles_are_counted_together() -> None:
    snapshot = torch.zeros(1, 4, 400)
    snapshot[..., -2:] = 1  # of every phase the last tile
    snapshot[:, ::2, ::2] = 1  # of one phase all tiles
    physics = SnapshotPhysics(torch.ones(1, 4, 400))
    result = Phases(Tiled(BrightFails(), 128)).reconstruct(snapshot, physics)
    assert result.status == ("not converged in all 4 phases: raise max_iter",)


def test_progress_counts_all_phases() -> None:
    physics, _, snapshot = camera()
    seen: list[int] = []
    Phases(GapTV(8)).reconstruct(snapshot, physics, callback=lambda k, _: seen.append(k))
    assert len(seen) == 4 * 8
    assert seen == sorted(seen)
    assert seen[-1] == 8


def test_bad_pixels_stay_bad_in_their_phase() -> None:
    physics, _, snapshot = camera()
    noise = torch.zeros(24, 28)
    noise[5, 6] = torch.inf
    broken = snapshot.clone()
    broken[:, 5, 6] = 1e3
    method = GapTV(5)
    result = Phases(method).reconstruct(broken, SnapshotPhysics(physics.masks, noise=noise))
    parts = zip(*map(split_phases, (result.video, broken, physics.masks, noise)))
    for index, (video, seen, masks, own) in enumerate(parts):
        torch.testing.assert_close(video, method(seen, SnapshotPhysics(masks, noise=own)))
        trusted = torch.equal(video, method(seen, SnapshotPhysics(masks)))
        assert trusted == (index != 2)  # row 5, column 6 is of the third phase


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_colour_video_explains_the_snapshot(pattern) -> None:
    physics, _, snapshot = camera()
    result = Colour(GapTV(5), pattern).reconstruct(snapshot, physics)
    assert result.video.shape == (2, 4, 24, 28, 3)
    explained = physics.A(mosaic(result.video, pattern))
    torch.testing.assert_close(explained, snapshot, atol=1e-4, rtol=0)


def test_the_demosaicking_that_was_asked_for() -> None:
    physics, _, snapshot = camera()
    gray = Phases(GapTV(5)).reconstruct(snapshot, physics).video
    colour = Colour(GapTV(5), "RGGB", "malvar")(snapshot, physics)
    torch.testing.assert_close(colour, malvar(gray, "RGGB"))


def test_phases_may_come_in_tiles() -> None:
    physics, _, snapshot = camera(16, 400)
    result = Phases(Tiled(GapTV(5), 128)).reconstruct(snapshot, physics)
    whole = Phases(GapTV(5)).reconstruct(snapshot, physics)
    torch.testing.assert_close(result.video, whole.video, atol=2e-2, rtol=0)


@pytest.mark.parametrize("wrong", [("RGBG", "joint"), ("RGGB", "jiont")])
def test_a_mistyped_pattern_or_demosaicking_is_refused_at_once(wrong: tuple[str, str]) -> None:
    with pytest.raises(ConfigError, match="wanted one of"):
        Colour(GapTV(1), *wrong)  # type: ignore[arg-type]
