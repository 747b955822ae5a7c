"""Consignments: what an importer declared, what the officer scanned, and what came of each device."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from openceir.portal import moment

__all__ = ["Consignment", "Declared", "Scanned"]


class Consignment(models.Model):
    """Devices that arrive together."""

    class State(models.TextChoices):
        """What was done with it."""

        OPEN = "open", _("being checked")
        RELEASED = "released", _("released")
        HELD = "held", _("held")

    number = models.CharField(max_length=60)  # of the customs declaration
    importer = models.CharField(max_length=80)  # a member of the register, or a name
    port = models.CharField(max_length=80)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    version = models.PositiveIntegerField(default=1)
    opened_at = models.DateTimeField(default=moment.now)
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    grounds = models.CharField(max_length=400, blank=True)

    class Meta:
        ordering = ["-opened_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["number", "importer"], name="consignment_once")]

    def __str__(self) -> str:
        return self.number


class Declared(models.Model):
    """A device of the manifest."""

    consignment = models.ForeignKey(Consignment, on_delete=models.CASCADE, related_name="declared")
    device = models.CharField(max_length=14)
    model = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["consignment", "device"], name="declared_once")]

    def __str__(self) -> str:
        return self.device


class Scanned(models.Model):
    """A device that an officer had in the hand."""

    consignment = models.ForeignKey(Consignment, on_delete=models.CASCADE, related_name="scanned")
    device = models.CharField(max_length=14)
    at = models.DateTimeField(default=moment.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["consignment", "device"], name="scanned_once")]

    def __str__(self) -> str:
        return self.device
