"""Calibration: a known deviation is found, its error is known, and what cannot be told is said."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from deqsci.errors import ShapeError, ValueRangeError
from deqsci.metrics import psnr
from deqsci.physics import SnapshotPhysics
from deqsci.physics.camera import MaskDeviation
from deqsci.physics.masks import bernoulli_masks, gray_masks
from deqsci.physics.noise import Noise
from deqsci.reconstruction.calibration import Verdict, calibrate, check_masks
from deqsci.reconstruction.zoo import build
from tests.reconstruction.calibration.support import FRAMES, SIDE, Taken, take


def check_found(taken: Taken, true: MaskDeviation, within: float) -> None:
    """The place of every mask pixel is known to ``within`` pixels."""
    found = calibrate(taken.snapshots, taken.masks)
    assert found.trusted, found.sentence
    turn = torch.pi / 180 * SIDE / 2
    assert found.deviation.shift == pytest.approx(true.shift, abs=within)
    assert found.deviation.rotation * turn == pytest.approx(true.rotation * turn, abs=within)
    assert found.deviation.scale * SIDE / 2 == pytest.approx(true.scale * SIDE / 2, abs=within)


@pytest.mark.parametrize(
    "deviation",
    [
        MaskDeviation(),
        MaskDeviation(shift=(0.5, 0.3), rotation=0.1),
        MaskDeviation(shift=(-0.98, 0.5), rotation=-0.3, scale=1.004),
        MaskDeviation(shift=(7.3, -11.6), rotation=0.7, scale=0.995),
    ],
)
def test_a_deviation_is_found_to_a_fiftieth_of_a_pixel(deviation: MaskDeviation) -> None:
    check_found(take(deviation), deviation, 0.02)


def test_noise_gain_and_offset_do_not_mislead() -> None:
    deviation = MaskDeviation((0.4, -0.7), 0.2)
    noise = Noise(
        gaussian=1 / 255, photons=2000, gain=1.05, offset=0.05, dead=0.001, pixel_gain=0.01
    )
    check_found(take(deviation, noise), deviation, 0.04)


def test_the_offset_is_found_and_a_gain_is_not_made_up() -> None:
    taken = take(MaskDeviation((0.4, -0.7)), Noise(gaussian=0.002, gain=1.05, offset=0.05))
    found = calibrate(taken.snapshots, taken.masks)
    assert found.offset == pytest.approx(0.05, abs=0.005)
    assert found.gain == 1
    assert "gain" not in found.errors


def test_the_true_deviation_lies_within_the_stated_errors() -> None:
    deviation = MaskDeviation((0.31, -0.44), 0.15, 1.002)
    names = ("down", "right", "rotation", "scale")
    truth = (*deviation.shift, deviation.rotation, deviation.scale)
    scores = []
    for seed in range(4):
        taken = take(deviation, Noise(gaussian=0.02), seed=seed)
        found = calibrate(taken.snapshots, taken.masks)
        values = (*found.deviation.shift, found.deviation.rotation, found.deviation.scale)
        scores += [(v - t) / found.errors[n] for v, t, n in zip(values, truth, names)]
    assert torch.tensor(scores).square().mean().sqrt() < 2.5
    assert torch.tensor(scores).abs().max() < 6


def test_more_snapshots_leave_less_error() -> None:
    deviation, noise = MaskDeviation((0.31, -0.44)), Noise(gaussian=0.1)
    one, four = (
        calibrate(taken.snapshots, taken.masks).displacement_error
        for taken in (take(deviation, noise), take(deviation, noise, snapshots=4))
    )
    assert four < 0.8 * one


def test_blur_is_found_where_there_is_some() -> None:
    taken = take(MaskDeviation((0.3, 0.2), blur=0.6))
    found = calibrate(taken.snapshots, taken.masks).deviation
    assert found.blur == pytest.approx(0.6, abs=0.03)
    sharp = take(MaskDeviation((0.3, 0.2)))
    assert calibrate(sharp.snapshots, sharp.masks).deviation.blur == 0


def test_the_video_is_as_good_as_with_the_true_masks() -> None:
    deviation = MaskDeviation((0.5, 0.3), 0.1)
    taken = take(deviation)
    found, model = calibrate(taken.snapshots, taken.masks), build("gap-tv")

    def quality(masks: Tensor, snapshots: Tensor) -> float:
        video = model.reconstruct(snapshots, SnapshotPhysics(masks)).video
        return psnr(video[0], taken.video[0])

    nominal = quality(taken.masks, taken.snapshots)
    true = quality(deviation(taken.masks), taken.snapshots)
    calibrated = quality(found.deviation(taken.masks), found.correct(taken.snapshots))
    assert calibrated > nominal + 5
    assert calibrated > true - 0.3


def test_a_known_scene_tells_the_gain_too() -> None:
    deviation = MaskDeviation((0.5, -0.2), 0.1)
    white = torch.full((FRAMES, SIDE, SIDE), 0.8)
    taken = take(deviation, Noise(gaussian=0.01, gain=1.07, offset=0.02), video=white)
    found = calibrate(taken.snapshots, taken.masks, white)
    assert found.trusted
    assert found.gain == pytest.approx(1.07, abs=0.002)
    assert found.offset == pytest.approx(0.02, abs=0.005)
    assert found.deviation.shift == pytest.approx(deviation.shift, abs=0.01)
    torch.testing.assert_close(
        found.correct(1.07 * torch.ones(1, 2, 2) + 0.02), torch.ones(1, 2, 2), rtol=0, atol=0.01
    )


@pytest.mark.parametrize("masks", [bernoulli_masks, gray_masks])
def test_masks_of_another_camera_are_refused(masks: object) -> None:
    taken = take()
    foreign = masks(FRAMES, SIDE, SIDE, generator=torch.Generator().manual_seed(9))
    found = calibrate(taken.snapshots, foreign)
    assert found.verdict is Verdict.NO_MATCH
    assert found.deviation == MaskDeviation()


def test_masks_stored_the_wrong_way_round_are_told_apart() -> None:
    taken = take(MaskDeviation((0.5, 0.3)))
    for wrong, word in [
        (taken.masks.mT, "rows and columns exchanged"),
        (taken.masks.flip(-1), "left to right"),
        (taken.masks.rot90(1, (-2, -1)), "90° clockwise"),
    ]:
        found = calibrate(taken.snapshots, wrong.contiguous())
        assert found.verdict is Verdict.ORIENTATION
        assert word in found.sentence
        assert check_masks(taken.snapshots, wrong).verdict is Verdict.ORIENTATION
    assert check_masks(taken.snapshots, taken.masks) is None


def test_masks_in_another_order_fit_but_are_noticed() -> None:
    taken, shuffled = take(), [3, 0, 5, 1, 4, 2]
    found = calibrate(taken.snapshots, taken.masks[shuffled])
    assert found.trusted
    in_time = [shuffled[frame] for frame in found.order]
    assert in_time in (list(range(FRAMES)), list(range(FRAMES))[::-1])
    assert calibrate(taken.snapshots, taken.masks).order is None


def test_snapshots_that_say_nothing() -> None:
    masks = bernoulli_masks(FRAMES, SIDE, SIDE)
    complementary = torch.stack([masks[0], 1 - masks[0]])
    flat = torch.ones(1, SIDE, SIDE)
    assert calibrate(flat, complementary).verdict is Verdict.NO_PATTERN
    assert check_masks(flat, complementary) is None
    dark = 0.01 * torch.randn(1, SIDE, SIDE)
    assert calibrate(dark, masks).verdict is Verdict.NO_MATCH
    assert calibrate(torch.zeros(1, SIDE, SIDE), masks).verdict is Verdict.NO_MATCH
    assert calibrate(flat[:, :20], masks[:, :20]).verdict is Verdict.TOO_SMALL


def test_masks_too_far_off_are_said_to_be() -> None:
    taken = take(MaskDeviation(shift=(0.0, 16.0)))
    assert calibrate(taken.snapshots, taken.masks).verdict is Verdict.OUT_OF_REACH


def test_what_does_not_belong_together_is_refused() -> None:
    taken = take()
    with pytest.raises(ShapeError):
        calibrate(taken.snapshots[..., 1:], taken.masks)
    with pytest.raises(ShapeError, match="known scene"):
        calibrate(taken.snapshots, taken.masks, taken.masks[1:])
    with pytest.raises(ValueRangeError):
        calibrate(taken.snapshots * torch.nan, taken.masks)
