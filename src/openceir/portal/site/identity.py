"""The identity provider that the settings `portal.oidc_*` name, as Django's settings describe it."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from openceir.settings import Settings, SettingsError
from openceir.storage.key_files import read_secret

__all__ = ["forms_may_lead_to", "providers_of"]

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


def providers_of(settings: Settings, home: Path) -> dict[str, Any]:
    """allauth's description of it; without a provider when none is named.

    Raises: SettingsError for an address that others could read along, or without our name there.
    """
    described: dict[str, Any] = {"provider_class": "openceir.portal.accounts.sign_on.OfficeProvider", "APPS": []}
    issuer = settings.portal_oidc_issuer
    if issuer:
        parts = urlsplit(issuer)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
            raise SettingsError(f'the setting portal.oidc_issuer begins with "{parts.scheme}:", expected https://…')
        if not settings.portal_oidc_client_id:
            raise SettingsError("portal.oidc_issuer needs portal.oidc_client_id: our name at the identity provider")
        name = settings.portal_oidc_secret_file
        secret = read_secret(home / name).decode("utf-8").strip() if name else ""
        described["APPS"].append(
            {
                "provider_id": "sign-in", "name": settings.portal_oidc_name, "secret": secret,
                "client_id": settings.portal_oidc_client_id,
                "settings": {"server_url": issuer, "oauth_pkce_enabled": True, "scope": ["openid", "profile"]},
            }
        )  # fmt: skip
    return {"openid_connect": described}


def forms_may_lead_to(settings: Settings) -> list[str]:
    """Where a form of ours may end beside our own pages: browsers hold its redirects to the policy too."""
    parts = urlsplit(settings.portal_oidc_issuer)
    return [f"{parts.scheme}://{parts.netloc}"] if settings.portal_oidc_issuer else []
