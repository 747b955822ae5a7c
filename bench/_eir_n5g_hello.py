"""What stands beside N5g-eir in bench/eir_n5g.py: the same server with nothing behind it but one answer.

python -m bench._eir_n5g_hello PORT
"""

import sys

from granian import Granian
from granian.constants import HTTPModes, Interfaces

HEADERS = [("content-type", "application/json"), ("server", "hello")]


async def hello(scope, proto) -> None:  # type: ignore[no-untyped-def]
    """One answer to every question."""
    proto.response_str(200, HEADERS, '{"status":"WHITELISTED"}')


if __name__ == "__main__":
    Granian(
        "bench._eir_n5g_hello:hello",
        port=int(sys.argv[1]),
        interface=Interfaces.RSGI,
        http=HTTPModes.auto,
        websockets=False,
        log_enabled=False,
    ).serve()
