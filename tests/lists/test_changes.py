"""Lists made from what changed are the lists made anew: the same octets, over random histories, run after run."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_histories import IMSIS, KEY, OPERATORS, PHONES, Country, paths, phones, sets

from openceir.identity import format_device_key
from openceir.lists import KINDS, Desk, format_rows
from openceir.statements import DevicePermitted, DeviceSet
from openceir.storage.claim_changes import ClaimChanges
from openceir.storage.list_basis import Basis
from openceir.storage.list_files import ListFiles, apply_delta
from openceir.storage.list_runs import RunHead
from openceir.storage.list_sources import gather_changes, gather_lists


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


class Desks:
    """The same country's lists made both ways."""

    def __init__(self) -> None:
        self.country = Country()
        self.country.begin()
        self.changes = ClaimChanges(self.country.claims, self.country.database)

    @property
    def _desk(self) -> Desk:
        texts_of = self.country.identifiers.texts_of
        return Desk(self.country.options, lambda keys: {key: text for key, (_, text) in texts_of(keys).items()})

    def run(self) -> bool:
        """Make a run from what changed, if that can be told; every list must be what it is when made anew."""
        country = self.country
        size, generation = country.claims.state
        on = country.today
        basis = Basis(
            as_of_on=on, policy_sha256="bb" * 32, claims_size=size, claims_generation=generation, measured="",
            has_evidence_key=False,
        )  # fmt: skip
        head = RunHead(
            made_at=country.now, as_of_on=on, policy_sha256="bb" * 32, ledger_size=size, ledger_root="cc" * 32
        )
        since = country.runs.basis(OPERATORS)
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
