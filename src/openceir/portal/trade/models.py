"""Stock, unreadable to everybody but the holder of the company's key until it is sold; papers; and what is charged."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from openceir.portal import moment

__all__ = ["Batch", "Fee", "Paper", "StockKey", "Unit"]


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
    sold_tac = models.CharField(max_length=8, blank=True)  # readable from its sale on, when the number is registered
    lost_at = models.DateTimeField(null=True)  # since when nobody can read it: its key was lost

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["office", "finder"], name="unit_once"),
            models.UniqueConstraint(fields=["office", "second_finder"], name="unit_once_by_second"),
        ]


class Paper(models.Model):
    """A certificate, report, audit or licence as data; the document itself is evidence of its case."""

    class Kind(models.TextChoices):
        """What it is."""

        CERTIFICATE = "certificate", _("conformity certificate")
        REPORT = "report", _("test report")
        AUDIT = "audit", _("factory audit")
        LICENCE = "licence", _("licence")

    case = models.ForeignKey("cases.Case", on_delete=models.CASCADE, related_name="papers")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    number = models.CharField(max_length=80)
    issuer = models.CharField(max_length=120)
    standard = models.CharField(max_length=200, blank=True)  # what it was tested or audited against
    result = models.CharField(max_length=400, blank=True)  # what was found, such as SAR 0.9 W/kg
    issued_on = models.DateField()
    expires_on = models.DateField(null=True)  # its last day; null: it does not end
    document = models.ForeignKey("cases.Evidence", on_delete=models.SET_NULL, null=True, related_name="+")
    added_at = models.DateTimeField(default=moment.now)
    accepted_at = models.DateTimeField(null=True)  # when the regulator took it as good

    class Meta:
        ordering = ["kind", "issued_on", "pk"]
        constraints = [models.UniqueConstraint(fields=["case", "kind", "number", "issuer"], name="paper_once")]

    def __str__(self) -> str:
        return self.number


class Fee(models.Model):
    """What a company owes for something, as the policy in force on that day sets it."""

    class Item(models.TextChoices):
        """What it is for; the name of its line in `[trade.fees]`."""

        STANDING = "standing", _("application for standing")
        TYPE_APPROVAL = "type_approval", _("application for type approval")
        DEVICE = "device", _("declared devices")

    office = models.CharField(max_length=80)
    item = models.CharField(max_length=20, choices=Item.choices)
    case = models.OneToOneField("cases.Case", on_delete=models.CASCADE, null=True, related_name="fee")
    batch = models.OneToOneField(Batch, on_delete=models.CASCADE, null=True, related_name="fee")
    quantity = models.PositiveIntegerField(default=1)
    amount = models.DecimalField(max_digits=16, decimal_places=2)
    currency = models.CharField(max_length=12)
    source = models.CharField(max_length=200)  # the law, rule or decision that sets it
    charged_on = models.DateField()
    paid_on = models.DateField(null=True)
    receipt = models.CharField(max_length=60, blank=True)
    marked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["paid_on", "charged_on", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["receipt"], condition=~models.Q(receipt=""), name="fee_receipt_once")
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"
