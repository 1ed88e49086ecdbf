"""What a training loss costs beside the loss of the same name in each framework: value and gradient, on the processor."""

import os
import re
import sys
from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "torch")  # before anything imports Keras, which would look for TensorFlow

import jax
import keras
import numpy as np
import optax
import torch
from sklearn._loss import loss as of_scikit_learn
from timing import CORES, Options, Sheet, all_in_turn, block, child, in_turn, timed

import squarely.losses.jax as in_jax
import squarely.losses.keras as in_keras
import squarely.losses.numpy as in_numpy
import squarely.losses.torch as in_torch

POWERS = (10, 16, 18, 19, 20, 24)
TURNS = 15
ONE_PASS_ROWS = 20_000_000
Step = Callable[[], Any]


class Lines:
    """Lines of a table that are measured together; small arrays may take half as long again as those of the peer, large ones no longer."""

    def __init__(self) -> None:
        self._said: list[tuple[str, float | None]] = []
        self._pairs: list[tuple[Callable[[], float], Callable[[], float]]] = []

    def add(self, what: str, power: int, ours: Step, theirs: Step, *, has_target: bool = True) -> None:
        self._said.append((f"{what}, 2^{power} elements", (1.5 if power == 10 else 1.0) if has_target else None))
        self._pairs.append((block(ours), block(theirs)))

    def show(self, sheet: Sheet) -> None:
        for (what, most), measured in zip(self._said, all_in_turn(self._pairs, TURNS), strict=True):
            sheet.line(what, *measured, ratio_at_most=most)


def numbers(power: int) -> tuple[Any, Any, Any]:
    """Return predictions, targets and positive numbers in float32."""
    drawn = np.random.default_rng(0).standard_normal((3, 1 << power)).astype(np.float32)
    return drawn[0], drawn[1], np.abs(drawn[2]) + np.float32(0.5)


def let_go_of_memory() -> None:
    """Bring the C library to keep what it is given back, as in programs that let go of large arrays: else every step of both asks anew."""
    torch.ones(30 << 20, dtype=torch.uint8)


def torch_step(loss: Callable[..., Any], leaf: torch.Tensor, *others: torch.Tensor) -> None:
    """Take value and gradient, as training does."""
    leaf.grad = None
    loss(leaf, *others).backward()


def of_torch(options: Options, sheet: Sheet) -> None:
    functional = torch.nn.functional
    torch.set_num_threads(CORES)
    let_go_of_memory()
    sheet.title(f"18. Value and gradient of losses, float32, {CORES} threads, against torch {torch.__version__.partition('+')[0]}", "microseconds")
    names = ("mse_loss", "l1_loss", "huber_loss", "smooth_l1_loss")
    calls = {name: in_turn(*(block(partial(getattr(where, name), *torch.ones(2, 1))) for where in (in_torch, functional)), TURNS) for name in names}
    lines = Lines()
    for power in POWERS:
        pred, target, spread = (torch.tensor(each) for each in numbers(power))
        leaf = pred.requires_grad_()
        for name in names:
            losses = [getattr(where, name) for where in (in_torch, functional)]
            is_same = len({type(loss(leaf, target).grad_fn) for loss in losses}) == 1 and power > 10
            lines.add(name, power, *(partial(torch_step, loss, leaf, target) for loss in losses), has_target=not is_same)
            if is_same:
                ours, theirs = calls[name]
                times = f"which ours calls in {ours:.2f} microseconds and torch in {theirs:.2f}"
                sheet.note(f"{name}, 2^{power} elements: both are one operation of torch's, {times}", met=ours <= theirs)
        ours = partial(torch_step, lambda p, y, w: in_torch.mse_loss(p, y, weight=w), leaf, target, spread)
        by_hand = partial(torch_step, lambda p, y, w: (w * (p - y) ** 2).sum() / w.sum(), leaf, target, spread)
        lines.add("mse_loss with weights, against four operations by hand", power, ours, by_hand, has_target=False)
    lines.show(sheet)
    sheet.note("by hand: a missing target with a weight of 0 makes the gradient nan; ours looks where weights are 0")


