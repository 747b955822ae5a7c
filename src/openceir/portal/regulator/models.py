"""Drafts of the country's policy, jobs that a page started, and what was counted for its figures."""

from django.conf import settings
from django.db import models

from openceir.portal import moment

__all__ = ["CheckCount", "Draft", "Job", "KeptFigures", "NoticeText"]


class Draft(models.Model):
    """One policy file as somebody would have it, and what that would do."""

    file = models.CharField(max_length=80)  # its name in the policy folder
    text = models.TextField()
    standing_text = models.TextField(blank=True)  # what stood there when the draft was made
    standing_sha256 = models.CharField(max_length=64)
    reason = models.CharField(max_length=400)  # with the law or decision that it rests on
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="policy_drafts")
    made_at = models.DateTimeField(default=moment.now)
    effects = models.JSONField(null=True)  # of each rule, once simulated: RuleEffect.summary
    failure = models.TextField(blank=True)  # why the simulation gave nothing
    proposal = models.ForeignKey("accounts.Proposal", on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["-made_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.file} {self.made_at:%Y-%m-%d}"


class Job(models.Model):
    """Long work of a page: what was asked for, and what came of it."""

    kind = models.CharField(max_length=20)  # figures, replay
    asked = models.CharField(max_length=40)  # the month, the run
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )  # null: the clock
    asked_at = models.DateTimeField(default=moment.now)
    done_at = models.DateTimeField(null=True)
    outcome = models.JSONField(null=True)
    failure = models.TextField(blank=True)

    class Meta:
        ordering = ["-asked_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.kind} {self.asked}"


class KeptFigures(models.Model):
    """The offices' figures of a month, as counted last: a page reads them and counts nothing."""

    month = models.CharField(max_length=7, unique=True)  # 2026-10
    made_at = models.DateTimeField()
    document = models.JSONField()  # a list of Figure.to_dict

    class Meta:
        ordering = ["-month"]

    def __str__(self) -> str:
        return self.month


class CheckCount(models.Model):
    """How many devices were asked about on a day."""

    on = models.DateField()
    channel = models.CharField(max_length=20)
    language = models.CharField(max_length=5)
    devices = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["on", "channel", "language"], name="check_count_once")]

    def __str__(self) -> str:
        return f"{self.on} {self.channel} {self.language}"


class NoticeText(models.Model):
    """Words of a notice as the regulator would have them. Rows are only added: what stood stays."""

    name = models.CharField(max_length=60)  # a wording's
    language = models.CharField(max_length=5)
    text = models.TextField(blank=True)  # empty: the program's own again
    since = models.DateField()
    reason = models.CharField(max_length=400)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(default=moment.now)
    proposal = models.ForeignKey("accounts.Proposal", on_delete=models.PROTECT, null=True, related_name="+")
    agreed_at = models.DateTimeField(null=True)  # None: nobody agreed, and it never counted

    class Meta:
        ordering = ["-made_at", "-pk"]
        indexes = [models.Index(fields=["name", "language", "since"])]

    def __str__(self) -> str:
        return f"{self.name} {self.language} {self.since}"
