"""What a question is about, as the octets that the function is evaluated on.

    IMEI                14 ASCII digits: no check digit, no software version
    everything else     <scheme>:<canonical text>, such as eid:8904… or meid:A10000…

A scheme's name has no digits in front, so no IMEI is anything else's octets, and no two schemes meet.
"""

from openceir.identity import ODD_DEVICE_BASE, Check, format_device_key, parse
from openceir.questions.errors import NotAskable

__all__ = ["subject_of_key", "subject_of_text"]

_NOT_ONE_DEVICE = frozenset({"tac", "imsi", "supi", "msisdn", "iccid"})  # a model, a subscription, a card


def subject_of_text(text: str) -> bytes:
    """The octets for whatever a person typed or a file held. Raises: NotAskable, which does not repeat the text."""
    found = parse(text)
    if found.check is Check.FAILED and not any(finding.code == "spare-digit" for finding in found.findings):
        raise NotAskable(
            "the check digit does not fit: the answer would probably be about a stranger's device; read it again"
        )
    if found.scheme in _NOT_ONE_DEVICE:
        raise NotAskable(f"a {found.scheme} does not name one device; ask with the number that *#06# shows")
    if found.imei is not None:
        return found.imei.encode()
    if not found.is_known:
        reason = found.findings[0].sentence if found.findings else "no scheme fits"
        raise NotAskable(f"that is no identifier that can be asked about: {reason}")
    return f"{found.scheme}:{found.canonical}".encode()


def subject_of_key(key: int, other: tuple[str, str] | None) -> bytes | None:
    """The octets for a device key of the register; None for what nobody could ask about (malformed texts).

    `other` is (scheme, text) of the identifier dictionary for keys that are no IMEI.
    """
    if key < ODD_DEVICE_BASE:
        return format_device_key(key).encode()
    if other is None or other[0] == "malformed":
        return None
    return f"{other[0]}:{other[1]}".encode()
