"""Who sent a request: a signature over its method, place and body in two header fields.

    Content-Digest: sha-256=:X48E9q…:                                          only with a body
    Signature-Input: sig=("@method" "@authority" "@path" "@query" "content-digest");created=1618884473;keyid="…"
    Signature: sig=:wqcAqbmY…:

What is signed is a text with a line a component, the parameters last (RFC 9421 §2.5). Ours is one fixed choice of
components, so a request that leaves one out, or signs other ones, is refused without being looked into. A signature
counts for as long as two clocks may differ; a request heard and sent again within that time asks the same thing of the
same server, and every request that is signed may be asked twice.

Source: RFC 9421 (HTTP Message Signatures) §2, §3; RFC 9530 (Digest Fields) §2.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["RequestUnsigned", "Signed", "sign_request", "signature_base", "verify_request"]

CLOCKS_MAY_DIFFER_S: Final = 300
_LABEL: Final = "sig"
_COVERED: Final = ("@method", "@authority", "@path", "@query")
_DIGEST: Final = "content-digest"
_INPUT: Final = re.compile(
    r'sig=(\((?:"[@a-z-]+"(?: "[@a-z-]+")*)\);created=([0-9]{1,12});keyid="([A-Za-z0-9._-]{1,100})")', re.ASCII
)
_SIGNATURE: Final = re.compile(r"sig=:([A-Za-z0-9+/]{86}==):", re.ASCII)


class RequestUnsigned(Exception):
    """A request bears no signature, or one that does not count; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Signed:
    """The part of a request that a signature covers."""

    method: str
    authority: str  # as in the Host field
    path: str
    query: str  # without its question mark
    body: bytes | None = None

    def components(self) -> list[tuple[str, str]]:
        """Names and values of what is signed, in the order in which it is signed."""
        values = (self.method, self.authority.lower(), self.path or "/", f"?{self.query}")
        digest = [] if self.body is None else [(_DIGEST, _digest_of(self.body))]
        return [*zip(_COVERED, values, strict=True), *digest]


def signature_base(components: list[tuple[str, str]], parameters: str) -> bytes:
    """The text that is signed: a line a component, then the parameters. Source: RFC 9421 §2.5."""
    lines = [f'"{name}": {value}' for name, value in components]
    return "\n".join([*lines, f'"@signature-params": {parameters}']).encode()


def sign_request(asked: Signed, key_id: str, sign: Callable[[bytes], bytes], at: int) -> dict[str, str]:
    """The header fields that say who asks; `sign` gives an Ed25519 signature, `at` is now in seconds UTC."""
    components = asked.components()
    names = " ".join(f'"{name}"' for name, _ in components)
    parameters = f'({names});created={at};keyid="{key_id}"'
    signature = base64.b64encode(sign(signature_base(components, parameters))).decode()
    fields = {"Signature-Input": f"{_LABEL}={parameters}", "Signature": f"{_LABEL}=:{signature}:"}
    return fields if asked.body is None else {"Content-Digest": _digest_of(asked.body), **fields}


def verify_request(
    asked: Signed, fields: Mapping[str, str], has_signed: Callable[[str, bytes, bytes], bool], at: int
) -> str:
    """The id of the key that signed the request; `has_signed(key id, message, signature)` knows the keys.

    `fields` holds the values of Signature-Input, Signature and Content-Digest under these names.
    Raises: RequestUnsigned.
    """
    stated = _INPUT.fullmatch(fields.get("Signature-Input", ""))
    signature = _SIGNATURE.fullmatch(fields.get("Signature", ""))
    if stated is None or signature is None:
        raise RequestUnsigned("the request bears no signature by RFC 9421 that is read here")
    parameters, created, key_id = stated[1], int(stated[2]), stated[3]
    components = asked.components()
    if not parameters.startswith("(" + " ".join(f'"{name}"' for name, _ in components) + ")"):
        raise RequestUnsigned("the signature must cover method, authority, path, query and, with a body, its digest")
    if asked.body is not None and fields.get("Content-Digest", "") != _digest_of(asked.body):
        raise RequestUnsigned("the body is not the one that was signed: its digest differs")
    if abs(at - created) > CLOCKS_MAY_DIFFER_S:
        raise RequestUnsigned("the signature was made too long ago, or one of the two clocks is wrong")
    try:
        octets = base64.b64decode(signature[1], validate=True)
    except binascii.Error as wrong:
        raise RequestUnsigned("the signature is no base64") from wrong
    if not has_signed(key_id, signature_base(components, parameters), octets):
        raise RequestUnsigned("the signature is by no key that counts here")
    return key_id


def _digest_of(body: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"
