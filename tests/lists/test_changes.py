"""Lists made from what changed are the lists made anew: the same octets, over random histories, run after run."""

import hashlib
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_histories import DAY_ONE, IMSIS, KEY, OFFICES, OPERATORS, PHONES, Country, paths, phones, rows_in, sets

from openceir.identity import format_device_key
from openceir.lists import KINDS, Desk, format_rows
from openceir.statements import (
    Approved,
    DeviceBlocked,
    DeviceCloned,
    DevicePaired,
    DevicePermitted,
    DeviceRecovered,
    DeviceSet,
    DeviceStolen,
    Disputed,
    Pair,
    Role,
    Withdrawn,
)
from openceir.status import AcceptedStatement, ForeignRules
from openceir.storage.claim_changes import ClaimChanges
from openceir.storage.list_basis import Basis
from openceir.storage.list_files import ListFiles, apply_delta
from openceir.storage.list_runs import RunHead
from openceir.storage.list_sources import gather_changes, gather_lists, gather_urgent


def step(name, **values):
    return st.tuples(st.just(name), st.fixed_dictionaries(values))


FINDING = {
    "label": st.sampled_from(["cloned_imei", "malformed"]),
    "devices": sets,
    "days": st.none() | st.integers(0, 4),
    "amnesty": st.booleans(),
    "marks": st.booleans(),
    "odd": st.booleans(),
    "cleared": st.booleans(),
    "condition": st.sampled_from(["c", "stolen_list", "not_on_registration_list"]),
}
STATEMENTS = st.one_of(
    step("a_theft", devices=sets, days_ago=st.integers(-2, 3)),
    step("a_recovery", devices=sets),
    step("an_order", devices=sets),
    step("a_permission", devices=sets, days=st.none() | st.integers(1, 4)),
    step("a_finding", **FINDING),
    step("a_pairing", device=phones, imsi=st.sampled_from(IMSIS), number=st.none() | st.just("999555000001")),
    step("a_withdrawal", back=st.integers(1, 8)),
    step("a_dispute", back=st.integers(1, 4)),
)
TIME = step("time_passes", days=st.integers(1, 3))
SIGHTINGS = step(
    "a_sighting",
    device=st.sampled_from([*PHONES, None]),
    operator=st.sampled_from(sorted(OPERATORS)),
    imsi=st.sampled_from(IMSIS),
    number=st.sampled_from([None, "999555000001"]),
    days_ago=st.integers(0, 3),
)


TREATY = [
    {
        "name": "police of XB", "nations": ["XB"], "roles": ["police"], "claims": ["stolen"], "effect": "counts",
        "delay_hours": 24, "begins_on": DAY_ONE + timedelta(days=1), "counts_for_days": 4,
    },
    {"name": "regulator of XC", "nations": ["XC"], "issuers": ["xc-regulator"], "claims": ["blocked"], "effect": "counts"},
    {
        "name": "all", "nations": ["*"], "claims": ["stolen", "blocked", "cloned"], "effect": "tracks",
        "ends_on": DAY_ONE + timedelta(days=6),
    },
]  # fmt: skip
ABROAD = {"xb/log": "XB", "xc/log": "XC"}
FOREIGN = st.one_of(
    step(
        "a_word_from_abroad", devices=sets, days_late=st.integers(0, 3),
        word=st.sampled_from([
            "xb police stolen", "xb police recovered", "xb regulator cloned", "xc regulator blocked", "xc police stolen",
            "xc court paired", "xb court permitted", "xb police stolen", "xc regulator blocked",
        ]),
    ),
    step(
        "an_ending_from_abroad", log=st.sampled_from(sorted(ABROAD)), issuer=st.sampled_from(["police", "regulator"]),
        is_dispute=st.booleans(), back=st.integers(1, 6), days_late=st.integers(0, 3),
    ),
    step("an_approval", log=st.sampled_from(["", *ABROAD]), back=st.integers(1, 6), days_late=st.integers(0, 3)),
    step("an_erasure", log=st.sampled_from(sorted(ABROAD)), back=st.integers(1, 3)),
)  # fmt: skip


