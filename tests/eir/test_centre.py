"""An EIR that follows a centre: deltas, gaps, broken transfers, torn files, kills; all within one process."""

import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from openceir import clock
from openceir.app import open_register
from openceir.eir import Decider, DecisionPolicy, Overlay, Status, open_index
from openceir.eir.centre import Centre, CentreAway, CentreRefused
from openceir.eir.changes import changes_beside, changes_over
from openceir.eir.decision import DECISIONS
from openceir.eir.errors import IndexRefused
from openceir.eir.follow import Follower
from openceir.eir.held import Held
from openceir.eir.source import build_from_lists
from openceir.http import make_operators_application
from openceir.statements import DevicePaired, Pair
from openceir.storage import files as storage_files

from .a_centre import ALICES_PHONE, BOBS_PHONE, SPARE_PHONE, ACentre, shown


@pytest.fixture(scope="session")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A centre that has ordered one block, to be copied: making one costs more than most tests here."""
    made = ACentre(tmp_path_factory.mktemp("first") / "centre")
    made.steals(ALICES_PHONE)
    made.makes_lists()
    made.register.ledger.close()
    made.register.database.close()
    return made.home


@pytest.fixture
def centre(tmp_path: Path, first_run: Path) -> ACentre:
    shutil.copytree(first_run, tmp_path / "centre")
    return ACentre(tmp_path / "centre")


class AnEir:
    """One EIR's folder, opened as a process opens it."""

    def __init__(self, folder: Path, centre: ACentre, transport: httpx.BaseTransport | None = None) -> None:
        self.folder, self.a_centre = folder, centre
        self.transport = transport
        self.start()

    def start(self) -> None:
        self.held = Held(self.folder, self.a_centre.trust)
        self.held.recover(clock.now())
        self.follower = Follower(self.held, self.a_centre.centre(self.transport))

    def pulls(self):
        done = self.follower.take(self.follower.centre.announced(), clock.now())
        self.follower.acknowledge()
        return done

    def says(self, imei: str, imsi: str = "") -> Status:
        index = open_index(self.held.index_path, accept_unsigned=True)  # and what stands beside it, as a door does
        asked = (int(imei), int(f"1{imsi}") if imsi else 0)
        return DECISIONS[Decider(index, changes_over(index), DecisionPolicy()).decide(*asked)].status

    def lists(self) -> dict[str, bytes]:
        return {path.name.split("_")[1]: path.read_bytes() for path in (self.folder / "lists").glob("*.csv")}


@pytest.fixture
def eir(tmp_path: Path, centre: ACentre) -> AnEir:
    made = AnEir(tmp_path / "eir", centre)
    made.pulls()
    return made


def delivered(centre: ACentre) -> dict[str, bytes]:
    runs, found = centre.register.list_runs, {}
    for kind in ("blocklist", "blockranges", "pairblocks", "exceptions"):
        found[kind] = runs.files_of(runs.newest("northtel", kind)).rows.read_bytes()
    return found


def test_the_first_look_takes_every_list_whole_and_says_so(centre, eir):
    assert eir.says(ALICES_PHONE) is Status.BLOCKED
    assert eir.lists() == delivered(centre)
    said = {one.kind: one.sequence for one in centre.register.list_runs.acknowledgements()}
    assert said == {"blocklist": 1, "blockranges": 1, "pairblocks": 1, "exceptions": 1}


def test_the_next_look_takes_deltas_and_holds_what_others_were_given_whole(centre, eir):
    centre.steals(BOBS_PHONE)
    centre.finds(ALICES_PHONE)
    centre.makes_lists()
    done = eir.pulls()
    assert (set(done.by_delta), done.whole, done.notes) == (
        {"blocklist", "blockranges", "pairblocks", "exceptions"},
        (),
        (),
    )
    assert (eir.says(ALICES_PHONE), eir.says(BOBS_PHONE)) == (Status.UNKNOWN, Status.BLOCKED)
    assert eir.lists() == delivered(centre)
    assert not eir.pulls().changed


