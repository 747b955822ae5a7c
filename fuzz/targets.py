"""One row a decoder: what reads the octets, which errors it may raise, and honest octets to begin from.

Whatever else comes out of a decoder is a fault. Streams are fed in pieces whose sizes the input chooses, and must say
the same as when they are fed whole. Seeds are what our own encoders and the simulators of the tests write.
"""

import atexit
import base64
import contextlib
import gzip
import io
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache, partial
from ipaddress import ip_address
from itertools import cycle
from pathlib import Path
from random import Random
from types import UnionType
from typing import Any

import h11
import httpx
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from aiosmpplib import PduHeader, SmppCommand, SmppCommandStatus
from tests.lists.test_header import DELTA, FULL
from tests.scan import a_label
from tests.wire import an_mme, an_msc, an_nrf

from fuzz.running import Target
from openceir import backup, clock, eir, ledger, lists, questions, statements
from openceir.abroad import peer as doors
from openceir.app import open_register
from openceir.consortium import (
    ConsortiumError,
    FoundingFile,
    Place,
    Plan,
    gather,
    read_card,
    read_transaction,
    write_transaction,
)
from openceir.consortium.ceremony import write_card
from openceir.consortium.founding import NodeKeys
from openceir.detection import meetings
from openceir.eir.decision import DECISIONS
from openceir.federation import FederationError, ForkProof
from openceir.http import make_operators_application
from openceir.http.problems import Problem
from openceir.http.request import body_of, fields_of, moment_in, path_of, query_of, text_in
from openceir.http.tls_server import CERTIFICATE, ClientCertificate, Connection
from openceir.identity import Check, IdentityError, parse
from openceir.identity.catalogue import CATALOGUE
from openceir.intake.aside import Rejects
from openceir.intake.errors import IntakeError
from openceir.intake.lines import Form, Lines, Wanted
from openceir.intake.octets import Bounds, Octets
from openceir.intake.tables import open_table
from openceir.ledger import (
    Checkpoint,
    CheckReceipt,
    LedgerError,
    MerkleLog,
    Receipt,
    SignedCheckpoint,
    make_receipt,
    verify_receipt,
)
from openceir.ledger.comet import LightBlock
from openceir.ledger.ordered_receipt import ChainTrust, OrderedProof, make_ordered_receipt, verify_ordered_receipt
from openceir.lists.errors import ListError
from openceir.policy import PolicyError, policy_from_json, policy_from_text
from openceir.portal.accounts.act_chain import FIRST, ActsBroken, act_digest, act_line, walk_acts
from openceir.portal.channels.deliver import TakenMessage
from openceir.portal.channels.question import LANGUAGES, parse_question
from openceir.portal.channels.ussd import Screen, walk
from openceir.portal.citizens.solution import WorkRefused, read_solution
from openceir.scan import PictureLimits, ScanError, find_imeis, read_label
from openceir.settings import Settings
from openceir.statements import (
    KINDS,
    DeviceSet,
    Pair,
    PublicKey,
    SignedStatement,
    SigningKey,
    StatementError,
    write_canonical,
)
from openceir.storage.list_columns import from_columns, to_columns
from openceir.wire import ber, gsup, m3ua, map_check_imei, map_shapes, n5g_eir, s13, s13_questions, sccp, tcap
from openceir.wire.abci import AbciError, Requests
from openceir.wire.access_token import ScopeInsufficient, TokenInvalid, TokenVerifier, read_key
from openceir.wire.diameter.avp import check_command, read_avps
from openceir.wire.diameter.dictionary import COMMANDS
from openceir.wire.diameter.errors import DiameterError
from openceir.wire.diameter.message import Header, Identity
from openceir.wire.diameter.peer import Introduced, Peer
from openceir.wire.gsm_text import USSD, fits
from openceir.wire.http_signature import RequestUnsigned, Signed, sign_request, verify_request

__all__ = ["TARGETS"]

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
ALICES_PHONE = "00100100000001"
TESTS = Path(__file__).parents[1] / "tests"

TARGETS: dict[str, Target] = {}


def target(
    name: str, *refuses_with: type[Exception], seeds: Sequence[bytes], longest: int = 2048
) -> Callable[[Callable[[bytes], object]], Callable[[bytes], object]]:
    """Put a decoder into the table."""

    def register(decode: Callable[[bytes], object]) -> Callable[[bytes], object]:
        TARGETS[name] = Target(name, decode, refuses_with, seeds, longest)
        return decode

    return register


def pieces(octets: bytes) -> tuple[bytes, list[bytes]]:
    """The stream in an input, whole and in pieces: its first two octets are the sizes of the pieces, in turn."""
    stream, found, at = octets[2:], [], 0
    for size in cycle((1 + octets[0] % 64, 1 + octets[1]) if len(octets) > 2 else (1,)):
        if at >= len(stream):
            return stream, found
        found.append(stream[at : at + size])
        at += size
    return stream, found


def streams(*messages: bytes) -> list[bytes]:
    """Seeds for a target that reads pieces: in twos and threes, and nearly whole."""
    return [sizes + message for message in messages for sizes in (b"\1\2", b"\x3f\xff")]


def text_of(octets: bytes) -> str:
    """Any text; octets that are no UTF-8 become lone surrogates, which JSON escapes and file names can bring too."""
    return octets.decode("utf-8", "surrogateescape")


# ------------------------------------------------------------------------------------------------------------ Diameter

EIR = Identity(an_mme.EIR, an_mme.EIR_REALM, origin_state_id=7)
ANSWERS = s13.Answers(EIR)
QUESTIONS = s13_questions.Questions(Identity(an_mme.HOST, an_mme.REALM), an_mme.EIR_REALM, an_mme.EIR)
ECR = an_mme.ecr(an_mme.avp(284, an_mme.avp(280, "proxy") + an_mme.avp(33, b"state")))
AUDITORS_ECR = QUESTIONS.question(7, ALICES_PHONE, "001010000000001")


def _reader_of(request: bytes) -> bytes:
    return request[20:]


@target("diameter-avp", DiameterError, seeds=[_reader_of(ECR), _reader_of(an_mme.cer()), _reader_of(AUDITORS_ECR)])
def _read_avps(octets: bytes) -> None:
    avps = list(read_avps(octets))
    check_command(COMMANDS[s13.APPLICATION, s13.COMMAND], avps)


@target("diameter-message", DiameterError, seeds=[ECR, an_mme.cer(), an_mme.dwr(), an_mme.dpr()])
def _read_message(octets: bytes) -> None:
    if len(octets) >= 20:
        header = Header.read(octets)
        header.check_frame(16384)
        rule = COMMANDS.get((header.application, header.command))
        if rule is not None:
            check_command(rule, list(read_avps(octets, 20)))


