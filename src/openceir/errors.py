"""The words for "this went wrong". Every room derives its one base error from OpenceirError."""

__all__ = ["OpenceirError"]


class OpenceirError(Exception):
    """Something was refused or failed, said in one sentence: what, which, why and what next.

    `code` is stable across releases and is what scripts test; the sentence may be reworded.
    `http_status` and `exit_status` are what a door answers unless it has a better reason.
    Subscriber numbers, names and places never stand in a message; a device's identifier may
    stand only in what is said back to the one who sent it, never in a log.
    """

    code: str = "openceir-error"
    http_status: int = 400
    exit_status: int = 2
