"""The course of an application for type approval. Its details (`Case.details`):

applicant (the company's office), tac, brand, model, certificate_number, standards, test_report, factory_audit, sims,
and checks, the steps of the review that the regulator marked as done. Documents are evidence.
"""

from django.utils.translation import gettext_lazy as _

from openceir.portal.cases.flow import Flow, Move, open_flow

__all__ = ["STEPS", "TYPE_APPROVAL"]

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
