"""Who may speak: the offices of a country's register."""

from enum import StrEnum

__all__ = ["Role"]


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
