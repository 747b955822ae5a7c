"""The one thing that no app owns: when the processes beside the web server were last heard of."""

from django.db import models

__all__ = ["Heartbeat"]


class Heartbeat(models.Model):
    """When a process last said that it lives."""

    name = models.CharField(max_length=40, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
