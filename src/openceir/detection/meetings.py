"""One number in two countries within less time than the journey takes (ITU-T Q.5052 §7.5).

Two countries exchange which numbers their networks saw in which hour: as tokens under a key that only these two have,
new each month, with the hour and the country and nothing else. Both compute the same function of the two sets, so both
find the same.

An hour is coarse on purpose: an hour h stands for any instant of [h, h+1). Two hours h and k in two countries are a
meeting when even the farthest two instants of them, |h - k| + 1 hours apart, are closer than the journey takes. A
traveller never makes one: a doubt accuses nobody. Between neighbours that share a border the journey takes no time,
so no policy for them finds anything.

Whoever has the pair's key can try all numbers against a file, so the two learn which devices the other's networks saw;
nobody else does. Tokens are 64 bits: of ten million devices a side, one exchange in 200,000 pairs two by chance.
"""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Final

import numpy as np
import numpy.typing as npt

from openceir.detection.errors import DetectionError
from openceir.statements import (
    ALG,
    CWT_CLAIMS,
    EDDSA,
    KID,
    KeyUse,
    Member,
    Members,
    Sign1,
    SigningKey,
    StatementRefused,
    read_canonical,
    write_canonical,
)

__all__ = ["HoursSeen", "Meeting", "MeetingsRefused", "hours_of", "meetings", "pair_key", "read_hours", "write_hours"]

U64 = npt.NDArray[np.uint64]
U32 = npt.NDArray[np.uint32]
SECRET_OCTETS: Final = 32
MOST_OCTETS: Final = 1 << 30
_SUBJECT: Final = "openceir-hours-seen/1"


class MeetingsRefused(DetectionError):
    """A file of hours seen cannot be used: it is not whole, not for us, or not signed by one who may say it."""

    code = "meetings-refused"
    http_status = 422


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursSeen:
    """Which numbers one country's networks saw in which hours, as another country may know it.

    Shapes: `tokens` and `hours` are rows, ascending by token and then hour, each pair once.
    Units: hours since 1970 UTC.
    """

    nation: str
    to: str
    first_on: date
    last_on: date
    tokens: U64 = field(repr=False)
    hours: U32 = field(repr=False)


@dataclass(frozen=True, slots=True, order=True)
class Meeting:
    """A number that two countries saw too soon after each other."""

    token: int
    first_hour: int  # the earliest hour of either country that is part of a meeting
    count: int  # pairs of hours, one of each country


def pair_key(secret: bytes, month: date) -> bytes:
    """The key of tokens of that month; the secret is the pair's own."""
    if len(secret) != SECRET_OCTETS:
        raise MeetingsRefused(f"the secret of two countries has {SECRET_OCTETS} octets, this one {len(secret)}")
    return hmac.digest(secret, f"openceir hours seen 1 {month:%Y-%m}".encode(), hashlib.sha256)