def test_missed_runs_cost_one_delta_from_the_number_that_is_held(centre, eir):
    for phone in (BOBS_PHONE, SPARE_PHONE):
        centre.steals(phone)
        centre.makes_lists()
    done = eir.pulls()
    # lists of subscribers go back one run only: what names them is not kept beside the runs
    assert (set(done.by_delta), set(done.whole)) == ({"blocklist", "blockranges"}, {"pairblocks", "exceptions"})
    assert eir.held.headers["blocklist"].sequence == 3
    assert eir.lists() == delivered(centre)


def test_a_number_that_is_not_kept_any_more_costs_a_full_list(centre, eir):
    centre.steals(BOBS_PHONE)
    centre.makes_lists()
    runs = centre.register.list_runs
    runs.prune([file for file in runs.history() if file.sequence == 1 or file.base])
    done = eir.pulls()
    assert set(done.whole) == {"blocklist", "blockranges", "pairblocks", "exceptions"}
    assert eir.says(BOBS_PHONE) is Status.BLOCKED


def test_a_torn_list_is_found_at_the_start_and_fetched_anew(centre, eir):
    [path] = (eir.folder / "lists").glob("*_blocklist_*.csv")
    path.write_bytes(path.read_bytes()[:-5])
    eir.start()
    assert "blocklist" not in eir.held.headers
    assert eir.pulls().whole == ("blocklist",)
    assert eir.says(ALICES_PHONE) is Status.BLOCKED


def test_without_the_centre_a_torn_list_costs_no_block(centre, eir):
    """The index still has what the list has lost; it serves on, the next day too, until the list is fetched anew."""
    [path] = (eir.folder / "lists").glob("*_blocklist_*.csv")
    path.write_bytes(b"")
    for days in (0, 1, 2):
        eir.held.recover(clock.now() + timedelta(days=days))
        assert eir.says(ALICES_PHONE) is Status.BLOCKED
    assert eir.pulls().whole == ("blocklist",)
    assert eir.held.lost == set()
    assert eir.held.keep_index_of(clock.now() + timedelta(days=3))


@pytest.mark.parametrize(
    "octets", [b"", b"{", b'{"lists": {"blocklist": "nothing"}, "pending": {}, "lost": []}', b"\xff\x00"]
)
def test_a_state_that_cannot_be_read_costs_full_lists_and_no_answer(centre, eir, octets):
    (eir.folder / "held.json").write_bytes(octets)
    eir.start()
    assert eir.says(ALICES_PHONE) is Status.BLOCKED  # the index serves on
    eir.pulls()
    assert eir.lists() == delivered(centre)


