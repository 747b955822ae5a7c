"""The keys: one file a noun. A command parses, calls one function of a room and prints."""

from openceir.cli._main import main

__all__ = ["main"]
