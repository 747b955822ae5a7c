"""An MSC and its gateway for the tests: TCAP and MAP by pycrate, which nobody here wrote; SCCP and M3UA by hand."""

import struct
from copy import deepcopy

from pycrate_asn1dir.TCAP_MAPv2v3 import TCAP_MAP_Messages

TCAP = TCAP_MAP_Messages.TCAP_MAP_Message
OTID = bytes.fromhex("01020304")
PHONE = "00100100000001"  # a test TAC
EIR_CONTEXT = (0, 4, 0, 0, 1, 0, 13)
EIR_GT, MSC_GT = (
    bytes.fromhex("12090011041001010000"),
    bytes.fromhex("12080011041001010001"),
)  # route on title, SSN, E.164


def tbcd(digits: str) -> bytes:
    digits += "f" * (len(digits) % 2)
    return bytes(int(digits[at + 1] + digits[at], 16) for at in range(0, len(digits), 2))


def argument(version: int, imei: str = PHONE + "0", wanted: tuple[int, int] = (2, 2)):
    """What CheckIMEI carries; `wanted` is the bit string, its value and its length: 10 asks for the status."""
    if version < 3:
        return ("IMEI", tbcd(imei))
    return ("CheckIMEI-Arg", {"imei": tbcd(imei), "requestedEquipmentInfo": wanted})


def invoke(argument_value, *, invoke_id: int = 1, operation: int = 43):
    said = {"invokeId": ("present", invoke_id), "opcode": ("local", operation)}
    if argument_value is not None:
        said["argument"] = argument_value
    return ("basicROS", ("invoke", said))


def dialogue(context: tuple[int, ...], *, kind: str = "dialogueRequest", **more):
    request = {"protocol-version": (1, 1), "application-context-name": context, **more}
    return {
        "direct-reference": (0, 0, 17, 773, 1, 1, 1),
        "encoding": ("single-ASN1-type", ("DialoguePDU", (kind, request))),
    }


def begin(version: int, *components, context: tuple[int, ...] | None = None, otid: bytes = OTID) -> bytes:
    said: dict = {"otid": otid}
    if version > 1:
        said["dialoguePortion"] = dialogue(context or (*EIR_CONTEXT, version))
    if components:
        said["components"] = list(components)
    return encode(("begin", said))


def question(version: int, imei: str = PHONE + "0", **how) -> bytes:
    return begin(version, invoke(argument(version, imei)), **how)


def encode(value) -> bytes:
    TCAP.set_val(value)
    return TCAP.to_ber()


def decode(octets: bytes):
    """What pycrate reads; it must write the same octets again."""
    TCAP.from_ber(octets)
    value = deepcopy(TCAP.get_val())
    assert TCAP.to_ber() == octets
    return value


# ---------------------------------------------------------------------------------------------------- SCCP and M3UA


def udt(data: bytes, *, called: bytes = EIR_GT, calling: bytes = MSC_GT, protocol_class: int = 0x80) -> bytes:
    to, whence = len(called), len(calling)
    return (
        bytes([9, protocol_class, 3, 3 + to, 3 + to + whence, to]) + called + bytes([whence]) + calling
        + bytes([len(data)]) + data
    )  # fmt: skip


def xudt(data: bytes, options: bytes = b"", *, called: bytes = EIR_GT, calling: bytes = MSC_GT) -> bytes:
    to, whence = len(called), len(calling)
    pointers = [4, 4 + to, 4 + to + whence, 4 + to + whence + len(data) if options else 0]
    parts = bytes([to]) + called + bytes([whence]) + calling + bytes([len(data)]) + data
    return bytes([0x11, 0x80, 15, *pointers]) + parts + options


def read_udt(octets: bytes) -> tuple[bytes, bytes, bytes]:
    """Called, calling and data of a UDT or UDTS."""
    assert octets[0] in (9, 10)
    parts = []
    for pointer in (2, 3, 4):
        at = pointer + octets[pointer]
        parts.append(octets[at + 1 : at + 1 + octets[at]])
        assert len(parts[-1]) == octets[at]
    return parts[0], parts[1], parts[2]


def parameter(tag: int, value: bytes | int) -> bytes:
    value = struct.pack(">I", value) if isinstance(value, int) else value
    return struct.pack(">HH", tag, 4 + len(value)) + value + bytes(-len(value) % 4)


def m3ua(kind: int, *parameters: bytes, version: int = 1) -> bytes:
    body = b"".join(parameters)
    return struct.pack(">BBHI", version, 0, kind, 8 + len(body)) + body


def data(user: bytes, *, opc: int = 1, dpc: int = 2, context: int | None = 7, service: int = 3, sls: int = 5) -> bytes:
    scope = b"" if context is None else parameter(0x0006, context)
    return m3ua(0x0101, scope, parameter(0x0210, struct.pack(">IIBBBB", opc, dpc, service, 2, 0, sls) + user))


def read_m3ua(octets: bytes) -> list[tuple[int, dict[int, bytes]]]:
    """Messages as (class and type, parameters); fails on anything out of order."""
    found, at = [], 0
    while at < len(octets):
        version, spare, kind, length = struct.unpack_from(">BBHI", octets, at)
        assert (version, spare, length % 4) == (1, 0, 0)
        assert at + length <= len(octets)
        parameters, inner = {}, at + 8
        while inner < at + length:
            tag, size = struct.unpack_from(">HH", octets, inner)
            parameters[tag] = octets[inner + 4 : inner + size]
            inner += size + -size % 4
        found.append((kind, parameters))
        at += length
    return found