def test_a_torn_index_is_made_anew_from_the_lists(centre, eir):
    octets = eir.held.index_path.read_bytes()
    eir.held.index_path.write_bytes(octets[: len(octets) // 2])
    eir.start()
    assert eir.says(ALICES_PHONE) is Status.BLOCKED


def test_an_older_list_is_never_taken(centre, eir, tmp_path):
    """A centre restored from an old copy, or someone who plays an old answer again."""
    shutil.copytree(centre.home, tmp_path / "old")
    centre.finds(ALICES_PHONE)
    centre.steals(BOBS_PHONE)
    centre.makes_lists()
    eir.pulls()
    at = clock.now()
    copy = open_register(tmp_path / "old")
    token = copy.tokens.make(
        "again", "operator", at=at, expires_at=at + timedelta(days=1), operator="northtel",
        certificate="northtel.example",
    )  # fmt: skip
    door = httpx.WSGITransport(shown(make_operators_application(copy.home, centre.settings), "northtel"))
    old = Follower(eir.held, Centre(centre.client(token, door), "northtel", centre.trust))
    done = old.take(old.centre.announced(), at)
    assert (done.changed, len(done.notes)) == (False, 4)
    assert eir.says(BOBS_PHONE) is Status.BLOCKED


class Cutting(httpx.BaseTransport):
    """Breaks every transfer of rows off after so many octets."""

    def __init__(self, inner: httpx.BaseTransport, after: int) -> None:
        self.inner, self.after, self.ranges = inner, after, []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self.inner.handle_request(request)
        if "full" not in request.url.path:
            return answer
        self.ranges.append(request.headers.get("Range"))
        octets, after = answer.read(), self.after

        class Stream(httpx.SyncByteStream):
            def __iter__(self):
                yield octets[:after]
                if len(octets) > after:
                    raise httpx.ReadError("cut")

        return httpx.Response(answer.status_code, headers=answer.headers, stream=Stream())


def test_fifty_thousand_changes_travel_in_a_quarter_of_a_megabyte(centre, eir):
    """By columns, as the EIR asks; as rows, for an EIR of before, unpacked by RFC 8878's reference implementation."""
    tacs = [35_000_000 + 499 * n for n in range(2000)]
    centre.steals(*(f"{tacs[n * 7 % 2000]:08}{n * 104_729 % 1_000_000:06}" for n in range(50_000)))
    centre.makes_lists()
    path = "/v1/operators/northtel/lists/blocklist/delta?base=1"
    tags = set()
    for asked, form in (("x-openceir-columns-1, zstd", "x-openceir-columns-1"), ("gzip, zstd", "zstd")):
        with centre.client().stream("GET", path, headers={"Accept-Encoding": asked}) as answer:
            octets, fields = b"".join(answer.iter_raw()), answer.headers
        assert fields["Content-Encoding"] == form
        assert len(octets) <= (160_000 if form != "zstd" else 260_000)
        tags.add(fields["ETag"])
    plain = centre.client().get(path, headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    assert len(tags | {plain.headers["ETag"]}) == 3
    if (zstd := shutil.which("zstd")) is not None:
        assert subprocess.run([zstd, "-dc"], input=octets, capture_output=True, check=True).stdout == plain.content
    assert "blocklist" in eir.pulls().by_delta
    assert eir.lists() == delivered(centre)


def test_what_names_subscribers_is_never_kept_compressed(centre, eir):
    centre.steals(BOBS_PHONE)
    centre.makes_lists()
    for kind in ("pairblocks", "exceptions"):
        path = f"/v1/operators/northtel/lists/{kind}/delta?base=1"
        accepts = {"Accept-Encoding": "x-openceir-columns-1, zstd"}
        assert "Content-Encoding" not in centre.client().get(path, headers=accepts).headers
    eir.pulls()
    kept = {path.name.split("_")[1] for path in (centre.home / "lists" / "asked").rglob("*.*")}
    assert kept == {"blocklist", "blockranges"}


def test_a_broken_transfer_is_gone_on_with_where_it_broke(centre, tmp_path):
    cutting = Cutting(httpx.WSGITransport(centre.door), after=40)
    eir = AnEir(tmp_path / "eir", centre, cutting)
    tries = 0
    while not eir.held.headers and tries < 40:
        tries += 1
        try:
            eir.pulls()
        except CentreAway:
            continue
    assert eir.lists() == delivered(centre)
    assert "bytes=40-" in cutting.ranges


class Altering(httpx.BaseTransport):
    """Flips one octet of every delta."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self.inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self.inner.handle_request(request)
        if "delta" not in request.url.path:
            return answer
        octets = bytearray(answer.read())
        octets[-3] ^= 1
        return httpx.Response(answer.status_code, headers=answer.headers, stream=httpx.ByteStream(bytes(octets)))


def test_an_altered_delta_is_not_taken_and_the_full_list_is(centre, eir):
    eir.transport = Altering(httpx.WSGITransport(centre.door))
    eir.start()
    centre.steals(BOBS_PHONE)
    centre.makes_lists()
    done = eir.pulls()
    assert set(done.whole) == {"blocklist", "blockranges", "pairblocks", "exceptions"}
    assert len(done.notes) == 4
    assert eir.lists() == delivered(centre)


def test_a_list_signed_by_another_is_never_taken(centre, tmp_path):
    other = ACentre(tmp_path / "other")
    other.makes_lists()
    held = Held(tmp_path / "eir", other.trust)
    held.recover(clock.now())
    mixed = Centre(centre.client(), "northtel", other.trust)
    with pytest.raises(Exception, match="is not signed by the key"):
        Follower(held, mixed).take(mixed.announced(), clock.now())
    assert held.headers == {}
    assert not held.index_path.exists()


class Killed(BaseException):
    """The process is gone at this place."""


def kill_at(monkeypatch: pytest.MonkeyPatch, step: int) -> list[int]:
    """Die at the so-manieth write of a file, before it is in place."""
    steps = [0]
    write_beside = storage_files.write_beside

    def dying(path: Path, mode: int = 0o644):
        steps[0] += 1
        if steps[0] == step:
            raise Killed(str(path))
        return write_beside(path, mode)

    for module in ("openceir.storage.files", "openceir.storage.list_files", "openceir.eir._index_file"):
        monkeypatch.setattr(f"{module}.write_beside", dying)
    return steps


def test_killed_at_any_write_it_comes_back_to_what_was_delivered(centre, eir, tmp_path, monkeypatch):
    """Every write of every step, one after the other; after each the EIR answers as before or as after, never otherwise."""
    centre.steals(BOBS_PHONE)
    centre.finds(ALICES_PHONE)
    centre.makes_lists()
    before = tmp_path / "before"
    shutil.copytree(eir.folder, before)
    step, was_killed = 0, True
    while was_killed:
        step += 1
        assert step < 100
        folder = tmp_path / f"eir-{step}"
        shutil.copytree(before, folder)
        one = AnEir(folder, centre)
        with monkeypatch.context() as patched:
            kill_at(patched, step)
            try:
                one.pulls()
                was_killed = False
            except Killed:
                was_killed = True
        answers = (one.says(ALICES_PHONE), one.says(BOBS_PHONE))
        assert answers in {(Status.BLOCKED, Status.UNKNOWN), (Status.UNKNOWN, Status.BLOCKED)}
        one.start()  # the centre may be away: what is held must be whole by itself
        again = (one.says(ALICES_PHONE), one.says(BOBS_PHONE))
        assert again in {answers, (Status.UNKNOWN, Status.BLOCKED)}
        one.pulls()
        assert one.lists() == delivered(centre)
        assert (one.says(ALICES_PHONE), one.says(BOBS_PHONE)) == (Status.UNKNOWN, Status.BLOCKED)
        shutil.rmtree(folder)
    assert step > 10


def folding(monkeypatch: pytest.MonkeyPatch) -> None:
    """Die where the delta would be folded into the index."""

    def dies(*_, **__):
        raise Killed

    monkeypatch.setattr("openceir.eir.held.build", dies)


def test_a_delta_is_answered_before_it_is_folded_and_kept_until_it_is(centre, eir, monkeypatch):
    """kill -9 while it is folded, and again while that is made good: blocked all the time, and folded in the end."""
    centre.steals(BOBS_PHONE)
    centre.finds(ALICES_PHONE)
    centre.makes_lists()
    index = eir.held.index_path.read_bytes()
    with monkeypatch.context() as patched:
        folding(patched)
        with pytest.raises(Killed):
            eir.pulls()
        for _ in range(2):
            assert (eir.says(ALICES_PHONE), eir.says(BOBS_PHONE)) == (Status.UNKNOWN, Status.BLOCKED)
            assert eir.held.index_path.read_bytes() == index
            with pytest.raises(Killed):
                eir.start()
    eir.start()
    assert eir.held.index_path.read_bytes() != index
    assert not changes_beside(eir.held.index_path).exists()
    assert (eir.says(ALICES_PHONE), eir.says(BOBS_PHONE)) == (Status.UNKNOWN, Status.BLOCKED)
    eir.pulls()
    assert eir.lists() == delivered(centre)


def test_a_torn_file_of_changes_is_refused_and_made_good(centre, eir, monkeypatch):
    centre.steals(BOBS_PHONE)
    centre.makes_lists()
    with monkeypatch.context() as patched:
        folding(patched)
        with pytest.raises(Killed):
            eir.pulls()
    changes = changes_beside(eir.held.index_path)
    octets, index = changes.read_bytes(), open_index(eir.held.index_path, accept_unsigned=True)
    altered = [octets[:cut] for cut in range(len(octets))]
    altered += [octets[:at] + bytes([octets[at] ^ 1]) + octets[at + 1 :] for at in range(len(octets))]
    for each in altered:
        changes.write_bytes(each)
        with pytest.raises(IndexRefused):
            changes_over(index)
    eir.start()
    assert eir.says(BOBS_PHONE) is Status.BLOCKED
    assert not changes.exists()


def test_a_device_is_not_blocked_before_the_pairs_that_came_with_it(centre, eir, monkeypatch):
    """Whose pair is permitted would be told that his phone may not be used, and it would search for no network again."""
    at = clock.now()
    pair = DevicePaired(pairs=(Pair(imei=BOBS_PHONE, imsi="001010000000001", msisdn=None),), paired_at=at)
    centre.register.state([pair], by="regulator", at=at)
    centre.steals(BOBS_PHONE)
    centre.makes_lists()
    with monkeypatch.context() as patched:
        folding(patched)
        with pytest.raises(Killed):
            eir.pulls()
    assert eir.says(BOBS_PHONE) is Status.UNKNOWN
    eir.start()
    eir.pulls()
    assert (eir.says(BOBS_PHONE), eir.says(BOBS_PHONE, "001010000000001")) == (Status.BLOCKED, Status.PERMITTED)


def test_a_folded_index_says_what_one_made_anew_says(centre, eir, tmp_path):
    """The slow twin: the lists that are held, built from nothing."""
    phones = [f"{35_000_000 + n % 7:08}{n:06}" for n in range(60)]
    for turn in range(4):
        centre.steals(*phones[turn * 10 : turn * 10 + 20])
        if turn:
            centre.finds(*phones[turn * 10 : turn * 10 + 5])
        centre.makes_lists()
        assert "blocklist" in eir.pulls().by_delta
        twin = tmp_path / "twin.idx"
        lists = sorted((eir.folder / "lists").glob("*.csv"))
        build_from_lists(lists, twin, trust=None, key=None, as_of_on=clock.now().date(), issued_at=clock.now())
        made = open_index(twin, accept_unsigned=True)
        decide = Decider(made, Overlay(), DecisionPolicy()).decide
        for phone in (*phones, ALICES_PHONE, BOBS_PHONE):
            assert eir.says(phone) is DECISIONS[decide(int(phone))].status


def test_months_without_the_centre_change_nothing_but_blocks_whose_day_comes(eir):
    for days in (1, 30, 200):
        eir.held.recover(clock.now() + timedelta(days=days))
        assert eir.says(ALICES_PHONE) is Status.BLOCKED
        assert set(eir.held.headers) == {"blocklist", "blockranges", "pairblocks", "exceptions"}


# -- the door, message by message ----------------------------------------------------------------------------------


def test_an_operator_reads_its_own_lists_and_no_other_ones(centre):
    northtel, nobody = centre.client(), centre.client(centre.token("", role="operator"))
    police = centre.client(centre.token("", role="police"))
    for path in (
        "/lists",
        "/lists/wait?after=0",
        "/lists/blocklist/full",
        "/lists/blocklist/delta?base=1",
        "/queries/1",
    ):
        assert northtel.get(f"/v1/operators/southtel{path}").status_code == 403
        assert police.get(f"/v1/operators/northtel{path}").status_code == 403
        assert nobody.get(f"/v1/operators/northtel{path}").status_code == 403
    assert northtel.post("/v1/operators/southtel/acknowledgements", json={"lists": []}).status_code == 403
    assert northtel.get("/v1/operators/nonesuch/lists").status_code == 403
    assert (
        httpx.Client(transport=httpx.WSGITransport(centre.door)).get("http://x/v1/operators/northtel/lists").status_code
        == 401
    )


def test_a_list_can_be_fetched_in_parts(centre):
    client, whole = centre.client(), delivered(centre)["blocklist"]
    path = "/v1/operators/northtel/lists/blocklist/full"
    first = client.get(path)
    tag = first.headers["ETag"]
    part = client.get(path, headers={"Range": "bytes=10-19", "If-Range": tag})
    assert (part.status_code, part.content) == (206, whole[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(whole)}"
    other = client.get(path, headers={"Range": "bytes=10-19", "If-Range": '"other"'})
    assert (other.status_code, other.content) == (200, whole)
    assert client.get(path, headers={"Range": f"bytes={len(whole)}-"}).status_code == 416
    assert client.get(path, headers={"If-None-Match": tag}).status_code == 304
    head = client.head(path)
    assert (head.content, head.headers["Content-Length"]) == (b"", str(len(whole)))


def test_it_is_kept_when_an_operator_was_first_handed_a_whole_list(centre):
    """A part, a look at the header and another operator's fetch are none of it; a part that reaches the end is."""
    client, shelf = centre.client(), centre.register.list_runs.received
    path, octets = "/v1/operators/northtel/lists/blocklist/full", len(delivered(centre)["blocklist"])
    client.head(path)
    client.get(path, headers={"Range": f"bytes=0-{octets - 2}"})
    assert shelf.newest("northtel") == {}
    client.get(path, headers={"Range": f"bytes={octets - 2}-"})
    first = shelf.newest("northtel")["blocklist"]
    assert (first.sequence, first.applied_at) == (1, None)
    client.get(path)
    assert shelf.newest("northtel")["blocklist"] == first
    assert shelf.newest("southtel") == {}


@pytest.mark.parametrize(
    ("rest", "status"),
    [
        ("/lists/nonesuch/full", 400), ("/lists/blocklist/delta", 400), ("/lists/blocklist/delta?base=x", 400),
        ("/lists/blocklist/delta?base=99", 404), ("/lists/blocklist/delta?base=1", 404), ("/lists/wait?after=-1", 400),
        ("/lists?after=1", 400), ("/lists/../../keys", 404), ("/queries/7", 404), ("/queries/x", 404),
    ],
)  # fmt: skip
def test_what_is_not_there_is_refused_in_words(centre, rest, status):
    reply = centre.client().get(f"/v1/operators/northtel{rest}")
    assert (reply.status_code, reply.headers["Content-Type"]) == (status, "application/problem+json")


def test_a_replayed_acknowledgement_changes_nothing(centre, eir):
    old = [{"kind": one.kind, "sequence": one.sequence, "sha256": one.sha256} for one in eir.held.headers.values()]
    centre.steals(BOBS_PHONE)
    centre.makes_lists()
    eir.pulls()
    reply = centre.client().post("/v1/operators/northtel/acknowledgements", json={"lists": old})
    assert [row["kept"] for row in reply.json()["lists"]] == [False] * 4
    assert {one.sequence for one in centre.register.list_runs.acknowledgements()} == {2}


def test_an_acknowledgement_of_other_rows_is_said_to_differ(centre):
    said = {"lists": [{"kind": "blocklist", "sequence": 1, "sha256": "0" * 64}]}
    reply = centre.client().post("/v1/operators/northtel/acknowledgements", json=said)
    assert reply.json() == {"lists": [{"kind": "blocklist", "sequence": 1, "agrees": False, "kept": True}]}


def test_the_same_question_asked_at_once_and_for_later_has_one_answer(centre):
    client = centre.client()
    question = {"identifiers": [ALICES_PHONE, "no device at all?", SPARE_PHONE]}
    at_once = client.post("/v1/operators/northtel/checks", json=question).json()
    accepted = client.post("/v1/operators/northtel/queries", json=question)
    assert accepted.status_code == 202
    for _ in range(2000):
        later = client.get(accepted.headers["Location"])
        if later.status_code == 200:
            break
    assert later.status_code == 200
    statuses = [answer.get("status") for answer in later.json()["answers"]]
    assert statuses == [answer.get("status") for answer in at_once["answers"]] == ["blocked", 400, "unknown"]
    assert centre.client(centre.token("southtel")).get(accepted.headers["Location"]).status_code == 403


def test_a_wait_ends_when_there_is_something_newer_or_the_time_is_over(centre):
    client = centre.client()
    assert client.get("/v1/operators/northtel/lists/wait?after=0").json()["sequence"] == 1
    assert client.get("/v1/operators/northtel/lists/wait?after=1&seconds=0").json()["sequence"] == 1


def test_the_door_names_no_device_in_its_log(tmp_path, centre):
    lines: list[str] = []
    client = centre.client(
        transport=httpx.WSGITransport(
            shown(make_operators_application(centre.home, centre.settings, log=lines.append), "northtel")
        )
    )
    client.post("/v1/operators/northtel/checks", json={"identifiers": [ALICES_PHONE]})
    client.get("/v1/operators/northtel/lists")
    assert [" ".join(line.split()[:2]) for line in lines] == [
        "POST /v1/operators/{operator}/checks",
        "GET /v1/operators/{operator}/lists",
    ]


def test_without_tls_the_token_does_not_travel(centre):
    with pytest.raises(CentreRefused, match="https"):
        Centre.at("http://centre.example", "token", "northtel", centre.trust, None)
