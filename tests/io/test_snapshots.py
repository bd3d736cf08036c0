"""What comes out of a snapshot file, and what is said when nothing can."""

from __future__ import annotations

import re
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
import scipy.io

from deqsci.errors import (
    DeqsciError,
    InputFileError,
    MaskError,
    OutputError,
    ShapeError,
    ValueRangeError,
)
from deqsci.io import (
    SnapshotFile,
    list_inputs,
    load_masks,
    load_snapshots,
    save_snapshots,
    snapshots,
)
from tests.io.files import WRITERS, make_scene, write_mat5, write_mat73, write_npz

SCENE = make_scene()
TRUTH = (SCENE.truth / 255).astype(np.float32)
SUMS = (SCENE.counts / 255).astype(np.float32)


@pytest.mark.parametrize("kind", WRITERS)
def test_every_kind_of_file_gives_the_same_arrays(kind: str, tmp_path: Path) -> None:
    name, write = WRITERS[kind]
    path = write(tmp_path / name, meas=SCENE.counts, mask=SCENE.masks, orig=SCENE.truth)
    file = load_snapshots(path)
    np.testing.assert_allclose(file.snapshots, SUMS, rtol=1e-6)
    np.testing.assert_array_equal(file.masks, SCENE.masks)
    np.testing.assert_allclose(file.truth, TRUTH, rtol=1e-6)
    assert {a.dtype for a in (file.snapshots, file.masks, file.truth)} == {np.dtype(np.float32)}
    assert file.notices == ()


@pytest.mark.parametrize("kind", WRITERS)
def test_a_two_dimensional_snapshot_is_one_snapshot(kind: str, tmp_path: Path) -> None:
    name, write = WRITERS[kind]
    path = write(tmp_path / name, meas=SCENE.counts[0], mask=SCENE.masks, orig=SCENE.truth[:3])
    np.testing.assert_allclose(load_snapshots(path).snapshots, SUMS[:1], rtol=1e-6)


@pytest.mark.parametrize(
    "names", [("snapshot", "masks"), ("snapshots", "Phi"), ("measurement", "phi"), ("y", "mask")]
)
def test_other_names_are_understood(names: tuple[str, str], tmp_path: Path) -> None:
    path = write_npz(tmp_path / "a.npz", **{names[0]: SUMS, names[1]: SCENE.masks})
    np.testing.assert_array_equal(load_snapshots(path).snapshots, SUMS)


def test_saved_snapshots_come_back_bit_by_bit(tmp_path: Path) -> None:
    path = tmp_path / "new" / "snap.npz"
    masks = SCENE.masks.astype(np.float32)
    for _ in range(2):  # the second time over the first
        save_snapshots(path, SUMS, masks, TRUTH)
    file = load_snapshots(path)
    np.testing.assert_array_equal(file.snapshots, SUMS)
    np.testing.assert_array_equal(file.masks, masks)
    np.testing.assert_array_equal(file.truth, TRUTH)
    assert [entry.name for entry in path.parent.iterdir()] == ["snap.npz"]


def test_a_file_that_is_no_snapshot_file_is_not_overwritten(tmp_path: Path) -> None:
    path = write_npz(tmp_path / "thesis.npz", results=np.ones(3))
    before = path.read_bytes()
    with pytest.raises(OutputError, match=r"thesis\.npz exists and is no snapshot file"):
        save_snapshots(path, SUMS, SCENE.masks.astype(np.float32))
    assert path.read_bytes() == before


def test_masks_of_another_file_are_taken_instead(tmp_path: Path) -> None:
    other = 1 - SCENE.masks
    masks = write_mat73(tmp_path / "mask.mat", mask=other)
    path = write_npz(tmp_path / "a.npz", snapshot=SUMS, masks=SCENE.masks, truth=TRUTH)
    file = load_snapshots(path, masks=masks)
    np.testing.assert_array_equal(file.masks, other)
    assert "differs from the sum of masks times truth" in file.notices[0]


