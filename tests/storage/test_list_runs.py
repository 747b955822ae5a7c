"""The shelf of list runs: a run is there whole or not at all, and a sequence number means one content for ever."""

import multiprocessing
import os
import resource
import sys
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from openceir.lists import KINDS, ListError, UnknownSequence, read_rows
from openceir.statements import SigningKey
from openceir.storage.claims import ClaimsMark
from openceir.storage.database import Database
from openceir.storage.files import StorageError
from openceir.storage.list_basis import Basis
from openceir.storage.list_files import ListFiles, apply_delta, verify_list
from openceir.storage.list_runs import Acknowledgement, Contents, ListRuns, Overtaken, RunHead
from openceir.storage.list_writing import ListMaker

KEY = SigningKey("lists", bytes(32))
OPERATORS = ("northtel", "southtel")
ALICE = ("00100100000001", "001010000000001", "999555000001")
BOB = ("00100100000002", "001010000000002", "999555000002")


def head(day=1):
    return RunHead(
        made_at=datetime(2027, 3, day, 4, tzinfo=UTC),
        as_of_on=date(2027, 3, day),
        policy_sha256="bb" * 32,
        ledger_size=day,
        ledger_root="cc" * 32,
    )


def contents(blocked=(), notified=(), exceptions=(), coming=(), settled=(), seen_on=None):
    per_operator = {
        "pairblocks": [],
        "notifications": [(*triplet, "2027-04-01", "cloned_imei", "false") for triplet in notified],
        "exceptions": list(exceptions),
    }
    return Contents(
        for_all={"blocklist": [(imei, "2027-03-01", "stolen") for imei in blocked], "blockranges": []},
        by_operator={kind: dict.fromkeys(OPERATORS, rows) for kind, rows in per_operator.items()},
        coming=coming,
        settled=settled,
        oldest_seen_on={} if seen_on is None else {"notifications": seen_on},
    )


@pytest.fixture
def runs(tmp_path):
    return open_runs(tmp_path)


def open_runs(home):
    return ListRuns(Database(home / "register.sqlite"), home / "lists")


def rows_in(files, kind, delta=False):
    columns = kind.delta_columns if delta else kind.columns
    with files.rows.open("rb") as source:
        return list(read_rows(columns, kind.key_length, source, files.rows.name))


def files_under(folder):
    return sorted(
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.name != ".lock"
    )


def test_the_first_run_delivers_full_lists_and_says_there_is_no_delta(runs):
    run = runs.make(head(), contents(["A"]), OPERATORS, KEY)
    assert run.sequence == 1
    assert {made.full.kind for made in run.lists} == set(KINDS)
    assert all(made.delta is None and "load it whole" in made.note for made in run.lists)
    for made in run.lists:
        verify_list(ListFiles(run.folder / made.full.operator / made.full.file_stem), KEY.public)


def test_how_far_a_run_is_can_be_followed(runs):
    told = []
    runs.make(head(), contents(["A"]), OPERATORS, KEY, progress=lambda *said: told.append(said))
    assert told == [("lists written", done, 10) for done in range(1, 11)]


def test_each_run_delivers_the_delta_from_the_one_before(runs, tmp_path):
    runs.make(head(1), contents(["A", "B"], [ALICE], [BOB]), OPERATORS, KEY)
    run = runs.make(head(2), contents(["B", "C"], [BOB], [BOB]), OPERATORS, KEY)
    for made in run.lists:
        folder = run.folder / made.full.operator
        old = runs.files_of(runs.newest(made.full.operator, made.full.kind, 1))
        new = ListFiles(tmp_path / "applied" / made.full.kind)
        apply_delta(old, ListFiles(folder / made.delta.file_stem), new, KEY.public)
        delivered = ListFiles(folder / made.full.file_stem)
        assert new.rows.read_bytes() == delivered.rows.read_bytes()
        assert new.signature.read_bytes() == delivered.signature.read_bytes()