def _speak(stream: Sequence[bytes]) -> tuple[list[object], bytes]:
    """What a link makes of a stream, and all that it sends back."""
    link = Peer(EIR, (s13.application(EIR),), (ip_address("127.0.0.1"),), 0.0, lambda: 0.0)
    events: list[object] = []
    sent = b""
    for piece in stream:
        waiting = link.receive(piece, 0.0)
        while waiting:
            event = waiting.pop(0)
            events.append(event)
            if isinstance(event, Introduced):
                waiting += link.admit(0.0)
            elif isinstance(event, s13.EquipmentCheck):
                invalid = event.device == s13.NO_DEVICE
                tail = ANSWERS.tail_for_invalid_imei(event) if invalid else ANSWERS.tail(s13.Verdict.WHITELISTED)
                link.answer(ANSWERS.write(event, tail))
        sent += link.bytes_to_send()
        if link.wants_close:
            break
    return events, sent


@target(
    "diameter-peer",
    seeds=streams(
        an_mme.cer() + ECR + an_mme.dwr() + ECR + an_mme.dpr(),
        an_mme.cer() + AUDITORS_ECR,
        an_mme.cer() + an_mme.ecr(imei="0010010000000x") + an_mme.ecr(without="terminal"),
    ),
    longest=4096,
)
def _read_link(octets: bytes) -> None:
    stream, cut = pieces(octets)
    events, sent = _speak(cut)
    whole_events, whole_sent = _speak([stream])
    assert whole_events == events, "a stream cut elsewhere was read otherwise"
    # The strict reader of the tests: what we send is always sound. Refusals may overtake answers, identifiers tell them apart.
    answers = [sorted(an_mme.read(each), key=repr) for each in (sent, whole_sent)]
    assert answers[0] == answers[1], "a stream cut elsewhere was answered otherwise"


_A_DELTA = (
    b"imei,block_date,reasons,change\r\n00100100000001,2027-03-01,stolen,blocked\r\n00100100000009,,lost,unblocked\r\n"
)


@target("list-columns", lists.ListAltered, seeds=[to_columns(_A_DELTA) or b""])
def _read_columns(octets: bytes) -> None:
    """Whatever is read is of the size announced; what we laid out ourselves comes back."""
    for size in (len(_A_DELTA), len(octets)):
        with contextlib.suppress(lists.ListAltered):
            assert len(from_columns(octets, size, "list")) == size
    with contextlib.suppress(UnicodeDecodeError):
        laid = to_columns(octets)
        assert laid is None or from_columns(laid, len(octets), "list") == octets


@target("s13", DiameterError, seeds=[ECR, AUDITORS_ECR, an_mme.ecr(imei="0010010000000115", svn=None)])
def _read_question(octets: bytes) -> None:
    if len(octets) < 20 or len(octets) % 4:
        return
    octets = b"\x01" + len(octets).to_bytes(3, "big") + octets[4:]  # a link cuts messages by this length
    reader = s13.CheckReader(EIR)
    first, known = reader.read(octets), list[s13.EquipmentCheck]()
    assert (reader.read_known(octets, 0, known), known) == (len(octets), [first]), (
        "a layout that was learnt is read otherwise"
    )


def _answered(verdict: s13.Verdict) -> bytes:
    return ANSWERS.write(s13.CheckReader(EIR).read(ECR), ANSWERS.tail(verdict))


@target("s13-told", DiameterError, seeds=[_answered(verdict) for verdict in s13.Verdict])
def _read_told(octets: bytes) -> None:
    end = s13_questions.message_end(octets)
    if end:
        s13_questions.read_told(octets[:end])
        s13_questions.answer_to(octets[:end], EIR)


# ------------------------------------------------------------------------------------------------------------ 5G


@target(
    "n5g-query",
    n5g_eir.Refused,
    seeds=[
        b"pei=imei-001001000000015&supi=imsi-001010000000001", b"pei=imeisv-0010010000000107&gpsi=msisdn-1&supported-features=0f",
        b"%70ei=mac-00-00-5E-00-53-01-untrusted&supi=nai-a%40b", b"pei=eui-00-00-5e-ff-fe-00-53-01", b"pei=%E2%82%AC&pei=x",
    ],
    longest=512,
)  # fmt: skip
def _read_query(octets: bytes) -> None:
    text = text_of(octets)
    n5g_eir.accepts_json(text)
    json.loads(n5g_eir.refusal_of_target(text).body)
    n5g_eir.parse_query(text)


VERIFIER = TokenVerifier(
    [read_key(an_nrf.pem(key), "fuzz") for key in (an_nrf.EC_KEY, an_nrf.RSA_KEY)],
    service="n5g-eir-eic", audience="5G_EIR", instance_id=an_nrf.US,
)  # fmt: skip


@target("access-token", TokenInvalid, ScopeInsufficient, seeds=[an_nrf.token("ES256", an_nrf.es256).encode()])
def _read_token(octets: bytes) -> None:
    VERIFIER.verify_authorization("Bearer " + text_of(octets), NOON)


@target(
    "access-token-signed", TokenInvalid, ScopeInsufficient,
    seeds=[b'{"alg":"ES256"}\0' + json.dumps(an_nrf.claims()).encode(), b'{"alg":"ES256","crit":[]}\0{"nbf":1}'],
)  # fmt: skip
def _read_signed_token(octets: bytes) -> None:
    """Header and claims from the input under a signature that is sound: behind it stands the larger part of the reader."""
    header, _, claims = octets.partition(b"\0")
    VERIFIER.verify(an_nrf.signed(header, claims), NOON)


# ------------------------------------------------------------------------------------------------------------ SS7

BEGINS = [*(an_msc.question(version) for version in (1, 2, 3)), an_msc.begin(3)]
UDT, XUDT = an_msc.udt(BEGINS[2]), an_msc.xudt(BEGINS[2], bytes.fromhex("100480aabbcc00"))


@target("ber", ber.InvalidBer, seeds=[*BEGINS, bytes.fromhex("30803080020101000000009f382000")])
def _read_ber(octets: bytes) -> None:
    at, elements = 0, ber.read_elements(octets)
    for tag, contents in elements:
        found, inner, at = ber.read_element(octets, at)
        assert (found, inner) == (tag, contents), "the quick reader and the whole one disagree"
    assert at == len(octets)


@target("tcap", tcap.TcapError, seeds=BEGINS)
def _read_tcap(octets: bytes) -> None:
    try:
        tcap.read_message(octets)
    except tcap.BadTransaction as bad:
        ber.read_element(bad.answer)


@target("map-check-imei", tcap.TcapError, seeds=BEGINS)
def _read_map(octets: bytes) -> None:
    dialogues = map_check_imei.Dialogues(salt=0x5EED0000, imsi_tag=0x80)
    opened = dialogues.open(tcap.read_message(octets))
    if isinstance(opened, map_check_imei.Opened):
        questions = sum(not isinstance(each, bytes) for each in opened.asked)
        opened = dialogues.answer(opened, [map_check_imei.Verdict.BLACKLISTED] * questions)
    if opened is not None:
        assert ber.read_element(opened)[2] == len(opened), "an answer is one whole element"


@target("sccp", sccp.SccpError, seeds=[UDT, XUDT, bytes.fromhex("0309020000")])
def _read_sccp(octets: bytes) -> None:
    sccp.answer_management(octets)
    asked = sccp.read_datagram(octets)
    answer = sccp.read_datagram(sccp.write_answer(asked, b"answer"))
    assert (answer.called, answer.calling) == (asked.calling, asked.called), "the answer goes elsewhere"
    sccp.write_returned(asked, sccp.ReturnCause.UNEQUIPPED_USER)


