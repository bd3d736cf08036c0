"""What is found in folders, in which order, and what is refused."""

from __future__ import annotations

import sys
from pathlib import Path

import av
import imageio.v3 as iio
import numpy as np
import pytest
import torch

from deqsci.data.clips import load_clips, load_stills
from deqsci.errors import InputFileError


def write_image(path: Path, level: int, size: tuple[int, int] = (8, 12)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    iio.imwrite(path, np.full(size, level, np.uint8))


def write_video(path: Path, levels: tuple[int, ...]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 32, 16, "yuv420p"
        for level in levels:
            frame = av.VideoFrame.from_ndarray(np.full((16, 32), level, np.uint8), format="gray")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def levels_of(clip: torch.Tensor) -> list[int]:
    """The level of each frame of a clip whose frames are even."""
    assert clip.dtype == torch.uint8
    assert bool((clip == clip[:, :1, :1]).all())
    return clip[:, 0, 0].tolist()


@pytest.mark.parametrize("decoder", ["av", "cv2"])
def test_videos_are_decoded(tmp_path: Path, decoder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip(decoder)
    write_video(tmp_path / "deep" / "a.mp4", (40, 120, 200))
    if decoder == "cv2":
        monkeypatch.setitem(sys.modules, "av", None)
    (video,) = load_clips([tmp_path])
    assert video.shape == (3, 16, 32)
    assert video.float().mean((1, 2)).tolist() == pytest.approx([40, 120, 200], abs=3)


def test_images_of_a_folder_are_a_clip_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for number in (10, 2, 1):
        write_image(tmp_path / "walk" / f"frame{number}.png", number)
    assert [levels_of(clip) for clip in load_clips([tmp_path])] == [[1, 2, 10]]


def test_clips_come_in_natural_order_and_lone_images_are_left_out(tmp_path: Path) -> None:
    for name, level in (("scene10", 100), ("scene9", 90)):
        write_image(tmp_path / name / "0.png", level)
        write_image(tmp_path / name / "1.png", level)
    write_image(tmp_path / "lone.png", 1)
    write_image(tmp_path / "scene9" / ".2.png", 2)  # hidden, as some file managers leave them
    assert [levels_of(clip) for clip in load_clips([tmp_path])] == [[90, 90], [100, 100]]


def test_davis_without_its_annotations(tmp_path: Path) -> None:
    for frame in range(3):
        for kind, level in (("JPEGImages", 50), ("Annotations", 200)):
            suffix = "jpg" if kind == "JPEGImages" else "png"
            write_image(tmp_path / kind / "480p" / "bear" / f"{frame:05}.{suffix}", level)
    assert [levels_of(clip) for clip in load_clips([tmp_path])] == [[50] * 3]
    assert len(load_stills([tmp_path])) == 3
    # Elsewhere the name means nothing.
    assert len(load_clips([tmp_path / "Annotations"])) == 1


def test_stills_are_clips_of_one_frame_of_any_size(tmp_path: Path) -> None:
    write_image(tmp_path / "b10.png", 10, size=(4, 6))
    write_image(tmp_path / "b9.bmp", 9, size=(6, 4))
    stills = load_stills([tmp_path])
    assert [tuple(still.shape) for still in stills] == [(1, 6, 4), (1, 4, 6)]
    assert [levels_of(still) for still in stills] == [[9], [10]]


def test_colour_becomes_luma_and_sixteen_bits_eight(tmp_path: Path) -> None:
    iio.imwrite(tmp_path / "1.png", np.full((4, 4, 3), (255, 0, 0), np.uint8))
    iio.imwrite(tmp_path / "2.png", np.full((4, 4), 65535, np.uint16))
    iio.imwrite(tmp_path / "3.png", np.full((4, 4), 100 * 257 + 128, np.uint16))
    assert [levels_of(still) for still in load_stills([tmp_path])] == [[76], [255], [100]]


def test_no_folders_hold_nothing() -> None:
    assert load_clips([]) == load_stills([]) == []


def test_what_is_refused(tmp_path: Path) -> None:
    for load, sentence in ((load_clips, "no videos"), (load_stills, "no images")):
        with pytest.raises(InputFileError, match=sentence):
            load([tmp_path])
        with pytest.raises(InputFileError, match="not a folder"):
            load([tmp_path / "missing"])


def test_a_sequence_of_several_sizes_is_refused(tmp_path: Path) -> None:
    write_image(tmp_path / "1.png", 0)
    write_image(tmp_path / "2.png", 0, size=(8, 13))
    with pytest.raises(InputFileError, match=r"2\.png has 8×13 pixels and 1\.png 8×12"):
        load_clips([tmp_path])


@pytest.mark.parametrize("name", ["cut.png", "cut.jpg", "cut.mp4"])
def test_a_damaged_file_is_named(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if path.suffix == ".mp4":
        write_video(path, (1, 2))
    else:
        write_image(path, 3, size=(200, 200))
        write_image(tmp_path / "whole.png", 3, size=(200, 200))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputFileError, match=rf"{name} cannot be decoded"):
        load_clips([tmp_path])


def test_images_without_a_known_full_scale_are_refused(tmp_path: Path) -> None:
    iio.imwrite(tmp_path / "depth.tif", np.ones((4, 4), np.float32))
    with pytest.raises(InputFileError, match=r"depth\.tif has pixels of 32 bits"):
        load_stills([tmp_path])
