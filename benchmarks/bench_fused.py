"""What the kernel of the losses does on a GPU: share of the memory's speed, time beside torch, launches, memory and digits."""

import os
from collections.abc import Callable
from functools import partial
from typing import Any

os.environ.pop("TRITON_INTERPRET", None)  # which would run the kernel on the processor

import torch
from timing import Options, Sheet, in_turn

import squarely.losses.torch as in_torch
from squarely.losses.kernels import KERNELS, Bound, checked

Step = Callable[[], Any]
LARGEST = 28
POWERS = (10, 14, 18, 22, 26)
TURNS = 9
WAITS = ("cudaStreamSynchronize", "cudaDeviceSynchronize", "cudaEventSynchronize", "cudaMemcpy", "cuStreamSynchronize", "cuCtxSynchronize")


def clock(step: Step, length: float = 20_000.0) -> Callable[[], float]:
    """Return a measurement in microseconds of the device's own clock, over so many steps as take about ``length``."""
    for _ in range(3):  # compiles, and fills caches
        step()

    def measure(times: int) -> float:
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        for _ in range(times):
            step()
        end.record()
        end.synchronize()
        return float(start.elapsed_time(end)) * 1000 / times

    return partial(measure, max(1, int(length / max(measure(1), 1.0))))


def drawn(power: int, dtype: torch.dtype = torch.float32, *, many: int = 3) -> list[torch.Tensor]:
    """Return positive numbers on the device."""
    generator = torch.Generator("cuda").manual_seed(0)
    return [torch.rand(1 << power, generator=generator, device="cuda", dtype=dtype) + 0.5 for _ in range(many)]


def engine(name: str, *, gradient: bool = True) -> Callable[..., Any]:
    """Return the pass of a loss over (pred, target, weight)."""
    from squarely.losses.fused import pointwise

    kernel = Bound(KERNELS[name], checked(KERNELS[name], {}))
    rest = {"omit": False, "scale": 1e-6, "samples": False, "gradient": gradient}
    return lambda pred, target, weight=None: pointwise(kernel, pred, target, weight, None, **rest)


def of_bytes(sheet: Sheet, largest: int) -> None:
    """Hold each pass beside a copy that moves the bytes it has to move, and no other."""
    a, b = drawn(largest, many=2)
    of_copy = clock(lambda: b.copy_(a))
    sheet.note(f"a copy of 2^{largest} float32 moves {8 * (1 << largest) / of_copy() / 1e3:.0f} GB/s")
    cases = [("mse_loss", torch.float32, 12, 2), ("mse_loss", torch.bfloat16, 6, 2), ("mse_loss", torch.float32, 16, 3)]
    cases += [(name, torch.float32, 12, 2) for name in ("huber_loss", "pseudo_huber_loss", "cauchy_loss", "log_cosh_loss", "barron_loss")]
    for name, dtype, least, arrays in cases:
        what = f"{name}{' with weights' if arrays == 3 else ''}, {str(dtype).partition('.')[2]}, {least} bytes an element"
        beside_copy(sheet, what, least, partial(engine(name), *drawn(largest, dtype, many=arrays)), of_copy)
    step = partial(likelihood, in_torch.gaussian_nll_loss, *drawn(largest))
    beside_copy(sheet, "gaussian_nll_loss with backward, float32, 20 bytes an element", 20, step, of_copy)
    beside_copy(sheet, "mse_loss, value alone, 8 bytes an element", 8, partial(engine("mse_loss", gradient=False), *drawn(largest, many=2)), of_copy)


def beside_copy(sheet: Sheet, what: str, least: int, step: Step, of_copy: Callable[[], float]) -> None:
    ours, copy = in_turn(clock(step), of_copy, TURNS)
    sheet.line(f"{what}, against a copy of as many", ours, copy * least / 8, ratio_at_most=1 / 0.9)


def train(loss: Callable[..., Any], leaf: torch.Tensor, *others: torch.Tensor) -> None:
    """Take value and gradient, as training does."""
    leaf.grad = None
    loss(leaf, *others).backward()


def likelihood(loss: Callable[..., Any], pred: torch.Tensor, target: torch.Tensor, var: torch.Tensor) -> None:
    """Take the value of a likelihood and its gradients by mean and variance, as training does."""
    pred.grad = var.grad = None
    loss(pred.requires_grad_(), target, var=var.requires_grad_()).backward()


