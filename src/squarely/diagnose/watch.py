"""Watching the rows go by: what the checks need beside the sums, from the same pass, exactly and in any partition."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from squarely import _core
from squarely.diagnose.grid import Grid
from squarely.diagnose.neighbours import Neighbours
from squarely.diagnose.scaled import Scaled
from squarely.evaluate import Large
from squarely.evaluate.labels import GroupIndex
from squarely.evaluate.sample import Sampler
from squarely.sources import Batch, Column, Key, Part, Source, Wanted
from squarely.state import NOTHING, PairState, Plan

__all__ = ["MOST_LARGEST", "Watched", "Watcher", "watcher_for"]

Floats = npt.NDArray[np.float64]
MOST_LARGEST = 1000


@dataclass
class Watcher:
    """What one model leaves of some rows. Errors are p - y; states of pairs that are made of them are exact, and add.

    Parameters
    ----------
    shape : PairState of (e^2, e)
        The moments of the errors up to the fourth.
    spread : PairState of (e^2, p)
        How squared errors go with predictions.
    mass : PairState of (w, w)
        The squares of the weights.
    logs : PairState of (log |e|, log p)
        Rows where both have a logarithm.
    targets : PairState of (y, 0)
        With the sizes of the targets, each row for itself.
    level : Grid
        Pairs (y, p) by bin of the prediction.
    neighbours : Neighbours
        Pairs of a row and one before it.
    scaled : Scaled
        The errors over their predicted standard deviation.
    groups, clusters
        The states of (e^2, e) by group and by cluster.
    """

    shape: PairState = field(default_factory=PairState)
    spread: PairState = field(default_factory=PairState)
    mass: PairState = field(default_factory=PairState)
    logs: PairState = field(default_factory=PairState)
    targets: PairState = field(default_factory=partial(PairState.planned, Plan(histogram=True)))
    level: Grid = field(default_factory=Grid)
    scaled: Scaled = field(default_factory=Scaled)
    neighbours: Neighbours = field(default_factory=Neighbours)
    groups: "_ByKey | None" = None
    clusters: "_ByKey | None" = None
    largest: list[tuple[Floats, list[Large]]] = field(default_factory=list)
    least: float = 0.0

    def see(self, batch: Batch, prediction: Column, wanted: Wanted) -> None:
        """Add the rows of a batch that count."""
        y, p = batch.target.doubles(), prediction.doubles()
        w = np.ones(len(y)) if batch.weight is None else batch.weight.doubles()
        with np.errstate(all="ignore"):
            errors = p - y
            squares = errors * errors
        kept = np.isfinite(y) & np.isfinite(p) & (w > 0)  # of these, squares beyond the largest double are counted as refused
        rows = slice(None) if kept.all() else kept
        y, p, e, e2 = y[rows], p[rows], errors[rows], squares[rows]
        weight = None if batch.weight is None else w[rows]
        if batch.more:
            self.scaled.see(e, batch.more[0].doubles()[rows], weight)
        self._logs(e, p, weight)
        self.targets.update(y, np.zeros(len(y)))
        self.level.see(p, y, p, weight)
        self.shape.update(e2, e, weight)
        self.spread.update(e2, p, weight)
        if weight is not None:
            self.mass.update(weight, weight)
        group: npt.NDArray[Any] = np.zeros(len(e))
        of_group, of_cluster = _keys(batch, wanted)
        if self.groups is not None and of_group is not None:
            group = self.groups.see(of_group, e2, e, weight, rows)
        if self.clusters is not None and of_cluster is not None:
            self.clusters.see(of_cluster, e2, e, weight, rows)
        if wanted.way == "order" and len(e):
            self.neighbours.see(np.column_stack([e, y, group]))
        with np.errstate(all="ignore"):
            size = e2 if weight is None else e2 * weight
        self._largest(batch, np.flatnonzero(kept), y, p, size, weight)

    def _logs(self, e: Floats, p: Floats, weight: Floats | None) -> None:
        fits = (e != 0) & (p > 0)
        if not fits.all():
            e, p, weight = e[fits], p[fits], None if weight is None else weight[fits]
        p = np.ascontiguousarray(p)  # numbers that lie apart in memory may take another path, whose logarithms have other bits
        self.logs.update(np.log(np.abs(e)), np.log(p), weight)

    def _largest(self, batch: Batch, rows: npt.NDArray[np.intp], y: Floats, p: Floats, size: Floats, weight: Floats | None) -> None:
        """Keep the rows that add most; of equal ones the first."""
        taken = np.flatnonzero((size >= self.least) & (size > 0))
        if len(taken) > MOST_LARGEST:
            self.least = max(self.least, float(np.partition(size[taken], -MOST_LARGEST)[-MOST_LARGEST]))
            taken = taken[size[taken] >= self.least]
        taken = taken[np.argsort(-size[taken], kind="stable")][:MOST_LARGEST]
        if len(taken):
            w = np.ones(len(taken)) if weight is None else weight[taken]
            at = (batch.start + rows[taken] + 1).tolist()
            found = [Large(batch.where, *each) for each in zip(at, y[taken].tolist(), p[taken].tolist(), w.tolist(), strict=True)]
            self.largest.append((size[taken], found))
            self._tidy()

    def _tidy(self) -> None:
        if sum(len(sizes) for sizes, _ in self.largest) > 4 * MOST_LARGEST:
            self.trim()

    def trim(self) -> list[tuple[float, Large]]:
        """Return the largest rows, the largest first, and keep no others."""
        rows = sorted(((float(size), row) for sizes, found in self.largest for size, row in zip(sizes, found, strict=True)), key=_falling)
        rows = rows[:MOST_LARGEST]
        self.largest = [(np.array([size for size, _ in rows]), [row for _, row in rows])] if rows else []
        if len(rows) == MOST_LARGEST:
            self.least = max(self.least, rows[-1][0])
        return rows

    def follow(self, other: "Watcher") -> None:
        """Add what comes after."""
        for name in ("shape", "spread", "mass", "logs", "targets"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.level.absorb(other.level)
        self.scaled.follow(other.scaled)
        places = None if self.groups is None or other.groups is None else self.groups.absorb(other.groups)
        if self.clusters is not None and other.clusters is not None:
            self.clusters.absorb(other.clusters)
        self.neighbours.follow(other.neighbours, places)
        self.largest += other.largest
        self._tidy()


def _falling(each: tuple[float, Large]) -> tuple[float, str, int]:
    return -each[0], each[1].where, each[1].row


def _keys(batch: Batch, wanted: Wanted) -> tuple[Any, Any]:
    """Return the keys of the groups and of the clusters of a batch."""
    return batch.keys[: len(wanted.by)] or None, (batch.keys[-1:] if wanted.way == "cluster" else None)


class _ByKey:
    """States of (e^2, e) by key."""

    def __init__(self, columns: int) -> None:
        self._groups = _core.Groups()
        self._index = GroupIndex(columns, self._groups.grow)

    def see(self, keys: tuple[Any, ...], e2: Floats, e: Floats, weight: Floats | None, rows: Any) -> npt.NDArray[np.int32]:
        """Add rows, and return the number of the key of each."""
        labels = self._index.labels_of(keys, len(keys[0].codes))
        assert labels is not None, "there is a key"
        codes = np.ascontiguousarray(labels[0][rows])
        bad = self._groups.update(e2, e, weight, codes, labels[1])
        assert bad == -1, "weights were judged before"
        numbers: npt.NDArray[np.int32] = labels[1][codes]
        return numbers

    def absorb(self, other: "_ByKey") -> npt.NDArray[np.int32]:
        """Add the states of another, and return the numbers that its keys have here."""
        known = self._index.index
        for key in other._index.index:
            known.setdefault(key, len(known))
        self._groups.grow(len(known))
        places = np.array([known[key] for key in other._index.index], np.int32)
        self._groups.absorb(other._groups, places, take=True)
        return places

    def states(self) -> dict[tuple[Key, ...], PairState]:
        """Return the state of each key that has a row, by key: sums of floats over them then do not depend on which came first."""
        found = {key: PairState._wrap(self._groups.state(at), NOTHING) for key, at in sorted(self._index.index.items(), key=_by_key)}
        return {key: state for key, state in found.items() if state.n}


def _by_key(item: tuple[tuple[Key, ...], int]) -> list[tuple[bool, bool, Key]]:
    return [(part is None, isinstance(part, str), 0 if part is None else part) for part in item[0]]


@dataclass
class Watched:
    """A source whose rows are watched as they are read.

    ``watchers`` have what was seen of each model, ``sampler`` the sample with the columns of the plan beside the predictions.
    """

    source: Source
    watchers: dict[str, Watcher] = field(default_factory=dict)
    sampler: Sampler = field(default_factory=Sampler)
    _waiting: dict[int, dict[str, Watcher]] = field(default_factory=dict)  # parts that are read, while one before them is not
    _next: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def name(self) -> str:
        """What a report calls the data."""
        return self.source.name

    @property
    def rereadable(self) -> bool:
        """Whether the parts may be asked for again; they are watched once."""
        return False

    @property
    def columns(self) -> tuple[str, ...]:
        """Column names."""
        return self.source.columns

    def parts(self, wanted: Wanted) -> Iterator[Part]:
        """Yield the parts of the source, in order, with somebody who watches each."""
        self.watchers = {model: watcher_for(wanted) for model in wanted.predictions}
        for number, read in enumerate(self.source.parts(wanted)):
            yield partial(self._read, number, read, wanted)

    def _read(self, number: int, read: Part, wanted: Wanted) -> Iterator[Batch]:
        watchers, sampler = {model: watcher_for(wanted) for model in wanted.predictions}, Sampler()
        for batch in read():
            if batch.more:
                sampler.see(number, replace(batch, predictions=(*batch.predictions, *batch.more)))
            for watcher, prediction in zip(watchers.values(), batch.predictions, strict=True):
                watcher.see(batch, prediction, wanted)
            yield batch
        with self._lock:
            self.sampler.absorb(sampler)
            self._waiting[number] = watchers
            while self._next in self._waiting:  # parts follow each other in their order, whichever thread read them
                for model, watcher in self._waiting.pop(self._next).items():
                    self.watchers[model].follow(watcher)
                self._next += 1


def watcher_for(wanted: Wanted) -> Watcher:
    """Return a watcher that has seen nothing."""
    return replace(
        Watcher(),
        groups=_ByKey(len(wanted.by)) if wanted.by else None,
        clusters=_ByKey(1) if wanted.way == "cluster" else None,
    )