def test_content_that_did_not_change_is_kept_once(runs):
    first = runs.make(head(1), contents(["A"]), OPERATORS, KEY)
    second = runs.make(head(2), contents(["A"]), OPERATORS, KEY)
    paths = [run.folder / op / f"{op}_blocklist_{run.sequence:06d}.csv" for run in (first, second) for op in OPERATORS]
    assert len({path.stat().st_ino for path in paths}) == 1


@pytest.mark.parametrize(
    ("now", "word"),
    [
        (contents([ALICE[0]]), "blacklisted"),
        (contents(coming=[ALICE[0]]), "no_longer_seen"),
        (contents(coming=[ALICE[0]], settled=[ALICE]), "resolved"),
        (contents(), "resolved"),
    ],
)
def test_a_notification_that_went_says_why(runs, tmp_path, now, word):
    runs.make(head(1), contents(notified=[ALICE], coming=[ALICE[0]]), OPERATORS, KEY)
    run = runs.make(head(2), now, OPERATORS, KEY)
    kind = KINDS["notifications"]
    delta = ListFiles(run.folder / "northtel" / "northtel_notifications_000002_from_000001")
    assert [row[-1] for row in rows_in(delta, kind, delta=True)] == [word]
    on_demand = runs.make_delta("northtel", kind, 1, tmp_path / "out", KEY)
    again = ListFiles(tmp_path / "out" / on_demand.file_stem)
    assert again.header.read_bytes() == delta.header.read_bytes()
    assert again.signature.read_bytes() == delta.signature.read_bytes()


def test_an_operator_that_missed_runs_gets_one_delta_from_what_it_holds(runs, tmp_path):
    for day, blocked in enumerate((["A"], ["A", "B"], ["C"], ["C", "D"]), start=1):
        runs.make(head(day), contents(blocked), OPERATORS, KEY)
    kind = KINDS["blocklist"]
    header = runs.make_delta("southtel", kind, 1, tmp_path / "out", KEY)
    new = ListFiles(tmp_path / "new")
    old = runs.files_of(runs.newest("southtel", "blocklist", 1))
    apply_delta(old, ListFiles(tmp_path / "out" / header.file_stem), new, KEY.public)
    assert [row[0] for row in rows_in(new, kind)] == ["C", "D"]


def test_an_operator_left_out_of_a_run_continues_from_its_own_last_one(runs):
    runs.make(head(1), contents(["A"]), OPERATORS, KEY)
    runs.make(head(2), contents(["A", "B"]), ["northtel"], KEY)
    run = runs.make(head(3), contents(["B"]), OPERATORS, KEY)
    bases = {made.full.operator: made.delta.base.sequence for made in run.lists if made.full.kind == "blocklist"}
    assert bases == {"northtel": 2, "southtel": 1}


@pytest.mark.parametrize(("base", "says"), [(2, "newest"), (9, "never received")])
def test_a_base_that_leads_nowhere_is_refused(runs, tmp_path, base, says):
    runs.make(head(1), contents(["A"]), OPERATORS, KEY)
    runs.make(head(2), contents(["B"]), OPERATORS, KEY)
    with pytest.raises(UnknownSequence, match=says):
        runs.make_delta("northtel", KINDS["blocklist"], base, tmp_path / "out", KEY)


def test_a_delta_signed_by_another_key_than_its_list_is_not_made(runs, tmp_path):
    runs.make(head(1), contents(["A"]), OPERATORS, KEY)
    runs.make(head(2), contents(["B"]), OPERATORS, KEY)
    with pytest.raises(ListError, match="another key"):
        runs.make_delta("northtel", KINDS["blocklist"], 1, tmp_path / "out", SigningKey("lists", b"\x07" * 32))


def test_an_altered_base_costs_a_full_list_not_a_wrong_delta(runs):
    first = runs.make(head(1), contents(["A"]), OPERATORS, KEY)
    path = first.folder / "northtel" / "northtel_blocklist_000001.csv"
    path.chmod(0o600)
    path.write_bytes(path.read_bytes().replace(b"A", b"Z"))
    run = runs.make(head(2), contents(["A", "B"]), ["northtel"], KEY)
    [made] = [made for made in run.lists if made.full.kind == "blocklist"]
    assert made.delta is None
    assert "load the full list" in made.note