def test_masks_of_0_and_255_are_rescaled_with_a_notice(tmp_path: Path) -> None:
    path = write_mat5(tmp_path / "mask.mat", mask=255.0 * SCENE.masks)
    masks, notices = load_masks(path)
    np.testing.assert_array_equal(masks, SCENE.masks)
    assert notices == (f"{path}: 'mask' spans 0 to 255 and was divided by 255",)


def test_the_first_masks_of_a_file(tmp_path: Path) -> None:
    path = write_npz(tmp_path / "m.npz", masks=SCENE.masks)
    masks, notices = load_masks(path, 2)
    np.testing.assert_array_equal(masks, SCENE.masks[:2])
    assert notices == (
        f"{path}: 'masks' holds 3 masks; the first 2 are used, as --frames asks for 2 frames a "
        f"snapshot",
    )
    with pytest.raises(MaskError, match="holds 3 masks where --frames asks for 4"):
        load_masks(path, 4)


def test_masks_are_turned_with_snapshots_and_alone(tmp_path: Path) -> None:
    path = tmp_path / "m.npy"
    np.save(path, np.moveaxis(SCENE.masks, 0, -1))
    scene = load_snapshots(write_npz(tmp_path / "a.npz", snapshot=SUMS), masks=path)
    masks, notices = load_masks(path)
    np.testing.assert_array_equal(masks, SCENE.masks)
    np.testing.assert_array_equal(masks, scene.masks)
    assert notices == (f"{path} has shape 4×5×3; its last axis is taken for the masks",)
    assert notices[0] in scene.notices


def test_a_truth_that_overshoots_keeps_its_scale(tmp_path: Path) -> None:
    truth = TRUTH.copy()
    truth[0, 0, 0] = 1.01
    sums = (truth.reshape(2, 3, 4, 5) * SCENE.masks).sum(1)
    file = load_snapshots(
        write_npz(tmp_path / "a.npz", snapshot=sums, masks=SCENE.masks, truth=truth)
    )
    np.testing.assert_array_equal(file.truth, truth)
    np.testing.assert_array_equal(file.snapshots, sums)
    assert file.notices == ()


def test_a_single_mask_means_one_frame_each(tmp_path: Path) -> None:
    path = write_npz(tmp_path / "a.npz", snapshot=TRUTH[0], masks=np.ones((4, 5)))
    file = load_snapshots(path)
    assert file.masks.shape == (1, 4, 5)
    assert "T = 1" in file.notices[0]


def test_a_truth_with_its_frames_last_is_turned_as_masks_are(tmp_path: Path) -> None:
    last = {"masks": SCENE.masks, "truth": TRUTH}
    turned = {name: np.moveaxis(array, 0, -1) for name, array in last.items()}
    file = load_snapshots(write_npz(tmp_path / "a.npz", snapshot=SUMS, **turned))
    np.testing.assert_array_equal(file.truth, TRUTH)
    np.testing.assert_array_equal(file.masks, SCENE.masks)
    assert file.notices[-1].endswith("'truth': its last axis is taken for the frames")


def test_truth_beyond_the_snapshots_is_left_out(tmp_path: Path) -> None:
    path = write_mat5(tmp_path / "a.mat", meas=SCENE.counts[0], mask=SCENE.masks, orig=SCENE.truth)
    file = load_snapshots(path)
    np.testing.assert_allclose(file.truth, TRUTH[:3], rtol=1e-6)
    assert "6 frames; the first 3" in file.notices[0]


