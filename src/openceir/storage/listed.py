"""What an authority's list holds now, read from the claims (`intake.ports.ListedDevices`)."""

from datetime import datetime

import numpy as np

from openceir.identity import format_device_key, format_subscriber
from openceir.intake import Standing
from openceir.statements import Pair
from openceir.status import ClaimKind
from openceir.storage.claims import ClaimShelf
from openceir.storage.database import Database
from openceir.storage.identifiers import IdentifierDictionary

__all__ = ["ListedClaims"]


class ListedClaims:
    """The claims that hold at one instant, by the statement that made them."""

    def __init__(self, claims: ClaimShelf, identifiers: IdentifierDictionary, database: Database, at: datetime) -> None:
        self._claims = claims
        self._identifiers = identifiers
        self._database = database
        self._at = at

    def devices(self, kind: str, issuer: str, note: str) -> list[Standing]:
        """Devices and ranges with a claim of `kind` by `issuer` that rests on `note`."""
        holding = self._claims.current(ClaimKind(kind), self._at)
        keys: dict[bytes, list[int]] = {}
        for row in np.unique(holding.row).tolist():
            said = holding.said[row]
            if said.issuer == issuer and said.note == note:
                keys.setdefault(said.leaf_hash, []).extend(holding.device[holding.row == row].tolist())
        spans: dict[bytes, list[tuple[int, int]]] = {}
        for piece in self._claims.current_ranges(ClaimKind(kind), self._at):
            if piece.said.issuer == issuer and piece.said.note == note:
                spans.setdefault(piece.said.leaf_hash, []).append((piece.lo, piece.hi))
        return [self._standing(leaf, keys.get(leaf, []), spans.get(leaf, [])) for leaf in {**keys, **spans}]

    def pairs(self, issuer: str) -> list[tuple[bytes, Pair]]:
        """Pairs stated by `issuer`."""
        holding = self._claims.current(ClaimKind.PAIRED, self._at)
        found = []
        for row in np.unique(holding.row).tolist():
            said = holding.said[row]
            if said.issuer != issuer:
                continue
            standing = set(holding.device[holding.row == row].tolist())
            rows = self._database.connection.execute(
                "SELECT devices, imsis, msisdns FROM said WHERE leaf_hash = ? AND kind = ?",
                (said.leaf_hash, ClaimKind.PAIRED),
            )
            for stored in rows:
                columns = (np.frombuffer(octets, dtype="<i8").tolist() for octets in stored)
                for device, imsi, msisdn in zip(*columns, strict=True):
                    if device in standing:
                        number = format_subscriber(msisdn) if msisdn else None
                        found.append((said.leaf_hash, Pair(format_device_key(device), format_subscriber(imsi), number)))
        return found

    def digests(self, issuer: str) -> list[tuple[bytes, bytes]]:
        """Keyed digests of devices permitted by `issuer`, without the statements that were withdrawn."""
        return self._database.connection.execute(
            "SELECT s.leaf_hash, g.digest FROM golden AS g JOIN said AS s ON s.id = g.said WHERE s.issuer = ?"
            " AND NOT EXISTS (SELECT 1 FROM said AS w WHERE w.kind = ? AND w.target = s.leaf_hash)",
            (issuer, ClaimKind.WITHDRAWN),
        ).fetchall()

    def _standing(self, leaf: bytes, keys: list[int], spans: list[tuple[int, int]]) -> Standing:
        ranges = [(f"{first:014d}", f"{last:014d}") for first, last in spans]
        return Standing(leaf, self._identifiers.set_of(keys, ranges))
