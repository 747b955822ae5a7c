"""CheckIMEI dialogues of a shape that was read before are read by their shape.

A network's questions differ in their transaction id, invoke id, IMEI and, where it sends one, IMSI; all other octets of
SCCP, TCAP and MAP come again as they are. So the first dialogue of a shape is read in full, and where its values stood is
kept (`diameter/layout.py`). That it is a shape is not taken for granted: its twin, the same octets with other values in
those places, must be read in full as exactly those values, and the two answers must differ in the two ids alone. What
stands between them in an answer is kept too, one for each verdict.
"""

from collections.abc import Callable
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from openceir.wire import sccp
from openceir.wire.diameter.layout import Layouts, Span
from openceir.wire.map_check_imei import CheckImei, Dialogues, Opened, Verdict, read_imei, read_imsi
from openceir.wire.tcap import TcapError, read_message

__all__ = ["KnownQuestion", "KnownShapes", "Shape"]

_DATA_POINTER = {0x09: 4, 0x11: 5}  # where UDT and XUDT say where their data are
Values = tuple[bytes, bytes, bytes, bytes]


class Shape:
    """What every dialogue of one shape has in common. `calling` is who asks, as SCCP addresses it."""

    def __init__(
        self, values: Callable[[bytes], Values], calling: bytes, answers: Callable[[Verdict], tuple[bytes, bytes]]
    ):
        self.values, self.calling = values, calling
        self._answers = answers
        self._frames: dict[Verdict, tuple[bytes, ...]] = {}

    def frame(self, verdict: Verdict) -> tuple[bytes, ...]:
        """An answer cut at its ids, transaction's first: three pieces. Fewer or more when it does not hold each once."""
        frame = self._frames.get(verdict)
        if frame is None:
            frame = self._frames[verdict] = _common(*self._answers(verdict))
        return frame


class KnownQuestion(NamedTuple):
    """One question as `CheckImei` has it, with the octets that its answer repeats."""

    device: int
    imsi: int
    svn: int
    otid: bytes
    invoke_id: bytes
    shape: Shape

    def answer(self, verdict: Verdict) -> bytes:
        """The SCCP datagram that answers."""
        before, between, behind = self.shape.frame(verdict)
        return b"".join((before, self.otid, between, self.invoke_id, behind))


class KnownShapes:
    """The shapes that were seen, of one reader of dialogues."""

    def __init__(self, dialogues: Dialogues) -> None:
        self._dialogues = dialogues
        self._layouts: Layouts[Shape] = Layouts()

    def find(self, user: bytes) -> KnownQuestion | None:
        """The question in an SCCP datagram of known shape; None when it must be read in full."""
        for cut, shapes in self._layouts.ways.get(len(user), ()):
            shape = shapes.get(cut(user))
            if shape is not None:
                otid, invoke_id, imei, imsi = shape.values(user)
                device, svn = read_imei(imei)
                return KnownQuestion(device, read_imsi(imsi) if imsi else 0, svn, otid, invoke_id, shape)
        return None

    def learn(self, user: bytes, datagram: sccp.Datagram, opened: Opened) -> None:
        """Keep the shape of a datagram that was read in full and asks one question; nothing when it is not sure of one."""
        places = _places_of(user, opened)
        if places is None:
            return
        twin = bytearray(user)
        for place in places:
            for at in range(place.start, place.end):
                twin[at] ^= 1  # a digit stays a digit: 8 and 9 are each other's
        try:
            twin_datagram = sccp.read_datagram(bytes(twin))
            twin_opened = self._dialogues.open(read_message(twin_datagram.data))
        except (sccp.SccpError, TcapError):
            return
        values = itemgetter(*(slice(place.start, place.end) for place in places))
        if not isinstance(twin_opened, Opened) or not _says(twin_opened, opened, values(bytes(twin))):
            return

        def answers(verdict: Verdict) -> tuple[bytes, bytes]:
            return (
                sccp.write_answer(datagram, self._dialogues.answer(opened, [verdict])),
                sccp.write_answer(twin_datagram, self._dialogues.answer(twin_opened, [verdict])),
            )

        shape = Shape(values, datagram.calling, answers)
        if all(len(shape.frame(verdict)) == 3 for verdict in Verdict):
            self._layouts.learn(user, sorted(place for place in places if place.start < place.end), shape)


def _places_of(user: bytes, opened: Opened) -> tuple[Span, Span, Span, Span] | None:
    """Where transaction id, invoke id, IMEI and IMSI seem to stand; an empty place for an IMSI that is absent."""
    pointer = _DATA_POINTER.get(user[0])
    if pointer is None or len(opened.asked) != 1 or not isinstance(asked := opened.asked[0], CheckImei):
        return None
    [component] = opened.message.components
    tag, argument = component.rest[0]
    imei = argument[2 : 2 + argument[1]] if tag == 0x30 else argument
    begin = pointer + user[pointer] + 1
    otid = user.find(bytes((0x48, len(opened.message.otid))) + opened.message.otid, begin) + 2
    device = user.rfind(bytes((0x04, len(imei))) + imei) + 2
    invoke = user.rfind(bytes((0x02, 1, asked.invoke_id & 255)), begin, max(device - 4, 0)) + 2
    # Between invoke id and IMEI stands the operation code, an integer as well, which may be the same number.
    if asked.invoke_id == component.operation:
        invoke = user.rfind(bytes((0x02, 1, asked.invoke_id & 255)), begin, invoke - 2) + 2
    imsi = Span(0, 0)
    if asked.imsi:
        digits = str(asked.imsi)[1:]
        octets = bytes(
            int(pair[1] + pair[0], 16) for pair in map("".join, zip(*[iter(digits + "f")] * 2, strict=False))
        )
        imsi = Span(at := user.rfind(octets), at + len(octets))
    found = (
        Span(otid, otid + len(opened.message.otid)),
        Span(invoke, invoke + 1),
        Span(device, device + len(imei)),
        imsi,
    )
    return found if min(otid, invoke, device) > begin and imsi.start >= 0 else None


def _says(twin: Opened, opened: Opened, values: Values) -> bool:
    """Whether the twin says these values and nothing else than its original."""
    otid, invoke_id, imei, imsi = values
    if len(twin.asked) != 1 or not isinstance(said := twin.asked[0], CheckImei):
        return False
    first = opened.asked[0]
    assert isinstance(first, CheckImei)
    device, svn = read_imei(imei)
    meant = first._replace(
        device=device,
        svn=svn,
        imsi=read_imsi(imsi) if imsi else 0,
        invoke_id=int.from_bytes(invoke_id, "big", signed=True),
    )
    return (said, twin.message.otid, twin.context) == (meant, otid, opened.context)


def _common(answer: bytes, twin: bytes) -> tuple[bytes, ...]:
    """The pieces that two answers have in common, around what differs."""
    if len(answer) != len(twin):
        return ()
    runs = groupby(zip(answer, twin, strict=True), lambda pair: pair[0] == pair[1])
    pieces = [(is_same, bytes(one for one, _ in run)) for is_same, run in runs]
    return tuple(octets for is_same, octets in pieces if is_same) if pieces[0][0] and pieces[-1][0] else ()
