"""The portal's web server: the register's HTTP door in front, Django behind it in the same process.

`load_application` is what granian calls in each worker.
"""

import gc
import os
import sys
from pathlib import Path

from openceir.http import WSGI, make_application
from openceir.settings import load_settings

__all__ = ["load_application", "make_portal"]


def load_application() -> WSGI:
    """The application over the home folder that `openceir serve` was given; `prepare` has run before."""
    home = Path(os.environ.get("OPENCEIR_HOME", "openceir-home"))
    settings, _ = load_settings(home, os.environ)
    gc.set_threshold(100_000, 50, 1000)  # as in http/application.py
    return make_application(home, settings, log=lambda line: print(line, file=sys.stderr), behind=make_portal())


def make_portal() -> WSGI:
    """Django's part alone."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "openceir.portal.site.settings")
    from django.core.wsgi import get_wsgi_application

    application: WSGI = get_wsgi_application()
    return application
