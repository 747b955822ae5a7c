"""The demo: one month of one country, from files to verdicts, and the day after. Every claim it prints was just checked.

The instants are the country's own, not the machine's, so that two runs print the same text.
"""

import shutil
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from openceir.app import Register, open_register
from openceir.demo.cast import Fact, Handset
from openceir.demo.country import LAST_DAY, SEED, Country, seen_as, write_country
from openceir.demo.places import OPERATORS
from openceir.demo.score import QUESTIONS, score
from openceir.demo.telling import Teller, count, percent
from openceir.detection import example_rules
from openceir.errors import OpenceirError
from openceir.identity import ODD_DEVICE_BASE, format_device_key, luhn_check_digit
from openceir.intake import ImportReport
from openceir.ledger import verify_receipt
from openceir.progress import Progress
from openceir.statements import Role
from openceir.status import Answer, ClaimKind, Status
from openceir.storage.key_files import read_public_key
from openceir.storage.list_files import ListFiles, apply_delta
from openceir.storage.list_runs import ListRun

__all__ = ["DemoRefused", "run_demo"]

MONTH_END = datetime.combine(LAST_DAY + timedelta(days=1), datetime.min.time(), UTC) + timedelta(hours=6)
DAY_AFTER = MONTH_END + timedelta(days=1)
_BEFORE = datetime(2026, 9, 1, tzinfo=UTC)
_LISTED_ON = date(2026, 10, 1)  # the day of lists whose rows have none
_MARKER = "made-by-openceir-demo.txt"
_NOTICE = "This folder was made by `openceir demo`. Nothing in it is real; it may be deleted, and the next demo replaces it.\n"

# name of the list -> who signs what it changes; reference lists are signed by nobody
_LISTS = {
    "registration": "customs",
    "stolen": "police",
    "pairing": "regulator",
    "barred": "regulator",
    "barred-tac": "regulator",
    "monitoring": "regulator",
    "golden": "regulator",
    "association": "",
    "subscribers": "",
}


class DemoRefused(OpenceirError):
    """The demo's folder belongs to something else, or there is no demo to keep."""

    code = "demo-folder"


def run_demo(folder: Path, *, keep: bool = False, say: Callable[[str], None], progress: Progress) -> bool:
    """Make the country and the register in `folder` and tell what was found; whether every check held.

    With `keep`, an earlier demo stays as it is: its ledger is verified and its report told again.
    Raises: DemoRefused when `folder` holds anything but an earlier demo.
    """
    if keep and (folder / _MARKER).exists() and (folder / "report.txt").exists():
        open_register(folder / "home").verify_ledger(progress)
        for line in (folder / "report.txt").read_text(encoding="utf-8").splitlines():
            say(line)
        return True
    _make_room(folder)
    teller = Teller(say)
    demo = _Demo(folder, teller, progress)
    for part in (
        demo.make_country,
        demo.open_home,
        demo.bring_files,
        demo.judge_month,
        demo.tell_operators,
        demo.live_a_day,
        demo.check_the_book,
        demo.hold_against_truth,
        demo.count_verdicts,
        demo.show_five,
        demo.say_what_next,
    ):
        part()
    (folder / "report.txt").write_text("\n".join(teller.said) + "\n", encoding="utf-8")
    demo.register.ledger.close()  # whoever serves it next is another process, and another writer
    demo.register.database.close()
    return not demo.failed


def _make_room(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()):
        if not (folder / _MARKER).exists():
            raise DemoRefused(
                f"{folder} holds something that `openceir demo` did not make; name another folder or move it away"
            )
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _MARKER).write_text(_NOTICE, encoding="utf-8")


