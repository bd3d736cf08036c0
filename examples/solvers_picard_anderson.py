"""What acceleration buys, and what it hides, on a problem whose answer is known.

Run it with ``python examples/solvers_picard_anderson.py``.
"""

import torch

from deqsci import Anderson, Broyden, Picard, spectral_radius
from deqsci.fixed_point.stability import stability

# %% An affine map z ↦ zMᵀ + b whose largest eigenvalue is ρ; its fixed point is a linear system.
torch.manual_seed(0)
SIZE = 200
basis = torch.linalg.qr(torch.randn(SIZE, SIZE, dtype=torch.float64))[0]
offset = torch.randn(1, SIZE, dtype=torch.float64)


def affine(low: float, high: float):
    """The map with eigenvalues from ``low`` to ``high``, and its fixed point."""
    matrix = basis @ torch.diag(torch.linspace(low, high, SIZE, dtype=torch.float64)) @ basis.T
    identity = torch.eye(SIZE, dtype=torch.float64)
    return lambda z: z @ matrix.T + offset, torch.linalg.solve(identity - matrix, offset.T).T


# %% A contraction: every solver finds the answer, some sooner.
f, answer = affine(-0.5, 0.98)
for solver in (Picard(1e-8, 5000), Anderson(1e-8, 500), Broyden(1e-8, 500)):
    solution = solver.solve(f, torch.zeros_like(offset))
    error = float((solution.value - answer).norm() / answer.norm())
    print(f"{type(solver).__name__:9} {int(solution.evaluations):5} evaluations, error {error:.0e}")
print(f"ρ(J) = {float(spectral_radius(f, answer)):.3f}")

# %% Past ρ = 1 Anderson still finds the fixed point. Plain iteration leaves it.
f, answer = affine(-1.5, 0.9)
solution = Anderson(1e-6, 500).solve(f, torch.zeros_like(offset))
around = stability(f, solution.value)
print(f"Anderson {solution.status[0].name}, ρ(J) = {float(around.radius):.3f}, "
      f"plain iteration stays: {bool(around.stays)}")  # fmt: skip