BAD_ARRAYS: dict[str, tuple[dict[str, np.ndarray], type[DeqsciError], str]] = {
    "no snapshot": ({"masks": SCENE.masks}, InputFileError, r"holds no snapshot \(it holds masks"),
    "no mask": ({"meas": SUMS}, MaskError, r"no mask \(it holds meas; .* --masks FILE"),
    "sizes differ": (
        {"snapshot": SUMS, "masks": SCENE.masks[:, :, :4]},
        ShapeError,
        "4×5 pixels, the masks of .* have 4×4",
    ),
    "transposed masks": (
        {"snapshot": SUMS, "masks": SCENE.masks.swapaxes(1, 2)},
        ShapeError,
        "the masks look transposed, exchange their rows and columns",
    ),
    "T = 0": ({"snapshot": SUMS, "masks": SCENE.masks[:0]}, MaskError, "T×H×W = 0×4×5"),
    "no snapshots": ({"snapshot": SUMS[:0], "masks": SCENE.masks}, ShapeError, "is empty"),
    "four axes": ({"snapshot": SUMS[None], "masks": SCENE.masks}, ShapeError, r"\(1, 2, 4, 5\)"),
    "NaN": ({"snapshot": SUMS * np.nan, "masks": SCENE.masks}, ValueRangeError, "40 NaN or inf"),
    "infinite mask": (
        {"snapshot": SUMS, "masks": np.full((3, 4, 5), np.inf)},
        ValueRangeError,
        "'masks' holds .* NaN or inf",
    ),
    "closed masks": ({"snapshot": SUMS, "masks": 0 * SCENE.masks}, MaskError, "0 everywhere"),
    "mask above 1": ({"snapshot": SUMS, "masks": SCENE.masks * 1.2}, MaskError, "0 to 1.2; wanted"),
    "complex": ({"snapshot": SUMS + 1j, "masks": SCENE.masks}, InputFileError, "type complex"),
    "objects": (
        {"snapshot": np.array([None]), "masks": SCENE.masks},
        InputFileError,
        "pickled Python objects, which are never loaded",
    ),
    "short truth": (
        {"snapshot": SUMS, "masks": SCENE.masks, "truth": TRUTH[:5]},
        ShapeError,
        "2 snapshots × 3 masks = 6 frames",
    ),
}


@pytest.mark.parametrize("case", BAD_ARRAYS)
def test_arrays_that_do_not_fit_are_refused_in_one_sentence(case: str, tmp_path: Path) -> None:
    arrays, error, sentence = BAD_ARRAYS[case]
    path = write_npz(tmp_path / "bad.npz", **arrays)
    with pytest.raises(error, match=sentence) as caught:
        load_snapshots(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("write", [write_mat5, write_mat73])
def test_an_empty_matlab_mask_is_told_with_its_sizes(write, tmp_path: Path) -> None:
    path = write(tmp_path / "a.mat", meas=SCENE.counts, mask=SCENE.masks[:0])
    with pytest.raises(MaskError, match="T×H×W = 0×4×5"):
        load_snapshots(path)


def _bytes_of(kind: str, tmp_path: Path) -> bytes:
    name, write = WRITERS[kind]
    rng = np.random.default_rng(0)
    masks = rng.integers(0, 2, (8, 40, 40), dtype=np.uint8)
    return write(tmp_path / f"whole-{name}", meas=8 * rng.random((40, 40)), mask=masks).read_bytes()


@pytest.mark.parametrize("kind", WRITERS)
def test_a_truncated_file_is_called_damaged(kind: str, tmp_path: Path) -> None:
    content = _bytes_of(kind, tmp_path)
    path = tmp_path / WRITERS[kind][0]
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(InputFileError, match="is damaged or cut short"):
        load_snapshots(path)


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_file_beyond_the_memory_is_called_so(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(*_: object) -> None:
        raise MemoryError

    path = tmp_path if kind == "folder" else tmp_path / "a.npy"
    np.save(tmp_path / "a.npy", SUMS)
    iio.imwrite(tmp_path / "a.png", np.zeros((4, 5), np.uint8))
    monkeypatch.setattr("deqsci.io.containers._npy", read)
    monkeypatch.setattr("deqsci.io.images._decoded", read)
    with pytest.raises(InputFileError, match=f"{path} holds more than fits into memory"):
        load_snapshots(path)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.mat", b"", "is empty"),
        ("a.mat", b"this is no matrix", "is not a MATLAB file"),
        ("a.mp4", b"\x00\x00\x00 ftypisom", "deqsci simulate"),
    ],
)
def test_other_files_are_refused(name: str, content: bytes, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputFileError, match=sentence):
        load_snapshots(path)


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    for call in (load_snapshots, load_masks, list_inputs):
        with pytest.raises(InputFileError, match="does not exist"):
            call(tmp_path / "none.mat")
    with pytest.raises(InputFileError, match="holds no images"):
        load_snapshots(tmp_path)
    with pytest.raises(InputFileError, match="holds none of"):
        list_inputs(tmp_path)


