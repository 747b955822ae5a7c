"""Where the portal keeps people and cases: SQLite beside the register, or PostgreSQL by one setting."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from openceir.settings import SettingsError

__all__ = ["database_of"]


def database_of(url: str, beside: Path) -> dict[str, Any]:
    """Django's description of the database that the setting `portal.database` names; empty is the file `beside`.

    Raises: SettingsError when it names another kind of database.
    """
    if not url:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": beside,
            "CONN_MAX_AGE": None,
            "OPTIONS": {
                # a reader that turns writer in the middle of a transaction would be refused instead of waiting
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
            },
        }
    parts = urlsplit(url)
    if parts.scheme != "postgresql":
        raise SettingsError(
            f'the setting portal.database begins with "{parts.scheme}:", expected postgresql://… or nothing for SQLite'
        )
    options = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "HOST": options.pop("host", "") or parts.hostname or "",
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,  # libpq's own words: passfile, sslmode, sslrootcert …
    }
