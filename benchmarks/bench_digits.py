"""How many digits losses have: squared error and its gradient of a long batch against exact arithmetic, by each pass, and whether runs agree."""

import hashlib
import json
import math
import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
import torch
from timing import CORES, Options, Sheet, child

import squarely as sq
import squarely.losses.torch as in_torch
from squarely.losses.torch import cuda, one_pass

LARGEST = 28
INTERPRETED = 22  # in a minute of one core
COLUMNS = 1 << 12
APART = 3  # rows of the numbers from a target to its prediction: one array is both, which is half the memory
BLOCK = 1 << 4  # rows that are held to exact arithmetic at a time
EVERY = 64  # rows of which one has missing targets
WIDTHS = {torch.float32: 24, torch.float64: 53}


class Batch(NamedTuple):
    """Numbers whose rows are targets, and ``APART`` rows before that predictions, with what is said of rows beside them."""

    numbers: torch.Tensor
    given: dict[str, torch.Tensor | str]

    def blocks(self) -> Iterator[tuple[slice, Any, Any, Any, Any]]:
        """Yield some rows at a time: where they are, predictions and targets as float64, weights, and what counts."""
        rows = len(self.numbers) - APART
        for start in range(0, rows, BLOCK):
            part = slice(start, start + BLOCK)
            both = self.numbers[start : start + BLOCK + APART].double().numpy()
            pred, target = both[:-APART], both[APART:]
            weight = self.given["sample_weight"][part].numpy() if "sample_weight" in self.given else np.ones(len(pred))
            mask = self.given["mask"][part].numpy() if "mask" in self.given else np.ones(len(pred), bool)
            yield part, pred, target, weight[:, None].astype(float), mask[:, None] & ~np.isnan(target)


class Digits(NamedTuple):
    """What was seen: units in the last place from the exact value, gradients that are not the nearest number, the farthest, and same bits twice."""

    what: str
    value: float
    wrong: int
    farthest: float
    same: bool


def batches(power: int, dtype: torch.dtype) -> Iterator[tuple[str, Batch]]:
    """Yield batches of the same numbers: plain, with weights of rows, which add up to a float64, and with rows left out and missing targets."""
    rows, drawn = (1 << power) // COLUMNS, np.random.default_rng(power)
    numbers = torch.from_numpy(drawn.standard_normal((rows + APART, COLUMNS), dtype=str(dtype).partition(".")[2]))
    yield "plain", Batch(numbers, {})
    yield "weighted", Batch(numbers, {"sample_weight": torch.from_numpy(drawn.integers(1 << 19, 3 << 19, rows) / 2**20).to(dtype)})
    lacks = np.arange(rows + APART) % EVERY == 5
    numbers[torch.from_numpy(lacks), ::7] = torch.nan
    mask = (drawn.random(rows) < 0.9) & ~lacks[:rows]  # where a prediction is nan, nothing may count
    yield "masked, missing targets", Batch(numbers, {"mask": torch.from_numpy(mask), "nan_target": "omit"})


def run(batch: Batch, reduction: str, device: str) -> tuple[float, torch.Tensor]:
    """Return value and gradient, as training takes them."""
    numbers = batch.numbers.to(device)
    pred = numbers[:-APART].detach().requires_grad_()
    given = {name: each.to(device) if isinstance(each, torch.Tensor) else each for name, each in batch.given.items()}
    value = in_torch.mse_loss(pred, numbers[APART:], reduction=reduction, **given)
    value.backward()
    assert type(value.grad_fn).__name__ == "_OnePassBackward"
    assert pred.grad is not None
    return value.item(), pred.grad.cpu()


def digits(power: int, dtype: torch.dtype, device: str) -> Iterator[Digits]:
    """Hold values and gradients to exact arithmetic."""
    for kind, batch in batches(power, dtype):
        state, total = sq.PairState(), Fraction(0)
        for _, pred, target, weight, counts in batch.blocks():
            state.update(target[counts], pred[counts], np.broadcast_to(weight, counts.shape)[counts])
            total += sum((Fraction(w) * n for w, n in zip(weight.ravel().tolist(), counts.sum(1).tolist(), strict=True)), Fraction(0))
        squares = state.sums.squared_error * Fraction(2) ** (2 * state.sums.scale + state.sums.weight_scale)
        for reduction, den in (("mean", total), ("sum", Fraction(1))):
            exact = squares / den
            value, gradient = run(batch, reduction, device)
            wrong, farthest = compared(batch, gradient, 2 / den)
            bits = (value, _bits(gradient))
            del gradient
            again, gradient = run(batch, reduction, device)
            error = float(abs(Fraction(value) - exact) / _place(exact, WIDTHS[dtype]))
            yield Digits(f"{kind}, {reduction}", error, wrong, farthest, bits == (again, _bits(gradient)))
            del gradient


def compared(batch: Batch, gradient: torch.Tensor, factor: Fraction) -> tuple[int, float]:
    """Return how many gradients are not the number that is nearest to the exact one, and the farthest from it in units of the last place."""
    high = float(factor)
    factors = (high, float(factor - Fraction(high)))
    wrong, farthest = 0, 0.0
    for part, pred, target, weight, counts in batch.blocks():
        error = _difference(np.where(counts, pred, 0.0), np.where(counts, target, 0.0))
        exact = _times(error if "sample_weight" not in batch.given else _product(error, (weight, 0.0)), factors)
        found = gradient[part].numpy()
        wrong += int((found != _rounded(*exact, found.dtype)).sum())
        units = np.spacing(np.abs(exact[0]).astype(found.dtype)).astype(float)
        farthest = max(farthest, float((np.abs((found - exact[0]) - exact[1]) / units).max()))
    return wrong, farthest


