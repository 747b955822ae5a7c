"""What an import says of itself: to a person in sentences, to a program as JSON."""

from dataclasses import dataclass, field
from typing import Any

from openceir.intake.aside import Rejects
from openceir.intake.figures import Figure

__all__ = ["ImportReport"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """One accepted file: `rows` == `accepted` + rows set aside, always."""

    kind: str
    file: str
    operator: str = ""
    rows: int
    accepted: int
    rejects: Rejects = field(default_factory=Rejects)
    figures: tuple[Figure, ...] = ()
    says: tuple[str, ...] = ()  # what else a reader should know
    signed: tuple[str, ...] = ()  # the statements that were made of it, a sentence each
    already: bool = False  # these very contents were imported before, so nothing was changed
    import_id: int | None = None
    quarantine: str | None = None  # the reject report, within the home folder

    def as_dict(self) -> dict[str, Any]:
        """For JSON; no value of a subscriber's column is in it."""
        return {
            "kind": self.kind,
            "file": self.file,
            "operator": self.operator,
            "rows": self.rows,
            "accepted": self.accepted,
            "set_aside": dict(self.rejects.counts),
            "examples": {
                reason: [{"line": e.line, "column": e.column, "value": e.value} for e in examples]
                for reason, examples in self.rejects.examples.items()
            },
            "limits": [figure.as_dict() for figure in self.figures],
            "says": list(self.says),
            "signed": list(self.signed),
            "already_imported": self.already,
            "import": self.import_id,
            "quarantine": self.quarantine,
        }

    def summary(self) -> dict[str, Any]:
        """What the import journal keeps: counts, no values."""
        return {
            "set_aside": dict(self.rejects.counts),
            "limits": [figure.as_dict() for figure in self.figures],
            "says": list(self.says),
            "signed": list(self.signed),
        }

    def lines(self) -> list[str]:
        """A screenful for a person."""
        whose = f" of {self.operator}" if self.operator else ""
        if self.already:
            return [
                f"{self.file}{whose}: these very contents were imported before (import {self.import_id}); nothing changed"
            ]
        said = [f"{self.file}{whose}: {self.rows} rows read, {self.accepted} accepted, {self.rejects.rows} set aside"]
        said += [f"  {sentence}" for sentence in self.rejects.sentences()]
        if self.quarantine:
            said.append(f"  the rows set aside are in {self.quarantine}, with line, column, value and reason")
        said += [f"  {figure}" for figure in self.figures]
        said += [f"  note: {sentence}" for sentence in self.says]
        said += [f"  signed: {sentence}" for sentence in self.signed]
        return said