@target("map-shapes", seeds=[UDT, XUDT, UDT[:-9] + b"123456789"])
def _read_by_shape(octets: bytes) -> None:
    """What is read by a shape is read in full as the same, and answered the same."""
    dialogues = map_check_imei.Dialogues(salt=0x5EED0000, imsi_tag=0x80)
    known = map_shapes.KnownShapes(dialogues)
    for user in (UDT, XUDT, octets, octets):
        found = known.find(user)
        try:
            datagram = sccp.read_datagram(user)
            opened = dialogues.open(tcap.read_message(datagram.data))
        except (sccp.SccpError, tcap.TcapError):
            opened = None
        if not isinstance(opened, map_check_imei.Opened):
            assert found is None, "a shape for what is no question"
            continue
        if found is not None:
            [asked] = opened.asked
            assert isinstance(asked, map_check_imei.CheckImei)
            assert found[:3] == asked[:3], "a shape says otherwise"
            for verdict in map_check_imei.Verdict:
                assert found.answer(verdict) == sccp.write_answer(datagram, dialogues.answer(opened, [verdict]))
        known.learn(user, datagram, opened)


UP = m3ua.write_message(m3ua.Type.ASPUP_ACK) + m3ua.write_message(m3ua.Type.ASPAC_ACK)
DATA = m3ua.write_message(
    m3ua.Type.DATA,
    m3ua.write_parameter(0x0006, 7),
    m3ua.write_parameter(0x0210, bytes.fromhex("000000010000000203020005") + UDT),
)
DUNA = m3ua.write_message(m3ua.Type.DUNA, m3ua.write_parameter(0x0012, bytes.fromhex("0000000100000002")))
BEAT = m3ua.write_message(m3ua.Type.BEAT, m3ua.write_parameter(0x0009, b"beat"))


def _serve(stream: Sequence[bytes]) -> tuple[list[m3ua.Data], list[bytes]]:
    """What a link makes of a stream, and the messages that it sends."""
    link = m3ua.Asp(0.0, routing_context=7)
    asked: list[m3ua.Data] = []
    sent: list[bytes] = []
    for piece in stream:
        for each in link.receive(piece, 0.0):
            asked.append(each)
            link.answer(each, each.user[:100])
        assert len(link.unavailable) <= m3ua.AspLimits().most_unavailable
        assert len(link.notices) <= 16
    sent += link.messages_to_send()
    return asked, sent


@target("m3ua-asp", seeds=streams(UP + DATA + BEAT + DATA, UP + DUNA + DATA), longest=4096)
def _read_gateway(octets: bytes) -> None:
    stream, cut = pieces(octets)
    asked, sent = _serve(cut)
    whole_asked, whole_sent = _serve([stream])
    assert whole_asked == asked, "a stream cut elsewhere was read otherwise"
    assert sorted(whole_sent) == sorted(sent), "a stream cut elsewhere was answered otherwise"


CHECK = bytes.fromhex("30 01 08 00010100000000f1 50 08 07 00011000000010 0a 01 01 60 06 4d53432d3100")


@target("gsup-check", gsup.GsupError, seeds=[CHECK])
def _read_check(octets: bytes) -> None:
    gsup.write_answer(gsup.read_check(octets), gsup.Verdict.NACK)


@target("gsup-splitter", seeds=streams(gsup.write_frame(CHECK) + bytes.fromhex("0001fe00") + gsup.write_frame(b"\4")))
def _split(octets: bytes) -> None:
    stream, cut = pieces(octets)
    splitter, passed, asked = gsup.Splitter(), b"", list[bytes]()
    for piece in cut:
        more, checks = splitter.receive(piece)
        passed += more
        asked += checks
    assert gsup.Splitter().receive(stream) == (passed, asked), "a stream cut elsewhere was read otherwise"
    assert len(passed) + sum(map(len, asked)) <= len(stream)


ENGINES = [
    bytes.fromhex(vector["hex"]) for vector in json.loads((TESTS / "wire/abci/messages.json").read_text("utf-8"))
]
FRAMED = [bytes([len(octets) & 0x7F | 0x80, len(octets) >> 7]) + octets for octets in ENGINES if len(octets) < 1 << 14]


@target("abci-requests", AbciError, seeds=streams(*FRAMED[:36:2], FRAMED[0] + FRAMED[2]), longest=4096)
def _read_requests(octets: bytes) -> None:
    stream, cut = pieces(octets)
    whole, read = Requests(), Requests()
    found = [message for piece in cut for message in read.receive(piece)]
    assert list(whole.receive(stream)) == found, "a stream cut elsewhere was read otherwise"
    for message in found:
        message.WhichOneof("value")


# ------------------------------------------------------------------------------------------------------------ statements

POLICE, LOG = SigningKey("police-1", bytes(range(32))), SigningKey("openceir/log", bytes(32))
MANY = DeviceSet.of(keys=range(100_100_000_000, 100_100_000_200), others=[("eid", "8" * 32)])
THEFT = statements.DeviceStolen(devices=DeviceSet.of(ALICES_PHONE), stolen_at=NOON, case_number="N-7")
SIGNED = statements.sign(THEFT, POLICE, issuer="cc-police", stated_at=NOON, salt=b"0123456789abcdef")
KIND_NAMES = sorted(KINDS)
_EXAMPLES: dict[Any, Any] = {
    str: "N-7", int: 1, bool: True, bytes: "ab" * 32, DeviceSet: [ALICES_PHONE], date: "2027-03-01",
    datetime: "2027-03-01T12:00:00Z", tuple[Pair, ...]: [[ALICES_PHONE, "001010000000001", None]],
    tuple[str, ...]: ["duplicate"], tuple[bytes, ...]: ["ab" * 32],
}  # fmt: skip


def _example(kind: str) -> dict[str, Any] | None:
    """A statement of this kind as JSON shows it, every field filled by its type; None for one that names members."""
    forms = {
        name: form.__args__[0] if isinstance(form, UnionType) else form
        for name, form in KINDS[kind].__annotations__.items()
    }
    if any(form not in _EXAMPLES for form in forms.values()):
        return None
    return {"kind": kind, **{name: _EXAMPLES[form] for name, form in forms.items()}}


PLAIN = [plain for kind in KIND_NAMES if (plain := _example(kind)) is not None]


@target(
    "statement-payload", StatementError,
    seeds=[
        bytes([KIND_NAMES.index(plain["kind"])]) + statements.encode_payload(statements.from_plain(plain)) for plain in PLAIN
    ],
)  # fmt: skip
def _read_payload(octets: bytes) -> None:
    if octets:
        said = statements.decode_payload(KIND_NAMES[octets[0] % len(KIND_NAMES)], octets[1:])
        assert statements.encode_payload(said) == octets[1:], "a statement has a second spelling"
        json.dumps(statements.to_plain(said))
        said.check(NOON)


ODD = [
    {**statements.to_plain(THEFT), name: value}
    for name, value in (
        ("stolen_at", "0001-01-01T00:00:00+05:00"), ("stolen_at", "1960-01-01T00:00:00Z"), ("\ud800", 1), ("kind", "\ud800"),
        ("devices", {"ranges": [[ALICES_PHONE, ALICES_PHONE]], "others": [["eid", "8"]]}),
    )
]  # fmt: skip