def of_numpy(options: Options, sheet: Sheet) -> None:
    sheet.title(
        f"19. Losses of NumPy arrays, float64, into buffers, {CORES} threads from 2^16 elements on, against scikit-learn's own, on one",
        "microseconds",
    )
    pairs = (
        (in_numpy.HalfMSELoss(), of_scikit_learn.HalfSquaredError()),
        (in_numpy.L1Loss(), of_scikit_learn.AbsoluteError()),
        (in_numpy.PinballLoss(alpha=0.8), of_scikit_learn.PinballLoss(quantile=0.8)),
        (in_numpy.HuberLoss(delta=1.0), of_scikit_learn.HuberLoss(delta=1.0)),
    )
    lines = Lines()
    for power in POWERS:
        pred, target, weight = (each.astype(np.float64) for each in numbers(power))
        buffers = [np.empty(1 << power) for _ in range(2)]
        for ours, theirs in pairs:
            for asked in ("loss", "gradient", "loss_gradient"):
                for w in (None, weight):
                    outs = buffers[: len(asked.split("_"))]
                    mine, others = partial(getattr(ours, asked), pred, target, w, *outs), partial(getattr(theirs, asked), target, pred, w, *outs)
                    lines.add(f"{type(ours).__name__} {asked}{'' if w is None else ', weighted'}", power, mine, others)
    lines.show(sheet)


def program(step: Any, *arrays: Any) -> str:
    """Return what XLA makes of a step, with numbers in place of names."""
    whole = step.lower(*arrays).compile().as_text()
    bare = re.sub(r", metadata=\{[^}]*\}|[\w.]+: ", "", whole[whole.index("\n\n%") :])
    names: dict[str, str] = {}
    return re.sub(r"%[\w.]+", lambda found: names.setdefault(found[0], f"%{len(names)}"), bare)


def of_jax(options: Options, sheet: Sheet) -> None:
    sheet.title(f"20. Value and gradient of losses, float32, compiled by JAX {jax.__version__}, against optax {optax.__version__}", "microseconds")
    pairs = {
        "mse_loss": optax.squared_error,
        "half_mse_loss": optax.l2_loss,
        "huber_loss": optax.huber_loss,
        "log_cosh_loss": optax.log_cosh,
    }
    lines = Lines()
    for power in POWERS:
        pred, target, _ = (jax.device_put(each) for each in numbers(power))
        for name, theirs in pairs.items():
            steps = [jax.jit(jax.value_and_grad(loss)) for loss in (getattr(in_jax, name), lambda p, y, f=theirs: f(p, y).mean())]
            is_same = program(steps[0], pred, target) == program(steps[1], pred, target)
            ours, others = (partial(lambda step, p, y: jax.block_until_ready(step(p, y)), step, pred, target) for step in steps)
            lines.add(name, power, ours, others, has_target=not is_same)
            if is_same:
                sheet.note(f"{name}, 2^{power} elements: of both XLA makes the same program, but for names, so neither is the slower", met=True)
    lines.show(sheet)


def of_keras(options: Options, sheet: Sheet) -> None:
    sheet.title(f"21. Value and gradient of losses, float32, on torch, {CORES} threads, against Keras {keras.__version__}", "microseconds")
    torch.set_num_threads(CORES)
    let_go_of_memory()
    pairs = (
        ("MSELoss", in_keras.MSELoss(), keras.losses.MeanSquaredError()),
        ("L1Loss", in_keras.L1Loss(), keras.losses.MeanAbsoluteError()),
        ("HuberLoss", in_keras.HuberLoss(), keras.losses.Huber()),
        ("LogCoshLoss", in_keras.LogCoshLoss(), keras.losses.LogCosh()),
        ("MSLELoss", in_keras.MSLELoss(), keras.losses.MeanSquaredLogarithmicError()),
    )
    lines = Lines()
    for power in POWERS:
        pred, target, spread = (torch.tensor(each).reshape(-1, 8) for each in numbers(power))
        leaf, positive = pred.requires_grad_(), spread.requires_grad_()
        for name, ours, theirs in pairs:
            arrays = (positive, spread.detach().flip(0)) if name == "MSLELoss" else (leaf, target)
            mine, others = (partial(torch_step, lambda p, y, f=loss: f(y, p), *arrays) for loss in (ours, theirs))
            lines.add(name, power, mine, others)
    lines.show(sheet)


