"""A sweep changes one thing about the camera, and nothing at its neutral value."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from deqsci.errors import ConfigError, InputFileError
from deqsci.evaluation.sweeps import QUANTITIES, Sweep, Value, shown, varied
from deqsci.evaluation.worker import Setup
from deqsci.io import SnapshotFile
from tests.evaluation.support import scene, without_truth

SETUP = Setup("gap-tv", seed=3)


def taken(given: SnapshotFile, name: str, value: Value) -> SnapshotFile:
    """The scene at one value of a sweep; what is seen agrees with its own sizes."""
    part, _ = varied(given, SETUP, name, value)
    assert part.truth is not None
    assert len(part.truth) == len(part.snapshots) * len(part.masks)
    assert part.snapshots.dtype == part.masks.dtype == np.float32
    return part


def test_values_are_read_and_written() -> None:
    assert Sweep.parse("noise=0, 0.01,1e-2") == Sweep("noise", (0.0, 0.01))
    assert Sweep.parse("masks=own,gray") == Sweep("masks", ("own", "gray"))
    assert Sweep.parse("max-iter=5,10") == Sweep("max-iter", (5, 10))
    assert [shown(value) for value in (0.0, 0.01, 5, "gray")] == ["0", "0.01", "5", "gray"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nois=0", "did you mean noise"),
        ("noise", "standard deviations ≥ 0"),
        ("noise=0,-1", "standard deviations ≥ 0"),
        ("noise=nan", "standard deviations ≥ 0"),
        ("frames=2.5", "whole numbers ≥ 1"),
        ("masks=round", "bernoulli, shifting, gray, own"),
        ("max-iter=0", "whole numbers ≥ 1"),
        ("", "max-iter"),
    ],
)
def test_wrong_sweeps_are_told(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Sweep.parse(text)


@pytest.mark.parametrize(("name", "value"), [("noise", 0.0), ("shift", 0.0), ("masks", "own")])
def test_the_neutral_value_is_the_file_itself(name: str, value: Value, tmp_path: Path) -> None:
    given = scene(tmp_path, snapshots=2)
    part = taken(given, name, value)
    np.testing.assert_allclose(part.snapshots, given.snapshots, atol=1e-5)
    np.testing.assert_array_equal(part.masks, given.masks)


def test_noise_has_its_deviation_and_its_seed(tmp_path: Path) -> None:
    given = scene(tmp_path, snapshots=2)
    part = taken(given, "noise", 0.1)
    assert (part.snapshots - given.snapshots).std() == pytest.approx(0.1, rel=0.1)
    np.testing.assert_array_equal(part.snapshots, taken(given, "noise", 0.1).snapshots)


def test_the_method_is_told_the_noise(tmp_path: Path) -> None:
    _, setup = varied(scene(tmp_path), Setup("gap-tv"), "noise", 0.1)
    assert setup == Setup("gap-tv", noise=0.1)


def test_a_shift_moves_the_masks_that_see_and_not_those_of_the_file(tmp_path: Path) -> None:
    given = scene(tmp_path)
    part = taken(given, "shift", 1.0)
    np.testing.assert_array_equal(part.masks, given.masks)
    assert given.truth is not None
    moved = np.pad(given.masks, ((0, 0), (0, 0), (1, 0)), mode="edge")[:, :, :-1]
    np.testing.assert_allclose(part.snapshots[0], (moved * given.truth).sum(0), atol=1e-4)


def test_frames_are_grouped_anew(tmp_path: Path) -> None:
    given = scene(tmp_path, snapshots=2)  # 8 frames
    part = taken(given, "frames", 3)
    assert (len(part.masks), len(part.snapshots)) == (3, 2)
    with pytest.raises(InputFileError, match="8 frames; a snapshot of 9"):
        varied(given, SETUP, "frames", 9)


@pytest.mark.parametrize(("kind", "levels"), [("bernoulli", 2), ("shifting", 2), ("gray", 1000)])
def test_kinds_of_masks(kind: str, levels: int, tmp_path: Path) -> None:
    part = taken(scene(tmp_path), "masks", kind)
    found = len(np.unique(part.masks))
    assert found == 2 if levels == 2 else found > levels
    assert part.truth is not None
    np.testing.assert_allclose(part.snapshots[0], (part.masks * part.truth).sum(0), atol=1e-5)


def test_the_limit_of_evaluations_is_the_setups(tmp_path: Path) -> None:
    given = scene(tmp_path)
    part, setup = varied(given, SETUP, "max-iter", 7)
    assert setup.max_iter == 7
    np.testing.assert_allclose(part.snapshots, given.snapshots, atol=1e-5)


@pytest.mark.parametrize("name", QUANTITIES)
def test_nothing_is_simulated_without_truth(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="no truth"):
        varied(without_truth(scene(tmp_path)), SETUP, name, 1)
