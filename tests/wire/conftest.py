"""Links with an MME of the tests at the other end, opened or not."""

from ipaddress import ip_address

import pytest

from openceir.wire import s13
from openceir.wire.diameter.message import Identity
from openceir.wire.diameter.peer import Limits, Peer

from . import an_mme as mme

US = Identity(mme.EIR, mme.EIR_REALM, origin_state_id=7)
ANSWERS = s13.Answers(US)


def new_link(now: float = 0.0, limits: Limits | None = None, jitter: float = 0.0) -> Peer:
    application = s13.application(US)
    return Peer(US, (application,), (ip_address("127.0.0.1"),), now, lambda: jitter, limits)


def serve(link: Peer, octets: bytes, now: float = 0.0, verdict: s13.Verdict = s13.Verdict.BLACKLISTED) -> bytes:
    """Give octets, answer all that was asked with one verdict, take what is to be sent."""
    for asked in link.receive(octets, now):
        link.answer(ANSWERS.write(asked, ANSWERS.tail(verdict)))
    return link.bytes_to_send()


@pytest.fixture
def link() -> Peer:
    """A link that exchanged capabilities."""
    link = new_link()
    link.receive(mme.cer(), 0.0)
    link.admit(0.0)
    link.bytes_to_send()
    return link
