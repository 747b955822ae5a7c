"""The operators' door's own server: HTTP/1.1 over TLS, where the application is told which certificate was shown.

granian, which serves the public door, checks that a client's certificate is one of the authority's and tells nobody
whose it is. Here the application must know, for one operator's certificate shall not open another's lists. Nothing
stands between the TLS that saw the certificate and the application that asks for it: no header that could be forged.

Theory. The operators' EIRs are few and keep their connections. Each holds one thread of a fixed number to its end, so
that whoever sends slowly or not at all holds up his own thread alone, and that only for a bounded time. Handshakes have
threads of their own: strangers who connect and show nothing hold up other strangers, and nobody who was let in. h11
reads and writes the protocol.
"""

import queue
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from urllib.parse import unquote_to_bytes

import h11

from openceir.http.answering import WSGI

__all__ = ["CERTIFICATE", "ClientCertificate", "Connection", "Link", "TlsServer", "tls_with_certificates"]

CERTIFICATE = "openceir.client_certificate"  # the key of a request's environ
_LONGEST_HANDSHAKE_S = 5.0
_HANDSHAKES, _MOST_STRANGERS = 8, 64
_LONGEST_HEAD_S = 20.0  # from the first octet of a request
_LONGEST_SILENCE_S = 75.0  # between requests, and within a body
_LONGEST_STOP_S = 3.0  # EIRs that wait hold a stop up; whatever was answered before is on the disk
_LARGEST_HEAD_OCTETS = 32 << 10
_READ_OCTETS = 64 << 10


class ClientCertificate(NamedTuple):
    """The certificate that a client showed and TLS verified: SHA-256 of its DER in hexadecimal, and its DNS names."""

    sha256: str
    names: frozenset[str]

    def is_bound_by(self, binding: str) -> bool:
        """Whether it is the one that `binding` means: `sha256:HEX`, or a DNS name that stands in it."""
        kind, _, rest = binding.partition(":")
        return rest.lower() == self.sha256 if kind == "sha256" else binding.lower() in self.names


