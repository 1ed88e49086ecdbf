"""`python -m squarely` is the command line."""

from squarely.cli import main

main()
