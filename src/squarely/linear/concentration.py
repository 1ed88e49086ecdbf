"""FAST-LTS: many lines at once are drawn to the rows that fit them best, in doubles; what it finds is a choice of rows."""

import numpy as np
import numpy.typing as npt

from squarely.linear.doubled import Doubles

__all__ = ["nearest_rows"]

Indices = npt.NDArray[np.intp]
_PART, _PARTS = 300, 5  # rows of a part that starts are tried on, and how many parts there are at most
_GO_ON = 100  # lines, of all parts, that are followed to their end
_BEST = 20  # of them, in all rows where these are many
_FIRST_STEPS = 2
_AT_ONCE = 1 << 21  # doubles of rows that are gathered for some lines
_TINY = 1e-13  # of the mean diagonal of moments: what makes the moments of rows that lie together regular
_SAME = 1e-12


def nearest_rows(matrix: Doubles, target: Doubles, size: int, starts: int, most: int) -> Indices:
    """Return the ``size`` rows whose least squares have the least sum of squares that was found.

    Lines through few rows are drawn in each part, and make two C-steps there; the best of each part make two in all parts together and two in
    all rows, where the best of these go on until nothing changes, at most ``most`` times.
    """
    rng = np.random.default_rng(0)
    matrix, target = _standardised(matrix), target / (np.abs(target).max() or 1.0)
    count, width = matrix.shape
    parts = _parts(count, max(_PART, 6 * width), rng)
    each = -(-starts // len(parts))
    lines = np.vstack([_started(matrix[part], target[part], -(-size * len(part) // count), each, rng)[: _GO_ON // len(parts)] for part in parts])
    if len(parts) > 1:
        together = np.concatenate(parts)
        lines = _stepped(matrix[together], target[together], lines, -(-size * len(together) // count), _FIRST_STEPS)[0]
        lines, squares = _stepped(matrix, target, lines, size, _FIRST_STEPS)
        lines = lines[_distinct(squares)[:_BEST]]
    lines, squares = _stepped(matrix, target, lines, size, most)
    best: Indices = _nearest(matrix, target, lines[[int(np.argmin(squares))]], size)[0]
    return best


def _standardised(matrix: Doubles) -> Doubles:
    """Return the same span, with columns whose middle half is about 0, where there is an intercept, and of a size of 1, however far others are."""
    if matrix.shape[1] and (matrix[:, 0] == 1).all():
        matrix = np.hstack([matrix[:, :1], matrix[:, 1:] - np.median(matrix[:, 1:], axis=0)])
    sizes, largest = np.median(np.abs(matrix), axis=0), np.abs(matrix).max(axis=0)
    scale = np.where(sizes > 0, sizes, np.where(largest > 0, largest, 1.0))
    return np.asarray(matrix / scale, np.float64)


def _parts(count: int, size: int, rng: np.random.Generator) -> list[Indices]:
    """Return parts of the rows that have none in common, or all rows where these are fewer than two parts."""
    number = min(_PARTS, count // size)
    order = rng.permutation(count)
    whole: list[Indices] = [np.arange(count)]
    return whole if number < 2 else [np.sort(order[at * size : (at + 1) * size]) for at in range(number)]


def _started(matrix: Doubles, target: Doubles, size: int, starts: int, rng: np.random.Generator) -> Doubles:
    """Return the best lines that come from lines through as many rows as decide one."""
    count, width = matrix.shape
    drawn = np.argsort(rng.random((starts, count)), axis=1)[:, :width]
    lines = np.vstack([_solved(matrix[rows], target[rows])[0] for rows in _portions(drawn, width)])
    lines, squares = _stepped(matrix, target, lines, size, _FIRST_STEPS)
    return lines[_distinct(squares)]


def _distinct(squares: Doubles) -> Indices:
    """Return where sums of squares are, the least first, without those that are the same: they are of the same rows."""
    order = np.argsort(squares, kind="stable")
    apart = np.append(True, np.diff(squares[order]) > _SAME * squares[order[1:]])
    return np.asarray(order[apart], np.intp)


def _stepped(matrix: Doubles, target: Doubles, lines: Doubles, size: int, most: int) -> tuple[Doubles, Doubles]:
    """Return lines and the sums of squares of their rows after C-steps; a line that has settled, or is the same as another, makes no more."""
    lines, squares = lines.copy(), np.full(len(lines), np.inf)
    moving = np.arange(len(lines))
    for _ in range(most):
        chosen = _nearest(matrix, target, lines[moving], size)
        steps = [_solved(matrix[rows], target[rows]) for rows in _portions(chosen, matrix.shape[1])]
        before = squares[moving]
        lines[moving], squares[moving] = np.vstack([line for line, _ in steps]), np.concatenate([each for _, each in steps])
        moving = moving[squares[moving] < before * (1 - _SAME)]
        if not len(moving):
            break
        moving = moving[_distinct(squares[moving])]
    return lines, squares


def _nearest(matrix: Doubles, target: Doubles, lines: Doubles, size: int) -> Indices:
    """Return the rows nearest to each line."""
    errors = np.abs(target - lines @ matrix.T)
    return np.argpartition(errors, size - 1, axis=1)[:, :size]


def _portions(chosen: Indices, width: int) -> list[Indices]:
    """Return choices of rows, as many at a time as there is room to gather their rows."""
    return np.array_split(chosen, -(-chosen.size * width // _AT_ONCE))


def _solved(rows: Doubles, targets: Doubles) -> tuple[Doubles, Doubles]:
    """Return the least squares of each choice of rows, and their sums of squares."""
    width = rows.shape[2]
    across = rows.swapaxes(1, 2)
    moments: Doubles = across @ rows
    diagonal = np.arange(width)
    moments[:, diagonal, diagonal] += _TINY * np.trace(moments, axis1=1, axis2=2)[:, None] / width + np.finfo(np.float64).tiny
    lines = np.linalg.solve(moments, across @ targets[:, :, None])
    squares: Doubles = np.square(targets[:, :, None] - rows @ lines).sum(axis=(1, 2))
    return np.asarray(lines[:, :, 0], np.float64), squares
