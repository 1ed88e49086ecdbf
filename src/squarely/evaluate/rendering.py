"""Reports lie above what they tell of: they register here how it is written down."""

from collections.abc import Callable
from typing import Any

__all__ = ["framed", "page_of", "register_renderers", "rendered"]

_RENDERERS: dict[str, Callable[..., Any]] = {}


def register_renderers(**renderers: Callable[..., Any]) -> None:
    """Set how answers become ``markdown``, ``html`` and ``to_dict``, what others found pages, and how files are written."""
    _RENDERERS.update(renderers)


def rendered(form: str, answer: Any) -> Any:
    """Return an answer in a form that was registered."""
    return _RENDERERS[form](answer)


def page_of(form: str, answer: Any, path: Any = None) -> str:
    """Return the page of an answer, and write it to ``path`` where one is given."""
    page = str(rendered(form, answer))
    if path is not None:
        from pathlib import Path  # slow to load

        _RENDERERS["write"]({Path(path): page.encode()})
    return page


def framed(page: str, title: str) -> str:
    """Return a page for a notebook, which has styles of its own: a frame keeps both apart."""
    import html

    return f'<iframe srcdoc="{html.escape(page)}" style="width:100%;height:40em;border:0" title="{html.escape(title)}"></iframe>'