def test_two_runs_at_once_are_refused_and_the_first_goes_on(runs, tmp_path):
    other = open_runs(tmp_path)

    def rows():
        with pytest.raises(ListError, match="another process"):
            other.make(head(), contents(["B"]), OPERATORS, KEY)
        yield ("A", "2027-03-01", "stolen")

    mine = contents()
    run = runs.make(head(), Contents(
        for_all={"blocklist": rows(), "blockranges": []}, by_operator=mine.by_operator, oldest_seen_on={}
    ), OPERATORS, KEY)  # fmt: skip
    assert run.sequence == other.last_sequence() == 1


def test_a_failed_run_leaves_nothing(runs):
    def rows():
        yield ("A", "2027-03-01", "stolen")
        raise ListError("no")

    bad = Contents(for_all={"blocklist": rows(), "blockranges": []}, by_operator={}, oldest_seen_on={})
    with pytest.raises(ListError):
        runs.make(head(), bad, OPERATORS, KEY)
    assert files_under(runs.folder) == []
    assert runs.last_sequence() == 0


# -- pruning ----------------------------------------------------------------------------------------------------------


def test_pruning_keeps_the_current_lists_and_the_last_bases(runs, tmp_path):
    for day in range(1, 6):
        runs.make(head(day), contents([f"{day}"], [ALICE]), OPERATORS, KEY)
    runs.prune(runs.prunable(keep_runs=2, oldest_day=date(2026, 1, 1)))
    kept = {(file.sequence, file.base) for file in runs.history("northtel") if file.kept and file.kind == "blocklist"}
    assert kept == {(5, 0), (5, 4), (4, 0), (4, 3)}
    assert rows_in(runs.files_of(runs.newest("northtel", "blocklist")), KINDS["blocklist"])[0][0] == "5"
    runs.make_delta("northtel", KINDS["blocklist"], 4, tmp_path / "out", KEY)
    with pytest.raises(UnknownSequence, match="not kept any more"):
        runs.make_delta("northtel", KINDS["blocklist"], 3, tmp_path / "out", KEY)
    run = runs.make(head(6), contents(["6"], [ALICE]), OPERATORS, KEY)
    assert all(made.delta is not None for made in run.lists)


def test_pruning_erases_whatever_rests_on_an_erased_sighting(runs):
    runs.make(head(1), contents(["A"], [ALICE], settled=[BOB], seen_on=date(2026, 9, 1)), OPERATORS, KEY)
    run = runs.make(head(2), contents(["A"], [BOB], seen_on=date(2027, 2, 1)), OPERATORS, KEY)
    runs.prune(runs.prunable(keep_runs=30, oldest_day=date(2026, 10, 1)))
    held = b"".join(path.read_bytes() for path in runs.folder.rglob("*") if path.is_file())
    assert ALICE[1].encode() not in held
    assert BOB[1].encode() in held
    assert (run.folder / "northtel" / "northtel_notifications_000002.csv").exists()
    run = runs.make(head(3), contents(["A"], [BOB], seen_on=date(2027, 2, 1)), OPERATORS, KEY)
    assert all(made.delta is not None for made in run.lists)


def test_a_newest_list_that_rests_on_erased_sightings_goes_and_the_next_is_given_whole(runs):
    runs.make(head(1), contents(["A"], [ALICE], seen_on=date(2026, 9, 1)), OPERATORS, KEY)
    runs.prune(runs.prunable(keep_runs=30, oldest_day=date(2026, 10, 1)))
    run = runs.make(head(2), contents(["A"]), OPERATORS, KEY)
    notes = {made.full.kind: made.note for made in run.lists if made.note}
    assert notes.keys() == {"notifications"}
    assert "load the full list" in notes["notifications"]


def test_numbers_are_not_given_again_after_pruning_everything(runs):
    runs.make(head(1), contents(["A"], [ALICE], seen_on=date(2026, 9, 1)), OPERATORS, KEY)
    runs.prune(runs.history())
    assert files_under(runs.folder) == []
    assert runs.make(head(2), contents(["B"]), OPERATORS, KEY).sequence == 2


# -- a run of all rows beside others' -----------------------------------------------------------------------------------