@dataclass
class _Demo:
    """The parts of the story, in order; each leaves behind what the next needs."""

    folder: Path
    teller: Teller
    progress: Progress
    failed: list[str] = field(default_factory=list)
    country: Country = field(init=False)
    register: Register = field(init=False)
    hits: dict[str, set[str]] = field(init=False)  # rule -> numbers, as of the day after
    first_lists: ListRun = field(init=False)

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def must(self, holds: bool, sentence: str) -> None:
        """Say that something holds, or that it does not; the demo then fails."""
        self.teller.line(f"  {'ok      ' if holds else 'FAILED  '}{sentence}")
        if not holds:
            self.failed.append(sentence)

    # -- the month -----------------------------------------------------------------------------------------------

    def make_country(self) -> None:
        """The files, and who is in them."""
        self.progress("making a country", 0, 1)
        self.country = write_country(self.folder / "files", seed=SEED)
        self.progress("making a country", 1, 1)
        devices = len({handset.device for handset in self.country.handsets})
        self.teller.line("Exampleland, a country that does not exist")
        self.teller.line()
        self.teller.line(
            f"{count(devices)} handsets, {count(len(self.country.lines))} SIMs, {len(OPERATORS)} networks, "
            f"{count(self.country.sightings)} sightings in October 2026. Every number is made up."
        )

    def open_home(self) -> None:
        """An empty register with the country's policy and the keys of three authorities."""
        policy = self.home / "policy"
        policy.mkdir(parents=True)
        shutil.copyfile(self.country.policy, policy / "10-exampleland.toml")
        (policy / "20-rules.toml").write_text(example_rules(), encoding="utf-8")
        self.register = open_register(self.home)
        for name, role in (("regulator", Role.REGULATOR), ("police", Role.POLICE), ("customs", Role.CUSTOMS)):
            self.register.new_key(name, member=name, roles=[role], valid_from=_BEFORE)

    def bring_files(self) -> None:
        """Everything that arrived by the end of the month."""
        register, country = self.register, self.country
        reports = [register.import_tac_table(country.list_file("tac"), at=MONTH_END, progress=self.progress)]
        for operator in OPERATORS:
            cells = country.cells(operator.id)
            reports.append(register.import_cells(cells, operator=operator.id, at=MONTH_END, progress=self.progress))
            reports.append(register.import_sightings(country.dump(operator.id), at=MONTH_END, progress=self.progress))
        for name, by in _LISTS.items():
            reports.append(
                register.import_list(
                    name, country.list_file(name), by=by, on=self._day_of(name), at=MONTH_END, progress=self.progress
                )
            )
        self.teller.heading("Files read")
        self._tell_files(reports)
        again = register.import_sightings(country.dump("westtel"), at=MONTH_END, progress=self.progress)
        self.must(again.already, "a file that comes twice changes nothing")

    def _day_of(self, name: str) -> date | None:
        """The day of a list whose rows have none; rows with days must not lie after it."""
        return None if name == "stolen" else _LISTED_ON

    def _tell_files(self, reports: Iterable[ImportReport]) -> None:
        reports = list(reports)
        self.teller.table(
            ("file", "rows", "set aside", "what it became"),
            [
                (report.file, count(report.rows), count(report.rejects.rows), _became(report))
                for report in reports
                if report.kind != "cells"
            ],
        )
        reasons: Counter[str] = Counter()
        for report in reports:
            reasons.update(report.rejects.counts)
        self.teller.line()
        self.teller.line("  Rows set aside (the rest of each file counts): " + _counted(reasons) + ".")
        self.teller.line(f"  They stand in {self.home}/quarantine with line, column, value and reason.")

    def judge_month(self) -> None:
        """Detection proposes, the regulator signs."""
        self.teller.heading(f"Verdicts as of {LAST_DAY}")
        signed = self._detect(LAST_DAY, MONTH_END)
        self.teller.line(
            f"  {len(signed)} of the rules found something; the regulator signed {len(signed)} statements."
            " Without that signature nothing changes."
        )

    def _detect(self, day: date, at: datetime) -> list[str]:
        run = self.register.detect(day, at=at, progress=self.progress)
        proposals = self.register.detection_runs.proposals_of(run)
        self.hits = {proposal.rule.label: self._texts(proposal.standing.tolist()) for proposal in proposals}
        refused = [proposal.rule.label for proposal in proposals if proposal.refusal]
        self.must(not refused, "no rule matches more devices than its safety ratio allows" + _counted(Counter(refused)))
        self.register.adopt(run.number, by="regulator", at=at)
        replayed = self.register.replay(run.number)
        self.must(replayed.is_same, "the same verdicts come out when the run is replayed")
        return [proposal.rule.label for proposal in proposals if not proposal.is_empty]

    def _texts(self, keys: Iterable[int]) -> set[str]:
        keys = list(keys)
        odd = self.register.identifiers.texts_of([key for key in keys if key >= ODD_DEVICE_BASE])
        return {format_device_key(key) if key < ODD_DEVICE_BASE else odd[key][1] for key in keys}

    def tell_operators(self) -> None:
        """The first lists."""
        self.first_lists = self.register.make_lists(on=MONTH_END.date(), at=MONTH_END)
        self.teller.heading("Lists for the operators")
        self._tell_lists(self.first_lists)

    def _tell_lists(self, run: ListRun) -> None:
        kinds = list(dict.fromkeys(made.full.kind for made in run.lists))
        rows = {(made.full.operator, made.full.kind): made for made in run.lists}
        self.teller.table(
            ("operator", *kinds),
            [(operator.name, *(count(rows[operator.id, kind].full.rows) for kind in kinds)) for operator in OPERATORS],
        )

    # -- the day after -------------------------------------------------------------------------------------------

    def live_a_day(self) -> None:
        """Six late reports of theft, five recoveries, a day's sightings; only what changed is worked on."""
        register, country = self.register, self.country
        delta = country.list_file("stolen-delta")
        reports = [register.import_list("stolen", delta, delta=True, by="police", at=DAY_AFTER, progress=self.progress)]
        for operator in OPERATORS:
            dump = country.dump(operator.id, further_day=True)
            reports.append(register.import_sightings(dump, at=DAY_AFTER, progress=self.progress))
        self.teller.heading("A day later")
        self.teller.table(
            ("file", "rows", "set aside", "what it became"),
            [(r.file, count(r.rows), count(r.rejects.rows), _became(r)) for r in reports],
        )
        self.teller.line()
        self._detect(LAST_DAY + timedelta(days=1), DAY_AFTER)
        second = register.make_lists(on=DAY_AFTER.date(), at=DAY_AFTER)
        changed = sum(made.delta.rows for made in second.lists if made.delta)
        whole = sum(made.full.rows for made in second.lists)
        same = [self._delta_leads_to(second, operator.id) for operator in OPERATORS]
        self.must(
            all(same),
            f"applying each delta to yesterday's list gives today's, octet for octet: {sum(same)} of {len(same)} operators, "
            f"{count(changed)} changes instead of {count(whole)} rows",
        )

    def _delta_leads_to(self, second: ListRun, operator: str) -> bool:
        """Do what the operator does: hold the old list, receive the delta, apply it; compare with who took the full list."""
        key = self.register.list_signer().public
        scratch = self.folder / "applied" / operator
        scratch.mkdir(parents=True, exist_ok=True)
        for made in second.lists:
            if made.full.operator != operator:
                continue
            if made.delta is None:
                return False
            old = next(old for old in self.first_lists.lists if old.full.kind == made.full.kind)
            held = _files(self.first_lists, operator, old.full.file_stem.replace(old.full.operator, operator, 1))
            new = ListFiles.of(scratch / f"{made.full.file_stem}.csv")
            apply_delta(held, _files(second, operator, made.delta.file_stem), new, key)
            given = _files(second, operator, made.full.file_stem)
            for mine, theirs in zip(_parts(new), _parts(given), strict=True):
                if mine.read_bytes() != theirs.read_bytes():
                    return False
        return True

    def check_the_book(self) -> None:
        """The ledger from the disk, and a receipt in the hands of a stranger."""
        self.teller.heading("The book")
        audit = self.register.verify_ledger(self.progress)
        self.must(
            audit.checkpoint_size == audit.statements == self.register.ledger.size,
            f"{count(audit.statements)} signed statements, every signature, role and digest verified from the disk",
        )
        self.teller.line("          " + _counted(Counter(audit.by_kind)))
        index = self._with_its_sim(self._of_story("stolen, used with another SIM")).reasons[0].statement
        receipt = self.folder / "receipt.cbor"
        receipt.write_bytes(self.register.ledger.receipt(index, at=DAY_AFTER))
        log_key = read_public_key(str(self.home / "ledger" / "log.vkey"))
        shown = verify_receipt(receipt.read_bytes(), log_key, self.register.members)
        self.must(
            shown.receipt.index == index,
            f"a stranger with the log's public key verifies the receipt of the police's statement {index}, offline",
        )
        self.must(self._is_refused(receipt.read_bytes(), 200), "the same receipt with one bit changed is refused")

    def _is_refused(self, octets: bytes, at: int) -> bool:
        altered = bytearray(octets)
        altered[at] ^= 1
        log_key = read_public_key(str(self.home / "ledger" / "log.vkey"))
        try:
            verify_receipt(bytes(altered), log_key, self.register.members)
        except OpenceirError:
            return True
        return False

    # -- against the truth ---------------------------------------------------------------------------------------

    def hold_against_truth(self) -> None:
        """Precision and recall of every rule, and who was accused wrongly."""
        self.teller.heading("What was found, against what is true (files/truth.csv, which the register never reads)")
        rows, wronged = [], []
        for question in QUESTIONS:
            hits = set().union(*(self.hits.get(rule, set()) for rule in question.rules))
            judged = score(self.country, question, hits)
            rows.append(
                (
                    question.says,
                    count(judged.right),
                    count(judged.wrong),
                    count(judged.missed),
                    percent(judged.precision),
                    percent(judged.recall),
                    count(judged.handsets),
                    count(judged.innocent),
                )
            )
            if judged.wronged:
                wronged.append(f"  {question.says}: {_counted(Counter(judged.wronged))}")
            if judged.nobodys:
                wronged.append(f"  {question.says}: {count(judged.nobodys)} number on no handset, mistyped in the list")
        self.teller.table(
            ("the number is", "right", "wrong", "missed", "precision", "recall", "handsets", "innocent"), rows
        )
        self.teller.line()
        self.teller.line(
            "Numbers are right, wrong or missed; handsets bear them. The innocent behind the hits, by their story:"
        )
        for line in wronged:
            self.teller.line(line)

    def count_verdicts(self) -> None:
        """What each handset meets on the network, with the SIM it last held."""
        self.teller.heading(f"What a handset with its SIM meets on {DAY_AFTER:%Y-%m-%d}")
        met: dict[str, Counter[Status]] = {}
        blocked: Counter[str] = Counter()
        paired = {row.partition(",")[0][:14] for row in _lines(self.country.list_file("pairing"))}
        in_use = [h for h in self.country.handsets if h.number in self.country.lines_of_handset]
        self.progress("asking for every handset", 0, len(in_use))
        answers = self.register.check_many([_asked(handset) for handset in in_use], DAY_AFTER)
        for number, (handset, answer) in enumerate(zip(in_use, answers, strict=True), start=1):
            if isinstance(answer, OpenceirError):
                raise answer
            if handset.imei in paired or any(reason.kind in _THEFTS for reason in answer.reasons):
                answer = self._with_its_sim(handset)  # it may be another for one SIM than for the next
            status = answer.status
            if number % 500 == 0 or number == len(in_use):
                self.progress("asking for every handset", number, len(in_use))
            met.setdefault(_group(handset), Counter())[status] += 1
            if status is Status.BLOCKED and not handset.is_offender:
                blocked[handset.story] += 1
        self.teller.table(
            ("who", *(status.value for status in Status), "all"),
            [
                (group, *(count(met[group][status]) for status in Status), count(met[group].total()))
                for group in _GROUPS
                if group in met
            ],
        )
        self.teller.line()
        innocent = f"  Blocked without fault: {_counted(blocked)}." if blocked else "  Nobody is blocked without fault."
        self.teller.line(innocent)

    def _with_its_sim(self, handset: Handset) -> Answer:
        line = self.country.lines_of_handset[handset.number][-1]
        return self.register.check(_asked(handset), DAY_AFTER, imsi=line.imsi)

    def _of_story(self, story: str) -> Handset:
        """The first handset with this story."""
        return next(handset for handset in self.country.handsets if handset.story == story)

    def show_five(self) -> None:
        """Five handsets, their verdicts and reasons."""
        self.teller.heading("Five handsets")
        for story in _FIVE:
            handset = self._of_story(story)
            answer = self._with_its_sim(handset)
            self.teller.line(f"  {_asked(handset)}  {answer.status.upper()}  in truth: {handset.story}")
            self.teller.line(f"      {answer.headline}")
            for reason in answer.reasons:
                self.teller.line(f"      {'*' if reason.decides else '-'} {reason.sentence}")
            self.teller.line()

    def say_what_next(self) -> None:
        """Commands that work with what was made."""
        stolen, copied = self._of_story("stolen"), self._of_story("mass clone: the original")
        self.teller.heading("Try next")
        self.teller.line(f"  export OPENCEIR_HOME={self.home}")
        for command in (
            f"openceir device check {_asked(stolen)}",
            f"openceir device check {_asked(copied)} --at 2026-10-15",
            f"openceir device history {_asked(self._of_story('stolen, used with another SIM'))}",
            f"openceir detection explain {_asked(copied)}",
            "openceir ledger verify",
            f"openceir receipt verify {self.folder}/receipt.cbor --log-key {self.home}/ledger/log.vkey",
            "openceir serve",
        ):
            self.teller.line(f"  {command}")


