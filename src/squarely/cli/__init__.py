"""The command line: squarely evaluate | compare | diagnose | slices | metrics | show | merge."""

from squarely.cli import compare, diagnose, slices
from squarely.cli.commands import app, main

__all__ = ["app", "compare", "diagnose", "main", "slices"]
