"""How to differentiate through a fixed point: four answers to one question."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Protocol

import torch
from torch import Tensor

from deqsci.errors import ConfigError
from deqsci.fixed_point.anderson import Anderson
from deqsci.fixed_point.monitor import Callback, Map, Monitor, norms, rows
from deqsci.fixed_point.result import FixedPoint, Status


class Solver(Protocol):
    """Anything that solves z = f(z)."""

    @property
    def max_iter(self) -> int: ...

    def solve(self, f: Map, z0: Tensor, callback: Callback | None = None) -> FixedPoint: ...


class Adjoint(Protocol):
    """Solves z = f(z) and attaches a gradient rule to the solution."""

    def fixed_point(
        self, f: Map, z0: Tensor, solver: Solver, callback: Callback | None = None
    ) -> FixedPoint: ...


@dataclass(frozen=True)
class Implicit:
    """The exact gradient by the implicit function theorem (paper eq. 11; Bai et al. 2019).

    dL/dθ = vᵀ ∂f/∂θ at the solution, with v = Jᵀv + ∂L/∂z solved by ``solver``. The map v ↦ Jᵀv + g
    is solved for g of unit norm and scaled back, so tolerance and ridge mean the same whatever
    the size of the loss. How well it was solved is in ``FixedPoint.backward[0]`` after the
    backward pass. Memory: one evaluation of f, whatever the depth.
    """

    solver: Solver = field(default_factory=lambda: Anderson(tol=1e-5, max_iter=100, memory=10))
    """Solver of the adjoint system; its tolerance is relative, like any."""

    def fixed_point(
        self, f: Map, z0: Tensor, solver: Solver, callback: Callback | None = None
    ) -> FixedPoint:
        solution = solver.solve(f, z0.detach(), callback)
        if not torch.is_grad_enabled():
            return solution
        z = solution.value.detach().requires_grad_()
        fz = f(z)
        if not fz.requires_grad:
            return solution
        value = fz.view_as(fz)  # a node of its own: the products below must not call the hook

        def solve_adjoint(gradient: Tensor) -> Tensor:
            # The largest entry first: the squares in a norm of very small ones would underflow.
            peak = rows(gradient.flatten(1).abs().amax(1), gradient)
            scaled = torch.where(peak > 0, gradient / peak, 0.0)
            size = rows(norms(scaled), scaled).to(gradient.dtype)
            unit = torch.where(peak > 0, scaled / size, 0.0)

            def transpose(v: Tensor) -> Tensor:
                (product,) = torch.autograd.grad(fz, z, v, retain_graph=True)
                return product.add_(unit)

            solution.backward[:] = [self.solver.solve(transpose, unit)]
            return solution.backward[0].value * size * peak

        value.register_hook(solve_adjoint)
        return replace(solution, value=value)


@dataclass(frozen=True)
class Phantom:
    """Gradient through ``steps`` damped evaluations after the solution (Geng et al. 2021).

    Equals ``steps`` terms of the damped Neumann series of the exact gradient. Memory: ``steps``
    evaluations. With a contraction it tends to the exact gradient as ``steps`` grows.
    """

    steps: int = 5
    """Evaluations of f that are recorded."""
    damping: float = 1.0
    """Share of each step taken, in (0, 1]; below 1 it tames maps whose J is large."""

    def __post_init__(self) -> None:
        _check_steps(self.steps)
        if not 0 < self.damping <= 1:
            raise ConfigError(f"damping is {self.damping}; wanted a number in (0, 1]")

    def fixed_point(
        self, f: Map, z0: Tensor, solver: Solver, callback: Callback | None = None
    ) -> FixedPoint:
        solution = solver.solve(f, z0.detach(), callback)
        if not torch.is_grad_enabled():
            return solution
        z = solution.value
        for _ in range(self.steps):
            z = torch.lerp(z, f(z), self.damping)
        return replace(solution, value=z)


@dataclass(frozen=True)
class JacobianFree:
    """Gradient of one evaluation at the solution, J taken as 0 (Fung et al. 2022).

    The cheapest, and a descent direction only where ‖J‖ is well below 1.
    """

    def fixed_point(
        self, f: Map, z0: Tensor, solver: Solver, callback: Callback | None = None
    ) -> FixedPoint:
        return Phantom(steps=1).fixed_point(f, z0, solver, callback)


@dataclass(frozen=True)
class Unrolled:
    """``steps`` plain evaluations from ``z0``, recorded whole; the solver is not used.

    The non-equilibrium twin of a model. Memory grows with ``steps``.
    """

    steps: int = 10
    """Evaluations of f."""

    def __post_init__(self) -> None:
        _check_steps(self.steps)

    def fixed_point(
        self, f: Map, z0: Tensor, solver: Solver, callback: Callback | None = None
    ) -> FixedPoint:
        monitor = Monitor(z0, 0.0, self.steps, callback)
        z = z0
        for _ in range(self.steps):
            fz = f(z)
            monitor.observe(fz.detach(), fz.detach() - z.detach())
            z = fz
        monitor.stop(~z.detach().flatten(1).isfinite().all(1), Status.DIVERGED)
        monitor.stop(monitor.active, Status.UNROLLED)
        return replace(monitor.finish(), value=z)


def _check_steps(steps: int) -> None:
    if steps < 1:
        raise ConfigError(f"steps is {steps}; wanted at least 1")
