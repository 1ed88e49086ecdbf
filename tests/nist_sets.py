"""The Statistical Reference Datasets of NIST, their certified values, and the exact solutions of the doubles nearest to the data."""

from __future__ import annotations

import csv
import json
import math
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parent / "nist"
CERTIFIED: dict[str, Any] = json.loads((FOLDER / "certified.json").read_text())
EXACT_OF_DOUBLES: dict[str, list[str]] = json.loads((FOLDER / "exact_float64_solution.json").read_text())


def columns(name: str) -> np.ndarray:
    """The data as doubles, y first, one column a row."""
    with (FOLDER / f"{name}.csv").open() as file:
        return np.array(list(csv.reader(file))[1:], np.float64).T


def designed(name: str) -> tuple[np.ndarray, np.ndarray, bool]:
    """X as a matrix of doubles, y, and whether there is an intercept."""
    y, *x = columns(name)
    design = CERTIFIED["linear"][name]["design"]
    if design.startswith("poly"):
        x = [x[0] ** power for power in range(1, int(design[4:]) + 1)]
    return np.column_stack(x), y, "no intercept" not in design


def grouped(name: str) -> tuple[np.ndarray, np.ndarray]:
    """The doubles of an analysis of variance, and the group of each; those of Simon and Lesage are made by their rule."""
    if not name.startswith("SmLs"):
        y, group = columns(name)
        return y, group.astype(int)
    decimals = simon_and_lesage(int(name[4:]))
    return np.array([float(value) for value, _ in decimals]), np.array([group for _, group in decimals])


def simon_and_lesage(number: int) -> list[tuple[str, int]]:
    """Nine groups of 21, 201 or 2,001 values about 1, 10^6 or 10^12 and four, three or five tenths: the middle, then a tenth below and above."""
    lead, pairs = 10 ** (6 * ((number - 1) // 3)), (10, 100, 1000)[(number - 1) % 3]
    middles = {group: 4 if group == 1 else 3 + 2 * (group % 2) for group in range(1, 10)}
    return [(f"{lead}.{tenths}", group) for group, middle in middles.items() for tenths in (middle, *(middle - 1, middle + 1) * pairs)]


def digits(found: Any, certified: Any) -> float:
    """The least number of significant digits that agree: of LRE = -log10 |found - certified| / |certified|, as NIST has it."""
    pairs = zip(np.ravel(found).tolist(), np.ravel(np.asarray(certified, object)).tolist(), strict=True)
    return min(_digits(Fraction(a), Fraction(Decimal(str(b)))) for a, b in pairs)


def _digits(found: Fraction, certified: Fraction) -> float:
    if found == certified:
        return 16.0
    return -math.log10(abs(found - certified) / (abs(certified) or 1))
