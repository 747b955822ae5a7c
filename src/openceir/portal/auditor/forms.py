"""What the auditor's pages ask."""

import base64
import binascii
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openceir.portal.site.forms import Digits

__all__ = ["ActsForm", "CheckpointsForm", "ReceiptForm", "ReplayForm"]

_LARGEST_OCTETS = 4 << 20


class ReceiptForm(forms.Form):
    """A receipt, as a file or pasted as base64."""

    file = forms.FileField(label=gettext_lazy("The receipt's file"), required=False)
    text = forms.CharField(
        label=gettext_lazy("Or its octets as base64"), required=False, max_length=_LARGEST_OCTETS,
        widget=forms.Textarea({"rows": 5, "dir": "ltr", "spellcheck": "false"}),
    )  # fmt: skip
    log_key = forms.CharField(
        label=gettext_lazy("The log's public key"), max_length=400, required=False,
        widget=Digits({"inputmode": "text"}),
        help_text=gettext_lazy("From a source that you trust. Left out, the key of this register counts."),
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        """The octets, from whichever of the two was given."""
        told = super().clean() or {}
        upload = told.get("file")
        if upload is not None:
            if upload.size > _LARGEST_OCTETS:
                raise forms.ValidationError({"file": _("A receipt is smaller than that; choose the right file.")})
            told["octets"] = upload.read()
        elif told.get("text"):
            try:
                told["octets"] = base64.b64decode("".join(told["text"].split()), validate=True)
            except (binascii.Error, ValueError):
                raise forms.ValidationError({"text": _("This is no base64; copy the whole of it.")}) from None
        elif not self.errors:
            raise forms.ValidationError({"file": _("Give a file, or paste the receipt.")})
        return told


class CheckpointsForm(forms.Form):
    """Two checkpoints of this register's log, an earlier and a later one."""

    earlier = forms.CharField(
        label=gettext_lazy("A checkpoint that you kept"), max_length=65_536, strip=False,
        widget=forms.Textarea({"rows": 6, "dir": "ltr", "spellcheck": "false"}),
    )  # fmt: skip
    later = forms.CharField(
        label=gettext_lazy("A later one"), max_length=65_536, required=False, strip=False,
        widget=forms.Textarea({"rows": 6, "dir": "ltr", "spellcheck": "false"}),
        help_text=gettext_lazy("Left out, the one that the register publishes now."),
    )  # fmt: skip


class ActsForm(forms.Form):
    """Which acts to show."""

    actor = forms.CharField(label=gettext_lazy("Who"), max_length=150, required=False)
    office = forms.CharField(label=gettext_lazy("Office"), max_length=80, required=False)
    verb = forms.CharField(label=gettext_lazy("What begins with"), max_length=80, required=False)


class ReplayForm(forms.Form):
    """Which run of detection to judge again."""

    run = forms.IntegerField(label=gettext_lazy("Number of the run"), min_value=1, widget=Digits())
