"""Where in the ledger it stands how far the act log went."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_acts_stay")]
    operations = [
        migrations.CreateModel(
            name="CommittedHead",
            fields=[
                ("entry", models.BigIntegerField(primary_key=True, serialize=False)),
                ("number", models.BigIntegerField()),
                ("at", models.DateTimeField()),
            ],
        ),
    ]
