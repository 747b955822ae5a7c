"""What can go wrong with a consortium."""

from openceir.errors import OpenceirError

__all__ = ["ConsortiumError", "EngineMissing", "NodeRefused", "NotReached"]


class ConsortiumError(OpenceirError):
    """The base of this room's errors."""

    code = "consortium-error"


class NodeRefused(ConsortiumError):
    """The engine asks for something that contradicts this node's book; it must not go on."""

    code = "node-refused"


class EngineMissing(ConsortiumError):
    """There is no consensus engine to start."""

    code = "engine-missing"


class NotReached(ConsortiumError):
    """A node does not answer, or did not take a statement in time."""

    code = "node-not-reached"
    http_status = 503
