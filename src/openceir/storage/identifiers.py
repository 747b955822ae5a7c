"""The identifier dictionary: device keys for whatever is not a 14-digit IMEI (docs/architecture.md §2)."""

from collections.abc import Iterable, Sequence

from openceir.identity import ODD_DEVICE_BASE
from openceir.statements import DeviceSet
from openceir.storage.database import Database

__all__ = ["IdentifierDictionary"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS identifier(
    key INTEGER PRIMARY KEY,
    scheme TEXT NOT NULL,
    text TEXT NOT NULL,
    UNIQUE(scheme, text)
) STRICT;
"""
_AT_ONCE = 10_000  # values bound in one SQL statement


class IdentifierDictionary:
    """(scheme, text) to device key and back. Rows are only ever added: a key once given means the same for ever.

    Safe to call inside and outside of a transaction; what `keys_of` returned is durable when its transaction is.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        database.define(_SCHEMA)

    def keys_of(self, scheme: str, texts: Iterable[str]) -> dict[str, int]:
        """The device key of each text; texts that were never seen get the next keys, in the order given."""
        wanted = list(dict.fromkeys(texts))
        found = self.find_keys(scheme, wanted)
        fresh = [text for text in wanted if text not in found]
        if fresh:
            with self._database.transaction() as rows:
                # Looked up again: another process may have added some since.
                found |= self.find_keys(scheme, fresh)
                fresh = [text for text in fresh if text not in found]
                [(last,)] = rows.execute("SELECT COALESCE(MAX(key), ?) FROM identifier", (ODD_DEVICE_BASE - 1,))
                numbered = [(last + place, scheme, text) for place, text in enumerate(fresh, start=1)]
                rows.executemany("INSERT INTO identifier(key, scheme, text) VALUES (?, ?, ?)", numbered)
                found |= {text: key for key, _, text in numbered}
        return found

    def find_keys(self, scheme: str, texts: Sequence[str]) -> dict[str, int]:
        """The device keys of those texts that have one."""
        found: dict[str, int] = {}
        for start in range(0, len(texts), _AT_ONCE):
            some = texts[start : start + _AT_ONCE]
            marks = ",".join("?" * len(some))
            found.update(
                self._database.connection.execute(
                    f"SELECT text, key FROM identifier WHERE scheme = ? AND text IN ({marks})", (scheme, *some)
                )
            )
        return found

    def add(self, pairs: Sequence[tuple[str, str]]) -> list[int]:
        """The device keys of (scheme, text) pairs, made where absent, in order; durable with the caller's transaction."""
        texts_of_scheme: dict[str, list[str]] = {}
        for scheme, text in pairs:
            texts_of_scheme.setdefault(scheme, []).append(text)
        keys = {scheme: self.keys_of(scheme, texts) for scheme, texts in texts_of_scheme.items()}
        return [keys[scheme][text] for scheme, text in pairs]

    def find(self, scheme: str, text: str) -> int | None:
        """The device key of one text, None when it was never seen."""
        return self.find_keys(scheme, [text]).get(text)

    def text_of(self, key: int) -> tuple[str, str] | None:
        """(scheme, text) of a key, None when the dictionary does not hold it."""
        return self.texts_of([key]).get(key)

    def texts_of(self, keys: Sequence[int]) -> dict[int, tuple[str, str]]:
        """(scheme, text) of those keys that the dictionary holds."""
        found: dict[int, tuple[str, str]] = {}
        for start in range(0, len(keys), _AT_ONCE):
            some = [int(key) for key in keys[start : start + _AT_ONCE]]
            marks = ",".join("?" * len(some))
            rows = self._database.connection.execute(
                f"SELECT key, scheme, text FROM identifier WHERE key IN ({marks})", some
            )
            found.update({key: (scheme, text) for key, scheme, text in rows})
        return found

    def set_of(self, keys: Sequence[int], ranges: Iterable[tuple[str, str]] = ()) -> DeviceSet:
        """The devices of these keys, and ranges, as statements name them."""
        odd = [key for key in keys if key >= ODD_DEVICE_BASE]
        return DeviceSet.of(
            keys=[key for key in keys if key < ODD_DEVICE_BASE], ranges=ranges, others=self.texts_of(odd).values()
        )
