"""`python -m openceir`: the same as the command."""

from openceir.cli import main

main()
