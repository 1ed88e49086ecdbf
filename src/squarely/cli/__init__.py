"""The command line: squarely evaluate | compare | metrics | show | merge."""

from squarely.cli.commands import app, main
from squarely.cli.compare import EXAMPLES, compare_command

__all__ = ["app", "main"]

app.command(name="compare", epilog=EXAMPLES)(compare_command)