class AmongOthers(Country):
    """The country of the histories, to which two other nations' words come, late and in no order."""

    def begin(self):
        super().begin()
        self.claims.foreign = ForeignRules.of(TREATY, quorum=2)
        self.leaves = []  # of everything said, by whomever, in the order in which it came
        self.sizes = dict.fromkeys(ABROAD, 0)

    def say(self, issuer, statement):
        self.leaves.append(self.claims.applied_size.to_bytes(32))
        super().say(issuer, statement)

    def comes_from_abroad(self, log, issuer, statement, days_late, is_voter=False):
        leaf = hashlib.sha256(f"{log}{self.sizes[log]}".encode()).digest()
        entry = AcceptedStatement(
            index=self.sizes[log], leaf_hash=leaf, issuer=f"{ABROAD[log].lower()}-{issuer}",
            roles=frozenset({OFFICES.get(issuer, Role.COURT)}), logged_at=self.now - timedelta(days=days_late), statement=statement,
            nation=ABROAD[log], is_voter=is_voter,
        )  # fmt: skip
        self.sizes[log] += 1
        self.leaves.append(leaf)
        self.claims.apply_abroad(log, [entry])

    def a_word_from_abroad(self, word, devices, days_late):
        nation, issuer, kind = word.split()
        at = self.now - timedelta(days=days_late)
        pairs = tuple(Pair(format_device_key(device), IMSIS[0], None) for device in devices.keys)
        said = {
            "stolen": lambda: DeviceStolen(devices=devices, stolen_at=at, case_number="N-7"),
            "recovered": lambda: DeviceRecovered(devices=devices, recovered_at=at, case_number="N-7"),
            "blocked": lambda: DeviceBlocked(devices=devices, blocked_at=at, grounds="x"),
            "cloned": lambda: DeviceCloned(devices=devices, found_at=at, grounds="x"),
            "paired": lambda: DevicePaired(pairs=pairs, paired_at=at),
            "permitted": lambda: DevicePermitted(devices=devices, permitted_at=at, until=None, grounds="x"),
        }[kind]()
        self.comes_from_abroad(f"{nation}/log", issuer, said, days_late)

    def an_ending_from_abroad(self, log, issuer, is_dispute, back, days_late):
        if len(self.leaves) >= back:
            target, at = self.leaves[-back], self.now - timedelta(days=days_late)
            restores_at = at + timedelta(hours=24)
            said = (
                Disputed(target=target, filed_at=at, restores_at=restores_at, grounds="x")
                if is_dispute
                else Withdrawn(target=target, withdrawn_at=at, grounds="x")
            )
            self.comes_from_abroad(log, issuer, said, days_late)

    def an_approval(self, log, back, days_late):
        """By a voter of that log's nation; our own log bears such words too."""
        if len(self.leaves) < back:
            return
        said = Approved(target=self.leaves[-back])
        if log:
            self.comes_from_abroad(log, "regulator", said, days_late, is_voter=True)
            return
        index = self.claims.applied_size
        self.leaves.append(index.to_bytes(32))
        entry = AcceptedStatement(
            index=index, leaf_hash=index.to_bytes(32), issuer="xa-regulator", roles=frozenset({OFFICES["regulator"]}),
            logged_at=self.now, statement=said, is_voter=True,
        )  # fmt: skip
        self.claims.apply([entry])

    def an_erasure(self, log, back):
        if self.sizes[log] >= back:
            self.claims.forget(self.sizes[log] - back, log)