BASIS = Basis(
    as_of_on=date(2027, 3, 2), policy_sha256="bb" * 32, claims=ClaimsMark(2, 0, 0), quorum=0, measured="",
    has_evidence_key=False,
)  # fmt: skip


def make_beside(runs, stage, rows):
    return runs.make_beside(stage, head(2), rows, OPERATORS, KEY, BASIS, even_if_same=True, wait_s=60)


def test_a_run_that_others_were_let_in_beside_holds_when_none_came(runs):
    runs.make(head(1), contents(["A"], [ALICE]), OPERATORS, KEY)
    with runs.begin() as stage:
        run = make_beside(runs, stage, contents(["B"], [BOB]))
    assert run.sequence == 2
    for file in runs.history():
        verify_list(runs.files_of(file), KEY.public)
    assert runs.basis(OPERATORS) == BASIS
    assert not list(runs.folder.glob(".stage-*"))


def test_a_run_is_made_when_only_what_words_need_differs(runs):
    """The next run would look for its file of words in vain, and make every row anew."""

    def renew(rows):
        return runs.make_if_changed(head(2), rows, OPERATORS, KEY, BASIS)

    assert renew(contents(["A"], coming=["B"])).sequence == 1
    assert renew(contents(["A"], coming=["B"])) is None
    assert renew(contents(["A"], coming=["B", "C"])).sequence == 2
    assert renew(contents(["A"], coming=["B", "C"])) is None
    some = replace(contents(["A", "D"]), touched=["D"], for_all={"blocklist": [("D", "2027-03-01", "stolen")]})
    assert renew(some).sequence == 3


def test_a_run_that_another_overtook_changes_nothing(runs, tmp_path):
    runs.make(head(1), contents(["A"], [ALICE]), OPERATORS, KEY)
    with runs.begin() as stage:
        another = open_runs(tmp_path)  # by another process, while ours is being written
        assert another.make(head(1), contents(["A", "C"], [ALICE]), OPERATORS, KEY).sequence == 2
        assert stage.path.exists()
        before = files_under(runs.run_folder(1)), files_under(runs.run_folder(2))
        with pytest.raises(Overtaken):
            make_beside(runs, stage, contents(["B"], [BOB]))
    assert runs.last_sequence() == 2
    assert (files_under(runs.run_folder(1)), files_under(runs.run_folder(2))) == before
    assert not list(runs.folder.glob(".stage-*"))
    with runs.begin() as stage:
        run = make_beside(runs, stage, contents(["B"], [BOB]))
    assert run.sequence == 3
    [delta] = [made.delta for made in run.lists if made.full.kind == "blocklist" and made.full.operator == "northtel"]
    assert delta.base.sequence == 2


def test_what_was_pruned_while_a_run_was_written_makes_it_begin_anew(runs, tmp_path, monkeypatch):
    runs.make(head(1), contents(["A"], [ALICE]), OPERATORS, KEY)
    with runs.begin() as stage:
        monkeypatch.setattr(ListMaker, "_is_sound", lambda *_: True)  # it was, when it was looked at
        another = open_runs(tmp_path)
        another.prune(another.history())
        with pytest.raises(Overtaken):
            make_beside(runs, stage, contents(["B"], [BOB]))
    assert runs.last_sequence() == 1


@pytest.mark.parametrize("is_beside", [False, True], ids=["alone", "beside-others"])
def test_a_disk_that_fills_is_said_in_a_sentence_and_nothing_is_changed(runs, is_beside):
    runs.make(head(1), contents(["A"], [ALICE]), OPERATORS, KEY)
    before, many = files_under(runs.folder), contents([f"{n:014d}" for n in range(2000)])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
        with pytest.raises(
            StorageError, match=r"lists could not be written in .*: File too large; nothing was changed"
        ):
            if is_beside:
                with runs.begin() as stage:
                    make_beside(runs, stage, many)
            else:
                runs.make(head(2), many, OPERATORS, KEY)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert files_under(runs.folder) == before
    assert runs.last_sequence() == 1
    assert runs.make(head(2), many, OPERATORS, KEY).sequence == 2


