"""A JSON document with its signature around it, as one file, so that the two never belong to different days.

    {"signed": "<the document, one line of JSON>", "signature": "<hex>", "signed_by": "<name+hash+base64>"}

The signature is Ed25519 over the document's kind, a line feed, and the octets of `signed` as they stand: nothing is
written again before it is checked. `signed_by` says which key to look for; whether to trust it comes from elsewhere.
"""

import json
from collections.abc import Mapping
from typing import Any

from openceir.questions.errors import ManifestRefused
from openceir.statements import KeyRefused, PublicKey, SigningKey

__all__ = ["KEY_DOCUMENT_KIND", "LARGEST_DOCUMENT", "sign_document", "signer_of", "verify_document"]

KEY_DOCUMENT_KIND = "openceir-question-key-document/1"  # who an evaluator is, and its token keys of the day
LARGEST_DOCUMENT = 1 << 20


def sign_document(kind: str, document: Mapping[str, Any], key: SigningKey) -> bytes:
    """The file."""
    text = json.dumps({"format": kind, **document}, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    signature = key.sign(f"{kind}\n{text}".encode())
    return json.dumps({"signed": text, "signature": signature.hex(), "signed_by": key.public.format()}).encode() + b"\n"


def signer_of(octets: bytes) -> PublicKey:
    """The key that the file says it is signed by. Raises: ManifestRefused."""
    try:
        return PublicKey.parse(_envelope(octets)["signed_by"])
    except KeyRefused as wrong:
        raise ManifestRefused(f"the document names no signer: {wrong}") from wrong


def verify_document(kind: str, octets: bytes, key: PublicKey) -> dict[str, Any]:
    """The document, if `key` signed it as this kind. Raises: ManifestRefused."""
    envelope = _envelope(octets)
    try:
        signature = bytes.fromhex(envelope["signature"])
        message = f"{kind}\n{envelope['signed']}".encode()
    except ValueError:
        raise ManifestRefused("the document's signature is not written in hexadecimal") from None
    if not key.has_signed(message, signature):
        raise ManifestRefused(
            f"the document is not signed by the key of {key.name}; it was altered, or another signed it"
        )
    document = _json(envelope["signed"].encode())
    if not isinstance(document, dict) or document.pop("format", None) != kind:
        raise ManifestRefused(f"the signed document is no {kind}")
    return document


def _envelope(octets: bytes) -> dict[str, str]:
    if len(octets) > LARGEST_DOCUMENT:
        raise ManifestRefused(f"the document has {len(octets)} octets, at most {LARGEST_DOCUMENT} are read")
    said = _json(octets)
    names = {"signed", "signature", "signed_by"}
    if not isinstance(said, dict) or said.keys() != names or not all(isinstance(each, str) for each in said.values()):
        raise ManifestRefused("that is no signed document: it has the fields signed, signature and signed_by")
    return said


def _json(octets: bytes) -> Any:
    try:
        return json.loads(octets)
    except (ValueError, RecursionError):
        raise ManifestRefused("that is no JSON; was the address right, and the file whole?") from None
