"""The app of SMS and USSD."""

from django.apps import AppConfig

__all__ = ["ChannelsConfig"]


class ChannelsConfig(AppConfig):
    """What Django needs to know of it."""

    name = "openceir.portal.channels"
    label = "channels"

    def ready(self) -> None:
        """What is a day old is forgotten by the worker."""
        from openceir.portal.channels import chores  # noqa: F401
