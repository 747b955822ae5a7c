"""The app that the others stand on."""

from django.apps import AppConfig
from django.conf import settings

__all__ = ["SiteConfig"]


class SiteConfig(AppConfig):
    """What Django needs to know of it."""

    name = "openceir.portal.site"
    label = "site"

    def ready(self) -> None:
        """Faults are told by `site/middleware.py`, without paths and values; Django's own logger would print both."""
        import logging

        assert settings.configured
        logging.getLogger("django").setLevel(logging.CRITICAL + 1)
        logging.getLogger("axes").setLevel(logging.CRITICAL + 1)
        logging.getLogger("django_tasks_db").setLevel(logging.ERROR)
