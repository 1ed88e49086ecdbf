"""Contrasts: of which columns the categories of a fit keep every level, so that no column is a sum of others."""

from collections.abc import Iterator, Sequence
from itertools import combinations

__all__ = ["Contrast", "contrasts"]

Contrast = dict[str, bool]  # columns whose indicators are multiplied, and whether each keeps all its levels, or all but its reference


def contrasts(columns: Sequence[str], spanned: set[frozenset[str]]) -> list[Contrast]:
    r"""Return what a category of several columns adds to the combinations that are spanned already, and count it among them.

    .. math:: \operatorname{span}(a\!:\!b) = 1 \oplus a^- \oplus b^- \oplus a^-\!:\!b^-, \qquad 1 \oplus a^- = a

    with :math:`a^-` the indicators of all levels but the reference. What is new of the sum becomes as few terms as the second identity, taken
    from left to right, lets it: statsmodels (with patsy) and formulaic have the same columns.

    Examples
    --------
    >>> contrasts(["a", "b"], {frozenset()})
    [{'b': False}, {'a': False, 'b': True}]
    >>> contrasts(["a", "b"], {frozenset(), frozenset("a"), frozenset("b")})
    [{'a': False, 'b': False}]
    """
    subsets = (subset for size in range(len(columns) + 1) for subset in combinations(columns, size))
    fresh = [subset for subset in subsets if frozenset(subset) not in spanned]
    spanned.update(map(frozenset, fresh))
    found = [dict.fromkeys(subset, False) for subset in fresh]
    while (pair := next(_pairs(found), None)) is not None:
        short, long = pair
        (more,) = found[long].keys() - found[short].keys()
        found[long] = {**found[long], more: True}
        del found[short]
    return found


def _pairs(terms: Sequence[Contrast]) -> Iterator[tuple[int, int]]:
    """Yield places of terms of which the second is the first times a column without its reference: they become one, with all its levels."""
    for short, long in combinations(range(len(terms)), 2):
        more = terms[long].keys() - terms[short].keys()
        if terms[short].items() <= terms[long].items() and [terms[long][column] for column in more] == [False]:
            yield short, long
