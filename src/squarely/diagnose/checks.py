"""All checks: the modules of the questions register theirs when they are loaded."""

from squarely.diagnose import advise, calibration, dependence, noise, rows, skill, spread, tails, variance  # noqa: F401
from squarely.diagnose.finding import CHECKS, Check

__all__ = ["CHECKS", "Check"]
