"""How much a pixel's reading surprises, given what its neighbours read."""

from __future__ import annotations

import torch
from torch import Tensor

from deqsci.reconstruction.calibration.patches import Patches, Projection, patch_side

_FLOOR = 5e-3
"""Noise that no patch is trusted to be below, as a share of the snapshot's mean."""


def deleted_residuals(snapshot: Tensor, masks: Tensor, trusted: Tensor) -> Tensor:
    """Reading less prediction, in standard deviations of that (externally studentised residual).

    The patch model (:mod:`.patches`) is fitted to the other trusted pixels of a patch. What it
    leaves there, texture and motion included, is the scale, so that in a restless patch nothing
    surprises. 0 where too few pixels are trusted to say anything.

    Shape: (H, W), (T, H, W), (H, W) bool → (H, W).

    Reference: Cook & Weisberg, Residuals and Influence in Regression, 1982.
    """
    side = patch_side(len(masks))
    height, width = snapshot.shape
    result = torch.zeros_like(snapshot)
    if min(height, width) < side:
        return result
    columns = _starts(width, side)[:, None] + torch.arange(side)
    floor = (_FLOOR * float(snapshot[trusted].mean() if trusted.any() else 0)) ** 2 + 1e-12
    for top in _starts(height, side).tolist():
        band = slice(top, top + side)

        def cut(image: Tensor, band: slice = band) -> Tensor:
            """(..., H, W) → (..., P, side²), the patches of this band."""
            return image[..., band, :][..., columns].movedim(-2, -3).flatten(-2).double()

        surprise = _studentised(
            cut(snapshot), Patches(side, (side, side)).with_slopes(cut(masks)), cut(trusted), floor
        )
        tiles = surprise.unflatten(-1, (side, side)).movedim(-3, -2).to(result.dtype)
        result[band, columns] = tiles
    return result


def _starts(length: int, side: int) -> Tensor:
    """Where patches begin that cover a side; the last one overlaps its neighbour."""
    return torch.tensor(sorted({*range(0, length - side + 1, side), length - side}))


def _studentised(y: Tensor, basis: Tensor, trusted: Tensor, floor: float) -> Tensor:
    """Shape: (P, n), (P, n, K), (P, n), scalar → (P, n)."""
    projection = Projection(basis * trusted[..., None])
    c = projection.coefficients((y * trusted)[..., None])
    residual = y - (basis @ c)[..., 0]
    leverage = torch.einsum("pnk,pkl,pnl->pn", basis, projection.inverse_gram, basis)
    kept = (1 - leverage).clamp_min(1e-3)
    freedom = trusted.sum(1, keepdim=True) - basis.shape[-1]
    squares = (trusted * residual.square()).sum(1, keepdim=True)
    without = (squares - residual.square() / kept) / (freedom - 1).clamp_min(1)
    others = torch.where(trusted > 0, without, squares / freedom.clamp_min(1)).clamp_min(0) + floor
    # Of a prediction from which the pixel is left out: a trusted one took part in the fit.
    deviation = torch.where(trusted > 0, residual / kept.sqrt(), residual / (1 + leverage).sqrt())
    return torch.where(freedom > 1, deviation / others.sqrt(), 0.0)
