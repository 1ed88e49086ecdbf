"""The inverse power law of a learning curve: what more rows would bring, where the curve follows it."""

from dataclasses import dataclass

import numpy as np

from squarely.decompose.learner import Floats

__all__ = ["PowerLaw", "fitted", "nearest"]

_POWERS = np.geomspace(0.1, 3.0, 41)
_FEWEST = 5  # sizes
_OFF, _EXPLAINED = 0.05, 0.9  # of the errors: how far a law may be off them, and how much of their fall it has to explain


@dataclass(frozen=True)
class PowerLaw:
    """``floor + scale * rows ** -power``; the floor is what no number of rows mends: bias and noise."""

    floor: float
    scale: float
    power: float

    def __call__(self, rows: Floats | float) -> Floats:
        """Return the error to expect of a fit to so many rows."""
        return self.floor + self.scale * np.asarray(rows, float) ** -self.power

    def saving(self, rows: float) -> float:
        """Return the share of the error that twice the rows would save."""
        now, then = self(np.array([rows, 2 * rows]))
        return float(1 - then / now)


def fitted(rows: Floats, errors: Floats) -> PowerLaw | None:
    """Return the nearest law; None where it is off the errors."""
    if len(rows) < _FEWEST or not (np.isfinite(errors) & (errors > 0)).all():
        return None
    law = nearest(rows, errors)
    fall = float(np.square(1 - errors.mean() / errors).sum())
    squares = float(np.square(1 - law(rows) / errors).sum())
    return law if law.scale > 0 and squares <= min(len(rows) * _OFF**2, (1 - _EXPLAINED) * fall) else None


def nearest(rows: Floats, errors: Floats) -> PowerLaw:
    r"""Return the law of least relative squares, :math:`\min \sum (1 - (a + b n^{-c}) / e_n)^2` with a, b >= 0."""

    def best(powers: Floats) -> PowerLaw:
        return min((_with_power(rows, errors, power) for power in powers.tolist()), key=lambda each: each[0])[1]

    step = _POWERS[1] / _POWERS[0]
    near = best(_POWERS).power
    return best(near * np.geomspace(1 / step, step, 21))


def _with_power(rows: Floats, errors: Floats, power: float) -> tuple[float, PowerLaw]:
    """Return the least squares of floor and scale for a power, each at least 0, and their sum."""
    falling = (rows / rows[-1]) ** -power  # near 1, so that its coefficient is of the size of the errors
    design = np.column_stack([1 / errors, falling / errors])
    floor, scale = np.linalg.lstsq(design, np.ones(len(rows)), rcond=None)[0].tolist()
    if floor < 0:
        floor, scale = 0.0, float(design[:, 1].sum() / np.square(design[:, 1]).sum())
    if scale < 0:
        floor, scale = float(design[:, 0].sum() / np.square(design[:, 0]).sum()), 0.0
    squares = float(np.square(1 - design @ [floor, scale]).sum())
    return squares, PowerLaw(floor, scale * rows[-1] ** power, power)
