"""An NRF's keys and tokens, made with `cryptography` and by hand; nothing of the verifier is used."""

import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
US = "4947a69a-f61b-4bc1-b9da-47c9c5d14b64"
NRF = "7a1b2c3d-0000-4000-8000-000000000001"
AMF = "c0ffee00-0000-4000-8000-000000000002"

EC_KEY = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(65537, 2048)


def pem(key) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def b64(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


def es256(signed: bytes, key=EC_KEY) -> bytes:
    r, s = decode_dss_signature(key.sign(signed, ec.ECDSA(SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def rs256(signed: bytes, key=RSA_KEY) -> bytes:
    return key.sign(signed, padding.PKCS1v15(), SHA256())


def claims(**changed) -> dict:
    """What an NRF says of an AMF that may ask an EIR; None takes a claim away."""
    usual = {
        "iss": NRF, "sub": AMF, "aud": "5G_EIR", "scope": "n5g-eir-eic",
        "exp": int((NOW + timedelta(minutes=5)).timestamp()),
    }  # fmt: skip
    return {name: value for name, value in (usual | changed).items() if value is not None}


def token(alg: str = "ES256", sign=es256, *, header: dict | None = None, **changed) -> str:
    head = header if header is not None else {"alg": alg, "typ": "JWT"}
    return signed(json.dumps(head).encode(), json.dumps(claims(**changed)).encode(), sign)


def signed(head: bytes, body: bytes, sign=es256) -> str:
    first = f"{b64(head)}.{b64(body)}"
    return f"{first}.{b64(sign(first.encode()))}"
