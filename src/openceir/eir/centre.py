"""The central register as an EIR sees it: what the operators' door serves, fetched, resumed, and held to its digest.

Source: docs/reference/eir-ceir.md, our profile of the exchange that ITU-T Q Suppl. 76 describes.
"""

import base64
import binascii
import json
import ssl
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from openceir.eir.errors import EirError
from openceir.lists import ListError, ListHeader, ListTruncated, NotAList, WrongBase, read_header, verify_signature
from openceir.statements import PublicKey
from openceir.storage.files import replace_file
from openceir.storage.list_files import FILE_MODE, ListFiles, verify_list
from openceir.storage.list_packing import FORMS, unpack

if TYPE_CHECKING:
    import httpx

__all__ = ["Announced", "Centre", "CentreAway", "CentreRefused", "tls_to_centre"]

_SLOWEST_S = 30.0
_LARGEST_ANSWER_OCTETS = 1 << 20
_PACKING_OCTETS = 1024  # what a frame may add to rows that cannot be made smaller
_HEADER_FIELD, _SIGNATURE_FIELD = "Openceir-List-Header", "Openceir-List-Signature"


class CentreAway(EirError):
    """The central register cannot be reached or is not ready; what lies here serves on."""

    code = "eir-centre-away"


class CentreRefused(EirError):
    """The central register answered with a refusal; its code and sentence stand in ours."""

    code = "eir-centre-refused"


class Announced(NamedTuple):
    """The newest list of one kind, as the centre announces it. Believed only once the list itself was verified."""

    kind: str
    sequence: int
    sha256: str


