"""Registers on the loopback, each with a thief's phone listed, and every octet that reached them kept."""

import io
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from openceir.app import Register, open_register
from openceir.asking import PrivateAsker
from openceir.clock import now
from openceir.http import make_application
from openceir.questions import Contribution, begin
from openceir.settings import Settings
from openceir.statements import DeviceSet, DeviceStolen, DeviceTracked, Role

STOLEN, TRACKED, FREE = "001001000000015", "001001000000023", "001001000000031"  # with Luhn digits
MARCH = datetime(2026, 3, 1, tzinfo=UTC)


def new_register(home: Path) -> Register:
    """A register that lists STOLEN and TRACKED; without a question key."""
    register = open_register(home)
    for name, role in (("police", Role.POLICE), ("regulator", Role.REGULATOR)):
        register.new_key(name, member=name, roles=[role], valid_from=MARCH)
    stolen = DeviceStolen(devices=DeviceSet.of(STOLEN[:14]), stolen_at=MARCH, case_number="N-7")
    register.state([stolen], by="police", at=MARCH)
    tracked = DeviceTracked(devices=DeviceSet.of(TRACKED[:14]), tracked_at=MARCH, grounds="Order 2")
    register.state([tracked], by="regulator", at=MARCH)
    return register


@dataclass
class Served:
    """A register that answers at `url`."""

    home: Path
    url: str
    seen: list[bytes] = field(default_factory=list)  # one a request: line, headers and body as they came
    logged: list[str] = field(default_factory=list)
    lies: dict[str, bytes] = field(default_factory=dict)  # path -> what is answered in place of the truth

    @property
    def register(self) -> Register:
        """The same home, as a test has it open."""
        return open_register(self.home)


_SENT = ("HTTP_", "REQUEST_", "PATH_", "QUERY_", "CONTENT_")  # the rest of the environment is ours


class _Handler(WSGIRequestHandler):
    def log_message(self, *arguments: Any) -> None:
        """Nothing on the test's standard error."""


@contextmanager
def served(home: Path, **settings: Any) -> Iterator[Served]:
    """The register in `home`, answered by its own WSGI function over a real socket."""
    place = Served(home, "")
    application = make_application(home, Settings(**settings), log=place.logged.append)

    def recording(environ: dict[str, Any], start_response: Any) -> Any:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        head = "\n".join(f"{name}: {value}" for name, value in environ.items() if name.startswith(_SENT))
        place.seen.append(head.encode() + b"\n\n" + body)
        if (lie := place.lies.get(environ["PATH_INFO"])) is not None:
            start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(lie)))])
            return [lie]
        return application(environ, start_response)

    with make_server("127.0.0.1", 0, recording, WSGIServer, _Handler) as server:
        place.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield place
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def sharing(homes: list[Path], threshold: int) -> Iterator[list[Served]]:
    """Registers that made a key together and are served; the first has its list built, and names where each is asked."""
    with ExitStack() as serving:
        places = [serving.enter_context(served(home, questions_tokens_per_day=1000)) for home in homes]
        made = [begin("2026", threshold, index, place.url) for index, place in enumerate(places, 1)]
        shown = [Contribution.parse(one.own.format()) for one in made]
        deals = [deal for one in made for deal in one.deals(shown)]
        tokens = []
        for home, one in zip(homes, made, strict=True):
            (home / "openceir.toml").write_text("[questions]\ntokens_per_day = 1000\n")
            register = new_register(home)
            register.install_question_key(*one.finish(shown, deals))
            tokens.append(register.tokens.make("builder", "regulator", at=now(), expires_at=now() + timedelta(days=1)))
            register.ledger.close()
        first, urls = open_register(homes[0]), [place.url for place in places]
        asker = PrivateAsker(urls[0], members=urls, access_tokens=tokens)
        group = first.question_group("2026")
        first.build_questions(at=now(), evaluate=lambda subjects: list(asker.evaluate(group, subjects, now())))
        first.ledger.close()
        yield places


def built(home: Path) -> None:
    """The bucket files as of now."""
    register = open_register(home)
    register.build_questions(at=now())
    register.ledger.close()
