"""Every claim's command on a tiny scene, and the page made from what they wrote."""

from __future__ import annotations

import json
import platform
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks.claims import (
    certificates,
    curves,
    gradients,
    iterations,
    memory,
    page,
    published,
    starts,
    step_memory,
    twins,
)
from benchmarks.claims.problem import from_clip, simulated, smooth_video
from deqsci.fixed_point import Anderson, Implicit, Unrolled
from deqsci.io import save_snapshots, write_mp4
from deqsci.physics import SnapshotPhysics
from deqsci.physics.masks import bernoulli_masks
from deqsci.reconstruction.zoo import shipped_weights
from tests.cli.support import moving_video

METHOD = "de-gap-cnn"
CPU = ["--device", "cpu"]
RULES = ("implicit", "Jacobian-free (phantom, 1 step)", "unrolled, 20 steps")
RECORD = {"stage": 1, "seconds": 9.0, "train": {"psnr": 20.0}}


@pytest.fixture(scope="module")
def docs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the results of every claim, and the page."""
    folder = tmp_path_factory.mktemp("docs")
    scene = str(write_scene(folder / "scene.npz"))
    weights = str(shipped_weights(METHOD))
    (folder / "clips").mkdir()
    write_mp4(folder / "clips" / "clip.mp4", moving_video(twins.FRAMES)[:, :16, :16], fps=10)
    (folder / "run").mkdir()
    log = [RECORD | {"step": k, "validation": {"score": 20.0 + k}} for k in (1, 2)]
    (folder / "run" / "log.jsonl").write_text("\n".join(map(json.dumps, log)))

    def output(claim: str) -> list[str]:
        return ["-o", str(folder / "claims" / f"{claim}.json")]

    def measured(claim: str) -> list[str]:
        return [scene, *output(claim), *CPU, "--methods", METHOD]

    iterations.main([*measured("iterations"), "--evaluations", "60"])
    starts.main([*measured("starts"), "--tol", "1e-3", "--max-iter", "40"])
    middle = ["--crop", "16", "--products", "10", "--plain", "5"]
    certificates.main([*measured("certificates"), *middle])
    with pytest.MonkeyPatch.context() as patch:  # a process for each takes seconds
        patch.setattr(memory, "peak_memory", linear_memory)
        patch.setattr(gradients, "peak_memory", linear_memory)
        memory.main([*output("memory"), *CPU, "--methods", METHOD, "--evaluations", "2", "20"])
        patch.setattr(gradients, "RULES", {name: gradients.RULES[name] for name in RULES})
        patch.setattr(gradients, "REFERENCE_FORWARD", Anderson(tol=1e-6, max_iter=150))
        patch.setattr(gradients, "REFERENCE_ADJOINT", Implicit(Anderson(tol=1e-6, max_iter=150)))
        small = ["--size", "16", "--crops", "1", "--repeats", "1"]
        gradients.main([*measured("gradients"), *small])
    curves.main(["exact=" + str(folder / "run"), *output("curves")])
    others = ["--plug-and-play", weights, "--unrolled", weights, "--steps", "3"]
    clips = ["--validation", str(folder / "clips")]
    twins.main([scene, *output("twins-de-gap-cnn"), *CPU, *others, *clips])
    published.main([scene, *output("published"), *CPU, "--cnn", weights])
    page.main(["--docs", str(folder)])
    return folder


def write_scene(path: Path) -> Path:
    """Two snapshots of four frames of 24×24."""
    video = smooth_video(8, 24)
    masks = bernoulli_masks(4, 24, 24, generator=torch.Generator().manual_seed(1))
    snapshots = SnapshotPhysics(masks).A(video.view(2, 4, 24, 24))
    save_snapshots(path, snapshots.numpy(), masks.numpy(), video.numpy())
    return path


def linear_memory(step: step_memory.Step) -> dict[str, float]:
    """What memory should do."""
    return {"megabytes": 1 + 10.0 * getattr(step.adjoint, "steps", 0)}


def results(docs: Path, claim: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((docs / "claims" / f"{claim}.json").read_text())
    return document


def test_the_page_tells_of_every_claim(docs: Path) -> None:
    text = (docs / "claims.md").read_text()
    assert "Not measured yet" not in text
    for reporter in page.REPORTERS.values():
        assert f"## {reporter.TITLE}" in text
    for picture in (docs / "images" / "claims").glob("*.png"):
        assert f"images/claims/{picture.name}" in text
    assert "$" not in text, "a figure of the theory was not filled in"


def test_a_verdict_follows_the_figures(docs: Path, tmp_path: Path) -> None:
    document = results(docs, "iterations")
    document["cells"][0] |= {"converged": True, "largest_fall": 0.3}
    (tmp_path / "claims").mkdir()
    (tmp_path / "claims" / "iterations.json").write_text(json.dumps(document))
    page.main(["--docs", str(tmp_path)])
    text = (tmp_path / "claims.md").read_text()
    assert "**Does not hold**: `de-gap-cnn` falls by 0.300 dB at most (Scene" in text
    assert "Not measured yet: `python -m benchmarks.claims.memory`" in text


def test_a_page_can_be_made_before_all_is_measured(docs: Path, tmp_path: Path) -> None:
    (tmp_path / "claims").mkdir()
    for file in (docs / "claims").glob("*.json"):
        document = json.loads(file.read_text())
        if "cells" in document:
            document["cells"] = document["cells"][:1]
        (tmp_path / "claims" / file.name).write_text(json.dumps(document))
    page.main(["--docs", str(tmp_path)])
    assert "Not measured yet" not in (tmp_path / "claims.md").read_text()


@pytest.mark.parametrize("claim", ["memory", "iterations", "starts", "certificates", "gradients"])
def test_results_say_how_they_came_about(claim: str, docs: Path) -> None:
    document = results(docs, claim)
    assert document["claim"] == claim
    assert document["command"].startswith(f"python -m benchmarks.claims.{claim} ")
    assert document["environment"]["threads"] >= 1
    assert len(document["weights"][METHOD]) == 64
    assert document["cells"]


def test_results_name_no_place_of_this_machine(docs: Path) -> None:
    for file in (docs / "claims").glob("*.json"):
        assert str(docs) not in file.read_text(), file.name
        assert str(shipped_weights(METHOD)) not in file.read_text(), file.name
        assert platform.release() not in file.read_text(), file.name


def test_curves_start_at_the_first_evaluation_and_end_at_the_last(docs: Path) -> None:
    (cell,) = results(docs, "iterations")["cells"]
    curve = cell["curve"]
    assert curve["evaluation"] == list(range(1, 61))
    assert curve["psnr"][-1] == pytest.approx(cell["psnr_last"], abs=1e-4)
    assert cell["psnr_best_after"] >= cell["psnr_solved"]
    assert cell["largest_fall"] >= cell["psnr_best_after"] - cell["psnr_last"] - 1e-9


def test_long_curves_are_thinned() -> None:
    curve = iterations.thinned([30.0] * 1000, [1e-3] * 1000)
    assert curve["evaluation"] == [*range(1, 201), *range(210, 1001, 10)]


def test_ends_of_all_starts_are_compared(docs: Path) -> None:
    (cell,) = results(docs, "starts")["cells"]
    ends = [start["psnr"] for start in cell["starts"]]
    assert len(ends) == 5
    assert cell["psnr_spread"] == pytest.approx(max(ends) - min(ends))
    assert 0 < cell["largest_distance"] < 1


def test_where_a_map_begins_is_a_start_if_it_is_another_one() -> None:
    problem = simulated(smooth_video(2, 8))
    mean = problem.physics.initial(problem.snapshot)
    assert "where the map begins" not in starts.starts(problem, mean)
    *_, last = starts.starts(problem, mean + 0.1).items()
    assert last[0] == "where the map begins"
    torch.testing.assert_close(last[1], mean + 0.1)


def test_gradient_errors_of_a_doubled_gradient() -> None:
    reference = torch.tensor([3.0, -4.0], dtype=torch.float64)
    found = gradients.errors(2 * reference, reference)
    assert found == {"cosine": 1.0, "norm_ratio": 2.0, "relative_error": 1.0}


def test_the_implicit_gradient_is_nearer_than_the_jacobian_free_one(docs: Path) -> None:
    crop = next(cell for cell in results(docs, "gradients")["cells"] if "rules" in cell)
    assert crop["reference_residual"] < 1e-4
    errors = {entry["rule"]: entry["relative_error"] for entry in crop["rules"]}
    assert errors["implicit"] < errors["Jacobian-free (phantom, 1 step)"]


def test_unrolling_more_takes_more_memory() -> None:
    few, many = (
        step_memory.peak_memory(
            step_memory.Step(METHOD, Unrolled(count), Anderson(), 32, torch.device("cpu"))
        )
        for count in (4, 40)
    )
    assert many["megabytes"] > 4 * few["megabytes"] > 0


def test_the_middle_alone_is_used_and_told(docs: Path) -> None:
    assert results(docs, "certificates")["settings"]["crop"] == 16
    assert "The middle 16×16 of each scene's first snapshot" in (docs / "claims.md").read_text()


def test_the_unrolled_twin_runs_the_evaluations_it_was_trained_for(docs: Path) -> None:
    cells = results(docs, "twins-de-gap-cnn")["cells"]
    assert {(c["model"], c["kind"]) for c in cells} == {
        (role, kind) for role in twins.ROLES for kind in ("scenes", "validation clips")
    }
    for cell in (c for c in cells if c["model"] == "unrolled"):
        assert (cell["evaluations"], cell["run_on"]["evaluations"]) == (3, twins.RUN_ON)


def test_a_clip_larger_than_the_crop_is_cut_to_its_centre(tmp_path: Path) -> None:
    video = np.zeros((4, 64 + 20, 64 + 40), dtype=np.float32)
    video[:, 10:-10, 20:-20] = 1
    write_mp4(tmp_path / "clip.mp4", video, fps=10)
    truth = from_clip(tmp_path / "clip.mp4", 4, 64).truth
    assert truth.shape == (1, 4, 64, 64)
    assert truth.mean() > 0.98


def test_a_repeated_step_of_a_log_counts_once(tmp_path: Path) -> None:
    rows = [(0, 10, 1.0), (1, 5, 2.0), (1, 10, 3.0), (1, 10, 4.0)]
    log = [{"stage": s, "step": k, "validation": {"score": v}} for s, k, v in rows]
    (tmp_path / "log.jsonl").write_text("\n".join(map(json.dumps, log)))
    curve = curves.curve(tmp_path / "log.jsonl")
    assert curve["step"] == [10, 15, 20]
    assert curve["validation_score"] == [1.0, 2.0, 4.0]
    assert curve["train_psnr"] == [None] * 3
