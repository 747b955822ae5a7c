"""What the counter counts, and the page on which Prometheus reads it.

The hot path adds one to one place of one list, `decisions[number]`; names are given when somebody reads.
No subscriber, device or peer stands on the page, so it may be shown to whoever runs the machine.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator

from openceir.eir.decision import DECISIONS, Step

__all__ = ["Counters"]

# Seconds from a read off the socket to the write of its answers.
_BORDERS = (0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 1.0)


class Counters:
    """Counts since the start."""

    def __init__(self) -> None:
        self.decisions = [0] * len(DECISIONS)
        self.refusals: Counter[int] = Counter()  # Result-Code of an error answer -> how many
        self.links: Counter[str] = Counter()  # what became of connections
        self.reloads: Counter[str] = Counter()
        self.repeated = 0
        self.failures = 0
        self._seconds = [0] * (len(_BORDERS) + 1)
        self._seconds_sum = 0.0

    def took(self, seconds: float, questions: int) -> None:
        """Note that so many questions came in one read and were answered after so long."""
        self._seconds[bisect_left(_BORDERS, seconds)] += questions
        self._seconds_sum += seconds * questions

    def of_outcomes(self) -> Counter[str]:
        """Questions by what was decided; `blocked_allowed_by_pair` and `blocked_not_in_pairs` name the two special cases."""
        outcomes: Counter[str] = Counter()
        for decision, count in zip(DECISIONS, self.decisions, strict=True):
            if not count:
                continue
            if decision.step in {Step.MALFORMED, Step.FAILURE}:
                outcomes[decision.step.name.lower()] += count
            elif decision.black_but_allowed:
                outcomes["blocked_allowed_by_pair"] += count
            elif decision.black_despite_pairs:
                outcomes["blocked_not_in_pairs"] += count
            else:
                outcomes[decision.status.name.lower()] += count
        return outcomes

    def page(self, gauges: dict[str, float]) -> str:
        """The text that Prometheus scrapes (exposition format 0.0.4)."""
        return "\n".join([*self._lines(), *(f"openceir_eir_{name} {value:g}" for name, value in gauges.items()), ""])

    def _lines(self) -> Iterator[str]:
        names = [status.lower() for status in ("PERMITTED", "TRACKED", "BLOCKED", "UNKNOWN", "MALFORMED", "FAILURE")]
        outcomes = self.of_outcomes()
        yield "# HELP openceir_eir_checks_total Questions answered, by outcome."
        yield "# TYPE openceir_eir_checks_total counter"
        for name in [*names, "blocked_allowed_by_pair", "blocked_not_in_pairs"]:
            yield f'openceir_eir_checks_total{{interface="s13",outcome="{name}"}} {outcomes[name]}'
        steps: Counter[str] = Counter()
        for decision, count in zip(DECISIONS, self.decisions, strict=True):
            steps[decision.step.name.lower()] += count
        yield "# HELP openceir_eir_decided_by_total Questions answered, by the step that decided."
        yield "# TYPE openceir_eir_decided_by_total counter"
        for step in Step:
            yield f'openceir_eir_decided_by_total{{interface="s13",step="{step.name.lower()}"}} {steps[step.name.lower()]}'
        yield "# HELP openceir_eir_refusals_total Error answers, by Result-Code."
        yield "# TYPE openceir_eir_refusals_total counter"
        for code, count in sorted(self.refusals.items()):
            yield f'openceir_eir_refusals_total{{interface="s13",result_code="{code}"}} {count}'
        yield "# HELP openceir_eir_repeated_total Questions that came again with the T bit; they are counted once above."
        yield "# TYPE openceir_eir_repeated_total counter"
        yield f"openceir_eir_repeated_total {self.repeated}"
        yield "# HELP openceir_eir_failures_total ALARM when it grows: questions we failed on and answered by policy."
        yield "# TYPE openceir_eir_failures_total counter"
        yield f"openceir_eir_failures_total {self.failures}"
        yield "# TYPE openceir_eir_links_total counter"
        for event, count in sorted(self.links.items()):
            yield f'openceir_eir_links_total{{event="{event}"}} {count}'
        yield "# TYPE openceir_eir_reloads_total counter"
        for event, count in sorted(self.reloads.items()):
            yield f'openceir_eir_reloads_total{{outcome="{event}"}} {count}'
        yield "# HELP openceir_eir_answer_seconds From the read off the socket to the write of the answer."
        yield "# TYPE openceir_eir_answer_seconds histogram"
        total = 0
        for border, count in zip((*map(str, _BORDERS), "+Inf"), self._seconds, strict=True):
            total += count
            yield f'openceir_eir_answer_seconds_bucket{{interface="s13",le="{border}"}} {total}'
        yield f'openceir_eir_answer_seconds_sum{{interface="s13"}} {self._seconds_sum:.6f}'
        yield f'openceir_eir_answer_seconds_count{{interface="s13"}} {total}'
