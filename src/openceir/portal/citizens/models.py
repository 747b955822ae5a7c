"""Devices under people's names. The register knows devices and no owners; who has which is personal and stays here."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from openceir.portal import moment

__all__ = ["Holding", "PublicFigure", "SentForm", "SpentWork"]


class Holding(models.Model):
    """A device is under somebody's name from one instant to another."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="holdings")
    device = models.CharField(max_length=120, db_index=True)
    since = models.DateTimeField(default=moment.now)
    until = models.DateTimeField(null=True, blank=True)
    how = models.CharField(
        max_length=20
    )  # imported, transferred, declared (the person said so), listed (an office did)
    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, null=True, related_name="holdings")

    class Meta:
        ordering = ["-since"]
        constraints = [
            models.UniqueConstraint(fields=["user", "device"], condition=Q(until__isnull=True), name="held_once")
        ]

    def __str__(self) -> str:
        return f"{self.user}'s device"


class PublicFigure(models.Model):
    """One of the figures that everybody may see, as it was counted last."""

    name = models.CharField(max_length=40, primary_key=True)
    value = models.BigIntegerField()
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class SpentWork(models.Model):
    """A proof of work that was taken once and is taken no more (`citizens/work.py`). It tells of nobody."""

    challenge = models.CharField(max_length=64, primary_key=True)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.challenge


class SentForm(models.Model):
    """A form that opened a case: whoever presses its button twice, at once even, opens no second one."""

    once = models.UUIDField(primary_key=True)  # the number that the form was shown with
    case = models.ForeignKey("cases.Case", on_delete=models.CASCADE, null=True, related_name="+")
    at = models.DateTimeField(default=moment.now)
