"""The one table of pointwise losses: each is declared once, with its derivatives, for every framework."""

from squarely.losses.kernels import asymmetric, convex, quadratic, redescending
from squarely.losses.kernels.kernel import KERNELS, Bound, Kernel, checked, kernel, refuse_places
from squarely.losses.kernels.own import pointwise
from squarely.losses.kernels.residual import BoundResidual

__all__ = [
    "KERNELS",
    "Bound",
    "BoundResidual",
    "Kernel",
    "asymmetric",
    "checked",
    "convex",
    "kernel",
    "pointwise",
    "quadratic",
    "redescending",
    "refuse_places",
]
