"""The course of every matter that a citizen can bring; officers' pages make the moves of these tables.

`theft` and `loss` are decided by the police, `import` by customs, `appeal` and `not-mine` by the regulator. Their
details (`Case.details`) are named here once:

    theft, loss   happened_at (ISO instant), mode "block" or "watch", channel, place, area (the policy's), antitheft, proof
    recovery      parent = the report; recovered_on
    import        duty_reference, arrived_on, reason; documents are evidence
    appeal        statements (log indexes that are appealed against), disputes (indexes of what was filed), grounds,
                  contested_by (the operator that files it for a subscriber; empty: the person)
    not-mine      how the device came under the name
    watch         last (the last verdict told)
    transfer      a device passes from `person` to who enters the code
"""

from django.utils.translation import gettext_lazy as _

from openceir.portal.cases.flow import Flow, Move, open_flow

__all__ = ["APPEAL", "IMPORT", "LOSS", "NOT_MINE", "RECOVERY", "THEFT", "TRANSFER", "WATCH"]

_ASKED = (
    Move(name="ask", sources=("received",), target="asked", told=_("The office asks you something")),
    Move(name="answer", sources=("asked",), target="received", told=_("You answered")),
)
_REPORT_STATES = {
    "unproven": _("waiting for your proof of ownership"),
    "received": _("received, waiting for the police"),
    "asked": _("waiting for your answer"),
    "blocked": _("verified; the phone is blocked"),
    "watched": _("verified; the phone is watched, not blocked"),
    "insisted": _("watched; you asked to block it, waiting for the police"),
    "recovered": _("the phone is back"),
    "rejected": _("not accepted"),
    "withdrawn": _("withdrawn by you"),
}
_REPORT_MOVES = (
    Move(name="prove", sources=("unproven",), target="received", told=_("Proof of ownership received")),
    *_ASKED,
    Move(
        name="verify", sources=("received", "insisted"), target="blocked",
        told=_("The police verified the report; every network is told to block the phone"),
    ),
    Move(
        name="watch", sources=("received",), target="watched",
        told=_("The police verified the report; the phone is watched and not blocked"),
    ),
    Move(name="insist", sources=("watched",), target="insisted", told=_("You asked to block the phone after all")),
    Move(
        name="reject", sources=("unproven", "received", "asked"), target="rejected", closes=True,
        told=_("The police did not accept the report"),
    ),
    Move(
        name="withdraw", sources=("unproven", "received", "asked"), target="withdrawn", closes=True,
        told=_("You withdrew the report"),
    ),
    Move(
        name="recover", sources=("blocked", "watched", "insisted"), target="recovered", closes=True,
        told=_("The phone is back; networks are told to serve it again"),
    ),
)  # fmt: skip

THEFT = open_flow(
    Flow(kind="theft", title=_("report of a theft"), start="unproven", states=_REPORT_STATES, moves=_REPORT_MOVES)
)
LOSS = open_flow(
    Flow(kind="loss", title=_("report of a loss"), start="unproven", states=_REPORT_STATES, moves=_REPORT_MOVES)
)
RECOVERY = open_flow(
    Flow(
        kind="recovery",
        title=_("request to unblock a phone that is back"),
        start="received",
        states={
            "received": _("received, waiting for the police"),
            "asked": _("waiting for your answer"),
            "confirmed": _("confirmed"),
            "rejected": _("not accepted"),
        },
        moves=(
            *_ASKED,
            Move(
                name="confirm", sources=("received",), target="confirmed", closes=True,
                told=_("The police confirmed that the phone is back"),
            ),
            Move(
                name="reject", sources=("received", "asked"), target="rejected", closes=True,
                told=_("The police did not confirm it"),
            ),
        ),
    )
)  # fmt: skip
IMPORT = open_flow(
    Flow(
        kind="import",
        title=_("registration of a device"),
        start="received",
        states={
            "received": _("received, waiting for customs"),
            "asked": _("waiting for your answer"),
            "accepted": _("registered"),
            "rejected": _("not accepted"),
        },
        moves=(
            *_ASKED,
            Move(
                name="accept", sources=("received",), target="accepted", closes=True,
                told=_("Customs registered the device"),
            ),
            Move(
                name="reject", sources=("received", "asked"), target="rejected", closes=True,
                told=_("Customs did not accept it"),
            ),
        ),
    )
)  # fmt: skip
APPEAL = open_flow(
    Flow(
        kind="appeal",
        title=_("appeal"),
        start="received",
        states={
            "received": _("filed; the clock runs"),
            "asked": _("waiting for your answer; the clock runs on"),
            "restored": _("not decided in time: the phone works again until it is"),
            "granted": _("decided for you"),
            "rejected": _("decided against you"),
        },
        moves=(
            *_ASKED,
            Move(
                name="restore", sources=("received", "asked"), target="restored",
                told=_("Nobody decided in time; networks are told to serve the phone until somebody does"),
            ),
            Move(
                name="grant", sources=("received", "asked", "restored"), target="granted", closes=True,
                told=_("Your appeal was granted"),
            ),
            Move(
                name="reject", sources=("received", "asked", "restored"), target="rejected", closes=True,
                told=_("Your appeal was not granted"),
            ),
        ),
    )
)  # fmt: skip
NOT_MINE = open_flow(
    Flow(
        kind="not-mine",
        title=_("a device under your name that is not yours"),
        start="received",
        states={"received": _("taken off your name; the regulator looks into it"), "answered": _("looked into")},
        moves=(
            Move(
                name="explain", sources=("received",), target="answered", closes=True,
                told=_("The regulator looked into it"),
            ),
        ),
    )
)  # fmt: skip
WATCH = open_flow(
    Flow(
        kind="watch",
        title=_("notice when a verdict changes"),
        start="watching",
        states={"watching": _("you are told when the verdict changes"), "stopped": _("stopped")},
        moves=(Move(name="stop", sources=("watching",), target="stopped", closes=True, told=_("You stopped it")),),
    )
)
TRANSFER = open_flow(
    Flow(
        kind="transfer",
        title=_("change of owner"),
        start="offered",
        states={
            "offered": _("waiting for the new owner"),
            "taken": _("the new owner has it"),
            "withdrawn": _("withdrawn by you"),
        },
        moves=(
            Move(
                name="take", sources=("offered",), target="taken", closes=True,
                told=_("The new owner entered the code; the device left your name"),
            ),
            Move(
                name="withdraw", sources=("offered",), target="withdrawn", closes=True,
                told=_("You withdrew the offer"),
            ),
        ),
    )
)  # fmt: skip
