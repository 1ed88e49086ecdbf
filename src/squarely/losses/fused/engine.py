"""Loss and gradient in one pass over memory and one launch, for what the kernel takes."""

from collections.abc import Mapping

from squarely.losses.forms.several import Normal
from squarely.losses.fused.device import tl
from squarely.losses.fused.kernel import multiply, one_pass
from squarely.losses.fused.launch import FLOATS, TILE, Grid, Spread, current, flat, is_read, scratch, warps
from squarely.losses.fused.terms import Program, of_kernel, of_likelihood
from squarely.losses.kernels import Bound
from squarely.losses.torch.library import TORCH, torch

__all__ = ["likelihood", "multiplied", "pointwise"]

Tensor = torch.Tensor
_TYPES = {torch.float32: tl.float32, torch.float64: tl.float64}


def pointwise(
    kernel: Bound,
    pred: Tensor,
    target: Tensor,
    weight: Tensor | None,
    mask: Tensor | None,
    *,
    omit: bool,
    scale: float | Tensor,
    den: float | Tensor = 1.0,
    samples: bool,
    gradient: bool,
) -> tuple[Tensor, Tensor | None] | None:
    r"""Return the sum of a pointwise loss and its gradient: one pass, one launch, and nothing waits for the device.

    .. math:: c \sum w \rho(u), \qquad c \, w \, \psi(u) \, \frac{\partial u}{\partial \text{pred}}, \qquad c = \frac{\text{scale}}{\text{den}}

    Both are the same on every run of one device. The sum has the error of about one rounding, whatever its length. A gradient is rounded once to the
    type of ``pred``: of a loss of the difference whose derivative is made of constants and lines through 0, it is the nearest number to the exact
    one; of others, psi is computed in float32 (float64 for such numbers), and what it is multiplied by in float64.

    Parameters
    ----------
    kernel : loss with all its settings, those of its residual too
    pred, target : tensors of one shape
    weight : floating tensor that broadcasts to it, or None; where it is 0, nothing counts
    mask : boolean tensor that broadcasts to it, or None
    omit : whether a target that is nan does not count
    scale, den : numbers, or tensors of no axes on the device
    samples : whether there is a sum for each index of the first axis
    gradient : whether there is one

    Returns
    -------
    total, gradient
        None where this is not for the kernel: a formula that cannot be traced, settings that change all the time, a type that is none of
        the four floats, or a weight or mask that varies along axes that are no neighbours.
    """
    program = of_kernel(kernel)
    if program is None:
        return None
    found = _run(program, pred, target, None, weight, mask, omit=omit, scale=scale, den=den, samples=samples, writes=(gradient, False))
    return None if found is None else found[:2]


def likelihood(
    form: type[Normal],
    pred: Tensor,
    target: Tensor,
    spread: Tensor,
    weight: Tensor | None,
    mask: Tensor | None,
    *,
    is_log: bool,
    settings: Mapping[str, float],
    omit: bool,
    scale: float | Tensor,
    den: float | Tensor = 1.0,
    samples: bool,
    gradient: bool,
    gradient_of_spread: bool,
) -> tuple[Tensor, Tensor | None, Tensor | None] | None:
    """Return the sum of a likelihood and its gradients by ``pred`` and ``spread``, in the same way as ``pointwise``.

    ``spread`` is the variance, or its logarithm where ``is_log``.
    """
    program = of_likelihood(form, is_log, settings)
    if program is None:
        return None
    writes = (gradient, gradient_of_spread)
    return _run(program, pred, target, spread, weight, mask, omit=omit, scale=scale, den=den, samples=samples, writes=writes)


def multiplied(gradient: Tensor, by: Tensor) -> Tensor:
    """Return a gradient that ``pointwise`` has made, multiplied in its place by a tensor of no axes; nothing is read or written where that is 1."""
    if gradient.numel():
        grid = Grid.of(1, gradient.numel(), gradient.device)
        kind = tl.float64 if gradient.dtype is torch.float64 else tl.float32
        with current(gradient):
            multiply[(grid.splits,)](
                gradient,
                by,
                gradient.numel(),
                FLOAT=kind,
                WIDE=grid.is_wide,
                C=TILE,
                num_warps=warps(TILE, gradient.dtype),
                enable_fp_fusion=False,
            )
    return gradient


