"""One page that shows a reconstruction: what was measured, what came out, how wrong it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from deqsci.errors import ShapeError
from deqsci.io.atomic import atomic_path
from deqsci.metrics import channels, psnr, quality
from deqsci.viz.shrink import shrink

Float = NDArray[np.float32]

COLUMNS = 8
"""Most frames side by side."""
WIDEST = 5
"""Fewer frames than this do not grow larger than if there were so many."""
MOST_FRAMES = 16
"""Of a longer snapshot, so many frames evenly spread are shown."""

# Lengths of the page in inches, letters in points.
_WIDTH, _MARGIN, _GAP, _LABEL, _HEADER = 15.0, 0.35, 0.06, 0.30, 0.75
_PANEL, _CAPTION, _BAND = 3.0, 0.24, 0.24
_INK, _SOFT, _ACCENT = "#1a1a1a", "#666666", "#c2410c"
_DPI = 150
_LONGEST = 1024
"""Pixels of an image's longer side: more than its place on the page has."""


@dataclass(frozen=True)
class _Row:
    """One strip of frames: what is written beside it and over each frame, and its gray scale."""

    label: str
    frames: Float
    captions: list[str] | None
    cmap: str
    top: float


class _Page:
    """A figure measured in inches from the upper left corner."""

    def __init__(self, height: float) -> None:
        self.height = height
        self.figure = Figure(figsize=(_WIDTH, height), dpi=_DPI, facecolor="white")

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        bottom = self.height - top - height
        box = (left / _WIDTH, bottom / self.height, width / _WIDTH, height / self.height)
        return self.figure.add_axes(box)

    def text(self, left: float, top: float, text: str, **style: Any) -> None:
        self.figure.text(
            left / _WIDTH, 1 - top / self.height, text, parse_math=False, **{"va": "top"} | style
        )

    def image(
        self, box: tuple[float, float, float, float], image: Float, top: float, cmap: str = "gray"
    ) -> None:
        axes = self.axes(*box)
        axes.imshow(image, cmap=cmap, vmin=0, vmax=top, aspect="auto", interpolation="antialiased")
        axes.set_axis_off()


