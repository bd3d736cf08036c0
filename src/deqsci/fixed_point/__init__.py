"""Fixed points of any map z = f(z), how to differentiate through them, and how stable they are."""

from deqsci.fixed_point.adjoint import Adjoint, Implicit, JacobianFree, Phantom, Solver, Unrolled
from deqsci.fixed_point.anderson import Anderson
from deqsci.fixed_point.broyden import Broyden
from deqsci.fixed_point.jacobian import spectral_norm, spectral_radius
from deqsci.fixed_point.mixed_precision import MixedPrecision
from deqsci.fixed_point.picard import Picard
from deqsci.fixed_point.result import FixedPoint, Status

__all__ = [
    "Adjoint",
    "Anderson",
    "Broyden",
    "FixedPoint",
    "Implicit",
    "JacobianFree",
    "MixedPrecision",
    "Phantom",
    "Picard",
    "Solver",
    "Status",
    "Unrolled",
    "spectral_norm",
    "spectral_radius",
]
