"""Which gateway is asking, and whether it may: a gateway that is not known could ask in anybody's name."""

import hmac
from ipaddress import ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

from openceir.portal.channels.errors import GatewayRefused
from openceir.portal.site.secret import shared_secret

__all__ = ["SECRET_HEADER", "admit"]

SECRET_HEADER = "X-Openceir-Secret"  # noqa: S105 -- the header's name
_FORWARDED = ("HTTP_FORWARDED", "HTTP_X_FORWARDED_FOR", "HTTP_X_REAL_IP", "HTTP_VIA")


def admit(request: HttpRequest) -> str:
    """The name of the gateway, for its own ids of messages: by the shared secret, or by its address.

    An address counts only on a request that no proxy passed on: behind one, everybody has the proxy's.
    Raises: GatewayRefused.
    """
    secret = shared_secret(settings.OPENCEIR_HOME, settings.OPENCEIR.channels_secret_file)
    shown = request.headers.get(SECRET_HEADER, "")
    if secret and hmac.compare_digest(shown.encode("utf-8", "replace"), secret.encode()):
        return "secret"
    address = str(request.META.get("REMOTE_ADDR", ""))
    if not any(request.META.get(name) for name in _FORWARDED) and _is_listed(address):
        return address
    raise GatewayRefused(
        f"this gateway is not known here: it must send {SECRET_HEADER}, or its address must stand in channels.gateways"
    )


def _is_listed(address: str) -> bool:
    try:
        asking = ip_address(address)
        return any(asking in ip_network(each, strict=False) for each in settings.OPENCEIR.channels_gateways.split())
    except ValueError:  # a socket without an address, or a setting that names none
        return False
