"""The same rows for every model: a row counts where each has a prediction, and baselines predict beside them."""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from squarely.compare.baselines import Constant, Rule
from squarely.compare.before import Before
from squarely.evaluate import Late
from squarely.sources import Batch, Column, Part, Source, Wanted

__all__ = ["Together"]


@dataclass
class Together:
    """A source with further models; with ``common`` a row that lacks one prediction lacks all of them.

    ``absent`` has the number of rows in which each model has no prediction, once they were read, and ``passes`` an entry for each time.
    """

    source: Source
    baselines: Mapping[str, Rule]
    common: bool
    absent: dict[str, int] = field(default_factory=dict)
    passes: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def name(self) -> str:
        """What a report calls the data."""
        return self.source.name

    @property
    def rereadable(self) -> bool:
        """Whether the parts may be asked for again."""
        return self.source.rereadable

    @property
    def columns(self) -> tuple[str, ...]:
        """Column names, with those of the baselines."""
        return (*self.source.columns, *self.baselines)

    def parts(self, wanted: Wanted) -> Iterator[Part]:
        """Yield the parts of the source, with what is added to their batches; one part where a rule takes rows in order."""
        self.passes.append(self.source.name)
        own = tuple(name for name in wanted.predictions if name not in self.baselines)
        rules = {name: rule.start() if isinstance(rule, Before) else rule for name, rule in self.baselines.items()}
        parts = self.source.parts(replace(wanted, predictions=own))
        if any(isinstance(rule, Before) for rule in rules.values()):
            parts = iter([partial(_in_turn, parts)])
        for read in parts:
            yield partial(self._read, read, wanted.predictions, own, rules)

    @property
    def late(self) -> Late:
        """The rules whose number is known once the rows were read."""
        late = {name: rule for name, rule in self.baselines.items() if isinstance(rule, Constant)}
        return Late(
            {name: rule.found for name, rule in late.items() if not rule.keeps}, {name: rule.found for name, rule in late.items() if rule.keeps}
        )

    def _read(self, read: Part, models: tuple[str, ...], own: tuple[str, ...], rules: Mapping[str, Rule]) -> Iterator[Batch]:
        for batch in read():
            predictions = dict(zip(own, batch.predictions, strict=True))
            predictions |= {name: rule.column(batch) for name, rule in rules.items()}
            columns = [predictions[name] for name in models]
            if self.common:
                columns = self._common(models, columns, batch.weight)
            yield replace(batch, predictions=tuple(columns))

    def _common(self, models: tuple[str, ...], columns: list[Column], weight: Column | None) -> list[Column]:
        there = [np.isfinite(column.values) if column.valid is None else np.isfinite(column.values) & column.valid for column in columns]
        if all(each.all() for each in there):
            return columns
        counts = True if weight is None else weight.doubles() != 0  # weight 0 is the same as absent
        absent = {model: int((~each & counts).sum()) for model, each in zip(models, there, strict=True)}
        with self._lock:
            for model, count in absent.items():
                self.absent[model] = self.absent.get(model, 0) + count
        together = np.logical_and.reduce(there)
        return [Column(column.values, together) for column in columns]


def _in_turn(parts: Iterator[Part]) -> Iterator[Batch]:
    for read in parts:
        yield from read()
