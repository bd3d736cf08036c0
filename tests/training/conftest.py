"""A configuration on synthetic clips, small enough for seconds."""

from __future__ import annotations

from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
import torch
import yaml


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Sums in another order would part two runs that should be the same."""
    torch.set_num_threads(1)


@pytest.fixture
def config_file(tmp_path: Path) -> Path:
    """Two stages on textures that drift, stored losslessly as image sequences."""
    rng = np.random.default_rng(0)
    for name in ("train", "validation"):
        for k in range(4):
            folder = tmp_path / name / f"clip{k}"
            folder.mkdir(parents=True)
            image = np.kron(rng.random((6, 6)), np.ones((6, 6)))
            for t in range(3):
                moved = np.roll(image, t, axis=1)
                iio.imwrite(folder / f"{t}.png", (moved * 255).astype(np.uint8))
    stage = {"batch": 2, "size": 16, "rate": 1e-3, "frames": 2}
    settings = {
        "model": "de-gap-cnn",
        "data": {"clips": [str(tmp_path / "train")], "validation": [str(tmp_path / "validation")]},
        "device": "cpu",
        "threads": 1,
        "validation": {"every": 3, "clips": 2, "size": 24},
        "checkpoint_every": 2,
        "average": 0.5,
        "noise": [0.0, 0.01],
        "stages": [
            {"kind": "denoise", "steps": 4, **stage},
            {
                "kind": "equilibrium",
                "steps": 5,
                **stage,
                "adjoint": {"name": "implicit"},
                "solver": {"name": "anderson", "tol": 1e-2, "max_iter": 8},
                "start_noise": 0.1,
                "reuse": 2,
                "correction": {"states": 2},
                "jacobian": 0.1,
                "stability": {"weight": 1.0},
            },
        ],
    }
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(settings))
    return path
