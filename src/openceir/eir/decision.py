"""What the EIR says of one device with one subscriber: steps in an order, the first that speaks decides.

| step               | speaks when                                                                  |
|--------------------|------------------------------------------------------------------------------|
| `override`         | the policy sets one status for everybody (an emergency, a trial)             |
| `imsi_range`       | the subscriber lies in a listed range                                        |
| `pair`             | this device with this subscriber is a listed pair                            |
| `imei`             | the device is listed by itself                                               |
| `software_version` | its TAC with this software version is listed                                 |
| `range`            | a range within the TAC, the whole TAC or a wider range holds it, narrowest first |
| `default`          | always: UNKNOWN, which each interface answers as its operator chose          |

The order above is the default one. It gives what the EIRs in the field give that walk "override, IMSI range,
individual IMEI, range, software version, pair": there the later steps replace the answer of the earlier ones, here
they are asked first. A policy may give the steps in another order or leave steps out; `default` is always last.

An operator's own rules (`own_rules.py`) speak in their step before the lists do.

An identity that is not an IMEI is looked up as what it is (`others` of the index), never as digits.
"""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any, NamedTuple

from openceir.eir.attributes import ENTRIES, HAS_PAIRS, STATUS_SHIFT, Status
from openceir.eir.errors import PolicyRefused
from openceir.eir.index import ANY_TAC, SERIALS, Index, Overlay
from openceir.eir.own_rules import OWN_TABLES, OwnRules, before, read_own_rules

__all__ = [
    "DECISIONS", "DEFAULT_ORDER", "FAILURE", "MALFORMED", "UNKNOWN", "Decider", "Decision", "DecisionPolicy",
    "InterfacePolicy", "Step", "read_policy",
]  # fmt: skip


class Step(IntEnum):
    """Which rule spoke. The last two are no rules but what became of a question that none could be asked of."""

    DEFAULT = 0
    OVERRIDE = 1
    IMSI_RANGE = 2
    PAIR = 3
    IMEI = 4
    SOFTWARE_VERSION = 5
    RANGE = 6
    MALFORMED = 7
    FAILURE = 8


DEFAULT_ORDER = (Step.OVERRIDE, Step.IMSI_RANGE, Step.PAIR, Step.IMEI, Step.SOFTWARE_VERSION, Step.RANGE)

UNKNOWN = Step.DEFAULT << 8
MALFORMED = Step.MALFORMED << 8
FAILURE = Step.FAILURE << 8


class Decision(NamedTuple):
    """What was decided and by what. A decision is handed about as its number, `step << 8 | attribute`."""

    step: Step
    status: Status
    reason: int
    black_but_allowed: bool  # a pair permits what the lists would block
    black_despite_pairs: bool  # pairs of this device exist, and this subscriber is not among them


def _decision(number: int) -> Decision:
    step, entry = Step(number >> 8), ENTRIES[number & 255]
    marked = bool(number & HAS_PAIRS)
    return Decision(
        step,
        entry.status,
        entry.reason,
        black_but_allowed=step is Step.PAIR and marked,
        black_despite_pairs=step is Step.IMEI and marked and entry.status is Status.BLOCKED,
    )


DECISIONS = tuple(_decision(number) for number in range(len(Step) << 8))


@dataclass(frozen=True, slots=True, kw_only=True)
class InterfacePolicy:
    """What one interface answers where the lists give no status.

    Each is `permitted`, `tracked`, `blocked` or `unknown` (the interface's own word for it); `malformed` and `failure`
    may also be `error` (the interface's own error). A failure is answered `permitted` unless told otherwise: an EIR
    that fails must not take a country off the air; each such answer is counted and is an alarm.
    """

    unknown: str = "unknown"
    malformed: str = "error"
    failure: str = "permitted"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionPolicy:
    """The operator's choices."""

    order: tuple[Step, ...] = DEFAULT_ORDER
    override: Status = Status.UNKNOWN  # UNKNOWN: no override
    interfaces: Mapping[str, InterfacePolicy] = field(default_factory=dict)
    own: OwnRules = field(default_factory=OwnRules)

    def of(self, interface: str) -> InterfacePolicy:
        """The policy of one interface; the defaults when the operator said nothing of it."""
        return self.interfaces.get(interface, _default_of(interface))


# Source of the interfaces' names: TS 29.272, TS 29.511, TS 29.002, Osmocom's GSUP.
_INTERFACES = ("s13", "n5g", "map", "gsup")


def _default_of(interface: str) -> InterfacePolicy:
    """The defaults. On GSUP an error means "refused" to the network, so nothing is answered with one unless told to."""
    return InterfacePolicy(malformed="permitted") if interface == "gsup" else InterfacePolicy()