def _begin_and_wait(home, began):
    stage = open_runs(home).begin()
    began.send(stage.path.name)
    began.recv()


def test_the_folder_of_a_maker_at_work_is_left_alone_and_that_of_a_dead_one_is_not(runs, tmp_path):
    ours, theirs = multiprocessing.Pipe()
    maker = multiprocessing.get_context("fork").Process(target=_begin_and_wait, args=(tmp_path, theirs), daemon=True)
    maker.start()
    name = ours.recv()
    runs.make(head(1), contents(["A"]), OPERATORS, KEY)
    assert (runs.folder / name).exists()
    maker.kill()
    maker.join()
    runs.make(head(2), contents(["A"]), OPERATORS, KEY)
    assert not (runs.folder / name).exists()


# -- acknowledgements -------------------------------------------------------------------------------------------------


def test_the_last_word_of_an_operator_stands(runs):
    for sequence in (1, 2):
        runs.acknowledge([Acknowledgement("northtel", "blocklist", sequence, "aa" * 32, "2027-03-02T00:00:00Z")])
    assert [said.sequence for said in runs.acknowledgements()] == [2]


# -- kills ------------------------------------------------------------------------------------------------------------

WATCHED = {"open", "os.rename", "os.link", "os.mkdir", "os.remove", "os.chmod", "os.rmdir", "sqlite3.connect"}


def _make_and_die(home, after, is_beside):
    """Make a run, and die as kill -9 would at the `after`-th look at the file system."""
    count = 0

    def die(event, arguments):
        nonlocal count
        if event in WATCHED:
            count += 1
            if count == after:
                os._exit(137)

    runs = open_runs(home)
    sys.addaudithook(die)
    if is_beside:
        with runs.begin() as stage:
            make_beside(runs, stage, contents(["B"], [BOB], [ALICE]))
    else:
        runs.make(head(2), contents(["B"], [BOB], [ALICE]), OPERATORS, KEY)
    os._exit(0)


@pytest.mark.slow
@pytest.mark.parametrize(("is_beside", "step"), [(False, 12), (True, 30)], ids=["alone", "beside-others"])
def test_a_run_killed_anywhere_is_there_whole_or_not_at_all(tmp_path, is_beside, step):
    fork = multiprocessing.get_context("fork")
    died, whole = 0, 0
    for after in range(1, 1000, step):
        home = tmp_path / f"{after}"
        home.mkdir()
        runs = open_runs(home)
        runs.make(head(1), contents(["A"], [ALICE]), OPERATORS, KEY)
        before = files_under(runs.folder)
        runs.database.close()
        child = fork.Process(target=_make_and_die, args=(home, after, is_beside))
        child.start()
        child.join()
        again = open_runs(home)
        visible = [name for name in files_under(again.folder) if not name.startswith(".stage-")]
        if again.last_sequence() == 1:
            died += 1
            assert visible == before
        else:
            whole += 1
            assert len(visible) == 2 * 5 * 3 + 2 * 5 * 6 + 2  # full lists; full lists and deltas; what words need
            for file in again.history():
                verify_list(again.files_of(file), KEY.public)
        run = again.make(head(3), contents(["C"], [ALICE]), OPERATORS, KEY)
        assert all(made.delta is not None for made in run.lists)
        assert not list(again.folder.glob(".stage-*"))
        again.database.close()
        if child.exitcode == 0:
            break
    else:
        pytest.fail("no child lived to the end: raise the range")
    assert died > 120 // step
    assert whole


def test_a_run_killed_between_commit_and_rename_is_finished_at_the_next_open(runs, tmp_path, monkeypatch):
    monkeypatch.setattr(ListRuns, "_put_in_place", lambda *_: False)  # what a kill at that point leaves undone
    runs.make(head(1), contents(["A"]), OPERATORS, KEY)
    monkeypatch.undo()
    assert not runs.run_folder(1).exists()
    again = open_runs(tmp_path)
    assert again.recovered == ["list run 1 was committed but not yet in place; it is now"]
    verify_list(again.files_of(again.newest("northtel", "blocklist")), KEY.public)
