"""The federation's door: other members fetch our log and their share of its payloads here, and ask us to witness theirs.

It is an application of its own, on a port of its own, for TLS with certificates on both sides. What proves itself is
given to whoever was let in; payloads go to the member whose key signed the request (RFC 9421).

| method and path                                   | what                                                        |
|---------------------------------------------------|-------------------------------------------------------------|
| GET /checkpoint, GET /tile/…                      | our log: C2SP tlog-tiles                                    |
| GET /times?from=N                                 | when entries from N on were logged                          |
| POST /add-checkpoint                              | witness this checkpoint of mine: C2SP tlog-witness          |
| GET /logs/{member}/checkpoint, /tile/…, /times    | our copy of another member's log, under our cosignature     |
| GET /seen                                         | the newest checkpoint that we hold of every member          |
| GET /forks, GET /forks/{name}                     | proofs that a log showed two histories                      |
| GET /payloads?from=N&to=M                         | what our entries say, as far as the asking member may know  |
| GET /shares                                       | which kinds the asking member may know                      |
| GET /founding                                     | the statement with which the federation began               |
"""

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from openceir.app import Register
from openceir.clock import now
from openceir.federation import Shares
from openceir.http.answering import WSGI, Answered, answering
from openceir.http.opened import register_by_thread
from openceir.http.problems import Problem
from openceir.http.request import octets_of, query_of
from openceir.ledger import AddCheckpoint, Governance, LedgerError, ProofRefused, Tile, tile_octets
from openceir.settings import Settings, load_settings
from openceir.statements import KeyUse, write_canonical
from openceir.wire.http_signature import RequestUnsigned, Signed, verify_request

__all__ = ["load_federation_application", "make_federation_application"]

_LARGEST_REQUEST_OCTETS = 72 << 10
_LARGEST_ANSWER_OCTETS = 4 << 20
_MOST_ENTRIES_ASKED = 10_000
_MOST_TIMES = 20_000
_MEMBERS_ARE_READ_EVERY_S = 1.0
_FOR_EVER = ("Cache-Control", "public, max-age=31536000, immutable")
_FRESH = ("Cache-Control", "no-store")
_OCTETS, _TEXT, _JSON, _CBOR = (
    "application/octet-stream",
    "text/plain; charset=utf-8",
    "application/json",
    "application/cbor",
)


class Given(NamedTuple):
    """A successful answer, or a witness's refusal."""

    octets: bytes
    media: str
    status: int = 200
    caching: tuple[str, str] = _FRESH


def load_federation_application() -> WSGI:
    """What a granian worker calls: the door over the home that `openceir serve --federation` was given."""
    home = Path(os.environ.get("OPENCEIR_HOME", "openceir-home"))
    settings, _ = load_settings(home, os.environ)
    return make_federation_application(home, settings, log=lambda line: print(line, file=sys.stderr))


def make_federation_application(home: Path, settings: Settings, *, log: Callable[[str], None] | None = None) -> WSGI:
    """A WSGI function over the register in `home`."""
    door = FederationDoor(home)

    def find(method: str, path: str) -> tuple[str, tuple[str, str]]:
        first = path.split("/")[1]
        return f"/{first}" if first in _PLACES else "-", ("GET" if method == "HEAD" else method, path)

    def answer(found: tuple[str, str], environ: dict[str, Any]) -> Answered:
        given = door.answer(*found, environ)
        return Answered(given.status, [("Content-Type", given.media), given.caching], given.octets)

    return answering(find, answer, settings, log)


_PLACES = {"checkpoint", "tile", "times", "add-checkpoint", "logs", "seen", "forks", "payloads", "shares", "founding"}


