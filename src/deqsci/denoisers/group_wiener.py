"""A Wiener filter of groups of like patches, through which gradients pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from deqsci.denoisers.patch_groups import PatchGroups, PatchMatching
from deqsci.fixed_point.monitor import full_precision


class GroupWiener(nn.Module):
    r"""Every group of K like patches, less its mean patch, through the filter of its own
    covariance, averaged where patches overlap.

    .. math:: F = 3 W^2 - 2 W^3, \quad W = C (C + \sigma^2)^{-1}, \quad C = Q Q^T / P

    Q (K, P) being the patches less their mean, of which F Q is what is kept. K being less than P,
    the covariance is that of the patches; that of the pixels makes the same filter, with P for K
    (NL-Bayes, Lebrun, Buades, Morel 2013). F keeps and removes more decidedly, as the
    weighted nuclear norm does (`low_rank`), and needs no eigenvectors: a fifth of the time, and
    derivatives without poles where eigenvalues meet.

    Parameters
    ----------
    matching : where the groups are.
    level : the noise level σ, where a call gives no other. It is not trained: the solves of a
        training begin where this filter alone led, and would not tell what the level does there.
    """

    def __init__(
        self,
        matching: PatchMatching = PatchMatching(count=32, patch=10, stride=9, radius=12, pooling=2),
        level: float = 8 / 255,
    ) -> None:
        super().__init__()
        self.matching = matching
        self.level = level

    def match(self, video: Tensor, patch: int | None = None) -> list[PatchGroups]:
        """The groups of each sample of a batch, of patches of another side where one is given; they
        overlap by as much. Shape: (B, T, H, W)."""
        own = self.matching
        if patch is not None:
            own = replace(own, patch=patch, stride=max(1, own.stride + patch - own.patch))
        return [own(sample) for sample in video]

    def forward(
        self, video: Tensor, groups: Sequence[PatchGroups], level: float | None = None
    ) -> Tensor:
        """Shape: (B, T, H, W) → (B, T, H, W). Groups as ``match`` gives them, of these videos or of
        others of their size; another noise level where one is given."""
        variance = (self.level if level is None else level) ** 2
        return torch.stack(
            [self._filtered(sample, own, variance) for sample, own in zip(video, groups)]
        )

    @staticmethod
    def _filtered(video: Tensor, groups: PatchGroups, variance: float) -> Tensor:
        if not torch.is_grad_enabled():  # nothing is remembered: some groups at a time
            return groups.filter(video, partial(wiener, variance=variance))
        with full_precision(video):
            filtered = wiener(_Gather.apply(video, groups), variance)
        total: Tensor = _Spread.apply(filtered, groups)
        return total / groups.weight.to(video)


def wiener(groups: Tensor, variance: float) -> Tensor:
    """F of each group. Shape: (G, K, P) → (G, K, P)."""
    patches = groups - groups.mean(1, keepdim=True)
    count, size = groups.shape[1:]
    noisy = torch.eye(count, dtype=groups.dtype, device=groups.device) * variance
    noisy = torch.baddbmm(noisy, patches, patches.mT, alpha=1 / size)
    noise = _Inverse.apply(noisy) * variance  # N = 1 − W, so that 1 − F = 3 N² − 2 N³
    square = noise @ noise
    removed = torch.baddbmm(square, square, noise, beta=3, alpha=-2)
    return torch.baddbmm(groups, removed, patches, alpha=-1)


class _Inverse(torch.autograd.Function):
    """Of symmetric positive definite matrices: Cholesky forward, two products backward."""

    @staticmethod
    def forward(ctx: Any, matrices: Tensor) -> Tensor:
        factor, failed = torch.linalg.cholesky_ex(matrices)
        factor[failed != 0] = torch.eye(factor.shape[-1]).to(factor)
        inverse = torch.cholesky_inverse(factor)
        inverse[failed != 0] = torch.nan  # to be noticed
        ctx.save_for_backward(inverse)
        return inverse

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (inverse,) = ctx.saved_tensors
        return -(inverse @ gradients[0] @ inverse)


class _Gather(torch.autograd.Function):
    """The patches of all groups. Shape: (T, H, W) → (R, K, P)."""

    @staticmethod
    def forward(ctx: Any, video: Tensor, groups: PatchGroups) -> Tensor:
        ctx.groups = groups
        return groups.gather(video)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        back: Tensor = _Spread.apply(gradients[0], ctx.groups)
        return back, None


class _Spread(torch.autograd.Function):
    """The sum of patches at their places, adjoint of `_Gather`. Shape: (R, K, P) → (T, H, W)."""

    @staticmethod
    def forward(ctx: Any, patches: Tensor, groups: PatchGroups) -> Tensor:
        ctx.groups = groups
        return groups.spread(patches)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        back: Tensor = _Gather.apply(gradients[0], ctx.groups)
        return back, None