_THEFTS = {ClaimKind.STOLEN, ClaimKind.LOST}
_GROUPS = (
    "honest people",
    "owners of copied numbers",
    "visitors",
    "copies",
    "stolen",
    "made-up numbers, test units",
    "unregistered imports",
    "SIM boxes",
    "barred",
)
_FIVE = (
    "ordinary",
    "stolen, used with another SIM",
    "mass clone: the original",
    "unregistered import",
    "leading zero lost",
)


def _group(handset: Handset) -> str:
    facts = handset.facts
    if Fact.STOLEN in facts:
        return "stolen"
    if Fact.COPY in facts:
        return "copies"
    if facts & {Fact.UNALLOCATED, Fact.GARBLED, Fact.TEST_UNIT}:
        return "made-up numbers, test units"
    if Fact.UNREGISTERED in facts:
        return "unregistered imports"
    if Fact.SIM_BOX in facts:
        return "SIM boxes"
    if facts & {Fact.BARRED, Fact.RECALLED}:
        return "barred"
    if Fact.VISITOR in facts:
        return "visitors"
    return "owners of copied numbers" if Fact.ORIGINAL in facts else "honest people"


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def _asked(handset: Handset) -> str:
    """What one types to ask for a handset: with the check digit, as *#06# shows it."""
    imei = seen_as(handset)
    return imei + luhn_check_digit(imei) if imei.isdecimal() and len(imei) == 14 else imei


def _became(report: ImportReport) -> str:
    if report.signed:
        return ", ".join(report.signed)
    if report.kind == "sightings":
        return f"{count(report.accepted)} sightings"
    return f"{count(report.accepted)} reference rows"


def _counted(many: Counter[str]) -> str:
    return ", ".join(
        f"{count(number)} {name}" for name, number in sorted(many.items(), key=lambda pair: (-pair[1], pair[0]))
    )


def _files(run: ListRun, operator: str, stem: str) -> ListFiles:
    return ListFiles.of(run.folder / operator / f"{stem}.csv")


def _parts(files: ListFiles) -> tuple[Path, Path, Path]:
    return files.rows, files.header, files.signature
