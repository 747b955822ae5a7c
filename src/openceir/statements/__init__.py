"""Statements: what may be said of devices, by whom, and the octets that prove it. One file a kind in `kinds/`.

said = DeviceStolen(devices=DeviceSet.of("00100100000001"), stolen_at=…, case_number="N-7")
signed = sign(said, key, issuer="cc-police", stated_at=…, salt=os.urandom(16))
verify_statement(signed, members, at=…)      # gives `said` back, or raises StatementRefused
"""

from openceir.statements._cbor import read_canonical, write_canonical
from openceir.statements.cose import ALG, CWT_CLAIMS, EDDSA, KID, Sign1
from openceir.statements.devices import MOST_DEVICES, DeviceSet
from openceir.statements.errors import (
    KeyOutOfDate,
    KeyRefused,
    MemberRefused,
    Refusal,
    StatementError,
    StatementRefused,
)
from openceir.statements.forms import Pair
from openceir.statements.keys import PublicKey, SigningKey
from openceir.statements.kinds import (
    ActsCommitted,
    Approved,
    DeviceBlocked,
    DeviceBound,
    DeviceClassified,
    DeviceCloned,
    DeviceImported,
    DeviceLost,
    DevicePaired,
    DevicePermitted,
    DeviceRecovered,
    DeviceRegistered,
    DeviceStolen,
    DeviceTracked,
    Disputed,
    ErasureDone,
    ErasureOrdered,
    FederationFounded,
    ListApplied,
    MembershipProposed,
    RangeAllocated,
    StateCommitted,
    StockDeclared,
    TypeApproved,
    Withdrawn,
)
from openceir.statements.kinds._checks import quorum_of
from openceir.statements.members import EarlierRoles, Member, MemberKey, Members
from openceir.statements.roles import KeyUse, Role
from openceir.statements.signed import (
    SALT_OCTETS,
    Header,
    SignedStatement,
    open_payload,
    read_header,
    sign,
    verify_header,
    verify_statement,
)
from openceir.statements.statement import (
    KINDS,
    NO_DEVICES,
    Statement,
    decode_payload,
    encode_payload,
    from_plain,
    kind_fields,
    statement,
    to_plain,
)
from openceir.statements.terms import read_member, write_member

PUBLIC_KINDS = frozenset(kind for kind, made in KINDS.items() if made.is_public)

__all__ = [
    # what may be said
    "KINDS",
    "PUBLIC_KINDS",
    "ActsCommitted",
    "Approved",
    "DeviceBlocked",
    "DeviceBound",
    "DeviceClassified",
    "DeviceCloned",
    "DeviceImported",
    "DeviceLost",
    "DevicePaired",
    "DevicePermitted",
    "DeviceRecovered",
    "DeviceRegistered",
    "DeviceStolen",
    "DeviceTracked",
    "Disputed",
    "ErasureDone",
    "ErasureOrdered",
    "FederationFounded",
    "ListApplied",
    "MembershipProposed",
    "RangeAllocated",
    "StateCommitted",
    "StockDeclared",
    "TypeApproved",
    "Withdrawn",
    # of which devices
    "DeviceSet",
    "MOST_DEVICES",
    "NO_DEVICES",
    "Pair",
    # by whom
    "Member",
    "EarlierRoles",
    "KeyUse",
    "MemberKey",
    "Members",
    "PublicKey",
    "Role",
    "quorum_of",
    "read_member",
    "write_member",
    "SigningKey",
    # as octets
    "Header",
    "SALT_OCTETS",
    "SignedStatement",
    "Statement",
    "decode_payload",
    "encode_payload",
    "from_plain",
    "kind_fields",
    "open_payload",
    "read_header",
    "sign",
    "statement",
    "to_plain",
    "verify_header",
    "verify_statement",
    # the envelope, for receipts
    "ALG",
    "CWT_CLAIMS",
    "EDDSA",
    "KID",
    "Sign1",
    "read_canonical",
    "write_canonical",
    # when refused
    "KeyOutOfDate",
    "KeyRefused",
    "MemberRefused",
    "Refusal",
    "StatementError",
    "StatementRefused",
]