def _difference(a: Any, b: Any) -> tuple[Any, Any]:
    """A difference of two numbers as two, without error (Knuth)."""
    high = a - b
    part = high - a
    return high, (a - (high - part)) - (b + part)


def _times(a: tuple[Any, Any], factors: tuple[float, float]) -> tuple[Any, Any]:
    """A sum of two numbers times another; a power of two needs no care."""
    if math.frexp(factors[0])[0] == 0.5 and factors[1] == 0:
        return a[0] * factors[0], a[1] * factors[0]
    return _product(a, factors)


def _product(a: tuple[Any, Any], b: tuple[Any, Any]) -> tuple[Any, Any]:
    """A product of sums of two numbers, with an error of some 2^-104 (Dekker)."""
    high = a[0] * b[0]
    halves = [(upper, each - upper) for each in (a[0], b[0]) for upper in [each * 134217729.0 - (each * 134217729.0 - each)]]
    (p, q), (r, s) = halves
    low = ((p * r - high) + p * s + q * r) + q * s + (a[0] * b[1] + a[1] * b[0])
    total = high + low
    return total, low - (total - high)


def _rounded(high: Any, low: Any, dtype: Any) -> Any:
    """A sum of two numbers, of which the first is the nearest float64, rounded once to a type."""
    if dtype == np.float64:
        return high
    bits = high.view(np.int64)  # rounded to odd, so that what is a tie of float32 without the low number is none with it
    toward = np.where((low < 0) != (high < 0), bits - 1, bits) | 1
    return np.where(low == 0, bits, toward).view(np.float64).astype(dtype)


def _place(number: Fraction, width: int) -> Fraction:
    """The unit in the last place of a positive number."""
    power = number.numerator.bit_length() - number.denominator.bit_length()
    power -= Fraction(2) ** power > number
    return Fraction(2) ** (power - width + 1)


def _bits(gradient: torch.Tensor) -> bytes:
    return hashlib.sha256(gradient.numpy().data).digest()


def tell(sheet: Sheet, seen: Digits) -> None:
    """Note what was seen, and whether it is what it should be."""
    sheet.note(f"{seen.what}: value {seen.value:.2f} units in the last place from exact, at most 2", met=seen.value <= 2)
    wrong = f"gradients that are not the nearest number: {seen.wrong:,}, the farthest {seen.farthest:.2f} units from exact"
    sheet.note(f"  {wrong}", met=seen.wrong == 0)
    sheet.note(f"  the same bits in two runs: {seen.same}", met=seen.same)


def interpreted(power: int) -> None:
    """Print what the kernel in Triton's interpreter finds, for the process that wants to know.

    One program has all: a lane adds 512 numbers, twice as many as of the longest batch on a device.
    """
    from squarely.losses.fused import launch

    as_on_a_device = one_pass.Engine(cuda.takes, cuda.one_pass, cuda.multiplied, (torch.float16,))
    with ExitStack() as patches:
        patches.enter_context(mock.patch.multiple(launch, TILE=(1 << power) // 512, _ON_A_PROCESSOR=1))
        patches.enter_context(mock.patch.dict(one_pass.ENGINES, cpu=as_on_a_device))
        patches.enter_context(mock.patch.object(in_torch.mse_loss, "_native", None))
        for seen in digits(power, torch.float32, "cpu"):
            print(json.dumps(seen), flush=True)


def of_digits(options: Options, sheet: Sheet) -> None:
    size = f"2^{LARGEST} squared errors and their gradients"
    sheet.title(f"35. Digits of {size}, against exact arithmetic", "units in the last place")
    sheet.note("weights are multiples of 2^-20, so that what a mean with weights is divided by is a float64 and has no error of its own")
    torch.set_num_threads(CORES)
    for dtype in WIDTHS:
        sheet.note(f"the compiled pass, {str(dtype).partition('.')[2]}:")
        for seen in digits(LARGEST, dtype, "cpu"):
            tell(sheet, seen)
    start = time.perf_counter()
    with mock.patch.dict(os.environ, TRITON_INTERPRET="1"):
        lines = child("benchmarks/bench_digits.py", str(INTERPRETED)).splitlines()
    sheet.note(f"the kernel in Triton's interpreter, float32, 2^{INTERPRETED} elements, in {time.perf_counter() - start:.0f} s:")
    for line in lines:
        tell(sheet, Digits(*json.loads(line)))
    if not torch.cuda.is_available():
        sheet.note("the kernel on a device is left out: torch sees no GPU")
        return
    for dtype in WIDTHS:
        sheet.note(f"the kernel on {torch.cuda.get_device_name()}, {str(dtype).partition('.')[2]}:")
        for seen in digits(LARGEST, dtype, "cuda"):
            tell(sheet, seen)


SECTIONS = {35: of_digits}

if __name__ == "__main__":
    interpreted(int(sys.argv[1]))
