"""What the loading dock says when it turns a delivery away."""

from openceir.errors import OpenceirError

__all__ = ["IntakeError"]


class IntakeError(OpenceirError):
    """A whole file is refused, and nothing of it was kept.

    `code` names the reason and is stable. The sentence names the file, the line and column where there is one, the
    value unless it could be a subscriber's, why, and what to do next.
    """

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
