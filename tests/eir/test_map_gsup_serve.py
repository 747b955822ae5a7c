"""`openceir eir serve` with its 2G and 3G doors open: one list, swapped under all of them, one page of metrics."""

import signal
import socket
from http.client import HTTPConnection
from pathlib import Path

from openceir.eir.records import read_records
from wire import an_msc as msc

from .conftest import SIGNER
from .running import LONGEST_S
from .test_gsup import check
from .test_serve import ask, served
from .test_source import PHONE, write_list


def take_up(gateway: socket.socket) -> socket.socket:
    """The link of the EIR, brought up."""
    link, _ = gateway.accept()
    link.settimeout(LONGEST_S)
    for acknowledged in (0x0304, 0x0403):
        assert link.recv(4096)
        link.sendall(msc.m3ua(acknowledged))
    return link


def status_over_map(link: socket.socket) -> object:
    link.sendall(msc.data(msc.udt(msc.question(2))))
    [(_, parameters)] = msc.read_m3ua(link.recv(4096))
    _, end = msc.decode(msc.read_udt(parameters[0x0210][12:])[2])
    [(_, (form, said))] = end["components"]
    return said["result"]["result"][1] if form == "returnResult" else said["errcode"]


def result_over_gsup(link: socket.socket) -> int:
    link.sendall(check(1))
    return link.recv(4096)[17]


def test_a_new_list_is_answered_from_at_every_door(tmp_path: Path):
    listed = write_list(tmp_path, "blocklist", (PHONE, "2020-01-01", "stolen"), key=SIGNER)
    records = tmp_path / "records"
    with socket.create_server(("127.0.0.1", 0)) as gateway, socket.create_server(("127.0.0.1", 0)) as hlr:
        gateway.settimeout(LONGEST_S)
        hlr.settimeout(LONGEST_S)
        with served(
            tmp_path / "home", "--list", str(listed), "--trust", SIGNER.public.format(), "--records", str(records),
            "--m3ua", f"127.0.0.1:{gateway.getsockname()[1]}", "--gsup", "127.0.0.1:0",
            "--hlr", f"127.0.0.1:{hlr.getsockname()[1]}",
        ) as eir:  # fmt: skip
            port = eir.wait_for("listening", transport="tcp")["port"]
            gsup_port = eir.wait_for("listening", interface="gsup")["port"]
            pages = eir.wait_for("listening", transport="http")["port"]
            stp = take_up(gateway)
            network = socket.create_connection(("127.0.0.1", gsup_port), LONGEST_S)
            behind, _ = hlr.accept()
            with stp, network, behind:
                assert (status_over_map(stp), result_over_gsup(network)) == ("blackListed", 1)
                write_list(tmp_path, "blocklist", key=SIGNER)
                eir.process.send_signal(signal.SIGHUP)
                eir.wait_for("list swapped", devices=0)
                assert (status_over_map(stp), result_over_gsup(network)) == (("local", 7), 0)
                assert ask(port, imsi=None) is None
                link = HTTPConnection("127.0.0.1", pages)
                link.request("GET", "/metrics")
                metrics = link.getresponse().read().decode()
                link.close()
                for interface in ("map", "gsup"):
                    assert f'openceir_eir_checks_total{{interface="{interface}",outcome="blocked"}} 1\n' in metrics
                    assert f'openceir_eir_checks_total{{interface="{interface}",outcome="unknown"}} 1\n' in metrics
                assert "openceir_eir_map_links_active 1\n" in metrics
                assert "openceir_eir_gsup_networks 1\n" in metrics
                # It leaves in order: the gateway is told before the link ends.
                eir.process.terminate()
                kinds = [kind for kind, _ in msc.read_m3ua(stp.recv(4096))]
                stp.sendall(msc.m3ua(0x0305))
                assert kinds == [0x0402, 0x0302]
    assert PHONE not in str(eir.log)
    assert "001010000000001" not in str(eir.log)
    asked = list(read_records(records))
    assert [each.decision.status.name for each in asked] == ["BLOCKED", "BLOCKED", "UNKNOWN", "UNKNOWN", "UNKNOWN"]
    assert all(each.device == int(PHONE) for each in asked)