class FederationDoor:
    """What stands behind the paths. One for a process; each thread has the register open for itself."""

    def __init__(self, home: Path) -> None:
        self.register = register_by_thread(home)
        self._own = threading.local()

    def answer(self, method: str, path: str, environ: dict[str, Any]) -> Given:
        """What is given at this path. Raises: Problem, OpenceirError."""
        first, *rest = path.removeprefix("/").split("/")
        if (method == "POST") != (path == "/add-checkpoint") or method not in {"GET", "POST"}:
            allowed = "POST" if path == "/add-checkpoint" else "GET"
            raise Problem(405, "method-not-allowed", f"this path takes {allowed}", [("Allow", allowed)])
        register = self.register()
        match first, rest:
            case "checkpoint", []:
                register.ledger.refresh()
                if register.ledger.size == 0:
                    raise Problem(404, "no-checkpoint-yet", "nothing has been logged here yet")
                return Given(register.published().format().encode(), _TEXT)
            case "tile", _:
                return self._tile(register, None, path.removeprefix("/"))
            case "times", []:
                return self._times(register, None, environ)
            case "add-checkpoint", []:
                return self._add_checkpoint(register, environ)
            case "logs", [member, *more] if more:
                return self._mirrored(register, member, "/".join(more), environ)
            case "seen", []:
                return self._seen(register)
            case "forks", []:
                names = [path.name for path in register.federation_shelf.forks()]
                return Given(json.dumps({"forks": names}).encode(), _JSON)
            case "forks", [name]:
                found = next((path for path in register.federation_shelf.forks() if path.name == name), None)
                if found is not None:
                    return Given(found.read_bytes(), _JSON)
            case "payloads", []:
                return self._payloads(register, environ)
            case "shares", []:
                governance, member = self._asked_by(register, environ, now())
                kinds = Shares(register.policy, governance, now().date()).kinds_for(member)
                return Given(write_canonical(sorted(kinds)), _CBOR)
            case "founding", []:
                return Given(register.founding.write(), _OCTETS)
        raise Problem(
            404, "no-such-path", "there is nothing at this path; docs/start/federation.md lists what there is"
        )

    # -- logs --------------------------------------------------------------------------------------------------------

    def _tile(self, register: Register, member: str | None, path: str) -> Given:
        try:
            tile = Tile.parse(path)
            if member is None:
                book, size = register.ledger, register.ledger.size
                if tile.first + tile.width > size >> 8 * (tile.level or 0):
                    book.refresh()
                octets = tile_octets(book.tree, book.checkpoint().checkpoint.size, tile, book.octets)
            else:
                mirror = register.mirror(member)
                octets = tile_octets(mirror.tree, mirror.covered, tile, mirror.octets)
        except LedgerError as wrong:
            raise Problem(404, "no-such-tile", str(wrong)) from None
        return Given(octets, _OCTETS, caching=_FOR_EVER)

    def _times(self, register: Register, member: str | None, environ: dict[str, Any]) -> Given:
        first = _number(query_of(environ, frozenset({"from"})), "from")
        if member is None:
            register.ledger.refresh()
            heads = [(head.first, int(head.time.timestamp())) for head in register.ledger.heads(first)[:_MOST_TIMES]]
        else:
            end = min(first + _MOST_TIMES, register.mirror(member).covered)
            known = register.federation_shelf.times(member, first, end)
            heads = [(index, int(at.timestamp())) for index, at in enumerate(known, first) if at is not None]
        changes = [next(same) for _, same in groupby(heads, key=lambda head: head[1])]
        return Given(json.dumps({"times": changes}).encode(), _JSON)

    def _mirrored(self, register: Register, member: str, path: str, environ: dict[str, Any]) -> Given:
        if self._governance(register).members.find(member) is None:
            raise Problem(404, "no-such-member", "there is no such member whose log is kept here")
        mirror = register.mirror(member)
        mirror.refresh()
        if mirror.note is None:
            raise Problem(404, "no-checkpoint-yet", "nothing of this member's log is held here yet")
        if path == "checkpoint":
            return Given(_with_own_cosignature(register, mirror.note.checkpoint.origin, mirror.note), _TEXT)
        if path == "times":
            return self._times(register, member, environ)
        return self._tile(register, member, path)

    def _seen(self, register: Register) -> Given:
        seen = []
        for member in register.others(self._governance(register)):
            mirror = register.mirror(member.id)
            mirror.refresh()
            if mirror.note is not None:
                note = _with_own_cosignature(register, mirror.note.checkpoint.origin, mirror.note).decode()
                seen.append({"member": member.id, "note": note})
        return Given(json.dumps({"seen": seen}, ensure_ascii=False).encode(), _JSON)

    # -- witnessing --------------------------------------------------------------------------------------------------

    def _add_checkpoint(self, register: Register, environ: dict[str, Any]) -> Given:
        try:
            asked = AddCheckpoint.parse(octets_of(environ, _LARGEST_REQUEST_OCTETS).decode())
        except (ProofRefused, UnicodeDecodeError) as wrong:
            return Given(f"{wrong}\n".encode(), _TEXT, 400)
        answer = register.add_checkpoint(asked, self._governance(register), at=now())
        return Given(answer.body.encode(), answer.content_type, answer.status)

    # -- payloads ----------------------------------------------------------------------------------------------------

    def _payloads(self, register: Register, environ: dict[str, Any]) -> Given:
        query = query_of(environ, frozenset({"from", "to"}))
        first, end = _number(query, "from"), _number(query, "to")
        moment = now()
        governance, member = self._asked_by(register, environ, moment)
        if not first < end <= first + _MOST_ENTRIES_ASKED:
            raise Problem(400, "query-refused", f"ask for 1 to {_MOST_ENTRIES_ASKED} entries at once")
        register.ledger.refresh()
        after, found = register.payloads_for(
            member, first, end, governance, on=moment, most_octets=_LARGEST_ANSWER_OCTETS
        )
        return Given(write_canonical([after, [list(one) for one in found]]), _CBOR)

    def _asked_by(self, register: Register, environ: dict[str, Any], moment: datetime) -> tuple[Governance, str]:
        """The member that signed the request, and the members of the moment; what it may know is today's policy. Raises: Problem 401."""
        register.refresh_policy()
        governance = self._governance(register)
        try:
            return governance, self._asker(governance, environ, moment)
        except Problem:  # perhaps it was admitted, or given that key, a moment ago
            self._own.read_at = float("-inf")
            governance = self._governance(register)
            return governance, self._asker(governance, environ, moment)

    def _asker(self, governance: Governance, environ: dict[str, Any], moment: datetime) -> str:
        """The member that signed the request. Raises: Problem 401."""
        asked = Signed(
            environ.get("REQUEST_METHOD", ""),
            environ.get("HTTP_HOST", ""),
            environ.get("PATH_INFO", ""),
            environ.get("QUERY_STRING", ""),
        )
        fields = {
            "Signature-Input": environ.get("HTTP_SIGNATURE_INPUT", ""),
            "Signature": environ.get("HTTP_SIGNATURE", ""),
        }

        def has_signed(key_id: str, message: bytes, signature: bytes) -> bool:
            try:
                found = governance.members.find_key(bytes.fromhex(key_id))
            except ValueError:
                return False
            if found is None:
                return False
            _, key = found
            counts = key.use is KeyUse.STATEMENTS and key.is_valid_at(moment)
            return counts and key.public.has_signed(message, signature)

        try:
            key_id = verify_request(asked, fields, has_signed, int(moment.timestamp()))
        except RequestUnsigned as wrong:
            raise Problem(401, "request-unsigned", str(wrong)) from None
        found = governance.members.find_key(bytes.fromhex(key_id))
        assert found is not None, "has_signed has found it"
        return found[0].id

    def _governance(self, register: Register) -> Governance:
        """The members, read anew when a while has passed: payloads must not go to who was removed."""
        read_at: float = getattr(self._own, "read_at", float("-inf"))
        if time.monotonic() - read_at > _MEMBERS_ARE_READ_EVERY_S:
            self._own.governance = register.federation()
            self._own.read_at = time.monotonic()
        governance: Governance = self._own.governance
        return governance


def _with_own_cosignature(register: Register, origin: str, note: Any) -> bytes:
    own = register.witness_key().public.name
    lines = [one.line for one in register.federation_shelf.cosigned(origin, note.checkpoint.size) if one.witness == own]
    octets: bytes = note.with_signatures(lines).format().encode()
    return octets


def _number(query: dict[str, str], name: str) -> int:
    text = query.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise Problem(400, "query-refused", f"{name} must be a whole number")
    return int(text)
