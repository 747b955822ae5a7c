"""S13 and S13': a network asks its equipment identity register about one piece of equipment.

    ECR ::= < Diameter Header: 324, REQ, PXY, 16777252 > < Session-Id > [ DRMP ] [ Vendor-Specific-Application-Id ]
            { Auth-Session-State } { Origin-Host } { Origin-Realm } [ Destination-Host ] { Destination-Realm }
            { Terminal-Information } [ User-Name ] *[ AVP ] *[ Proxy-Info ] *[ Route-Record ]
    ECA ::= < Diameter Header: 324, PXY, 16777252 > < Session-Id > [ DRMP ] [ Vendor-Specific-Application-Id ]
            [ Result-Code ] [ Experimental-Result ] { Auth-Session-State } { Origin-Host } { Origin-Realm }
            [ Equipment-Status ] *[ AVP ] [ Failed-AVP ] *[ Proxy-Info ] *[ Route-Record ]

Source: TS 29.272 §6.2.1, §7.2.19, §7.2.20. The IMEI comes with 14 digits, or with a fifteenth that is mostly 0 and no
check digit, or with the 16 of an IMEISV: the first 14 decide (TS 23.003 §6.2), and nothing is Luhn-checked here.
"""

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from hashlib import blake2b
from operator import itemgetter
from typing import NamedTuple, Self

from openceir.wire.diameter.avp import (
    Avp,
    check_command,
    check_group,
    find_avp,
    read_avps,
    read_unsigned,
    write_named,
    write_unsigned,
)
from openceir.wire.diameter.dictionary import COMMANDS
from openceir.wire.diameter.errors import (
    InvalidAvpValue,
    MissingAvp,
    RealmNotServed,
    TooBusy,
    UnableToComply,
    UnableToDeliver,
)
from openceir.wire.diameter.layout import Layouts, Span
from openceir.wire.diameter.message import ERROR, HEADER, PROXIABLE, RETRANSMITTED, Header, Identity, check_flags
from openceir.wire.diameter.peer import Application

__all__ = [
    "APPLICATION", "COMMAND", "TGPP", "Answers", "CheckReader", "EquipmentCheck", "EquipmentStatus", "Shape", "Verdict",
    "application", "vendor_application",
]  # fmt: skip

APPLICATION = 16777252
COMMAND = 324
TGPP = 10415
NO_DEVICE = -1
DEFAULT_PRIORITY = 10  # RFC 7944 §8: what a request without DRMP has
_RULE = COMMANDS[APPLICATION, COMMAND]
_NO_STATE = write_unsigned("Auth-Session-State", 1)  # NO_STATE_MAINTAINED, TS 29.272 §7.1.4
_EQUIPMENT_UNKNOWN = 5422
_IDS = Span(12, 20)  # both identifiers in the header
_as_check = tuple.__new__  # NamedTuple's own _make counts the fields each time


class EquipmentStatus(IntEnum):
    """Source: TS 29.272 §7.3.51."""

    WHITELISTED = 0
    BLACKLISTED = 1
    GREYLISTED = 2


class Verdict(Enum):
    """What an answer can say."""

    WHITELISTED = EquipmentStatus.WHITELISTED
    BLACKLISTED = EquipmentStatus.BLACKLISTED
    GREYLISTED = EquipmentStatus.GREYLISTED
    EQUIPMENT_UNKNOWN = "DIAMETER_ERROR_EQUIPMENT_UNKNOWN"
    INVALID_AVP_VALUE = "DIAMETER_INVALID_AVP_VALUE"
    UNABLE_TO_COMPLY = "DIAMETER_UNABLE_TO_COMPLY"

    @classmethod
    def of(cls, status: EquipmentStatus) -> Self:
        """The verdict with this status."""
        return cls(status)


@dataclass(frozen=True, slots=True)
class Shape:
    """What every question of one layout has in common.

    Units: places are octets from the begin of the message; `origin` names the asking host in 31 bits.
    """

    # IMEI (its first 14), IMSI and SVN, each empty when absent or of a length that none has; and the answer's opening.
    values: Callable[[bytes], tuple[bytes, bytes, bytes, bytes]] = field(compare=False)
    flags: int
    echoed: tuple[slice, ...]  # DRMP (RFC 7944 §5) and Proxy-Info (RFC 6733 §6.2), which the answer repeats
    priority: int
    origin: int
    heads: dict[int, bytes] = field(compare=False, default_factory=dict)  # of answers, by their length

    def head(self, length: int) -> bytes:
        """The header of an answer of this length, less its identifiers; kept, for lengths are as many as verdicts."""
        head = self.heads[length] = _head(length, self.flags & PROXIABLE)
        return head


