"""Osmocom's own programs around our EIR: osmo-stp brings MAP; osmo-msc and osmo-hlr have the GSUP proxy between them.

`scripts/install-peers.sh`, which `make test` calls, installs them where it may; elsewhere these tests are skipped.
osmo-stp and osmo-msc want SCTP. Where the kernel has none a small library turns its sockets into TCP (real_peers/sctp_as_tcp.c).
"""

import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from wire import an_msc as msc

from .conftest import SIGNER
from .running import LONGEST_S
from .test_gsup import check, frame
from .test_serve import served
from .test_source import PHONE, write_list

HERE = Path(__file__).parent / "real_peers"
COMPILER = shutil.which("cc") or shutil.which("gcc")
# The ports of these programs are fixed, so each run takes addresses of its own.
STP, HLR, MSC, PROXY = "127.0.0.86", "127.0.0.87", "127.0.0.2", "127.0.0.88"

STP_CONFIG = f"""
line vty
 bind {STP}
cs7 instance 0
 network-indicator international
 asp eir 0 2905 m3ua
  remote-ip 127.0.0.1
  local-ip {STP}
 asp msc 0 2905 m3ua
  remote-ip {MSC}
  local-ip {STP}
 as eir m3ua
  asp eir
  routing-key 7 0.0.2
  traffic-mode loadshare
 as msc m3ua
  asp msc
  routing-key 1 0.0.1
  traffic-mode loadshare
 route-table system
  update route 0.0.1 7.255.7 linkset msc
  update route 0.0.2 7.255.7 linkset eir
 listen m3ua 2905
  local-ip {STP}
  accept-asp-connections pre-configured
"""

HLR_CONFIG = f"""
line vty
 bind {HLR}
ctrl
 bind {HLR}
hlr
 gsup
  bind ip {HLR}
"""


@contextmanager
def daemon(
    folder: Path, name: str, config: str, ready: tuple[str, int], *options: str, **environment: str
) -> Iterator[None]:
    """A program of Osmocom, from when its port answers until the test's end."""
    (folder / f"{name}.cfg").write_text(config)
    with (folder / f"{name}.log").open("wb") as log:
        program = shutil.which(name)
        assert program
        process = subprocess.Popen(
            [program, "-c", str(folder / f"{name}.cfg"), *options],
            cwd=folder, stdout=log, stderr=log, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", **environment},
        )  # fmt: skip
    try:
        connect(*ready).close()
        yield
    finally:
        process.kill()
        process.wait()


def connect(host: str, port: int, source: str = "") -> socket.socket:
    """A connection as soon as somebody listens there."""
    for _ in range(1200):
        try:
            return socket.create_connection((host, port), LONGEST_S, source_address=(source, 0) if source else None)
        except ConnectionRefusedError:
            threading.Event().wait(0.05)
    raise AssertionError(f"nothing listens on {host} port {port}")


def read_exactly(link: socket.socket, size: int) -> bytes:
    octets = b""
    while len(octets) < size:
        more = link.recv(size - len(octets))
        if not more:
            raise ConnectionError("the other side closed")
        octets += more
    return octets


@pytest.fixture
def lists(tmp_path: Path) -> tuple[str, ...]:
    rows = [(PHONE, "2020-01-01", "stolen"), ("00100100000002", "9999-01-01", "cloned")]
    return ("--list", str(write_list(tmp_path, "blocklist", *rows, key=SIGNER)), "--trust", SIGNER.public.format())


def sctp_as_tcp(folder: Path) -> str:
    """The library that turns SCTP sockets into TCP, compiled."""
    library = folder / "sctp_as_tcp.so"
    build = [str(COMPILER), "-shared", "-fPIC", "-O1", "-o", library, HERE / "sctp_as_tcp.c", "-ldl"]
    subprocess.run(build, check=True, timeout=2 * LONGEST_S)
    return str(library)


# ---------------------------------------------------------------------------------------------------------------- osmo-stp


class Msc:
    """The other ASP of the gateway: asks through it."""

    def __init__(self, link: socket.socket) -> None:
        self.link = link
        self.link.sendall(msc.m3ua(0x0301))
        self.wait_for(0x0304)
        self.link.sendall(msc.m3ua(0x0401, msc.parameter(0x000B, 2), msc.parameter(0x0006, 1)))
        self.wait_for(0x0403)

    def wait_for(self, kind: int) -> dict[int, bytes]:
        while True:
            head = read_exactly(self.link, 8)
            [(found, parameters)] = msc.read_m3ua(head + read_exactly(self.link, int.from_bytes(head[4:], "big") - 8))
            assert found != 0, parameters  # ERR
            if found == kind:
                return parameters

    def ask(self, tcap: bytes):
        self.link.sendall(msc.data(msc.udt(tcap), opc=1, dpc=2, context=1))
        said = self.wait_for(0x0101)[0x0210]
        assert said[:8] == bytes.fromhex("00000002 00000001")
        return msc.decode(msc.read_udt(said[12:])[2])


