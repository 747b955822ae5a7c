"""The app of citizens."""

from django.apps import AppConfig

__all__ = ["CitizensConfig"]


class CitizensConfig(AppConfig):
    """What Django needs to know of it."""

    name = "openceir.portal.citizens"
    label = "citizens"
