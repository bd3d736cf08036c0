"""Groups of like patches: what they hold, and that taking them apart and together loses nothing."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from deqsci.denoisers.patch_groups import PatchGroups, PatchMatching
from deqsci.errors import ConfigError

SIZES = [(1, 7, 9), (3, 20, 17), (2, 4, 40), (5, 1, 1), (2, 33, 48)]


def noise(*shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("stride", "shift"), [(1, 0), (4, 3), (6, 0), (6, 5), (5, 12)])
def test_groups_left_as_they_are_make_the_video(
    size: tuple[int, int, int], stride: int, shift: int
) -> None:
    video = noise(*size)
    groups = PatchMatching(count=5, stride=stride, radius=3)(video, shift)
    torch.testing.assert_close(groups.filter(video, lambda group: group), video)


@pytest.mark.parametrize("size", SIZES)
def test_overlapping_patches_have_weights_of_sum_one(size: tuple[int, int, int]) -> None:
    groups = PatchMatching(count=8)(noise(*size))
    ones = groups.filter(noise(*size), torch.ones_like)
    torch.testing.assert_close(ones, torch.ones_like(ones))


@pytest.mark.parametrize("pooling", [1, 2, 4])
def test_a_group_holds_the_patches_nearest_to_its_reference(pooling: int) -> None:
    """The windows see all of this video, so all its patches are candidates."""
    video, side, count = noise(3, 26, 23), 6, 10
    groups = PatchMatching(count=count, patch=side, stride=5, radius=30, pooling=pooling)(video)
    firsts = [(t, i, j) for t in range(3) for i in range(21) for j in range(18)]
    squares = torch.stack([video[t, i : i + side, j : j + side] for t, i, j in firsts])
    patches, means = squares.flatten(1), F.avg_pool2d(squares, pooling).flatten(1)
    distances = torch.cdist(means, means)
    number = {(t * 26 + i) * 23 + j: n for n, (t, i, j) in enumerate(firsts)}
    references = {
        n
        for n, (_, i, j) in enumerate(firsts)
        if i in range(0, 21, 5) and j in {*range(0, 18, 5), 17}
    }
    assert len(groups.places) == len(references)
    for place in groups.places.tolist():
        group = [number[p] for p in place]
        assert len(set(group)) == count
        own = references.intersection(group)
        farthest = {n: distances[n].sort().values[count - 1] for n in own}
        assert any(distances[n, group].max() == farthest[n] for n in own)
    taken = groups.gather(video)
    wanted = torch.stack([patches[[number[p] for p in place]] for place in groups.places.tolist()])
    assert torch.equal(taken, wanted)


@pytest.mark.parametrize("shift", range(6))
def test_reference_patches_cover_every_pixel_of_every_frame(shift: int) -> None:
    groups = PatchMatching(count=2, stride=6)(noise(2, 31, 44), shift)
    assert groups.weight.min() >= 1


@pytest.mark.parametrize("radius", [0, 4])
def test_no_patch_is_looked_for_beyond_the_radius(radius: int) -> None:
    """One reference a frame: the video is a patch wide and high, but for what the radius adds."""
    far = PatchMatching(count=400, patch=4, stride=4, radius=radius)(noise(1, 40, 4))
    rows = far.places // 4
    assert (rows.amax(1) - rows.amin(1)).max() <= 3 * 4 + 2 * radius


def test_a_pattern_that_returns_is_found_in_all_frames() -> None:
    tile = noise(1, 8, 8).float()
    video = tile.repeat(3, 4, 4)  # every patch has its like 8 pixels on
    groups = PatchMatching(count=9, radius=12)(video)
    spread = groups.filter(video, lambda group: group.amax(1, keepdim=True).expand_as(group))
    torch.testing.assert_close(spread, video)


def test_groups_of_one_video_filter_another() -> None:
    groups: PatchGroups = PatchMatching()(noise(2, 12, 12))
    other = 1 - noise(2, 12, 12)
    torch.testing.assert_close(groups.filter(other, lambda group: 2 * group), 2 * other)


@pytest.mark.parametrize(
    "setting",
    [{"count": 1}, {"stride": 0}, {"stride": 7}, {"patch": 0}, {"radius": -1}, {"pooling": 7}],
)
def test_bad_settings_are_refused(setting: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match="wanted at least 2 patches"):
        PatchMatching(**setting)
