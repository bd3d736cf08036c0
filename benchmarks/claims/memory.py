"""Constant memory: peak of one training step, and of one reconstruction, against evaluations.

The equilibrium with its implicit gradient against the same network unrolled. Every figure comes
from a process of its own; the forward solve takes exactly the evaluations asked for.

    python -m benchmarks.claims.memory
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import product

from benchmarks.claims.command import Command
from benchmarks.claims.step_memory import Step, peak_memory
from deqsci.fixed_point import Adjoint, Anderson, Implicit, Unrolled

RULES = ("training, equilibrium", "training, unrolled", "reconstruction")


def main(argv: Sequence[str] | None = None) -> None:
    command = Command("memory", __doc__, scenes=False)
    command.add_methods()
    command.parser.add_argument(
        "--evaluations", type=int, nargs="+", default=[10, 20, 50, 100, 200]
    )
    command.parser.add_argument("--size", type=int, default=64, help="height and width")
    arguments = command.parse(argv)
    results = command.results(arguments)
    for method, rule, count in product(arguments.methods, RULES, arguments.evaluations):
        # Without tolerance, patience or restarts a solve ends at its limit and not before.
        exact = Anderson(tol=0.0, max_iter=count, patience=count + 1, growth=float("inf"))
        step = Step(method, adjoint(rule, count), exact, arguments.size, arguments.device)
        results.fill(
            {"model": method, "rule": rule, "evaluations": count},
            partial(peak_memory, step),
        )


def adjoint(rule: str, count: int) -> Adjoint | None:
    """The gradient rule that is measured; None for a reconstruction, which needs none."""
    return dict(zip(RULES, (Implicit(), Unrolled(count), None)))[rule]


if __name__ == "__main__":
    main()
