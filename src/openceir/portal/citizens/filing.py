"""What a filled form opens: a report, a registration, an appeal. Pages and the API open these cases through here."""

from dataclasses import dataclass
from typing import Any

from openceir.portal.accounts.models import User
from openceir.portal.cases.evidence import add_evidence
from openceir.portal.cases.models import Case
from openceir.portal.citizens.appeals import file_appeal
from openceir.portal.citizens.reports import open_report, prove

__all__ = ["Sender", "appeal_of", "registration_of", "report_of"]

Opened = tuple[Case, str]  # and the secret that opens it


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who filled the form, and where it came in."""

    channel: str
    language: str
    person: User | None = None


def report_of(said: dict[str, Any], sender: Sender) -> Opened:
    """What a valid `ReportForm` opens. Raises: EvidenceRefused."""
    case, secret = open_report(
        *said["imeis"],
        is_theft=said["what"] == "theft",
        channel=sender.channel,
        mode=said["mode"],
        happened_at=said["happened_on"],
        place=said["place"],
        area=said.get("area", ""),
        **_contact(said, sender),
    )
    if said["proof"]:
        prove(case, said["proof"])
    return case, secret


def registration_of(said: dict[str, Any], sender: Sender) -> Opened:
    """What a valid `ImportForm` opens. Raises: EvidenceRefused."""
    case, secret = Case.open(
        "import",
        devices=said["imeis"],
        office="customs",
        details={"how": said["how"], "duty_reference": said["duty_reference"]},
        **_contact(said, sender),
    )
    if said["proof"]:
        add_evidence(case, said["proof"])
    return case, secret


def appeal_of(said: dict[str, Any], sender: Sender) -> Opened:
    """What a valid `AppealForm` opens. Raises: NothingToAppeal, EvidenceRefused."""
    return file_appeal(said["imeis"][0], grounds=said["grounds"], documents=[said["proof"]], **_contact(said, sender))


def _contact(said: dict[str, Any], sender: Sender) -> dict[str, Any]:
    return {
        "person": sender.person,
        "language": sender.language,
        "name": said["name"],
        "email": said["email"],
        "phone": said["phone"],
    }
