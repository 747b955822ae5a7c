"""What can be wrong with a Diameter message, each with the Result-Code that the standard gives it."""

from openceir.errors import OpenceirError

__all__ = [
    "ApplicationUnsupported", "AvpOccursTooOften", "AvpUnsupported", "CommandUnsupported", "DiameterError",
    "InvalidAvpBits", "InvalidAvpLength", "InvalidAvpValue", "InvalidBitInHeader", "InvalidHeaderBits",
    "InvalidMessageLength", "LocalError", "MissingAvp", "NoCommonApplication", "NoCommonSecurity", "PeerError",
    "RealmNotServed", "TooBusy", "UnableToComply", "UnableToDeliver", "UnknownPeer", "UnsupportedVersion",
]  # fmt: skip


class DiameterError(OpenceirError):
    """A message cannot be served.

    `failed_avp` is what the answer's Failed-AVP holds: whole AVPs, encoded; empty when there is nothing to show.
    """

    code = "diameter-failed"
    result_code = 5012

    def __init__(self, sentence: str, failed_avp: bytes = b"") -> None:
        super().__init__(sentence)
        self.failed_avp = failed_avp

    @property
    def is_protocol_error(self) -> bool:
        """Whether the answer carries the E bit and the answer-message grammar. Source: RFC 6733 §7.1.3, §7.2."""
        return 3000 <= self.result_code < 4000


class PeerError(DiameterError):
    """The peer is at fault."""


class LocalError(DiameterError):
    """We are at fault, or too busy."""


class CommandUnsupported(PeerError):
    """RFC 6733 §7.1.3."""

    result_code = 3001


class UnableToDeliver(PeerError):
    """RFC 6733 §7.1.3: addressed to a host that we are not and have no way to."""

    result_code = 3002


class RealmNotServed(PeerError):
    """RFC 6733 §7.1.3."""

    result_code = 3003


class TooBusy(LocalError):
    """RFC 6733 §7.1.3."""

    result_code = 3004


class ApplicationUnsupported(PeerError):
    """RFC 6733 §7.1.3."""

    result_code = 3007


class InvalidHeaderBits(PeerError):
    """RFC 6733 §7.1.3: a combination that the command does not allow."""

    result_code = 3008


class InvalidAvpBits(PeerError):
    """RFC 6733 §7.1.3: an AVP flag that nobody defined."""

    result_code = 3009


class UnknownPeer(PeerError):
    """RFC 6733 §7.1.3, §5.3."""

    result_code = 3010


class AvpUnsupported(PeerError):
    """RFC 6733 §7.1.5: a mandatory AVP that is not in the dictionary."""

    result_code = 5001


class InvalidAvpValue(PeerError):
    """RFC 6733 §7.1.5."""

    result_code = 5004


class MissingAvp(PeerError):
    """RFC 6733 §7.1.5."""

    result_code = 5005


class AvpOccursTooOften(PeerError):
    """RFC 6733 §7.1.5."""

    result_code = 5009


class NoCommonApplication(PeerError):
    """RFC 6733 §7.1.5, §5.3."""

    result_code = 5010


class UnsupportedVersion(PeerError):
    """RFC 6733 §7.1.5."""

    result_code = 5011


class UnableToComply(LocalError):
    """RFC 6733 §7.1.5."""

    result_code = 5012


class InvalidBitInHeader(PeerError):
    """RFC 6733 §7.1.5: a reserved bit is set."""

    result_code = 5013


class InvalidAvpLength(PeerError):
    """RFC 6733 §7.1.5."""

    result_code = 5014


class InvalidMessageLength(PeerError):
    """RFC 6733 §7.1.5."""

    result_code = 5015


class NoCommonSecurity(PeerError):
    """RFC 6733 §7.1.5, §5.3."""

    result_code = 5017
