"""Losses for NumPy against scikit-learn's own, into buffers: one thread each, the best of many turns, taken in alternation.

python benchmarks/bench_losses_numpy.py [largest power of 2]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from itertools import product

import numpy as np
from sklearn._loss import loss as peers

import squarely.losses.numpy as face

PAIRS = [
    (face.HalfMSELoss(), peers.HalfSquaredError()),
    (face.L1Loss(), peers.AbsoluteError()),
    (face.PinballLoss(alpha=0.8), peers.PinballLoss(quantile=0.8)),
    (face.HuberLoss(delta=1.0), peers.HuberLoss(delta=1.0)),
]


def seconds(calls: list[Callable[[], object]], turns: int, repeats: int) -> list[float]:
    """The best time of each call."""
    best = [float("inf")] * len(calls)
    for _ in range(turns):
        for i, call in enumerate(calls):
            start = time.perf_counter()
            for _ in range(repeats):
                call()
            best[i] = min(best[i], (time.perf_counter() - start) / repeats)
    return best


def calls(asked: str, ours: face.Loss, theirs: peers.BaseLoss, n: int, is_weighted: bool) -> list[Callable[[], object]]:
    """The same question to the peer and to us, with buffers for the answers."""
    pred, target, weight = np.random.default_rng(0).normal(size=(3, n))
    outs = [np.empty(n) for _ in asked.split("_")]
    w = np.abs(weight) + 0.5 if is_weighted else None
    return [lambda: getattr(theirs, asked)(target, pred, w, *outs), lambda: getattr(ours, asked)(pred, target, w, *outs)]


def main(largest: int) -> None:
    print(f"{'rows':>9} {'loss':<12} {'asked':<24} {'peer ns':>8} {'ours ns':>8} {'ratio':>6}   (per element)")
    for power in (power for power in (10, 16, 20, 24) if power <= largest):
        n = 1 << power
        for (ours, theirs), is_weighted, asked in product(PAIRS, (False, True), ("loss", "gradient", "loss_gradient")):
            both = calls(asked, ours, theirs, n, is_weighted)
            peer, own = seconds(both, turns=25 if power < 24 else 7, repeats=max(1, (1 << 16) // n))
            words = asked + (", weighted" if is_weighted else "")
            print(f"{n:>9} {type(ours).__name__:<12} {words:<24} {peer / n * 1e9:8.2f} {own / n * 1e9:8.2f} {own / peer:6.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 24)
