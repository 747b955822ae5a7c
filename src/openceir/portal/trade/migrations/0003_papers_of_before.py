"""Applications that were made before papers were data keep their certificate: its number, from the day of application."""

from typing import Any

from django.db import migrations


def take_over(apps: Any, schema_editor: Any) -> None:
    """One paper a case that named a certificate; taken as good where the type was approved."""
    paper = apps.get_model("trade", "Paper")
    for case in apps.get_model("cases", "Case").objects.filter(kind="type-approval"):
        number = str(case.details.get("certificate_number", ""))[:80]
        if number and not paper.objects.filter(case=case).exists():
            paper.objects.create(
                case=case, kind="certificate", number=number, issuer="", issued_on=case.opened_at.date(),
                standard=str(case.details.get("standards", ""))[:200], added_at=case.opened_at,
                accepted_at=case.closed_at if case.state == "approved" else None,
            )  # fmt: skip


class Migration(migrations.Migration):
    """Data only."""

    dependencies = [("trade", "0002_papers_fees_keys")]
    operations = [migrations.RunPython(take_over, migrations.RunPython.noop)]
