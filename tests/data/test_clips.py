"""Training crops come from where they should, each frame as likely as any other."""

from __future__ import annotations

from pathlib import Path

import av
import imageio.v3 as iio
import numpy as np
import pytest
import torch

from deqsci.data.clips import Crops, load_clips
from deqsci.errors import InputFileError


def test_videos_and_stills_of_a_tree(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    iio.imwrite(tmp_path / "b.png", np.full((20, 30), 77, np.uint8))
    with av.open(str(tmp_path / "deep" / "a.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 32, 16, "yuv420p"
        for level in (40, 120, 200):
            frame = av.VideoFrame.from_ndarray(np.full((16, 32), level, np.uint8), format="gray")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    still, video = load_clips([tmp_path])
    assert still.shape == (1, 20, 30)
    assert still.unique().tolist() == [77]
    assert video.shape == (3, 16, 32)
    levels = video.float().mean((1, 2))
    assert (levels - torch.tensor([40.0, 120.0, 200.0])).abs().max() < 3


def test_crops_are_pieces_of_the_clip() -> None:
    clip = torch.arange(4 * 12 * 12, dtype=torch.int64).remainder(251).to(torch.uint8)
    clip = clip.view(4, 12, 12)
    values = {
        tuple(sorted(clip[t, i : i + 2, j : j + 2].flatten().tolist()))
        for t in range(4)
        for i in range(11)
        for j in range(11)
    }
    crops = Crops([clip], frames=1, size=2).sample(50, torch.Generator().manual_seed(0))
    assert crops.shape == (50, 1, 2, 2)
    for crop in crops:
        assert tuple(sorted((crop * 255).round().int().flatten().tolist())) in values


def test_clips_are_drawn_by_their_frames() -> None:
    short, long = torch.zeros(2, 8, 8, dtype=torch.uint8), torch.full((8, 8, 8), 255).byte()
    crops = Crops([short, long], frames=2, size=4).sample(400, torch.Generator().manual_seed(0))
    assert crops.mean().item() == pytest.approx(0.8, abs=0.06)


def test_same_seed_same_crops() -> None:
    clip = torch.randint(0, 255, (9, 20, 20)).to(torch.uint8)
    first, second = (
        Crops([clip], 3, 8).sample(4, torch.Generator().manual_seed(5)) for _ in range(2)
    )
    assert torch.equal(first, second)


def test_what_cannot_serve(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="no videos"):
        load_clips([tmp_path])
    with pytest.raises(InputFileError, match="not a folder"):
        load_clips([tmp_path / "missing"])
    with pytest.raises(InputFileError, match="9 frames"):
        Crops([torch.zeros(8, 20, 20, dtype=torch.uint8)], frames=9, size=8)
