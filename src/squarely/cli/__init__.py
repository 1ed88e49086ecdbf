"""The command line: squarely evaluate | metrics | show | merge."""

from squarely.cli.commands import app, main

__all__ = ["app", "main"]
