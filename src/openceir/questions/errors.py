"""What goes wrong with private questions."""

from openceir.errors import OpenceirError

__all__ = [
    "BucketRefused", "ElementRefused", "GenerationFailed", "KeyGroupRefused", "ManifestRefused", "ManifestStale",
    "NoAnswer", "NoSuchEpoch", "NotAskable", "ProofFalse", "QuestionError", "QuotaSpent", "TokenFalse", "TokenSpent",
]  # fmt: skip


class QuestionError(OpenceirError):
    """A private question cannot be asked, answered or believed."""

    code = "question-refused"


class ElementRefused(QuestionError):
    """Octets are no group element that may be used: wrong length, not canonical, or the identity."""

    code = "element-refused"


class NotAskable(QuestionError):
    """The text is no identifier that a private question can name."""

    code = "not-askable"


class NoAnswer(QuestionError):
    """Nothing that came back can be believed, so there is no answer; never a permission."""

    code = "no-answer"
    exit_status = 6


class ProofFalse(NoAnswer):
    """An evaluation was not made with the key that was promised."""

    code = "proof-false"


class KeyGroupRefused(NoAnswer):
    """Public keys of members do not belong to one threshold key, or too few members answered."""

    code = "key-group-refused"


class ManifestRefused(NoAnswer):
    """The manifest of the bucket files is not signed by the expected key, or says something impossible."""

    code = "manifest-refused"


class ManifestStale(NoAnswer):
    """The bucket files are older than their own manifest allows."""

    code = "manifest-stale"


class BucketRefused(NoAnswer):
    """A bucket file is not the one that the manifest's root covers."""

    code = "bucket-refused"


class GenerationFailed(QuestionError):
    """The making of a threshold key stopped; the sentence names the member whose part is wrong."""

    code = "key-generation-failed"


class NoSuchEpoch(QuestionError):
    """No key is held here for the epoch that was asked for."""

    code = "no-such-epoch"
    http_status = 404


class TokenFalse(QuestionError):
    """An anonymous token was not issued by us, or not for these days."""

    code = "anonymous-token-refused"
    http_status = 401


class TokenSpent(QuestionError):
    """An anonymous token was used before."""

    code = "anonymous-token-spent"
    http_status = 409


class QuotaSpent(QuestionError):
    """The questions or tokens of this minute or day are used up."""

    code = "quota-spent"
    http_status = 429

    def __init__(self, message: str, retry_after_s: int = 0) -> None:
        """`retry_after_s`: seconds until more may be asked; 0 when nobody said."""
        super().__init__(message)
        self.retry_after_s = retry_after_s