@target("statement-plain", StatementError, seeds=[json.dumps(plain).encode() for plain in (*PLAIN, *ODD)])
def _read_plain(octets: bytes) -> None:
    try:
        plain = json.loads(octets)
    except (ValueError, RecursionError):
        return
    if isinstance(plain, dict):
        said = statements.from_plain(plain)
        assert statements.decode_payload(said.kind, statements.encode_payload(said)) == said, (
            "signed, and never read again"
        )


@target("statement-file", StatementError, seeds=[SIGNED.write()])
def _read_statement_file(octets: bytes) -> None:
    signed = SignedStatement.read(octets)
    statements.verify_statement(signed, statements.Members(), at=NOON)


@target("statement-header", StatementError, seeds=[SIGNED.octets])
def _read_header(octets: bytes) -> None:
    assert statements.Sign1.read(octets, "it").write() == octets
    statements.read_header(octets)


@target(
    "device-set",
    StatementError,
    seeds=[MANY.encode(), DeviceSet.of(ALICES_PHONE, ranges=[("1" * 14, "2" * 14)]).encode()],
)
def _read_devices(octets: bytes) -> None:
    devices = DeviceSet.decode(octets)
    assert devices.encode() == octets, "a set has a second spelling"
    assert DeviceSet.from_cbor(devices.to_cbor()) == devices
    assert sum(1 for _ in devices) <= devices.count


@target("public-key", StatementError, seeds=[POLICE.public.format().encode()])
def _read_key(octets: bytes) -> None:
    key = PublicKey.parse(text_of(octets))
    assert PublicKey.parse(key.format()) == key


# ------------------------------------------------------------------------------------------------------------ ledger

LATER = datetime(2027, 4, 1, tzinfo=UTC)
_REGULATOR = statements.Member(
    "regulator", frozenset({statements.Role.REGULATOR}), (statements.MemberKey(LOG.public, NOON),), nation="XA", power=1
)
_FOUNDING = statements.FederationFounded(name="example/shared", quorum=1, members=(_REGULATOR,))


def sign_public(said: statements.Statement, number: int) -> SignedStatement:
    return statements.sign(said, LOG, issuer="regulator", stated_at=NOON, salt=bytes([number]) * 16)


FOUNDING_SIGNED = sign_public(_FOUNDING, 0)

LEAF = ledger.hash_leaf(SIGNED.octets)
TREE = MerkleLog()
TREE.extend([LEAF, *(bytes([number]) * 32 for number in range(6))])
RECEIPT = Receipt.make(TREE, 0, LOG, at=NOON)
CHECKPOINT = Checkpoint(LOG.name, TREE.size, TREE.root(), ("an extension",))


@target("receipt", LedgerError, seeds=[RECEIPT.write()])
def _read_receipt(octets: bytes) -> None:
    receipt = Receipt.read(octets)
    assert receipt.write() == octets, "a receipt has a second spelling"
    receipt.verify(LEAF, LOG.public)


CHECKED = CheckReceipt(
    imei="001001000000015", verdict="blocked", because="stolen", at="2027-03-01T12:00:00Z", statements="2",
    root=base64.b64encode(bytes(32)).decode(),
)  # fmt: skip


@target("check-receipt", LedgerError, seeds=[CHECKED.signed(LOG).encode()])
def _verify_check_receipt(octets: bytes) -> None:
    # spaces and line ends around a receipt are its carrier's
    assert CheckReceipt.verify(octets.decode("utf-8", "replace"), LOG.public) == CHECKED, "a receipt was forged"


_ACT = [1, "2027-03-01T12:00:00+00:00", "ann", "police-officer", "police", "police.read-case", "", "", 1, [], FIRST]


@target("acts", ActsBroken, seeds=[act_line(_ACT, act_digest(_ACT)).encode()])
def _walk_acts(octets: bytes) -> None:
    walk_acts(octets.splitlines(keepends=True))


@target(
    "receipt-file", LedgerError, StatementError,
    seeds=[
        make_receipt(SIGNED.octets, RECEIPT), make_receipt(SIGNED.octets, RECEIPT, disclose=(SIGNED.salt, SIGNED.payload)),
    ],
)  # fmt: skip
def _verify_receipt(octets: bytes) -> None:
    assert verify_receipt(octets, LOG.public).header == SIGNED.header, "a receipt was forged"


# -- the state of devices, and members by statements

_TOKENS = ledger.TokenKey(bytes(32))
_STATE = ledger.CommittedState(_TOKENS)
_HELD = [ledger.Held("police", "stolen", "", 1_800_000_000)]
_STATE.update({_TOKENS.token(ledger.token_text("imei", ALICES_PHONE)): _HELD})
_STATE.set_ranges([(5, 9, _HELD)])
_COMMITTED = sign_public(
    statements.StateCommitted(size=1, epoch=1, token_key=_TOKENS.public, root=_STATE.root(), as_of_at=NOON), 1
)
_STATE_TREE = MerkleLog()
_STATE_TREE.append(ledger.hash_leaf(_COMMITTED.octets))
_STATE_RECEIPT = make_receipt(
    _COMMITTED.octets, Receipt.make(_STATE_TREE, 0, LOG, at=NOON), disclose=(_COMMITTED.salt, _COMMITTED.payload)
)
_STATE_FILES = [
    _STATE.prove(ledger.token_text("imei", ALICES_PHONE), int(ALICES_PHONE), _HELD, _STATE_RECEIPT),
    _STATE.prove(ledger.token_text("imei", ALICES_PHONE[::-1]), int(ALICES_PHONE[::-1]), (), _STATE_RECEIPT),
]


@target("state-file", LedgerError, StatementError, seeds=_STATE_FILES)
def _verify_state(octets: bytes) -> None:
    shown = ledger.verify_state(octets, ledger.token_text("imei", ALICES_PHONE), int(ALICES_PHONE), LOG.public)
    assert shown.held == tuple(_HELD), "a state was forged"


_SEEN = meetings.hours_of(bytes(32), np.array([1, 2]), np.array([1_803_902_400, 1_803_906_000]), nation="XA", to="XB")
_HOURS_FILE = meetings.write_hours(_SEEN, LOG, issuer="regulator", at=NOON)


@target("hours-seen", meetings.MeetingsRefused, seeds=[_HOURS_FILE])
def _read_hours_seen(octets: bytes) -> None:
    read = meetings.read_hours(octets, statements.Members([_REGULATOR]), to="XB")
    assert read.tokens.tolist() == _SEEN.tokens.tolist(), "a file of hours seen was forged"


_FOUNDED = ledger.Governance.found(_FOUNDING)
_PROPOSED = statements.MembershipProposed(action="change-quorum", quorum=1, until=LATER, grounds="")
_OPEN = _FOUNDED.step(bytes(32), FOUNDING_SIGNED.header, _PROPOSED, NOON)


@target("federation-state", LedgerError, seeds=[_FOUNDED.write(), _OPEN.write()])
def _read_federation(octets: bytes) -> None:
    assert ledger.Governance.read(octets).write() == octets, "a federation's state has a second spelling"


