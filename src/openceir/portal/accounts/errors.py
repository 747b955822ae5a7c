"""What the portal refuses, beside what the register itself refuses."""

from typing import Any

from openceir.errors import OpenceirError

__all__ = ["NotAllowed", "PortalError", "QuotaExceeded", "SecondFactorNeeded"]


class PortalError(OpenceirError):
    """The portal refused to do something; the sentence says what and why."""

    code = "portal-refused"
    http_status = 409


class NotAllowed(PortalError):
    """The person's appointments do not allow this."""

    code = "not-allowed"
    http_status = 403


class SecondFactorNeeded(PortalError):
    """An act of an office needs a second factor shown in this session not long ago."""

    code = "second-factor-needed"
    http_status = 403


class QuotaExceeded(PortalError):
    """More acts of a kind in a day than one person may do; the office's supervisors were told."""

    code = "quota-exceeded"
    http_status = 429

    def __init__(self, sentence: str, *, office: str, actor: str, facts: dict[str, Any]) -> None:
        super().__init__(sentence)
        self.office, self.actor, self.facts = office, actor, facts
