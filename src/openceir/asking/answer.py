"""What a private question comes back with."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from openceir.questions import Word

__all__ = ["PrivateAnswer"]

_WORDS = {
    Word.BLOCKED: ("blocked", 3, "This device is on the block list: networks refuse it. Do not buy it."),
    Word.TRACKED: ("tracked", 4, "This device is on record with a warning; it may be blocked on a day to come."),
    None: (
        "not-listed",
        0,
        "Nothing restricts this device in these files. That is no permission: a theft may be reported tomorrow, and an "
        "unknown device is not listed either.",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateAnswer:
    """One answer to one question. Units: `as_of` UTC."""

    value: str  # as it was asked; it never left this process
    listed_as: Word | None
    by_range: bool  # not the device itself, but the whole range that it is in
    as_of: datetime
    ledger_size: int

    @property
    def word(self) -> str:
        """blocked, tracked or not-listed."""
        return _WORDS[self.listed_as][0]

    @property
    def sentence(self) -> str:
        """The word in one sentence."""
        return _WORDS[self.listed_as][2]

    @property
    def exit_status(self) -> int:
        """0 not listed, 3 blocked, 4 tracked, as `openceir device check` has them."""
        return _WORDS[self.listed_as][1]

    def as_json(self) -> dict[str, Any]:
        """The answer as JSON takes it."""
        return {
            "value": self.value,
            "word": self.word,
            "by_range": self.by_range,
            "sentence": self.sentence,
            "as_of": f"{self.as_of:%Y-%m-%dT%H:%M:%SZ}",
            "ledger_size": self.ledger_size,
        }
