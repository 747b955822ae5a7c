"""The database itself refuses to change or remove an entry of the act log."""

from django.db import migrations

_SQLITE = """
CREATE TRIGGER act_stays_as_written BEFORE UPDATE ON accounts_act
BEGIN SELECT RAISE(ABORT, 'an entry of the act log is never changed'); END;
CREATE TRIGGER act_stays BEFORE DELETE ON accounts_act
BEGIN SELECT RAISE(ABORT, 'an entry of the act log is never removed'); END;
"""
_POSTGRESQL = """
CREATE FUNCTION act_stays() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'an entry of the act log is never changed or removed'; END $$;
CREATE TRIGGER act_stays BEFORE UPDATE OR DELETE ON accounts_act FOR EACH ROW EXECUTE FUNCTION act_stays();
"""


def _guard(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        for statement in _SQLITE.strip().split("END;"):
            if statement.strip():
                schema_editor.execute(statement + "END;")
    else:
        schema_editor.execute(_POSTGRESQL)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [migrations.RunPython(_guard, migrations.RunPython.noop)]
