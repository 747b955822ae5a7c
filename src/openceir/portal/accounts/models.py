"""People, what they are appointed as, what they did, and what waits for a second person."""

from datetime import timedelta
from functools import cached_property
from typing import Any

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from openceir.portal import moment
from openceir.portal.accounts.roles import PortalRole

__all__ = ["Act", "Alarm", "Appointment", "Proposal", "User"]


class User(AbstractUser):
    """Somebody with an account: a citizen, and by appointment an officer, importer, engineer …"""

    first_name = None  # type: ignore[assignment]  # one name, written as its bearer writes it
    last_name = None  # type: ignore[assignment]
    full_name = models.CharField(_("name"), max_length=150, blank=True)
    phone = models.CharField(_("telephone number"), max_length=20, blank=True)
    language = models.CharField(_("language"), max_length=5, default="en")

    def __str__(self) -> str:
        return str(self.username)

    @cached_property
    def appointments_now(self) -> "list[Appointment]":
        """The appointments that hold now, read once a request."""
        now = moment.now()
        return list(self.appointments.filter(Q(until__isnull=True) | Q(until__gt=now), since__lte=now))

    def appointment_as(self, *roles: PortalRole) -> "Appointment | None":
        """The first appointment now as one of these."""
        return next((one for one in self.appointments_now if one.role in roles), None)


class Appointment(models.Model):
    """Somebody acts for an office from a day on. The office is a member of the register, which signs for it."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="appointments")
    role = models.CharField(max_length=40, choices=[(role.value, role.value) for role in PortalRole])
    office = models.CharField(
        max_length=80
    )  # the member's id in members.toml; for a marketplace or dealer its own name
    key_name = models.CharField(max_length=80, blank=True)  # the officer's own key; empty: the office's
    since = models.DateTimeField(default=moment.now)
    until = models.DateTimeField(null=True, blank=True)
    appointed_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.user} {self.role} {self.office}"

    @property
    def signs_with(self) -> str:
        """The name of the key, or of the member, that this person's statements are signed with."""
        return self.key_name or self.office


class Act(models.Model):
    """One act of an office, or one read of personal data. Rows are only ever added, each bound to the one before.

    `digest` = SHA-256 over the row's fields and the digest before it (`accounts/log.py`), so that a row that was
    changed, taken out or put in shows. The database itself refuses UPDATE and DELETE.
    """

    number = models.BigIntegerField(primary_key=True)  # from 1, without a gap
    at = models.DateTimeField()
    actor = models.CharField(max_length=150)  # the user's name; not a key into people, who may go
    role = models.CharField(max_length=40)
    office = models.CharField(max_length=80)
    verb = models.CharField(max_length=80)
    subject = models.CharField(max_length=80, blank=True)  # a case's reference, or a keyed digest of a device
    reason = models.CharField(max_length=400, blank=True)
    count = models.PositiveIntegerField(default=1)  # how many devices or persons it is about
    statements = models.JSONField(default=list)  # leaf hashes of what was signed, hexadecimal
    previous = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)

    class Meta:
        ordering = ["number"]
        indexes = [models.Index(fields=["actor", "verb", "at"]), models.Index(fields=["subject"])]

    def __str__(self) -> str:
        return f"{self.number} {self.actor} {self.verb}"


class ActChain(models.Model):
    """The end of the chain of acts: one row, locked by whoever adds to it."""

    one = models.PositiveSmallIntegerField(primary_key=True, default=1)
    number = models.BigIntegerField(default=0)
    digest = models.CharField(max_length=64, default="0" * 64)


class CommittedHead(models.Model):
    """Where in the ledger it stands how far the chain of acts went (`accounts/committing.py`)."""

    entry = models.BigIntegerField(primary_key=True)
    number = models.BigIntegerField()
    at = models.DateTimeField()


class Alarm(models.Model):
    """Something that a supervisor should look at: a quota nearly or wholly used up, a report of a stolen identity."""

    at = models.DateTimeField(default=moment.now)
    kind = models.CharField(max_length=40)
    office = models.CharField(max_length=80, blank=True)
    actor = models.CharField(max_length=150, blank=True)
    facts = models.JSONField(default=dict)
    seen_at = models.DateTimeField(null=True, blank=True)
    seen_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ["-at"]


def _in_a_week() -> Any:
    return moment.now() + timedelta(days=7)


class Proposal(models.Model):
    """An act that waits for a second person (`accounts/approvals.py`)."""

    class Outcome(models.TextChoices):
        """What became of it."""

        WAITS = "waits", _("waits for a second person")
        APPROVED = "approved", _("approved")
        REFUSED = "refused", _("refused")
        WITHDRAWN = "withdrawn", _("withdrawn")

    name = models.CharField(max_length=80)  # which approvable act
    payload = models.JSONField()
    summary = models.CharField(max_length=400)  # what the second person reads
    subject = models.CharField(max_length=80, blank=True)
    office = models.CharField(max_length=80)
    reason = models.CharField(max_length=400)
    proposed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="proposals")
    proposed_at = models.DateTimeField(default=moment.now)
    expires_at = models.DateTimeField(default=_in_a_week)
    outcome = models.CharField(max_length=20, choices=Outcome.choices, default=Outcome.WAITS)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="decisions")
    decided_at = models.DateTimeField(null=True)
    decided_because = models.CharField(max_length=400, blank=True)

    class Meta:
        ordering = ["-proposed_at"]

    def __str__(self) -> str:
        return f"{self.name} {self.pk}"
