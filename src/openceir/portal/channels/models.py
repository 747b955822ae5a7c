"""What is remembered of messages: that one was answered, and how often a number asked. Of both only keyed digests."""

from django.db import models

__all__ = ["AnsweredMessage", "AskedInHour"]


class AnsweredMessage(models.Model):
    """A message that was answered, so that a gateway which sends it again gets the same answer and nothing happens twice.

    Kept for a day (`desk.KEPT_FOR`), sealed under the portal's secret and the gateway's id: it can hold the secret of a case.
    """

    digest = models.BinaryField(max_length=16, unique=True)  # of the gateway's id of the message, or of a USSD session
    sealed = models.BinaryField()
    at = models.DateTimeField(db_index=True)


class AskedInHour(models.Model):
    """How many questions a number asked in one hour of UTC."""

    digest = models.BinaryField(max_length=16, unique=True)  # of number and hour, so that two hours cannot be joined
    hour_at = models.DateTimeField(db_index=True)
    count = models.PositiveIntegerField(default=0)
