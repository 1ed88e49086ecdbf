"""Prints docs/metrics.md from the registry; a test holds the page and this script together."""

from squarely import METRICS
from squarely.metric import Metric

DIRECTION = {"lower": "lower is better", "higher": "higher is better", "target": "no direction"}


def better(metric: Metric) -> str:
    """Which way is better, and what is best."""
    if metric.direction == "target" and metric.best is not None:
        return f"best at {metric.best:g}"
    return DIRECTION[metric.direction]


def section(metric: Metric) -> str:
    """One metric: names, formula, unit, settings, reference."""
    names = ", ".join(f"`{name}`" for name in (metric.name, *metric.aliases))
    lines = [f"## {metric.title}", f"{names}: {metric.summary}", f"$$ {metric.tex} $$"]
    facts = [f"* Unit: {metric.unit.replace('^2', '²') if metric.unit != '1' else 'none'}; {better(metric)}."]
    facts += [f"* `{name}`: {each.expected}; default `{each.default!r}`. {each.text}" for name, each in metric.settings.items()]
    if metric.undefined:
        facts.append(f"* No value where {metric.undefined}.")
    facts.append(f"* {metric.reference}")
    return "\n\n".join([*lines, "\n".join(facts)])


def page() -> str:
    """The whole page."""
    signature = '(y_true, y_pred, *, sample_weight=None, multioutput="uniform_average", nan_policy="raise")'
    head = f"""# Metrics

Every metric takes `{signature}` and answers from exact sums.
This page is printed by `docs/metrics.py` from the declarations in `src/squarely/catalogue/`."""
    return "\n\n".join([head, *(section(metric) for metric in METRICS.values())])


if __name__ == "__main__":
    print(page())
