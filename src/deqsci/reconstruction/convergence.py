"""Whether a model has an equilibrium on a snapshot: measured, and said in words."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from enum import Enum

import torch
from torch import Tensor

from deqsci.errors import ConfigError
from deqsci.fixed_point import FixedPoint
from deqsci.fixed_point.monitor import norms
from deqsci.fixed_point.stability import Stability, stability
from deqsci.physics import SnapshotPhysics
from deqsci.reconstruction.equilibrium import DeepEquilibrium

SAME = 1e-5
"""Relative difference up to which two passes over the same video count as equal."""


class Verdict(Enum):
    """What a report says of one snapshot; the value is the sentence a person should read."""

    EQUILIBRIUM = (
        "an equilibrium: the solve converged, plain iteration stays there, and ρ(J) is estimated "
        "below 1"
    )
    UNSTABLE = (
        "a fixed point that plain iteration leaves: the solver alone holds it; train with a "
        "stability penalty, or try a smaller relaxation of the map, which helps where eigenvalues "
        "lie below −1"
    )
    UNDECIDED = (
        "not decided: plain iteration and the estimate of ρ(J) disagree; solve to a smaller tol "
        "and look at more plain evaluations"
    )
    NOT_REACHED = "no fixed point was reached: what follows describes the best iterate"
    NO_MAP = (
        "no map: two passes over the same video differ; call model.eval(), and keep out of the "
        "denoiser what is random or counts its calls"
    )


@dataclass(frozen=True)
class ConvergenceReport:
    """How a solve went and what holds at its end, sample by sample; ``print`` shows it in words.

    Attributes
    ----------
    solution : the solve; ``solution.value`` is the fixed point (B, T, H, W).
    video : what it stands for, (B, T, H, W): itself, or what the map's ``video`` makes of it.
    stability : plain iteration from the solution, and ρ(J) there.
    difference : (B,), relative difference of two passes over the solution: 0 for a map.
    lipschitz : a proved Lipschitz constant of the map, where there is one.
    """

    solution: FixedPoint
    video: Tensor
    stability: Stability
    difference: Tensor
    lipschitz: float | None

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """B entries."""
        facts = zip(
            self.difference.tolist(),
            self.solution.converged.tolist(),
            self.stability.stays.tolist(),
            (self.stability.radius < 1).tolist(),
        )
        return tuple(_verdict(*fact) for fact in facts)

    def __repr__(self) -> str:  # words in a notebook too, where the tensors say little
        count = len(self.verdicts)
        titles = [f"snapshot {index + 1} of {count}: " for index in range(count)]
        parts = [
            "\n    ".join([(title if count > 1 else "") + verdict.value, *self._details(index)])
            for index, (title, verdict) in enumerate(zip(titles, self.verdicts))
        ]
        return "\n".join(parts)

    def _details(self, index: int) -> list[str]:
        status = re.split("[:;]", self.solution.status[index].value, maxsplit=1)[0]
        plain = self.stability.residuals[index]
        last = float(plain[-1])
        course = (
            f"move it by {100 * float(self.stability.drift[index]):.2g} %, relative "
            f"residual {last:.1e} at their end"
            if math.isfinite(last)
            else "lead out of the finite numbers"
        )
        return [
            f"solve   {status}, {int(self.solution.evaluations[index])} evaluations, relative "
            f"residual {float(self.solution.residual[index]):.1e}",
            f"plain   {len(plain)} more evaluations {course}",
            f"ρ(J)    {_radius(float(self.stability.radius[index]))}",
            f"proved  {_proof(self.lipschitz)}",
        ]


def convergence_report(
    model: DeepEquilibrium,
    snapshot: Tensor,
    physics: SnapshotPhysics,
    *,
    plain: int = 50,
    products: int = 50,
    generator: torch.Generator | None = None,
) -> ConvergenceReport:
    """Solve, run on plainly from the solution, and estimate ρ(J) there. Shape: snapshot (B, H, W).

    Costs the solve, ``plain`` evaluations of the map and 2 · ``products`` products with its
    Jacobian, each about two evaluations. Memory: one recorded evaluation, some hundred megabytes
    for a snapshot of 256×256×8 and a network of 64 channels; a crop tells as much.

    Raises
    ------
    ConfigError : another model than a `DeepEquilibrium`.
    ShapeError, ValueRangeError : as in a reconstruction.
    """
    if not isinstance(model, DeepEquilibrium):
        raise ConfigError(
            f"{type(model).__name__} has no map of its own to report on; wanted a DeepEquilibrium, "
            f"of a tiled model the one that solves its tiles, on a crop"
        )
    physics.validate(snapshot)
    f, start = model.map.at(snapshot, physics)
    with torch.no_grad():
        solution = model.solver.solve(f, start)
        z = solution.value
        video = model.map.video(z, snapshot, physics)
        difference = norms(f(z) - f(z)) / norms(z).clamp_min(torch.finfo(z.dtype).tiny)
    around = stability(f, z, plain, products, generator)
    lipschitz = getattr(model.map, "lipschitz", None)
    return ConvergenceReport(solution, video, around, difference, lipschitz)


def _verdict(difference: float, converged: bool, stays: bool, contracts: bool) -> Verdict:
    if difference > SAME:
        return Verdict.NO_MAP
    if not converged:
        return Verdict.NOT_REACHED
    if stays != contracts:
        return Verdict.UNDECIDED
    return Verdict.EQUILIBRIUM if stays else Verdict.UNSTABLE


def _radius(radius: float) -> str:
    text = f"{radius:.4g} at the solution (power iteration: an estimate, no bound)"
    if 0 < radius < 1:
        halved = math.ceil(math.log(0.5) / math.log(radius))
        return f"{text}: plain evaluations halve the slowest error in {halved}"
    return text


def _proof(lipschitz: float | None) -> str:
    if lipschitz is None or lipschitz >= 1:
        return "nothing: another start may end elsewhere"
    return f"f contracts with L = {lipschitz:.4g} in exact arithmetic: one answer from any start"