_MACHINE = ledger.Machine(statements.Members(), MerkleLog(), is_shared=True)
_MACHINE.take_block(0, NOON, [(FOUNDING_SIGNED.octets, (FOUNDING_SIGNED.salt, FOUNDING_SIGNED.payload))])


@target("machine-state", LedgerError, seeds=[_MACHINE.state()])
def _read_machine(octets: bytes) -> None:
    restored = ledger.Machine.restore(octets, MerkleLog(_MACHINE.tree.nodes(), 1))
    assert restored.state() == octets, "a log's state has a second spelling"


@target("shared-entry", seeds=[SIGNED.octets, FOUNDING_SIGNED.octets, _COMMITTED.write()], longest=8192)
def _take_entry(octets: bytes) -> None:
    """Whatever octets a block brings, every machine goes on and gives the same numbers."""
    machine = ledger.Machine.restore(_MACHINE.state(), MerkleLog(_MACHINE.tree.nodes(), 1))
    half = len(octets) // 2
    entries = [(octets, None), (octets[:half], (octets[half : half + 16], octets[half + 16 :]))]
    codes = machine.take_block(machine.height, NOON, entries).codes
    assert len(codes) == 2
    assert machine.tree.size == 1 + sum(not code for code in codes)


_TREE = MerkleLog()
_TREE.extend([bytes(32), bytes(range(32)), bytes(32)])
_NOTE = Checkpoint(LOG.name, 3, _TREE.root()).sign(LOG)
_COSIGNED = _NOTE.with_signatures([ledger.cosign(_NOTE, LOG, NOON)])
_WITNESS = ledger.WitnessKey.of(LOG.public)
_POLICY = ledger.LogPolicy.of([LOG.public], {"w": _WITNESS}, 1)
_ASKED = ledger.AddCheckpoint(1, tuple(_TREE.consistency_proof(1)), _NOTE)
_PROOF = ledger.LogProof(1, tuple(_TREE.inclusion_proof(1)), _COSIGNED)


@target(
    "tile", LedgerError, seeds=[b"tile/0/x001/234.p/7", b"tile/entries/000", ledger.write_bundle([b"a", b"", b"bc"])]
)
def _read_tile(octets: bytes) -> None:
    with contextlib.suppress(LedgerError):
        assert ledger.Tile.parse(text_of(octets)).path() == text_of(octets), "a tile has a second name"
    entries = ledger.read_bundle(octets, 3)
    assert ledger.write_bundle(entries) == octets, "a bundle has a second spelling"


@target("witness-request", LedgerError, seeds=[_ASKED.format().encode()], longest=4096)
def _read_witness_request(octets: bytes) -> None:
    asked = ledger.AddCheckpoint.parse(text_of(octets))
    said = ledger.judge(asked, [LOG.public], Checkpoint(LOG.name, 1, _TREE.root(1)), LOG, NOON)
    assert said.seen is None or said.seen.text == _NOTE.text, "a checkpoint was forged"


@target("log-policy", LedgerError, seeds=[_POLICY.format().encode(), b"# a\nquorum none\n"])
def _read_log_policy(octets: bytes) -> None:
    policy = ledger.LogPolicy.parse(text_of(octets))
    assert ledger.LogPolicy.parse(policy.format()) == policy, "a policy is not read as it was written"


@target("log-proof", LedgerError, seeds=[_PROOF.format().encode()], longest=4096)
def _read_log_proof(octets: bytes) -> None:
    proof = ledger.LogProof.parse(text_of(octets))
    proof.verify(bytes(range(32)), _POLICY)
    assert (proof.index, proof.path) == (_PROOF.index, _PROOF.path), "a proof was forged"


CHAIN = json.loads((TESTS / "ledger/comet_chain.json").read_text("utf-8"))
LIGHT = [LightBlock.from_json(one["commit"], one["validators"]) for one in CHAIN["blocks"]]
TRUST = ChainTrust(LIGHT[0].header.chain_id, LIGHT[0].validators)
ORDERED = OrderedProof(TREE.size, 0, tuple(TREE.inclusion_proof(0)), bytes(32), bytes(32), tuple(LIGHT[:2]))


@target(
    "comet-receipt", LedgerError, StatementError, seeds=[make_ordered_receipt(SIGNED.octets, ORDERED)], longest=8192
)
def _verify_ordered(octets: bytes) -> None:
    verify_ordered_receipt(octets, TRUST)
    raise AssertionError("a receipt of a consortium was forged")


@target("comet-trust", LedgerError, seeds=[TRUST.format().encode()])
def _read_trust(octets: bytes) -> None:
    trust = ChainTrust.parse(text_of(octets))
    assert ChainTrust.parse(trust.format()) == trust


_NODE_KEYS = NodeKeys(*(SigningKey(name, bytes([at]) * 32) for at, name in enumerate(("xa", "xa/node", "xa/peer"))))
_CARD = write_card(_NODE_KEYS, "XA", Place("127.0.0.1", 26656, 26657))


@target("consortium-card", ConsortiumError, seeds=[_CARD])
def _card(octets: bytes) -> None:
    read_card(octets)


_FOUNDING = gather(
    [_CARD], _NODE_KEYS.statements, Plan(name="example/shared", members=(), places=(), at=NOON, quorum=1)
).format()


@target("consortium-founding", ConsortiumError, seeds=[_FOUNDING], longest=8192)
def _founding_file(octets: bytes) -> None:
    assert FoundingFile.parse(FoundingFile.parse(octets).format()).fingerprint == FoundingFile.parse(octets).fingerprint


@target("consortium-transaction", StatementError, seeds=[write_transaction(SIGNED)])
def _read_transaction(octets: bytes) -> None:
    read_transaction(octets)


@target("checkpoint", LedgerError, seeds=[CHECKPOINT.sign(LOG).format().encode(), CHECKPOINT.format().encode()])
def _read_checkpoint(octets: bytes) -> None:
    text = text_of(octets)
    try:
        assert Checkpoint.parse(text).format() == text, "a checkpoint has a second spelling"
    except LedgerError:
        note = SignedCheckpoint.parse(text)
        assert note.format() == text, "a note has a second spelling"
        assert note.verify(LOG.public) == CHECKPOINT, "a checkpoint was forged"


# -------------------------------------------------------------------------------------------------------- federation

_OTHER = MerkleLog()
_OTHER.extend([bytes(32), bytes(32), bytes(32), bytes(32)])
_FORK = ForkProof.find([LOG.public], _NOTE, Checkpoint(LOG.name, 4, _OTHER.root()).sign(LOG), _OTHER)
assert _FORK is not None
_REQUEST = Signed("GET", "bb.example", "/payloads", "from=0&to=1")
_FIELDS = sign_request(_REQUEST, "k", LOG.sign, 1_800_000_000)


@target("fork-proof", FederationError, seeds=[_FORK.format().encode()], longest=4096)
def _read_fork(octets: bytes) -> None:
    proof = ForkProof.parse(text_of(octets))
    proof.verify([LOG.public])
    assert proof.older.text == _NOTE.text, "a log was accused falsely"


