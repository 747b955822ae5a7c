"""Protocols: bytes in and events out, answers in and bytes out. No sockets, clocks or files here."""
