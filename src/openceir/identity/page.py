"""The catalogue as a page for people; docs/reference/identifiers.md is this text, and a test compares them."""

from collections.abc import Iterable

from openceir.identity.catalogue import CATALOGUE, LEVELS, Scheme
from openceir.identity.non_unique import NON_UNIQUE
from openceir.identity.rat import RAT_CODES
from openceir.identity.tac import RBI

__all__ = ["format_page"]

_HOW_KNOWN = {"read": "read in the source, or held by a test against another implementation", "general": "not checked in the source; check before you quote it"}  # fmt: skip


def format_page() -> str:
    """The whole page in Markdown."""
    return "\n".join([
        "# Identifiers",
        "",
        "Which identifiers devices bear, where they stand, and how far each can be trusted against duplication and",
        "rewriting. Written by `openceir identifier list --markdown`; do not edit it by hand.",
        "`openceir identifier explain VALUE` tells what a value is.",
        "",
        "An identifier is reliable when it is unique to one device, given out only by whoever is responsible, and cannot be",
        "changed by anyone else. Few of those below are all three and the IMEI is not, so a record in this register is a",
        "claim about a device, never the device itself.",
        "",
        "## Security levels",
        "",
        "The scale is ours; no standard has one.",
        "",
        *_table(("level", "meaning"), LEVELS.items()),
        "",
        "## All schemes",
        "",
        *_table(
            ("scheme", "what it is", "what it identifies", "level"),
            ((f"[`{row.name}`](#{row.name})", row.title, row.identifies, row.levels) for row in CATALOGUE.values()),
        ),
        "",
        *(line for row in CATALOGUE.values() for line in _section(row)),
        "## Numbers on many devices",
        "",
        "They name nobody's device: never blocked as a device by a list, never registered. The pair of such a number with",
        "one subscriber can be blocked or permitted. Lost leading zeros are restored before the table is asked.",
        "",
        *_table(
            ("fourteen digits", "kind", "evidence", "source"),
            ((f"`{row.digits}`", row.kind, row.evidence, row.source) for row in NON_UNIQUE.values()),
        ),
        "",
        "## Reporting bodies",
        "",
        "The first two digits of a TAC: where it was allocated, which says nothing about where a device was made or sold.",
        "Codes of a body that no longer allocates stay valid.",
        "",
        *_table(
            ("prefix", "body", "allocates", "note"),
            ((row.prefix, row.name, "yes" if row.active else "no longer", row.note or "-") for row in RBI.values()),
        ),
        "",
        "## Radio access codes",
        "",
        "The codes of an operator's dump (3GPP TS 29.061 §16.4.7.2). A code that is not here is kept as \"other\", which",
        "contradicts no model. The last column says where a value was seen, since the documents were not at hand.",
        "",
        *_table(
            ("code", "access", "generation", "also written", "seen in"),
            (
                (row.code, row.name, f"{row.generation}G" if row.generation else "-", ", ".join(row.also) or "-", row.seen_in)
                for row in RAT_CODES.values()
            ),
        ),
        "",
    ])  # fmt: skip


def _section(row: Scheme) -> list[str]:
    lines = [
        f"### {row.name}",
        "",
        f"{row.title}. Identifies: {row.identifies}.",
        "",
        f"- **Written:** {row.syntax}. Length {row.length}; alphabet {row.alphabet}.",
        f"- **Check:** {row.check}.",
        f"- **Issued by:** {row.issuer}.",
        f"- **Used for:** {row.area}.",
        f"- **Stored in:** {row.stored}.",
        f"- **Level {row.levels}:** {row.reason}.",
        f"- **Source:** {row.source} ({_HOW_KNOWN[row.known]}).",
    ]
    if row.denotes:
        lines.insert(4, f"- A way of writing [`{row.denotes}`](#{row.denotes}).")
    return [*lines, ""]


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    def line(cells: tuple[str, ...]) -> str:
        return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"

    return [line(heads), "|" + "---|" * len(heads), *(line(row) for row in rows)]