def test_structs_and_cells_of_matlab_are_no_arrays(tmp_path: Path) -> None:
    path = tmp_path / "a.mat"
    scipy.io.savemat(path, {"meas": {"data": SUMS}})
    with pytest.raises(InputFileError, match="'meas' is of type"):
        load_snapshots(path)


def test_a_folder_lists_its_snapshot_files_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for name in ("s10.mat", "s2.npz", "notes.txt", ".s1.mat", "s1.h5"):
        (tmp_path / name).touch()
    assert [path.name for path in list_inputs(tmp_path)] == ["s1.h5", "s2.npz", "s10.mat"]
    assert list_inputs(tmp_path / "notes.txt") == [tmp_path / "notes.txt"]


@pytest.mark.parametrize(("scene", "count"), [("drop40", 5), ("runner40", 5), ("traffic48", 6)])
def test_published_scenes_obey_the_forward_model(scene: str, count: int, shared: Path) -> None:
    file = load_snapshots(shared / f"data/benchmark/{scene}_cacti.mat")
    assert file.snapshots.shape == (count, 256, 256)
    assert file.truth is not None
    expected = (file.truth.reshape(count, 8, 256, 256) * file.masks).sum(1)
    np.testing.assert_allclose(file.snapshots, expected, atol=2e-6)
    # Traffic's are real numbers, of which 0…255 is not a matter of course.
    told = [
        notice.endswith("divided by 255, which its truth agrees with") for notice in file.notices
    ]
    assert told == ([True] if scene == "traffic48" else [])


def test_published_masks_are_binary(shared: Path) -> None:
    for path in sorted((shared / "data/masks").glob("*.mat")):
        masks, notices = load_masks(path)
        assert masks.shape == (8, 256, 256)
        assert set(np.unique(masks)) == {0, 1}
        assert notices == ()


def test_real_captures_ask_for_their_masks_and_say_what_scale_is_guessed(
    shared: Path, tmp_path: Path
) -> None:
    capture = shared / "data/real/meas_hand_cr_10.mat"
    with pytest.raises(MaskError, match=r"no mask \(it holds meas; .* --masks FILE"):
        load_snapshots(capture)
    rng = np.random.default_rng(0)
    masks = write_npz(tmp_path / "m.npz", masks=rng.integers(0, 2, (10, 512, 512)))
    for full_scale in (51, None):
        file = load_snapshots(capture, masks=masks, full_scale=full_scale)
        assert file.snapshots.shape == (4, 512, 512)
        assert file.snapshots.max() == pytest.approx(248 / 51, rel=1e-3)
    assert re.search(r"black level 0 and full scale 5\d", file.notices[0])


def test_of_a_long_capture_some_snapshots_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = np.arange(10, dtype=np.float32).repeat(6).reshape(10, 2, 3)
    scene = SnapshotFile(Path("long"), counts, np.ones((1, 2, 3), np.float32), None)
    np.testing.assert_array_equal(scene.sample, counts)
    monkeypatch.setattr(snapshots, "SAMPLE", 4 * 6)
    assert scene.sample[:, 0, 0].tolist() == [0, 3, 6, 9]
