"""Cases: what somebody asked for or reported, what was done about it, and by when something must happen."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from openceir.portal import moment
from openceir.portal.cases.errors import CaseChanged, IllegalMove
from openceir.portal.cases.flow import Flow, flow_of
from openceir.portal.cases.references import format_code, new_reference, new_secret, parse_code, secret_digest

__all__ = ["Case", "CaseDevice", "Deadline", "Event", "Evidence", "Notice"]


class Case(models.Model):
    """One matter of one person. Personal data stands here and nowhere else."""

    reference = models.CharField(max_length=11, unique=True)
    secret_digest = models.CharField(max_length=64)
    kind = models.CharField(max_length=40)  # a flow's
    state = models.CharField(max_length=40)
    version = models.PositiveIntegerField(default=1)  # counts every change, so that two who decide at once are told
    language = models.CharField(max_length=5, default="en")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="cases")
    name = models.CharField(_("name"), max_length=150, blank=True)
    email = models.EmailField(_("e-mail address"), blank=True)
    phone = models.CharField(_("telephone number"), max_length=20, blank=True)
    details = models.JSONField(default=dict)  # what this kind of case asks for beside
    office = models.CharField(max_length=80, blank=True)  # the member of the register that decides it
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="assigned_cases"
    )
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="children")
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-opened_at", "-pk"]
        indexes = [models.Index(fields=["kind", "state", "opened_at"]), models.Index(fields=["office", "state"])]

    def __str__(self) -> str:
        return format_code(self.reference)

    @classmethod
    def open(cls, kind: str, *, devices: Iterable[str] = (), **fields: Any) -> "tuple[Case, str]":
        """A new case with its first event, and the secret that opens it, which is not kept.

        `devices` are canonical: 14 digits of an IMEI, or another identifier's text.
        """
        secret, now = new_secret(), moment.now()
        flow = flow_of(kind)
        with transaction.atomic():
            case = cls.objects.create(
                kind=kind,
                state=flow.start,
                reference=new_reference(),
                secret_digest=secret_digest(secret),
                opened_at=now,
                **fields,
            )
            for device in dict.fromkeys(devices):
                CaseDevice.objects.create(case=case, device=device)
            case.tell("opened", actor="", text=str(flow.states[flow.start]))
        return case, secret

    @classmethod
    def find(cls, reference: str, secret: str) -> "Case | None":
        """The case that these two open together; None says nothing of which was wrong."""
        code = parse_code(reference)
        digest = secret_digest(secret)  # also when the reference is wrong: the answer takes as long
        return cls.objects.filter(reference=code or "", secret_digest=digest).first()

    @property
    def flow(self) -> Flow:
        """The flow of its kind."""
        return flow_of(self.kind)

    @property
    def state_text(self) -> str:
        """Its state in words."""
        return str(self.flow.states[self.state])

    @property
    def is_open(self) -> bool:
        """Whether anything is still to be done."""
        return self.closed_at is None

    def move(self, name: str, *, actor: str, text: str = "", seen_version: int | None = None) -> None:
        """Make a move of the flow; the event is told to the citizen in the flow's words, with `text` beside.

        `seen_version` is the version that stood on the page of whoever decides.
        Raises: IllegalMove; CaseChanged when somebody was quicker.
        """
        with transaction.atomic():
            kept = Case.objects.select_for_update().get(pk=self.pk)
            if seen_version is not None and kept.version != seen_version:
                raise CaseChanged(
                    gettext("Somebody else changed this case after you opened it; look at it again before you decide.")
                )
            move = kept.flow.move(name)
            if kept.state not in move.sources:
                raise IllegalMove(
                    gettext('This case is "%(state)s" now; this cannot be done any more.') % {"state": kept.state_text}
                )
            kept.state, kept.version = move.target, kept.version + 1
            if move.closes:
                kept.closed_at = moment.now()
                kept.deadlines.filter(done_at=None).update(done_at=moment.now())
            elif kept.closed_at is not None:
                kept.closed_at = None
            kept.save()
            kept.tell(name, actor=actor, text=text, is_public=bool(move.told))
        self.refresh_from_db()

    def tell(self, kind: str, *, actor: str, text: str = "", is_public: bool = True) -> "Event":
        """Add to the timeline. `actor` is empty for the citizen, an office's id, or `clock`."""
        return self.events.create(kind=kind, at=moment.now(), actor=actor, text=text, is_public=is_public)

    def due(self, kind: str, at: datetime) -> "Deadline":
        """Let something happen at an instant unless the case is closed before (`cases/deadlines.py`)."""
        return self.deadlines.create(kind=kind, due_at=at)


class CaseDevice(models.Model):
    """A device that a case is about."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="devices")
    device = models.CharField(max_length=120, db_index=True)

    class Meta:
        unique_together = [("case", "device")]

    def __str__(self) -> str:
        return self.device


class Event(models.Model):
    """One line of a case's timeline."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField()
    kind = models.CharField(
        max_length=40
    )  # a move of the flow, or opened, evidence, question, answer, notice, statement
    actor = models.CharField(max_length=150, blank=True)
    text = models.TextField(blank=True)
    is_public = models.BooleanField(default=True)  # whether the citizen sees it

    class Meta:
        ordering = ["at", "pk"]

    @property
    def told(self) -> str:
        """What the timeline says of it."""
        flow = self.case.flow
        move = next((one for one in flow.moves if one.name == self.kind), None)
        return str(move.told) if move is not None else str(_KINDS_OF_EVENT.get(self.kind, self.kind))


_KINDS_OF_EVENT = {
    "opened": _("Received"),
    "evidence": _("Document added"),
    "question": _("Question to you"),
    "answer": _("Answer received"),
    "notice": _("Notice sent"),
    "statement": _("Entered in the public ledger"),
    "note": _("Note"),
}


class Evidence(models.Model):
    """A document of a case. The octets lie in a file of their own (`cases/evidence.py`), under a random name."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="evidence")
    name = models.CharField(max_length=120)  # as its sender called it, cleaned
    media_type = models.CharField(max_length=60)  # found in the contents, never taken from the sender
    size_octets = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    file_name = models.CharField(max_length=40)
    added_at = models.DateTimeField()
    added_by = models.CharField(max_length=150, blank=True)  # empty: the citizen

    class Meta:
        ordering = ["added_at", "pk"]
        constraints = [models.UniqueConstraint(fields=["case", "sha256"], name="evidence_once")]


class Deadline(models.Model):
    """Something happens to a case at an instant; `cases/deadlines.py` says what."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="deadlines")
    kind = models.CharField(max_length=40)
    due_at = models.DateTimeField(db_index=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["due_at"]


class Notice(models.Model):
    """A message to a person, due at an instant and sent once (`cases/notices.py`). The text is kept as it was sent."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, null=True, related_name="notices")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="notices")
    channel = models.CharField(max_length=20)  # page, email, sms
    address = models.CharField(max_length=254, blank=True)
    language = models.CharField(max_length=5)
    text = models.TextField()
    once = models.CharField(max_length=120, blank=True)  # what must not be sent twice; empty: no such care
    due_at = models.DateTimeField(db_index=True)
    sent_at = models.DateTimeField(null=True)
    failures = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["due_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["once", "channel", "address"], condition=~models.Q(once=""), name="notice_once"
            )
        ]
