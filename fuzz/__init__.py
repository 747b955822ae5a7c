"""Coverage-guided fuzzing of every decoder: no octets may raise anything but its own errors, loop, or fill memory.

`targets.py` is the table: one decoder a row, with the errors it may raise and honest messages to begin from.
"""
