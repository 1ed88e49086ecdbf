"""Three ranks with uneven batches and missing targets, one of them with no target at all, take the step of one rank that has all rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp

import squarely.losses.torch as losses

ROWS = ((0, 5), (5, 6), (6, 16))  # of each rank
FEATURES = 4


def _data() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(16, FEATURES, generator=generator)
    y = torch.randn(16, 1, generator=generator)
    y[torch.tensor([1, 2, 3, 4, 5, 9])] = torch.nan  # 5 is all that the second rank has
    return x, y, torch.rand(16, generator=generator) + 0.5


def _model() -> torch.nn.Module:
    model = torch.nn.Linear(FEATURES, 1)
    with torch.no_grad():
        model.weight.copy_(torch.linspace(-1, 1, FEATURES)[None])
        model.bias.fill_(0.3)
    return model


def _train(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/ranks", rank=rank, world_size=len(ROWS))
    x, y, w = _data()
    rows = slice(*ROWS[rank])
    model = torch.nn.parallel.DistributedDataParallel(_model())
    gradients = []
    for micro in (1, 2):  # micro-batches: the denominators of all come first
        model.zero_grad()
        parts = torch.arange(16)[rows].tensor_split(micro)
        criterion = losses.HuberLoss(delta=0.8, nan_target="omit")
        den = torch.zeros(())
        for part in parts:
            den = den + criterion.terms(model.module(x[part]), y[part], sample_weight=w[part]).den
        den = losses.global_denominator(den)
        for k, part in enumerate(parts):
            with model.no_sync() if k < micro - 1 else torch.enable_grad():
                (criterion.terms(model(x[part]), y[part], sample_weight=w[part]).mean(den) * len(ROWS)).backward()
        gradients.append([p.grad.clone() for p in model.parameters()])
    if rank == 0:
        torch.save(gradients, Path(folder) / "gradients.pt")
    dist.barrier()  # a rank that leaves while another still talks to it would end that one
    dist.destroy_process_group()


def test_three_ranks_are_one(tmp_path: Path) -> None:
    mp.spawn(_train, (str(tmp_path),), nprocs=len(ROWS))
    x, y, w = _data()
    model = _model()
    losses.huber_loss(model(x), y, sample_weight=w, nan_target="omit", delta=0.8).backward()
    expected = [p.grad for p in model.parameters()]
    for found in torch.load(tmp_path / "gradients.pt"):
        for mine, theirs in zip(found, expected, strict=True):
            torch.testing.assert_close(mine, theirs, rtol=5e-7, atol=6e-8)  # the last bits of float32, for sums in another order


def test_the_mean_of_means_is_another_step() -> None:
    """What the denominators are for: without them the first rank's single target would count as much as the nine of the third."""
    x, y, w = _data()
    means = []
    for start, stop in ROWS:
        model = _model()
        losses.huber_loss(model(x[start:stop]), y[start:stop], sample_weight=w[start:stop], nan_target="omit", delta=0.8).backward()
        means.append(model.weight.grad)
    model = _model()
    losses.huber_loss(model(x), y, sample_weight=w, nan_target="omit", delta=0.8).backward()
    assert (sum(means) / 3 - model.weight.grad).abs().max() > 0.05


def test_without_ranks_a_denominator_is_itself() -> None:
    den: Any = torch.tensor(7.0)
    assert losses.global_denominator(den) is den


@pytest.mark.parametrize("scale", [1.0, 2.0**15])
def test_a_gradient_scaler_finds_the_same_step(scale: float) -> None:
    """The scale of a loss is multiplied in before the gradient is rounded to float16."""
    pred = (torch.arange(8, dtype=torch.float16) / 8).requires_grad_()
    target = torch.zeros(8, dtype=torch.float16)
    scaler = torch.amp.GradScaler("cpu", init_scale=scale)
    scaler.scale(losses.log_cosh_loss(pred, target)).backward()
    expected = torch.tanh(pred.detach().float()) / 8
    torch.testing.assert_close(pred.grad.float() / scale, expected, rtol=2**-10, atol=1e-8)
    assert pred.grad.dtype == torch.float16
