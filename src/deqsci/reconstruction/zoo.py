"""Reconstruction methods by name."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any

import torch
from torch import nn

from deqsci.denoisers.checkpoints import load_checkpoint
from deqsci.denoisers.cnn import CNN
from deqsci.denoisers.ffdnet import FFDNet
from deqsci.denoisers.rsn_cnn import RSNCNN
from deqsci.errors import ConfigError, MethodError, WeightsError
from deqsci.fixed_point import Anderson, JacobianFree
from deqsci.reconstruction.desci import DeSCI
from deqsci.reconstruction.equilibrium import DeepEquilibrium
from deqsci.reconstruction.feed_forward import (
    FRAMES,
    EndToEndMap,
    GapNetMap,
    new_stages,
    new_unet,
)
from deqsci.reconstruction.ffdnet_map import FFDNetMap
from deqsci.reconstruction.maps import EquilibriumMap, GapMap
from deqsci.reconstruction.non_local_map import NonLocalMap
from deqsci.reconstruction.plug_and_play import PnPFFDNet
from deqsci.reconstruction.recurrent_map import AcceleratedRecurrentMap, RecurrentMap
from deqsci.reconstruction.schedule import FiniteSchedule
from deqsci.reconstruction.space_time_map import RELAXATION, AcceleratedSpaceTimeMap
from deqsci.reconstruction.total_variation import AdmmTV, GapTV
from deqsci.reconstruction.unrolled import UnrolledMap

Network = Callable[[], nn.Module]


@dataclass(frozen=True)
class Method:
    """A reconstruction method."""

    summary: str
    kind: str
    """``equilibrium``, ``unrolled``, ``feed-forward``, ``plug-and-play`` or ``training-free``."""
    networks: tuple[Network, ...] = ()
    """Networks whose weights it can take: ours first, then what others published."""
    map: Callable[[Any], EquilibriumMap] = GapMap
    """The map around a network."""
    schedule: Callable[..., FiniteSchedule] | None = None
    """The method itself, where it is training-free: called with its ``iterations``, or nothing."""
    tolerance: float = 3e-5
    """Relative residual at which a solve has converged, unless told otherwise: the smaller the
    nearer ρ(J) is to 1, for the error is up to 1/(1 − ρ) times the residual."""
    frames: int | None = None
    """T that its networks are made for; any T where None."""

    @property
    def has_limit(self) -> bool:
        """Whether the number of its evaluations can be chosen."""
        return self.kind not in ("feed-forward", "plug-and-play")


METHODS: dict[str, Method] = {
    "gap-tv": Method(
        "generalised alternating projection, total variation", "training-free", schedule=GapTV
    ),
    "admm-tv": Method("ADMM, total variation", "training-free", schedule=AdmmTV),
    "desci": Method(
        "accelerated GAP, low-rank patch groups; minutes", "training-free", schedule=DeSCI
    ),
    "pnp-ffdnet": Method("accelerated GAP, FFDNet, falling σ", "plug-and-play", (FFDNet,)),
    # α: at 1 this network's Jacobian has eigenvalues to −1.4 on validation clips; at 0.6 they may
    # reach −2.3, and no more evaluations are needed.
    "de-gap-cnn": Method(
        "equilibrium of GAP and a small CNN", "equilibrium", (CNN,), partial(GapMap, relaxation=0.6)
    ),
    # The published RSN-CNN is, once trained, a plain CNN with normalised weights.
    "de-gap-rsn-cnn": Method(
        "equilibrium of GAP and a contractive CNN", "equilibrium", (RSNCNN, CNN)
    ),
    "de-gap-ffdnet": Method(
        "equilibrium of accelerated GAP and FFDNet at one noise level",
        "equilibrium",
        (FFDNet,),
        partial(FFDNetMap, relaxation=0.7),
        tolerance=5e-4,
    ),
    "de-gap-st": Method(
        "equilibrium of accelerated GAP and a network over space and time",
        "equilibrium",
        (AcceleratedSpaceTimeMap.new_network,),
        partial(AcceleratedSpaceTimeMap, relaxation=RELAXATION),
        tolerance=5e-4,
    ),
    "de-gap-st-base": Method(
        "the same with a larger network; for a GPU",
        "equilibrium",
        (partial(AcceleratedSpaceTimeMap.new_network, widths=(64, 128, 192), blocks=(1, 1, 4)),),
        partial(AcceleratedSpaceTimeMap, relaxation=RELAXATION),
        tolerance=5e-4,
    ),
    "de-gap-nl": Method(
        "equilibrium of groups of like patches and a network; the best here",
        "equilibrium",
        (NonLocalMap.new_network,),
        NonLocalMap,
        tolerance=5e-4,
    ),
    "de-rnn": Method(
        "equilibrium of accelerated GAP and a recurrent network over the frames",
        "equilibrium",
        (AcceleratedRecurrentMap.new_network,),
        partial(AcceleratedRecurrentMap, relaxation=RELAXATION),
        tolerance=5e-4,
    ),
    "rnn": Method(
        "five passes of a recurrent network over the frames",
        "unrolled",
        (RecurrentMap.new_network,),
        RecurrentMap,
    ),
    "gap-net": Method(
        "nine projections, a U-net of its own after each; T = 8",
        "feed-forward",
        (new_stages,),
        GapNetMap,
        frames=FRAMES,
    ),
    "u-net": Method(
        "one U-net, end to end; T = 8", "feed-forward", (new_unet,), EndToEndMap, frames=FRAMES
    ),
}
DEFAULT_METHOD = "de-gap-st"


def build(
    name: str,
    *,
    weights: Path | None = None,
    max_iter: int | None = None,
    tol: float | None = None,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
) -> DeepEquilibrium | FiniteSchedule:
    """A method ready to reconstruct, with the shipped weights unless others are given.

    ``max_iter`` and ``tol`` are the limit of evaluations and the relative residual of an
    equilibrium method; a finite schedule has no tolerance, and the length of a plug-and-play or
    feed-forward one is fixed.

    Raises
    ------
    MethodError : no method of that name.
    WeightsError : no weights, or weights of another network.
    ConfigError : an option that the method does not have, or that is out of range.
    """
    method = find(name)
    if tol is not None and method.kind != "equilibrium":
        raise ConfigError(f"{name} runs a finite schedule and has no tolerance; leave tol out")
    if max_iter is not None and not method.has_limit:
        raise ConfigError(f"{name} has a fixed number of passes; leave max_iter out")
    model: DeepEquilibrium | FiniteSchedule
    if method.schedule is not None:
        if weights is not None:
            raise WeightsError(f"{name} has no weights; leave {weights} out")
        model = method.schedule() if max_iter is None else method.schedule(iterations=max_iter)
    else:
        network = _load(name, method, weights)
        if method.kind == "equilibrium":
            solver = Anderson(
                tol=method.tolerance if tol is None else tol,
                max_iter=100 if max_iter is None else max_iter,
            )
            model = DeepEquilibrium(method.map(network), solver, JacobianFree())
        elif method.kind == "unrolled":
            map = method.map(network)
            model = UnrolledMap(map) if max_iter is None else UnrolledMap(map, max_iter)
        elif method.kind == "feed-forward":
            model = UnrolledMap(method.map(network), passes=1)
        else:
            model = PnPFFDNet(network)
    return model.to(device=device, dtype=dtype).eval()


def new_map(name: str) -> EquilibriumMap:
    """The map around the untrained network of a method.

    Raises
    ------
    MethodError : no such method, or one that has nothing to train.
    """
    method = find(name)
    if not method.networks:
        raise MethodError(f"{name} has no network; there is nothing to train")
    return method.map(method.networks[0]())


def shipped_weights(name: str) -> Path | None:
    """Our trained weights of a method, where there are any; the model card lies beside them."""
    path = Path(str(resources.files("deqsci") / "weights" / f"{name}.safetensors"))
    return path if path.is_file() else None


def find(name: str) -> Method:
    """The method of that name.

    Raises
    ------
    MethodError : there is none; the sentence names the nearest and all there are.
    """
    if name in METHODS:
        return METHODS[name]
    near = difflib.get_close_matches(name, METHODS, n=1, cutoff=0.0)[0]
    raise MethodError(f"no method {name!r}; did you mean {near}? There are {', '.join(METHODS)}")


def _load(name: str, method: Method, weights: Path | None) -> nn.Module:
    path = weights or shipped_weights(name)
    if path is None:
        raise WeightsError(f"{name} has no weights of ours yet; give some with --weights")
    refusals = []
    for new in method.networks:
        candidate = new()
        try:
            load_checkpoint(candidate, path)
        except WeightsError as refusal:
            refusals.append(refusal)
        else:
            return candidate
    raise refusals[0]