@pytest.mark.skipif(not shutil.which("osmo-stp"), reason="osmo-stp is not installed")
@pytest.mark.skipif(not COMPILER, reason="no C compiler for the library that turns SCTP into TCP")
def test_an_msc_asks_through_osmo_stp_in_all_versions(tmp_path: Path, lists: tuple[str, ...]):
    library = sctp_as_tcp(tmp_path)
    with (
        daemon(tmp_path, "osmo-stp", STP_CONFIG, (STP, 2905), LD_PRELOAD=library),
        served(tmp_path / "home", *lists, "--m3ua", f"{STP}:2905", "--m3ua-routing-context", "7") as eir,
        connect(STP, 2905, MSC) as link,
    ):
        eir.wait_for("gateway link", state="active")
        asking = Msc(link)
        for version in (1, 2, 3):
            for number, said in ((1, "blackListed"), (2, "greyListed"), (9, ("local", 7))):
                kind, end = asking.ask(msc.question(version, f"0010010000000{number}0"))
                [(_, (form, component))] = end["components"]
                found = component["result"]["result"][1] if form == "returnResult" else component["errcode"]
                wrapped = version == 3 and form == "returnResult"
                assert (kind, found) == ("end", {"equipmentStatus": said} if wrapped else said)
        kind, _ = asking.ask(msc.begin(4, msc.invoke(msc.argument(3))))
        assert kind == "abort"
        assert PHONE not in str(eir.log)


# ---------------------------------------------------------------------------------------------------------------- osmo-hlr

NAME = "MSC-00-00-00-00-00-01"


def read_ipa(link: socket.socket) -> bytes:
    head = read_exactly(link, 3)
    return head[2:] + read_exactly(link, int.from_bytes(head[:2], "big"))


@pytest.mark.skipif(not shutil.which("osmo-hlr"), reason="osmo-hlr is not installed")
def test_osmo_hlr_greets_a_network_through_us_and_we_answer_its_checks(tmp_path: Path, lists: tuple[str, ...]):
    """The network's side is made here, after what osmo-msc sends; the HLR is Osmocom's."""
    database = str(tmp_path / "hlr.db")
    with (
        daemon(tmp_path, "osmo-hlr", HLR_CONFIG, (HLR, 4222), "-l", database),
        served(tmp_path / "home", *lists, "--gsup", f"{PROXY}:0", "--hlr", f"{HLR}:4222") as eir,
    ):
        port = eir.wait_for("listening", interface="gsup")["port"]
        with connect(PROXY, port) as link:
            assert read_ipa(link)[:2] == b"\xfe\x04"  # identity get, from the HLR itself
            parts = [(1, NAME), (0, NAME), (8, "0/0/0")]
            said = b"".join(bytes([0, len(text) + 2, tag]) + text.encode() + b"\0" for tag, text in parts)
            link.sendall((len(said) + 1).to_bytes(2, "big") + b"\xfe\x05" + said)
            link.sendall(check(1) + frame(bytes.fromhex("04 01 08 00010100000000f1 28 01 02")) + check(2) + check(9))
            answers = sorted((read_ipa(link)[2:] for _ in range(4)), key=len)
        ours = [each[11:14] for each in answers if each[0] == 0x32]
        assert ours == [b"\x51\x01\x01", b"\x51\x01\x00", b"\x51\x01\x00"]
        # Update Location of a subscriber whom the HLR does not know: its own error, its own cause (2: IMSI unknown).
        [theirs] = [each for each in answers if each[0] != 0x32]
        assert theirs[:11] == bytes.fromhex("05 01 08 00010100000000f1")
        assert b"\x02\x01\x02" in theirs
    assert NAME in (tmp_path / "osmo-hlr.log").read_text("utf-8", "replace")


# ---------------------------------------------------------------------------------------------------------------- osmo-msc

MSC_HOST, BSC_HOST = "127.0.0.89", "127.0.0.90"
MSC_PC, BSC_PC = 185, 1  # 0.23.1 and 0.0.1
MSC_CONFIG = f"""
line vty
 bind {MSC_HOST}
ctrl
 bind {MSC_HOST}
network
 network country code 001
 mobile network code 01
 encryption a5 0
 authentication optional
cs7 instance 0
 point-code 0.23.1
 asp bsc 2905 0 m3ua
  remote-ip {BSC_HOST}
  sctp-role client
 as bsc m3ua
  asp bsc
  routing-key 3 0.23.1
smpp
 local-tcp-ip {MSC_HOST} 2775
sgs
 local-ip {MSC_HOST}
msc
 check-imei-rqd early
hlr
 remote-ip {PROXY}
 remote-port 4222
"""


