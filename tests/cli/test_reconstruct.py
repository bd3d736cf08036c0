"""``deqsci reconstruct``: the run folder, exit codes, and inputs that are wrong."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import zipfile
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
import safetensors.torch
import torch

from deqsci.denoisers.cnn import CNN
from deqsci.io import load_snapshots
from deqsci.metrics import psnr
from deqsci.reconstruction.zoo import new_map
from tests.cli.support import FRAMES, HEIGHT, WIDTH, Run, write_scene

METHOD = ["--method", "gap-tv", "--max-iter", "5"]
FILES = {
    "snapshot.npz",
    "video.npz",
    "video.mp4",
    "preview.gif",
    "figure.png",
    "residuals.csv",
    "run.json",
}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_run_folder_is_whole(run: Run, tmp_path: Path) -> None:
    scene = write_scene(tmp_path / "scene.npz", snapshots=2)
    out = tmp_path / "runs" / "first"
    done = run("reconstruct", scene, "-o", out, *METHOD)
    assert done.code == 0, done.err
    assert set(contents(out)) == FILES
    assert str(out / "figure.png") in done.out

    video = np.load(out / "video.npz")["video"]
    assert video.shape == (2 * FRAMES, HEIGHT, WIDTH)
    assert video.dtype == np.float32
    assert 0 <= video.min() < video.max() <= 1

    summary = json.loads((out / "run.json").read_text(encoding="utf-8"))
    truth = load_snapshots(scene).truth
    assert summary["psnr"] == pytest.approx(psnr(video, truth), abs=1e-6)
    assert summary["method"] == "gap-tv"
    assert summary["options"]["max_iter"] == 5
    assert summary["versions"]["torch"] == torch.__version__
    assert [record["snapshot"] for record in summary["snapshots"]] == [0, 1]
    for record in summary["snapshots"]:
        assert record["evaluations"] == record["iterations"] == 5
        assert record["seconds"] > 0
        assert record["status"]

    with (out / "residuals.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    last = [row for row in rows if row["snapshot"] == "1"][-1]
    assert int(last["iteration"]) == 5
    assert float(last["residual"]) == pytest.approx(summary["snapshots"][1]["residual"], rel=1e-4)


def test_json_is_the_only_output(run: Run, scene: Path, tmp_path: Path) -> None:
    done = run("reconstruct", scene, "-o", tmp_path / "out", *METHOD, "--json")
    assert done.code == 0
    (summary,) = json.loads(done.out)["runs"]
    written = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))
    assert {key: written[key] for key in summary} == summary


def test_quiet_says_nothing_and_verbose_more(run: Run, scene: Path, tmp_path: Path) -> None:
    done = run("reconstruct", scene, "-o", tmp_path / "out", *METHOD, "-q")
    assert (done.code, done.out, done.err) == (0, "", "")
    done = run("reconstruct", scene, "-o", tmp_path / "out", *METHOD, "-v")
    assert "snapshot 1/1" in done.err


def test_without_truth_there_is_no_psnr(run: Run, tmp_path: Path) -> None:
    scene = write_scene(tmp_path / "scene.npz", truth=False)
    done = run("reconstruct", scene, "-o", tmp_path / "out", *METHOD, "--json")
    assert done.code == 0
    assert json.loads(done.out)["runs"][0]["psnr"] is None


def test_the_same_seed_gives_the_same_video(run: Run, scene: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert run("reconstruct", scene, "-o", tmp_path / name, *METHOD).code == 0
    first, second = (np.load(tmp_path / name / "video.npz")["video"] for name in ("a", "b"))
    np.testing.assert_array_equal(first, second)


def test_float64_agrees_with_float32(run: Run, scene: Path, tmp_path: Path) -> None:
    for dtype in ("float32", "float64"):
        assert (
            run("reconstruct", scene, "-o", tmp_path / dtype, *METHOD, "--dtype", dtype).code == 0
        )
    single, double = (
        np.load(tmp_path / dtype / "video.npz")["video"] for dtype in ("float32", "float64")
    )
    np.testing.assert_allclose(single, double, atol=1e-4)
    assert not np.array_equal(single, double)


def test_bfloat16_comes_near_float32(run: Run, scene: Path, tmp_path: Path) -> None:
    videos = {}
    for dtype in ("float32", "bfloat16"):
        command = ("reconstruct", scene, "-o", tmp_path / dtype, "--max-iter", "3")
        assert run(*command, "--dtype", dtype).code == 0
        videos[dtype] = np.load(tmp_path / dtype / "video.npz")["video"]
    np.testing.assert_allclose(videos["bfloat16"], videos["float32"], atol=0.05)
    assert not np.array_equal(videos["bfloat16"], videos["float32"])


def test_bfloat16_keeps_the_tolerance_and_what_is_proved(
    run: Run, scene: Path, tmp_path: Path
) -> None:
    told = []
    for dtype in ("float32", "bfloat16"):
        command = ("reconstruct", scene, "-o", tmp_path / dtype, "--method", "de-gap-rsn-cnn")
        done = run(*command, "--json", "--max-iter", "2", "--dtype", dtype)
        (summary,) = json.loads(done.out)["runs"]
        told.append([summary[name] for name in ("tolerance", "lipschitz")])
    assert told[0] == told[1]
    assert None not in told[0]


def test_bfloat16_begins_where_it_is_told(run: Run, scene: Path, tmp_path: Path) -> None:
    videos = []
    for start in ((), ("--warm-start", "gap-tv")):
        out = tmp_path / str(len(videos))
        command = ("reconstruct", scene, "-o", out, "--method", "de-gap-cnn", *start)
        assert run(*command, "--dtype", "bfloat16", "--max-iter", "2").code == 0
        videos.append(np.load(out / "video.npz")["video"])
    assert np.abs(videos[0] - videos[1]).mean() > 1e-3


def test_bfloat16_wants_a_network(run: Run, scene: Path, tmp_path: Path) -> None:
    command = ("reconstruct", scene, "-o", tmp_path / "out", "--method", "gap-tv")
    done = run(*command, "--dtype", "bfloat16")
    assert done.code == 2
    assert "gap-tv has no network to compute in bfloat16" in done.err
    assert not (tmp_path / "out").exists()


def test_threads_are_set(run: Run, scene: Path, tmp_path: Path) -> None:
    done = run("reconstruct", scene, "-o", tmp_path / "out", *METHOD, "--threads", "1", "--json")
    assert json.loads(done.out)["runs"][0]["threads"] == 1


def test_strict_tells_what_did_not_converge(run: Run, scene: Path, tmp_path: Path) -> None:
    denoiser = CNN().to(memory_format=torch.contiguous_format)  # safetensors wants it
    safetensors.torch.save_file(denoiser.state_dict(), tmp_path / "untrained.safetensors")
    # A denoiser that changes nothing: the map is the projection, at whose fixed point it starts.
    torch.nn.init.zeros_(denoiser.layers[-1].weight)
    safetensors.torch.save_file(denoiser.state_dict(), tmp_path / "identity.safetensors")

    model = ["--method", "de-gap-cnn", "--max-iter", "1", "--json", "--weights"]
    identity, untrained = (tmp_path / f"{name}.safetensors" for name in ("identity", "untrained"))
    done = run("reconstruct", scene, "-o", tmp_path / "out", *model, identity, "--strict")
    assert done.code == 0, done.err
    (summary,) = json.loads(done.out)["runs"]
    assert summary["snapshots"][0]["converged"]
    assert summary["snapshots"][0]["residual"] < summary["tolerance"]
    digest = hashlib.sha256(identity.read_bytes()).hexdigest()
    assert summary["weights"]["sha256"] == digest

    for strict, code in ((["--strict"], 3), ([], 0)):
        done = run("reconstruct", scene, "-o", tmp_path / "out", *model, untrained, *strict)
        assert done.code == code
        assert not json.loads(done.out)["runs"][0]["snapshots"][0]["converged"]
        assert set(contents(tmp_path / "out")) == FILES


@pytest.mark.parametrize("option", [["--strict"], ["--tol", "0.01"]])
def test_a_finite_schedule_has_no_tolerance(
    run: Run, scene: Path, tmp_path: Path, option: list[str]
) -> None:
    refused(run, ["gap-tv", "finite schedule"], tmp_path / "out", scene, *METHOD, *option)


def test_a_folder_gives_a_run_per_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "scenes").mkdir()
    for name in ("a.npz", "b.npz"):
        write_scene(tmp_path / "scenes" / name)
    out = tmp_path / "out"
    for _ in range(2):  # the second call replaces the runs of the first
        done = run("reconstruct", tmp_path / "scenes", "-o", out, *METHOD, "--json")
        assert done.code == 0, done.err
        assert [Path(summary["output"]) for summary in json.loads(done.out)["runs"]] == [
            out / "a",
            out / "b",
        ]
        assert set(contents(out / "b")) == FILES


def test_a_folder_of_images_is_one_run(run: Run, tmp_path: Path) -> None:
    with np.load(write_scene(tmp_path / "scene.npz", 2)) as file:
        snapshots, masks = file["snapshot"], file["masks"]
    (tmp_path / "shots").mkdir()
    for index, snapshot in enumerate(snapshots):
        iio.imwrite(tmp_path / f"shots/{index}.png", np.rint(50 * snapshot).astype(np.uint8))
    np.save(tmp_path / "masks.npy", masks)
    out = tmp_path / "out"
    options = ["--masks", tmp_path / "masks.npy", "--full-scale", 50]
    done = run("reconstruct", tmp_path / "shots", "-o", out, *METHOD, *options)
    assert done.code == 0, done.err
    assert len(np.load(out / "video.npz")["video"]) == 2 * len(masks)


def test_a_bad_file_in_a_folder_is_told_before_anything_runs(run: Run, tmp_path: Path) -> None:
    (tmp_path / "scenes").mkdir()
    write_scene(tmp_path / "scenes" / "a.npz")
    (tmp_path / "scenes" / "b.mat").write_bytes(b"nothing of the kind")
    done = run("reconstruct", tmp_path / "scenes", "-o", tmp_path / "out", *METHOD)
    assert done.code == 2
    assert "b.mat" in done.err
    assert not (tmp_path / "out").exists()


def save(path: Path, **changes: np.ndarray | None) -> Path:
    """The scene of the fixture with arrays changed or, if None, left out."""
    write_scene(path)
    with np.load(path) as file:
        arrays = dict(file) | changes
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    return path


def test_masks_from_another_file(run: Run, scene: Path, tmp_path: Path) -> None:
    bare = save(tmp_path / "bare.npz", masks=None)
    done = run("reconstruct", bare, "-o", tmp_path / "out", *METHOD, "--masks", scene)
    assert done.code == 0, done.err


def test_how_the_file_was_read_is_written_down(run: Run, scene: Path, tmp_path: Path) -> None:
    reading = ["--masks", scene, "--frames", FRAMES, "--full-scale", 1, "--black-level", 0]
    trust = ["--noise", "0.01", "--keep-bad-pixels", "--calibrate"]
    done = run("reconstruct", scene, "-o", tmp_path / "out", *METHOD, *reading, *trust)
    assert done.code == 0, done.err
    summary = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))
    expected = {
        "masks": "scene.npz",
        "frames": FRAMES,
        "full_scale": 1,
        "black_level": 0,
        "saturation": None,
        "bayer": None,
        "noise": 0.01,
        "keep_bad_pixels": True,
        "calibrate": True,
        "max_iter": 5,
    }
    assert expected.items() <= summary["options"].items()


def test_8_bit_masks_are_rescaled_with_a_notice(run: Run, tmp_path: Path) -> None:
    write_scene(tmp_path / "scene.npz")
    with np.load(tmp_path / "scene.npz") as file:
        masks = (255 * file["masks"]).astype(np.uint8)
    scene = save(tmp_path / "scene.npz", masks=masks)
    done = run("reconstruct", scene, "-o", tmp_path / "out", *METHOD)
    assert done.code == 0
    assert "divided by 255" in done.err


SIZE = (HEIGHT, WIDTH)
NAN = np.full((1, *SIZE), np.nan, dtype=np.float32)
BAD_ARRAYS = {
    "no mask": ({"masks": None}, ["no mask", "--masks"]),
    "no snapshot": ({"snapshot": None}, ["no snapshot"]),
    "other sizes": ({"masks": np.ones((4, 16, 16))}, ["32×48", "16×16"]),
    "T = 0": ({"masks": np.ones((0, HEIGHT, WIDTH))}, ["empty"]),
    "closed masks": ({"masks": np.zeros((4, HEIGHT, WIDTH))}, ["0 everywhere"]),
    "NaN": ({"snapshot": NAN, "truth": None}, ["NaN"]),
    "NaN in masks": ({"masks": np.repeat(NAN, 4, 0)}, ["NaN"]),
    "wrong scale": ({"snapshot": np.full(SIZE, 9000.5), "truth": None}, ["--full-scale"]),
    "negative masks": ({"masks": -np.ones((4, HEIGHT, WIDTH))}, ["0…1"]),
    "objects": ({"masks": np.array([{"a": 1}], dtype=object)}, ["pickled"]),
}


def refused(run: Run, words: list[str], out: Path, *arguments: object) -> None:
    """The command ends with 2 and one sentence that holds ``words``; nothing is at ``out``."""
    done = run("reconstruct", *arguments, "-o", out)
    assert done.code == 2, done.err
    assert done.out == ""
    assert done.err.count("\n") == 1
    for word in words:
        assert word in done.err
    assert not out.exists()


@pytest.mark.parametrize("case", BAD_ARRAYS)
def test_bad_arrays(run: Run, tmp_path: Path, case: str) -> None:
    changes, words = BAD_ARRAYS[case]
    scene = save(tmp_path / "scene.npz", **changes)
    refused(run, ["scene.npz", *words], tmp_path / "out", scene, *METHOD)


@pytest.mark.parametrize("name", ["scene.mat", "scene.npz", "scene.h5", "scene.txt"])
@pytest.mark.parametrize("content", [None, b"", b"text", b"PK\x03\x04 cut"])
def test_bad_files(run: Run, tmp_path: Path, name: str, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    refused(run, [name], tmp_path / "out", tmp_path / name, *METHOD)


def test_an_empty_folder(run: Run, tmp_path: Path) -> None:
    (tmp_path / "scenes").mkdir()
    refused(run, ["scenes"], tmp_path / "out", tmp_path / "scenes", *METHOD)


def test_an_unknown_method_names_the_nearest(run: Run, scene: Path, tmp_path: Path) -> None:
    refused(run, ["de-gap-cnn"], tmp_path / "out", scene, "--method", "de-gap-cn")


def test_bad_weights(run: Run, scene: Path, tmp_path: Path) -> None:
    method = ["--method", "de-gap-cnn", "--weights"]
    pickled, text = tmp_path / "module.pth", tmp_path / "text.safetensors"
    torch.save(torch.nn.Linear(1, 1), pickled)
    text.write_text("weights")
    out = tmp_path / "out"
    refused(run, ["module.pth"], out, scene, *method, pickled)
    refused(run, ["text.safetensors"], out, scene, *method, text)
    refused(run, ["absent.pth"], out, scene, *method, tmp_path / "absent.pth")
    with zipfile.ZipFile(tmp_path / "cut.ckpt", "w") as archive:
        archive.writestr("data.pkl", b"cos\nsystem\n")
    refused(run, ["cut.ckpt"], out, scene, *method, tmp_path / "cut.ckpt")


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is there")
def test_a_device_that_is_not_there(run: Run, scene: Path, tmp_path: Path) -> None:
    refused(run, ["cuda", "cpu"], tmp_path / "out", scene, *METHOD, "--device", "cuda")


def test_a_foreign_folder_is_left_alone(run: Run, scene: Path, tmp_path: Path) -> None:
    out = tmp_path / "thesis"
    out.mkdir()
    (out / "chapter1.txt").write_text("It was a dark and stormy night.")
    done = run("reconstruct", scene, "-o", out, *METHOD)
    assert done.code == 2
    assert "chapter1.txt" in done.err
    assert list(contents(out)) == ["chapter1.txt"]
    (tmp_path / "scenes").mkdir()
    write_scene(tmp_path / "scenes" / "a.npz")
    done = run("reconstruct", tmp_path / "scenes", "-o", out, *METHOD)
    assert done.code == 2
    assert list(contents(out)) == ["chapter1.txt"]


def test_an_output_that_cannot_be_written(run: Run, scene: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file, not a folder")
    for out in (tmp_path / "file", tmp_path / "file" / "inside"):
        done = run("reconstruct", scene, "-o", out, *METHOD)
        assert done.code == 2
        assert str(tmp_path / "file") in done.err
        assert done.err.count("\n") == 1


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="permissions do not bind root")
def test_a_read_only_output(run: Run, scene: Path, tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    refused(run, ["locked"], tmp_path / "locked" / "out", scene, *METHOD)


def test_interruption_leaves_the_previous_run(
    run: Run, scene: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    assert run("reconstruct", scene, "-o", out, *METHOD).code == 0
    before = contents(out)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("deqsci.cli.run.reconstruct_scene", interrupted)
    for folder in (out, tmp_path / "new"):
        done = run("reconstruct", scene, "-o", folder, *METHOD)
        assert done.code == 130
        assert done.err.count("\n") == 1
    assert contents(out) == before
    assert not (tmp_path / "new").exists()


def test_a_method_made_for_eight_frames_says_so(run: Run, scene: Path, tmp_path: Path) -> None:
    weights = {k: v.contiguous() for k, v in new_map("u-net").network.state_dict().items()}
    safetensors.torch.save_file(weights, tmp_path / "a.safetensors")
    given = ["--method", "u-net", "--weights", tmp_path / "a.safetensors"]
    done = run("reconstruct", scene, "-o", tmp_path / "out", *given)
    assert done.code == 2
    assert "this method is trained for 8" in done.err
    assert not (tmp_path / "out").exists()