def reconstruction_figure(
    path: Path,
    snapshot: Float,
    video: Float,
    truth: Float | None = None,
    *,
    masks: Float | None = None,
    residuals: NDArray[Any] | None = None,
    tolerance: float | None = None,
    title: str = "",
) -> None:
    """Draw one snapshot and its frames on a page; the suffix of ``path`` chooses the format.

    Parameters
    ----------
    path : written whole or not at all, .png as a rule.
    snapshot : (H, W), sum of frame intensities.
    video : (T, H, W), or in colour (T, H, W, 3), the reconstruction.
    truth : of the shape of ``video``; with it come error maps and the PSNR of each frame.
    masks : (T, H, W); the first is shown.
    residuals : (n,), relative residual of each iteration; NaN is left out.
    tolerance : drawn into the residuals as the line to reach.
    title : such as ``traffic, snapshot 1 of 6, de-gap-cnn``.

    Raises
    ------
    ShapeError : sizes that do not belong together.
    OutputError : ``path`` cannot be written.
    """
    _check(snapshot, video, truth, masks)
    shown = frames_to_show(len(video))
    rows = _rows(video, truth, shown)
    columns = min(COLUMNS, len(shown))
    blocks = -(-len(shown) // columns)

    ratio = snapshot.shape[0] / snapshot.shape[1]
    places = max(columns, WIDEST)
    tile = (_WIDTH - 2 * _MARGIN - _LABEL - (places - 1) * _GAP) / places
    captioned = sum(row.captions is not None for row in rows)
    block = _CAPTION + len(rows) * (tile * ratio + _GAP) + captioned * _BAND
    wide = min(_PANEL / ratio**0.5, 4.4)  # panels of every shape have about the same area
    panel = wide, wide * ratio
    first = _HEADER + _CAPTION + panel[1] + 0.25

    page = _Page(first + blocks * (block + 0.1) + _MARGIN)
    page.text(_MARGIN, _MARGIN, title or "Reconstruction", size=17, weight="bold", color=_INK)
    page.text(
        _WIDTH - _MARGIN, _MARGIN + 0.04, _verdict(video, truth), size=14, ha="right",
        color=_SOFT if truth is None else _ACCENT,
    )  # fmt: skip
    _measured(page, panel, snapshot, len(video), masks)
    if residuals is not None:
        _solve(page, panel, 1 if masks is None else 2, np.asarray(residuals, float), tolerance)
    for index in range(blocks):
        part = slice(index * columns, (index + 1) * columns)
        _strips(page, first + index * (block + 0.1), tile, tile * ratio, rows, shown, part)
    with atomic_path(path) as temporary:
        page.figure.savefig(temporary)


def frames_to_show(count: int) -> list[int]:
    """Indices of all frames, or of MOST_FRAMES evenly spread ones, first and last included."""
    return [int(i) for i in np.linspace(0, count - 1, min(count, MOST_FRAMES)).round()]


def absolute_error(frame: Float, truth: Float) -> Float:
    """|frame − truth|, in colour the mean over the channels. Shape: → (H, W)."""
    error: Float = np.abs(frame - truth)
    return error.mean(-1) if error.ndim == 3 else error


def error_top(error: Float) -> float:
    """The end of an error scale: a round number that all but a few pixels stay under."""
    return max(0.05, float(np.ceil(np.percentile(error, 99.5) * 20) / 20))


def snapshot_white(snapshots: Float) -> float:
    """The level shown as white: the brightest specks may saturate for the rest to be seen."""
    return max(float(np.percentile(snapshots, 99.8)), 1e-6)


def _check(snapshot: Float, video: Float, truth: Float | None, masks: Float | None) -> None:
    fits = video.ndim in (3, 4) and len(video) > 0 and snapshot.shape == video.shape[1:3]
    fits = fits and (truth is None or truth.shape == video.shape)
    fits = fits and (masks is None or masks.shape == video.shape[:3])
    if not fits:
        found = [
            f"{name} {stack.shape}"
            for name, stack in (
                ("snapshot", snapshot),
                ("video", video),
                ("truth", truth),
                ("masks", masks),
            )
            if stack is not None
        ]
        raise ShapeError(f"{', '.join(found)}; wanted (H, W) and (T, H, W) of equal sizes")


def _rows(video: Float, truth: Float | None, shown: list[int]) -> list[_Row]:
    frames = _small(np.clip(video[i], 0, 1) for i in shown)
    if truth is None:
        return [_Row("reconstruction", frames, None, "gray", 1.0)]
    error = _small(absolute_error(np.clip(video[i], 0, 1), truth[i]) for i in shown)
    top = error_top(error)
    pairs = ((channels(video[i : i + 1]), channels(truth[i : i + 1])) for i in shown)
    captions = [f"{psnr(*pair):.2f} dB" for pair in pairs]
    return [
        _Row("truth", _small(truth[i] for i in shown), None, "gray", 1.0),
        _Row("reconstruction", frames, captions, "gray", 1.0),
        _Row(f"error 0…{top:.2f}", error, None, "inferno", top),
    ]


def _small(images: Iterable[Float]) -> Float:
    """Images as large as the page can show them, one after the other. Shape: (H, W)… → (F, H, W)"""
    return np.concatenate([shrink(image[None], _LONGEST) for image in images])


def _verdict(video: Float, truth: Float | None) -> str:
    if truth is None:
        return f"{len(video)} frames from one snapshot"
    ratio, similarity = quality(video, truth)
    return f"{ratio:.2f} dB" + ("" if similarity is None else f"   SSIM {similarity:.3f}")


def _place(panel: tuple[float, float], index: int) -> tuple[float, float, float, float]:
    """The box of an upper panel, from the left."""
    left = _MARGIN + _LABEL + index * (panel[0] + 0.3)
    return left, _HEADER + _CAPTION, *panel


def _measured(
    page: _Page, panel: tuple[float, float], snapshot: Float, frames: int, masks: Float | None
) -> None:
    """Snapshot and first mask."""
    white = snapshot_white(snapshot)
    shown = [(f"one coded snapshot of {frames} frames", snapshot, white)]
    if masks is not None:
        shown.append((f"mask of frame 1 of {frames}", masks[0], 1.0))
    for index, (caption, image, top) in enumerate(shown):
        box = _place(panel, index)
        page.text(box[0], box[1] - _CAPTION, caption, size=11, color=_INK)
        page.image(box, _small([image])[0], top)


def _solve(
    page: _Page,
    panel: tuple[float, float],
    index: int,
    residuals: NDArray[np.float64],
    tolerance: float | None,
) -> None:
    """The course of the solve, from the last panel to the right edge."""
    steps = np.flatnonzero(np.isfinite(residuals) & (residuals > 0))
    if len(steps) == 0:
        return
    left, top, _, height = _place(panel, index)
    left += 0.5  # room for the numbers
    page.text(left, top - _CAPTION, "relative residual by iteration", size=11, color=_INK)
    axes = page.axes(left, top + 0.05, _WIDTH - _MARGIN - left, height - 0.3)
    axes.semilogy(steps + 1, residuals[steps], color=_ACCENT, linewidth=2)
    axes.plot(steps[-1] + 1, residuals[steps[-1]], "o", color=_ACCENT, markersize=6)
    if tolerance is not None:
        axes.axhline(tolerance, color=_SOFT, linewidth=1, linestyle=(0, (4, 3)))
        axes.annotate(
            f"tolerance {tolerance:g}", (0, tolerance), xycoords=("axes fraction", "data"),
            xytext=(4, 3), textcoords="offset points", size=9, color=_SOFT,
        )  # fmt: skip
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(True, color="#e5e5e5", linewidth=0.7)
    axes.tick_params(which="both", colors=_SOFT, labelsize=9, length=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#bbbbbb")


def _strips(
    page: _Page,
    top: float,
    width: float,
    height: float,
    rows: list[_Row],
    shown: list[int],
    part: slice,
) -> None:
    """One block of frames: every row, the columns of ``part``."""
    start = _MARGIN + _LABEL
    for column, number in enumerate(shown[part]):
        left = start + column * (width + _GAP) + width / 2
        page.text(
            left, top + _CAPTION - 0.04, f"frame {number + 1}", size=10, color=_SOFT, ha="center",
            va="baseline",
        )  # fmt: skip
    top += _CAPTION
    for row in rows:
        page.text(
            _MARGIN + 0.1, top + height / 2, row.label, size=10, color=_INK, rotation=90,
            ha="center", va="center",
        )  # fmt: skip
        for column, image in enumerate(row.frames[part]):
            left = start + column * (width + _GAP)
            page.image((left, top, width, height), image, row.top, row.cmap)
            if row.captions:
                caption = row.captions[part][column]
                page.text(
                    left + width / 2, top + height + 0.04, caption, size=10, color=_ACCENT,
                    ha="center",
                )  # fmt: skip
        top += height + _GAP + (_BAND if row.captions else 0)
