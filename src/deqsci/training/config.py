"""What a training run is told, read from one YAML file."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import yaml

from deqsci.errors import ConfigError
from deqsci.fixed_point import Adjoint, Anderson, Implicit, JacobianFree, Phantom, Picard, Solver

ADJOINTS = {"implicit": Implicit, "phantom": Phantom, "jacobian-free": JacobianFree}
SOLVERS = {"anderson": Anderson, "picard": Picard}


@dataclass(frozen=True)
class Stage:
    """One stretch of training with a cosine learning rate of its own."""

    kind: str
    """``denoise``: remove Gaussian noise from stills and frames. ``equilibrium``: recover videos
    from snapshots at the fixed point."""
    steps: int
    """Optimizer steps."""
    batch: int
    """Frames (denoise) or videos (equilibrium) a step."""
    size: int
    """Height and width of a crop."""
    rate: float
    """Learning rate at the start; it falls to ``final_rate`` along a half cosine."""
    final_rate: float = 0.0
    """Learning rate at the end."""
    frames: int = 8
    """T (equilibrium)."""
    sigma: tuple[float, float] = (0.02, 0.2)
    """Range of the noise's standard deviation, log-uniform (denoise)."""
    adjoint: dict[str, Any] = field(default_factory=lambda: {"name": "phantom"})
    """Name and options of the gradient rule (equilibrium)."""
    solver: dict[str, Any] = field(default_factory=lambda: {"name": "anderson"})
    """Name and options of the forward solver (equilibrium)."""
    stability: float = 0.0
    """Weight of the penalty on perturbations that the map makes grow (equilibrium)."""
    growth_limit: float = 0.95
    """Growth of a perturbation above which the penalty sets in (equilibrium)."""
    precision: str = "float32"
    """``bfloat16`` runs the convolutions in bf16 and everything else in float32: twice as fast,
    but the residual of a solve cannot fall below about 3e-3."""

    def __post_init__(self) -> None:
        if self.kind not in ("denoise", "equilibrium"):
            raise ConfigError(f"stage kind is {self.kind!r}; wanted 'denoise' or 'equilibrium'")
        if self.precision not in ("float32", "bfloat16"):
            raise ConfigError(f"precision is {self.precision!r}; wanted 'float32' or 'bfloat16'")
        if min(self.steps, self.batch, self.size, self.frames) < 1:
            raise ConfigError("steps, batch, size and frames of a stage must be at least 1")
        self.build_adjoint(), self.build_solver()

    def build_adjoint(self) -> Adjoint:
        return _build(ADJOINTS, self.adjoint, "adjoint")

    def build_solver(self) -> Solver:
        return _build(SOLVERS, self.solver, "solver")


@dataclass(frozen=True)
class TrainConfig:
    """A whole run."""

    model: str
    """Method name, as ``deqsci info`` lists it."""
    train: tuple[Path, ...]
    """Folders with training videos and stills."""
    validation: tuple[Path, ...]
    """Folders with validation videos, other sources than the training ones."""
    stages: tuple[Stage, ...]
    """Stages, in order; each begins with the weights the one before ended with."""
    seed: int = 0
    """Seed of the initial weights and of everything drawn."""
    threads: int = 2
    """CPU threads."""
    validate_every: int = 200
    """Steps between validations."""
    checkpoint_every: int = 100
    """Steps between checkpoints."""
    clip_gradient: float = 1.0
    """Gradient norm above which a step is scaled down."""

    def __post_init__(self) -> None:
        if not self.stages:
            raise ConfigError("the configuration has no stages")


def load_config(path: Path) -> TrainConfig:
    """Read a YAML file; unknown, missing or ill-typed keys are a ConfigError."""
    try:
        settings = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path} cannot be read as YAML: {error}") from error
    config = _from_mapping(TrainConfig, settings, str(path))
    assert isinstance(config, TrainConfig)
    return config


def _build(table: dict[str, Any], settings: dict[str, Any], what: str) -> Any:
    options = dict(settings)
    name = options.pop("name", None)
    if name not in table:
        raise ConfigError(f"{what} is {name!r}; wanted one of {', '.join(table)}")
    try:
        return table[name](**options)
    except TypeError as error:
        raise ConfigError(f"{what} {name}: {error}") from error


def _from_mapping(cls: type, settings: object, where: str) -> Any:
    if not isinstance(settings, dict):
        raise ConfigError(f"{where}: wanted a mapping of settings, found {type(settings).__name__}")
    hints = get_type_hints(cls)
    unknown = set(settings) - set(hints)
    if unknown:
        raise ConfigError(f"{where}: unknown setting {', '.join(sorted(map(str, unknown)))}")
    missing = {
        f.name
        for f in dataclasses.fields(cls)
        if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
    } - set(settings)
    if missing:
        raise ConfigError(f"{where}: missing setting {', '.join(sorted(missing))}")
    return cls(**{k: _convert(hints[k], v, f"{where}: {k}") for k, v in settings.items()})


def _convert(hint: Any, value: Any, where: str) -> Any:
    if get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise ConfigError(f"{where}: wanted a list, found {value!r}")
        return tuple(_convert(get_args(hint)[0], item, where) for item in value)
    if dataclasses.is_dataclass(hint):
        return _from_mapping(hint, value, where)  # type: ignore[arg-type]
    if get_origin(hint) is dict:
        if not isinstance(value, dict):
            raise ConfigError(f"{where}: wanted a mapping, found {value!r}")
        return value
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if hint is Path and isinstance(value, str):
        return Path(value)
    if type(value) is not hint:
        raise ConfigError(f"{where}: wanted {hint.__name__}, found {value!r}")
    return value
