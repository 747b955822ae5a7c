"""The loading dock: operators' dumps, the TAC table and authorities' lists become checked columns.

A bad row is set aside with its line and its reason; a whole file is refused only when a declared, dated limit is
passed or it cannot be read at all; a refused file changes nothing.
"""

from openceir.intake.aside import REASONS, Example, Rejects
from openceir.intake.changes import GROUNDS, ListChange, Listing, counted, find_change, statements_of
from openceir.intake.declared import bounds_of, country_of, limits_of
from openceir.intake.errors import IntakeError
from openceir.intake.figures import Figure
from openceir.intake.lists import ListKind, ListRead, read_list
from openceir.intake.octets import Bounds
from openceir.intake.ports import ListedDevices, Standing
from openceir.intake.reference import (
    ReferenceRead,
    check_reference,
    read_associations,
    read_cells,
    read_subscribers,
    read_tacs,
)
from openceir.intake.report import ImportReport
from openceir.intake.sightings import Country, Dump, SightingsRead, name_dump, read_sightings

__all__ = [
    "IntakeError",
    # rows set aside, limits
    "REASONS", "Rejects", "Example", "Figure", "Bounds", "ImportReport", "bounds_of", "limits_of",
    # operators' dumps
    "Country", "country_of", "Dump", "SightingsRead", "name_dump", "read_sightings",
    # authorities' lists
    "ListKind", "ListRead", "read_list", "ListChange", "Listing", "Standing", "ListedDevices", "GROUNDS",
    "find_change", "statements_of", "counted",
    # reference lists
    "ReferenceRead", "check_reference", "read_tacs", "read_cells", "read_associations", "read_subscribers",
]  # fmt: skip
