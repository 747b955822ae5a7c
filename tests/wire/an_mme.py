"""An MME for the tests: writes what a network would send, with an encoder of its own that knows no dictionary."""

import struct

S13 = 16777252
TGPP = 10415
HOST, REALM = "mme.epc.mnc001.mcc001.3gppnetwork.org", "epc.mnc001.mcc001.3gppnetwork.org"
EIR, EIR_REALM = "eir.epc.mnc001.mcc001.3gppnetwork.org", "epc.mnc001.mcc001.3gppnetwork.org"


def avp(code: int, data: bytes | str | int, *, vendor: int = 0, m: bool = True, flags: int | None = None) -> bytes:
    if isinstance(data, int):
        data = struct.pack(">I", data)
    if isinstance(data, str):
        data = data.encode()
    if flags is None:
        flags = (0x80 if vendor else 0) | (0x40 if m else 0)
    head = struct.pack(">I", vendor) if vendor else b""
    return struct.pack(">II", code, flags << 24 | 8 + len(head) + len(data)) + head + data + bytes(-len(data) % 4)


def message(flags: int, command: int, application: int, *avps: bytes, ids: int = 0x0000000A_0000000B, version: int = 1):
    body = b"".join(avps)
    return struct.pack(">IIIQ", version << 24 | 20 + len(body), flags << 24 | command, application, ids) + body


def cer(*extra: bytes, host: str = HOST, realm: str = REALM, application: int = S13, **header) -> bytes:
    return message(
        0x80, 257, 0,
        avp(264, host), avp(296, realm),
        avp(257, b"\0\1\x7f\0\0\1"), avp(266, TGPP), avp(269, "an MME", m=False), avp(265, TGPP),
        avp(260, avp(266, TGPP) + avp(258, application)), *extra, **header,
    )  # fmt: skip


def dwr(**header) -> bytes:
    return message(0x80, 280, 0, avp(264, HOST), avp(296, REALM), **header)


def dpr(cause: int = 0, **header) -> bytes:
    return message(0x80, 282, 0, avp(264, HOST), avp(296, REALM), avp(273, cause), **header)


def terminal(imei: bytes | str | None = "00100100000001", svn: str | None = "05", *extra: bytes) -> bytes:
    inner = b"" if imei is None else avp(1402, imei, vendor=TGPP)
    inner += b"" if svn is None else avp(1403, svn, vendor=TGPP)
    return avp(1401, inner + b"".join(extra), vendor=TGPP)


def ecr_parts(session: str = "mme;1;1", imsi: str | None = "001010000000001", **of_terminal) -> dict[str, bytes]:
    parts = {
        "session": avp(263, session),
        "vsai": avp(260, avp(266, TGPP) + avp(258, S13)),
        "state": avp(277, 1),
        "host": avp(264, HOST),
        "realm": avp(296, REALM),
        "to_host": avp(293, EIR),
        "to_realm": avp(283, EIR_REALM),
        "terminal": terminal(**of_terminal),
    }
    if imsi is not None:
        parts["imsi"] = avp(1, imsi)
    return parts


def ecr(
    *extra: bytes, without: str = "", flags: int = 0xC0, ids: int = 0x0000000A_0000000B, version: int = 1, **of_parts
):
    parts = [part for name, part in ecr_parts(**of_parts).items() if name != without]
    return message(flags, 324, S13, *parts, *extra, ids=ids, version=version)


def read(octets: bytes) -> list[tuple[int, int, int, int, list[tuple[int, int, bytes]]]]:
    """Messages as (flags, command, application, ids, [(vendor, code, data)]); fails on anything out of order."""
    messages, at = [], 0
    while at < len(octets):
        first, second, application, ids = struct.unpack_from(">IIIQ", octets, at)
        end = at + (first & 0xFFFFFF)
        assert first >> 24 == 1
        assert end <= len(octets)
        messages.append((second >> 24, second & 0xFFFFFF, application, ids, read_avps(octets[at + 20 : end])))
        at = end
    return messages


def read_avps(body: bytes) -> list[tuple[int, int, bytes]]:
    found, at = [], 0
    while at < len(body):
        code, word = struct.unpack_from(">II", body, at)
        size, length = (12 if word >> 31 else 8), word & 0xFFFFFF
        assert size <= length <= len(body) - at
        vendor = struct.unpack_from(">I", body, at + 8)[0] if word >> 31 else 0
        found.append((vendor, code, body[at + size : at + length]))
        at += length + -length % 4
    return found


def value(avps: list[tuple[int, int, bytes]], code: int, vendor: int = 0) -> bytes | None:
    return next((data for v, c, data in avps if (v, c) == (vendor, code)), None)


def number(avps: list[tuple[int, int, bytes]], code: int, vendor: int = 0) -> int | None:
    data = value(avps, code, vendor)
    return None if data is None else int.from_bytes(data, "big")