class EquipmentCheck(NamedTuple):
    """One question. Its octets are kept as they came, for the answer repeats some of them.

    Units: `device` is the 14-digit key, NO_DEVICE when the IMEI is none; `imsi` has a leading 1 before its digits and
    is 0 when absent; `svn` is -1 when absent; `opening` is both identifiers and the Session-Id AVP.
    """

    device: int
    imsi: int
    svn: int
    opening: bytes
    shape: Shape
    message: bytes

    @property
    def ids(self) -> int:
        """Hop-by-Hop and End-to-End Identifier, as one number."""
        return int.from_bytes(self.opening[:8], "big")

    @property
    def priority(self) -> int:
        """The DRMP's, or what a request without one has."""
        return self.shape.priority

    @property
    def is_repeated(self) -> bool:
        """Whether the T bit says that this question may have been asked before."""
        return bool(self.shape.flags & RETRANSMITTED)

    @property
    def echoed(self) -> bytes:
        """What the answer repeats besides its opening."""
        return b"".join([self.message[place] for place in self.shape.echoed])


def _head(length: int, flags: int) -> bytes:
    """An answer's header as far as its identifiers. Source: RFC 6733 §6.2: the P bit stays as it came, R and T do not."""
    return struct.pack(">III", 1 << 24 | length, flags << 24 | COMMAND, APPLICATION)


class CheckReader:
    """Reads the questions of one link.

    `realms` are those we answer for, `hosts` the names that are ours; both in lower case, since identities are domain names.
    """

    def __init__(self, identity: Identity, realms: Sequence[str] = ()) -> None:
        self._host = identity.origin_host.lower().encode()
        self._realms = {realm.lower().encode() for realm in (identity.origin_realm, *realms)}
        self._layouts: Layouts[Shape] = Layouts()

    def read(self, message: bytes) -> EquipmentCheck:
        """The question that a whole message is, read and checked in full; its shape is known from now on.

        Raises: PeerError with Result-Code and Failed-AVP when it cannot be answered as it stands.
        """
        self._learn(message)
        read: list[EquipmentCheck] = []
        self.read_known(message, 0, read)
        return read[0]

    def read_known(self, octets: bytes, at: int, read: list[EquipmentCheck]) -> int:
        """Add the questions that stand at `at` and behind it to `read`, as long as their shapes are known; where it ended.

        bytes.isdigit() takes ASCII digits only, so no digit of another script passes.
        """
        ways_of, size = self._layouts.ways.get, len(octets)
        while size - at >= 20:
            end = at + int.from_bytes(octets[at + 1 : at + 4], "big")
            if end > size:
                break
            message = octets[at:end]
            for cut, shapes in ways_of(len(message), ()):
                shape = shapes.get(cut(message))
                if shape is not None:
                    break
            else:
                break
            imei, imsi, svn, opening = shape.values(message)
            read.append(
                _as_check(
                    EquipmentCheck,
                    (
                        int(imei) if imei.isdigit() else NO_DEVICE,
                        int(b"1" + imsi) if imsi.isdigit() else 0,
                        int(svn) if svn.isdigit() else -1,
                        opening,
                        shape,
                        message,
                    ),
                )
            )
            at = end
        return at

    def _learn(self, message: bytes) -> None:
        header = Header.read(message)
        check_flags(header, _RULE)
        avps = list(read_avps(message, HEADER.size))
        check_command(_RULE, avps)
        self._check_destination(avps)
        session, terminal = avps[0], find_avp(avps, "Terminal-Information")
        assert terminal is not None
        members = check_group(terminal)
        imei = find_avp(members, "IMEI")
        if imei is None:
            # TS 29.272 table 6.2.1.1/1: on S13 the Terminal-Information holds the IMEI.
            raise MissingAvp("Terminal-Information has no IMEI", write_named("Terminal-Information", _EXAMPLE_IMEI))

        def span_of(avp: Avp | None, base: int = 0) -> Span | None:
            return None if avp is None else Span(base + avp.data_at, base + avp.end)

        places = {
            "imei": span_of(imei, terminal.data_at),
            "imsi": span_of(find_avp(avps, "User-Name")),
            "svn": span_of(find_avp(members, "Software-Version"), terminal.data_at),
        }
        proxies = [avp for avp in avps if avp.code == 284 and avp.vendor == 0]
        states = [span_of(find_avp(read_avps(proxy.data), "Proxy-State"), proxy.data_at) for proxy in proxies]
        origin, drmp = find_avp(avps, "Origin-Host"), find_avp(avps, "DRMP")
        assert origin is not None
        lengths = {"imei": (14, 16), "imsi": (6, 15), "svn": (2, 2)}
        slices = [
            slice(span.start, span.start + 14 if name == "imei" else span.end)
            if span and least <= span.end - span.start <= most
            else slice(0)
            for name, span, (least, most) in ((name, places[name], limits) for name, limits in lengths.items())
        ]
        shape = Shape(
            itemgetter(*slices, slice(_IDS.start, session.end + -session.end % 4)),
            header.flags,
            tuple(slice(avp.at, avp.end + -avp.end % 4) for avp in (drmp, *proxies) if avp is not None),
            DEFAULT_PRIORITY if drmp is None else read_unsigned(drmp),
            int.from_bytes(blake2b(origin.data.lower(), digest_size=4).digest(), "big") >> 1,
        )
        values = sorted(span for span in (_IDS, span_of(session), *places.values(), *states) if span is not None)
        self._layouts.learn(message, values, shape)

    def _check_destination(self, avps: Sequence[Avp]) -> None:
        realm, host = find_avp(avps, "Destination-Realm"), find_avp(avps, "Destination-Host")
        assert realm is not None
        if realm.data.lower() not in self._realms:
            raise RealmNotServed("the Destination-Realm is not one that this EIR serves")
        if host is not None and host.data.lower() != self._host:
            raise UnableToDeliver("the Destination-Host is not this EIR, and it forwards nothing")


