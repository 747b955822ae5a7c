"""Who may speak: the offices of a country's register."""

from enum import StrEnum

__all__ = ["KeyUse", "Role"]


class Role(StrEnum):
    """An office. A member of the register holds one or more; a statement kind says which may say it."""

    REGULATOR = "regulator"
    POLICE = "police"
    OPERATOR = "operator"
    CUSTOMS = "customs"
    MAKER = "maker"
    IMPORTER = "importer"
    INSURER = "insurer"
    NUMBERING = "numbering"
    COURT = "court"


class KeyUse(StrEnum):
    """What a member's key is for. A key has one use, so that nobody is talked into signing one thing as another."""

    STATEMENTS = "statements"
    LOG = "log"  # checkpoints of the member's own log
    WITNESS = "witness"  # cosignatures under others' checkpoints
    NODE = "node"  # the member's node of a consortium