class Desks:
    """The same country's lists made both ways."""

    def __init__(self, country: type[Country] = Country) -> None:
        self.country = country()
        self.country.begin()
        self.changes = ClaimChanges(self.country.claims, self.country.database)

    @property
    def _desk(self) -> Desk:
        texts_of = self.country.identifiers.texts_of
        return Desk(self.country.options, lambda keys: {key: text for key, (_, text) in texts_of(keys).items()})

    def urgent(self) -> None:
        """An urgent run: the rows of few devices are today's, all others as they were, and all stays due."""
        country, on = self.country, self.country.today
        since = country.runs.basis(OPERATORS)
        with country.measured() as seen:
            whole = gather_lists(self._desk, country.claims, seen, on)
            found = gather_urgent(self._desk, country.claims, self.changes, seen, on, since)
        if found is None:
            return
        before = country.runs.last_sequence()
        head = RunHead(
            made_at=country.now, as_of_on=since.as_of_on, policy_sha256="bb" * 32, ledger_size=1, ledger_root="cc" * 32
        )
        kinds = [kind for kind in KINDS.values() if kind.name != "blockranges"]
        want = {(by, kind.name): list(_rows(whole, by, kind.name)) for by in OPERATORS for kind in kinds}
        had = {place: self._delivered(*place) for place in want}
        run = country.runs.make_if_changed(head, found, OPERATORS, KEY, since)
        assert country.runs.last_sequence() == before + (run is not None)
        assert country.runs.basis(OPERATORS) == since
        for place, old in had.items():
            mine = {*found.touched}
            now = [row for row in want[place] if row[0] in mine] + [row for row in old if row[0] not in mine]
            assert sorted(self._delivered(*place)) == sorted(now), place

    def _delivered(self, operator: str, kind: str) -> list[tuple[str, ...]]:
        runs = self.country.runs
        return rows_in(runs.files_of(runs.newest(operator, kind)), KINDS[kind].columns, KINDS[kind])

    def run(self) -> bool:
        """Make a run from what changed, if that can be told; every list must be what it is when made anew."""
        country = self.country
        mark = country.claims.mark
        on = country.today
        basis = Basis(
            as_of_on=on, policy_sha256="bb" * 32, claims=mark, quorum=country.claims.foreign.quorum, measured="",
            has_evidence_key=False,
        )  # fmt: skip
        head = RunHead(
            made_at=country.now, as_of_on=on, policy_sha256="bb" * 32, ledger_size=mark.size, ledger_root="cc" * 32
        )
        since = country.runs.basis(OPERATORS)
        if since is not None and not basis.differs_by_time_alone(since):
            since = None
        with country.measured() as seen:
            whole = gather_lists(self._desk, country.claims, seen, on)
            found = since and gather_changes(self._desk, country.claims, self.changes, seen, on, since)
        want = {
            (operator, kind.name): b"".join(format_rows(kind.columns, _rows(whole, operator, kind.name)))
            for operator in OPERATORS
            for kind in KINDS.values()
        }
        if found is None:
            with country.measured() as seen:
                found = gather_lists(self._desk, country.claims, seen, on)
        run = country.runs.make(head, found, OPERATORS, KEY, basis)
        self.rows_changed = sum(made.delta.rows for made in run.lists if made.delta is not None)
        for made in run.lists:
            files = ListFiles(run.folder / made.full.operator / made.full.file_stem)
            assert files.rows.read_bytes() == want[made.full.operator, made.full.kind], made.full.kind
            assert made.full.rows == files.rows.read_bytes().count(b"\r\n") - 1
            if made.delta is not None:
                old = country.runs.files_of(country.runs.newest(made.full.operator, made.full.kind, run.sequence - 1))
                new = ListFiles(country.home / "applied")
                apply_delta(old, ListFiles(files.stem.with_name(made.delta.file_stem)), new, KEY.public)
                assert [path.read_bytes() for path in paths(new)] == [path.read_bytes() for path in paths(files)]
        return found.touched is not None


def _rows(contents, operator, kind):
    rows = contents.for_all[kind] if kind in contents.for_all else contents.by_operator[kind][operator]
    if kind in contents.for_all:
        contents.for_all[kind] = rows = list(rows)
    return rows


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(
    st.lists(SIGHTINGS | STATEMENTS, max_size=10),
    st.lists(st.lists(STATEMENTS | TIME, max_size=4), min_size=1, max_size=4),
)
def test_lists_made_from_what_changed_are_those_made_anew(before, later):
    desks = Desks()
    try:
        for some in (before, *later):
            for name, values in some:
                getattr(desks.country, name)(**values)
            assert desks.run() == (some is not before)
    finally:
        desks.country.teardown()


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(
    st.lists(SIGHTINGS | STATEMENTS | FOREIGN, max_size=8),
    st.lists(st.lists(STATEMENTS | FOREIGN | FOREIGN | TIME, max_size=5), min_size=1, max_size=4),
)
def test_lists_made_from_what_changed_are_those_made_anew_with_three_nations_speaking(before, later):
    """Other nations' words arrive late, count by dated policy, and are ended by quorums: only an erasure needs all rows.

    An urgent run may come before any of them.
    """
    desks = Desks(AmongOthers)
    try:
        for some in (before, *later):
            taken = desks.country.claims.mark.taken
            for name, values in some:
                getattr(desks.country, name)(**values)
            if some is not before:
                desks.urgent()
            was_taken = desks.country.claims.mark.taken != taken
            assert desks.run() == (some is not before and not was_taken)
    finally:
        desks.country.teardown()


