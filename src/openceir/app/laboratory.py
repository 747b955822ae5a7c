"""The laboratory: sightings are measured, rules judge them, and what they propose is signed."""

import hashlib
from collections.abc import Sequence
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from openceir.app.dock import Dock
from openceir.ledger import Entry
from openceir.policy import Policy, PolicyError, policy_from_json, policy_from_text
from openceir.progress import Progress, Silent
from openceir.storage.files import replace_file
from openceir.storage.retention import first_kept_day

if TYPE_CHECKING:
    from openceir.detection import EngineSettings, Inputs, RuleEffect
    from openceir.storage.evidence import DetectionRun, Replay
    from openceir.storage.measures import Folded, Measures

__all__ = ["Laboratory"]


class Laboratory(Dock):
    """What sightings show. The engine is imported by the job that runs it: most jobs run none."""

    @cached_property
    def engine_settings(self) -> "EngineSettings":
        """How much of the machine detection may take."""
        from openceir.detection import EngineSettings

        spill = self.home / "lake" / "measures" / "spill"
        return EngineSettings(memory_limit=self.settings.memory_limit, threads=self.settings.threads, spill=spill)

    @cached_property
    def measures(self) -> "Measures":
        """The lake's aggregates."""
        from openceir.storage.measures import Measures

        return Measures(self.home, self.engine_settings)

    def measure(self, *, at: datetime, progress: Progress = Silent()) -> "Folded":
        """Measure what is new in the lake, erase measures of subscribers that retention has reached."""
        months = int(self.policy.value("retention.subscriber_months", at.date()))
        first_kept = first_kept_day(at.date(), months)
        return self.measures.refresh(
            self.lake.files(), self.cells.table(), self.policy, kept_since=first_kept, progress=progress
        )

    def detect(
        self,
        as_of_on: date | None = None,
        *,
        at: datetime,
        only_rules: Sequence[str] = (),
        progress: Progress = Silent(),
    ) -> "DetectionRun":
        """Judge every rule as of a day (the newest day of data), over lists as they hold at `at`, and keep the run.

        Where an earlier run asked the same policy, only devices that lists, data or the day moved since are asked again.
        """
        from openceir.detection import evaluate

        self.measure(at=at, progress=progress)
        day = as_of_on or self.lake.last_day() or at.date()
        inputs, until = self._detection_inputs(at), self.measures.until(day)
        before = None if only_rules else self.detection_runs.before(self.policy.digest, day)
        earlier = (
            None
            if before is None
            else self.detection_runs.earlier(before, inputs, self.measures.until(before.as_of_on))
        )
        proposals = evaluate(
            self.policy, day, inputs, evidence_key=self.evidence_key, settings=self.engine_settings,
            earlier=earlier, only_rules=only_rules, progress=progress,
        )  # fmt: skip
        return self.detection_runs.add(
            proposals, inputs, as_of_on=day, at=at, policy=self.policy, until=until,
            only_rules=only_rules,
        )  # fmt: skip

    def adopt(self, run: int, *, by: str, at: datetime) -> list[Entry]:
        """Sign what a run proposed, all rules in one block, and log it. Rules beyond their safety ratio are left out.

        Raises: RunUnknown; DetectionError when the run was adopted before, or its rules found something else since.
        """
        from openceir.detection import DetectionError, classifications_of
        from openceir.storage.detection_inputs import standing_findings

        kept = self.detection_runs.run(run)
        if kept.adopted_at is not None:
            raise DetectionError(f"run {run} was adopted on {kept.adopted_at:%Y-%m-%d}; make a new run")
        # A day once announced to somebody would move otherwise, and who was cleared since be accused again.
        if self.detection_runs.is_overtaken(kept, standing_findings(self.claims, at)):
            raise DetectionError(
                f"other findings of its rules were stated since run {run}; make a new run and adopt that"
            )
        said = [
            statement
            for proposal in self.detection_runs.proposals_of(kept)
            if proposal.refusal is None
            for statement in classifications_of(proposal, lambda keys: self.identifiers.set_of(keys.tolist()))
        ]
        entries = self.state(said, by=by, at=at) if said else []
        self.detection_runs.note_adoption(run, at)
        return entries

    def replay(self, run: int) -> "Replay":
        """Judge again what a run judged, from its own policy and lists, and say whether the outcome is the same."""
        from openceir.detection import evaluate
        from openceir.storage.evidence import Replay, outcome_digest

        kept = self.detection_runs.run(run)
        measured = self.measures.measured()
        proposals = evaluate(
            policy_from_json(kept.policy), kept.as_of_on, self.detection_runs.inputs_of(kept, measured),
            evidence_key=self.evidence_key, settings=self.engine_settings, only_rules=kept.only_rules,
        )  # fmt: skip
        return Replay(kept, outcome_digest(proposals), measured.digest)

    def simulate_policy(self, other: Policy, as_of_on: date | None = None, *, at: datetime) -> "list[RuleEffect]":
        """What another policy would do to whom; measures are brought up to date, nothing else is written."""
        from openceir.detection import simulate

        self.measure(at=at)
        day = as_of_on or self.lake.last_day() or at.date()
        return simulate(
            self.policy, other, day, self._detection_inputs(at),
            evidence_key=self.evidence_key, settings=self.engine_settings,
        )  # fmt: skip

    def policy_with(self, name: str, text: str, on: date) -> Policy:
        """The policy as it would be with this text in place of the country's file `name`; read as of the day `on`.

        Raises: PolicyError, RuleRefused.
        """
        from openceir.detection import amnesty_of, parse_rules

        texts = {path.name: path.read_text(encoding="utf-8") for path in self.policy_files()} | {name: text}
        other = policy_from_text(*sorted(texts.items()))
        parse_rules(other, on)
        amnesty_of(other, on)
        return other

    def change_policy(self, name: str, text: str, *, seen_sha256: str, at: datetime) -> None:
        """Put this text in place of the country's file `name`; what stood there is kept in `policy/earlier/`.

        `seen_sha256` is the digest of what stood there when the change was agreed on, of nothing when it is a new file.
        Raises: PolicyError when something else stands there now, or the text is no policy; nothing was changed then.
        """
        self.policy_with(name, text, at.date())
        path = self.policy_folder / name
        standing = path.read_bytes() if path.exists() else b""
        digest = hashlib.sha256(standing).hexdigest()
        if digest != seen_sha256:
            raise PolicyError(f"{name} was changed by somebody else since this change was agreed on; look at it again")
        if standing:
            replace_file(self.policy_folder / "earlier" / f"{path.stem}.{digest[:16]}.toml", standing)
        replace_file(path, text.encode())
        self.catch_up()

    def _detection_inputs(self, at: datetime) -> "Inputs":
        from openceir.storage.detection_inputs import gather_inputs

        return gather_inputs(self.claims, self.reference, self.measures.measured(), at)
