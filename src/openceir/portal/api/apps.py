"""The API for programs: partners, marketplaces, offices' own systems."""

from django.apps import AppConfig

__all__ = ["ApiConfig"]


class ApiConfig(AppConfig):
    """What Django needs to know of it."""

    name = "openceir.portal.api"
    label = "api"
