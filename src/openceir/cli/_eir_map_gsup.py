"""The options of `openceir eir serve` that concern 2G and 3G networks, and what they amount to."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from openceir.eir.decision import DecisionPolicy
from openceir.eir.gsup import GsupOptions
from openceir.eir.m3ua import Gateway, MapOptions
from openceir.eir.map_gsup_serve import MapGsupServing

__all__ = ["map_gsup_options", "map_gsup_serving"]

_U32 = click.IntRange(0, 2**32 - 1)
_TRAFFIC_MODES = {"override": 1, "loadshare": 2, "broadcast": 3, "none": 0}
Command = TypeVar("Command", bound=Callable[..., object])

_OPTIONS = (
    click.option(
        "--m3ua",
        multiple=True,
        metavar="HOST:PORT",
        help="Answer MAP CheckIMEI brought by this signalling gateway or STP; may be given again.",
    ),
    click.option(
        "--m3ua-sctp", is_flag=True, help="Reach the gateways over SCTP instead of TCP; the kernel must have it."
    ),
    click.option("--m3ua-routing-context", type=_U32, metavar="NUMBER", help="Our routing context at the gateways."),
    click.option("--m3ua-asp", type=_U32, metavar="NUMBER", help="Our ASP identifier, where a gateway wants one."),
    click.option(
        "--m3ua-traffic-mode",
        type=click.Choice(list(_TRAFFIC_MODES)),
        default="loadshare",
        show_default=True,
        help="How several EIRs share the traffic of a gateway.",
    ),
    click.option(
        "--map-imsi-tag",
        metavar="HEX",
        help="The tag under which your MSCs add the IMSI to CheckIMEI, such as 80; the standard has none.",
    ),
    click.option(
        "--map-highest",
        type=click.IntRange(2, 3),
        default=3,
        show_default=True,
        help="The highest version of CheckIMEI to speak; an MSC that asks with a higher one is told to fall back.",
    ),
    click.option(
        "--gsup", metavar="HOST:PORT", help="Stand in front of an Osmocom HLR: listen here for its MSCs and SGSNs."
    ),
    click.option("--hlr", metavar="HOST:PORT", help="That HLR; everything but Check-IMEI is passed to it."),
)


def map_gsup_options(command: Command) -> Command:
    """Give a command these options; it takes them as keywords and hands them to `map_gsup_serving`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def map_gsup_serving(policy: DecisionPolicy, given: dict[str, Any]) -> MapGsupServing | None:
    """What to serve to 2G and 3G networks; None when neither --m3ua nor --gsup was given."""
    options = None
    if given["m3ua"]:
        options = MapOptions(
            gateways=tuple(_gateway(each, sctp=given["m3ua_sctp"]) for each in given["m3ua"]),
            routing_context=given["m3ua_routing_context"],
            traffic_mode=_TRAFFIC_MODES[given["m3ua_traffic_mode"]],
            asp_identifier=given["m3ua_asp"],
            imsi_tag=_tag(given["map_imsi_tag"]),
            highest_version=given["map_highest"],
            policy=policy.of("map"),
        )
    elif given["m3ua_sctp"] or given["map_imsi_tag"] or given["m3ua_routing_context"] is not None:
        raise click.UsageError("options of MAP need --m3ua HOST:PORT, the gateway to go to")
    if bool(given["gsup"]) != bool(given["hlr"]):
        raise click.UsageError("--gsup and --hlr belong together: the proxy stands between a network and its HLR")
    proxy = None
    if given["gsup"]:
        proxy = GsupOptions(
            listen=_address("--gsup", given["gsup"]), hlr=_address("--hlr", given["hlr"]), policy=policy.of("gsup")
        )
    return MapGsupServing(map=options, gsup=proxy) if options or proxy else None


def _gateway(text: str, *, sctp: bool) -> Gateway:
    host, port = _address("--m3ua", text)
    return Gateway(host=host, port=port, sctp=sctp)


def _address(option: str, text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not (port.isascii() and port.isdigit()) or int(port) > 65535:
        raise click.UsageError(f"{option} is {text!r}, expected HOST:PORT")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _tag(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        tag = int(text, 16)
    except ValueError:
        tag = 0
    if not 0 < tag < 1 << 24:
        raise click.UsageError(f"--map-imsi-tag is {text!r}, expected the identifier octets in hex, such as 80 or 9f38")
    return tag
