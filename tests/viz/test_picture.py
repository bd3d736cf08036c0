"""Pictures from tensors: of a reconstruction, and of a convergence report."""

from __future__ import annotations

from pathlib import Path

import imageio.v3 as iio
import pytest
import torch
from torch import Tensor, nn

from deqsci.errors import OutputError, ShapeError
from deqsci.fixed_point import Anderson, JacobianFree
from deqsci.io.scene import Scene
from deqsci.physics import SnapshotPhysics
from deqsci.physics.masks import bernoulli_masks
from deqsci.reconstruction.convergence import convergence_report
from deqsci.reconstruction.equilibrium import DeepEquilibrium
from deqsci.reconstruction.maps import GapMap
from deqsci.reconstruction.total_variation import GapTV
from deqsci.viz.convergence import convergence_figure
from deqsci.viz.picture import save_picture


class Shrink(nn.Module):
    def forward(self, x: Tensor, sigma: Tensor | float | None = None) -> Tensor:
        return 0.9 * x


@pytest.fixture
def scene() -> Scene:
    generator = torch.Generator().manual_seed(0)
    truth = torch.rand(2, 3, 16, 16, generator=generator)
    physics = SnapshotPhysics(bernoulli_masks(3, 16, 16, generator=generator))
    return Scene(physics.A(truth), physics, truth, "noise")


@pytest.mark.parametrize("truth", [True, False])
@pytest.mark.parametrize("name", ["page.png", "page.pdf", "moving.gif", "video.mp4", "V.MP4"])
def test_the_suffix_chooses_the_picture(
    name: str, truth: bool, scene: Scene, tmp_path: Path
) -> None:
    if not truth:
        scene = Scene(scene.snapshot, scene.physics)
    result = GapTV(iterations=2).reconstruct(scene.snapshot, scene.physics)
    save_picture(str(tmp_path / name), scene, result)
    assert [file.name for file in tmp_path.iterdir()] == [name]
    if name.lower().endswith((".gif", ".mp4")):
        assert len(iio.imread(tmp_path / name)) == 6  # all frames of both snapshots


def test_a_result_of_another_scene_is_refused(scene: Scene, tmp_path: Path) -> None:
    result = GapTV(iterations=1).reconstruct(scene.snapshot, scene.physics)
    with pytest.raises(ShapeError, match=r"\(1, 3, 16, 16\), that of the scene"):
        save_picture(tmp_path / "page.png", scene[0], result)


def test_another_suffix_is_refused(scene: Scene, tmp_path: Path) -> None:
    result = GapTV(iterations=1).reconstruct(scene.snapshot, scene.physics)
    with pytest.raises(OutputError, match=r"page\.xyz .* \.png"):
        save_picture(tmp_path / "page.xyz", scene, result)


def test_the_picture_of_a_report_is_one_column_wide(scene: Scene, tmp_path: Path) -> None:
    model = DeepEquilibrium(GapMap(Shrink()), Anderson(1e-5, 50), JacobianFree())
    report = convergence_report(model, scene.snapshot, scene.physics, plain=5, products=2)
    convergence_figure(tmp_path / "report.png", report)
    with pytest.raises(OutputError, match=r"report\.xyz .* \.svg"):
        convergence_figure(tmp_path / "report.xyz", report)
    page = iio.imread(tmp_path / "report.png")
    assert page.shape[1] == 1050  # 3.5 inches at 300 dots an inch
    assert page.std() > 10