@target("http-signature", RequestUnsigned, seeds=["\n".join(_FIELDS.values()).encode()])
def _verify_request(octets: bytes) -> None:
    stated, _, signature = text_of(octets).partition("\n")
    fields = {"Signature-Input": stated, "Signature": signature}
    verify_request(_REQUEST, fields, lambda _, message, given: LOG.public.has_signed(message, given), 1_800_000_000)
    assert fields == _FIELDS, "a request was forged"


_GIVEN = [b""]
_PEER = doors.Peer(
    httpx.Client(
        base_url="https://bb.example", transport=httpx.MockTransport(lambda _: httpx.Response(200, content=_GIVEN[0]))
    ),
    "bb",
)
_WAYS: list[tuple[Callable[[], object], bytes]] = [
    (_PEER.checkpoint, _NOTE.format().encode()),
    (_PEER.seen, b'{"seen": []}'),
    (_PEER.forks, b'{"forks": ["a.fork"]}'),
    (_PEER.founding, SIGNED.write()),
    (lambda: _PEER.times(0), b'{"times": [[0, 1800000000], [7, 1800000060]]}'),
    (lambda: _PEER.bundle(ledger.Tile(None, 0, 1)), ledger.write_bundle([b"a"])),
    (lambda: _PEER.hashes(ledger.Tile(0, 0, 1)), bytes(32)),
    (lambda: _PEER.payloads(0, 1, LOG, NOON), write_canonical([1, [[0, "held", bytes(16), b"x"]]])),
]


@target(
    "federation-answer", FederationError, seeds=[bytes([place]) + honest for place, (_, honest) in enumerate(_WAYS)]
)
def _read_answer(octets: bytes) -> None:
    way, _ = _WAYS[octets[0] % len(_WAYS) if octets else 0]
    _GIVEN[0] = octets[1:]
    way()


# ------------------------------------------------------------------------------------------------------------ lists

BLOCKLIST = lists.KINDS["blocklist"]
ROWS = [("00100100000001", "2027-03-01", "stolen"), ("00100100000002", "2027-03-01", 'said "so", twice')]
CHANGED = [("00100100000001", "2027-03-01", "stolen", "unblocked"), ("00100100000003", "2027-03-02", "lost", "blocked")]


@target("list-header", ListError, seeds=[FULL.to_octets(), DELTA.to_octets()])
def _read_list_header(octets: bytes) -> None:
    header = lists.read_header(octets, "it")
    assert header.to_octets() == octets, "a header has a second spelling"
    assert "/" not in header.file_stem


@target("list-rows", ListError, seeds=[b"".join(lists.format_rows(BLOCKLIST.columns, ROWS))])
def _read_rows(octets: bytes) -> None:
    rows = list(lists.read_rows(BLOCKLIST.columns, 1, io.BytesIO(octets), "it"))
    again = io.BytesIO(b"".join(lists.format_rows(BLOCKLIST.columns, rows)))
    assert list(lists.read_rows(BLOCKLIST.columns, 1, again, "it")) == rows


@target("list-delta", ListError, seeds=[b"".join(lists.format_rows(BLOCKLIST.delta_columns, CHANGED))])
def _read_delta(octets: bytes) -> None:
    changes = lists.read_rows(BLOCKLIST.delta_columns, 1, io.BytesIO(octets), "it")
    new = list(lists.apply_rows(BLOCKLIST, ROWS, changes))
    assert list(lists.apply_rows(BLOCKLIST, ROWS, lists.diff_rows(BLOCKLIST, ROWS, new))) == new


@target("list-in-its-file", ListError, seeds=[b"".join(lists.format_rows(BLOCKLIST.columns, ROWS))])
def _exchange_rows(octets: bytes) -> None:
    file = lists.SortedFile(octets, BLOCKLIST.columns, "it")
    place, exchanges = None, []
    for text in (ROWS[0][0], ROWS[1][0], "00100100000003"):
        place = file.find(text, place)
        assert all(row[0] == text for row in place.rows)
        exchanges.append((place, place.rows))
    assert b"".join(lists.spliced(file, [(place, place.rows[:0]) for place, _ in exchanges])).count(
        b"\n"
    ) <= octets.count(b"\n")


# ------------------------------------------------------------------------------------------- the operators' counter


def _index_octets(**contents: Any) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "it.idx")
        eir.build(path, eir.Contents(**contents), sequence=1, issued_at=NOON, source="fuzz")
        return path.read_bytes()


_LISTED = np.array([100_100_000_001, 100_100_000_002], np.int64)
_RANGE = eir.Ranges(_LISTED[:1], _LISTED[1:], np.array([128], np.uint8))
_PAIR = eir.Pairs(_LISTED[:1], np.array([1_001_010_000_000_001], np.int64), np.array([64], np.uint8))


