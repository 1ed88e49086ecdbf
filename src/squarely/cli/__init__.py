"""The command line: squarely evaluate | compare | slices | metrics | show | merge."""

from squarely.cli import compare, slices
from squarely.cli.commands import app, main

__all__ = ["app", "compare", "main", "slices"]