def tls_with_certificates(certificate: Path, key: Path, authorities: Path) -> ssl.SSLContext:
    """TLS 1.2 or later, where whoever connects must show a certificate of these authorities.

    Raises: OSError, ssl.SSLError when a file cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # 3GPP TS 33.210 still has peers of 1.2; nothing older
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(authorities)
    context.verify_mode = ssl.CERT_REQUIRED
    # A session taken up again shows no certificate anew; there is no need for it here.
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION
    context.num_tickets = 0
    context.set_alpn_protocols(["http/1.1"])
    return context


class TlsServer:
    """Answers with `application` at a listening socket until it is stopped."""

    def __init__(self, application: WSGI, listener: socket.socket, tls: ssl.SSLContext, threads: int) -> None:
        self._application, self._listener, self._tls = application, listener, tls
        self._threads = threads
        self._strangers: queue.SimpleQueue[socket.socket] = queue.SimpleQueue()
        self._let_in: queue.SimpleQueue[ssl.SSLSocket] = queue.SimpleQueue()
        self._room_for_strangers = threading.BoundedSemaphore(_MOST_STRANGERS)
        self._room = threading.BoundedSemaphore(threads)
        self._busy = 0
        self._count = threading.Lock()

    def serve(self, stopped: threading.Event) -> None:
        """Serve until `stopped`; then what is being answered may end within a few seconds."""
        for work, threads in ((self._shake_hands, _HANDSHAKES), (self._work, self._threads)):
            for _ in range(threads):
                threading.Thread(target=work, daemon=True).start()
        self._listener.settimeout(0.2)
        while not stopped.is_set():
            try:
                raw, _ = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:  # a connection that was gone before it was taken, or no file left to take it with
                time.sleep(0.05)
                continue
            if self._room_for_strangers.acquire(blocking=False):
                self._strangers.put(raw)
            else:
                raw.close()
        self._listener.close()
        until = time.monotonic() + _LONGEST_STOP_S
        while self._busy and time.monotonic() < until:
            time.sleep(0.05)

    def _shake_hands(self) -> None:
        """Let in who shows a certificate. Strangers wait for one another, never who is in already."""
        while True:
            raw = self._strangers.get()
            try:
                raw.settimeout(_LONGEST_HANDSHAKE_S)
                raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                link = self._tls.wrap_socket(raw, server_side=True)
            except OSError:
                raw.close()
            else:
                if self._room.acquire(blocking=False):
                    self._let_in.put(link)
                else:
                    link.close()  # every thread holds a connection: this one comes back
            finally:
                self._room_for_strangers.release()

    def _work(self) -> None:
        while True:
            link = self._let_in.get()
            try:
                with link:
                    self._serve(link)
            except (OSError, h11.ProtocolError):
                pass  # a peer that broke off, sent what is no HTTP, or was too slow: no connection ends but its own
            except Exception as fault:  # of ours: the thread serves on; its message may hold what was asked
                print(f"openceir: fault {type(fault).__name__} at the operators' door", file=sys.stderr)
            finally:
                self._room.release()

    def _serve(self, link: ssl.SSLSocket) -> None:
        certificate = _certificate_of(link)
        link.settimeout(_LONGEST_SILENCE_S)
        peer = Connection(link)
        while (request := peer.next_request()) is not None:
            with self._count:
                self._busy += 1
            try:
                peer.answer(request, certificate, self._application)
            finally:
                with self._count:
                    self._busy -= 1
            if not peer.goes_on():
                return


class Link(Protocol):
    """What a connection needs of its socket."""

    def recv(self, most: int, /) -> bytes: ...
    def sendall(self, octets: bytes, /) -> None: ...


class Connection:
    """One connection's protocol. Every method raises OSError or h11.ProtocolError when the connection must end."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_LARGEST_HEAD_OCTETS)

    def next_request(self) -> h11.Request | None:
        """The next request's head; None when the peer has gone."""
        began: float | None = None
        while True:
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError as wrong:
                self._refuse(wrong)
                raise
            if isinstance(event, h11.Request):
                return event
            if isinstance(event, h11.ConnectionClosed):
                return None
            self._receive()
            began = time.monotonic() if began is None else began
            if time.monotonic() - began > _LONGEST_HEAD_S:
                raise TimeoutError("a head that does not end")

    def _receive(self) -> None:
        self._http.receive_data(self._link.recv(_READ_OCTETS))

    def _refuse(self, wrong: h11.RemoteProtocolError) -> None:
        if self._http.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            head = h11.Response(status_code=wrong.error_status_hint, headers=[("Connection", "close")])
            self._link.sendall(self._http.send(head) or b"")
            self._link.sendall(self._http.send(h11.EndOfMessage()) or b"")

    def read_body(self, most: int) -> bytes:
        """Up to `most` octets of the request's body; fewer only at its end."""
        found = bytearray()
        while len(found) < most and self._http.their_state is h11.SEND_BODY:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                if self._http.they_are_waiting_for_100_continue:
                    go_on = h11.InformationalResponse(status_code=100, headers=[])
                    self._link.sendall(self._http.send(go_on) or b"")
                self._receive()
            elif isinstance(event, h11.Data):
                found += event.data
        return bytes(found)

    def answer(self, request: h11.Request, certificate: ClientCertificate, application: WSGI) -> None:
        """Have the application answer, and send it."""
        begun: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]]) -> None:
            begun.append((status, headers))

        pieces = application(_environ(request, certificate, _Body(self.read_body)), start_response)
        try:
            [(status, headers)] = begun
            code, _, reason = status.partition(" ")
            self._send(h11.Response(status_code=int(code), reason=reason, headers=headers))
            for piece in pieces:
                if piece:
                    self._send(h11.Data(data=piece))
            self._send(h11.EndOfMessage())
        finally:
            close: Callable[[], None] | None = getattr(pieces, "close", None)
            if close is not None:
                close()

    def _send(self, event: h11.Event) -> None:
        for octets in self._http.send_with_data_passthrough(event) or ():
            self._link.sendall(octets)

    def goes_on(self) -> bool:
        """Whether another request may follow. A body that nobody read ends the connection."""
        if self._http.their_state is h11.SEND_BODY:
            self._http.next_event()  # the end of a body that has come, if only of none
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
            return True
        return False


class _Body:
    """The request's body as WSGI reads it: any number of octets at a time."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read, self._rest, self._is_done = read, b"", False

    def read(self, most: int = -1) -> bytes:
        wanted = most if most >= 0 else 1 << 62
        if len(self._rest) < wanted:
            self._rest += self._read(wanted - len(self._rest))
        found, self._rest = self._rest[:wanted], self._rest[wanted:]
        return found


def _environ(request: h11.Request, certificate: ClientCertificate, body: _Body) -> dict[str, Any]:
    target, _, query = request.target.partition(b"?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method.decode("ascii"),
        "PATH_INFO": unquote_to_bytes(target).decode("latin-1"),  # PEP 3333: octets dressed as Latin-1
        "QUERY_STRING": query.decode("latin-1"),
        "wsgi.input": body,
        CERTIFICATE: certificate,
    }
    for name, value in request.headers:
        if b"_" in name:  # its key would be another header's
            continue
        key = name.decode("ascii").upper().replace("-", "_")
        key = key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"
        text = value.decode("latin-1")
        environ[key] = f"{environ[key]}, {text}" if key in environ else text
    return environ


def _certificate_of(link: ssl.SSLSocket) -> ClientCertificate:
    octets, said = link.getpeercert(binary_form=True), link.getpeercert()
    if not octets or not said:
        raise ssl.SSLError("no certificate was shown")
    names: Iterable[Any] = said.get("subjectAltName", ())
    return ClientCertificate(
        sha256(octets).hexdigest(), frozenset(value.lower() for kind, value in names if kind == "DNS")
    )
