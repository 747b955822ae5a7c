"""The kinds of list an operator receives: their columns, their order, and the words a delta uses.

A row is a tuple of texts, one a column. The first `key_length` columns name the row; rows stand in ascending
order of that key by code point, no key twice, so two lists are compared by walking both once.
"""

from dataclasses import dataclass

from openceir.lists.errors import NotAList

__all__ = ["KINDS", "CHANGE_COLUMN", "ListKind", "Row", "kind_named"]

Row = tuple[str, ...]

CHANGE_COLUMN = "change"  # the last column of every delta


@dataclass(frozen=True, slots=True, kw_only=True)
class ListKind:
    """One kind of list: what a row says, and what a change of it is called."""

    name: str
    columns: tuple[str, ...]
    key_length: int  # the first columns, which together are unique
    added: str
    removed: tuple[str, ...]  # more than one word where the reason matters to who is told
    changed: str | None  # None: a row is all key and cannot change
    holds_subscribers: bool

    def key(self, row: Row) -> Row:
        """What names `row`; the order of the file."""
        return row[: self.key_length]

    @property
    def delta_columns(self) -> tuple[str, ...]:
        """The columns of a delta of this kind."""
        return (*self.columns, CHANGE_COLUMN)


KINDS = {
    kind.name: kind
    for kind in (
        # Devices nobody may use. Reasons are joined by a pipe in alphabetical order; dates are YYYY-MM-DD, UTC.
        ListKind(
            name="blocklist",
            columns=("imei", "block_date", "reasons"),
            key_length=1,
            holds_subscribers=False,
            added="blocked",
            removed=("unblocked",),
            changed="changed",
        ),
        # Whole ranges nobody may use, both ends included, 14 digits, never expanded, never overlapping: a million
        # stolen or never allocated numbers are one row. A device inside that may be used splits its range.
        ListKind(
            name="blockranges",
            columns=("imei_from", "imei_to", "block_date", "reasons"),
            key_length=2,
            holds_subscribers=False,
            added="blocked",
            removed=("unblocked",),
            changed="changed",
        ),
        # A stolen number that others were given too: only these users of it are blocked.
        ListKind(
            name="pairblocks",
            columns=("imei", "imsi", "block_date", "reasons"),
            key_length=2,
            holds_subscribers=True,
            added="blocked",
            removed=("unblocked",),
            changed="changed",
        ),
        # Whom to warn, before it happens.
        ListKind(
            name="notifications",
            columns=("imei", "imsi", "msisdn", "block_date", "reasons", "amnesty_granted"),
            key_length=3,
            holds_subscribers=True,
            added="new",
            removed=("resolved", "blacklisted", "no_longer_seen"),
            changed="changed",
        ),
        # Who may go on although the device is blocked.
        ListKind(
            name="exceptions",
            columns=("imei", "imsi", "msisdn"),
            key_length=3,
            holds_subscribers=True,
            added="added",
            removed=("removed",),
            changed=None,
        ),
    )
}


def kind_named(name: str) -> ListKind:
    """The kind of that name.

    Raises: NotAList when there is none.
    """
    if name not in KINDS:
        raise NotAList(f"there is no list kind {name!r}; the kinds are {', '.join(KINDS)}")
    return KINDS[name]
