"""The courses of what the trade and its offices bring. Their details (`Case.details`):

    type-approval   applicant (the company's office), tac, brand, model, sims; certificates and reports are its papers
    standing        applicant, legal_name, registration_number, registry, address; valid_until (its last day), once
                    verified. The case lives as long as the standing does.
    clone-question  company (the office asked), question, due_on, then answer and stock (what its sealed stock holds)

Documents are evidence.
"""

from django.utils.translation import gettext_lazy as _

from openceir.portal.cases.flow import Flow, Move, open_flow

__all__ = ["CLONE_QUESTION", "STANDING", "STEPS", "TYPE_APPROVAL"]

STEPS = (
    ("description", _("The description fits the device")),
    ("identifiers", _("The TAC is the applicant's, and of this kind of device")),
    ("registration", _("The company is registered and in good standing")),
    ("quota", _("The number of devices is within what it may bring")),
    ("documents", _("Certificate, test report and factory audit are in order")),
)

TYPE_APPROVAL = open_flow(
    Flow(
        kind="type-approval",
        title=_("application for type approval"),
        start="received",
        states={
            "received": _("received, waiting for the regulator"),
            "asked": _("waiting for your answer"),
            "approved": _("approved"),
            "rejected": _("not approved"),
        },
        moves=(
            Move(name="ask", sources=("received",), target="asked", told=_("The regulator asks you something")),
            Move(name="answer", sources=("asked",), target="received", told=_("You answered")),
            Move(
                name="approve", sources=("received",), target="approved", closes=True,
                told=_("The regulator approved the type"),
            ),
            Move(
                name="reject", sources=("received", "asked"), target="rejected", closes=True,
                told=_("The regulator did not approve the type"),
            ),
        ),
    )
)  # fmt: skip

STANDING = open_flow(
    Flow(
        kind="standing",
        title=_("standing of a company"),
        start="received",
        states={
            "received": _("received, waiting for the regulator"),
            "asked": _("waiting for your answer"),
            "verified": _("in good standing"),
            "suspended": _("suspended"),
            "expired": _("has ended"),
            "replaced": _("replaced by a newer one"),
            "rejected": _("not verified"),
        },
        moves=(
            Move(name="ask", sources=("received",), target="asked", told=_("The regulator asks you something")),
            Move(name="answer", sources=("asked",), target="received", told=_("You answered")),
            Move(name="verify", sources=("received",), target="verified", told=_("The regulator verified the company")),
            Move(
                name="reject", sources=("received", "asked"), target="rejected", closes=True,
                told=_("The regulator did not verify the company"),
            ),
            Move(name="suspend", sources=("verified",), target="suspended", told=_("The regulator suspended it")),
            Move(name="restore", sources=("suspended",), target="verified", told=_("The regulator restored it")),
            Move(
                name="expire", sources=("verified", "suspended"), target="expired", closes=True,
                told=_("It came to its last day"),
            ),
            Move(
                name="replace", sources=("verified",), target="replaced", closes=True,
                told=_("A newer one stands in its place"),
            ),
        ),
    )
)  # fmt: skip

CLONE_QUESTION = open_flow(
    Flow(
        kind="clone-question",
        title=_("question about a copied number"),
        start="asked",
        states={
            "asked": _("waiting for the company"),
            "overdue": _("not answered in time"),
            "answered": _("answered"),
            "closed": _("closed"),
        },
        moves=(
            Move(name="answer", sources=("asked", "overdue"), target="answered", told=_("The company answered")),
            Move(name="expire", sources=("asked",), target="overdue", told=_("The company did not answer in time")),
            Move(name="again", sources=("answered",), target="asked", told=_("The office asks something more")),
            Move(
                name="close", sources=("overdue", "answered"), target="closed", closes=True,
                told=_("The office needs nothing more"),
            ),
        ),
    )
)  # fmt: skip
