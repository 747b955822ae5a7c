"""Questions that give nothing away: whoever asks shows neither the device nor the answer, and gets one answer each.

QuestionKey, KeyGroup          who evaluates: one register, or t of n members
Asking                         the asker's half (RFC 9497), without a socket
Manifest, Layer, Bucket        the list as static files that only an evaluation opens
AnonymousToken, TokenIssuer    how many questions a day, without knowing whose
"""

from openceir.questions.asking import Asking, elements_in, range_word
from openceir.questions.bucket import (
    LARGEST_OCTETS,
    ROW,
    Bucket,
    Layer,
    Word,
    bucket_number,
    bucket_path,
    make_layer,
    rows_of,
    word_in,
)
from openceir.questions.errors import (
    BucketRefused,
    ElementRefused,
    GenerationFailed,
    KeyGroupRefused,
    ManifestRefused,
    ManifestStale,
    NoAnswer,
    NoSuchEpoch,
    NotAskable,
    ProofFalse,
    QuestionError,
    QuotaSpent,
    TokenFalse,
    TokenSpent,
)
from openceir.questions.generation import Contribution, Deal, Generation, begin, transcript
from openceir.questions.keys import GroupMember, KeyGroup, QuestionKey, evaluate_blinded, is_epoch
from openceir.questions.manifest import LARGEST_RANGES, Manifest, RestrictedRange, format_ranges, read_ranges
from openceir.questions.oprf import MOST_IN_BATCH, OPRF, ORDER, VOPRF, Blinded, Mode, read_element, read_scalar
from openceir.questions.sharing import combine, polynomial, share_of, verify_group
from openceir.questions.signed import KEY_DOCUMENT_KIND, LARGEST_DOCUMENT, sign_document, signer_of, verify_document
from openceir.questions.subject import subject_of_key, subject_of_text
from openceir.questions.tokens import NONCE_OCTETS, AnonymousToken, TokenIssuer

__all__ = [
    # the function
    "MOST_IN_BATCH", "OPRF", "ORDER", "VOPRF", "Blinded", "Mode", "read_element", "read_scalar",
    # keys
    "GroupMember", "KeyGroup", "QuestionKey", "evaluate_blinded", "is_epoch", "combine", "polynomial", "share_of", "verify_group",
    "Contribution", "Deal", "Generation", "begin", "transcript",
    # asking
    "Asking", "elements_in", "range_word", "subject_of_key", "subject_of_text",
    # the list as files
    "KEY_DOCUMENT_KIND", "LARGEST_DOCUMENT", "LARGEST_OCTETS", "LARGEST_RANGES", "ROW", "Bucket", "Layer", "Manifest", "RestrictedRange",
    "Word", "bucket_number", "bucket_path", "format_ranges", "make_layer", "read_ranges", "rows_of", "sign_document",
    "signer_of", "verify_document", "word_in",
    # how many a day
    "NONCE_OCTETS", "AnonymousToken", "TokenIssuer",
    # when it goes wrong
    "BucketRefused", "ElementRefused", "GenerationFailed", "KeyGroupRefused", "ManifestRefused", "ManifestStale",
    "NoAnswer", "NoSuchEpoch", "NotAskable", "ProofFalse", "QuestionError", "QuotaSpent", "TokenFalse", "TokenSpent",
]  # fmt: skip
