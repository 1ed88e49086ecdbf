"""A figure as a file of its own, for it stands on no page that would give it colours."""

__all__ = ["standing_alone"]

_STYLE = (  # of a figure alone: a page in which one is shown keeps its own
    ".squarely{--ink:#1f5fa8;--rule:#b3460f}@media(prefers-color-scheme:dark){.squarely{--ink:#6cb0ff;--rule:#ff9d5c}}"
    ".squarely text{font:11px sans-serif;fill:currentColor}.squarely .grid{stroke:#8885;fill:none}"
    ".squarely :is(.dots,.spots,.reach,.curve){stroke:var(--ink);stroke-linecap:round;fill:none}.squarely .dots{stroke-width:4;stroke-opacity:.55}"
    ".squarely .spots{stroke-width:7}.squarely .curve{stroke-width:2.2}.squarely .band{fill:var(--ink);fill-opacity:.16}"
    ".squarely .bubble{stroke:var(--ink);fill:var(--ink);fill-opacity:.3}"
    ".squarely .guide{stroke:var(--rule);stroke-width:1.5;stroke-dasharray:5 3;fill:none}"
)


def standing_alone(figure: str) -> str:
    """Return a figure as a file of its own: with colours, as no page gives it any."""
    figure = figure.replace('<svg class="figure"', '<svg xmlns="http://www.w3.org/2000/svg" class="squarely"', 1)
    return figure.replace("</desc>", f"</desc><style>{_STYLE}</style>", 1)
