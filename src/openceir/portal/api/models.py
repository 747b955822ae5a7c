"""The keys that programs ask with, how much of its day each has used, and answers that are told again."""

from datetime import datetime

from django.conf import settings
from django.db import models

from openceir.portal import moment

__all__ = ["ApiKey", "AskedPrice", "KeptAnswer", "ListedDevice", "Use"]


class Use(models.Model):
    """Devices, listings, pictures and matters that one key asked about on one day."""

    token = models.CharField(max_length=80)  # what the caller is counted under
    on = models.DateField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["token", "on"], name="one_count_a_token_and_day")]

    def __str__(self) -> str:
        return f"{self.token} {self.on}"


class ApiKey(models.Model):
    """A program may ask some things for an office until a day. The key itself is kept by its holder and nowhere here."""

    name = models.CharField(max_length=40)
    office = models.CharField(max_length=80)  # whom it asks for: a company, or a partner of the regulator's
    role = models.CharField(max_length=40, blank=True)  # what its holder is appointed as; empty: a partner's key
    holder = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="api_keys")
    digest = models.CharField(max_length=64, unique=True)  # SHA-256; 256 random bits need no salt
    scopes = models.JSONField()
    per_day = models.PositiveIntegerField()
    made_at = models.DateTimeField(default=moment.now)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ["office", "name"]
        constraints = [models.UniqueConstraint(fields=["office", "name"], name="one_key_of_a_name")]

    def __str__(self) -> str:
        return f"{self.office}/{self.name}"

    @property
    def counted_as(self) -> str:
        """What its uses are counted under: a number, since a name may hold what a token's may not."""
        return f"key/{self.pk}"

    def is_valid_at(self, at: datetime) -> bool:
        """Whether it opens anything."""
        return at < self.expires_at and self.revoked_at is None


class KeptAnswer(models.Model):
    """The answer to a request that bore an Idempotency-Key, sealed under what only its sender knows (`api/once.py`)."""

    caller = models.CharField(max_length=80)
    key_digest = models.CharField(max_length=64)
    request_digest = models.CharField(max_length=64)
    claimed_at = models.DateTimeField()
    sealed = models.BinaryField(null=True)  # None: somebody is at it, or died at it

    class Meta:
        constraints = [models.UniqueConstraint(fields=["caller", "key_digest"], name="one_answer_a_key")]
        indexes = [models.Index(fields=["claimed_at"])]

    def __str__(self) -> str:
        return self.caller


class ListedDevice(models.Model):
    """A marketplace showed us a number under a seller. Keyed digests of that marketplace's own (`api/listed.py`)."""

    caller = models.CharField(max_length=80)
    device = models.CharField(max_length=64)
    seller = models.CharField(max_length=64)
    on = models.DateField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["caller", "device", "seller"], name="listed_once_a_seller")]
        indexes = [models.Index(fields=["on"])]

    def __str__(self) -> str:
        return self.caller


class AskedPrice(models.Model):
    """What a listing asks for a model, at one marketplace in one currency."""

    caller = models.CharField(max_length=80)
    model = models.CharField(max_length=64)  # a keyed digest of brand, model and currency
    listing = models.CharField(max_length=64)
    amount = models.FloatField()
    on = models.DateField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["caller", "listing"], name="priced_once")]
        indexes = [models.Index(fields=["caller", "model", "amount"]), models.Index(fields=["on"])]

    def __str__(self) -> str:
        return self.caller
