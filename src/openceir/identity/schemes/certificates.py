"""Identities that a key proves: DevID, TPM endorsement key, Android attestation.

The identity is the certificate; here it is named by the SHA-256 of its DER octets. Reading a fingerprint proves
nothing: the proof is a signature over a fresh challenge, checked with the certificate's chain.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable

from openceir.identity.finding import Finding
from openceir.identity.identifier import Identifier

__all__ = ["read_android_attestation", "read_devid", "read_tpm_ek"]

_FINGERPRINT = re.compile(r"(?:sha-?256:)?([0-9a-f]{2}(?::?[0-9a-f]{2}){31})", re.IGNORECASE)
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----\s*")
_NAMED_ONLY = Finding(
    "named-not-proven",
    "this names a certificate; only a signature over a fresh challenge proves that the device has its key",
)


def _reader(scheme: str) -> Callable[[str], Identifier | None]:
    def read(text: str) -> Identifier | None:
        if pem := _PEM.fullmatch(text):
            try:
                der = base64.b64decode("".join(pem[1].split()), validate=True)
            except binascii.Error:
                return None
            fingerprint = hashlib.sha256(der).hexdigest()
        elif match := _FINGERPRINT.fullmatch(text):
            fingerprint = match[1].replace(":", "").lower()
        else:
            return None
        return Identifier(scheme=scheme, canonical=fingerprint, written_as=scheme, findings=(_NAMED_ONLY,))

    return read


read_devid = _reader("devid")
read_tpm_ek = _reader("tpm-ek")
read_android_attestation = _reader("android-attestation")
