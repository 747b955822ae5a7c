"""Who may ask what: one table from a capability to the roles that have it."""

from enum import StrEnum

from openceir.statements import Role

__all__ = ["ALLOWED", "Capability"]


class Capability(StrEnum):
    """What a token opens."""

    CHECK = "check"  # one device at a time; open to the public unless the settings close it
    CHECK_MANY = "check-many"
    CHECK_PAIR = "check-pair"  # whether a subscriber may use a device
    HISTORY = "history"
    STATEMENT_CONTENT = "statement-content"  # what was said, devices included, never subscribers
    SUBSCRIBERS = "subscribers"


_EVERYBODY = frozenset(Role)
_AUTHORITIES = frozenset({Role.REGULATOR, Role.POLICE, Role.COURT})

ALLOWED: dict[Capability, frozenset[Role]] = {
    Capability.CHECK: _EVERYBODY,
    Capability.CHECK_MANY: _EVERYBODY,
    Capability.CHECK_PAIR: _AUTHORITIES | {Role.OPERATOR},
    Capability.HISTORY: _AUTHORITIES | {Role.OPERATOR, Role.CUSTOMS},
    Capability.STATEMENT_CONTENT: _AUTHORITIES | {Role.OPERATOR, Role.CUSTOMS},
    Capability.SUBSCRIBERS: _AUTHORITIES,
}
