"""apply(delta, old full) == new full for every list and operator, over random histories of a country.

Drives the real shelves: statements become claims, sightings become measured files, both become lists. In between time
passes, policy changes, runs and sightings are pruned, operators miss deliveries. Two twins stand beside:
`slow_apply`, what an operator's engineer would write in an afternoon, and `fold`, which answers for one device and
one subscriber at a time and knows nothing of lists.
"""

import shutil
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from openceir.detection import MEASURED, Engine, EngineSettings, Measured
from openceir.identity import NON_UNIQUE_KEYS, device_key_of_imei, format_device_key, format_subscriber, subscriber_key
from openceir.lists import KINDS, Desk, ListOptions, UnknownSequence, read_rows
from openceir.statements import (
    DeviceBlocked,
    DeviceClassified,
    DevicePaired,
    DevicePermitted,
    DeviceRecovered,
    DeviceSet,
    DeviceStolen,
    Disputed,
    Pair,
    Role,
    SigningKey,
    Withdrawn,
)
from openceir.status import AcceptedStatement, AskedPair, Status, fold
from openceir.storage.claims import ClaimShelf
from openceir.storage.database import Database
from openceir.storage.identifiers import IdentifierDictionary
from openceir.storage.list_files import ListFiles, apply_delta
from openceir.storage.list_runs import ListRuns, RunHead
from openceir.storage.list_sources import SeenWith, gather_lists, last_second_of

KEY = SigningKey("lists", bytes(32))
DAY_ONE = date(2027, 3, 1)
PHONES = [device_key_of_imei(f"0010010000000{n}") for n in range(5)]
NON_UNIQUE = min(NON_UNIQUE_KEYS)
IMSIS = ["001010000000001", "001020000000002", "262010000000003"]
OPERATORS = {"northtel": ["00101"], "southtel": ["00102"]}
OFFICES = {"regulator": Role.REGULATOR, "police": Role.POLICE}

phones = st.sampled_from(PHONES)
sets = st.builds(
    lambda keys, spans: DeviceSet.of(
        keys=keys, ranges=[(f"{PHONES[min(s)]:014d}", f"{PHONES[max(s)]:014d}") for s in spans]
    ),
    st.sets(st.sampled_from([*PHONES, NON_UNIQUE]), min_size=1, max_size=3),
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=1),
)


def slow_apply(kind, old, delta):
    rows = {kind.key(row): row for row in old}
    for row in delta:
        if row[-1] in kind.removed:
            del rows[kind.key(row)]
        else:
            rows[kind.key(row)] = row[:-1]
    return [rows[key] for key in sorted(rows)]


def rows_in(files, columns, kind):
    with files.rows.open("rb") as source:
        return list(read_rows(columns, kind.key_length, source, files.rows.name))


