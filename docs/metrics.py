"""Prints docs/metrics.md from the registry; a test holds the page and this script together."""

from squarely import METRICS
from squarely.metric import Metric

DIRECTION = {"lower": "lower is better", "higher": "higher is better", "target": "no direction"}
UNITS = {"y^2": "y²", "y": "y", "1": "none", "other": "its own, of a logarithm or an exponential"}
REREAD = "Reads the rows again: the function answers, sums do not."


def better(metric: Metric) -> str:
    """Which way is better, and what is best."""
    if metric.direction == "target" and metric.best is not None:
        return f"best at {metric.best:g}"
    return DIRECTION[metric.direction]


def available(metric: Metric) -> str:
    """Whether there are a gradient, SQL, and losses of single rows."""
    parts = {"gradient": metric.derivative is not None, "SQL": bool(metric.query), '`reduction="none"`': metric.pointwise is not None}
    there = [name for name, known in parts.items() if known]
    return f"Has {', '.join(there)}." if there else ""


def rereads(metric: Metric) -> bool:
    """Whether no state can answer under the default settings, whatever columns it is given."""
    return not metric.answers_on_sums and all(metric.settings[name].default is not None for name in metric.columns)


def facts(metric: Metric) -> list[str]:
    """What the declaration says beside names and formula, a line each."""
    shown = "; shown as a percentage, the value is the share" if metric.percent else ""
    lines = [f"Family: {metric.family}. Unit: {UNITS[metric.unit]}{shown}; {better(metric)}."]
    if metric.functional:
        lines.append(f"Rewards the {metric.functional} of what may happen.")
    for name, each in metric.settings.items():
        default = "" if each.default is None else f"; default `{each.default!r}`"
        kind = "column `" if name in metric.columns else "`"
        lines.append(f"{kind}{name}`: {each.expected}{default}. {each.text}".strip())
    if metric.training:
        lines.append("The function takes `y_train` and `seasonality` in place of `scale`.")
    if metric.inputs:
        lines.append(f"The function is called with `(y_true, {', '.join(metric.inputs)})`.")
    if metric.domain:
        lines.append(f"Takes {metric.domain}.")
    if metric.undefined:
        lines.append(f"No value where {metric.undefined}.")
    lines += [text for text in (REREAD if rereads(metric) else "", available(metric)) if text]
    return [*lines, metric.reference]


def section(metric: Metric) -> str:
    """One metric: names, formula, facts."""
    names = ", ".join(f"`{name}`" for name in (metric.name, *metric.aliases))
    listed = "\n".join(f"* {line}" for line in facts(metric))
    return "\n\n".join([f"## {metric.title}", f"{names}: {metric.summary}", f"$$ {metric.tex} $$", listed])


def page() -> str:
    """The whole page."""
    signature = '(y_true, y_pred, *, sample_weight=None, multioutput="uniform_average", nan_policy="raise")'
    head = f"""# Metrics

A metric takes `{signature}`
and the settings below; those of intervals and of several quantiles take their columns in place of `y_pred`. A setting that is a column is an array
for the function, and the name of a column for an evaluation or a state. What a metric rewards is the prediction that is best under it.
Gradients are `sq.METRICS[name].gradient(y_true, y_pred)`, with respect to the predictions; SQL is
`sq.METRICS[name].sql(y, p)`; both in floating point. `reduction="none"` gives the loss of every row.
This page is printed by `docs/metrics.py` from the {len(METRICS)} declarations in `src/squarely/catalogue/`."""
    return "\n\n".join([head, *(section(metric) for metric in METRICS.values())])


if __name__ == "__main__":
    print(page())