@target(
    "index-file",
    eir.EirError,
    seeds=[
        _index_octets(),
        _index_octets(device=_LISTED, attribute=np.array([192, 128], np.uint8), ranges=_RANGE, pairs=_PAIR),
    ],
    longest=8192,
)
def _open_index(octets: bytes) -> None:
    """A file that opens answers every question: what does not fit together is refused at open."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "it.idx")
        path.write_bytes(octets)
        index = eir.open_index(path, accept_unsigned=True)
        decide = eir.Decider(index, eir.Overlay(), eir.DecisionPolicy()).decide
        for device in (0, 100_100_000_001, 100_100_000_003, 10**14 - 1):
            DECISIONS[decide(device, 1_001_010_000_000_001, 5)]


class _Link:
    """A TLS link that brings these pieces and takes whatever is said."""

    def __init__(self, brought: list[bytes]) -> None:
        self._brought, self.sent = iter(brought), b""

    def recv(self, most: int) -> bytes:
        return next(self._brought, b"")

    def sendall(self, octets: bytes) -> None:
        self.sent += octets


def _said_back(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    body = environ["wsgi.input"].read(4096)
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]


@target(
    "operators-http",
    OSError,
    h11.ProtocolError,
    seeds=[
        b"\1\1GET /v1/operators/northtel/lists?a=1 HTTP/1.1\r\nHost: x\r\nRange: bytes=1-\r\n\r\n",
        b"\7\3POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\7\3POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    ],
)
def _serve_operators(octets: bytes) -> None:
    _, brought = pieces(octets)
    peer = Connection(_Link(brought))
    while (request := peer.next_request()) is not None:
        peer.answer(request, ClientCertificate("", frozenset()), _said_back)
        if not peer.goes_on():
            return


@cache
def _operators_door() -> tuple[Callable[..., Any], str]:
    """The door over a register with one operator and no list yet; lives as long as the process."""
    home = Path(tempfile.mkdtemp(prefix="openceir-fuzz-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    (home / "policy").mkdir()
    (home / "policy" / "1.toml").write_text('[operators.northtel]\nname = "Northtel"\nmcc_mnc = ["00101"]\n')
    at = clock.now()
    token = open_register(home).tokens.make(
        "fuzz", "operator", at=at, expires_at=at + timedelta(days=1), operator="northtel", certificate="it.example"
    )
    return make_operators_application(home, Settings(http_waits=1)), token


@target(
    "operators-door",
    seeds=[
        b"GET\nlists\n\n\n\n",
        b"GET\nlists/wait\nafter=9&seconds=0\n\n\n",
        b"GET\nlists/blocklist/delta\nbase=1\nbytes=1-2\n\n",
        b'POST\nacknowledgements\n\n\n{"lists":[{"kind":"blocklist","sequence":1,"sha256":"' + b"0" * 64 + b'"}]}',
        b'POST\nchecks\n\n\n{"identifiers":["00100100000001"]}',
    ],
)
def _ask_operators_door(octets: bytes) -> None:
    """Whatever is asked by who was let in: an answer with a status of its own, never a fault of ours."""
    door, token = _operators_door()
    method, path, query, span, body = [*octets.split(b"\n", 4), b"", b"", b"", b"", b""][:5]
    if b"wait" in path:  # who asks to wait does, and that is no fault
        query = query.replace(b"seconds", b"") + b"&seconds=0"
    statuses = []
    environ = {
        "REQUEST_METHOD": method.decode("latin-1"),
        "PATH_INFO": "/v1/operators/northtel/" + path.decode("latin-1"),
        "QUERY_STRING": query.decode("latin-1"),
        "HTTP_RANGE": span.decode("latin-1"),
        "HTTP_AUTHORIZATION": f"Bearer {token}",
        "CONTENT_TYPE": "application/json",
        "wsgi.input": io.BytesIO(body),
        CERTIFICATE: ClientCertificate("", frozenset({"it.example"})),
    }
    for _ in door(environ, lambda status, headers: statuses.append(int(status[:3]))):
        pass
    assert statuses[0] < 500, "a fault of ours"


# ------------------------------------------------------------------------------------------------------------ texts

SCHEMES: list[str | None] = [None, *sorted(CATALOGUE)]


@target(
    "identity", IdentityError,
    seeds=[
        *(bytes([0]) + text.encode() for text in (ALICES_PHONE, "imei-001001000000015", "urn:gsma:imei:00100100-000001-0")),
        *(bytes([0]) + text.encode() for text in ("00-00-5e-00-53-01", "did:web:example.org", "٠٠١٠٠١٠٠٠٠٠٠٠١", "A000002A7E2F4C")),
        *(bytes([place]) + ALICES_PHONE.encode() for place in range(len(SCHEMES))),
    ],
)  # fmt: skip
def _parse_identifier(octets: bytes) -> None:
    if octets:
        text = text_of(octets[1:])
        assert parse(text).scheme, "an identifier has a scheme, if only unknown"
        parse(text, SCHEMES[octets[0] % len(SCHEMES)])


@target(
    "policy", PolicyError,
    seeds=[
        b'[policy]\nname = "a country"\n[operators.northtel]\nname = "Northtel"\nmcc_mnc = ["00101"]\n',
        b'[[rule]]\nlabel = "x"\n[intake]\nlargest_expansion_ratio = {from."2027-07-01" = 4, unit = "x"}\n',
    ],
)  # fmt: skip
def _read_policy(octets: bytes) -> None:
    policy = policy_from_text(("it", octets.decode("utf-8", "replace")))  # a file that is no UTF-8 is refused before
    policy_from_json(policy.to_json())
    policy.operators(NOON.date())
    policy.tables("rule")


WANTED = Wanted(required=("imei",), optional=("note",))
SMALL = Bounds(line=300, field=60)


@target(
    "intake-lines", IntakeError,
    seeds=[b"imei,note\n00100100000001,alice\n\n00100100000002,\"a, b\"\r\n\0\n,,,\n", b'note,imei\n"a\nb",1\n"",""\n'],
)  # fmt: skip
def _read_lines(octets: bytes) -> None:
    stream, aside = io.BytesIO(octets), list[Any]()
    opened = Octets("it", stream, stream.tell, len(octets), SMALL)
    lines = Lines(opened, Form(quoted=octets[-1:] != b"|"), WANTED, Rejects(aside.extend), SMALL)
    rows = sum(map(len, lines.blocks()))
    filled = sum(line not in (b"", b"\r") for line in octets.split(b"\n")[1:])
    assert rows + len(aside) == filled, "a row was lost"


TABLE = b"imei,note\n00100100000001,alice\n00100100000002,bob\n"


def _zipped(*members: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for member in members:
            archive.writestr(member, TABLE)
    return packed.getvalue()


def _parquet(**options: Any) -> bytes:
    packed = io.BytesIO()
    table = pa.table({"imei": ["00100100000001", "00100100000002", None], "note": ["alice", "bob", "b" * 70]})
    pq.write_table(table, packed, **options)
    return packed.getvalue()


@target(
    "intake-packed", IntakeError,
    seeds=[
        gzip.compress(TABLE), gzip.compress(TABLE) + gzip.compress(b"00100100000003,eve\n"), gzip.compress(b"\n" * 9000),
        _zipped("a.csv"), _zipped("a.csv", "b.csv"), _zipped("[Content_Types].xml"),
        _parquet(), _parquet(compression="zstd"), _parquet(use_dictionary=False, column_encoding="DELTA_BYTE_ARRAY"),
    ],
    longest=4096,
)  # fmt: skip
def _read_packed(octets: bytes) -> None:
    """Plain, gzip, zip or Parquet, known by the first octets; the file lies in memory only."""
    bounds = Bounds(line=300, field=60, uncompressed=1 << 20)
    file = os.memfd_create("it")
    try:
        os.write(file, octets)
        aside = list[Any]()
        with open_table(Path(f"/proc/self/fd/{file}"), Form(), WANTED, Rejects(aside.extend), bounds) as table:
            for block in table.blocks():
                assert {len(column) for column in block.columns.values()} == {len(block)}, "columns of unequal length"
            assert len(table.digest) == 32
    finally:
        os.close(file)


# ------------------------------------------------------------------------------------------------------------ HTTP


def _environ(octets: bytes) -> dict[str, Any]:
    return {
        "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(octets)), "wsgi.input": io.BytesIO(octets),
        "QUERY_STRING": octets[:200].decode("latin-1"), "PATH_INFO": octets[:200].decode("latin-1"),
    }  # fmt: skip


@target(
    "http-request", Problem,
    seeds=[b'{"identifiers": ["00100100000001"], "at": "2027-03-01T12:00:00Z"}', b"id=1&at=2027-03-01", b'{"at": "now"}'],
)  # fmt: skip
def _read_request(octets: bytes) -> None:
    environ = _environ(octets)
    for read in (path_of, partial(query_of, allowed=frozenset({"id", "at"}))):
        try:
            read(environ)
        except Problem as problem:
            json.dumps(problem.as_json())
    body = fields_of(body_of(environ, 1024), frozenset(), frozenset({"identifiers", "at"}))
    moment_in(body, "at")
    if "identifiers" in body:
        text_in(body, "identifiers")


# ------------------------------------------------------------------------------------------------------------ scan


def _label(kind: str) -> bytes:
    packed = io.BytesIO()
    a_label.draw(a_label.a_label(Random(1)), 1.0).save(packed, kind)
    return packed.getvalue()


@target("scan-picture", ScanError, seeds=[_label(kind) for kind in ("PNG", "JPEG", "WEBP")], longest=20_000)
def _read_picture(octets: bytes) -> None:
    for found in read_label(octets, limits=PictureLimits(pixels=200_000)):
        assert parse(found.canonical).check is Check.PASSED, "a number was given whose check digit does not fit"


@target(
    "scan-text",
    seeds=[
        text.encode()
        for text in (
            "Spark 10 00-100100-000001-5 IMEI",
            "imei ٠٠١٠٠١٠٠٠٠٠٠٠١٥/01",
            "OO1OO1000000015",
            "İMEI: 0\ufe0f\u20e30",
        )
    ],
)
def _find_imeis(octets: bytes) -> None:
    text, before = text_of(octets), 0
    for found in find_imeis(text, lambda tac: tac == "00100100"):
        assert before <= found.start < found.end, "two mentions overlap"
        assert text[found.start : found.end] == found.shown
        assert parse(found.imei).check is Check.PASSED
        before = found.end


# ------------------------------------------------------------------------------------------------------------ SMS, USSD


A_DELIVER = (
    bytes.fromhex("00000000 00000005 00000000 00000007 55535344 00 0101")
    + b"15550100077\0\0\0" + b"8484\0" + bytes(9) + b"\x05*1*2#"
)  # fmt: skip


@target(
    "smpp-deliver", ValueError, seeds=[A_DELIVER, A_DELIVER + bytes.fromhex("0501000101 138300020502 0204000200ff")]
)
def _read_deliver(octets: bytes) -> None:
    pdu = len(octets).to_bytes(4) + octets[4:]
    TakenMessage.from_pdu(pdu, PduHeader(len(pdu), SmppCommand.DELIVER_SM, SmppCommandStatus.ESME_ROK, 7), "gsm0338")


@target(
    "sms-question",
    seeds=[
        text.encode()
        for text in (
            "KYM 001001000000015",
            "IMEI 1: 00-100100-000001-5, 00100100000002",
            "فحص ٠٠١٠٠١٠٠٠٠٠٠٠١٥",
            "1 2 3",
        )
    ],
)
def _read_question(octets: bytes) -> None:
    for asked in parse_question(text_of(octets)).numbers:
        assert asked.fault is not None or parse(asked.digits).imei == asked.digits


@target(
    "proof-of-work",
    WorkRefused,
    seeds=[
        base64.b64encode(
            json.dumps(
                {
                    "algorithm": "SHA-256",
                    "challenge": "5" * 64,
                    "number": 4711,
                    "salt": "a" * 24 + "?expires=1803902400&",
                    "signature": "6" * 64,
                }
            ).encode()
        )
    ],
)
def _read_solution(octets: bytes) -> None:
    told = read_solution(octets.decode("latin-1"))
    assert type(told.number) is int


@target(
    "ussd-walk", seeds=[text.encode() for text in ("", "1*001001000000015", "4*3*2*2*001001000000015*1", "3*K7Q4*0*x")]
)
def _walk(octets: bytes) -> None:
    place = walk(text_of(octets), "en")
    if isinstance(place, Screen):
        assert fits(place.text, USSD), "a screen does not fit"
    else:
        assert place.language in LANGUAGES


# ------------------------------------------------------------------------------------------------ private questions

QUESTION_KEY = questions.QuestionKey.of_seed("2027", bytes(32))
QUESTION_SIGNER = SigningKey("openceir/fuzz", bytes(range(32)))
QUESTION_LAYER, _QUESTION_FILES = questions.make_layer(
    "base",
    questions.rows_of([bytes([n]) * 64 for n in range(40)]),
    np.ones(40, dtype=np.uint8),
    b"k" * 32,
)
QUESTION_BUCKET = dict(_QUESTION_FILES)[0]
QUESTION_MANIFEST = questions.Manifest(
    group=questions.KeyGroup.of_one(QUESTION_KEY), made_at=NOON, stale_at=NOON, ledger_size=0, checkpoint="", log_key=None,
    layers=(QUESTION_LAYER,), ranges_sha256="00" * 32,
)  # fmt: skip


@target("question-bucket", questions.BucketRefused, seeds=[QUESTION_BUCKET])
def _read_bucket(octets: bytes) -> None:
    bucket = questions.Bucket.read(octets, QUESTION_LAYER, 0)
    assert octets == QUESTION_BUCKET, "a bucket that is not the signed one was taken"
    questions.word_in(octets[:64].ljust(64, b"\0"), bucket)


@target("question-manifest", questions.QuestionError, seeds=[QUESTION_MANIFEST.sign(QUESTION_SIGNER)])
def _read_manifest(octets: bytes) -> None:
    questions.signer_of(octets)
    manifest = questions.Manifest.read(octets, QUESTION_SIGNER.public)
    assert manifest == QUESTION_MANIFEST, "a manifest that nobody signed was taken"


@target("question-signed-manifest", questions.QuestionError, seeds=[QUESTION_MANIFEST.sign(QUESTION_SIGNER)])
def _read_signed_manifest(octets: bytes) -> None:
    """Behind the signature: a signer of ours may still write nonsense."""
    try:
        document = json.loads(octets)["signed"]
        said = json.loads(document)
    except (ValueError, KeyError, TypeError, RecursionError):
        return
    if isinstance(said, dict):
        said.pop("format", None)
        try:
            signed = questions.sign_document("openceir-questions/1", said, QUESTION_SIGNER)
        except UnicodeEncodeError:  # half a surrogate pair: nothing that could have been signed
            return
        questions.Manifest.read(signed, QUESTION_SIGNER.public)


@target(
    "question-elements", questions.ElementRefused, questions.TokenFalse,
    seeds=[json.dumps(["863f330cc1a1259ed5a5998a23acfd37fb4351a793a5b3c090b642ddc439b945"]).encode(), b'"2027-03-01.00.00"'],
)  # fmt: skip
def _read_elements(octets: bytes) -> None:
    try:
        said = json.loads(octets)
    except (ValueError, RecursionError):
        said = text_of(octets)
    if isinstance(said, str):
        questions.AnonymousToken.parse(said)
    questions.elements_in(said)


@target(
    "question-making", questions.QuestionError,
    seeds=[questions.begin("2027", 2, 1).own.format().encode(), QUESTION_KEY.format().encode()],
)  # fmt: skip
def _read_making(octets: bytes) -> None:
    text = text_of(octets)
    for read in (questions.Contribution.parse, questions.QuestionKey.parse, questions.Generation.parse):
        with contextlib.suppress(questions.QuestionError):
            read(text)
    try:
        said = json.loads(octets)
    except (ValueError, RecursionError):
        return
    for read_json in (questions.Deal.from_json, questions.KeyGroup.from_json):
        with contextlib.suppress(questions.QuestionError):
            read_json(said)


@target(
    "backup-manifest", backup.BackupRefused,
    seeds=[
        backup.Manifest(
            made_at=NOON, log_size=1, keys=("keys/log.key",), has_keys=False, has_dump=False, files=(
                backup.KeptFile(path="home/ledger/log", octets=18, sha256="00" * 32, mode=0o644),
            ),
        ).write()
    ],
)  # fmt: skip
def _read_backup_manifest(octets: bytes) -> None:
    read = backup.Manifest.read(octets)
    assert backup.Manifest.read(read.write()) == read