class Decider:
    """An index, the changes since, and a policy, made ready to decide. Another one takes its place when any changes."""

    def __init__(self, index: Index, overlay: Overlay, policy: DecisionPolicy) -> None:
        self.index, self.overlay, self.policy = index, overlay, policy
        self._entry = self._entry_finder()
        self._range = before(policy.own.ranges, index.range_attribute)
        self._imsi_attribute = before(policy.own.imsi_ranges, index.imsi_attribute)
        self._versions = {**index.software_versions, **policy.own.software_versions}
        speakers: dict[Step, Callable[[int, int, int, int], int]] = {
            Step.OVERRIDE: self._override,
            Step.IMSI_RANGE: self._imsi_range,
            Step.PAIR: self._pair,
            Step.IMEI: self._imei,
            Step.SOFTWARE_VERSION: self._software_version,
            Step.RANGE: self._range_step,
        }
        self._speakers = [speakers[step] for step in policy.order if self._can_speak(step)]
        self._without_pairs = [speaker for speaker in self._speakers if speaker != self._pair]
        self.decide = self._compiled()

    def retire(self) -> None:
        """Let go of the index now. A decider refers to itself; without this its mapped file would stay until a collector
        comes by, and while a list serves the collector is kept away."""
        del self.decide, self._speakers, self._without_pairs, self._entry, self._range, self._imsi_attribute

    def decide_other(self, pei: str) -> int:
        """The decision on an identity that is not an IMEI, in its canonical PEI form."""
        octet = self.policy.own.identities.get(pei) or self.overlay.others.get(pei)
        if octet is None:
            octet = self.index.others.get(pei, 0)
        if self.policy.override and Step.OVERRIDE in self.policy.order:
            return self._override(0, 0, 0, 0)
        return Step.IMEI << 8 | octet if octet >> STATUS_SHIFT else UNKNOWN

    def explain(self, device: int, imsi: int = 0, svn: int = -1) -> list[tuple[Step, Decision | None]]:
        """What each step, in the policy's order, would say by itself; for a person who asks why."""
        octet = self._entry(device)
        said: list[tuple[Step, Decision | None]] = []
        for step in self.policy.order:
            speaker = getattr(self, f"_{step.name.lower()}" if step is not Step.RANGE else "_range_step")
            number = speaker(device, imsi, svn, octet) if self._can_speak(step) else 0
            said.append((step, DECISIONS[number] if number else None))
        return said

    def _compiled(self) -> Callable[[int, int, int], int]:
        """Ask the steps in turn; those whose tables are empty were left out before, so they cost nothing."""
        if self.policy.order == DEFAULT_ORDER and self.policy.override is Status.UNKNOWN:
            return self._compiled_default()
        entry, speakers = self._entry, tuple(self._speakers)

        def decide(device: int, imsi: int = 0, svn: int = -1) -> int:
            """The decision's number. Units: device key of 14 digits; IMSI with its leading 1, 0 when absent; SVN -1 when absent."""
            octet = entry(device)
            for speaks in speakers:
                number = speaks(device, imsi, svn, octet)
                if number:
                    return number
            return UNKNOWN

        return decide

    def _compiled_default(self) -> Callable[[int, int, int], int]:
        """The default order written out, since it runs a hundred thousand times a second: half the time of the loop."""
        entry, pair, range_attribute = self._entry, self._pair, self._range
        imsi_attribute, (lowest, highest) = self._imsi_attribute, self.index.imsi_span
        for low, high, _ in self.policy.own.imsi_ranges:
            lowest, highest = (min(lowest, low), max(highest, high)) if lowest <= highest else (low, high)
        version_rule = self._versions.get if self._versions else None
        by_imsi, by_imei, by_version, by_range = (
            step << 8 for step in (Step.IMSI_RANGE, Step.IMEI, Step.SOFTWARE_VERSION, Step.RANGE)
        )
        listed, any_tac = 1 << STATUS_SHIFT, ANY_TAC * 100

        def decide(device: int, imsi: int = 0, svn: int = -1) -> int:
            """As above."""
            if lowest <= imsi <= highest and (found := imsi_attribute(imsi)):
                return by_imsi | found
            octet = entry(device)
            if octet & HAS_PAIRS and (number := pair(device, imsi, svn, octet)):
                return number
            if octet >= listed:
                return by_imei | octet
            if version_rule is not None and svn >= 0:
                ruled = version_rule(device // SERIALS * 100 + svn) or version_rule(any_tac + svn)
                if ruled:
                    return by_version | ruled
            found = range_attribute(device)
            return by_range | found if found else UNKNOWN

        return decide

    def _can_speak(self, step: Step) -> bool:
        index = self.index
        return {
            Step.OVERRIDE: self.policy.override is not Status.UNKNOWN,
            Step.IMSI_RANGE: index.imsi_range_count > 0 or bool(self.policy.own.imsi_ranges),
            Step.PAIR: index.pair_count > 0 or bool(self.overlay.pairs),
            Step.SOFTWARE_VERSION: bool(self._versions),
        }.get(step, True)

    def _entry_finder(self) -> Callable[[int], int]:
        """The overlay's word, else the file's; a device with changed pairs keeps the mark that sends us to them."""
        entry = self.index.entry
        if not len(self.overlay):
            return entry
        changed, paired = self.overlay.devices.get, {device for device, _ in self.overlay.pairs}

        def newest(device: int) -> int:
            octet = changed(device)
            octet = entry(device) if octet is None else octet & ~HAS_PAIRS | entry(device) & HAS_PAIRS
            return octet | HAS_PAIRS if device in paired else octet

        return newest

    def _override(self, device: int, imsi: int, svn: int, octet: int) -> int:
        return Step.OVERRIDE << 8 | self.policy.override << STATUS_SHIFT

    def _imsi_range(self, device: int, imsi: int, svn: int, octet: int) -> int:
        found = self._imsi_attribute(imsi)
        return Step.IMSI_RANGE << 8 | found if found else 0

    def _pair(self, device: int, imsi: int, svn: int, octet: int) -> int:
        if not octet & HAS_PAIRS:
            return 0
        found = self.overlay.pairs.get((device, imsi))
        if found is None:
            found = self.index.pair_attribute(device, imsi)
        if not found:
            return 0
        number = Step.PAIR << 8 | found & ~HAS_PAIRS
        if ENTRIES[found].status is Status.PERMITTED and self._is_black_without_pair(device, imsi, svn, octet):
            number |= HAS_PAIRS
        return number

    def _is_black_without_pair(self, device: int, imsi: int, svn: int, octet: int) -> bool:
        for speaks in self._without_pairs:
            number = speaks(device, imsi, svn, octet)
            if number:
                return DECISIONS[number].status is Status.BLOCKED
        return False

    def _imei(self, device: int, imsi: int, svn: int, octet: int) -> int:
        return Step.IMEI << 8 | octet if octet >> STATUS_SHIFT else 0

    def _software_version(self, device: int, imsi: int, svn: int, octet: int) -> int:
        if svn < 0:
            return 0
        rules = self._versions
        found = rules.get(device // SERIALS * 100 + svn) or rules.get(ANY_TAC * 100 + svn)
        return Step.SOFTWARE_VERSION << 8 | found if found else 0

    def _range_step(self, device: int, imsi: int, svn: int, octet: int) -> int:
        found = self._range(device)
        return Step.RANGE << 8 | found if found else 0


def read_policy(text: str, origin: str) -> DecisionPolicy:
    """The policy that a TOML text says; what it leaves out has its default.

    Raises: PolicyRefused at an unknown word; nothing of the text is taken then.
    """
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        raise PolicyRefused(f"{origin} is not TOML: {wrong}") from None
    policy = DecisionPolicy(own=read_own_rules(said, origin))
    for name, value in said.items():
        if name in OWN_TABLES:
            continue
        if name == "order":
            policy = replace(policy, order=_read_order(value, origin))
        elif name == "override":
            policy = replace(policy, override=_read_override(value, origin))
        elif name == "interface" and isinstance(value, dict):
            policy = replace(policy, interfaces={each: _read_interface(v, each, origin) for each, v in value.items()})
        else:
            known = ", ".join(f"[[{each}]]" for each in OWN_TABLES)
            raise PolicyRefused(
                f"{origin}: `{name}` is not known here; known are order, override, [interface.NAME], {known}"
            )
    return policy


def _read_order(value: Any, origin: str) -> tuple[Step, ...]:
    names = {step.name.lower(): step for step in DEFAULT_ORDER}
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value) or len({*value}) != len(value):
        raise PolicyRefused(f"{origin}: order must be a list of different steps")
    for each in value:
        if each not in names:
            raise PolicyRefused(f"{origin}: `{each}` is no step; steps are {', '.join(names)}")
    return tuple(names[each] for each in value)


def _read_override(value: Any, origin: str) -> Status:
    words = {"none": Status.UNKNOWN, **{status.name.lower(): status for status in Status if status}}
    if not isinstance(value, str) or value not in words:
        raise PolicyRefused(f"{origin}: override is {value!r}, expected one of {', '.join(words)}")
    return words[value]


def _read_interface(value: Any, interface: str, origin: str) -> InterfacePolicy:
    if interface not in _INTERFACES:
        raise PolicyRefused(f"{origin}: interface.{interface} is not served; served are {', '.join(_INTERFACES)}")
    common = {"permitted", "tracked", "blocked", "unknown"}
    allowed = {"unknown": common, "malformed": common | {"error"}, "failure": common | {"error"}}
    if not isinstance(value, dict):
        raise PolicyRefused(f"{origin}: interface.{interface} must be a table")
    for name, word in value.items():
        if name not in allowed:
            raise PolicyRefused(f"{origin}: interface.{interface}.{name} is not known; known are {', '.join(allowed)}")
        if word not in allowed[name]:
            raise PolicyRefused(
                f"{origin}: interface.{interface}.{name} is {word!r}, expected one of {', '.join(sorted(allowed[name]))}"
            )
    return replace(_default_of(interface), **value)
