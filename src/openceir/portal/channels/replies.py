"""The words of an answer by SMS: verdict, reason, what to do, reference, in one message of the reader's language.

Every sentence of every language fits one message with the longest values it can have (tests/portal/channels/
test_replies.py): a second message costs the sender, comes late or not at all, and the verdict may be in it.
"""

from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, override

from openceir.portal.channels.verdicts import Told, Verdict
from openceir.wire.gsm_text import SMS, Room, fits, in_gsm_alphabet

__all__ = ["format_apology", "format_help", "format_limit", "format_reply"]

_SENTENCES = {
    Verdict.STOLEN: gettext_noop(
        "BLOCKED: reported stolen or lost. Do not buy it. If it is yours, go to the police with proof. %(reference)s"
    ),
    Verdict.ORDERED: gettext_noop(
        "BLOCKED by order of an authority. Do not buy it. If it is yours, appeal with proof of purchase. %(reference)s"
    ),
    Verdict.AGAINST_RULES: gettext_noop(
        "BLOCKED under the rules for devices. Do not buy it. If it is yours, appeal with proof of purchase. %(reference)s"
    ),
    Verdict.DUE: gettext_noop(
        "WATCHED: will be blocked on %(day)s unless it is registered or paired. Ask your operator. %(reference)s"
    ),
    Verdict.SHARED: gettext_noop(
        "WATCHED: many phones bear this number. Do not buy it without papers; have yours paired. %(reference)s"
    ),
    Verdict.SUSPENDED: gettext_noop(
        "WATCHED: its block is disputed and suspended. Do not buy it before the decision. %(reference)s"
    ),
    Verdict.WATCHED: gettext_noop(
        "WATCHED: it may be used for now. Do not buy it without papers; ask the regulator why. %(reference)s"
    ),
    Verdict.NOT_REGISTERED: gettext_noop(
        "NOT REGISTERED: nothing is on record. Ask the seller for papers and register it. %(reference)s"
    ),
    Verdict.NO_RESTRICTION: gettext_noop(
        "No restriction known at %(time)s UTC. Compare *#06# and the model with the phone. %(reference)s"
    ),
    Verdict.WRONG_COUNT: gettext_noop("INVALID: an IMEI has 15 digits. Dial *#06# and send what it shows."),
    Verdict.WRONG_DIGIT: gettext_noop("INVALID: a digit is wrong. Dial *#06#, compare and send it again."),
}
# The same in a word or two, for several numbers in one message.
_BLOCKED, _WATCHED, _INVALID = gettext_noop("BLOCKED"), gettext_noop("WATCHED"), gettext_noop("INVALID")
_WORDS = {
    Verdict.STOLEN: _BLOCKED, Verdict.ORDERED: _BLOCKED, Verdict.AGAINST_RULES: _BLOCKED,
    Verdict.DUE: _WATCHED, Verdict.SHARED: _WATCHED, Verdict.SUSPENDED: _WATCHED, Verdict.WATCHED: _WATCHED,
    Verdict.NOT_REGISTERED: gettext_noop("NOT REGISTERED"),
    Verdict.NO_RESTRICTION: gettext_noop("no restriction known"),
    Verdict.WRONG_COUNT: _INVALID, Verdict.WRONG_DIGIT: _INVALID,
}  # fmt: skip
MOST_NUMBERS = 3  # in one message; with more, the longest words of a language would not fit


def format_reply(told: Sequence[Told], language: str, room: Room = SMS) -> str:
    """The answer about the numbers of one message, in one message.

    One number has its whole sentence, with the model on record where there is room for it. Of several each has its
    place in the question and its verdict; of more than MOST_NUMBERS the first, and a word on the rest.
    """
    with override(language):
        if len(told) == 1:
            return _one(told[0], room)
        lines = [f"{place}: {_(_WORDS[each.verdict])}" for place, each in enumerate(told[:MOST_NUMBERS], 1)]
        if len(told) > MOST_NUMBERS:
            lines.append(_("Send the others again."))
        return in_gsm_alphabet("\n".join(lines))


def _one(told: Told, room: Room) -> str:
    values = {
        "reference": told.reference,
        "day": told.block_on.isoformat() if told.block_on else "",
        "time": f"{told.at:%Y-%m-%d %H:%M}" if told.at else "",
    }
    text = in_gsm_alphabet(_(_SENTENCES[told.verdict]) % values)
    if told.model and told.verdict is not Verdict.STOLEN:
        # The buyer compares it with the phone in the hand: what shows a copied number best.
        with_model = in_gsm_alphabet(f"{text} {told.model}")
        if fits(with_model, room):
            return with_model
    return text


def format_help(language: str) -> str:
    """How to ask, for a message without a number."""
    with override(language):
        return in_gsm_alphabet(_("Send the IMEI of the phone: 15 digits. Dial *#06# to see it."))


def format_limit(language: str) -> str:
    """What is said to a number that asked too often."""
    with override(language):
        return in_gsm_alphabet(_("Too many questions from your number. Ask again in an hour."))


def format_apology(language: str) -> str:
    """What is said when no answer can be given now."""
    with override(language):
        return in_gsm_alphabet(_("No answer can be given now. Please ask again in some minutes."))
