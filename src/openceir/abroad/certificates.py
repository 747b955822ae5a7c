"""Certificates of an authority that lives as long as a demo: real nations bring their own."""

from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

__all__ = ["Certificates"]


class Certificates:
    """An authority in a folder, and what it certifies: each name for 127.0.0.1 and localhost, for a day."""

    def __init__(self, folder: Path, at: datetime) -> None:
        self._folder, self._at = folder, at
        folder.mkdir(parents=True, exist_ok=True)
        self._key = self._issue("authority", None)

    @property
    def authority(self) -> Path:
        """Who signed all of them."""
        return self._folder / "authority.pem"

    def of(self, name: str) -> tuple[Path, Path]:
        """Certificate and key of this name, made when first asked for."""
        certificate, key = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        if not certificate.exists():
            self._issue(name, self._key)
        return certificate, key

    def _issue(self, name: str, issuer: "EllipticCurvePrivateKey | None") -> "EllipticCurvePrivateKey":
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.x509.oid import NameOID

        key = ec.generate_private_key(ec.SECP256R1())
        signer = issuer or key
        names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
        usage = dict.fromkeys(
            ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only"),
            False,
        )  # fmt: skip
        made = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name}.example")]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority.example")]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._at - timedelta(hours=1))
            .not_valid_after(self._at + timedelta(days=1))
            .add_extension(names, critical=False)
            .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
            .add_extension(
                x509.KeyUsage(digital_signature=True, key_cert_sign=issuer is None, crl_sign=issuer is None, **usage),
                critical=True,
            )
            .sign(signer, hashes.SHA256())
        )
        encoding = serialization.Encoding.PEM
        (self._folder / f"{name}.pem").write_bytes(made.public_bytes(encoding))
        secret = self._folder / f"{name}.key"
        secret.touch(mode=0o600)
        secret.write_bytes(key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        return key