class Bsc:
    """A BSC with one phone, speaking to osmo-msc: M3UA as its gateway, SCCP connections, BSSMAP and a little of TS 24.008."""

    def __init__(self, link: socket.socket) -> None:
        self.link = link
        self.link.settimeout(LONGEST_S)
        self.read(0x0301)
        inactive = msc.m3ua(0x0001, msc.parameter(0x000D, 0x00010002), msc.parameter(0x0006, 3))
        self.link.sendall(msc.m3ua(0x0304) + inactive)  # osmo-msc waits for the notification
        self.read(0x0401)
        self.link.sendall(msc.m3ua(0x0403, msc.parameter(0x0006, 3)))
        self.link.sendall(msc.m3ua(0x0001, msc.parameter(0x000D, 0x00010003), msc.parameter(0x0006, 3)))
        address = [bytes([0x43]) + code.to_bytes(2, "little") + b"\xfe" for code in (MSC_PC, BSC_PC)]
        self.called, self.calling = address
        self.send(
            msc.udt(bytes.fromhex("00 04 30 04 01 20"), called=self.called, calling=self.calling, protocol_class=0)
        )
        while b"\x00\x01\x31" not in self.read_user():  # reset, acknowledged
            pass

    def read(self, kind: int) -> dict[int, bytes]:
        while True:
            head = read_exactly(self.link, 8)
            [(found, parameters)] = msc.read_m3ua(head + read_exactly(self.link, int.from_bytes(head[4:], "big") - 8))
            if found == 0x0303:
                self.link.sendall(msc.m3ua(0x0306))
            if found == kind:
                return parameters

    def send(self, user: bytes) -> None:
        self.link.sendall(msc.data(user, opc=BSC_PC, dpc=MSC_PC, context=3))

    def read_user(self) -> bytes:
        return self.read(0x0101)[0x0210][12:]

    def attach(self, imsi: str, imeisv: str, reference: int) -> int:
        """The cause with which a location update is refused (TS 24.008 §10.5.3.6)."""
        ours = reference.to_bytes(3, "big")
        update = bytes.fromhex("0508 72 00f110fffe 33") + self.identity(imsi, 9)
        layer3 = bytes.fromhex("57 05 08 00 00f110 0001 0001 17") + bytes([len(update)]) + update
        optional = b"\x04\x04" + self.calling + b"\x0f" + bytes([len(layer3) + 2, 0, len(layer3)]) + layer3 + b"\0"
        self.send(b"\x01" + ours + bytes([2, 2, 2 + len(self.called), len(self.called)]) + self.called + optional)
        theirs = b""
        while True:
            said = self.read_user()
            if said[1:4] != ours:
                continue
            if said[0] == 0x02:  # connection confirm
                theirs = said[4:7]
            elif b"\x05\x18\x03" in said:  # identity request: IMEISV
                answer = b"\x05\x59" + self.identity(imeisv, 3)  # the second message of the phone: N(SD) is 1
                data = b"\x01\x00" + bytes([len(answer)]) + answer
                self.send(b"\x06" + theirs + bytes([0, 1, len(data)]) + data)
            elif b"\x05\x04" in said:  # location updating reject
                return said[said.index(b"\x05\x04") + 2]

    @staticmethod
    def identity(digits: str, kind: int) -> bytes:
        """A mobile identity; kind 9: an IMSI of an odd number of digits, 3: an IMEISV. Source: TS 24.008 §10.5.1.4."""
        rest = msc.tbcd(digits[1:])
        return bytes([1 + len(rest), int(digits[0]) << 4 | kind]) + rest


def bsc_of(gateway: socket.socket) -> Bsc:
    """osmo-msc opens its link twice while it reads its configuration; the second one stays."""
    while True:
        link, _ = gateway.accept()
        try:
            return Bsc(link)
        except ConnectionError:
            link.close()


@pytest.mark.skipif(
    not all(map(shutil.which, ("osmo-hlr", "osmo-msc"))), reason="osmo-hlr and osmo-msc are not installed"
)
@pytest.mark.skipif(not COMPILER, reason="no C compiler for the library that turns SCTP into TCP")
def test_a_phone_at_a_real_msc_is_refused_as_illegal_when_blocked_and_by_its_hlr_otherwise(
    tmp_path: Path, lists: tuple[str, ...]
):
    """Cause 6 is "illegal ME". Cause 2, "IMSI unknown in HLR", only osmo-hlr can have said: so the phone had passed us."""
    with (
        daemon(tmp_path, "osmo-hlr", HLR_CONFIG, (HLR, 4222), "-l", str(tmp_path / "hlr.db")),
        served(tmp_path / "home", *lists, "--gsup", f"{PROXY}:4222", "--hlr", f"{HLR}:4222") as eir,
        socket.create_server((BSC_HOST, 2905)) as gateway,
    ):
        eir.wait_for("listening", interface="gsup")
        gateway.settimeout(LONGEST_S)
        with daemon(tmp_path, "osmo-msc", MSC_CONFIG, (MSC_HOST, 4254), LD_PRELOAD=sctp_as_tcp(tmp_path)):
            eir.wait_for("network joined to its HLR")
            bsc = bsc_of(gateway)
            with bsc.link:
                causes = [
                    bsc.attach(f"00101000000000{number}", imei + "01", 1 + number)
                    for number, imei in enumerate((PHONE, "00100100000002", "00100100000009", PHONE))
                ]
    assert causes == [6, 2, 2, 6]
