"""A dump arrives in parts over lines that are cut, and is imported once."""

import gc
import gzip
import hashlib
import os
import signal
import subprocess
import sys
import textwrap
import tracemalloc
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.handlers.wsgi import LimitedStream

from a_country import ALICE, ALICES_PHONE
from openceir.portal.accounts.models import Act
from openceir.portal.accounts.roles import PortalRole
from openceir.portal.operators.chores import import_arrived
from openceir.portal.operators.dumps import drop_old, take
from openceir.portal.operators.models import Dump
from openceir.portal.register import register

NAME = "northtel_20270201_20270201.csv"
ROWS = (
    "date,imei,imsi,msisdn,rat\n"
    + "".join(f"20270201,{ALICES_PHONE},{ALICE[0]},{ALICE[1]},006\n" for _ in range(99))
    + f"20270201,{ALICES_PHONE},not-a-number,{ALICE[1]},006\n"
).encode()


@pytest.fixture
def ole(client_of):
    return client_of("ole", PortalRole.OPERATOR)


def begin(client, octets=ROWS, name=NAME, **more):
    return client.post("/operators/dumps/begin/", {"name": name, "size": len(octets), **more}).json()


def send(client, begun, part, offset):
    return client.patch(
        begun["octets"], part, content_type="application/octet-stream", headers={"Upload-Offset": str(offset)}
    )


def test_a_part_leaves_no_buffer_behind_until_the_collector_comes_by(country, ole):
    """The collector may stay away for hundreds of requests, and each would hold what its server had read last."""
    begun, kept = begin(ole), []
    gc.collect()
    gc.disable()
    try:
        for at in range(20):
            send(ole, begun, ROWS[at : at + 1], at)
            kept.append(sum(type(one) is LimitedStream for one in gc.get_objects()))
    finally:
        gc.enable()
    assert kept[-1] <= kept[0]


def test_parts_become_sightings_and_the_rows_set_aside_can_be_fetched(country, ole):
    sha256 = hashlib.sha256(ROWS).hexdigest()
    begun = begin(ole, sha256=sha256.upper())
    assert begun["offset"] == 0
    first = send(ole, begun, ROWS[:50], 0)
    assert (first.status_code, first["Upload-Offset"]) == (204, "50")
    assert ole.head(begun["octets"])["Upload-Offset"] == "50"
    assert begin(ole, sha256=sha256)["offset"] == 50  # the same file chosen again goes on, it is not begun twice
    send(ole, begun, ROWS[50:], 50)
    assert import_arrived() == 1
    dump = Dump.objects.get()
    assert (dump.state, dump.found_sha256, dump.report["rows"], dump.report["accepted"]) == (
        "imported",
        sha256,
        100,
        99,
    ), dump.failure
    assert not list((country.home / "portal" / "dumps").glob("*/*"))  # it names subscribers: erased
    page = ole.get(begun["page"]).content.decode()
    assert "Fetch the reject report" in page
    answer = ole.get(f"{begun['page']}rejects/")
    assert "not-a-number" in gzip.decompress(b"".join(answer.streaming_content)).decode()
    answer.close()
    assert Act.objects.filter(verb="operators.read-rejects", subject=f"dump-{dump.pk}").exists()


def test_a_whole_file_is_taken_without_a_script(country, ole):
    answer = ole.post("/operators/dumps/", {"file": SimpleUploadedFile(NAME, ROWS)})
    assert answer.status_code == 302
    import_arrived()
    assert "imported" in ole.get(answer.url).content.decode()


def test_the_same_contents_again_change_nothing(country, ole):
    for name in (NAME, "northtel_again_20270201_20270201.csv"):
        ole.post(
            "/operators/dumps/", {"file": SimpleUploadedFile(name, ROWS), "since": "2027-02-01", "until": "2027-02-01"}
        )
        import_arrived()
    assert [dump.report["already"] for dump in Dump.objects.order_by("pk")] == [False, True]


def test_a_part_that_begins_elsewhere_is_told_where_to_go_on(ole):
    begun = begin(ole)
    send(ole, begun, ROWS[:20], 0)
    wrong = send(ole, begun, ROWS[:20], 0)  # sent twice: nothing is twice in the file
    assert (wrong.status_code, wrong["Upload-Offset"]) == (409, "20")
    assert send(ole, begun, b"x" * len(ROWS), 20).status_code == 423  # more than the file was said to have
    assert send(ole, begun, b"x", "minus").status_code == 400


class Broken:
    """A connection that is cut after some octets."""

    def __init__(self, octets):
        self.octets = octets

    def read(self, size=-1):
        if not self.octets:
            raise ConnectionResetError
        given, self.octets = self.octets[:size], self.octets[size:]
        return given


def test_what_came_before_the_cut_counts(ole):
    begun = begin(ole)
    dump = Dump.objects.get()
    with pytest.raises(ConnectionResetError):
        take(dump, 0, Broken(ROWS[:33]))
    assert ole.head(begun["octets"])["Upload-Offset"] == "33"
    send(ole, begun, ROWS[33:], 33)
    import_arrived()
    assert Dump.objects.get().report["rows"] == 100