def _run(
    program: Program,
    pred: Tensor,
    target: Tensor,
    spread: Tensor | None,
    weight: Tensor | None,
    mask: Tensor | None,
    *,
    omit: bool,
    scale: float | Tensor,
    den: float | Tensor,
    samples: bool,
    writes: tuple[bool, bool],
) -> tuple[Tensor, Tensor | None, Tensor | None] | None:
    """Launch the kernel once and return sum and gradients, or None."""
    if pred.dtype not in FLOATS or not is_read(target) or (spread is not None and spread.dtype not in FLOATS):
        return None
    dtype = TORCH.float_of(pred, target, *([] if spread is None else [spread]))
    rows = pred.shape[0] if samples else 1
    in_order = any(each is not None and _is_spread(each) for each in (weight, mask))
    pred = pred.contiguous() if in_order else _dense(pred, samples)
    by_pred = torch.empty_like(pred) if writes[0] else None
    by_spread = torch.empty_like(pred, dtype=spread.dtype) if writes[1] and spread is not None else None
    if pred.numel() == 0:
        return pred.new_zeros(rows if samples else (), dtype=dtype), by_pred, by_spread
    weights, masks = (None if each is None else Spread.of(each, pred) for each in (weight, mask))
    if (weights is None) != (weight is None) or (masks is None) != (mask is None):
        return None
    target, spread = flat(target, pred), None if spread is None else flat(spread, pred)
    grid = Grid.of(rows, pred.numel() // rows, pred.device)
    totals = torch.empty(rows if samples else (), dtype=dtype, device=pred.device)
    with current(pred):
        partials, counter = scratch(grid, totals, dtype)
        one_pass[grid.groups, grid.splits](
            pred,
            target,
            pred if spread is None else spread,
            pred if weights is None else weights.numbers,
            pred if masks is None else masks.numbers,
            scale if isinstance(scale, Tensor) else pred,
            1.0 if isinstance(scale, Tensor) else float(scale),
            den if isinstance(den, Tensor) else pred,
            1.0 if isinstance(den, Tensor) else float(den),
            pred if by_pred is None else by_pred,
            pred if by_spread is None else by_spread,
            totals,
            partials,
            counter,
            grid.rows,
            grid.columns,
            1 if weights is None else weights.inner,
            1 if weights is None else weights.size,
            1 if masks is None else masks.inner,
            1 if masks is None else masks.size,
            TERMS=program.terms,
            LINE=program.line,
            NARROW=program.narrow and pred.dtype is not torch.float64 and target.is_floating_point() and target.dtype is not torch.float64,
            FLOAT=_TYPES[dtype],
            OMITS=omit and target.is_floating_point(),
            SCALED=isinstance(scale, Tensor),
            DIVIDED=isinstance(den, Tensor),
            WEIGHTED=weights is not None,
            WEIGHT_SPREAD=weights is not None and weights.is_spread,
            MASKED=masks is not None,
            MASK_SPREAD=masks is not None and masks.is_spread,
            HAS_SPREAD=spread is not None,
            WRITES=by_pred is not None,
            WRITES_SPREAD=by_spread is not None,
            WIDE=grid.is_wide,
            SPLIT=grid.splits > 1,
            PARTS=grid.parts,
            R=grid.high,
            C=grid.wide,
            num_warps=warps(grid.high * grid.wide, dtype),
            enable_fp_fusion=False,
        )
    return totals, by_pred, by_spread


def _is_spread(array: Tensor) -> bool:
    """Say whether an array has one number for several elements, which are counted in the order of the axes."""
    return any(size == 1 or stride == 0 for size, stride in zip(array.shape, array.stride(), strict=True))


def _dense(pred: Tensor, samples: bool) -> Tensor:
    """Return the prediction without holes, and with its samples one after the other where they matter."""
    in_order = torch.empty_like(pred, device="meta").stride() == pred.stride()  # a dense tensor keeps its strides
    apart = not samples or pred.shape[0] == 1 or pred.stride(0) * pred.shape[0] == pred.numel()
    return pred if in_order and apart else pred.contiguous()
