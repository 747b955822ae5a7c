"""Access tokens of the HTTP interface: random, shown once, kept only as a digest."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from openceir.errors import OpenceirError
from openceir.storage.database import Database

__all__ = ["Token", "TokenRefused", "TokenShelf"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS token(
    digest BLOB PRIMARY KEY,        -- SHA-256 of the token; 256 random bits need no salt
    name TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS token_operator(
    name TEXT PRIMARY KEY,          -- of the token
    operator TEXT NOT NULL          -- whose lists it opens, and nobody else's
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS token_certificate(
    name TEXT PRIMARY KEY,          -- of the token
    certificate TEXT NOT NULL       -- with which alone it opens anything: a DNS name in it, or sha256:HEX
) STRICT, WITHOUT ROWID;
"""
_COLUMNS = "token.name, role, made_at, expires_at, revoked_at, coalesce(operator, ''), coalesce(certificate, '')"
_FROM = (
    "FROM token LEFT JOIN token_operator ON token_operator.name = token.name"
    " LEFT JOIN token_certificate ON token_certificate.name = token.name"
)
_PREFIX = "openceir_"  # lets scanners of repositories and logs find one that leaked
_RANDOM_OCTETS = 32


class TokenRefused(OpenceirError):
    """A token cannot be made or revoked as asked."""

    code = "token-refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What is known of a token; not the token."""

    name: str
    role: str
    made_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    operator: str = ""  # empty: bound to none
    certificate: str = ""  # the client certificate it goes with: a DNS name in it, or sha256:HEX; empty: none

    def is_valid_at(self, moment: datetime) -> bool:
        """Whether it opens anything at `moment`."""
        return self.made_at <= moment < self.expires_at and (self.revoked_at is None or moment < self.revoked_at)


class TokenShelf:
    """Tokens in `register.sqlite`. What returned is durable."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.define(_SCHEMA)

    def make(
        self, name: str, role: str, *, at: datetime, expires_at: datetime, operator: str = "", certificate: str = ""
    ) -> str:
        """A new token's text, which nobody can show again. `operator` is whose lists it opens, together with `certificate`.

        Raises: TokenRefused when the name is taken or the token would be dead already.
        """
        if expires_at <= at:
            raise TokenRefused(f"the token would expire at {expires_at:%Y-%m-%d}, which has passed; give a later day")
        text = _PREFIX + secrets.token_urlsafe(_RANDOM_OCTETS)
        with self._database.transaction() as rows:
            if rows.execute("SELECT 1 FROM token WHERE name = ?", (name,)).fetchone():
                raise TokenRefused(
                    f'there is a token named "{name}" already; choose another name, so that each is told apart'
                )
            rows.execute(
                "INSERT INTO token(digest, name, role, made_at, expires_at) VALUES (?, ?, ?, ?, ?)",
                (_digest(text), name, role, int(at.timestamp()), int(expires_at.timestamp())),
            )
            if operator:
                rows.execute("INSERT INTO token_operator VALUES (?, ?)", (name, operator))
            if certificate:
                rows.execute("INSERT INTO token_certificate VALUES (?, ?)", (name, certificate))
        return text

    def revoke(self, name: str, *, at: datetime) -> None:
        """Let a token open nothing from `at` on; harmless when it is revoked already. Raises: TokenRefused."""
        with self._database.transaction() as rows:
            known = rows.execute(
                "UPDATE token SET revoked_at = coalesce(revoked_at, ?) WHERE name = ?", (int(at.timestamp()), name)
            )
            if not known.rowcount:
                raise TokenRefused(f'there is no token named "{name}"; `openceir token list` shows them')

    def find(self, text: str, *, at: datetime) -> Token | None:
        """The token, if it is one of ours and opens anything at `at`."""
        # Looked up by digest: how long that takes says nothing about the text.
        query = f"SELECT {_COLUMNS} {_FROM} WHERE digest = ?"
        row = self._database.connection.execute(query, (_digest(text),)).fetchone()
        token = _read(row) if row else None
        return token if token is not None and token.is_valid_at(at) else None

    def list_all(self) -> list[Token]:
        """Every token ever made, by name."""
        query = f"SELECT {_COLUMNS} {_FROM} ORDER BY token.name"
        return [_read(row) for row in self._database.connection.execute(query)]


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _read(row: tuple[str, str, int, int, int | None, str, str]) -> Token:
    name, role, made_at, expires_at, revoked_at, operator, certificate = row
    return Token(
        name=name,
        role=role,
        made_at=datetime.fromtimestamp(made_at, UTC),
        expires_at=datetime.fromtimestamp(expires_at, UTC),
        revoked_at=datetime.fromtimestamp(revoked_at, UTC) if revoked_at is not None else None,
        operator=operator,
        certificate=certificate,
    )
