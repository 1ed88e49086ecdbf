"""Means over ranks and micro-batches that are those of the whole batch."""

from typing import Any

from squarely.losses.torch.library import torch

__all__ = ["global_denominator"]

Tensor = torch.Tensor


def global_denominator(den: Tensor, group: Any = None) -> Tensor:
    """Return the sum of a denominator over all ranks; without ranks, itself.

    Call it before ``backward``, with the denominators of all micro-batches of a step added up. ``DistributedDataParallel`` takes the mean of
    the gradients of ranks, so multiply by their number::

        den = global_denominator(sum of the ``den`` of the micro-batches)
        for each micro-batch: (terms.num / den * world_size).backward()

    Parameters
    ----------
    den : Tensor
        What ``LossTerms.den`` holds.
    group : ProcessGroup, optional
        The ranks whose gradients are averaged; all of them by default.
    """
    if not torch.distributed.is_available() or not torch.distributed.is_initialized():
        return den
    whole = den.detach().clone()
    torch.distributed.all_reduce(whole, group=group)
    return whole
