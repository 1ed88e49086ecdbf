"""The command line: squarely evaluate | metrics | show | merge | slices."""

from squarely.cli import slices
from squarely.cli.commands import app, main

__all__ = ["app", "main", "slices"]
