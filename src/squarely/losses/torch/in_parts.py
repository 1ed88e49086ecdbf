"""The sum of a loss over the rows of a linear layer, part by part: each leaves its share of value and gradients, and is forgotten."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from squarely.losses.compose import Counted, count, denominator, left_aligned, residual
from squarely.losses.kernels import Bound
from squarely.losses.options import Options
from squarely.losses.torch.call import TorchCall
from squarely.losses.torch.library import TORCH, torch

__all__ = ["Batch", "InParts", "Job"]

Tensor = torch.Tensor
linear = torch.nn.functional.linear
_PART, _PART_ELSEWHERE = 1 << 22, 1 << 24  # elements of the prediction at a time, on a processor and on another device
_FEWEST = 128  # rows; a product of fewer is slow
_BLOCK = 1 << 18  # elements whose intermediate results stay in the cache of a processor


# --- what a batch is, by rows ---------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Batch:
    """Targets (n, outputs), and what counts of them and how much."""

    target: Tensor
    options: Options

    @classmethod
    def of_rows(cls, target: Tensor, options: Options) -> "Batch":
        """Return a batch whose leading axes are one."""
        shape = tuple(target.shape)
        given = {"sample_weight": options.sample_weight, "mask": options.mask}
        flat: dict[str, Any] = {name: _by_rows(shape, each, name) for name, each in given.items() if each is not None}
        return cls(target.reshape(-1, shape[-1]), replace(options, **flat))

    def parts(self, size: int, fewest: int = 1) -> Iterator[slice]:
        """Yield its rows in parts of so many elements."""
        rows, outputs = self.target.shape
        step = max(fewest, size // max(outputs, 1))
        return (slice(start, min(start + step, rows)) for start in range(0, rows, step))

    def __getitem__(self, rows: slice) -> "Batch":
        weight, mask = (each if each is None else each[rows] for each in (self.options.sample_weight, self.options.mask))
        return Batch(self.target[rows], replace(self.options, sample_weight=weight, mask=mask))

    @property
    def counts_alike(self) -> bool:
        """Say whether all of it counts, and all alike."""
        options = self.options
        return options.sample_weight is None and options.output_weight is None and options.mask is None and options.nan_target == "propagate"

    def counted(self, pred: Tensor) -> Counted:
        """Return what counts; of the prediction, shape and type are looked at."""
        return count(TORCH, pred, self.target, self.options)

    def denominator(self, shape: tuple[int, ...], one: Tensor) -> Tensor:
        """Return what a mean over a prediction of this shape is divided by; ``one`` says in which type."""
        options = self.options
        if self.counts_alike or options.denom not in (None, "weight", "valid"):
            return denominator(TORCH, one, Counted(shape), options, shape)  # type: ignore[no-any-return]
        parts = (self[rows] for rows in self.parts(_part_size(one)))
        found = [denominator(TORCH, one, part.counted(one.expand(part.target.shape)), options, tuple(part.target.shape)) for part in parts]
        return torch.stack([torch.zeros_like(one), *found]).sum()


def _by_rows(shape: tuple[int, ...], array: Tensor, name: str) -> Tensor:
    """Return an array of the first axes as one of rows, or of rows and outputs."""
    aligned = left_aligned(shape, array, name)
    if array.ndim == len(shape):
        return array.reshape(-1, shape[-1])
    return aligned[..., 0].expand(shape[:-1]).reshape(-1)  # type: ignore[no-any-return]


def _part_size(tensor: Tensor) -> int:
    return _PART if tensor.device.type == "cpu" else _PART_ELSEWHERE


# --- the sum over its parts -----------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Job:
    """What is to be found of a batch: the sum of a loss times ``scale``, and which gradients of it."""

    loss: TorchCall
    bound: Bound
    batch: Batch
    scale: Tensor
    computed_in: torch.dtype
    wanted: tuple[bool, ...]

    @property
    def scales_late(self) -> bool:
        """Say whether gradients wait for the scale of the loss: in float16, those of a mean alone would often be 0."""
        return self.computed_in == torch.float16

    def composed(self, *given: Tensor | None) -> Tensor:
        """Return the same by way of the whole prediction, differentiable as often as one likes."""
        options = {name: getattr(self.batch.options, name) for name in ("sample_weight", "output_weight", "mask", "nan_target")}
        x, w, b = (each if each is None else each.to(self.computed_in) for each in given)
        assert x is not None
        assert w is not None
        return self.loss(linear(x, w, b), self.batch.target, reduction="sum", **options, **self.bound.settings) * self.scale


class _Sums:
    """Sums over rows: the loss and the gradients that are wanted."""

    def __init__(self, job: Job, input: Tensor, weight: Tensor, bias: Tensor | None) -> None:
        wide = TORCH.float_of(weight)  # half types are added up in float32
        self.job = job
        self.values = [torch.zeros_like(job.scale)]
        self.by_input = torch.empty_like(input) if job.wanted[0] else None
        self.by_weight = torch.zeros_like(weight, dtype=wide) if job.wanted[1] else None
        self.by_bias = torch.zeros_like(weight[:, 0], dtype=wide) if job.wanted[2] else None
        self.weight = weight.to(job.computed_in)
        self.bias = None if bias is None else bias.to(job.computed_in)

    def add(self, input: Tensor, rows: slice) -> None:
        """Add what some rows contribute."""
        part, x = self.job.batch[rows], input[rows].to(self.job.computed_in)
        slope = linear(x, self.weight, self.bias)  # the prediction, whose place the derivative takes
        for block in part.parts(_BLOCK if x.device.type == "cpu" else max(slope.numel(), 1)):
            self.values.append(self._value_and_slope(slope[block], part[block]))
        if self.by_weight is not None:
            _add_product(self.by_weight, slope.T, x)
        if self.by_bias is not None:
            self.by_bias += slope.sum(0, dtype=self.by_bias.dtype)
        if self.by_input is not None:
            there = self.by_input[rows]
            if there.dtype == slope.dtype:
                torch.mm(slope, self.weight, out=there)
            else:
                there.copy_(slope @ self.weight)
            if not self.job.scales_late:
                there *= self.job.scale

    def _value_and_slope(self, pred: Tensor, batch: Batch) -> Tensor:
        """Return the sum of the losses, and write the derivative of each over its prediction."""
        bound = self.job.bound
        if bound.kernel.constant_curvature and batch.counts_alike and pred.dtype == batch.target.dtype == self.job.scale.dtype:
            u = pred.sub_(batch.target).view(-1)  # a parabola needs no intermediate results
            kappa = bound.kappa(torch, self.job.scale)
            value: Tensor = kappa / 2 * u.dot(u)
            u *= kappa
            return value
        counted = batch.counted(pred)
        u = residual(TORCH, bound.kernel, {}, pred, batch.target, counted)
        if any(self.job.wanted):
            slope = counted.select(torch, bound.psi(torch, u))
            pred.copy_(slope if counted.weight is None else slope * counted.weight)
        value = counted.select(torch, bound.rho(torch, u))
        return (value if counted.weight is None else value * counted.weight).sum()

    def value(self) -> Tensor:
        """Return the loss."""
        return torch.stack(self.values).sum() * self.job.scale

    def gradients(self) -> tuple[Tensor | None, ...]:
        """Return the gradients by input, weight and bias."""
        for each in () if self.job.scales_late else (self.by_weight, self.by_bias):
            if each is not None:
                each *= self.job.scale
        return self.by_input, self.by_weight, self.by_bias


def _add_product(total: Tensor, left: Tensor, right: Tensor) -> None:
    """Add a product of matrices to a sum, which may be of a wider type."""
    if total.dtype == left.dtype:
        total.addmm_(left, right)
    else:
        total += left @ right


class InParts(torch.autograd.Function):
    """The sum of a loss, whose first derivatives are taken with its value."""

    @staticmethod
    def forward(ctx: Any, input: Tensor, weight: Tensor, bias: Tensor | None, job: Job) -> Tensor:
        """Return the value, and keep the gradients."""
        with torch.autocast(input.device.type, enabled=False):
            sums = _Sums(job, input, weight, bias)
            for rows in job.batch.parts(_part_size(input), _FEWEST):
                sums.add(input, rows)
            ctx.save_for_backward(input, weight, bias, *sums.gradients())
            ctx.job = job
            return sums.value()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients times that of the loss."""
        job, kept = ctx.job, ctx.saved_tensors  # to be asked for once
        given, found = kept[:3], kept[3:]
        if torch.is_grad_enabled():  # somebody may ask for derivatives of these
            with torch.autocast(grads[0].device.type, enabled=False):
                wanted = [each for each, is_wanted in zip(given, job.wanted, strict=True) if is_wanted]
                derived = iter(torch.autograd.grad(job.composed(*given), wanted, grads[0], create_graph=True))
            return *(next(derived) if is_wanted else None for is_wanted in job.wanted), None
        factor = grads[0] * job.scale if job.scales_late else grads[0]
        is_one = factor.device.type == "cpu" and factor.item() == 1  # other devices would have to be waited for
        scaled = (each if each is None or is_one else each.to(factor.dtype) * factor for each in found)
        return *(each if each is None else each.to(like.dtype) for each, like in zip(scaled, given, strict=True)), None
