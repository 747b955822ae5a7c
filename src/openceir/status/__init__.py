"""The answer: folds statements into one device's status at a moment, with its reasons.

`claims_of(entry)` says what one statement claims or ends; `fold(claims, at)` gives one device's answer;
`columns.fold_columns` gives a whole country's statuses at once and is held equal to it.
"""

from openceir.status.answer import Answer, Reason
from openceir.status.claim import Claim, Keys, RangeClaim, Said, Spoken
from openceir.status.claims import AcceptedStatement, accepted, claims_of
from openceir.status.columns import NO_DAY, ClaimColumns, StatusColumns, fold_columns
from openceir.status.current import CurrentClaims, RangePieces, current_claims, of_ranges, range_pieces
from openceir.status.fold import AskedPair, came_after, fold
from openceir.status.foreign import NOTHING_COUNTS, Effect, ForeignRule, ForeignRules, Weight
from openceir.status.history import History, Period, Word, history_of
from openceir.status.inquiry import Inquiries, NotADevice, ProbablyMistyped
from openceir.status.words import ENDINGS, PERMITS, THEFTS, ClaimKind, Status, StatusError

__all__ = [
    # words
    "Status",
    "ClaimKind",
    "ENDINGS",
    "PERMITS",
    "THEFTS",
    "StatusError",
    # claims
    "AcceptedStatement",
    "Claim",
    "Keys",
    "RangeClaim",
    "Said",
    "Spoken",
    "accepted",
    "claims_of",
    # one device
    "Answer",
    "AskedPair",
    "Effect",
    "ForeignRule",
    "ForeignRules",
    "NOTHING_COUNTS",
    "Weight",
    "came_after",
    "Reason",
    "fold",
    "History",
    "Inquiries",
    "NotADevice",
    "Period",
    "ProbablyMistyped",
    "Word",
    "history_of",
    # a country
    "ClaimColumns",
    "CurrentClaims",
    "RangePieces",
    "current_claims",
    "of_ranges",
    "range_pieces",
    "NO_DAY",
    "StatusColumns",
    "fold_columns",
]