def test_what_a_killed_writer_left_behind_the_count_is_cut_off(country, ole):
    """kill -9 in the middle of a part: octets are on the disk that no row counts."""
    begun = begin(ole)
    send(ole, begun, ROWS[:20], 0)
    dump = Dump.objects.get()
    path = country.home / "portal" / "dumps" / str(dump.pk) / dump.name
    writer = textwrap.dedent(f"""
        import fcntl, os, time
        file = open({str(path)!r}, "r+b", buffering=0)
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(20)
        file.write(b"rubbish that was never counted" * 100)
        print("written", flush=True)
        time.sleep(600)
    """)
    with subprocess.Popen([sys.executable, "-c", writer], stdout=subprocess.PIPE) as killed:
        assert killed.stdout.readline() == b"written\n"
        assert send(ole, begun, ROWS[20:], 20).status_code == 423  # another connection sends it
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait(30)
    assert ole.head(begun["octets"])["Upload-Offset"] == "20"
    assert send(ole, begun, ROWS[20:], 20).status_code == 204
    import_arrived()
    assert Dump.objects.get().found_sha256 == hashlib.sha256(ROWS).hexdigest()


def test_an_upload_needs_one_piece_of_memory_whatever_its_size(ole):
    class Zeros:
        left = 96 << 20

        def read(self, size=-1):
            given = min(size, self.left)
            self.left -= given
            return bytes(given)

    ole.post("/operators/dumps/begin/", {"name": NAME, "size": 96 << 20})
    dump = Dump.objects.get()
    tracemalloc.start()
    take(dump, 0, Zeros())
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert dump.state == "arrived"
    assert most < 4 << 20


def test_another_digest_than_was_said_refuses_the_dump(country, ole):
    begun = begin(ole, sha256="0" * 64)
    send(ole, begun, ROWS, 0)
    import_arrived()
    assert Dump.objects.get().state == "refused"
    assert "another SHA-256" in ole.get(begun["page"]).content.decode()
    assert not list((country.home / "portal" / "dumps").glob("*/*"))


@pytest.mark.parametrize(
    "octets", [b"%PDF-1.7 not a table", b"MZ\x90 a program", b"\x1f\x8b\x08broken", b"no,columns\n1,2\n"]
)
def test_what_is_no_dump_is_refused_in_words(ole, octets):
    begun = begin(ole, octets)
    send(ole, begun, octets, 0)
    import_arrived()
    dump = Dump.objects.get()
    assert dump.state == "refused"
    assert dump.failure


def test_a_bomb_is_refused(country, ole):
    from openceir.intake import bounds_of

    bounds = bounds_of(register().policy, Dump().begun_at.date())
    size = int(bounds.expansion_ratio * 2 * (64 << 20) // 200)
    octets = gzip.compress(b"date,imei,imsi,msisdn,rat\n" + b"\n" * size, 9)
    begun = begin(ole, octets, NAME + ".gz")
    send(ole, begun, octets, 0)
    import_arrived()
    assert Dump.objects.get().state == "refused"


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"name": "../../etc/passwd.csv"}, "letters"),
        ({"name": "dump.csv"}, "day"),
        ({"name": NAME, "sha256": "xyz"}, "SHA-256"),
        ({"name": "northtel_20270230_20270301.csv"}, "calendar"),
        ({"name": NAME, "size": 1 << 49}, "room"),
    ],
)
def test_what_cannot_be_begun_is_told_why(ole, told, why):
    answer = ole.post("/operators/dumps/begin/", {"size": 10, **told})
    assert answer.status_code == 400
    assert why in str(answer.json()["errors"])
    assert not Dump.objects.exists()


def test_a_dump_belongs_to_one_operator(ole, client_of):
    begun = begin(ole)
    other = client_of("sue", PortalRole.OPERATOR, office="southtel")
    assert other.get(begun["page"]).status_code == 403
    assert other.head(begun["octets"]).status_code == 403
    assert send(other, begun, ROWS, 0).status_code == 403
    assert client_of("ann", PortalRole.POLICE_OFFICER).get("/operators/dumps/").status_code == 403
    assert Dump.objects.get().received_octets == 0


def test_a_dump_is_given_up_or_forgotten_after_a_week(country, ole, clock):
    for number in range(2):
        begin(ole, name=f"northtel_{number}_20270201_20270201.csv")
    first, _ = Dump.objects.order_by("pk")
    assert ole.post(f"/operators/dumps/{first.pk}/").status_code == 302
    assert drop_old(clock.at + timedelta(days=6)) == 0
    assert drop_old(clock.at + timedelta(days=8)) == 1
    assert set(Dump.objects.values_list("state", flat=True)) == {"dropped"}
    assert not list((country.home / "portal" / "dumps").glob("*"))


def test_eight_dumps_may_arrive_at_once(ole):
    for number in range(8):
        begin(ole, name=f"northtel_{number}_20270201_20270201.csv")
    assert "Eight dumps" in str(begin(ole, name="northtel_9_20270201_20270201.csv"))
