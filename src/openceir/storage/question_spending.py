"""How often each may ask: spent anonymous tokens, partners' questions, and tokens drawn from one network address.

Counted by minute, so that nobody takes the day of all in one breath, and by day (UTC). Counts of a minute are forgotten
with it.

A database of its own, so that questions never wait for the register's writers, and one that can be deleted: whoever
deletes it lets today's tokens be spent once more. What returned is durable. Nothing here is older than yesterday, and
an address stands in it only as a digest under a key of the day that is deleted with the day.
"""

import hashlib
import secrets
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from openceir.questions import AnonymousToken, QuotaSpent, TokenSpent
from openceir.storage.database import Database

__all__ = ["Allowance", "QuestionSpending"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS spent(
    day TEXT NOT NULL,
    nonce BLOB NOT NULL,
    PRIMARY KEY (day, nonce)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS used(
    day TEXT NOT NULL,              -- or a minute of it: 2027-03-01T12:34
    what TEXT NOT NULL,             -- questions, or tokens
    who BLOB NOT NULL,              -- name of an access token; digest of an address; empty for all together
    count INTEGER NOT NULL,
    PRIMARY KEY (day, what, who)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS address_key(
    day TEXT PRIMARY KEY,
    key BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS quota(
    name TEXT PRIMARY KEY,          -- of an access token
    per_day INTEGER NOT NULL
) STRICT;
"""


@dataclass(frozen=True, slots=True)
class Allowance:
    """How much one may have."""

    per_minute: int
    per_day: int


class QuestionSpending:
    """Counts of a minute and a day. All methods refuse before anything is counted."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.define(_SCHEMA)

    def spend(self, tokens: Sequence[AnonymousToken], today: date) -> None:
        """Take these tokens out of use for ever, all or none. Raises: TokenSpent when one was used before."""
        with self._database.transaction() as rows:
            self._forget(rows, today)
            for token in tokens:
                added = rows.execute(
                    "INSERT INTO spent(day, nonce) VALUES (?, ?) ON CONFLICT DO NOTHING",
                    (token.day.isoformat(), token.nonce),
                )
                if not added.rowcount:
                    raise TokenSpent("an anonymous token was used before; each is good for one question")

    def count_questions(self, name: str, count: int, most: Allowance, now: datetime) -> None:
        """Take `count` of a partner's questions, by a quota of its own a day or `most`. Raises: QuotaSpent."""
        with self._database.transaction() as rows:
            self._forget(rows, now.date(), now)
            found = rows.execute("SELECT per_day FROM quota WHERE name = ?", (name,)).fetchone()
            own = Allowance(most.per_minute, found[0]) if found else most
            self._count(rows, now, "questions", name.encode(), count, own)

    def count_tokens(self, address: str, count: int, each: Allowance, in_all: Allowance, now: datetime) -> None:
        """Take `count` of the anonymous tokens that an address, and everybody together, may draw. Raises: QuotaSpent."""
        today = now.date()
        with self._database.transaction() as rows:
            self._forget(rows, today, now)
            rows.execute(
                "INSERT INTO address_key(day, key) VALUES (?, ?) ON CONFLICT DO NOTHING",
                (today.isoformat(), secrets.token_bytes(32)),
            )
            [(key,)] = rows.execute("SELECT key FROM address_key WHERE day = ?", (today.isoformat(),))
            who = hashlib.blake2b(address.encode(), key=key, digest_size=16).digest()
            self._count(rows, now, "tokens", who, count, each)
            self._count(rows, now, "tokens", b"", count, in_all)

    def set_quota(self, name: str, per_day: int) -> None:
        """Let the access token `name` ask so many a day."""
        with self._database.transaction() as rows:
            rows.execute(
                "INSERT INTO quota(name, per_day) VALUES (?, ?) ON CONFLICT(name) DO UPDATE SET per_day = excluded.per_day",
                (name, per_day),
            )

    def used_today(self, today: date) -> dict[str, int]:
        """How many questions each partner asked, and how many anonymous tokens were drawn in all (empty name)."""
        query = "SELECT who, count FROM used WHERE day = ? AND (what = 'questions' OR who = x'')"
        return {who.decode(): count for who, count in self._database.connection.execute(query, (today.isoformat(),))}

    def _count(
        self, rows: sqlite3.Connection, now: datetime, what: str, who: bytes, count: int, most: Allowance
    ) -> None:
        midnight = datetime.combine(now.date() + timedelta(days=1), time(), UTC)
        for period, limit, name, when, ends_at in (
            (now.date().isoformat(), most.per_day, "day", "tomorrow", midnight),
            (_minute(now), most.per_minute, "minute", "in a minute", now + timedelta(seconds=60 - now.second)),
        ):
            key = (period, what, who)
            found = rows.execute("SELECT count FROM used WHERE day = ? AND what = ? AND who = ?", key).fetchone()
            used = found[0] if found else 0
            if used + count > limit:
                whose = "of all together " if not who else ""
                raise QuotaSpent(
                    f"{used} of {limit} {what} {whose}of this {name} are used, {count} more do not fit; ask {when}",
                    max(1, int((ends_at - now).total_seconds())),
                )
            rows.execute(
                "INSERT INTO used(day, what, who, count) VALUES (?, ?, ?, ?)"
                " ON CONFLICT(day, what, who) DO UPDATE SET count = excluded.count",
                (*key, used + count),
            )

    def _forget(self, rows: sqlite3.Connection, today: date, now: datetime | None = None) -> None:
        first_kept = (today - timedelta(days=1)).isoformat()
        for table in ("spent", "used", "address_key"):
            rows.execute(f"DELETE FROM {table} WHERE day < ?", (first_kept,))
        if now is not None:
            rows.execute("DELETE FROM used WHERE length(day) > 10 AND day <> ?", (_minute(now),))


def _minute(now: datetime) -> str:
    return f"{now:%Y-%m-%dT%H:%M}"
