"""A state file shows what was committed to of one device, and nothing else it could be made to say."""

from datetime import UTC, datetime

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openceir.ledger import (
    CommittedState,
    Held,
    MerkleLog,
    ProofRefused,
    Receipt,
    TokenKey,
    hash_leaf,
    make_receipt,
    token_text,
    verify_state,
)
from openceir.ledger.state_proof import write_held
from openceir.statements import (
    MemberKey,
    Members,
    Role,
    SigningKey,
    StateCommitted,
    StatementRefused,
    sign,
    write_canonical,
)

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
LOG = SigningKey("openceir/test", bytes(32))
REGULATOR = SigningKey("regulator", bytes(range(32)))
MEMBERS = Members().with_key("cc-regulator", MemberKey(REGULATOR.public, NOON), [Role.REGULATOR])
TOKENS = TokenKey(b"t" * 32)
STOLEN = Held("cc-police", "stolen", "", 1_800_000_000)
BLOCKED = Held("cc-regulator", "blocked", "", 1_700_000_000)


def text(device):
    return token_text("imei", f"{device:014d}")


def receipt_of(root, key=TOKENS):
    """The receipt of a statement that commits to this root, in a log of three entries."""
    said = StateCommitted(size=7, epoch=2027, token_key=key.public, root=root, as_of_at=NOON)
    signed = sign(said, REGULATOR, issuer="cc-regulator", stated_at=NOON, salt=bytes(16))
    tree = MerkleLog()
    tree.extend([bytes(32), hash_leaf(signed.octets), bytes(32)])
    return make_receipt(signed.octets, Receipt.make(tree, 1, LOG, at=NOON), disclose=(signed.salt, signed.payload))


def committed(held, ranges=()):
    state = CommittedState(TOKENS)
    state.update({TOKENS.token(text(device)): some for device, some in held.items()})
    state.set_ranges(ranges)
    return state, receipt_of(state.root())


def shown(state, receipt, device, held=()):
    octets = state.prove(text(device), device, held, receipt)
    return verify_state(octets, text(device), device, LOG.public, MEMBERS)


SPANS = st.lists(st.tuples(st.integers(1, 5), st.integers(0, 5)), max_size=5)


@settings(max_examples=40, deadline=None)
@given(st.sets(st.integers(0, 40), max_size=8), SPANS, st.integers(0, 60))
def test_every_device_is_shown_as_it_was_committed_to(devices, gaps, asked):
    """The twin is a dictionary and a list of ranges."""
    held = {device: [STOLEN] if device % 2 else [STOLEN, BLOCKED] for device in devices}
    ranges, at = [], 0
    for gap, length in gaps:
        ranges.append((at + gap, at + gap + length, [BLOCKED]))
        at += gap + length
    state, receipt = committed(held, ranges)
    found = shown(state, receipt, asked, held.get(asked, ()))
    assert set(found.held) == set(held.get(asked, ()))
    inside = [(lo, hi) for lo, hi, _ in ranges if lo <= asked <= hi]
    assert (found.range, found.held_by_range) == ((inside[0], (BLOCKED,)) if inside else (None, ()))
    assert found.is_absent is (asked not in held and not inside)


def test_a_file_names_no_device_and_is_about_a_kilobyte_and_a_half():
    state, receipt = committed({device: [STOLEN] for device in range(2000)})
    octets = state.prove(text(9999), 9999, (), receipt)
    assert b"00000000009999" not in octets
    assert len(octets) < 1700


def parts_of(octets):
    return cbor2.loads(octets)


def test_no_part_of_a_file_can_be_exchanged():
    held = {device: [STOLEN] for device in range(300)}
    state, receipt = committed(held, [(1000, 1999, [BLOCKED]), (5000, 5999, [BLOCKED])])
    other, other_receipt = committed({}, [])
    present = state.prove(text(5), 5, [STOLEN], receipt)
    absent = state.prove(text(400), 400, (), receipt)
    in_range = state.prove(text(1500), 1500, (), receipt)
    of_nobody = other.prove(text(5), 5, (), other_receipt)

    def changed(octets, place, value):
        parts = list(parts_of(octets))
        parts[place] = value
        return write_canonical(parts)

    wrong = [
        (5, changed(present, 5, None)),
        (5, changed(present, 5, [bytes(16), write_held([STOLEN])])),
        (5, changed(present, 3, parts_of(of_nobody)[3])),
        (5, changed(present, 1, parts_of(of_nobody)[1])),
        (5, changed(of_nobody, 1, parts_of(present)[1])),
        (5, changed(present, 2, parts_of(absent)[2])),
        (5, absent),
        (400, changed(absent, 5, [bytes(16), write_held([STOLEN])])),
        (1500, changed(in_range, 4, parts_of(state.prove(text(7000), 7000, (), receipt))[4])),
        (1500, changed(in_range, 4, [0, MerkleLog().root(), []])),
        (400, changed(absent, 4, [*parts_of(absent)[4][:2], []])),
        (3000, changed(state.prove(text(3000), 3000, (), receipt), 4, parts_of(in_range)[4])),
        (400, changed(absent, 0, 2)),
        (400, absent[:-1]),
        (400, absent + b"\0"),
        (400, b""),
    ]
    for device, octets in wrong:
        with pytest.raises((ProofRefused, StatementRefused)):
            verify_state(octets, text(device), device, LOG.public)


def test_the_receipt_must_be_of_a_committed_state_in_the_log_that_is_trusted():
    state, receipt = committed({})
    octets = state.prove(text(1), 1, (), receipt)
    with pytest.raises(ProofRefused, match="log"):
        verify_state(octets, text(1), 1, SigningKey("openceir/other", bytes(32)).public)
    with pytest.raises(StatementRefused, match="no member"):
        verify_state(octets, text(1), 1, LOG.public, Members())


def test_a_register_that_changes_its_token_key_between_commitment_and_proof_is_caught():
    """The key stands in the statement: with another the register could give a device a token that is not in the map."""
    state, _ = committed({5: [STOLEN]})
    octets = state.prove(text(5), 5, [STOLEN], receipt_of(state.root(), TokenKey(b"u" * 32)))
    with pytest.raises(ProofRefused, match="token"):
        verify_state(octets, text(5), 5, LOG.public)
