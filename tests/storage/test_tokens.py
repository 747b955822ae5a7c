"""Tokens are shown once, kept as digests and end when they should."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from openceir.storage.database import Database
from openceir.storage.read_audit import ReadAudit
from openceir.storage.tokens import TokenRefused, TokenShelf

MARCH = datetime(2027, 3, 1, tzinfo=UTC)
SUMMER = datetime(2027, 7, 1, tzinfo=UTC)


@pytest.fixture
def database(tmp_path):
    opened = Database(tmp_path / "register.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def tokens(database):
    return TokenShelf(database)


def test_only_the_digest_is_kept(tokens, database):
    text = tokens.make("desk-1", "police", at=MARCH, expires_at=SUMMER)
    [(digest,)] = database.connection.execute("SELECT digest FROM token")
    assert digest == hashlib.sha256(text.encode()).digest()
    database.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert text.encode() not in database.path.read_bytes()


def test_a_token_opens_from_its_making_until_its_end(tokens):
    text = tokens.make("desk-1", "police", at=MARCH, expires_at=SUMMER)
    second = timedelta(seconds=1)
    moments = (MARCH - second, MARCH, SUMMER - second, SUMMER)
    assert [tokens.find(text, at=at) is not None for at in moments] == [False, True, True, False]
    assert tokens.find(text + "x", at=MARCH) is None


def test_a_revoked_token_stays_revoked_from_the_first_time(tokens):
    text = tokens.make("desk-1", "police", at=MARCH, expires_at=SUMMER)
    tokens.revoke("desk-1", at=MARCH + timedelta(days=1))
    tokens.revoke("desk-1", at=MARCH + timedelta(days=9))
    assert tokens.find(text, at=MARCH) is not None
    assert tokens.find(text, at=MARCH + timedelta(days=1)) is None


def test_two_tokens_differ_and_a_name_stands_once(tokens):
    one = tokens.make("desk-1", "police", at=MARCH, expires_at=SUMMER)
    assert one != tokens.make("desk-2", "police", at=MARCH, expires_at=SUMMER)
    with pytest.raises(TokenRefused, match="a token named"):
        tokens.make("desk-1", "police", at=MARCH, expires_at=SUMMER)
    with pytest.raises(TokenRefused, match="has passed"):
        tokens.make("desk-3", "police", at=SUMMER, expires_at=MARCH)
    with pytest.raises(TokenRefused, match="no token named"):
        tokens.revoke("desk-9", at=MARCH)


def test_reads_are_numbered_and_a_removed_one_leaves_a_gap(database):
    audit = ReadAudit(database)
    for device in (1, 2, 1):
        audit.record(at=MARCH, reader="desk-1", role="police", device=device, purpose="N-7")
    database.connection.execute("DELETE FROM read_audit WHERE number = 3")
    audit.record(at=SUMMER, reader="desk-1", role="police", device=1, purpose="N-8")
    assert [(read.number, read.purpose) for read in audit.reads(1)] == [(1, "N-7"), (4, "N-8")]
    assert len(list(audit.reads())) == 3