ONE = {"devices": DeviceSet.of(keys=PHONES[:1])}
A_SPAN = {"devices": DeviceSet.of(keys=[], ranges=[tuple(map(format_device_key, PHONES[::4]))])}
APPROVALS = [("an_approval", {"log": log, "back": back, "days_late": 0}) for back, log in enumerate(["", "xc/log"], 1)]


@pytest.mark.parametrize(
    ("before", "later"),
    [
        ([], [("a_word_from_abroad", {"word": "xc regulator blocked", "days_late": 0, **ONE})]),
        ([], [("a_word_from_abroad", {"word": "xc regulator blocked", "days_late": 2, **A_SPAN})]),
        ([("a_word_from_abroad", {"word": "xb police stolen", "days_late": 0, **ONE})], [("time_passes", {"days": 2})]),
        (
            [("a_word_from_abroad", {"word": "xb police stolen", "days_late": 0, **ONE}), ("time_passes", {"days": 2})],
            [("time_passes", {"days": 3})],
        ),
        (
            [("a_word_from_abroad", {"word": "xc regulator blocked", "days_late": 0, **ONE})],
            [("an_ending_from_abroad", {"log": "xc/log", "issuer": "regulator", "is_dispute": False, "back": 1, "days_late": 0})],
        ),
        (
            [
                ("a_pairing", {"device": PHONES[0], "imsi": IMSIS[0], "number": None}),
                ("an_ending_from_abroad", {"log": "xb/log", "issuer": "regulator", "is_dispute": False, "back": 1, "days_late": 0}),
            ],
            APPROVALS,
        ),
    ],
    ids=["counts", "counts-for-a-range", "begins-to-count", "ceases-to-count", "is-withdrawn", "ends-ours-by-a-quorum"],
)  # fmt: skip
def test_a_word_from_abroad_that_changes_a_row_touches_its_devices(before, later):
    desks = Desks(AmongOthers)
    try:
        desks.country.time_passes(2)  # the treaty is in force
        for name, values in before:
            getattr(desks.country, name)(**values)
        desks.run()
        for name, values in later:
            getattr(desks.country, name)(**values)
        assert desks.run()
        assert desks.rows_changed
    finally:
        desks.country.teardown()


def test_what_a_golden_list_says_is_gathered_anew():
    """It names devices by digests: nobody can tell from it which rows would change."""
    desks = Desks()
    try:
        desks.run()
        desks.country.say(
            "regulator",
            DevicePermitted(
                devices=DeviceSet.of(keys=[]), permitted_at=desks.country.now, until=None, grounds="Golden list",
                keyed_digests=(bytes(32),),
            ),
        )  # fmt: skip
        assert not desks.run()
    finally:
        desks.country.teardown()


def test_so_many_changes_that_all_is_gathered_anew(monkeypatch):
    monkeypatch.setattr("openceir.storage.list_sources._MOST_TOUCHED", 2)
    desks = Desks()
    try:
        desks.run()
        desks.country.an_order(DeviceSet.of(keys=PHONES[:2]))
        assert desks.run()
        desks.country.an_order(DeviceSet.of(keys=PHONES[:3]))
        assert not desks.run()
        desks.country.an_order(DeviceSet.of(keys=[], ranges=[tuple(map(format_device_key, PHONES[::4]))]))
        assert not desks.run()
    finally:
        desks.country.teardown()
