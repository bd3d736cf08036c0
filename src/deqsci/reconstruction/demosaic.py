"""From a mosaicked video to colour: what each pixel's two missing colours were.

==============  ================================================================================
``bilinear``    each colour on its own from its nearest neighbours
``malvar``      with the gradient of the colour that the pixel has seen: the standard, and linear
``joint``       from there on with the snapshot at hand, all four phases and three colours together
==============  ================================================================================

The first two keep what each pixel has seen, so their video explains the snapshot as well as the
mosaicked one does; so does the last, which changes what was seen of a frame, but not the sum.
"""

from __future__ import annotations

from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor

from deqsci.denoisers.tv import tv_prox
from deqsci.errors import ShapeError
from deqsci.physics import SnapshotPhysics
from deqsci.physics.bayer import Pattern, colour_masks, sites
from deqsci.reconstruction.schedule import accelerated_gap

Demosaicking = Literal["joint", "malvar", "bilinear"]
DEMOSAICKINGS: tuple[Demosaicking, ...] = get_args(Demosaicking)

SMALLEST = 3
"""Pixels that a side must have: the filters reach two beyond a pixel, and the edge is a mirror."""

# Malvar, He and Cutler (2004), figure 2, in eighths.
_GREEN = ((0, 0, -1, 0, 0), (0, 0, 2, 0, 0), (-1, 2, 4, 2, -1), (0, 0, 2, 0, 0), (0, 0, -1, 0, 0))
_IN_ITS_ROW = (
    (0, 0, 0.5, 0, 0), (0, -1, 0, -1, 0), (-1, 4, 5, 4, -1), (0, -1, 0, -1, 0), (0, 0, 0.5, 0, 0)
)  # fmt: skip
_OPPOSITE = (
    (0, 0, -1.5, 0, 0), (0, 2, 0, 2, 0), (-1.5, 0, 6, 0, -1.5), (0, 2, 0, 2, 0), (0, 0, -1.5, 0, 0)
)  # fmt: skip

# Chosen on clips with 2, 4 and 8 frames a snapshot, after gap-tv and de-gap-cnn.
_ITERATIONS = 20
_TV_ITERATIONS = 5
_HEAVIEST, _PER_ERROR = 0.01, 0.25
"""λ at most, and over the error that the greens let expect: the better a video is, the less is
there to gain from smoothing it."""
_CHROMA = 2.0
"""κ: colour differences vary less than brightness does."""


def demosaic(
    mosaicked: Tensor,
    pattern: Pattern,
    method: Demosaicking,
    snapshot: Tensor,
    physics: SnapshotPhysics,
) -> Tensor:
    """The method of that name; ``snapshot`` and ``physics`` are for ``joint``.

    Shape: (B, T, H, W), snapshot (B, H, W) → (B, T, H, W, 3).
    """
    if method == "joint":
        return joint(mosaicked, pattern, snapshot, physics)
    return malvar(mosaicked, pattern) if method == "malvar" else bilinear(mosaicked, pattern)


def bilinear(mosaicked: Tensor, pattern: Pattern) -> Tensor:
    """Each colour interpolated on its own. Shape: (..., H, W) → (..., H, W, 3).

    Raises
    ------
    ShapeError : a side of less than ``SMALLEST`` pixels.
    """
    red, green, blue = sites(pattern, *mosaicked.shape[-2:]).to(mosaicked)
    around = torch.tensor([[1.0, 2, 1], [2, 4, 2], [1, 2, 1]]) / 4
    cross = torch.tensor([[0.0, 1, 0], [1, 4, 1], [0, 1, 0]]) / 4
    return torch.stack(
        [
            _filtered(mosaicked * red, around),
            _filtered(mosaicked * green, cross),
            _filtered(mosaicked * blue, around),
        ],
        -1,
    )


def malvar(mosaicked: Tensor, pattern: Pattern) -> Tensor:
    """Linear interpolation corrected by the gradient of the colour that is known.

    Malvar, He, Cutler: High-quality linear interpolation for demosaicing of Bayer-patterned color
    images, ICASSP 2004.

    Shape: (..., H, W) → (..., H, W, 3). Errors as :func:`bilinear`.
    """
    red, green, blue = sites(pattern, *mosaicked.shape[-2:])
    red, green, blue = (site.to(mosaicked.device) for site in (red, green, blue))
    along = torch.tensor(_IN_ITS_ROW) / 8
    from_row, from_column = _filtered(mosaicked, along), _filtered(mosaicked, along.T)
    opposite = _filtered(mosaicked, torch.tensor(_OPPOSITE) / 8)
    in_row_of_red = red.any(-1, keepdim=True)

    def missing(own: Tensor, in_row: Tensor) -> Tensor:
        """Red or blue: from the row, from the column, or from the corners."""
        at_green = torch.where(in_row, from_row, from_column)
        return torch.where(own, mosaicked, torch.where(green, at_green, opposite))

    return torch.stack(
        [
            missing(red, in_row_of_red),
            torch.where(green, mosaicked, _filtered(mosaicked, torch.tensor(_GREEN) / 8)),
            missing(blue, ~in_row_of_red),
        ],
        -1,
    )


