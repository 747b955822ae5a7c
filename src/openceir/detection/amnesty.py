"""When a hit begins to bite: grace, and the three phases of an amnesty.

            evaluation_from … evaluation_until        … until            after
new hit     no day announced, amnesty granted         grace, no amnesty  grace, no amnesty
granted     (as it was)                               the day `until`    that day stays
"""

from dataclasses import dataclass
from datetime import date, timedelta

from openceir.detection.errors import DetectionError
from openceir.detection.rule import Rule
from openceir.policy import Limit, Policy

__all__ = ["Amnesty", "Consequence", "amnesty_of", "consequence_for"]


@dataclass(frozen=True, slots=True, order=True)
class Consequence:
    """What a hit means for a device. `block_on` None: no day is announced."""

    block_on: date | None
    amnesty: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Amnesty:
    """The amnesty of a policy; all days are included in their phase."""

    evaluation_from: date
    evaluation_until: date
    until: date

    def is_evaluating(self, on: date) -> bool:
        """Whether devices become eligible on that day."""
        return self.evaluation_from <= on <= self.evaluation_until


def consequence_for(rule: Rule, amnesty: Amnesty | None, as_of_on: date, before: Consequence | None) -> Consequence:
    """What follows for a device that matches on `as_of_on`; `before` is what it was told when it first matched."""
    if not rule.blocking:
        return Consequence(None, False)
    evaluating = amnesty is not None and rule.amnesty_eligible and amnesty.is_evaluating(as_of_on)
    told = before.block_on if before else None
    if evaluating and (told is None or told > as_of_on):
        return Consequence(None, True)
    granted = before is not None and before.amnesty
    if granted and told is None and amnesty is not None and as_of_on <= amnesty.until:
        return Consequence(amnesty.until, True)
    # A day once announced stays; where none was, nobody is blocked without notice.
    return Consequence(told or as_of_on + timedelta(days=rule.grace_days), granted)


def amnesty_of(policy: Policy, on: date) -> Amnesty | None:
    """The policy's amnesty as the day `on` sees it; None when it names none.

    Raises: DetectionError when its days are missing or out of order.
    """
    limits = policy.section("detection.amnesty", on)
    days = {name: _day(limit) for name, limit in limits.items()}
    if all(day is None for day in days.values()):
        return None
    begins, ends, until = days["evaluation_from"], days["evaluation_until"], days["until"]
    if begins is None or ends is None or until is None:
        raise DetectionError("detection.amnesty needs evaluation_from, evaluation_until and until, or none of them")
    if not begins <= ends < until:
        raise DetectionError(f"detection.amnesty: {begins}, {ends} and {until} must follow one another")
    return Amnesty(evaluation_from=begins, evaluation_until=ends, until=until)


def _day(limit: Limit) -> date | None:
    if isinstance(limit.value, date):
        return limit.value
    try:
        return date.fromisoformat(limit.value) if limit.value else None
    except (TypeError, ValueError) as wrong:
        raise DetectionError(f'{limit.name} is {limit.value!r}; write a day as "2027-01-01"') from wrong
