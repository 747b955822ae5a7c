"""Forms that opened a case."""

import django.db.models.deletion
from django.db import migrations, models

import openceir.portal.moment


class Migration(migrations.Migration):
    dependencies = [("cases", "__first__"), ("citizens", "0003_spent_work")]
    operations = [
        migrations.CreateModel(
            name="SentForm",
            fields=[
                ("once", models.UUIDField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField(default=openceir.portal.moment.now)),
                (
                    "case",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="cases.case"
                    ),
                ),
            ],
        ),
    ]
