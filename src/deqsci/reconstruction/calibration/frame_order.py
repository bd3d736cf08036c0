"""Whether the masks are in the order in which the frames were taken.

A snapshot is the same whatever order its masks and frames are numbered in, so no fit can tell:
only the video can, whose neighbouring frames are alike. The patches' gray values c_t
(:mod:`.patches`) are a small video that needs no reconstruction. The order in which it changes
least is the one it was taken in, forwards or backwards; which of both, only the step from one
snapshot to the next can tell.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor

from deqsci.reconstruction.calibration.patches import patch_side
from deqsci.reconstruction.calibration.refine import NOMINAL, Fit, Scene

_SHORTER = 0.94
"""A path through the frames must be shorter than the given one by this factor to count."""

_LOOK = 16
"""Snapshots that are looked at."""

_AHEAD = 0.85
"""The same for the step between snapshots, with time forwards instead of backwards."""

_ALIKE = 0.01
"""Root mean square difference of two masks, of which 1 is all light, up to which their frames
cannot be told apart."""


def taken_order(snapshots: Tensor, masks: Tensor) -> tuple[int, ...] | None:
    """The order in which masks that fit were used, where it is not theirs; else None.

    Shape: (N, H, W), (T, H, W).
    """
    side = patch_side(len(masks))
    if min(masks.shape[-2:]) < 2 * side:
        return None
    scene = Scene(snapshots[:_LOOK], masks, side)
    return order_in(scene.fit(torch.tensor(NOMINAL, dtype=torch.float64)), masks)


def order_in(fit: Fit, masks: Tensor) -> tuple[int, ...] | None:
    """The same, of snapshots that the patch model was fitted to."""
    flat = masks.flatten(1)
    if bool((torch.pdist(flat) <= _ALIKE * flat.shape[1] ** 0.5).any()):
        return None
    frames = fit.coefficients.shape[1] - 2  # the others are slopes
    order = frame_order(
        fit.coefficients[:, :frames],
        fit.projection.inverse_gram[:, :frames, :frames],
        fit.variances,
    )
    return None if order == tuple(range(frames)) else order


def frame_order(values: Tensor, covariances: Tensor, variances: Tensor) -> tuple[int, ...]:
    """The order in which the T masks were used, as far as the video tells; else 0, 1, …, T − 1.

    Parameters
    ----------
    values : (P, T, N) gray value of every frame in every patch.
    covariances : (P, T, T) of them, for noise of variance 1.
    variances : (P, N) of the noise.
    """
    frames, snapshots = values.shape[1:]
    given = tuple(range(frames))
    own = covariances.diagonal(dim1=1, dim2=2)
    pairs = own[:, :, None] + own[:, None, :] - 2 * covariances
    distance = sum(
        _distance(values[..., n, None] - values[:, None, :, n], pairs, variances[:, n])
        for n in range(snapshots)
    )
    assert isinstance(distance, Tensor)
    steps = distance.tolist()
    best = _shortest_path(steps)
    order = best if _length(best, steps) < _SHORTER * _length(given, steps) else given
    if snapshots > 1 and _runs_backwards(values, own, variances, order):
        order = order[::-1]
    return order


def _distance(difference: Tensor, covariance: Tensor, variance: Tensor) -> Tensor:
    """Mean over patches of how unlike two values are, little for those that only noise parts.

    Shape: (P, ...), (P, ...), (P,) → (...).
    """
    expected = covariance * variance.view(-1, *[1] * (covariance.ndim - 1))
    return torch.log1p(difference.square() / expected.clamp_min(1e-12)).mean(0)


def _runs_backwards(values: Tensor, own: Tensor, variances: Tensor, order: tuple[int, ...]) -> bool:
    def gap(last: int, first: int) -> float:
        """From frame ``last`` of each snapshot to frame ``first`` of the next."""
        difference = values[:, last, :-1] - values[:, first, 1:]
        expected = own[:, last, None] * variances[:, :-1] + own[:, first, None] * variances[:, 1:]
        return float(torch.log1p(difference.square() / expected.clamp_min(1e-12)).mean())

    return gap(order[0], order[-1]) < _AHEAD * gap(order[-1], order[0])


def _length(path: tuple[int, ...], steps: list[list[float]]) -> float:
    return sum(steps[a][b] for a, b in pairwise(path))


def _shortest_path(steps: list[list[float]]) -> tuple[int, ...]:
    """A short path through all frames: the best that reversing parts of it (2-opt) comes to from
    nearest neighbours of every start; the smaller end first."""
    paths = [_improved(_nearest_neighbours(steps, start), steps) for start in range(len(steps))]
    best = min(paths, key=lambda path: _length(path, steps))
    return best if best[0] <= best[-1] else best[::-1]


def _nearest_neighbours(steps: list[list[float]], start: int) -> tuple[int, ...]:
    path, left = [start], set(range(len(steps))) - {start}
    while left:
        path.append(min(left, key=lambda frame: steps[path[-1]][frame]))
        left.remove(path[-1])
    return tuple(path)


def _improved(path: tuple[int, ...], steps: list[list[float]]) -> tuple[int, ...]:
    length, changed = _length(path, steps), True
    while changed:
        changed = False
        for i in range(len(path)):
            for j in range(i + 2, len(path) + 1):
                other = path[:i] + path[i:j][::-1] + path[j:]
                if (shorter := _length(other, steps)) < length - 1e-12:
                    path, length, changed = other, shorter, True
    return path
