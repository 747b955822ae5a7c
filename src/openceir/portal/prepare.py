"""Make the portal ready in a home folder, which may be empty: secret, tables. Safe to do again; done before every start."""

import os
from pathlib import Path

__all__ = ["prepare"]


def prepare(home: Path) -> None:
    """Make what the portal needs in `home`, and load Django with its settings. Once a process."""
    os.environ["OPENCEIR_HOME"] = str(home.absolute())
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "openceir.portal.site.settings")
    from openceir.portal.site.secret import make_secret

    make_secret(home.absolute() / "portal")
    (home.absolute() / "portal" / "mail").mkdir(mode=0o700, exist_ok=True)
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", interactive=False, verbosity=0)
    from django.db import connections

    connections.close_all()  # the server's processes open their own
    path = home / "portal.sqlite"
    if path.exists():
        path.chmod(0o600)
