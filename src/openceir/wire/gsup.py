"""GSUP, Osmocom's protocol between a core network and its HLR, as far as somebody who stands between the two needs it.

    IPA frame   length (2) | protocol | contents           0xfe: CCM, 0xee and 0x05 first: GSUP
    GSUP        message type | information elements: name | length | value
    Check-IMEI  30 { IMSI 01, IMEI 50, [message class 0a], [source name 60] }
    result      32 { IMSI 01, IMEI result 51: 0 ACK, 1 NACK }      error  31 { IMSI 01, cause 02 }

The HLR greets the network (CCM: identity get, response, acknowledge) and knows it by the name it gives, so that
greeting passes like everything else, octet for octet; only Check-IMEI requests are taken out. There is no grey, and
osmo-msc reads an error like a refusal (Location Updating Reject, cause 6): whoever means "let it pass" says ACK.

Source: the OsmoHLR and OsmoMSC manuals' GSUP chapter; not read, from captures of a real osmo-msc.
"""

from enum import Enum
from typing import NamedTuple

from openceir.errors import OpenceirError
from openceir.wire.map_check_imei import read_imei, read_imsi

__all__ = ["GsupError", "ImeiCheck", "Splitter", "Verdict", "read_check", "write_answer", "write_frame"]

CCM, OSMO, GSUP = 0xFE, 0xEE, 0x05
_CHECK_IMEI, _ERROR, _RESULT = 0x30, 0x31, 0x32
_IMSI, _CAUSE, _MESSAGE_CLASS, _IMEI, _IMEI_RESULT = 0x01, 0x02, 0x0A, 0x50, 0x51
_SOURCE, _DESTINATION = 0x60, 0x61


class GsupError(OpenceirError):
    """A Check-IMEI request that cannot be answered; the HLR is left to say so."""

    code = "gsup-unreadable"


class Verdict(Enum):
    """What an answer can say: a result, or an error with its cause (TS 24.008 §10.5.5.14)."""

    ACK = (_IMEI_RESULT, 0)
    NACK = (_IMEI_RESULT, 1)
    INVALID_IMEI = (_CAUSE, 96)  # invalid mandatory information
    FAILURE = (_CAUSE, 17)  # network failure


class ImeiCheck(NamedTuple):
    """One question. Units: as in MAP CheckIMEI. `subscriber` and `echoed` are what the answer repeats, encoded."""

    device: int
    imsi: int
    svn: int
    subscriber: bytes
    echoed: bytes


class Splitter:
    """Cuts a stream into what passes and what is asked of us. Memory is bounded: a frame has at most 65,538 octets.

    `takes_checks` False lets requests pass too: of the HLR's direction only the borders of frames are of interest.
    """

    def __init__(self, *, takes_checks: bool = True) -> None:
        self._rest = b""
        self._taken = _CHECK_IMEI if takes_checks else -1

    def receive(self, octets: bytes) -> tuple[bytes, list[bytes]]:
        """Octets to pass on, whole frames in order, and the GSUP messages that are Check-IMEI requests."""
        stream = self._rest + octets if self._rest else octets
        at, size, kept = 0, len(stream), 0
        passes: list[bytes] = []
        asked: list[bytes] = []
        while size - at >= 3:
            end = at + 3 + (stream[at] << 8 | stream[at + 1])
            if end > size:
                break
            if end - at > 4 and stream[at + 2] == OSMO and stream[at + 3] == GSUP and stream[at + 4] == self._taken:
                asked.append(stream[at + 4 : end])
                passes.append(stream[kept:at])
                kept = end
            at = end
        passes.append(stream[kept:at])
        self._rest = stream[at:]
        return b"".join(passes), asked


def read_check(message: bytes) -> ImeiCheck:
    """The question in a Check-IMEI request.

    Raises: GsupError when it cannot be read, or names no subscriber, whom every answer has to name.
    """
    at, size = 1, len(message)
    imsi = imei = source = message_class = b""
    while at < size:
        if at + 2 > size or at + 2 + message[at + 1] > size:
            raise GsupError("an information element goes beyond the message's end")
        name, value = message[at], message[at + 2 : at + 2 + message[at + 1]]
        at += 2 + len(value)
        if name == _IMSI:
            imsi = value
        elif name == _IMEI:
            imei = value
        elif name == _SOURCE:
            source = value
        elif name == _MESSAGE_CLASS:
            message_class = value
    if not imsi:
        raise GsupError("the request names no subscriber")
    if imei and imei[0] == len(imei) - 1:
        imei = imei[1:]  # Osmocom's own encoders put the length once more before the digits
    device, svn = read_imei(imei)
    echoed = _element(_MESSAGE_CLASS, message_class) + _element(_DESTINATION, source)
    return ImeiCheck(device, read_imsi(imsi), svn, _element(_IMSI, imsi), echoed)


def write_answer(check: ImeiCheck, verdict: Verdict) -> bytes:
    """The frame that answers. A Destination-Name leads it home through proxies: it is the question's Source-Name."""
    name, value = verdict.value
    kind = _RESULT if name == _IMEI_RESULT else _ERROR
    return write_frame(b"".join((bytes((kind,)), check.subscriber, bytes((name, 1, value)), check.echoed)))


def write_frame(message: bytes) -> bytes:
    """A GSUP message in its IPA frame."""
    return (len(message) + 1).to_bytes(2, "big") + bytes((OSMO, GSUP)) + message


def _element(name: int, value: bytes) -> bytes:
    return bytes((name, len(value))) + value if value else b""
