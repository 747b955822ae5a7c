"""A real OpenID provider on loopback (Authlib's), which insists on nonce and PKCE with S256. Run as a script; prints its port.

Its people sign in at `/oauth2/authorize` by posting `sub`. `python an_identity_provider.py LIE` tells one lie about them:
`nonce` (that of another request) or `key` (a signature by a key that it does not publish).
"""

import sys
from dataclasses import replace

from authlib.oauth2.rfc7636 import CodeChallenge
from joserfc.jwk import RSAKey
from oidc_provider_mock import User, _app, run_server_in_thread

LIE = sys.argv[1] if len(sys.argv) > 1 else ""
CHALLENGES: dict[str, tuple[str, str]] = {}  # code -> challenge and method


class Challenge(CodeChallenge):
    """RFC 7636, and no other method than S256."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ["S256"]  # noqa: RUF012 - as the class above has it

    def get_authorization_code_challenge(self, authorization_code):
        return CHALLENGES[authorization_code.code][0]

    def get_authorization_code_challenge_method(self, authorization_code):
        return CHALLENGES[authorization_code.code][1]


class Grant(_app.AuthorizationCodeGrant):
    """The code flow with PKCE required."""

    def __init__(self, *told, **named):
        super().__init__(*told, **named)
        Challenge(required=True)(self)

    def save_authorization_code(self, code, request):
        super().save_authorization_code(code, request)
        CHALLENGES[code] = (request.data["code_challenge"], request.data["code_challenge_method"])
        if LIE == "nonce":
            other = replace(_app.storage.get_authorization_code(code), nonce="that of another request")
            _app.storage.store_authorization_code(other)


class Said(_app.OpenIDCode):
    """The ID token."""

    def get_jwt_config(self, grant, client=None):
        told = super().get_jwt_config(grant, client)
        if LIE == "key":
            told["key"] = {**RSAKey.generate_key(2048).as_dict(private=True), "kid": told["key"]["kid"]}
        return told


_app.AuthorizationCodeGrant, _app.OpenIDCode = Grant, Said
ANN = User(sub="officer-7", claims={"preferred_username": "ann", "name": "Ann O. Fficer", "email": "ann@demo.example"})

with run_server_in_thread(require_nonce=True, user_claims=(ANN,)) as server:
    print(server.server_port, flush=True)
    sys.stdin.read()
