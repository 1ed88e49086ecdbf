"""Shown: what is kept of a fit for the page of its diagnosis, and the sections that are made of it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from squarely.diagnose.exhibit import Exhibit, Table
from squarely.diagnose.finding import CannotTestError
from squarely.linear.again import Block, Coordinates
from squarely.linear.checks_of_features import TOLD_INFLATION
from squarely.linear.collinearity import Collinearity
from squarely.linear.doubled import Doubled, Doubles
from squarely.linear.evidence import FitEvidence
from squarely.linear.influence import Influence
from squarely.linear.pictures import Drawn, of_component, of_influence, of_partial, of_scale
from squarely.linear.summary import Summary
from squarely.plain import number, one_line

__all__ = ["Shown"]

_MOST_FEATURES = 6  # that have pictures
_MOST_INFLATIONS = 20
_LONG, _SHORT = 60, 24
_DIGITS = -np.log10(np.finfo(np.float64).eps / 2)


@dataclass(frozen=True, eq=False)
class Shown:
    """What the page of a fit is made of: no rows but a sample, and those that decide most."""

    fit: Coordinates
    summary: Summary
    collinearity: Collinearity
    top: Influence  # of the rows with the largest Cook's distances
    top_targets: Doubles
    drawn: Drawn
    leading: tuple[int, ...]  # places of the features that explain most, or bend most
    many: int  # rows with a Cook's distance above 4 / n

    @classmethod
    def of(cls, e: FitEvidence, weight: Doubles | None) -> "Shown | None":
        """Keep what is shown of evidence; None where it has no rows."""
        if e.influence is None or e.sampled is None:
            return None
        sample = _joined(e.sample)
        targets = np.concatenate([block.targets[0] for block in e.kept])
        return cls(
            e.again.coordinates,
            Summary.of(e.equations, e.again.model.exact_coef_, e.inference, 0.95, weight, e.again.model.n_omitted_),
            e.collinearity,
            e.influence,
            targets[e.influence.rows],
            Drawn(sample, e.sampled, len(targets)),
            _leading(e),
            e.many,
        )

    def exhibits(self, told: Mapping[str, str]) -> tuple[Exhibit, ...]:
        """Return the sections of the page after the assumptions; ``told`` is what each check saw."""
        return self._coefficients(told), self._features(), self._rows()

    def _coefficients(self, told: Mapping[str, str]) -> Exhibit:
        words = [*self.summary.notes]
        if "SQ043" in told:
            words.append(f"The metrics of this page are those of the rows of the fit, which flatter it: {told['SQ043']}.")
        if "SQ037" in told:
            words.append(f"What shrinking is expected to save on new rows: {told['SQ037']}.")
        facts = tuple((label.rstrip(":"), value) for label, value in self.summary.facts[0])
        return Exhibit(
            "coefficients",
            "Coefficients",
            "What the fit says, as a table of least squares is read: an estimate, how sure it is, and whether it could be chance.",
            tuple(words),
            (
                Table("The fit in numbers", (), facts, (1,)),
                Table("Estimates with their intervals of 95 %", ("Feature", *self.summary.head[1:]), self.summary.tables[0], tuple(range(1, 7))),
            ),
        )

    def _features(self) -> Exhibit:
        found = self.collinearity
        order = np.argsort(-found.inflations, kind="stable")[:_MOST_INFLATIONS]
        rows = tuple((one_line(found.names[at], _LONG), f"{found.inflations[at]:.4g}", f"{found.inflations[at] ** 0.5:.3g}") for at in order)
        many = f", the {len(rows)} largest of {len(found.names)}" if len(rows) < len(found.names) else ""
        caption = f"Variance inflation (VIF){many}: 1 where a feature has nothing in common with the others"
        left = max(0.0, _DIGITS - float(np.log10(found.condition_number)))
        words = [
            f"The condition number of the columns, the intercept among them, each scaled to length 1, is {found.condition_number:.3g}: "
            f"about {left:.1f} of 16 digits of the coefficients are left to features that are rounded in their last digit. "
            "The solution itself loses none."
        ]
        if found.inflations.max(initial=0.0) > TOLD_INFLATION:
            words.append(
                f"Of all combinations of features, each over its spread, {found.words} varies least: {found.spread:.3g} times as much as "
                "if features had nothing in common."
            )
        pictures = tuple(picture(self.fit, at, self.drawn) for picture in (of_component, of_partial) for at in self.leading)
        shown = "" if len(self.leading) == len(found.names) else f" Drawn are the {len(self.leading)} features that explain most, or bend most."
        return Exhibit(
            "features",
            "Features",
            f"What features have in common, and how each acts: along a line, or along a curve.{shown} {self.drawn.words}",
            tuple(words),
            (Table(caption, ("Feature", "VIF", "Interval, times as wide"), rows, (1, 2)),) if rows else (),
            pictures,
        )

    def _rows(self) -> Exhibit:
        head = (
            "Row",
            "Actual",
            "Predicted",
            "Actual \N{MINUS SIGN} predicted",
            "Leverage",
            "Studentised",
            "Cook's distance",
            "DFFITS",
            "Moves most, in standard errors",
        )
        rows = tuple(self._row(at) for at in range(len(self.top.rows)))
        above = "1 row has" if self.many == 1 else f"{self.many:,} rows have"
        return Exhibit(
            "influence",
            "Single rows",
            f"What the fit owes to single rows. {above} a Cook's distance above 4 / n. {self.drawn.words}",
            (),
            (
                Table(
                    "The rows that move the coefficients most; row 1 is the first, which influence() counts as 0",
                    head,
                    rows,
                    tuple(range(8)),
                ),
            ),
            (of_influence(self.drawn, self.top), *of_scale(self.drawn)),
        )

    def _row(self, at: int) -> tuple[str, ...]:
        row, moved = self.top.taken(slice(at, at + 1)), self.top.dfbetas[at]
        moves = "-"
        if np.isfinite(moved).any():
            most = int(np.nanargmax(np.abs(moved)))
            moves = f"{one_line(self.top.names[most], _SHORT)} by {moved[most]:.2g}"
        actual, residual = float(self.top_targets[at]), float(row.residuals[0])
        values = (row.leverages, row.studentized_residuals, row.cooks_distances, row.dffits)
        return (
            f"{row.rows[0] + 1:,}",
            *map(number, (actual, actual - residual, residual)),
            *(f"{float(each[0]):.3g}" for each in values),
            moves,
        )


def _joined(blocks: list[Block]) -> Block:
    q, targets, residuals = (np.concatenate([getattr(block, name) for block in blocks], axis=1) for name in ("q", "targets", "residuals"))
    high, low = (np.concatenate([getattr(block.features, part) for block in blocks], axis=1) for part in ("high", "low"))
    return Block(0, Doubled(high, low), q, targets, residuals, np.concatenate([block.root_weight for block in blocks]), None)


def _leading(e: FitEvidence) -> tuple[int, ...]:
    """Return the features to draw, in their order: those whose line or square explains most, as a share of the squared error that is left."""
    t = e.inference.t_values[e.equations.intercept :, 0]
    kept = [int(at) for at in np.flatnonzero(e.equations.factor.kept)]

    def weight(at: int) -> float:
        try:
            curve = e.added.gain((f"{e.features[at]}^2",)).share
        except CannotTestError:
            curve = 0.0
        return max(float(t[at]) ** 2 / e.inference.freedom, 0.0 if np.isnan(curve) else curve)

    return tuple(sorted(sorted(kept, key=weight, reverse=True)[:_MOST_FEATURES]))
