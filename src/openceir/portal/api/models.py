"""How much of its day each token has used."""

from django.db import models

__all__ = ["Use"]


class Use(models.Model):
    """Devices, listings and pictures that one token asked about on one day."""

    token = models.CharField(max_length=63)  # its name
    on = models.DateField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["token", "on"], name="one_count_a_token_and_day")]

    def __str__(self) -> str:
        return f"{self.token} {self.on}"
