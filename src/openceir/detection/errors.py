"""What can go wrong in the laboratory."""

from openceir.errors import OpenceirError

__all__ = ["DetectionError", "RuleRefused", "RunUnknown", "UnsafeRule"]


class DetectionError(OpenceirError):
    """Detection cannot go on; the sentence says at which step and what to do."""

    code = "detection-failed"


class RuleRefused(DetectionError):
    """A `[[rule]]` of the policy, or a limit it names, cannot be read."""

    code = "rule-refused"


class UnsafeRule(DetectionError):
    """A rule matches more devices than its safety ratio allows; nothing of it may be adopted."""

    code = "rule-matches-too-many"
    http_status = 409


class RunUnknown(DetectionError):
    """No detection run bears that number."""

    code = "run-unknown"
    http_status = 404
