"""A reconstruction as a picture to look at, from the tensors that Python code has at hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from deqsci.errors import ShapeError
from deqsci.io import write_gif, write_mp4
from deqsci.io.scene import Scene
from deqsci.reconstruction.result import Reconstruction
from deqsci.viz.figure import reconstruction_figure
from deqsci.viz.preview import preview_frames
from deqsci.viz.suffix import PAGES, check_suffix

FRAME_RATE = 8.0
"""Frames per second: slow enough to see each frame of a snapshot."""

SUFFIXES = (".gif", ".mp4", *PAGES)


def save_picture(path: Path | str, scene: Scene, result: Reconstruction) -> None:
    """Write what the suffix of ``path`` says.

    ``.gif`` plays snapshot, reconstruction and truth side by side, ``.mp4`` the reconstruction;
    ``.png``, ``.pdf`` or ``.svg`` is a page of the first snapshot with its frames, their errors
    and the course of the solve.

    Raises
    ------
    ShapeError : ``result`` is not of ``scene``.
    OutputError : another suffix, or ``path`` cannot be written.
    """
    path = Path(path)
    suffix = check_suffix(path, SUFFIXES)
    wanted = (len(scene), scene.physics.frames, *scene.physics.shape)
    if tuple(result.video.shape[:4]) != wanted:
        raise ShapeError(
            f"the video has shape {tuple(result.video.shape)}; wanted {wanted}, that of the scene"
        )
    video = _frames(result.video.clamp(0, 1))
    truth = None if scene.truth is None else _frames(scene.truth)
    if suffix == ".mp4":
        write_mp4(path, video, FRAME_RATE)
    elif suffix == ".gif":
        write_gif(path, preview_frames(_array(scene.snapshot), video, truth), FRAME_RATE)
    else:
        frames = scene.physics.frames
        trace = result.residuals[0].double().cpu().numpy()
        count = f", snapshot 1 of {len(scene)}" if len(scene) > 1 else ""
        reconstruction_figure(
            path,
            _array(scene.snapshot[0]),
            video[:frames],
            None if truth is None else truth[:frames],
            masks=_array(scene.physics.masks),
            residuals=trace if np.isfinite(trace).any() else None,
            title=f"{scene.name or 'Reconstruction'}{count}",
        )


def _frames(video: Tensor) -> NDArray[np.float32]:
    """(N, T, …) → (N·T, …)."""
    return _array(video.flatten(0, 1))


def _array(tensor: Tensor) -> NDArray[np.float32]:
    array: NDArray[np.float32] = tensor.detach().float().cpu().numpy()
    return array
