"""Dates and times as labels."""

import re

__all__ = ["iso"]

# Fractions of a second that end in zeros, and the offsets +01 and +0130.
_IDLE_ZEROS = re.compile(r"(?:(\.\d*[1-9])|\.)0+(?!\d)")
_OFFSET = re.compile(r"([+-]\d\d):?(\d\d)?$")


def iso(text: str | None) -> str | None:
    """Return a date and time in ISO form without idle zeros: the same instant has one label, whatever library held it."""
    if text is None:
        return None
    day, space, clock = text.replace("T", " ").partition(" ")
    clock = _IDLE_ZEROS.sub(r"\1", clock if space else day)
    if not space:
        return clock
    offset = _OFFSET.search(clock)
    return f"{day}T{clock[: offset.start()]}{offset[1]}:{offset[2] or '00'}" if offset else f"{day}T{clock}"