def joint(
    mosaicked: Tensor, pattern: Pattern, snapshot: Tensor, physics: SnapshotPhysics
) -> Tensor:
    r"""The colours and what they explain, found together: few steps from Malvar's towards

    .. math:: \min_x \sum_t \mathrm{TV}(L x_t) + \kappa\, \mathrm{TV}(C x_t)
        \quad\text{such that}\quad \sum_t \Phi_t \odot B(x_t) = y,

    L the brightness (R + G + B)/√3 and C two colour differences orthonormal to it. The phases of a
    mosaic are reconstructed each on its own and err each on its own; here all four have to agree
    on one image, and the snapshot decides what changes. The steps are those of accelerated GAP
    with a weight λ for the variation, and end with the projection: the result explains the snapshot
    exactly, unless clipped. Where the phases agree already λ is small, and little changes.

    Parameters
    ----------
    mosaicked : (B, T, H, W), the four phases interleaved.
    pattern : of the mosaic.
    snapshot : (B, H, W).
    physics : the camera; its pixels of infinite noise do not count.

    Returns
    -------
    (B, T, H, W, 3). Errors as :func:`bilinear`.
    """
    camera = SnapshotPhysics(colour_masks(physics.masks, pattern), check=False)
    start = malvar(mosaicked, pattern).movedim(-1, 2).flatten(1, 2)
    weight = (_PER_ERROR * _disagreement(mosaicked, pattern)).clamp_max(_HEAVIEST).view(-1, 1, 1, 1)

    def denoise(video: Tensor, _: int) -> Tensor:
        for frame in video.unflatten(1, (-1, 3)).unbind(1):  # one at a time: TV takes five copies
            frame.copy_(_smooth(frame, weight))
        return video

    for video in accelerated_gap(snapshot, camera, _ITERATIONS, denoise, start):
        result = video
    return camera.project(result, snapshot).unflatten(1, (-1, 3)).movedim(2, -1)


def _disagreement(mosaicked: Tensor, pattern: Pattern) -> Tensor:
    """Standard deviation of a green pixel from the other green phase around it, but for the half of
    the pixels where it is largest: noise, and detail too fine for one phase.

    Shape: (B, T, H, W) → (B,).
    """
    corners = torch.tensor([[1.0, 0, 1], [0, -4, 0], [1, 0, 1]]) / 4
    green = sites(pattern, *mosaicked.shape[-2:])[1].to(mosaicked.device)
    distance = _filtered(mosaicked, corners)[..., green].abs().flatten(1)
    normal = 1.4826  # σ over the median distance of a normal distribution
    return normal * distance.median(1).values / (1 + 1 / 4) ** 0.5


def _smooth(frame: Tensor, weight: Tensor) -> Tensor:
    """Total variation of brightness and colour differences. Shape: (B, 3, H, W)."""
    opponents = torch.tensor([[1.0, 1, 1], [1, 0, -1], [1, -2, 1]]).to(frame)
    opponents = opponents / opponents.norm(dim=1, keepdim=True)
    weights = weight * torch.tensor([1.0, _CHROMA, _CHROMA]).to(frame).view(3, 1, 1)
    smooth = tv_prox(torch.einsum("oc,bchw->bohw", opponents, frame), weights, _TV_ITERATIONS)
    return torch.einsum("oc,bohw->bchw", opponents, smooth)


def _filtered(stack: Tensor, kernel: Tensor) -> Tensor:
    """Correlation with the edge as a mirror, which goes on with the mosaic. Shape: (..., H, W)."""
    height, width = stack.shape[-2:]
    if min(height, width) < SMALLEST:
        raise ShapeError(
            f"{height}×{width} pixels; a colour camera wants {SMALLEST}×{SMALLEST} at least"
        )
    reach = kernel.shape[0] // 2
    images = F.pad(stack.reshape(-1, 1, height, width), (reach,) * 4, mode="reflect")
    return F.conv2d(images, kernel.to(stack)[None, None]).view(stack.shape)
