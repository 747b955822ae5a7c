"""The loading dock: operators' dumps, the TAC table and authorities' lists become checked columns.

A bad row is set aside with its line and its reason; a whole file is refused only when a declared, dated limit is
passed or it cannot be read at all; a refused file changes nothing.
"""

from openceir.intake.aside import REASONS, Example, Rejects
from openceir.intake.errors import IntakeError
from openceir.intake.figures import Figure
from openceir.intake.octets import Bounds
from openceir.intake.report import ImportReport
from openceir.intake.sightings import Country, Dump, SightingsRead, name_dump, read_sightings

__all__ = [
    "IntakeError",
    # rows set aside, limits
    "REASONS", "Rejects", "Example", "Figure", "Bounds", "ImportReport",
    # operators' dumps
    "Country", "Dump", "SightingsRead", "name_dump", "read_sightings",
]  # fmt: skip
