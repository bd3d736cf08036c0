"""What a training run is told."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from deqsci.data.masks import MaskSampler
from deqsci.errors import ConfigError
from deqsci.fixed_point import (
    Adjoint,
    Anderson,
    Broyden,
    Implicit,
    JacobianFree,
    Phantom,
    Picard,
    Solver,
    Unrolled,
)
from deqsci.training import settings
from deqsci.training.optimizer import OPTIMIZERS

ADJOINTS = {
    "implicit": Implicit,
    "phantom": Phantom,
    "jacobian-free": JacobianFree,
    "unrolled": Unrolled,
}
SOLVERS = {"anderson": Anderson, "broyden": Broyden, "picard": Picard}
KINDS = ("denoise", "equilibrium")
PRECISIONS = ("float32", "bfloat16")
RECOVERING = ("depth", "start_noise", "start_blend", "reuse", "correction", "jacobian", "stability")
"""Settings of a stage that only the recovery of videos has."""


@dataclass(frozen=True)
class Data:
    """Where the material lies."""

    clips: tuple[Path, ...]
    """Folders with training videos and image sequences."""
    validation: tuple[Path, ...]
    """Folders with validation videos, from other sources than the training ones."""
    stills: tuple[Path, ...] = ()
    """Folders with still images, each a clip of one frame; for stages with ``frames: 1``."""


@dataclass(frozen=True)
class Correction:
    """Fixed-point correction (Bai et al. 2022): a loss on states before the solution too."""

    states: int = 2
    """States along the solve, evenly spaced unless ``recorded``; a solver's own are recorded by one
    evaluation each."""
    discount: float = 0.8
    """Weight of a state relative to the one after it."""
    recorded: bool = False
    """Take the last states that the gradient rule records by itself: they cost nothing."""

    def __post_init__(self) -> None:
        if self.states < 1 or not 0 < self.discount <= 1:
            raise ConfigError(
                f"states is {self.states}, discount {self.discount}; "
                "wanted at least 1 and a number in (0, 1]"
            )


@dataclass(frozen=True)
class Stability:
    """A penalty on perturbations of the solution that grow as the map is evaluated on and on."""

    weight: float
    """Weight of the growth above the limit, in dB."""
    limit: float = 0.97
    """Growth above which the penalty sets in."""
    iterations: int = 8
    """Evaluations that find the direction which grows most."""
    samples: int | None = None
    """Videos of each batch that are looked at; all where left out."""
    relative: float = 0.02
    """Size of the perturbations, relative to the solution: large ones see what a solver visits,
    small ones alone what grows in a place of a few pixels."""

    def __post_init__(self) -> None:
        check_range(self, ("weight", "limit"), 0)
        if not 0 < self.relative < math.inf:
            raise ConfigError(f"relative is {self.relative}; wanted a number above 0")
        check_range(self, ("iterations", "samples"), 1)


@dataclass(frozen=True)
class Stage:
    """One stretch of training with a cosine learning rate of its own."""

    kind: str
    """``denoise``: remove Gaussian noise. ``equilibrium``: recover videos from snapshots."""
    steps: int
    """Optimizer steps."""
    batch: int
    """Videos a step, and a process where several train together."""
    size: int
    """Height and width of a crop."""
    rate: float
    """Learning rate at the start; it falls to ``final_rate`` along a half cosine."""
    final_rate: float = 0.0
    """Learning rate at the end."""
    frames: int = 8
    """T; 1 lets stills take part."""
    max_frames: int | None = None
    """T is drawn from ``frames`` to this for each batch; always ``frames`` where left out."""
    max_stride: int = 1
    """Largest step between the frames taken from a clip; drawn anew for each video."""
    precision: str = "float32"
    """``bfloat16`` runs the networks in bf16 and a solver's sums in float32: twice as fast, but
    the residual of a solve cannot fall below a few 1e-4 to 3e-3."""
    sigma: tuple[float, float] = (0.02, 0.2)
    """Range of the noise's standard deviation, log-uniform (denoise)."""
    adjoint: dict[str, Any] = field(default_factory=lambda: {"name": "phantom"})
    """Name and options of the gradient rule; ``unrolled`` trains without an equilibrium."""
    solver: dict[str, Any] = field(default_factory=lambda: {"name": "anderson"})
    """Name and options of the forward solver."""
    depth: tuple[int, int] | None = None
    """Evaluations at most of each solve, or of the unrolling, drawn from this range; the
    tolerance does not count then. The lowest may be 0 with an undamped phantom gradient, whose
    recorded evaluations then begin at the start."""
    start_noise: float = 0.0
    """The solve starts where the map begins plus Gaussian noise up to this σ, drawn for
    each video, so that the answer does not come to depend on the start."""
    start_blend: float = 0.0
    """Share of the videos whose solve starts somewhere between the truth and where the map begins:
    what the map makes of a good estimate is learned before it can make one."""
    reuse: int = 1
    """Steps that a sample takes part in, each solve beginning where its last one ended."""
    correction: Correction | None = None
    """Loss on states before the solution."""
    jacobian: float = 0.0
    """Weight of ‖J‖²_F / n at the solution (Bai et al. 2021), by one random vector."""
    stability: Stability | None = None
    """Penalty on growing perturbations."""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ConfigError(f"kind is {self.kind!r}; wanted one of {', '.join(KINDS)}")
        if self.precision not in PRECISIONS:
            raise ConfigError(
                f"precision is {self.precision!r}; wanted one of {', '.join(PRECISIONS)}"
            )
        counts = ("steps", "batch", "size", "frames", "max_stride", "reuse")
        check_range(self, counts, 1)
        check_range(self, ("rate", "final_rate", "start_noise", "start_blend", "jacobian"), 0)
        if not self.start_blend <= 1:
            raise ConfigError(f"start_blend is {self.start_blend}; wanted a share in [0, 1]")
        if self.max_frames is not None and self.max_frames < self.frames:
            raise ConfigError(f"max_frames is {self.max_frames}; wanted at least {self.frames}")
        if not 0 < self.sigma[0] <= self.sigma[1]:
            raise ConfigError(f"sigma is {list(self.sigma)}; wanted 0 < lowest ≤ highest")
        adjoint = self.build_adjoint()
        self.build_solver()
        lowest = 0 if isinstance(adjoint, Phantom) and adjoint.damping == 1 else 1
        if self.depth is not None and not lowest <= self.depth[0] <= self.depth[1]:
            raise ConfigError(f"depth is {list(self.depth)}; wanted {lowest} ≤ lowest ≤ highest")
        if self.correction is not None and self.correction.recorded:
            recorded = getattr(adjoint, "steps", 1)
            if isinstance(adjoint, Unrolled) and self.depth is not None:
                recorded = self.depth[0]
            if recorded <= self.correction.states:
                raise ConfigError(
                    f"the gradient rule records {recorded} states, one of them the last, and the "
                    f"correction wants {self.correction.states} more; wanted more steps"
                )
        if self.kind == "denoise":
            self._refuse("removes noise", *RECOVERING)
        else:
            self._refuse("solves for videos", "sigma")
        if isinstance(adjoint, Unrolled):
            self._refuse("unrolls from the start", "reuse", "stability")

    def _refuse(self, what: str, *names: str) -> None:
        """Raise ConfigError for a setting that would be ignored."""
        for f in fields(self):
            default = f.default if f.default_factory is MISSING else f.default_factory()
            if f.name in names and getattr(self, f.name) != default:
                raise ConfigError(f"a stage that {what} has no use for {f.name}; leave it out")

    def build_adjoint(self) -> Adjoint:
        options = dict(self.adjoint)
        inner = options.pop("solver", None)
        adjoint: Adjoint = _build(ADJOINTS, options, "adjoint")
        if inner is None:
            return adjoint
        if not isinstance(adjoint, Implicit):
            raise ConfigError(f"adjoint {self.adjoint['name']} solves nothing; leave solver out")
        return replace(adjoint, solver=_build(SOLVERS, inner, "solver of the adjoint"))

    def build_solver(self) -> Solver:
        return _build(SOLVERS, self.solver, "solver")

    def at_depth(self, evaluations: int) -> tuple[Adjoint, Solver]:
        """Gradient rule and solver that look no further than so many evaluations."""
        adjoint = self.build_adjoint()
        if isinstance(adjoint, Unrolled):
            adjoint = replace(adjoint, steps=evaluations)
        elif isinstance(adjoint, Phantom) and evaluations == 0:
            adjoint = Unrolled(adjoint.steps)
        limits = {"tol": 0.0, "max_iter": max(1, evaluations)}
        return adjoint, _build(SOLVERS, self.solver | limits, "solver")


