"""Draw every picture of README and site that is not part of the claims: ``make pictures``.

python -m benchmarks.pictures
"""

from __future__ import annotations

import contextlib
import runpy
import shutil
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.pictures.convergence import draw_convergence
from benchmarks.pictures.quality_time import draw_quality_time
from deqsci.cli.app import main
from deqsci.io.scene import load_scene

IMAGES = Path("docs/images")
DEMO = Path("out/demo")
RESULTS = Path("docs/results.json")
"""What `make table` wrote on the scenes of README, copied here."""
WIDTH = 1400
"""Pixels of the page, as wide as a screen shows it."""
GRAYS = 48
"""Grays of the moving picture: half the size, and no step is seen."""


def shrink_page(source: Path, target: Path) -> None:
    """The page of a run at the width of a screen, in a palette."""
    with Image.open(source) as page:
        size = WIDTH, round(page.height * WIDTH / page.width)
        small = page.convert("RGB").resize(size, Image.Resampling.LANCZOS)
    small.quantize(256).save(target, optimize=True)


def first_frames(source: Path, target: Path, count: int) -> None:
    """The first ``count`` frames of a moving preview, in fewer grays."""
    with Image.open(source) as moving:
        duration = moving.info["duration"]
        frames = []
        for index in range(count):
            moving.seek(index)
            gray = np.asarray(moving.convert("L"), np.float32)
            steps = np.rint(gray / 255 * (GRAYS - 1)) / (GRAYS - 1) * 255
            frames.append(Image.fromarray(steps.astype(np.uint8)))
    first, *rest = frames
    first.save(target, save_all=True, append_images=rest, duration=duration, loop=0, optimize=True)


if __name__ == "__main__":
    if main(["demo", "--output", str(DEMO)]):
        raise SystemExit("the demo failed")
    scene = load_scene(DEMO / "snapshot.npz")
    shrink_page(DEMO / "figure.png", IMAGES / "demo.png")
    first_frames(DEMO / "preview.gif", IMAGES / "demo.gif", scene.physics.frames)
    draw_convergence(scene[0], IMAGES / "convergence.png")
    example = Path("examples/equilibrium_own_denoiser.py").absolute()
    with tempfile.TemporaryDirectory() as folder:
        with contextlib.chdir(folder):
            runpy.run_path(str(example), run_name="__main__")
        shutil.copy(Path(folder) / "smooth.png", IMAGES / "own-denoiser.png")
    draw_quality_time(RESULTS, IMAGES / "quality-time.png")
