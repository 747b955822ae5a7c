"""What the rows of a run were made from: whoever knows it can make the next run from what changed since."""

from dataclasses import dataclass, replace
from datetime import date

from openceir.storage.database import Database

__all__ = ["Basis", "BasisShelf"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS list_basis (
    sequence INTEGER PRIMARY KEY REFERENCES list_run(sequence),
    as_of_on TEXT NOT NULL,
    policy_sha256 TEXT NOT NULL,
    claims_size INTEGER NOT NULL,
    claims_generation INTEGER NOT NULL,
    measured TEXT NOT NULL,
    golden INTEGER NOT NULL,
    why_sha256 TEXT NOT NULL          -- of the run's file of words, from which the next one's is made
);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """Where the register stood when lists were made.

    Units: `claims_size` in statements. `claims_generation` changes when claims were taken away, `measured` when
    sightings were measured anew or erased.
    """

    as_of_on: date
    policy_sha256: str
    claims_size: int
    claims_generation: int
    measured: str
    has_evidence_key: bool  # without it nobody on a golden list is known

    def differs_by_time_alone(self, earlier: "Basis") -> bool:
        """Whether only statements and days came between: no policy, no sightings, nothing taken away."""
        return self == replace(earlier, as_of_on=self.as_of_on, claims_size=self.claims_size)


class BasisShelf:
    """One row a run. Rows are written in the transaction that commits the run."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.define(_SCHEMA)

    def find(self, sequence: int) -> tuple[Basis, str] | None:
        """What run `sequence` was made from, and the digest of its file of words; None when that was not kept."""
        row = self._database.connection.execute(
            "SELECT as_of_on, policy_sha256, claims_size, claims_generation, measured, golden, why_sha256"
            " FROM list_basis WHERE sequence = ?",
            (sequence,),
        ).fetchone()
        if row is None:
            return None
        on, policy, size, generation, measured, golden, why = row
        basis = Basis(
            as_of_on=date.fromisoformat(on),
            policy_sha256=policy,
            claims_size=size,
            claims_generation=generation,
            measured=measured,
            has_evidence_key=bool(golden),
        )
        return basis, why

    def keep(self, sequence: int, basis: Basis, why_sha256: str) -> None:
        """Say what run `sequence` was made from, or that it is still true from there on."""
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO list_basis VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    sequence,
                    basis.as_of_on.isoformat(),
                    basis.policy_sha256,
                    basis.claims_size,
                    basis.claims_generation,
                    basis.measured,
                    basis.has_evidence_key,
                    why_sha256,
                ),
            )
