"""The one table of pointwise losses: each is declared once, with its derivatives, for every framework."""

from squarely.losses.kernels import asymmetric, convex, quadratic, redescending
from squarely.losses.kernels.kernel import KERNELS, Bound, Kernel, checked, find, kernel
from squarely.losses.kernels.own import pointwise

__all__ = ["KERNELS", "Bound", "Kernel", "asymmetric", "checked", "convex", "find", "kernel", "pointwise", "quadratic", "redescending"]