def of_likelihoods(options: Options, sheet: Sheet) -> None:
    """Take the gradients by mean and by variance, as networks that predict both are trained."""
    sheet.title(f"26. Gaussian likelihood: value and gradients by mean and variance, {CORES} threads, against torch", "microseconds")
    torch.set_num_threads(CORES)
    lines = Lines()
    for power, dtype in product((10, 16, 20, 24), (torch.float32, torch.float64)):
        pred, target, spread = (torch.tensor(each, dtype=dtype) for each in numbers(power))
        arrays, logs = [pred, target, spread], [pred.clone(), target, spread.log()]
        ways = (
            ("var", arrays, lambda p, y, v: in_torch.gaussian_nll_loss(p, y, var=v), torch.nn.functional.gaussian_nll_loss),
            ("log_var", logs, lambda p, y, s: in_torch.gaussian_nll_loss(p, y, log_var=s), _of_log_variance),
        )
        for name, given, *losses in ways:
            ours, theirs = (partial(likelihood_step, loss, *given) for loss in losses)
            for leaf in (given[0], given[2]):
                leaf.requires_grad_()
            lines.add(f"{name}, {str(dtype).partition('.')[2]}", power, ours, theirs)
        if power == 24:
            half = torch.ones(5 * (1 << power) // 2, dtype=dtype)  # of the bytes of three arrays that are read and two that are written
            ours, copy = partial(likelihood_step, ways[0][2], *arrays), partial(torch.ones_like(half).copy_, half)
            lines.add(f"var, {str(dtype).partition('.')[2]}, against a copy of as many bytes", power, ours, copy, has_target=False)
    lines.show(sheet)
    sheet.note("log_var: torch has no such argument, and users write gaussian_nll_loss(p, y, s.exp())")


def likelihood_step(loss: Callable[..., Any], pred: torch.Tensor, target: torch.Tensor, spread: torch.Tensor) -> None:
    """Take value and both gradients."""
    pred.grad = spread.grad = None
    loss(pred, target, spread).backward()


def _of_log_variance(pred: torch.Tensor, target: torch.Tensor, spread: torch.Tensor) -> Any:
    return torch.nn.functional.gaussian_nll_loss(pred, target, spread.exp())


LAYER = (100_000, 512, 1_024)  # rows, inputs, outputs
# One step in a process of its own: the peak of its resident memory, less what was resident before the step. Inputs, weights and targets are
# made last and are the most until then, and a step of 64 rows has started the threads and filled the buffers of the library.
EXTRA = """
import sys
import torch
import squarely.losses.torch as losses

def resident(what):
    return next(int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith(what))

def whole(x, w, y, b):
    return torch.nn.functional.mse_loss(torch.nn.functional.linear(x, w, b), y)

torch.set_num_threads({cores})
loss = {loss}
rows, inputs, outputs = {layer}
w, b = torch.randn(outputs, inputs, requires_grad=True), torch.randn(outputs, requires_grad=True)
loss(torch.randn(64, inputs, requires_grad=True), w, torch.randn(64, outputs), b).backward()
w.grad = b.grad = None
x, y = torch.randn(rows, inputs).requires_grad_({by_input}), torch.randn(rows, outputs)
before = resident("VmRSS")
loss(x, w, y, b).backward()
print(resident("VmHWM") - before)
"""


def of_linear(options: Options, sheet: Sheet) -> None:
    rows, inputs, outputs = LAYER
    size = f"{rows:,} x {inputs} -> {outputs:,}"
    sheet.title(f"24. Squared error of a linear layer, {size}, float32, {CORES} threads, against torch's linear and mse_loss", "milliseconds or MB")
    torch.set_num_threads(CORES)
    functional, drawn = torch.nn.functional, torch.Generator().manual_seed(0)
    x, w, y, b = (torch.randn(*shape, generator=drawn) for shape in ((rows, inputs), (outputs, inputs), (rows, outputs), (outputs,)))
    weight = torch.rand(rows, generator=drawn) + 0.5

    def step(loss: Callable[..., Any], *leaves: torch.Tensor, **given: Any) -> None:
        for leaf in leaves:
            leaf.grad = None
        loss(x, w, y, b, **given).backward()

    def whole(x: Any, w: Any, y: Any, b: Any) -> Any:
        return functional.mse_loss(functional.linear(x, w, b), y)

    def by_hand(x: Any, w: Any, y: Any, b: Any) -> Any:
        return (weight[:, None] * (functional.linear(x, w, b) - y) ** 2).sum() / (weight.sum() * outputs)

    for leaves, what, by_input in (((x, w, b), "input, weight and bias", True), ((w, b), "weight and bias", False)):
        for leaf in (x, w, b):
            leaf.grad = None
            leaf.requires_grad_(any(leaf is each for each in leaves))
        if sheet.agree(what, [(in_torch.linear_mse_loss(x, w, y, b).item(), whole(x, w, y, b).item())], within=1e-5):
            ours, theirs = (partial(step, loss, *leaves) for loss in (in_torch.linear_mse_loss, whole))
            sheet.line(f"value and gradients by {what}", *timed(ours, theirs, options.repeats, 1e3), ratio_at_most=1.0)
        if sys.platform == "linux":
            given = {"cores": CORES, "layer": LAYER, "by_input": by_input}
            extra = [float(child("-c", EXTRA.format(loss=loss, **given))) / 1e6 for loss in ("losses.linear_mse_loss", "whole")]
            sheet.line("  the most memory beside what was there before, MB", *extra, ratio_at_most=0.5)
    x.requires_grad_()
    ours, theirs = partial(step, in_torch.linear_mse_loss, x, w, b, sample_weight=weight), partial(step, by_hand, x, w, b)
    sheet.line("with weights of rows, against four operations by hand", *timed(ours, theirs, options.repeats, 1e3), ratio_at_most=1.0)


def of_one_pass(options: Options, sheet: Sheet) -> None:
    """Compare with what users write, and with what no program can beat: as many bytes as are read and written, copied to memory at hand."""
    sheet.title(f"25. One pass on the processor: squared loss and gradient of {ONE_PASS_ROWS:,} elements, {CORES} threads", "milliseconds")
    torch.set_num_threads(CORES)
    for dtype in (torch.float32, torch.float64):
        drawn = np.random.default_rng(0).standard_normal((2, ONE_PASS_ROWS), dtype=str(dtype).partition(".")[2])
        leaf, target = torch.tensor(drawn[0]).requires_grad_(), torch.tensor(drawn[1])
        half = torch.ones(3 * ONE_PASS_ROWS // 2, dtype=dtype)  # of the bytes of two arrays that are read and one that is written
        at_hand = torch.ones_like(half)
        ours = partial(torch_step, in_torch.mse_loss, leaf, target)
        name = f"{str(dtype).partition('.')[2]}, against"
        others = (
            ("F.mse_loss and backward of torch", partial(torch_step, torch.nn.functional.mse_loss, leaf, target), 0.5),
            ("NumPy's e = p - y; (e * e).mean(); 2 / n * e", partial(_obvious, *drawn), 0.5),
            ("a copy of as many bytes", partial(at_hand.copy_, half), 1.3),
        )
        for what, theirs, most in others:
            sheet.line(f"{name} {what}", *timed(ours, theirs, TURNS, 1e3), ratio_at_most=most)


def _obvious(pred: Any, target: Any) -> tuple[Any, Any]:
    """Return value and gradient as users of NumPy write them."""
    e = pred - target
    return (e * e).mean(), 2 / len(e) * e


SECTIONS = {18: of_torch, 19: of_numpy, 20: of_jax, 21: of_keras, 24: of_linear, 25: of_one_pass, 26: of_likelihoods}
