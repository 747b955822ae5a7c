"""Alerts: a reported device was asked about, or a network saw it."""

from django.db import models

from openceir.portal import moment

__all__ = ["Hit"]


class Hit(models.Model):
    """Something that the officer of a case should know. One a day, device and source is enough."""

    case = models.ForeignKey("cases.Case", on_delete=models.CASCADE, related_name="hits")
    device = models.CharField(max_length=120)
    kind = models.CharField(max_length=10, choices=[("checked", "checked"), ("seen", "seen")])
    source = models.CharField(max_length=80)  # the channel of a check, the operator that saw it
    on = models.DateField()
    at = models.DateTimeField(default=moment.now)
    read_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["case", "device", "kind", "source", "on"], name="hit_once_a_day")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.source} {self.on}"
