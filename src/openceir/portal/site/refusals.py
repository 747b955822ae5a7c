"""What a refusal of the register says to the reader, in the reader's language.

The rooms below the portal say in English what they refuse and why. Here each of their codes has a text in every
language of the portal; `%(sentence)s` in it is the English sentence, where that holds what no translation can know (a
line of a policy file, a column), and any other name is a field of the error. In English, and for a code that has no
text, the error's own sentence stands as it is. What the portal itself refuses is translated where it is said.
"""

from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from openceir.errors import OpenceirError

__all__ = ["SENTENCES", "sentence_of_error", "text_of_code"]

# A code; `code/REFUSAL` for a statement that is refused for that reason; `family-*` for every code that begins so.
SENTENCES: dict[str, str | Promise] = {
    "openceir-error": _("The register refused this: %(sentence)s"),
    "invalid-identifier": _("This is not the identifier of a device. Compare it with what the device shows."),
    "invalid-imei": _("This is not an IMEI: it has 15 digits. Dial *#06# to see it."),
    "invalid-subscriber": _("This is not the number of a subscriber."),
    "invalid-digest-key": _("The key of the register's digests cannot be read. Tell whoever runs the register."),
    "unknown-scheme": _("The register knows no identifiers of this kind."),
    "identifier-not-recognised": _("This is not the identifier of a device. Compare it with what the device shows."),
    "identifier-probably-mistyped": _("A digit of this number is wrong: the last one does not fit. Compare it again."),
    "imsi-refused": _("An IMSI has 14 or 15 digits; the operator can tell it."),
    "status-refused": _("The register cannot answer this: %(sentence)s"),
    "policy-refused": _("The policy does not allow this or cannot be read: %(sentence)s"),
    "statement-error": _("The register cannot enter this: %(sentence)s"),
    "statement-refused": _("The register does not enter this statement: %(sentence)s"),
    "statement-refused/KEY_UNKNOWN": _("The register does not know the key that you sign with. Tell your administrator."),
    "statement-refused/ROLE": _("Your office may not state this; another office can, or the roles of yours are wrong."),
    "statement-refused/FUTURE": _("A time lies in the future. Compare the day and the hour that you entered."),
    "statement-refused/NOT_DISCLOSED": _("The register does not enter this statement: it is not whole."),
    "key-out-of-date": _("The key that you sign with has expired or was revoked. Your administrator can give you a new one."),
    "key-refused": _("The key that you sign with is missing or cannot be read. Tell your administrator."),
    "member-refused": _("Your office is not a member of the register, or has no key. Tell your administrator."),
    "ledger-error": _("The ledger cannot be read or written now: %(sentence)s"),
    "ledger-broken": _("The ledger contradicts itself. Nothing more is entered until somebody has looked; tell whoever runs the register."),
    "ledger-busy": _("Somebody else is entering something now. Nothing was done; try again in a minute."),
    "book-moved": _("The book of this register goes on in a consortium; this cannot be done here any more."),
    "statement-duplicate": _("This was entered already. Nothing was done twice."),
    "proof-refused": _("This proof does not show what it claims: %(sentence)s"),
    "storage-failed": _("The disk cannot be read or written. Nothing was lost; tell whoever runs the register."),
    "token-refused": _("This token cannot be made or revoked: %(sentence)s"),
    "detection-failed": _("Detection cannot go on: %(sentence)s"),
    "rule-refused": _("A rule of the policy cannot be read: %(sentence)s"),
    "rule-matches-too-many": _("A rule matches more devices than its safety ratio allows, so nothing of it may be adopted: %(sentence)s"),
    "run-unknown": _("There is no such run of detection."),
    "meetings-refused": _("The hours that networks saw devices cannot be compared: %(sentence)s"),
    "report-refused": _("The figures cannot be made: %(sentence)s"),
    "report-unknown": _("There are no such figures."),
    "list-*": _("The list cannot be used: %(sentence)s"),
    "scan-refused": _("The photo cannot be read. Send a JPEG or PNG picture of the label."),
    "picture-refused": _("The photo cannot be read. Send a JPEG or PNG picture of the label."),
    "ocr-absent": _("Printed digits are not read here; only bar codes are."),
    "intake-empty": _("The file is empty."),
    "intake-damaged": _("The file is damaged or cut off. Make it anew and send it again."),
    "intake-encoding": _("The file is not text in UTF-8. Save it as CSV in UTF-8."),
    "intake-header-missing": _("The first row must name the columns: %(sentence)s"),
    "intake-not-a-table": _("The file is no table of the kind that is expected: %(sentence)s"),
    "intake-*": _("The file was not taken, and nothing of it was kept: %(sentence)s"),
}  # fmt: skip


def text_of_code(code: str, refusal: str = "") -> str | Promise | None:
    """The text of a code, of its reason first, of its family last; None when it has none."""
    keys = (f"{code}/{refusal}", code, f"{code.partition('-')[0]}-*")
    return next((SENTENCES[key] for key in keys if key in SENTENCES), None)


def sentence_of_error(error: OpenceirError) -> str:
    """What is shown of an error, in the language that is active."""
    refusal = getattr(error, "refusal", None)
    text = text_of_code(error.code, getattr(refusal, "name", ""))
    if text is None or (get_language() or "en").startswith("en"):
        return str(error)
    # isolated: an English sentence keeps its direction within Arabic
    return str(text) % {**vars(error), "sentence": f"\u2068{error}\u2069"}
