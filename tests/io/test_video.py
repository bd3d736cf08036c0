"""Luma in, luma out: ranges, colour, depth, orientation, odd sizes."""

from __future__ import annotations

from pathlib import Path

import av
import imageio.v3 as iio
import numpy as np
import pytest

from deqsci.errors import InputFileError, OutputError, ShapeError, ValueRangeError
from deqsci.io import read_video, write_gif, write_mp4


def ramp(frames: int = 4, height: int = 32, width: int = 48) -> np.ndarray:
    """A smooth video that uses all of 0…1."""
    t, y, x = np.meshgrid(*(np.linspace(0, 1, n) for n in (frames, height, width)), indexing="ij")
    return ((t + y + 2 * x) / 4).astype(np.float32)


def encode(path: Path, planes: list[np.ndarray], pix_fmt: str, **tags: int) -> Path:
    """Losslessly store frames as they are, with the given colour tags."""
    with av.open(str(path), "w") as file:
        stream = file.add_stream("ffv1", rate=25)
        stream.pix_fmt = pix_fmt
        first = av.VideoFrame.from_ndarray(planes[0], format=pix_fmt)
        stream.width, stream.height = first.width, first.height
        for name, value in tags.items():
            setattr(stream.codec_context, name, value)
        for plane in planes:
            frame = av.VideoFrame.from_ndarray(plane, format=pix_fmt)
            for name, value in tags.items():
                setattr(frame, name, value)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("size", [(32, 48), (33, 47), (1, 1), (17, 64)])
def test_an_mp4_of_any_size_comes_back(size: tuple[int, int], tmp_path: Path) -> None:
    video = ramp(5, *size)
    write_mp4(tmp_path / "a.mp4", video, fps=25)
    back = read_video(tmp_path / "a.mp4")
    assert back.shape[0] == 5
    assert back.shape[1:] == (size[0] + size[0] % 2, size[1] + size[1] % 2)
    np.testing.assert_allclose(back[:, : size[0], : size[1]], video, atol=0.03)


def test_black_and_white_stay_black_and_white(tmp_path: Path) -> None:
    video = np.zeros((2, 16, 32), np.float32)
    video[:, :, 16:] = 1
    write_mp4(tmp_path / "a.mp4", video, fps=10)
    back = read_video(tmp_path / "a.mp4")
    np.testing.assert_allclose(back[:, :, :12], 0, atol=0.01)
    np.testing.assert_allclose(back[:, :, 20:], 1, atol=0.01)


def test_an_mp4_is_what_players_show(tmp_path: Path) -> None:
    write_mp4(tmp_path / "a.mp4", ramp(), fps=12.5)
    with av.open(str(tmp_path / "a.mp4")) as file:
        stream = file.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert stream.average_rate == 12.5


@pytest.mark.parametrize(
    ("color_range", "stored", "intensity"),
    [(2, 0, 0.0), (2, 128, 128 / 255), (2, 255, 1.0), (1, 16, 0.0), (1, 235, 1.0), (0, 16, 0.0)],
)
def test_limited_and_full_range_both_span_0_to_1(
    color_range: int, stored: int, intensity: float, tmp_path: Path
) -> None:
    planes = np.full((24, 16), 128, np.uint8)
    planes[:16] = stored
    path = encode(tmp_path / "a.mkv", [planes], "yuv420p", color_range=color_range)
    np.testing.assert_allclose(read_video(path), intensity, atol=1e-4)


def test_colour_becomes_bt601_luma(tmp_path: Path) -> None:
    rgb = np.zeros((16, 16, 3), np.uint8)
    rgb[:] = 250, 120, 10
    bgra = np.dstack([rgb[..., ::-1], np.full((16, 16), 255, np.uint8)])
    path = encode(tmp_path / "a.mkv", [bgra], "bgra")
    luma = (0.299 * 250 + 0.587 * 120 + 0.114 * 10) / 255
    np.testing.assert_allclose(read_video(path), luma, atol=2e-3)


def test_sixteen_bits_are_kept(tmp_path: Path) -> None:
    gray = np.arange(16 * 16, dtype=np.uint16).reshape(16, 16) * 257 // 3
    path = encode(tmp_path / "a.mkv", [gray], "gray16le")
    np.testing.assert_allclose(read_video(path)[0], gray / 65535, atol=1e-6)