class Country(RuleBasedStateMachine):
    """A country of five phones, three subscribers and two operators, and what each operator holds."""

    @initialize()
    def begin(self):
        self.home = Path(tempfile.mkdtemp())
        self.database = Database(self.home / "register.sqlite")
        self.database.connection.execute("PRAGMA synchronous = OFF")  # nothing here is about power cuts
        self.identifiers = IdentifierDictionary(self.database)
        self.odd = self.identifiers.keys_of("malformed", ["DEABFCDE2ABFEC"])["DEABFCDE2ABFEC"]
        self.claims = ClaimShelf(self.database, self.identifiers)
        self.runs = ListRuns(self.database, self.home / "lists")
        self.today = DAY_ONE
        self.options = ListOptions(operators=OPERATORS, lookback_days=5)
        self.sightings = []  # (device, operator, imsi, msisdn, day)
        self.kept_since = DAY_ONE - timedelta(days=10)
        self.held = {}  # (operator, kind) -> where the operator keeps its three files
        self.made_any = False

    def teardown(self):
        if hasattr(self, "home"):
            self.database.close()
            shutil.rmtree(self.home)

    # -- what happens in a country -------------------------------------------------------------------------------

    def say(self, issuer, statement):
        index = self.claims.applied_size
        entry = AcceptedStatement(
            index=index,
            leaf_hash=index.to_bytes(32),
            issuer=issuer,
            roles=frozenset({OFFICES[issuer]}),
            logged_at=datetime(2027, 3, 1, tzinfo=UTC) + timedelta(days=(self.today - DAY_ONE).days),
            statement=statement,
        )
        self.claims.apply([entry])

    @property
    def now(self):
        return datetime(self.today.year, self.today.month, self.today.day, 12, tzinfo=UTC)

    @rule(devices=sets, days_ago=st.integers(0, 3))
    def a_theft(self, devices, days_ago):
        at = self.now - timedelta(days=days_ago)
        self.say("police", DeviceStolen(devices=devices, stolen_at=at, case_number="N-7"))

    @rule(devices=sets)
    def a_recovery(self, devices):
        self.say("police", DeviceRecovered(devices=devices, recovered_at=self.now, case_number="N-7"))

    @rule(devices=sets)
    def an_order(self, devices):
        self.say("regulator", DeviceBlocked(devices=devices, blocked_at=self.now, grounds="Order 1"))

    @rule(devices=sets, days=st.none() | st.integers(1, 4))
    def a_permission(self, devices, days):
        until = self.now + timedelta(days=days) if days else None
        self.say("regulator", DevicePermitted(devices=devices, permitted_at=self.now, until=until, grounds="Embassy"))

    @rule(
        label=st.sampled_from(["cloned_imei", "malformed"]),
        devices=sets,
        days=st.none() | st.integers(0, 4),
        amnesty=st.booleans(),
        marks=st.booleans(),
        odd=st.booleans(),
        cleared=st.booleans(),
        condition=st.sampled_from(["c", "stolen_list", "barred", "not_on_registration_list"]),
    )
    def a_finding(self, label, devices, days, amnesty, marks, odd, cleared, condition="c"):
        others = [("malformed", "DEABFCDE2ABFEC")] if odd else []
        devices = DeviceSet.of(keys=devices.keys, ranges=[], others=others)
        block_on = None if days is None else self.today + timedelta(days=days)
        self.say(
            "regulator",
            DeviceClassified(
                rule=label, conditions=(condition,), blocking=True, marks_duplicate=marks, policy_digest=bytes(32),
                as_of_on=self.today, evidence_digest=bytes(32), block_on=block_on, amnesty=amnesty,
                **{"cleared" if cleared else "matched": devices},
            ),
        )  # fmt: skip

    @rule(device=phones, imsi=st.sampled_from(IMSIS), number=st.none() | st.just("999555000001"))
    def a_pairing(self, device, imsi, number):
        pair = Pair(format_device_key(device), imsi, number)
        self.say("regulator", DevicePaired(pairs=(pair,), paired_at=self.now))

    @rule(back=st.integers(1, 8))
    def a_withdrawal(self, back):
        index = self.claims.applied_size - back
        if index >= 0:
            self.say("regulator", Withdrawn(target=index.to_bytes(32), withdrawn_at=self.now, grounds="x"))

    @rule(back=st.integers(1, 4))
    def a_dispute(self, back):
        index = self.claims.applied_size - back
        if index >= 0:
            restores_at = self.now + timedelta(hours=24)
            self.say(
                "regulator",
                Disputed(target=index.to_bytes(32), filed_at=self.now, restores_at=restores_at, grounds="x"),
            )

    @rule(
        device=st.sampled_from([*PHONES, None]),
        operator=st.sampled_from(sorted(OPERATORS)),
        imsi=st.sampled_from(IMSIS),
        number=st.sampled_from([None, "999555000001"]),
        days_ago=st.integers(0, 3),
    )
    def a_sighting(self, device, operator, imsi, number, days_ago):
        day = max(self.today - timedelta(days=days_ago), self.kept_since)
        device = self.odd if device is None else device
        number = subscriber_key(number) if number else None
        self.sightings.append((device, operator, subscriber_key(imsi), number, day))

    @rule(device=phones, owner=st.sampled_from(IMSIS), others=st.lists(st.integers(-1, 2), min_size=3, max_size=3))
    def a_cloned_phone_is_stolen(self, device, owner, others):
        """The owner's sighting two days ago, the theft yesterday; others first seen around the day of the theft."""
        stolen_on = self.today - timedelta(days=1)
        self.a_sighting(device, "northtel", owner, None, days_ago=2)
        for imsi, days_ago in zip(IMSIS, others, strict=True):
            if days_ago >= 0:
                self.a_sighting(device, "southtel", imsi, None, days_ago)
        self.a_theft(DeviceSet.of(keys=[device]), days_ago=(self.today - stolen_on).days)
        self.a_finding("cloned_imei", DeviceSet.of(keys=[device]), None, False, True, False, False)

    @rule(days=st.integers(1, 3))
    def time_passes(self, days):
        self.today += timedelta(days=days)

    @rule(
        check_digit=st.booleans(), invalid=st.booleans(), only_blocked=st.booleans(), imsi_change=st.booleans(),
        with_barred=st.booleans(), lookback=st.integers(1, 10),
    )  # fmt: skip
    def policy_changes(self, check_digit, invalid, only_blocked, imsi_change, with_barred, lookback):
        self.options = ListOptions(
            operators=OPERATORS,
            lookback_days=lookback,
            check_digit=check_digit,
            invalid_imeis=invalid,
            exceptions_only_blocked=only_blocked,
            exceptions_with_barred=with_barred,
            notify_imsi_change=imsi_change,
        )

    @rule(keep_runs=st.integers(1, 3), days=st.integers(0, 6))
    def a_pruning(self, keep_runs, days):
        before = {
            (operator, kind): newest.sha256
            for operator in OPERATORS
            for kind in KINDS
            if (newest := self.runs.newest(operator, kind)) is not None
        }
        self.kept_since = max(self.kept_since, self.today - timedelta(days=days))
        self.sightings = [row for row in self.sightings if row[4] >= self.kept_since]
        self.runs.prune(self.runs.prunable(keep_runs, self.kept_since))
        for (operator, kind), sha256 in before.items():
            assert self.runs.newest(operator, kind).sha256 == sha256

    # -- what the desk does, and the operators --------------------------------------------------------------------

    def measured(self):
        month_on = (DAY_ONE - date(1970, 1, 1)).days
        masks = {}
        for device, operator, imsi, msisdn, day in self.sightings:
            first = day.replace(day=1)
            key = ((first - date(1970, 1, 1)).days, device, operator, imsi, msisdn)
            masks[key] = masks.get(key, 0) | 1 << (day.day - 1)
        rows = [
            {"month_on": key[0], "device": key[1], "operator": key[2], "imsi": key[3], "msisdn": key[4], "rat": None, "day_mask": mask}
            for key, mask in masks.items()
        ]  # fmt: skip
        folder = self.home / "measures"
        folder.mkdir(exist_ok=True)
        pq.write_table(pa.Table.from_pylist(rows, schema=MEASURED["triplets"]), folder / "triplets.parquet")
        devices = [{"month_on": month_on, "device": row[0], "rat": None, "day_mask": 1} for row in self.sightings]
        pq.write_table(pa.Table.from_pylist(devices, schema=MEASURED["devices"]), folder / "devices.parquet")
        one_thread = EngineSettings(threads=1, spill=self.home / "spill")
        files = Measured(triplets=[folder / "triplets.parquet"], devices=[folder / "devices.parquet"])
        return SeenWith(lambda: files, lambda: Engine(one_thread))

    @rule(operators=st.sets(st.sampled_from(sorted(OPERATORS)), min_size=1))
    def a_run(self, operators):
        desk = Desk(
            self.options, lambda keys: {key: text for key, (_, text) in self.identifiers.texts_of(keys).items()}
        )
        with self.measured() as seen:
            contents = gather_lists(desk, self.claims, seen, self.today)
        head = RunHead(
            made_at=self.now, as_of_on=self.today, policy_sha256="bb" * 32, ledger_size=1, ledger_root="cc" * 32
        )
        run = self.runs.make(head, contents, operators, KEY)
        self.made_any = True
        for made in run.lists:
            self.operator_takes(made, run)
        for operator in operators:
            self.lists_agree_with_the_fold(operator)

    @rule()
    def a_daily_run(self):
        self.a_run(set(OPERATORS))

    def operator_takes(self, made, run):
        """The operator applies the delta when it holds its base, or takes the full list."""
        kind = KINDS[made.full.kind]
        folder = run.folder / made.full.operator
        full = ListFiles(folder / made.full.file_stem)
        place = (made.full.operator, made.full.kind)
        mine = ListFiles(self.home / "operators" / made.full.operator / made.full.kind)
        if made.delta is None:
            assert made.note
            mine.rows.parent.mkdir(parents=True, exist_ok=True)
            mine.rows.write_bytes(full.rows.read_bytes())
            mine.write_head(made.full, full.signature.read_bytes())
        else:
            delta = ListFiles(folder / made.delta.file_stem)
            twin = slow_apply(kind, rows_in(mine, kind.columns, kind), rows_in(delta, kind.delta_columns, kind))
            assert twin == rows_in(full, kind.columns, kind)
            apply_delta(mine, delta, mine, KEY.public)
        for mine_path, full_path in zip(paths(mine), paths(full), strict=True):
            assert mine_path.read_bytes() == full_path.read_bytes()
        self.held[place] = made.full.sequence

    @rule(operator=st.sampled_from(sorted(OPERATORS)), kind=st.sampled_from(sorted(KINDS)), back=st.integers(1, 4))
    def a_late_operator(self, operator, kind, back):
        """From any full list still kept, one delta leads to the newest."""
        old = [file for file in self.runs.history(operator) if file.kind == kind and file.base == 0 and file.kept]
        newest = self.runs.newest(operator, kind)
        if len(old) <= back or not newest.kept or old[back].sequence == newest.sequence:
            return
        out = self.home / "late"
        header = self.runs.make_delta(operator, KINDS[kind], old[back].sequence, out, KEY)
        new = ListFiles(out / "new")
        apply_delta(self.runs.files_of(old[back]), ListFiles(out / header.file_stem), new, KEY.public)
        assert new.rows.read_bytes() == self.runs.files_of(newest).rows.read_bytes()

    def lists_agree_with_the_fold(self, operator):
        """What an EIR that reads these lists decides is what `openceir device check` answers, for every pair seen."""
        lists = {
            name: rows_in(self.runs.files_of(self.runs.newest(operator, name)), kind.columns, kind)
            for name, kind in KINDS.items()
        }
        blocked = {row[0][:14] for row in lists["blocklist"]}
        ranges = [(row[0], row[1]) for row in lists["blockranges"]]
        pair_blocked = {(row[0][:14], row[1]) for row in lists["pairblocks"]}
        excepted = {(row[0][:14], row[1]) for row in lists["exceptions"]}
        watched = {name: min((row[4] for row in self.sightings if row[1] == name), default=None) for name in OPERATORS}
        at = last_second_of(self.today)
        [prefix] = OPERATORS[operator]
        claims = self.claims.claims_of([*PHONES, NON_UNIQUE])
        for device in [*PHONES, NON_UNIQUE]:
            imei = format_device_key(device)
            is_listed = imei in blocked or any(lo <= imei <= hi for lo, hi in ranges)
            alone = fold(claims[device], at, is_known_non_unique=device == NON_UNIQUE)
            assert is_listed == (alone.status is Status.BLOCKED), (imei, alone)
            for imsi in IMSIS:
                days = [row[4] for row in self.sightings if row[:1] == (device,) and format_subscriber(row[2]) == imsi]
                if not days or not imsi.startswith((prefix, "262")):
                    continue
                who_saw = {row[1] for row in self.sightings if row[0] == device and format_subscriber(row[2]) == imsi}
                pair = AskedPair(
                    imsi=subscriber_key(imsi),
                    first_seen_on=min(days),
                    watched_since=max(watched[name] for name in who_saw),
                )
                answer = fold(
                    claims[device],
                    at,
                    pair=pair,
                    is_known_non_unique=device == NON_UNIQUE,
                    pairs_lift_orders=self.options.exceptions_with_barred,
                )
                decides = (is_listed and (imei, imsi) not in excepted) or (imei, imsi) in pair_blocked
                assert decides == (answer.status is Status.BLOCKED), (imei, imsi, answer)

    @invariant()
    def sequence_numbers_stay(self):
        if getattr(self, "made_any", False):
            for (operator, kind), sequence in self.held.items():
                assert self.runs.newest(operator, kind).sequence == sequence


def paths(files):
    return files.rows, files.header, files.signature


Country.TestCase.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)
TestCountry = pytest.mark.slow(Country.TestCase)


def test_a_delta_from_a_pruned_base_is_refused_in_words():
    """An operator that is too late is told to take the full list; nothing is guessed."""
    country = Country()
    country.begin()
    try:
        for _ in range(3):
            country.an_order(DeviceSet.of(keys=[PHONES[0]]))
            country.a_run(set(OPERATORS))
        country.a_pruning(1, 6)
        with pytest.raises(UnknownSequence, match="give out the full list number 3"):
            country.runs.make_delta("northtel", KINDS["blocklist"], 1, country.home / "late", KEY)
    finally:
        country.teardown()
