"""What the rows of a run were made from: whoever knows it can make the next run from what changed since."""

from dataclasses import dataclass, replace
from datetime import date

from openceir.storage.claims import ClaimsMark
from openceir.storage.database import Database

__all__ = ["Basis", "BasisShelf"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS list_basis (
    sequence INTEGER PRIMARY KEY REFERENCES list_run(sequence),
    as_of_on TEXT NOT NULL,
    policy_sha256 TEXT NOT NULL,
    claims_size INTEGER NOT NULL,
    claims_arrived INTEGER NOT NULL,
    claims_taken INTEGER NOT NULL,
    quorum INTEGER NOT NULL,
    measured TEXT NOT NULL,
    golden INTEGER NOT NULL,
    why_sha256 TEXT NOT NULL          -- of the run's file of words, from which the next one's is made
);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """Where the register stood when lists were made.

    `measured` changes when sightings were measured anew or erased.
    """

    as_of_on: date
    policy_sha256: str
    claims: ClaimsMark
    quorum: int  # of the members whose approvals reach across nations
    measured: str
    has_evidence_key: bool  # without it nobody on a golden list is known

    def differs_by_time_alone(self, earlier: "Basis") -> bool:
        """Whether only statements and days came between: no policy, no sightings, nothing taken away."""
        claims = earlier.claims._replace(size=self.claims.size, arrived=self.claims.arrived)
        return self == replace(earlier, as_of_on=self.as_of_on, claims=claims)


class BasisShelf:
    """One row a run. Rows are written in the transaction that commits the run."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._drop_older_form()
        database.define(_SCHEMA)

    def _drop_older_form(self) -> None:
        """What a release noted that counted no arrivals is forgotten: the next run is made anew."""
        columns = {row[1] for row in self._database.connection.execute("PRAGMA table_info(list_basis)")}
        if columns and "quorum" not in columns and not self._database.read_only:
            with self._database.transaction() as connection:
                connection.execute("DROP TABLE list_basis")

    def find(self, sequence: int) -> tuple[Basis, str] | None:
        """What run `sequence` was made from, and the digest of its file of words; None when that was not kept."""
        row = self._database.connection.execute(
            "SELECT as_of_on, policy_sha256, claims_size, claims_arrived, claims_taken, quorum, measured, golden,"
            " why_sha256 FROM list_basis WHERE sequence = ?",
            (sequence,),
        ).fetchone()
        if row is None:
            return None
        on, policy, size, arrived, taken, quorum, measured, golden, why = row
        basis = Basis(
            as_of_on=date.fromisoformat(on),
            policy_sha256=policy,
            claims=ClaimsMark(size, arrived, taken),
            quorum=quorum,
            measured=measured,
            has_evidence_key=bool(golden),
        )
        return basis, why

    def keep(self, sequence: int, basis: Basis, why_sha256: str) -> None:
        """Say what run `sequence` was made from, or that it is still true from there on."""
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO list_basis VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    sequence,
                    basis.as_of_on.isoformat(),
                    basis.policy_sha256,
                    *basis.claims,
                    basis.quorum,
                    basis.measured,
                    basis.has_evidence_key,
                    why_sha256,
                ),
            )
