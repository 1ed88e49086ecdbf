"""Text from data as plain words: it can forge neither a line, nor a terminal, nor markup; and numbers as a reader wants them."""

import math
import re
import unicodedata

__all__ = ["escape", "number", "one_line", "percent", "rounded"]

# Bidirectional overrides can make a name read as another one; a zero-width joiner (emoji) cannot.
_TRICKS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029\ufeff")
_MARKUP = re.compile(r"([\\`*_\[\]#|~$])")


def one_line(text: object, most: int = 60) -> str:
    """Write any text on one line of at most ``most`` characters; what cannot be seen is written as an escape.

    A name that comes from a file may hold newlines, terminal control sequences or bidirectional overrides; written as
    they are they could forge a report.
    """
    words = "(missing)" if text is None else str(text)
    cut = words[: most + 1]
    seen = "".join(_visible(character) for character in cut)
    if len(words) <= most and len(seen) <= most:
        return seen or "(empty)"
    return seen[: most - 1] + "\N{HORIZONTAL ELLIPSIS}"


def _visible(character: str) -> str:
    if unicodedata.category(character) in ("Cc", "Cs") or character in _TRICKS:
        return character.encode("unicode_escape", "backslashreplace").decode("ascii")
    return character


def escape(text: object, most: int = 80) -> str:
    """Write any text as plain words on one line, at most ``most`` characters long before escaping."""
    words = one_line(text, most).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MARKUP.sub(r"\\\1", words)


def number(value: float) -> str:
    """Write a value with six significant digits, as a reader wants it: ``220``, ``14.8324``, ``1.5e-07``."""
    if math.isnan(value):
        return "nan"
    return f"{value + 0.0:.6g}"


def percent(share: float) -> str:
    """Write a share as a percentage in three digits."""
    return f"{float(f'{100 * share:.3g}'):g} %"


def rounded(end: float, width: float) -> str:
    """Write an end of an interval to two digits of its width, as further ones say nothing; a small end is not written as 0."""
    if width == 0 or end == 0 or not math.isfinite(width):
        return number(end)
    places = max(1 - math.floor(math.log10(width)), -math.floor(math.log10(abs(end))))
    end = round(end, places)
    size = math.floor(math.log10(abs(end)))
    if -5 < size < 6:
        return f"{end:.{max(places, 0)}f}"
    return f"{end:.{min(max(size + places, 0), 16)}e}"