def hours_of(
    secret: bytes, device: npt.NDArray[np.int64], seconds: npt.NDArray[np.int64], *, nation: str, to: str
) -> HoursSeen:
    """What `to` may know of these sightings of `nation`: rows of 14-digit device keys and instants of one month.

    Raises: MeetingsRefused when there is none, or they are of several months, which have several keys.
    """
    if not device.size:
        raise MeetingsRefused("no sighting with its time of day is kept of these days; nothing can be compared")
    rows = np.unique(np.stack([device, seconds // 3600], axis=1), axis=0)
    first, last = (datetime.fromtimestamp(int(edge), UTC).date() for edge in (seconds.min(), seconds.max()))
    if (first.year, first.month) != (last.year, last.month):
        raise MeetingsRefused("the days lie in several months, which have several keys; exchange each by itself")
    key = pair_key(secret, first)
    names, place = np.unique(rows[:, 0], return_inverse=True)
    made = np.fromiter((token_of(key, name) for name in names.tolist()), dtype=np.uint64, count=names.size)
    tokens, hours = made[place], rows[:, 1].astype(np.uint32)
    order = np.lexsort((hours, tokens))
    return HoursSeen(nation=nation, to=to, first_on=first, last_on=last, tokens=tokens[order], hours=hours[order])


def token_of(key: bytes, device: int) -> int:
    """The token of a 14-digit device key."""
    return int.from_bytes(hmac.digest(key, f"imei:{device:014d}".encode(), hashlib.sha256)[:8], "little")


def meetings(ours: HoursSeen, theirs: HoursSeen, travel_hours: int) -> list[Meeting]:
    """The numbers that both saw within less time than `travel_hours`, by token; the same whichever side asks."""
    common = np.intersect1d(ours.tokens, theirs.tokens)
    found = []
    for token in common.tolist():
        here, there = _hours_of(ours, token), _hours_of(theirs, token)
        # |h - k| + 1 < travel_hours: h lies between k - reach and k + reach
        reach = travel_hours - 2
        if reach < 0:
            continue
        low, high = np.searchsorted(there, here - reach, "left"), np.searchsorted(there, here + reach, "right")
        count = int((high - low).sum())
        if count:
            met = np.flatnonzero(high > low)
            first = min(int(here[met[0]]), int(there[low[met]].min()))
            found.append(Meeting(token, first, count))
    return found


def _hours_of(seen: HoursSeen, token: int) -> npt.NDArray[np.int64]:
    wanted = np.uint64(token)
    first, end = np.searchsorted(seen.tokens, wanted, "left"), np.searchsorted(seen.tokens, wanted, "right")
    return seen.hours[first:end].astype(np.int64)


def write_hours(seen: HoursSeen, key: SigningKey, *, issuer: str, at: datetime) -> bytes:
    """The file for the other country, signed."""
    payload = write_canonical(
        [
            seen.nation,
            seen.to,
            seen.first_on.isoformat(),
            seen.last_on.isoformat(),
            seen.tokens.astype("<u8").tobytes(),
            seen.hours.astype("<u4").tobytes(),
        ]
    )
    claims = {1: issuer, 2: _SUBJECT, 6: int(at.timestamp())}
    protected = write_canonical({ALG: EDDSA, KID: key.public.kid, CWT_CLAIMS: claims})
    return Sign1.sign(protected, payload, key).write()


def read_hours(octets: bytes, members: Members, *, to: str) -> HoursSeen:
    """What a member of the other country signed for us. Raises: MeetingsRefused."""
    if len(octets) > MOST_OCTETS:
        raise MeetingsRefused(f"a file of hours seen has at most {MOST_OCTETS} octets; exchange fewer days at once")
    try:
        message = Sign1.read(octets, "the file of hours seen")
        signer, signed_at = _signer(message, members)
        match read_canonical(message.payload or b"", "the file of hours seen"):
            case [str(nation), str(receiver), str(first), str(last), bytes(tokens), bytes(hours)]:
                seen = HoursSeen(
                    nation=nation,
                    to=receiver,
                    first_on=date.fromisoformat(first),
                    last_on=date.fromisoformat(last),
                    tokens=np.frombuffer(tokens, dtype="<u8").astype(np.uint64),
                    hours=np.frombuffer(hours, dtype="<u4").astype(np.uint32),
                )
            case _:
                raise MeetingsRefused("the file of hours seen holds no nation, days, tokens and hours")
    except (StatementRefused, ValueError) as wrong:
        raise MeetingsRefused(f"the file of hours seen cannot be read: {wrong}") from wrong
    if signer.nation != seen.nation or seen.nation == to:
        raise MeetingsRefused(f"{signer.id} is no member of {seen.nation}, of whose networks the file speaks")
    if seen.to != to:
        raise MeetingsRefused(
            f"the file is for {seen.to}, and this register is of {to or 'no nation (country.nation)'}"
        )
    if seen.tokens.size != seen.hours.size or not _ascends(seen) or not _is_within(seen, signed_at):
        raise MeetingsRefused("the rows of the file are not ascending, or lie outside of the days that it names")
    return seen


def _signer(message: Sign1, members: Members) -> tuple[Member, datetime]:
    match read_canonical(message.protected, "the protected header"):
        case {1: -8, 4: bytes(kid), 15: {1: str(issuer), 2: str(subject), 6: int(seconds)}} if (
            subject == _SUBJECT and 0 <= seconds < 1 << 37
        ):
            at = datetime.fromtimestamp(seconds, UTC)
        case _:
            raise MeetingsRefused("the file is not signed as one of hours seen")
    found = members.find_key(kid)
    if found is None or found[0].id != issuer:
        raise MeetingsRefused("the file is signed by nobody who is a member here")
    member, key = found
    message.verify(key.public)
    if key.use is not KeyUse.STATEMENTS or not key.is_valid_at(at):
        raise MeetingsRefused(f"the key of {member.id} did not count when the file was signed")
    return member, at


def _ascends(seen: HoursSeen) -> bool:
    later = (seen.tokens[1:] > seen.tokens[:-1]) | (
        (seen.tokens[1:] == seen.tokens[:-1]) & (seen.hours[1:] > seen.hours[:-1])
    )
    return bool(later.all())


def _is_within(seen: HoursSeen, signed_at: datetime) -> bool:
    days = seen.hours.astype(np.int64) // 24
    first, last = (day.toordinal() - date(1970, 1, 1).toordinal() for day in (seen.first_on, seen.last_on))
    is_one_month = (seen.first_on.year, seen.first_on.month) == (seen.last_on.year, seen.last_on.month)
    return is_one_month and bool(((days >= first) & (days <= last)).all()) and seen.last_on <= signed_at.date()


def devices_met(found: Iterable[Meeting], key: bytes, devices: npt.NDArray[np.int64]) -> dict[int, Meeting]:
    """Which of our own devices the meetings are of; only who saw a device can tell."""
    by_token = {one.token: one for one in found}
    return {device: by_token[token] for device in devices.tolist() if (token := token_of(key, device)) in by_token}