def of_torch(sheet: Sheet, largest: int) -> None:
    """Take the functions as users do, against torch eager and compiled."""
    functional = torch.nn.functional
    pairs: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
        "mse_loss": (in_torch.mse_loss, functional.mse_loss),
        "huber_loss": (in_torch.huber_loss, functional.huber_loss),
        "cauchy_loss": (in_torch.cauchy_loss, lambda p, y: (0.5 * 2.385**2 * torch.log1p(((p - y) / 2.385) ** 2)).mean()),
        "mse_loss with weights": (lambda p, y, w: in_torch.mse_loss(p, y, weight=w), lambda p, y, w: (w * (p - y) ** 2).sum() / w.sum()),
    }
    for power in [each for each in POWERS if each < largest] + [largest]:
        for name, (ours, theirs) in pairs.items():
            pred, *others = drawn(power, many=3 if name.endswith("weights") else 2)
            leaf = pred.requires_grad_()
            compiled = torch.compile(theirs, fullgraph=True)
            for kind, peer, most in (("eager", theirs, 1.0), ("torch.compile", compiled, 1 / 1.5 if power == largest else None)):
                measured = in_turn(clock(partial(train, ours, leaf, *others)), clock(partial(train, peer, leaf, *others)), TURNS)
                sheet.line(f"{name}, 2^{power} elements, against {kind}", *measured, ratio_at_most=most)


def of_likelihoods(sheet: Sheet, largest: int) -> None:
    """Take the Gaussian likelihood as users do, with both gradients, against torch eager and the compiled formula, which waits for nothing."""

    def formula(pred: torch.Tensor, target: torch.Tensor, var: torch.Tensor) -> torch.Tensor:
        return (0.5 * (var.log() + (pred - target) ** 2 / var)).mean()

    def eager(pred: torch.Tensor, target: torch.Tensor, var: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.gaussian_nll_loss(pred, target, var)

    compiled = torch.compile(formula, fullgraph=True)
    for power in [each for each in POWERS if each < largest] + [largest]:
        arrays = drawn(power)
        for kind, peer, most in (("eager", eager, 1.0), ("torch.compile", compiled, 1 / 1.5 if power == largest else None)):
            ours = clock(partial(likelihood, in_torch.gaussian_nll_loss, *arrays))
            measured = in_turn(ours, clock(partial(likelihood, peer, *arrays)), TURNS)
            sheet.line(f"gaussian_nll_loss with both gradients, 2^{power} elements, against {kind}", *measured, ratio_at_most=most)


def of_launches(sheet: Sheet) -> None:
    """Count what the profiler saw of one step."""
    step = partial(engine("mse_loss"), *drawn(22, many=2))
    step()
    torch.cuda.synchronize()
    activities = [torch.profiler.ProfilerActivity.CPU, torch.profiler.ProfilerActivity.CUDA]
    with torch.profiler.profile(activities=activities) as profile:
        with torch.profiler.record_function("one step"):
            step()
        torch.cuda.synchronize()
    events = profile.events()
    (step_range,) = [each.time_range for each in events if each.name == "one step" and each.device_type == torch.autograd.DeviceType.CPU]
    on_device = [each.name for each in events if each.device_type == torch.autograd.DeviceType.CUDA and each.name != "one step"]
    waits = [each.name for each in events if each.name.startswith(WAITS) and step_range.start <= each.time_range.start <= step_range.end]
    sheet.note(f"on the device in one step: {', '.join(on_device)}; waits of the host: {len(waits)}", met=len(on_device) == 1 and not waits)


def of_memory_and_digits(sheet: Sheet, largest: int) -> None:
    """Measure what a step allocates, and hold its value to float64 and to itself."""
    pred, target = drawn(largest, many=2)
    step = partial(engine("mse_loss"), pred, target)
    step()
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    total, gradient = step()
    peak = torch.cuda.max_memory_allocated() - before
    sheet.note(f"peak memory of a step: {peak / gradient.nbytes:.4f} of the gradient", met=peak <= 1.01 * gradient.nbytes)
    blocks = zip(pred.split(1 << 24), target.split(1 << 24), gradient.split(1 << 24), strict=True)
    true, same = 0.0, True
    for p, y, g in blocks:
        error = p.double() - y.double()
        true += float((error * error).sum())
        same = same and bool(((g.double() - 2e-6 * error).abs() <= 2.0**-22 * 2e-6 * error.abs()).all())
    places = abs(total.double().item() - true) / (torch.finfo(torch.float32).eps * 2.0 ** (torch.tensor(true).log2().floor().item()))
    sheet.note(f"value of 2^{largest} elements: {places:.2f} units in the last place from float64", met=places <= 2)
    sheet.note(f"gradients within four units in the last place of float64: {same}", met=same)
    again = [step() for _ in range(3)]
    equal = all(torch.equal(total, value) and torch.equal(gradient, slope) for value, slope in again)
    sheet.note(f"the same bits in four runs: {equal}", met=equal)


def of_fused(options: Options, sheet: Sheet) -> None:
    if not torch.cuda.is_available():
        sheet.head("section 23 is left out: torch sees no GPU")
        return
    name, free = torch.cuda.get_device_name(), torch.cuda.mem_get_info()[0]
    largest = min(LARGEST, (free // 48).bit_length() - 1)  # a dozen arrays of float32, as those of torch's own losses with weights
    sheet.title(f"23. Value and gradient of losses in one launch, on {name}, against torch {torch.__version__}", "microseconds")
    of_bytes(sheet, largest)
    of_torch(sheet, largest)
    of_likelihoods(sheet, largest)
    of_launches(sheet)
    of_memory_and_digits(sheet, largest)


SECTIONS = {23: of_fused}
