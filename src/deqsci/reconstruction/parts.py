"""A snapshot solved in parts: one word about how it went, out of one for each part."""

from __future__ import annotations

import re
from dataclasses import dataclass

import torch
from torch import Tensor

from deqsci.fixed_point.monitor import Callback, norms
from deqsci.reconstruction.result import Reconstruction


@dataclass(frozen=True)
class Part:
    """What is kept of the reconstruction of a part once its video is in its place."""

    status: tuple[str, ...]
    converged: Tensor
    residuals: Tensor
    evaluations: Tensor
    norm: Tensor
    """(B,), of its video: what its residuals are relative to."""
    pixels: int

    @classmethod
    def of(cls, result: Reconstruction) -> Part:
        return cls(
            result.status,
            result.converged,
            result.residuals.double(),
            result.evaluations,
            norms(result.video).double().cpu(),
            result.video.shape[-2] * result.video.shape[-1],
        )

    def trace(self, length: int) -> Tensor:
        """Residuals (B, length), after the end the smallest: a solver returns its best iterate.

        NaN where there is none.
        """
        known = torch.where(self.residuals.isfinite(), self.residuals, torch.inf)
        best = known.min(1, keepdim=True).values
        best = torch.where(best.isfinite(), best, torch.nan)
        kept = torch.where(self.residuals.isnan(), best, self.residuals)
        return torch.cat([kept, best.expand(-1, length - kept.shape[1])], 1)


def together(video: Tensor, parts: list[Part], name: str) -> Reconstruction:
    """One reconstruction of those of all parts, which ``name`` calls in the plural.

    ``residuals`` are those of all parts together, a stopped one counted with its best;
    ``evaluations`` are the mean over the parts, weighted by their pixels.
    """
    length = max(part.residuals.shape[1] for part in parts)
    norm = torch.stack([part.norm for part in parts])
    traces = torch.stack([part.trace(length) for part in parts])
    whole = norm.square().sum(0).sqrt().clamp_min(torch.finfo(torch.float64).tiny)
    residuals = (traces * norm.unsqueeze(-1)).square().sum(0).sqrt() / whole.unsqueeze(-1)
    weights = torch.tensor([part.pixels for part in parts], dtype=torch.float64)
    evaluations = (weights / weights.sum()) @ torch.stack(
        [part.evaluations for part in parts]
    ).double()
    converged = torch.stack([part.converged for part in parts])
    last = torch.where(traces[..., -1].isnan(), torch.inf, traces[..., -1])
    status = []
    for sample in range(len(video)):
        sentences = [part.status[sample] for part in parts]
        worst = max(range(len(parts)), key=lambda i: (not converged[i, sample], last[i, sample]))
        status.append(_told(sentences, worst, name))
    return Reconstruction(
        video, tuple(status), converged.all(0), residuals, evaluations.round().long()
    )


def _told(sentences: list[str], worst: int, name: str) -> str:
    """The worst part's sentence, and of how many parts it holds."""
    outcome, *rest = re.split("(?=[:;])", sentences[worst], maxsplit=1)
    outcome = re.sub(r" in (all \d+|\d+ of \d+) \w+$", "", outcome)  # of a part's own parts
    alike = sum(sentence.startswith(outcome) for sentence in sentences)
    count = f"all {len(sentences)}" if alike == len(sentences) else f"{alike} of {len(sentences)}"
    return "".join([f"{outcome} in {count} {name}", *rest])


def share(
    callback: Callback | None, index: int, count: int, max_evaluations: int
) -> Callback | None:
    """Counts the iterations of part ``index`` as its share of a solve in one piece."""
    if callback is None:
        return None

    def on_iteration(iteration: int, residual: Tensor) -> None:
        done = (index * max_evaluations + iteration) / count
        callback(int(done), residual)

    return on_iteration
