"""The desk as the link to a message centre asks it."""

from django.conf import settings
from django.db import close_old_connections

from openceir.portal.channels.desk import answer_sms, answer_ussd
from openceir.portal.channels.replies import format_apology

__all__ = ["DeskAnswers"]

_GATEWAY = "smpp"


class DeskAnswers:
    """Answers from the register; every call is made by one thread."""

    def sms(self, *, message_id: str, number: str, text: str) -> str:
        """The answer to a short message."""
        close_old_connections()
        return answer_sms(gateway=_GATEWAY, message_id=message_id, number=number, text=text)

    def ussd(self, *, session_id: str, number: str, text: str) -> tuple[str, bool]:
        """The next screen of a session, and whether it goes on."""
        close_old_connections()
        said = answer_ussd(gateway=_GATEWAY, session_id=session_id, number=number, text=text)
        return str(said), said.goes_on

    def apology(self) -> str:
        """What is said when there is no answer."""
        return format_apology(settings.LANGUAGE_CODE)