def vendor_application() -> bytes:
    """The Vendor-Specific-Application-Id of S13. Source: TS 29.272 §7.1.8."""
    return write_named(
        "Vendor-Specific-Application-Id",
        write_unsigned("Vendor-Id", TGPP) + write_unsigned("Auth-Application-Id", APPLICATION),
    )


def application(identity: Identity, realms: Sequence[str] = ()) -> Application:
    """S13 as a peer serves it on one link; each link has its own reader, so that no peer fills another's memory."""
    return Application(APPLICATION, TGPP, COMMAND, CheckReader(identity, realms), _NO_STATE)


class Answers:
    """Writes answers; what they have in common was encoded once."""

    def __init__(self, identity: Identity) -> None:
        self._tails: Mapping[Verdict, bytes] = {verdict: self._encoded(verdict, identity) for verdict in Verdict}
        self._too_busy = write_unsigned("Result-Code", TooBusy.result_code) + identity.origin

    def tail(self, verdict: Verdict) -> bytes:
        """All of an answer that stands between the Session-Id and what it repeats of its question."""
        return self._tails[verdict]

    def _encoded(self, verdict: Verdict, identity: Identity) -> bytes:
        match verdict:
            case Verdict.EQUIPMENT_UNKNOWN:
                # TS 29.272 §7.4.3: with an Experimental-Result there is no Result-Code.
                result = write_named(
                    "Experimental-Result",
                    write_unsigned("Vendor-Id", TGPP) + write_unsigned("Experimental-Result-Code", _EQUIPMENT_UNKNOWN),
                )
                status = b""
            case Verdict.INVALID_AVP_VALUE:
                result, status = write_unsigned("Result-Code", InvalidAvpValue.result_code), b""
            case Verdict.UNABLE_TO_COMPLY:
                result, status = write_unsigned("Result-Code", UnableToComply.result_code), b""
            case _:
                result = write_unsigned("Result-Code", 2001)
                status = write_unsigned("Equipment-Status", verdict.value)
        return vendor_application() + result + _NO_STATE + identity.origin + status

    def write(self, check: EquipmentCheck, tail: bytes) -> bytes:
        """The answer to a question."""
        _, _, _, opening, shape, _ = check
        if shape.echoed:
            tail += check.echoed
        length = 12 + len(opening) + len(tail)
        return (shape.heads.get(length) or shape.head(length)) + opening + tail

    def write_too_busy(self, check: EquipmentCheck) -> bytes:
        """3004 in the answer-message grammar, with the E bit. Source: RFC 6733 §7.1.3, §7.2; RFC 7944 §5."""
        rest = check.opening + self._too_busy + check.echoed
        return _head(12 + len(rest), check.shape.flags & PROXIABLE | ERROR) + rest

    def tail_for_invalid_imei(self, check: EquipmentCheck) -> bytes:
        """5004 with Failed-AVP: the Terminal-Information around the IMEI that is none, as it came."""
        terminal = find_avp(read_avps(check.message, HEADER.size), "Terminal-Information")
        assert terminal is not None
        imei = find_avp(read_avps(terminal.data), "IMEI")
        assert imei is not None
        shown = write_named("Terminal-Information", write_named("IMEI", imei.data))
        return self._tails[Verdict.INVALID_AVP_VALUE] + write_named("Failed-AVP", shown)


_EXAMPLE_IMEI = write_named("IMEI", bytes(14))
