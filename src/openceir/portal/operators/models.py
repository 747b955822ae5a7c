"""What an operator sends and confirms."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from openceir.portal import moment

__all__ = ["Dump", "EirAudit", "NoticeOutcome", "NoticesSent"]


class Dump(models.Model):
    """A file of sightings on its way in. Its octets lie in the home's `portal/dumps/` until they were imported."""

    class State(models.TextChoices):
        """How far it came."""

        ARRIVING = "arriving", _("arriving")
        ARRIVED = "arrived", _("waiting to be imported")
        IMPORTED = "imported", _("imported")
        REFUSED = "refused", _("refused")
        DROPPED = "dropped", _("given up")

    operator = models.CharField(max_length=64)  # the office that sends it
    name = models.CharField(max_length=120)
    mark = models.CharField(max_length=40, blank=True)  # what tells the file from another of its name and size
    size_octets = models.PositiveBigIntegerField()
    received_octets = models.PositiveBigIntegerField(default=0)  # on the disk for certain
    stated_sha256 = models.CharField(max_length=64, blank=True)
    found_sha256 = models.CharField(max_length=64, blank=True)
    since_on = models.DateField(null=True)
    until_on = models.DateField(null=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.ARRIVING)
    begun_at = models.DateTimeField(default=moment.now)
    touched_at = models.DateTimeField(default=moment.now)
    begun_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    done_at = models.DateTimeField(null=True)
    report = models.JSONField(null=True)  # counts and sentences, no values
    failure = models.TextField(blank=True)

    class Meta:
        ordering = ["-begun_at", "-pk"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_arriving(self) -> bool:
        """Whether octets are still to come."""
        return self.state == self.State.ARRIVING


class NoticesSent(models.Model):
    """An operator confirmed that it sent the notices of a list to its subscribers."""

    operator = models.CharField(max_length=64)
    sequence = models.PositiveBigIntegerField()  # of the list of notifications
    sent = models.PositiveBigIntegerField()
    not_reached = models.PositiveBigIntegerField(default=0)
    remark = models.CharField(max_length=400, blank=True)
    at = models.DateTimeField(default=moment.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-sequence"]
        constraints = [models.UniqueConstraint(fields=["operator", "sequence"], name="notices_sent_once")]

    def __str__(self) -> str:
        return f"{self.operator} {self.sequence}"


class NoticeOutcome(models.Model):
    """What came of the notice about one device, as its operator heard it from the subscriber."""

    class Outcome(models.TextChoices):
        """What the subscriber did or said."""

        PAPERS = "papers", _("showed papers: the device seems lawful")
        CHANGED = "changed", _("uses another device now")
        COPY = "copy", _("says the number is a copy of another phone's")
        SILENT = "silent", _("did not answer")
        UNREACHED = "unreached", _("could not be reached")

    operator = models.CharField(max_length=64)
    device = models.CharField(max_length=14)
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    remark = models.CharField(max_length=400, blank=True)
    at = models.DateTimeField(default=moment.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["operator", "device"])]

    def __str__(self) -> str:
        return f"{self.operator} {self.outcome}"


class EirAudit(models.Model):
    """The signed report of an audit of an operator's equipment register, as it was filed here."""

    operator = models.CharField(max_length=64)
    made_at = models.DateTimeField()
    auditor = models.CharField(max_length=64)  # the member whose key signed it
    report = models.JSONField()  # openceir.eir.audit; its examples name devices and no subscribers
    sha256 = models.CharField(max_length=64, unique=True)
    filed_at = models.DateTimeField(default=moment.now)
    filed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-made_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.operator} {self.made_at:%Y-%m-%d}"

    @property
    def agrees(self) -> bool:
        """Whether everything was as ordered."""
        return bool(self.report["agrees"])
