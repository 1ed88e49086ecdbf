"""Exhibits: what a diagnosis has to show beside its findings, as words, tables and pictures; a report lays them out."""

from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["Exhibit", "Picture", "Table"]


class Picture(NamedTuple):
    """A figure without colours, which the page gives it, its heading and the sentence below it."""

    heading: str
    svg: str
    caption: str


class Table(NamedTuple):
    """Cells as they are read, the first of a row its name; ``numbers`` are the columns of numbers, and a cell may be a severity."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...] = ()


@dataclass(frozen=True)
class Exhibit:
    """A section of a page: its anchor, its heading, what is to be seen in it, and what it shows."""

    ident: str
    heading: str
    lead: str
    words: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    pictures: tuple[Picture, ...] = ()