def tls_to_centre(certificate: Path | None, key: Path | None, authorities: Path | None) -> ssl.SSLContext:
    """TLS as the operators' door wants it: our certificate shown, the centre's checked.

    Raises: CentreRefused when a file cannot be read.
    """
    try:
        context = ssl.create_default_context(cafile=str(authorities) if authorities else None)
        if certificate is not None:
            context.load_cert_chain(str(certificate), str(key) if key else None)
    except (OSError, ssl.SSLError) as wrong:
        raise CentreRefused(f"the certificates for the centre cannot be used: {wrong}") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class Centre:
    """One operator's way to the centre. Every method raises CentreAway or CentreRefused."""

    def __init__(self, client: "httpx.Client", operator: str, trust: PublicKey) -> None:
        self._client, self.operator, self.trust = client, operator, trust

    @classmethod
    def at(cls, address: str, token: str, operator: str, trust: PublicKey, tls: ssl.SSLContext) -> "Centre":
        """The centre at this address.

        Raises: CentreRefused for an address without TLS, over which a token must not travel.
        """
        import httpx  # only who has a centre needs it: the extra `eir`

        if not address.startswith("https://"):
            raise CentreRefused(f"{address!r} is no https address: lists and token travel over TLS only")
        headers = {"Authorization": f"Bearer {token}"}
        return cls(
            httpx.Client(base_url=address, headers=headers, verify=tls, timeout=_SLOWEST_S, trust_env=False),
            operator,
            trust,
        )

    # -- what there is ---------------------------------------------------------------------------------------------

    def announced(self) -> tuple[Announced, ...]:
        """The newest list of each kind."""
        return self._read_announced(self._asked("GET", "/lists"))

    def wait(self, after: int, seconds: int) -> tuple[tuple[Announced, ...], float]:
        """The newest lists, as soon as there is a run after this one; and for how long not to ask again."""
        answer = self._asked(
            "GET", "/lists/wait", params={"after": after, "seconds": seconds}, timeout=_SLOWEST_S + seconds
        )
        pause = answer.headers.get("Retry-After", "0")
        return self._read_announced(answer), float(pause) if pause.isdigit() and len(pause) < 3 else 0.0

    def _read_announced(self, answer: "httpx.Response") -> tuple[Announced, ...]:
        try:
            rows = [Announced(each["kind"], each["sequence"], each["sha256"]) for each in answer.json()["lists"]]
        except (ValueError, KeyError, TypeError) as wrong:
            raise CentreRefused("the centre announced its lists in words that are not understood") from wrong
        if not all(isinstance(row.kind, str) and type(row.sequence) is int for row in rows):
            raise CentreRefused("the centre announced its lists in words that are not understood")
        return tuple(rows)

    # -- fetching --------------------------------------------------------------------------------------------------

    def fetch(self, kind: str, base: int | None, incoming: Path) -> tuple[ListFiles, ListHeader]:
        """Fetch the newest full list of a kind, or the delta from `base`, into `incoming`, and verify it.

        What came of a broken transfer is kept and gone on with, as long as the centre still has those octets.
        Raises: ListError when what came is not what was signed; it is fetched anew the next time.
        """
        import httpx

        name = f"{kind}-from-{base}" if base is not None else f"{kind}-full"
        part, mark = incoming / f"{name}.part", incoming / f"{name}.mark"
        incoming.mkdir(parents=True, exist_ok=True)
        headers = {"Accept-Encoding": "identity" if base is None else ", ".join(FORMS)}
        if part.exists() and mark.exists() and part.stat().st_size:
            headers |= {"Range": f"bytes={part.stat().st_size}-", "If-Range": mark.read_text("ascii", "replace")}
        path, params = (f"/lists/{kind}/full", {}) if base is None else (f"/lists/{kind}/delta", {"base": base})
        try:
            with self._client.stream("GET", self._path(path), params=params, headers=headers) as answer:
                if answer.status_code == 416:  # all octets were here already, or they are another list's
                    part.unlink(missing_ok=True)
                if answer.status_code not in {200, 206}:
                    answer.read()
                    self._refuse(answer)
                header, octets, signature = _head_of(answer.headers, name)
                verify_signature(octets, signature, self.trust, name)  # before its sizes are believed
                form = answer.headers.get("Content-Encoding", "")
                if answer.status_code == 200:
                    part.unlink(missing_ok=True)
                    # The mark goes first: octets without a mark are thrown away, a mark without octets asks for all.
                    replace_file(mark, answer.headers.get("ETag", "").encode("ascii", "replace"), FILE_MODE)
                with part.open("ab") as out:
                    for piece in answer.iter_raw():
                        out.write(piece)
                        if out.tell() > header.octets + _PACKING_OCTETS:
                            raise ListTruncated(f"{name} has more octets than its header says; it is fetched anew")
        except httpx.HTTPError as wrong:
            raise CentreAway(
                f"the transfer of {name} broke off ({type(wrong).__name__}); it is gone on with"
            ) from wrong
        except ListError:
            part.unlink(missing_ok=True)
            raise
        files = ListFiles(incoming / header.file_stem)
        if form:
            self._unpack(part, header, files.rows, form)
        else:
            part.replace(files.rows)
        mark.unlink(missing_ok=True)
        replace_file(files.header, octets, FILE_MODE)
        replace_file(files.signature, signature, FILE_MODE)
        return files, self._verified(files, kind, base)

    def _unpack(self, part: Path, header: ListHeader, rows: Path, form: str) -> None:
        try:
            unpack(part, header, rows, form)
        finally:
            part.unlink(missing_ok=True)

    def _verified(self, files: ListFiles, kind: str, base: int | None) -> ListHeader:
        try:
            header = verify_list(files, self.trust)
            if (header.kind, header.operator, header.is_delta) != (kind, self.operator, base is not None):
                raise WrongBase(f"{files.rows.name} came where the {kind} of {self.operator} was asked for")
        except ListError:
            for path in (files.rows, files.header, files.signature):
                path.unlink(missing_ok=True)
            raise
        return header

    # -- telling ---------------------------------------------------------------------------------------------------

    def acknowledge(self, held: Iterable[ListHeader]) -> None:
        """Say what this EIR holds. Saying it again changes nothing."""
        rows = [{"kind": one.kind, "sequence": one.sequence, "sha256": one.sha256} for one in held]
        self._asked("POST", "/acknowledgements", json={"lists": rows})

    def send_sightings(self, octets: bytes, since: date, until: date) -> None:
        """Send a compressed dump of what was seen on these days. Sending it again changes nothing."""
        self._asked(
            "POST", "/sightings",
            params={"from": since.isoformat(), "until": until.isoformat()},
            content=octets, headers={"Content-Type": "application/gzip"},
        )  # fmt: skip

    def close(self) -> None:
        """Let the connections go."""
        self._client.close()

    def _path(self, rest: str) -> str:
        return f"/v1/operators/{self.operator}{rest}"

    def _asked(self, method: str, rest: str, **how: Any) -> "httpx.Response":
        import httpx

        try:
            answer = self._client.request(method, self._path(rest), **how)
        except httpx.HTTPError as wrong:
            raise CentreAway(
                f"the centre cannot be reached ({type(wrong).__name__}); what lies here serves on"
            ) from wrong
        if answer.status_code != 200:
            self._refuse(answer)
        return answer

    def _refuse(self, answer: "httpx.Response") -> None:
        try:
            said = json.loads(answer.content[:_LARGEST_ANSWER_OCTETS])
            why = f"{said['code']}: {said['detail']}"
        except (ValueError, KeyError, TypeError):
            why = f"HTTP status {answer.status_code}"
        if answer.status_code >= 500 or answer.status_code in {408, 429}:
            raise CentreAway(f"the centre is not ready ({why}); what lies here serves on")
        if answer.status_code in {401, 403}:  # of the token, not of what was asked
            raise CentreAway(f"the centre does not let this EIR in ({why}); ask the register for another token")
        raise CentreRefused(f"the centre refused: {why}")


def _head_of(fields: Mapping[str, str], name: str) -> tuple[ListHeader, bytes, bytes]:
    """Header, its octets and its signature, as they travel with the rows."""
    try:
        octets, signature = (
            base64.b64decode(fields.get(field, ""), validate=True) for field in (_HEADER_FIELD, _SIGNATURE_FIELD)
        )
    except (binascii.Error, ValueError) as wrong:
        raise NotAList(f"{name} came without a readable header") from wrong
    return read_header(octets, name), octets, signature
