"""The non-local network: a guide, a filter of groups of like patches, and a network over both."""

from __future__ import annotations

import torch
from torch import nn

from deqsci.denoisers.group_wiener import GroupWiener
from deqsci.denoisers.space_time import SpaceTimeNetwork

ANCHOR_GATE, FILTER_GATE = -4.0, 4.0
"""Logits of an untrained network's shares of the anchor and of the filter: 0.02 and 0.98."""


class NonLocalNetwork(nn.Module):
    """The three parts of `NonLocalMap`; how they work together is said there.

    Parameters
    ----------
    guide_planes, planes : what the guide and the network see of every frame.

    Attributes
    ----------
    guide : `SpaceTimeNetwork`, of de-gap-st; it is not trained.
    wiener : `GroupWiener`.
    space_time : `SpaceTimeNetwork` with two anchors.
    """

    def __init__(self, guide_planes: int, planes: int) -> None:
        super().__init__()
        self.guide = SpaceTimeNetwork(guide_planes).requires_grad_(False)
        self.wiener = GroupWiener()
        self.space_time = SpaceTimeNetwork(planes, anchors=2)
        bias = self.space_time.head.bias
        assert bias is not None
        torch.nn.init.constant_(bias[4:8], ANCHOR_GATE)
        torch.nn.init.constant_(bias[8:], FILTER_GATE)
