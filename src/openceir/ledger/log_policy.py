"""Which checkpoints to believe: signed by a listed log, and cosigned by enough witnesses.

    log openceir/1a2b3c4d+7f0e91aa+AQ…
    witness aa aa/witness+90ab12cd+BA…
    witness bb bb/witness+34ef56ab+BA…
    group nations 2 aa bb
    quorum nations

Source: C2SP tlog-policy. Names are compared as octets; limits are ours: 256 logs, 256 witnesses, 256 groups.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from openceir.ledger.checkpoint import Checkpoint, SignedCheckpoint
from openceir.ledger.cosignature import WitnessKey
from openceir.ledger.errors import LedgerError, ProofRefused
from openceir.statements import KeyRefused, PublicKey

__all__ = ["LogPolicy"]

NONE: Final = "none"
MOST_OF_EACH: Final = 256
MOST_OCTETS: Final = 256 << 10


@dataclass(frozen=True, slots=True)
class LogPolicy:
    """Logs, witnesses, groups of them, and the name of the one that must have witnessed."""

    logs: tuple[PublicKey, ...]
    witnesses: Mapping[str, WitnessKey]
    groups: Mapping[str, tuple[int, tuple[str, ...]]] = field(default_factory=dict)  # how many of which
    quorum: str = NONE

    @classmethod
    def of(cls, logs: Iterable[PublicKey], witnesses: Mapping[str, WitnessKey], k: int) -> "LogPolicy":
        """Any of these logs, and `k` of the witnesses. Raises: LedgerError when there are not so many."""
        if not 0 <= k <= len(witnesses):
            raise LedgerError(f"{k} of {len(witnesses)} witnesses can never have cosigned; name more of them")
        if k == 0:
            return cls(tuple(logs), witnesses)
        return cls(tuple(logs), witnesses, {"members": (k, tuple(witnesses))}, "members")

    @classmethod
    def parse(cls, text: str) -> "LogPolicy":
        """The policy in a text; raises LedgerError naming the line that is wrong."""
        if len(text) > MOST_OCTETS or any((c < " " and c not in "\t\n") or c == "\x7f" for c in text):
            raise LedgerError("a log policy is a text of at most 256 KiB without control characters")
        logs: list[PublicKey] = []
        witnesses: dict[str, WitnessKey] = {}
        groups: dict[str, tuple[int, tuple[str, ...]]] = {}
        quorum: str | None = None
        for number, line in enumerate(text.split("\n"), 1):
            words = line.replace("\t", " ").split(" ")
            words = [word for word in words if word]
            if not words or words[0].startswith("#"):
                continue
            try:
                match words:
                    case ["log", key] | ["log", key, _]:
                        logs.append(PublicKey.parse(key))
                    case ["witness", name, key] | ["witness", name, key, _]:
                        _refuse_taken(name, witnesses, groups)
                        witnesses[name] = WitnessKey.parse(key)
                    case ["group", name, threshold, *members]:
                        _refuse_taken(name, witnesses, groups)
                        _refuse_unknown(members, witnesses, groups)
                        groups[name] = (_threshold(threshold, len(members)), tuple(members))
                    case ["quorum", name] if quorum is None:
                        if name != NONE:
                            _refuse_unknown([name], witnesses, groups)
                        quorum = name
                    case _:
                        raise LedgerError("expected log, witness, group or one quorum, and what belongs to it")
            except (LedgerError, KeyRefused) as wrong:
                raise LedgerError(f"line {number} of the log policy: {wrong}") from wrong
        if quorum is None:
            raise LedgerError('the log policy has no quorum line; "quorum none" asks for no cosignature')
        if max(len(logs), len(witnesses), len(groups)) > MOST_OF_EACH:
            raise LedgerError(f"a log policy names at most {MOST_OF_EACH} logs, witnesses and groups each")
        for keys in ([key.octets for key in logs], [key.octets for key in witnesses.values()]):
            if len(set(keys)) < len(keys):
                raise LedgerError("one key stands twice in the log policy")
        return cls(tuple(logs), witnesses, groups, quorum)

    def format(self) -> str:
        """The text that `parse` reads."""
        lines = [f"log {key.format()}" for key in self.logs]
        lines += [f"witness {name} {key.format()}" for name, key in self.witnesses.items()]
        lines += [f"group {name} {k} {' '.join(members)}" for name, (k, members) in self.groups.items()]
        return "".join(f"{line}\n" for line in [*lines, f"quorum {self.quorum}"])

    def verify(self, signed: SignedCheckpoint) -> Checkpoint:
        """The checkpoint, if a listed log signed it and the quorum witnessed it; raises ProofRefused otherwise."""
        log = next((key for key in self.logs if key.name == signed.checkpoint.origin), None)
        if log is None:
            raise ProofRefused(f"{signed.checkpoint.origin} is no log of this policy")
        of_origin = [key for key in self.logs if key.name == signed.checkpoint.origin]
        checkpoint = _signed_by_any(signed, of_origin)
        if not self._has_witnessed(self.quorum, {name for name, key in self.witnesses.items() if key.find(signed)}):
            raise ProofRefused(
                f"too few witnesses cosigned the checkpoint of {log.name} at {checkpoint.size} entries for the quorum "
                f"{self.quorum}; ask the log for a newer one"
            )
        return checkpoint

    def _has_witnessed(self, name: str, cosigned: set[str]) -> bool:
        if name == NONE or name in cosigned:
            return True
        if name not in self.groups:
            return False
        k, members = self.groups[name]
        return sum(self._has_witnessed(member, cosigned) for member in members) >= k


def _signed_by_any(signed: SignedCheckpoint, keys: list[PublicKey]) -> Checkpoint:
    """The checkpoint, if one of the keys signed it; raises what the last one raised."""
    for key in keys[:-1]:
        try:
            return signed.verify(key)
        except ProofRefused:
            continue
    return signed.verify(keys[-1])


def _threshold(word: str, members: int) -> int:
    k = {"any": 1, "all": members}.get(word)
    if k is None and word.isascii() and word.isdigit() and len(word) < 6 and word[0] != "0":
        k = int(word)
    if k is None or not 1 <= k <= members:
        raise LedgerError(f"{word!r} of {members} members is no threshold: write any, all, or 1 to {members}")
    return k


def _refuse_taken(name: str, *taken: Mapping[str, object]) -> None:
    if name == NONE or any(name in names for names in taken):
        raise LedgerError(f"the name {name!r} is taken already")


def _refuse_unknown(names: Iterable[str], *known: Mapping[str, object]) -> None:
    seen = set()
    for name in names:
        if not any(name in table for table in known):
            raise LedgerError(f"{name!r} is no witness or group of an earlier line")
        if name in seen:
            raise LedgerError(f"{name!r} stands twice in one group")
        seen.add(name)