def test_a_turned_video_is_turned_upright(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    write_mp4(path, ramp(2, 32, 48), fps=10)
    flat = read_video(path)
    content = bytearray(path.read_bytes())
    # The 3×3 matrix of the track header: 40 bytes into the box of version 0.
    matrix = content.index(b"tkhd") + 4 + 40
    quarter = [0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000]  # clockwise, as phones write it
    content[matrix : matrix + 36] = b"".join(n.to_bytes(4, "big", signed=True) for n in quarter)
    path.write_bytes(content)
    np.testing.assert_array_equal(read_video(path), np.rot90(flat, -1, axes=(1, 2)))


def test_start_and_max_frames_cut_the_video(tmp_path: Path) -> None:
    write_mp4(tmp_path / "a.mp4", ramp(6), fps=10)
    whole = read_video(tmp_path / "a.mp4")
    part = read_video(tmp_path / "a.mp4", start=2, max_frames=3)
    np.testing.assert_array_equal(part, whole[2:5])
    with pytest.raises(InputFileError, match="has no frame 6"):
        read_video(tmp_path / "a.mp4", start=6)
    with pytest.raises(ValueRangeError, match="wanted start ≥ 0"):
        read_video(tmp_path / "a.mp4", start=-1)


@pytest.mark.parametrize("colour", [False, True])
def test_frames_are_cut_one_by_one(colour: bool, tmp_path: Path) -> None:
    write_mp4(tmp_path / "a.mp4", ramp(6), fps=10)
    (tmp_path / "images").mkdir()
    for index, image in enumerate(ramp(6)):
        iio.imwrite(tmp_path / f"images/{index}.png", np.rint(255 * image).astype(np.uint8))
    for path in (tmp_path / "a.mp4", tmp_path / "images"):
        seen = []

        def upper_left(frame: np.ndarray, seen: list[tuple[int, ...]] = seen) -> np.ndarray:
            seen.append(frame.shape)
            return frame[:9, :11]

        part = read_video(path, start=1, max_frames=4, colour=colour, each=upper_left)
        assert seen == 4 * [(32, 48, 3) if colour else (32, 48)]
        np.testing.assert_array_equal(part, read_video(path, colour=colour)[1:5, :9, :11])


def test_a_gif_holds_the_very_grays(tmp_path: Path) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (3, 9, 11), dtype=np.uint8)
    write_gif(tmp_path / "a.gif", frames, fps=10)
    back = iio.imread(tmp_path / "a.gif", index=..., mode="L")
    np.testing.assert_array_equal(back, frames)
    assert iio.immeta(tmp_path / "a.gif")["duration"] == 100


def test_a_folder_of_images_is_a_video(tmp_path: Path) -> None:
    gray = np.random.default_rng(0).integers(0, 256, (3, 8, 9), dtype=np.uint8)
    iio.imwrite(tmp_path / "f2.png", gray[0])
    iio.imwrite(tmp_path / "f10.png", np.repeat(gray[1][..., None], 3, axis=2))
    iio.imwrite(tmp_path / "f11.png", gray[2].astype(np.uint16) * 257)
    (tmp_path / "readme.txt").write_text("not an image")
    (tmp_path / "._f2.png").write_bytes(b"\0\5\x16\7")  # macOS leaves such beside a file
    np.testing.assert_allclose(read_video(tmp_path), gray / 255, atol=1e-6)
    np.testing.assert_allclose(
        read_video(tmp_path, start=1, max_frames=1), gray[1:2] / 255, atol=1e-6
    )


def test_inputs_that_are_no_video_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"no video at all")
    (tmp_path / "empty").mkdir()
    (tmp_path / "mixed").mkdir()
    iio.imwrite(tmp_path / "mixed/1.png", np.zeros((4, 4), np.uint8))
    iio.imwrite(tmp_path / "mixed/2.png", np.zeros((4, 5), np.uint8))
    for name, sentence in (
        ("a.mp4", "cannot be decoded"),
        ("none.mp4", "does not exist"),
        ("empty", "holds no images"),
        ("mixed", "frames of sizes 4×4, 4×5"),
    ):
        with pytest.raises(InputFileError, match=sentence):
            read_video(tmp_path / name)
        with pytest.raises(InputFileError, match=sentence):  # a crop does not hide it
            read_video(tmp_path / name, each=lambda frame: frame[:4, :4])


def test_bad_frames_and_rates_leave_nothing_behind(tmp_path: Path) -> None:
    for write, name in ((write_mp4, "a.mp4"), (write_gif, "a.gif")):
        for video, fps, error in (
            (np.zeros((0, 4, 4), np.float32), 10, ShapeError),
            (np.zeros((4, 4), np.float32), 10, ShapeError),
            (ramp(), 0, ValueRangeError),
        ):
            with pytest.raises(error):
                write(tmp_path / name, video, fps)
    assert list(tmp_path.iterdir()) == []


def test_an_unwritable_place_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        write_gif(tmp_path / "file" / "a.gif", ramp(), 10)
    with pytest.raises(OutputError, match="is a folder"):
        write_gif(tmp_path, ramp(), 10)


def test_clips_give_their_stored_luma(shared: Path) -> None:
    path = shared / "data/val/davis_bus.mp4"
    with av.open(str(path)) as file:
        plane = next(file.decode(video=0)).planes[0]
        stored = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
    np.testing.assert_allclose(
        read_video(path, max_frames=1)[0], stored[:, : plane.width] / 255, atol=1e-6
    )
