"""What can go wrong with reports."""

from openceir.errors import OpenceirError

__all__ = ["ReportError", "ReportUnknown"]


class ReportError(OpenceirError):
    """A report cannot be made; nothing was kept."""

    code = "report-refused"


class ReportUnknown(ReportError):
    """There is no such report, figure or listing."""

    code = "report-unknown"
    http_status = 404
