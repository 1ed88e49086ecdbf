"""The baselines that predict the target of a row before: of all rows, or of those of the same group."""

import numpy as np
import numpy.typing as npt

from squarely.errors import DataError
from squarely.evaluate.order import comparable, ranks
from squarely.sources import Batch, Column, Key

__all__ = ["Before"]

Floats = npt.NDArray[np.float64]


class Before:
    """The target of some rows before, which takes rows in order; the first rows have none.

    Parameters
    ----------
    step : int
    of_groups : bool
        Whether the rows before are those of the same group, which then are judged to lie in order; else the evaluation judges that.
    along : str, optional
        The column of the order within groups; without, the rows are in order by assurance.
    """

    def __init__(self, step: int, of_groups: bool = False, along: str | None = None) -> None:
        self.step, self.of_groups, self.along = step, of_groups, along
        self._last: dict[Key, Floats] = {}  # by group
        self._where: dict[Key, str] = {}
        self._time: dict[Key, Key] = {}

    def start(self) -> "Before":
        """Return the rule for one reading of the rows."""
        return Before(self.step, self.of_groups, self.along)

    def column(self, batch: Batch) -> Column:
        """Return the predictions of a batch, which follows the last one."""
        y = batch.target.doubles()
        if not self.of_groups:
            return Column(self._follow(None, y))
        labels, codes = batch.keys[0].labels, batch.keys[0].codes
        order = np.argsort(codes, kind="stable")
        predicted, times = np.empty_like(y), None if self.along is None else ranks(self.along, batch.keys[-1])
        for rows in np.split(order, np.flatnonzero(np.diff(codes[order])) + 1) if len(y) else []:
            group = labels[codes[rows[0]]]
            self._judge(batch, group, rows, times)
            predicted[rows] = self._follow(group, y[rows])
        return Column(predicted)

    def _follow(self, group: Key, y: Floats) -> Floats:
        """Return the predictions of the next rows of a group."""
        known: Floats = np.concatenate([self._last.get(group, np.full(self.step, np.nan)), y])
        self._last[group] = known[len(known) - self.step :]
        return known[: len(known) - self.step]

    def _judge(self, batch: Batch, group: Key, rows: npt.NDArray[np.intp], times: npt.NDArray[np.intp] | None) -> None:
        """Refuse rows of a group that are not in order, or lie in several files, whose order is not known."""
        before = self._where.setdefault(group, batch.where)
        if before != batch.where:
            raise DataError(
                f"the rows of {str(group)[:60]!r} lie in several files, as {before} and {batch.where}, whose order is not known. Join them."
            )
        if times is None or self.along is None:
            return
        first, last = (batch.keys[-1].labels[batch.keys[-1].codes[row]] for row in (rows[0], rows[-1]))
        early = rows[1:][np.diff(times[rows]) < 0]
        if comparable(self.along, first) < comparable(self.along, self._time.get(group, first)):
            early = rows
        if len(early):
            what = f"row {batch.start + int(early[0]) + 1:,} comes before an earlier one of {str(group)[:60]!r} in column {self.along[:60]!r}"
            raise DataError(f"{batch.where}: {what}, which order= names. Sort the rows by it first.")
        self._time[group] = last
