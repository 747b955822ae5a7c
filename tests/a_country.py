"""A small country for stories: two networks, a police force, a regulator; its register in a folder."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from openceir.app import Register, open_register
from openceir.lists import KINDS, read_rows
from openceir.statements import Role

ALICES_PHONE, BOBS_PHONE, SPARE_PHONE = "00100100000001", "00100100000002", "00100100000003"
ALICE = ("001010000000001", "999555000001")
BOB = ("001020000000002", "999555000002")
MALLORY = ("001010000000666", "999555000666")

POLICY = """
[country]
name = "Storyland"
mcc = ["001"]
country_codes = ["999"]

[operators.northtel]
name = "Northtel"
mcc_mnc = ["00101"]

[operators.southtel]
name = "Southtel"
mcc_mnc = ["00102"]

[intake.operator]
non_home_imsi_ratio = 1.0
leading_zero_suspicion_ratio = 1.0
historic_imei_ratio = 0.0
historic_imsi_ratio = 0.0
historic_msisdn_ratio = 0.0
null_any_ratio = 1.0
null_rat_ratio = 1.0
unclean_imei_ratio = 1.0
unclean_any_ratio = 1.0
out_of_region_msisdn_ratio = 1.0
out_of_region_any_ratio = 1.0
"""

SHARED = """
[[rule]]
label = "cloned_imei"
reason = "one number, several handsets"
conditions = [{ name = "duplicate_threshold", params = { threshold = 2, period_days = 30 } }]
grace_days = 30
blocking = true
marks_duplicate = true
amnesty_eligible = true
max_matching_ratio = 1.0
"""


def day(text: str) -> date:
    return date.fromisoformat(text)


def noon(text: str | date) -> datetime:
    on = day(text) if isinstance(text, str) else text
    return datetime(on.year, on.month, on.day, 12, tzinfo=UTC)


class Storyland:
    """The country. Every method is something that somebody does on a day."""

    def __init__(self, home: Path, policy: str = "") -> None:
        self.home = home
        (home / "policy").mkdir(parents=True)
        (home / "policy" / "country.toml").write_text(POLICY + policy)
        self.register: Register = open_register(home)
        for office, role in (("police", Role.POLICE), ("regulator", Role.REGULATOR)):
            self.register.new_key(office, member=office, roles=[role], valid_from=datetime(2026, 1, 1, tzinfo=UTC))
        self.dumps = 0

    def reopen(self) -> None:
        self.register.ledger.close()
        self.register.database.close()
        self.register = open_register(self.home)

    def change_policy(self, text: str) -> None:
        (self.home / "policy" / "country.toml").write_text(POLICY + text)
        self.reopen()

    def says(self, by: str, statement, on: str):
        return self.register.state([statement], by=by, at=noon(on))

    def sees(self, operator: str, sightings, on: str):
        """Sightings are (day, imei, (imsi, msisdn)); the dump arrives on the day `on`."""
        self.dumps += 1
        days = sorted(sighting[0] for sighting in sightings)
        path = self.home / f"dump{self.dumps}.csv"
        rows = [f"{seen.replace('-', '')},{imei},{imsi},{msisdn},006" for seen, imei, (imsi, msisdn) in sightings]
        path.write_text("date,imei,imsi,msisdn,rat\n" + "\n".join(rows) + "\n")
        report = self.register.import_sightings(
            path, operator=operator, since=day(days[0]), until=day(days[-1]), at=noon(on)
        )
        path.unlink()
        return report

    def brings(self, kind: str, text: str, on: str, by: str, delta: bool = False):
        path = self.home / f"{kind}.csv"
        path.write_text(text)
        report = self.register.import_list(kind, path, by=by, at=noon(on), delta=delta)
        path.unlink()
        return report

    def updates(self, on: str):
        return self.register.update(at=noon(on), by="regulator")

    def makes_lists(self, on: str):
        return self.register.make_lists(on=day(on), at=noon(on))

    def rows(self, operator: str, kind: str):
        """The operator's newest full list."""
        runs = self.register.list_runs
        path = runs.files_of(runs.newest(operator, kind)).rows
        with path.open("rb") as source:
            return list(read_rows(KINDS[kind].columns, KINDS[kind].key_length, source, path.name))

    def changes(self, operator: str, kind: str, run):
        """What the run's delta says."""
        [made] = [one for one in run.lists if (one.full.operator, one.full.kind) == (operator, kind)]
        path = run.folder / operator / f"{made.delta.file_stem}.csv"
        with path.open("rb") as source:
            return list(read_rows(KINDS[kind].delta_columns, KINDS[kind].key_length, source, path.name))

    def status(self, imei: str, on: str, imsi: str | None = None) -> str:
        return str(self.register.check(imei, noon(on), imsi=imsi).status)


def days_from(first: str, count: int):
    return [(day(first) + timedelta(days=n)).isoformat() for n in range(count)]
