"""The app of cases."""

from django.apps import AppConfig

__all__ = ["CasesConfig"]


class CasesConfig(AppConfig):
    """What Django needs to know of it."""

    name = "openceir.portal.cases"
    label = "cases"

    def ready(self) -> None:
        """Deadlines are kept and notices sent by the worker."""
        from openceir.portal.cases import chores  # noqa: F401
