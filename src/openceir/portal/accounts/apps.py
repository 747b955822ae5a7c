"""The app of accounts."""

from django.apps import AppConfig

__all__ = ["AccountsConfig"]


class AccountsConfig(AppConfig):
    """What Django needs to know of it."""

    name = "openceir.portal.accounts"
    label = "accounts"
