"""Devices that a company has in stock, unreadable to everybody but the holder of its key until they are sold."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from openceir.portal import moment

__all__ = ["Batch", "StockKey", "Unit"]


class StockKey(models.Model):
    """That a company has a stock key. The key itself is kept by the company and nowhere here."""

    office = models.CharField(max_length=64, unique=True)
    check_value = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField(default=moment.now)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return self.office


class Batch(models.Model):
    """Devices that were declared together."""

    class State(models.TextChoices):
        """What the regulator said of it."""

        WAITING = "waiting", _("waiting for the regulator")
        ACCEPTED = "accepted", _("accepted; may be sold")
        REFUSED = "refused", _("not accepted")

    office = models.CharField(max_length=64)
    consignment = models.CharField(max_length=60)  # the company's reference
    declared = models.PositiveIntegerField()
    per_tac = models.JSONField()  # how many of each TAC: what the regulator decides on
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    reasons = models.CharField(max_length=2000, blank=True)
    opened_at = models.DateTimeField(default=moment.now)
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-opened_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["office", "consignment"], name="stock_once")]

    def __str__(self) -> str:
        return self.consignment


class Unit(models.Model):
    """One device of a batch, sealed under the company's key."""

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="units")
    office = models.CharField(max_length=64)
    finder = models.CharField(max_length=64)  # of its first IMEI, keyed by the company's key
    second_finder = models.CharField(max_length=64, null=True)  # of its second IMEI
    sealed = models.BinaryField()
    sold_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["office", "finder"], name="unit_once"),
            models.UniqueConstraint(fields=["office", "second_finder"], name="unit_once_by_second"),
        ]
