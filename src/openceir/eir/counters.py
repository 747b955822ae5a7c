"""What the counter counts, and the page on which Prometheus reads it.

The hot path adds one to one place of one list, `decisions[number]`; names are given when somebody reads.
No subscriber, device or peer stands on the page, so it may be shown to whoever runs the machine.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from openceir.eir.decision import DECISIONS, Step

__all__ = ["Counters", "page_of"]

# Seconds from a read off the socket to the write of its answers.
_BORDERS = (0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 1.0)


class Counters:
    """Counts since the start, of one interface. `code_label` names what its error answers are told apart by."""

    def __init__(self, interface: str = "s13", code_label: str = "result_code") -> None:
        self.interface, self.code_label = interface, code_label
        self.decisions = [0] * len(DECISIONS)
        self.refusals: Counter[int] = Counter()  # Result-Code or HTTP status of an error answer -> how many
        self.links: Counter[str] = Counter()  # what became of connections
        self.reloads: Counter[str] = Counter()
        self.repeated = 0
        self.failures = 0
        self.records_lost = 0
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

    def add(self, other: "Counters") -> None:
        """Take another's counts into these; so processes of one interface are told as one."""
        self.decisions = [ours + theirs for ours, theirs in zip(self.decisions, other.decisions, strict=True)]
        self._seconds = [ours + theirs for ours, theirs in zip(self._seconds, other._seconds, strict=True)]
        self._seconds_sum += other._seconds_sum
        self.repeated += other.repeated
        self.failures += other.failures
        self.records_lost += other.records_lost
        for ours, theirs in (
            (self.refusals, other.refusals),
            (self.links, other.links),
            (self.reloads, other.reloads),
        ):
            ours.update(theirs)  # type: ignore[arg-type]

    def page(self, gauges: dict[str, float]) -> str:
        """The page of this interface alone."""
        return page_of([self], gauges)

    def of_checks(self) -> Iterator[str]:
        """Lines of `checks_total`."""
        names = [status.lower() for status in ("PERMITTED", "TRACKED", "BLOCKED", "UNKNOWN", "MALFORMED", "FAILURE")]
        outcomes = self.of_outcomes()
        for name in [*names, "blocked_allowed_by_pair", "blocked_not_in_pairs"]:
            yield f'{{interface="{self.interface}",outcome="{name}"}} {outcomes[name]}'

    def of_steps(self) -> Iterator[str]:
        """Lines of `decided_by_total`."""
        steps: Counter[Step] = Counter()
        for decision, count in zip(DECISIONS, self.decisions, strict=True):
            steps[decision.step] += count
        for step in Step:
            yield f'{{interface="{self.interface}",step="{step.name.lower()}"}} {steps[step]}'

    def of_refusals(self) -> Iterator[str]:
        """Lines of `refusals_total`."""
        for code, count in sorted(self.refusals.items()):
            yield f'{{interface="{self.interface}",{self.code_label}="{code}"}} {count}'

    def of_seconds(self) -> Iterator[str]:
        """Lines of the histogram, each with its own ending of the name."""
        total = 0
        for border, count in zip((*map(str, _BORDERS), "+Inf"), self._seconds, strict=True):
            total += count
            yield f'_bucket{{interface="{self.interface}",le="{border}"}} {total}'
        yield f'_sum{{interface="{self.interface}"}} {self._seconds_sum:.6f}'
        yield f'_count{{interface="{self.interface}"}} {total}'


# Each metric: name, kind, help, its lines for one interface.
_METRICS: tuple[tuple[str, str, str, Callable[[Counters], Iterator[str]]], ...] = (
    ("checks_total", "counter", "Questions answered, by outcome.", Counters.of_checks),
    ("decided_by_total", "counter", "Questions answered, by the step that decided.", Counters.of_steps),
    ("refusals_total", "counter", "Error answers, by Result-Code or HTTP status.", Counters.of_refusals),
    (
        "repeated_total",
        "counter",
        "Questions that came again with the T bit; they are counted once above.",
        lambda counts: iter([f'{{interface="{counts.interface}"}} {counts.repeated}']),
    ),
    (
        "failures_total",
        "counter",
        "ALARM when it grows: questions we failed on and answered by policy.",
        lambda counts: iter([f'{{interface="{counts.interface}"}} {counts.failures}']),
    ),
    (
        "records_lost_total",
        "counter",
        "ALARM when it grows: check records that the disk refused.",
        lambda counts: iter([f'{{interface="{counts.interface}"}} {counts.records_lost}']),
    ),
    (
        "links_total",
        "counter",
        "What became of connections and of processes.",
        lambda counts: (
            f'{{interface="{counts.interface}",event="{event}"}} {count}'
            for event, count in sorted(counts.links.items())
        ),
    ),
    (
        "reloads_total",
        "counter",
        "New lists, by what became of them.",
        lambda counts: (
            f'{{interface="{counts.interface}",outcome="{outcome}"}} {count}'
            for outcome, count in sorted(counts.reloads.items())
        ),
    ),
    ("answer_seconds", "histogram", "From the read off the socket to the write of the answer.", Counters.of_seconds),
)


def page_of(interfaces: Sequence[Counters], gauges: dict[str, float]) -> str:
    """The text that Prometheus scrapes (exposition format 0.0.4), every metric once with all interfaces under it."""
    lines = []
    for name, kind, meaning, lines_of in _METRICS:
        lines.append(f"# HELP openceir_eir_{name} {meaning}")
        lines.append(f"# TYPE openceir_eir_{name} {kind}")
        lines += [f"openceir_eir_{name}{line}" for counts in interfaces for line in lines_of(counts)]
    return "\n".join([*lines, *(f"openceir_eir_{name} {value:g}" for name, value in gauges.items()), ""])
