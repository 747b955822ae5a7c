"""A central register for EIRs to follow: two operators, a door, tokens; in this process or behind real TLS."""

import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from random import sample

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from a_country import ALICES_PHONE, BOBS_PHONE, SPARE_PHONE, Storyland
from openceir import clock
from openceir.app import open_register
from openceir.eir.centre import Centre
from openceir.http import make_operators_application
from openceir.http.tls_server import CERTIFICATE, ClientCertificate
from openceir.settings import Settings
from openceir.statements import DeviceRecovered, DeviceSet, DeviceStolen, PublicKey
from openceir.storage.key_files import read_public_key

__all__ = [
    "ALICES_PHONE", "BOBS_PHONE", "SPARE_PHONE", "ACentre", "Certificates", "ended", "free_port", "served", "shown",
]  # fmt: skip


def shown(application, *names: str):
    """The application as one sees it who showed a certificate with these names, which TLS verified."""
    certificate = ClientCertificate("00" * 32, frozenset(f"{name}.example" for name in names))
    return lambda environ, start_response: application({**environ, CERTIFICATE: certificate}, start_response)


class ACentre:
    """The register of Storyland today, in a new folder or in a copy of one, and its operators' door."""

    def __init__(self, home: Path, **settings) -> None:
        self.home, self.register = home, open_register(home) if home.exists() else Storyland(home).register
        self.settings = Settings(**{"http_waits": 4, **settings})
        self.door = shown(make_operators_application(home, self.settings), "northtel", "southtel")

    @property
    def trust(self) -> PublicKey:
        return read_public_key(str(self.home / "lists" / "lists.vkey"))

    def token(self, operator: str = "northtel", role: str = "operator") -> str:
        at = clock.now()
        name = f"{operator or role}-{len(self.register.tokens.list_all())}"
        binding = f"{operator}.example" if operator else ""
        return self.register.tokens.make(
            name, role, at=at, expires_at=at + timedelta(days=1), operator=operator, certificate=binding
        )

    def steals(self, *phones: str) -> None:
        at = clock.now()
        stolen = DeviceStolen(devices=DeviceSet.of(phones), stolen_at=at - timedelta(days=1), case_number="N-7")
        self.register.state([stolen], by="police", at=at)

    def finds(self, *phones: str) -> None:
        at = clock.now()
        found = DeviceRecovered(devices=DeviceSet.of(phones), recovered_at=at, case_number="N-7")
        self.register.state([found], by="police", at=at)

    def makes_lists(self) -> int:
        at = clock.now()
        return self.register.make_lists(on=at.date(), at=at).sequence

    def client(self, token: str | None = None, transport: httpx.BaseTransport | None = None) -> httpx.Client:
        """Calls the door within this process."""
        return httpx.Client(
            base_url="https://centre.example",
            transport=transport or httpx.WSGITransport(self.door),
            headers={"Authorization": f"Bearer {token or self.token()}"},
        )

    def centre(self, transport: httpx.BaseTransport | None = None) -> Centre:
        """The centre as northtel's EIR has it."""
        return Centre(self.client(transport=transport), "northtel", self.trust)


class Certificates:
    """An authority of the test's own, the centre's certificate and northtel's, and a stranger's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self._key, self._authority = self._issue("authority", None)
        self.authority = folder / "authority.pem"
        for name in ("centre", "northtel", "southtel"):
            self._issue(name, self._key)
        stranger = ec.generate_private_key(ec.SECP256R1())
        self._issue("stranger", stranger)

    def _issue(self, name: str, issuer: ec.EllipticCurvePrivateKey | None):
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name}.example")])
        authority = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority.example")])
        at, signer = clock.now(), issuer or key
        names = x509.SubjectAlternativeName(
            [x509.DNSName(f"{name}.example"), x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
        )
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(authority)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(at - timedelta(hours=1))
            .not_valid_after(at + timedelta(days=1))
            .add_extension(names, critical=False)
            .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
            .add_extension(
                x509.KeyUsage(
                    digital_signature=True, key_cert_sign=issuer is None, crl_sign=issuer is None,
                    content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
                    encipher_only=False, decipher_only=False,
                ),
                critical=True,
            )
            .sign(signer, hashes.SHA256())
        )  # fmt: skip
        (self.folder / f"{name}.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
        (self.folder / f"{name}.key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return key, made

    def of(self, name: str) -> tuple[Path, Path]:
        return self.folder / f"{name}.pem", self.folder / f"{name}.key"

    def context(self, name: str | None) -> ssl.SSLContext:
        """As a client of the centre that shows this certificate."""
        context = ssl.create_default_context(cafile=str(self.authority))
        if name:
            context.load_cert_chain(*map(str, self.of(name)))
        return context


def free_port() -> int:
    """One below those that the system gives out by itself: nobody's connection takes it before our server does."""
    for port in sample(range(20_000, 32_000), 100):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("a hundred ports of 127.0.0.1 are all taken")


def ended(process: subprocess.Popen) -> None:
    """End a process that a test started, by its own id."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def served(centre: ACentre, certificates: Certificates, port: int) -> Iterator[subprocess.Popen]:
    """The operators' door as the command opens it: granian, TLS, both certificates."""
    certificate, key = certificates.of("centre")
    command = [
        sys.executable,
        "-m",
        "openceir",
        "--home",
        str(centre.home),
        "serve",
        "--operators",
        "--port",
        str(port),
    ]
    command += ["--tls-cert", str(certificate), "--tls-key", str(key), "--tls-ca", str(certificates.authority)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=dict(os.environ))
    try:
        yield process
    finally:
        ended(process)
