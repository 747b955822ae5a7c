"""A statement under its signature: how it is signed, sent, and checked.

The signed part (the leaf of the ledger) names issuer, kind and time, and binds what was said by a salted digest:

    protected   { 1: -8 (EdDSA), 4: kid, 15: { 1: issuer, 2: kind, 6: stated_at },
                  258: -16 (SHA-256), 259: content type of what was digested }
    unprotected { }
    payload     SHA-256(salt || payload)

Salt and payload travel beside it and are kept off the log, so that they can be erased; without the salt a digest
left behind cannot be matched to a device by trying all numbers.

Source: RFC 9052 (COSE_Sign1), RFC 9597 (CWT claims in headers), RFC 9995 (hash envelope), RFC 9943 §6 (statements).
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from typing import Final

from openceir.statements._cbor import not_canonical, read_loosely, read_octets, write_canonical, write_octets
from openceir.statements.cose import ALG, CWT_CLAIMS, EDDSA, KID, Sign1
from openceir.statements.errors import KeyOutOfDate, Refusal, StatementRefused
from openceir.statements.keys import SigningKey
from openceir.statements.members import Members
from openceir.statements.roles import KeyUse
from openceir.statements.statement import KINDS, Statement, decode_payload, encode_payload

__all__ = [
    "CLOCK_SKEW",
    "CONTENT_TYPE",
    "Header",
    "SALT_OCTETS",
    "SignedStatement",
    "open_payload",
    "read_header",
    "sign",
    "verify_header",
    "verify_statement",
]

CONTENT_TYPE: Final = "application/vnd.openceir.salted+cbor"
SALT_OCTETS: Final = 16
MOST_SIGNED_OCTETS: Final = 4096  # far below the 65,535 of a tile bundle's entry
MOST_PAYLOAD_OCTETS: Final = 64 << 20
CLOCK_SKEW: Final = timedelta(minutes=5)  # how far a signer's clock may run ahead of the ledger's

_HASH_ALG, _PREIMAGE_TYPE, _SHA_256 = 258, 259, -16
_ISSUER, _SUBJECT, _ISSUED_AT = 1, 2, 6


@dataclass(frozen=True, slots=True)
class Header:
    """What a signed statement shows even when its payload is erased."""

    issuer: str
    kind: str
    stated_at: datetime
    kid: bytes
    digest: bytes  # SHA-256(salt || payload)


@dataclass(frozen=True)
class SignedStatement:
    """A statement as it is sent: the signed octets, and the salt and payload that they bind."""

    octets: bytes
    salt: bytes
    payload: bytes

    @cached_property
    def header(self) -> Header:
        """Issuer, kind, time, key and digest; raises StatementRefused when the octets are no statement."""
        return read_header(self.octets)

    def write(self) -> bytes:
        """The octets of a .statement file: canonical CBOR [signed octets, salt, payload]."""
        return b"\x83" + write_octets(self.octets) + write_octets(self.salt) + write_octets(self.payload)

    @classmethod
    def read(cls, file_octets: bytes) -> "SignedStatement":
        """What `write` wrote; raises StatementRefused."""
        if len(file_octets) > MOST_PAYLOAD_OCTETS + MOST_SIGNED_OCTETS + 64:
            raise StatementRefused(f"a statement has at most {MOST_PAYLOAD_OCTETS} octets; send several")
        try:  # as we write it: three octet strings, each in its shortest spelling
            octets, at = read_octets(file_octets, 1)
            salt, at = read_octets(file_octets, at)
            payload, at = read_octets(file_octets, at)
            if file_octets[0] == 0x83 and at == len(file_octets):
                return cls(octets, salt, payload)
        except (ValueError, IndexError):
            pass  # the reader of any CBOR says what is wrong with it
        match read_loosely(file_octets, "the statement file"):
            case [bytes(octets), bytes(salt), bytes(payload)]:
                signed = cls(octets, salt, payload)
            case _:
                raise StatementRefused("a statement file holds three octet strings: signed part, salt and payload")
        if signed.write() != file_octets:
            raise not_canonical("the statement file")
        return signed


def sign(said: Statement, key: SigningKey, *, issuer: str, stated_at: datetime, salt: bytes) -> SignedStatement:
    """`said`, signed by `issuer` with `key`.

    `salt`: 16 octets from a source nobody can predict, never used twice.
    Raises: StatementRefused when `said` cannot be true of a statement signed at `stated_at`.
    """
    if len(salt) != SALT_OCTETS:
        raise StatementRefused(f"the salt has {len(salt)} octets, expected {SALT_OCTETS} random ones")
    if stated_at.utcoffset() != timedelta(0) or stated_at.microsecond:
        raise StatementRefused("stated_at must be in UTC and whole seconds")
    said.check(stated_at)
    payload = encode_payload(said)
    if len(payload) > MOST_PAYLOAD_OCTETS:
        raise StatementRefused(
            f"the statement has {len(payload)} octets, the most is {MOST_PAYLOAD_OCTETS}; say several"
        )
    digest = hashlib.sha256(salt + payload).digest()
    protected = _protected(key.public.kid, issuer, said.kind, stated_at)
    return SignedStatement(Sign1.sign(protected, digest, key).write(), salt, payload)


def read_header(octets: bytes) -> Header:
    """Issuer, kind, time, key and digest of a signed statement, its signature not yet checked.

    Raises: StatementRefused when the octets differ in anything but these five and the signature from what `sign` makes.
    """
    return _read(octets)[1]


def verify_header(octets: bytes, members: Members, *, at: datetime, known: Header | None = None) -> Header:
    """The header of a statement that a member signed who may say it, as judged at `at`, the time of the ledger.

    The key must count both when the statement says it was signed and at `at`: a stolen key cannot backdate.
    `known`: what was found when these very octets were verified before; all but spelling and signature, which never
    change, is judged anew.
    Raises: StatementRefused otherwise; KeyOutOfDate when all but the key's time is right.
    """
    message, header = (None, known) if known is not None else _read(octets)
    found = members.find_key(header.kid)
    if found is None:
        raise StatementRefused(
            f"the key {header.kid.hex()[:16]}… is no member's; add it with `openceir member add`", Refusal.KEY_UNKNOWN
        )
    member, key = found
    if member.id != header.issuer:
        raise StatementRefused(
            f"{header.issuer} is named as issuer, but the key is {member.id}'s", Refusal.ISSUER_OTHER
        )
    if key.use is not KeyUse.STATEMENTS:
        raise StatementRefused(
            f"that key of {member.id} is for {key.use}, not for statements; sign with another", Refusal.KEY_UNKNOWN
        )
    if header.kind not in KINDS:
        raise StatementRefused(
            f'"{header.kind[:60]}" is no kind of statement; `openceir statement kinds` lists them',
            Refusal.KIND_UNKNOWN,
        )
    if not member.roles_at(at) & KINDS[header.kind].said_by:
        allowed = ", ".join(sorted(KINDS[header.kind].said_by))
        raise StatementRefused(f"{member.id} may not say {header.kind}; that is for {allowed}", Refusal.ROLE)
    if header.stated_at > at + CLOCK_SKEW:
        raise StatementRefused("stated_at lies in the future; was a local time sent as UTC?", Refusal.FUTURE)
    if message is not None:
        message.verify(key.public)
    if not key.is_valid_at(header.stated_at) or not key.is_valid_at(at):
        raise KeyOutOfDate(f"the key of {member.id} does not count at that time: not yet valid, expired or revoked")
    return header


def open_payload(header: Header, salt: bytes, payload: bytes) -> Statement:
    """What the statement of this header says.

    Raises: StatementRefused when salt and payload are not those that were signed, or say what cannot be.
    """
    if len(salt) != SALT_OCTETS or len(payload) > MOST_PAYLOAD_OCTETS:
        raise StatementRefused(
            f"expected a salt of {SALT_OCTETS} octets and a payload of at most {MOST_PAYLOAD_OCTETS}"
        )
    if hashlib.sha256(salt + payload).digest() != header.digest:
        raise StatementRefused("the payload is not the one that was signed: its salted digest differs")
    said = decode_payload(header.kind, payload)
    said.check(header.stated_at)
    return said


def verify_statement(signed: SignedStatement, members: Members, *, at: datetime) -> Statement:
    """What a member says who may say it, signature, time and payload checked as of `at`.

    Raises: StatementRefused. Whether it was said before, only a ledger knows.
    """
    return open_payload(verify_header(signed.octets, members, at=at), signed.salt, signed.payload)


def _protected(kid: bytes, issuer: str, kind: str, stated_at: datetime) -> bytes:
    """The one protected header that says this; the time stands between octets that repeat for each issuer and kind."""
    before, after = _around_time(kid, issuer, kind)
    seconds = int(stated_at.timestamp())
    return (
        before
        + (b"\x1a" + seconds.to_bytes(4) if seconds >> 16 and not seconds >> 32 else write_canonical(seconds))
        + after
    )


@lru_cache(maxsize=1024)
def _around_time(kid: bytes, issuer: str, kind: str) -> tuple[bytes, bytes]:
    """What stands before and after the time, which ends the CWT claims."""
    claims = {_ISSUER: issuer, _SUBJECT: kind, _ISSUED_AT: 0}
    rest = {_HASH_ALG: _SHA_256, _PREIMAGE_TYPE: CONTENT_TYPE}
    whole = write_canonical({ALG: EDDSA, KID: kid, CWT_CLAIMS: claims, **rest})
    after = write_canonical(rest)[1:]  # without the map's own first octet
    return whole[: -len(after) - 1], after


def _read(octets: bytes) -> tuple[Sign1, Header]:
    if len(octets) > MOST_SIGNED_OCTETS:
        raise StatementRefused(
            f"the signed part has {len(octets)} octets, the most is {MOST_SIGNED_OCTETS}", Refusal.TOO_LARGE
        )
    message = Sign1.read(octets, "the statement")
    if message.payload is None or len(message.payload) != 32:
        raise StatementRefused("the statement's payload must be the salted SHA-256 digest of what it says")
    issuer, kind, stated_at, kid = _read_protected(message.protected)
    if message.unprotected:
        raise _other_headers()
    return message, Header(issuer, kind, stated_at, kid, message.payload)


@lru_cache(maxsize=256)
def _read_protected(protected: bytes) -> tuple[str, str, datetime, bytes]:
    """Issuer, kind, time and key. What one member says in one second stands under the same octets, and is read once."""
    match read_loosely(protected, "the statement's protected header"):
        case {4: bytes(kid), 15: {1: str(issuer), 2: str(kind), 6: int(seconds)}} if len(kid) == 32 and (
            0 <= seconds < 1 << 37
        ):
            stated_at = datetime.fromtimestamp(seconds, UTC)
        case _:
            raise StatementRefused("the statement's protected header names no key, issuer, kind and time")
    # Compared whole: another algorithm, a further header or another spelling is refused without being looked for.
    if _protected(kid, issuer, kind, stated_at) != protected:
        raise _other_headers()
    return issuer, kind, stated_at, kid


def _other_headers() -> StatementRefused:
    return StatementRefused(
        "the statement's headers must be EdDSA, kid, CWT claims issuer, kind and time, and the hash envelope of "
        "RFC 9995 over SHA-256, in canonical CBOR and nothing else; sign without more"
    )
