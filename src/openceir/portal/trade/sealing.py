"""A company's stock key, and what is done under it.

The key is 32 random octets, shown once and kept by the company alone. Two keys are derived from it: one seals each
device (XSalsa20-Poly1305), one makes the finder by which the device is found again when its seller presents the key. So
nobody who has the portal's database, its disk, its backups and all of its secrets can read a number of the stock, or
test a guessed one: there are only a million numbers under a TAC, and any digest without the company's key is a list.
"""

import base64
import binascii
import hashlib
import hmac
import json
import secrets

from django.utils.translation import gettext as _
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from openceir.portal.accounts.errors import PortalError

__all__ = ["SealingKey", "StockKeyRefused"]


class StockKeyRefused(PortalError):
    """What was typed is no stock key, or another company's."""

    code = "stock-key-refused"


class SealingKey:
    """A stock key while a request lasts."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._box = SecretBox(self._derived("seal"))
        self._finding = self._derived("find")

    @classmethod
    def fresh(cls) -> "SealingKey":
        """A new one."""
        return cls(secrets.token_bytes(32))

    @classmethod
    def parse(cls, text: str) -> "SealingKey":
        """The key as `format` wrote it, spaces and case aside. Raises: StockKeyRefused."""
        letters = "".join(text.upper().split()).replace("-", "")
        try:
            octets = base64.b32decode(letters + "=" * (-len(letters) % 8))
        except (binascii.Error, ValueError):
            octets = b""
        if len(octets) != 32:
            raise StockKeyRefused(_("That is not a stock key: it has 52 letters and digits."))
        return cls(octets)

    def format(self) -> str:
        """For the company to keep: 13 groups of four."""
        letters = base64.b32encode(self._octets).decode().rstrip("=")
        return "-".join(letters[at : at + 4] for at in range(0, len(letters), 4))

    @property
    def check_value(self) -> str:
        """By which the portal knows whose key it is."""
        return self._derived("check").hex()

    def finder(self, imei: str) -> str:
        """By which a device is found."""
        return hmac.digest(self._finding, imei.encode(), hashlib.sha256).hex()

    def seal(self, told: dict[str, str]) -> bytes:
        """A device, unreadable. Padded, so that the length does not tell how many numbers it has."""
        text = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
        return bytes(self._box.encrypt(text + b" " * (-len(text) % 256)))

    def open(self, sealed: bytes) -> dict[str, str]:
        """The device again. Raises: StockKeyRefused when it was sealed with another key, or altered."""
        try:
            told: dict[str, str] = json.loads(self._box.decrypt(sealed))
        except CryptoError:
            raise StockKeyRefused(_("This device was altered after it was declared.")) from None
        return told

    def _derived(self, use: str) -> bytes:
        return hmac.digest(self._octets, b"openceir stock " + use.encode(), hashlib.sha256)