@dataclass(frozen=True)
class Validation:
    """How a run is judged, always on the same crops and masks."""

    every: int = 200
    """Steps between validations."""
    clips: int = 6
    """Clips at most, in name order."""
    size: int = 96
    """Height and width of the crop from the middle of a clip."""
    frames: int | None = None
    """T; the ``frames`` of the stage where left out."""

    def __post_init__(self) -> None:
        check_range(self, ("every", "clips", "size", "frames"), 1)


@dataclass(frozen=True)
class TrainConfig:
    """A whole run."""

    model: str
    """Method name, as ``deqsci info`` lists it."""
    data: Data
    stages: tuple[Stage, ...]
    """Stages, in order; each begins with the weights the one before ended with."""
    masks: MaskSampler = field(default_factory=MaskSampler)
    """Masks, fresh for every video."""
    noise: tuple[float, float] = (0.0, 0.0)
    """Range of the snapshot noise's standard deviation, uniform, in units of one frame's full
    scale; a map that heeds the noise is told it."""
    clean: float = 0.0
    """Share of the snapshots that have no noise all the same."""
    init: Path | None = None
    """Weights to begin with (.safetensors of the same network); random ones otherwise."""
    validation: Validation = field(default_factory=Validation)
    seed: int = 0
    """Seed of the initial weights and of everything drawn."""
    device: str = "auto"
    """``auto`` is the GPU where there is one."""
    threads: int | None = None
    """CPU threads; all cores where left out."""
    compile: bool = False
    """Compile the network (torch.compile)."""
    checkpoint_every: int = 100
    """Steps between checkpoints."""
    minutes: float | None = None
    """Training time after which the run stops, with a checkpoint to go on from."""
    average: float = 0.0
    """Decay of the moving average of the weights, which is what is validated and written; 0 takes
    the weights as they are."""
    optimizer: str = "adamw"
    """``adamw``, or ``muon``, which learns filters in fewer steps."""
    weight_decay: float = 0.0
    """Decoupled weight decay."""
    clip_gradient: float = 1.0
    """Gradient norm above which a step is scaled down."""

    def __post_init__(self) -> None:
        if not self.stages:
            raise ConfigError("the configuration has no stages")
        check_range(self, ("checkpoint_every", "threads"), 1)
        check_range(self, ("seed", "minutes", "weight_decay"), 0)
        if self.optimizer not in OPTIMIZERS:
            raise ConfigError(
                f"optimizer is {self.optimizer!r}; wanted one of {', '.join(OPTIMIZERS)}"
            )
        if not 0 < self.clip_gradient < math.inf:
            raise ConfigError(f"clip_gradient is {self.clip_gradient}; wanted a number above 0")
        if self.compile and any(stage.jacobian > 0 for stage in self.stages):
            raise ConfigError("compiled networks have no second derivative; leave jacobian out")
        if not 0 <= self.average < 1:
            raise ConfigError(f"average is {self.average}; wanted a decay in [0, 1)")
        if not 0 <= self.clean <= 1:
            raise ConfigError(f"clean is {self.clean}; wanted a share in [0, 1]")
        if not 0 <= self.noise[0] <= self.noise[1]:
            raise ConfigError(f"noise is {list(self.noise)}; wanted 0 ≤ lowest ≤ highest")


def check_range(settings: object, names: Iterable[str], lowest: float) -> None:
    """Raise ConfigError unless the named settings are finite and at least ``lowest``, or None."""
    for name in names:
        value = getattr(settings, name)
        if value is not None and not lowest <= value < math.inf:
            raise ConfigError(f"{name} is {value}; wanted a number from {lowest} up")


def load_config(path: Path, changes: Mapping[str, str] | None = None) -> TrainConfig:
    """Read a YAML file and put in ``changes`` at dotted places; faults are ConfigErrors."""
    read = settings.override(settings.read_yaml(path), changes or {})
    return settings.build(TrainConfig, read, str(path))


def _build(table: dict[str, Any], options: object, what: str) -> Any:
    if not isinstance(options, dict) or not isinstance(options.get("name"), str):
        raise ConfigError(f"{what} is {options!r}; wanted a mapping with a name")
    rest = dict(options)
    name = rest.pop("name", None)
    if name not in table:
        raise ConfigError(f"{what} is {name!r}; wanted one of {', '.join(table)}")
    return settings.build(table[name], rest, f"{what} {name}")
