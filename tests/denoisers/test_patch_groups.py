"""Groups of like patches: what they hold, and that taking them apart and together loses nothing."""

from __future__ import annotations

import pytest
import torch
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


@pytest.mark.parametrize("size", SIZES)
def test_adding_patches_is_the_adjoint_of_taking_them(size: tuple[int, int, int]) -> None:
    video = noise(*size)
    for window in PatchMatching()(video).windows:
        taken, added = window.patches(video), torch.zeros_like(video)
        patches = noise(*taken.shape)
        window.add(patches, added)
        torch.testing.assert_close((taken * patches).sum(), (video * added).sum())


def test_a_group_holds_its_reference_and_the_patches_nearest_to_it() -> None:
    video, side, count = noise(3, 26, 23), 6, 10
    groups = PatchMatching(count=count, patch=side, radius=5)(video)
    assert len(groups.windows) > 1
    for window, members in zip(groups.windows, groups.members):
        part = window.of(video)
        t, i, j = (
            index.flatten()
            for index in torch.meshgrid(
                *(torch.arange(n) for n in (3, part.shape[1] - side + 1, part.shape[2] - side + 1)),
                indexing="ij",
            )
        )
        patches = [part[f, r : r + side, c : c + side].flatten() for f, r, c in zip(t, i, j)]
        stacked = torch.stack(patches)
        torch.testing.assert_close(window.patches(video), stacked)
        distances = torch.cdist(stacked, stacked)
        for reference, group in zip(window.references(3).tolist(), members.long()):
            assert reference in group
            assert len(group.unique()) == count
            farthest = distances[reference, group].max()
            assert farthest == distances[reference].sort().values[count - 1]


@pytest.mark.parametrize("shift", range(6))
def test_reference_patches_cover_every_pixel_of_every_frame(shift: int) -> None:
    video = torch.zeros(2, 31, 44)
    for window in PatchMatching(stride=6)(video, shift).windows:
        references = window.references(2)
        patches = torch.zeros_like(window.patches(video))
        patches[references] = 1
        window.add(patches, video)
    assert bool((video > 0).all())


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
    "setting", [{"count": 1}, {"stride": 0}, {"stride": 7}, {"patch": 0}, {"radius": -1}]
)
def test_bad_settings_are_refused(setting: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match="wanted at least 2 patches"):
        PatchMatching(**setting)
