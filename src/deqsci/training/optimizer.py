"""What turns gradients into steps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

OPTIMIZERS = ("adamw", "muon")


class Optimizer:
    """AdamW, or Muon (Jordan et al. 2024) for the filters of convolutions and AdamW for the rest.

    Muon makes the singular values of a filter bank's momentum equal before it takes the step; its
    steps are scaled to the size that AdamW's have, so that one learning rate serves both. Whatever
    the number of optimizers, this is one to the trainer.

    Parameters
    ----------
    name : one of ``OPTIMIZERS``.
    parameters : what is trained.
    weight_decay : decoupled.
    """

    def __init__(
        self, name: str, parameters: Iterable[nn.Parameter], weight_decay: float = 0.0
    ) -> None:
        trained = list(parameters)
        self._filters = [p for p in trained if p.ndim > 1] if name == "muon" else []
        rest = [p for p in trained if name == "adamw" or p.ndim <= 1]
        self._parts: list[torch.optim.Optimizer] = []
        if rest:
            self._parts.append(torch.optim.AdamW(rest, weight_decay=weight_decay, fused=True))
        # Muon takes matrices only: these share their memory with the filters.
        self._matrices = [nn.Parameter(as_matrix(p.data)) for p in self._filters]
        assert all(m.data_ptr() == p.data_ptr() for m, p in zip(self._matrices, self._filters))
        if self._matrices:
            muon = torch.optim.Muon(
                self._matrices, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw"
            )
            self._parts.append(muon)

    def step(self, rate: float) -> None:
        """One step at that learning rate along the gradients that the parameters have."""
        for matrix, filters in zip(self._matrices, self._filters):
            matrix.grad = None if filters.grad is None else as_matrix(filters.grad, filters)
        for part in self._parts:
            for group in part.param_groups:
                group["lr"] = rate
            part.step()

    def state_dict(self) -> list[dict[str, Any]]:
        """What a checkpoint keeps."""
        return [part.state_dict() for part in self._parts]

    def load_state_dict(self, state: list[dict[str, Any]]) -> None:
        """Go on from ``state``."""
        for part, own in zip(self._parts, state):
            part.load_state_dict(own)


def as_matrix(filters: Tensor, like: Tensor | None = None) -> Tensor:
    """Filters (C, ...) as (C, the rest), in the order that they, or ``like``, lie in memory."""
    laid = filters if like is None else like
    if laid.ndim == 4 and laid.is_contiguous(memory_format=torch.channels_last):
        filters = filters.permute(0, 2, 3, 1)
    return filters.reshape(len(filters), -1)
