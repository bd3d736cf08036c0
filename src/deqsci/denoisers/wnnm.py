"""Weighted nuclear norm minimisation: groups of like patches have low rank, noise has not."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from deqsci.denoisers.patch_groups import PatchGroups, PatchMatching
from deqsci.denoisers.video import VideoDenoiser
from deqsci.errors import ConfigError


def low_rank(groups: Tensor, threshold: float) -> Tensor:
    r"""The matrix of low rank that a noisy one comes from, for each group of patches.

    .. math:: \arg\min_X \tfrac12 \|Y - X\|_F^2 + \sum_i w_i \, s_i(X), \qquad w_i = C / s_i(X)

    with the singular values s of the patches less their mean patch. Weights that ascend as singular
    values descend leave a closed form, with the singular vectors of Y (Gu et al. 2014, 2017):

    .. math:: s_i(X) = \tfrac12 \bigl(s_i + \sqrt{s_i^2 - 4C}\bigr)
        \text{ where } s_i^2 > 4C \text{, else } 0,

    so a large one is hardly shrunk. It is computed from the Gram matrix of the pixels, K patches
    being more than they have pixels, by matrix products alone but for its eigenvectors.

    Parameters
    ----------
    groups : (G, K, P), K patches of P pixels each.
    threshold : C ≥ 0, in squared intensities.

    Returns
    -------
    Tensor of the shape of ``groups``.
    """
    mean = groups.mean(1, keepdim=True)
    patches = groups - mean
    squares, vectors = torch.linalg.eigh(patches.mT @ patches)
    kept = squares > 4 * threshold  # for C = 0 rounding may leave squares below 0
    root = (1 - 4 * threshold / torch.where(kept, squares, 1.0)).sqrt()
    gain = torch.where(kept, (1 + root) / 2, 0.0)
    return torch.baddbmm(mean, patches, (vectors * gain.unsqueeze(1)) @ vectors.mT)


class WNNM(VideoDenoiser):
    """Video denoiser by low-rank groups of patches from all frames; nothing is learned.

    After Gu, Zhang, Zuo, Feng (2014, 2017), with groups across space and time as in DeSCI (Liu,
    Yuan, Suo, Brady, Dai 2018). Memory beside some copies of the video is that of one window, and
    four bytes for each member of a group. No gradient passes through.

    Parameters
    ----------
    matching : where the groups are, and where their members are looked for.
    strength : c of the threshold C = c √K σ².

    Raises
    ------
    ConfigError : a strength that is not above 0.
    """

    def __init__(
        self, matching: PatchMatching = PatchMatching(), strength: float = 4 * 2**0.5
    ) -> None:
        super().__init__()
        if not strength > 0:
            raise ConfigError(f"WNNM's strength is {strength:g}; wanted a number > 0")
        self.matching, self.strength = matching, strength

    def match(self, video: Tensor, shift: int = 0) -> list[PatchGroups]:
        """The groups of each sample of a batch, to be used again. Shape: (B, T, H, W)."""
        return [self.matching(sample, shift) for sample in video]

    @torch.no_grad()
    def forward(
        self,
        video: Tensor,
        sigma: Tensor | float | None = None,
        groups: Sequence[PatchGroups] | None = None,
    ) -> Tensor:
        """Denoised. Shape: (B, T, H, W) → (B, T, H, W).

        ``sigma`` is one number, or (B,) one per sample; without ``groups`` those of the noisy video
        are taken.

        Raises
        ------
        ConfigError : no noise level.
        """
        if sigma is None:
            raise ConfigError("WNNM was given no noise level; wanted sigma, e.g. 0.1")
        levels = torch.as_tensor(sigma).expand(len(video)).tolist()
        groups = self.match(video) if groups is None else groups
        denoised = [
            own.filter(sample, partial(self._shrunk, sigma=level))
            for sample, level, own in zip(video, levels, groups)
        ]
        return torch.stack(denoised)

    def _shrunk(self, group: Tensor, sigma: float) -> Tensor:
        return low_rank(group, self.strength * group.shape[1] ** 0.5 * sigma**2)
