"""Signing in by a ministry's or operator's own identity provider (OpenID Connect), named by the settings `portal.oidc_*`.

It says who somebody is, and nothing else: appointments are made here, by two persons, and an officer shows the second
factor that is kept here. The code flow of OpenID Connect Core 1.0 with a state bound to the session, PKCE (RFC 7636,
S256) and a nonce; the signature of the ID token is verified although it came over the connection that we opened.
"""

import base64
import hashlib
import hmac
from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter, get_adapter
from allauth.socialaccount.models import SocialApp, SocialLogin, SocialToken
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render

__all__ = ["Adapter", "OfficeProvider", "come_back", "go_there"]

_ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]  # by public keys alone, whatever a token says of itself


class Adapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Whom an identity provider vouches for gets an account of that name, or of the next that is free."""

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]) -> Any:
        """The account to be made. Its e-mail address stays empty: a link sent there would be a second way in."""
        user = super().populate_user(request, sociallogin, {"username": data.get("username")})
        user.full_name = str(data.get("name") or "")[:150]
        return user

    def on_authentication_error(self, request: HttpRequest, *args: Any, **named: Any) -> None:
        """One page for everything that can go wrong there; what it was is nobody's business but the provider's."""
        raise ImmediateHttpResponse(render(request, "accounts/not_vouched.html", status=401))


def _nonce_of(verifier: str) -> str:
    """The nonce of a request: fixed by its PKCE verifier, which is as unguessable and kept in the session."""
    return base64.urlsafe_b64encode(hashlib.sha256(b"nonce " + verifier.encode()).digest()).rstrip(b"=").decode()


class OfficeAdapter(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]
    """The exchange of the code for who somebody is."""

    _verifier = ""

    def get_access_token_data(
        self, request: HttpRequest, app: SocialApp, client: Any, pkce_code_verifier: str | None = None
    ) -> Any:
        """The provider's answer to the code."""
        self._verifier = pkce_code_verifier or ""
        return super().get_access_token_data(request, app, client, pkce_code_verifier)

    def complete_login(self, request: HttpRequest, app: SocialApp, token: SocialToken, **told: Any) -> Any:
        """Who it is, by the ID token alone. Raises: OAuth2Error when it is none, or an answer to another request."""
        sent = told["response"].get("id_token")
        if not sent or not self._verifier:
            raise OAuth2Error("the identity provider sent no ID token")
        said = self._decode_id_token(app, sent)
        if not hmac.compare_digest(str(said.get("nonce", "")), _nonce_of(self._verifier)):
            raise OAuth2Error("the ID token answers another request")
        return self.get_provider().sociallogin_from_response(request, {"id_token": said})

    def _decode_id_token(self, app: SocialApp, id_token: str) -> dict[str, Any]:
        """What the token says. Source: OpenID Connect Core 1.0 §3.1.3.7. Raises: OAuth2Error."""
        import jwt  # slow to load, and few sign in this way

        with get_adapter().get_requests_session() as session:
            published = session.get(self.openid_config["jwks_uri"]).json()
        try:
            named = jwt.get_unverified_header(id_token).get("kid")
            keys = [one for one in jwt.PyJWKSet.from_dict(published).keys if named in {None, one.key_id}]
            if len(keys) != 1:  # a token that names no key is of the only one
                raise OAuth2Error("the ID token names no key that the identity provider publishes")
            told: dict[str, Any] = jwt.decode(
                id_token, keys[0], algorithms=_ALGORITHMS, audience=app.client_id,
                issuer=settings.OPENCEIR.portal_oidc_issuer, leeway=60, options={"require": ["exp", "iat", "sub"]},
            )  # fmt: skip
        except jwt.PyJWTError as wrong:
            raise OAuth2Error("the ID token does not hold") from wrong
        return told


class OfficeProvider(OpenIDConnectProvider):  # type: ignore[misc]
    """The provider of the settings."""

    oauth2_adapter_class = OfficeAdapter

    def get_pkce_params(self) -> dict[str, str]:
        """What the request carries beside the state."""
        sent: dict[str, str] = super().get_pkce_params()
        return {**sent, "nonce": _nonce_of(sent["code_verifier"])}

    def extract_email_addresses(self, data: dict[str, Any]) -> list[Any]:
        """None: see `Adapter.populate_user`."""
        return []


def go_there(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    """Send the browser to the identity provider, after a press on a button of ours."""
    return _view(OAuth2LoginView, request, provider_id)


def come_back(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    """The browser comes back with a code, or with a refusal."""
    return _view(OAuth2CallbackView, request, provider_id)


def _view(kind: Any, request: HttpRequest, provider_id: str) -> HttpResponseBase:
    try:
        answer: HttpResponseBase = kind.adapter_view(OfficeAdapter(request, provider_id))(request)
    except SocialApp.DoesNotExist:
        raise Http404 from None
    return answer
