"""The numbers and their catalogue: IMEI, TAC, PEI, MEID, EID, IMSI, MSISDN and the rest; one value or a whole column."""

from openceir.identity.catalogue import CATALOGUE, LEVELS, Scheme
from openceir.identity.checks import luhn_check_digit
from openceir.identity.errors import IdentityError, InvalidImei, InvalidSubscriber
from openceir.identity.finding import Finding
from openceir.identity.identifier import UNKNOWN_SCHEME, Check, Identifier
from openceir.identity.imei import (
    ODD_DEVICE_BASE,
    Imei,
    device_key_of_imei,
    format_device_key,
    format_imei,
    imei_digits,
    malformed_text,
)
from openceir.identity.keyed import KEYED_DIGEST_OCTETS, InvalidDigestKey, keyed_digest
from openceir.identity.non_unique import NON_UNIQUE, NON_UNIQUE_KEYS, NonUnique, find_non_unique, is_known_non_unique
from openceir.identity.parse import UnknownScheme, parse
from openceir.identity.rat import (
    CELLULAR,
    G2,
    G3,
    G4,
    G5,
    OTHER,
    RAT_CODES,
    RatCode,
    generations_of_bands,
    generations_of_mask,
    rat_findings,
    rat_mask,
    rat_names,
)
from openceir.identity.subscriber import (
    VALID_IMSI_KEYS,
    format_subscriber,
    is_valid_imsi,
    subscriber_digits,
    subscriber_key,
)
from openceir.identity.tac import RBI, ReportingBody, is_test_tac, rbi_of, tac_digits

__all__ = [
    # any identifier
    "parse", "Identifier", "Check", "UNKNOWN_SCHEME", "UnknownScheme", "CATALOGUE", "Scheme", "LEVELS",
    # one IMEI
    "Imei", "imei_digits", "malformed_text", "format_imei", "luhn_check_digit",
    # device keys
    "ODD_DEVICE_BASE", "device_key_of_imei", "format_device_key",
    # models and who allocated them
    "RBI", "ReportingBody", "rbi_of", "tac_digits", "is_test_tac",
    # numbers on many devices
    "NON_UNIQUE", "NON_UNIQUE_KEYS", "NonUnique", "find_non_unique", "is_known_non_unique",
    # radio
    "RAT_CODES", "RatCode", "G2", "G3", "G4", "G5", "CELLULAR", "OTHER",
    "rat_mask", "rat_findings", "rat_names", "generations_of_bands", "generations_of_mask",
    # digests under a key
    "KEYED_DIGEST_OCTETS", "InvalidDigestKey", "keyed_digest",
    # subscribers
    "subscriber_digits", "subscriber_key", "format_subscriber", "is_valid_imsi", "VALID_IMSI_KEYS",
    # words
    "Finding", "IdentityError", "InvalidImei", "InvalidSubscriber",
]  # fmt: skip
