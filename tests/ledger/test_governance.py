"""Who belongs to a federation is decided by its members' statements, alike on every machine."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openceir.ledger import Governance, LedgerBroken, Machine, MerkleLog, app_hash_of, hash_leaf
from openceir.statements import (
    Approved,
    DeviceSet,
    DeviceStolen,
    FederationFounded,
    KeyUse,
    Member,
    MemberKey,
    Members,
    MembershipProposed,
    Refusal,
    Role,
    SigningKey,
    StatementRefused,
    read_header,
    sign,
)

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(days=30)
NAMES = ("xa", "xb", "xc")
KEYS = {name: SigningKey(name, name.encode().ljust(32, b".")) for name in (*NAMES, "xd", "thief")}
NODE_KEYS = {name: SigningKey(f"{name}-node", name.encode().ljust(32, b"-")) for name in (*NAMES, "xd")}


def member(name, *, power=10, roles=(Role.REGULATOR, Role.POLICE)):
    keys = (MemberKey(KEYS[name].public, NOON), MemberKey(NODE_KEYS[name].public, NOON, use=KeyUse.NODE))
    return Member(name, frozenset(roles), keys, nation=name.upper(), power=power)


FOUNDING = FederationFounded(name="example/shared", quorum=2, members=tuple(map(member, NAMES)))


class Book:
    """A shared log to which members say things one block at a time."""

    def __init__(self):
        self.machine = Machine(Members(), MerkleLog(), is_shared=True)
        self.said = 0

    def entry(self, name, said, at=NOON, key=None):
        self.said += 1
        signed = sign(said, key or KEYS[name], issuer=name, stated_at=at, salt=self.said.to_bytes(16))
        return signed.octets, (signed.salt, signed.payload) if said.is_public else None

    def takes(self, *entries, at=NOON):
        return self.machine.take_block(self.machine.height, at, entries)

    def code(self, name, said, at=NOON, key=None):
        [code] = self.takes(self.entry(name, said, at, key), at=at).codes
        return code

    def propose(self, name, at=NOON, **said):
        entry = self.entry(name, MembershipProposed(until=LATER, grounds="G-1", **said), at)
        [code] = self.takes(entry, at=at).codes
        assert code == Refusal.NONE, code
        return hash_leaf(entry[0])


@pytest.fixture
def book():
    made = Book()
    assert made.code("xa", FOUNDING) == Refusal.NONE
    return made


THEFT = DeviceStolen(devices=DeviceSet.of("00100100000001"), stolen_at=NOON, case_number="N-1")


def test_nothing_is_said_before_a_federation_is_founded():
    made = Book()
    assert made.code("xa", THEFT) == Refusal.KEY_UNKNOWN
    assert made.code("xa", Approved(target=bytes(32))) == Refusal.KEY_UNKNOWN


def test_a_stranger_cannot_found_a_federation_of_others():
    made = Book()
    assert made.code("xd", FOUNDING) == Refusal.KEY_UNKNOWN
    assert made.code("xa", FOUNDING, key=KEYS["thief"]) == Refusal.KEY_UNKNOWN
    weak = replace(FOUNDING, members=(member("xa", power=0), member("xb"), member("xc")))
    assert made.code("xa", weak) == Refusal.GOVERNANCE


def test_a_federation_is_founded_once(book):
    assert book.code("xb", replace(FOUNDING, quorum=3)) == Refusal.GOVERNANCE
    assert book.machine.governance.quorum == 2


def test_a_member_is_admitted_when_a_quorum_has_approved(book):
    leaf = book.propose("xa", action="admit", terms=member("xd"), quorum=3)
    assert book.machine.governance.members.find("xd") is None
    assert book.code("xd", THEFT) == Refusal.KEY_UNKNOWN
    done = book.takes(book.entry("xb", Approved(target=leaf)))
    assert done.applied.members_changed
    assert book.machine.governance.quorum == 3
    assert book.machine.governance.nodes_at(NOON) == {NODE_KEYS[n].public.octets: 10 for n in (*NAMES, "xd")}
    assert book.code("xd", THEFT) == Refusal.NONE


def test_one_voice_is_counted_once(book):
    leaf = book.propose("xa", action="remove", member="xc")
    for _ in range(3):
        assert book.code("xa", Approved(target=leaf)) == Refusal.NONE
    assert book.machine.governance.members.find("xc").is_voter


def test_a_member_without_a_vote_decides_nothing(book):
    leaf = book.propose("xa", action="admit", terms=member("xd", power=0))
    assert book.code("xb", Approved(target=leaf)) == Refusal.NONE
    assert book.code("xd", THEFT) == Refusal.NONE
    other = book.propose("xa", action="remove", member="xc")
    assert book.code("xd", Approved(target=other)) == Refusal.GOVERNANCE


def test_changes_count_from_the_next_block_on(book):
    leaf = book.propose("xa", action="remove", member="xc")
    taken = book.takes(book.entry("xb", Approved(target=leaf)), book.entry("xc", THEFT))
    assert taken.codes == (Refusal.NONE, Refusal.NONE)
    assert book.code("xc", replace(THEFT, case_number="N-2")) == Refusal.KEY_OUT_OF_DATE


def test_a_stolen_key_is_revoked_and_a_new_one_added(book):
    fresh = SigningKey("xc-2", bytes(range(32)))
    revoke = book.propose("xa", action="revoke-key", member="xc", kid=KEYS["xc"].public.kid, revoked_at=NOON)
    assert book.code("xb", Approved(target=revoke)) == Refusal.NONE
    assert book.code("xc", THEFT) == Refusal.KEY_OUT_OF_DATE
    add = book.propose("xa", action="add-key", member="xc", key=MemberKey(fresh.public, NOON))
    assert book.code("xb", Approved(target=add)) == Refusal.NONE
    assert book.code("xc", THEFT, key=fresh) == Refusal.NONE


def test_a_node_key_signs_no_statement(book):
    assert book.code("xa", THEFT, key=NODE_KEYS["xa"]) == Refusal.KEY_UNKNOWN


def test_approvals_after_the_time_of_a_proposal_do_not_count(book):
    leaf = book.propose("xa", action="remove", member="xc")
    assert book.code("xb", Approved(target=leaf), at=LATER) == Refusal.NONE
    assert book.machine.governance.members.find("xc").is_voter
    assert not book.machine.governance.open.get(leaf) or book.machine.governance.open[leaf].said.until <= LATER


@pytest.mark.parametrize(
    "said",
    [
        {"action": "change-quorum", "quorum": 1},
        {"action": "change-quorum", "quorum": 4},
        {"action": "remove", "member": "nobody"},
        {"action": "admit", "terms": member("xd")},  # four voters, of whom two are no majority
        {"action": "admit", "terms": member("xc"), "quorum": 3},
        {"action": "change-power", "member": "xb", "power": 0, "quorum": 1},
    ],
    ids=lambda said: said["action"],
)
def test_a_change_that_cannot_be_made_is_refused_when_it_is_proposed(book, said):
    proposal = MembershipProposed(until=LATER, grounds="G-1", **said)
    assert book.code("xa", proposal) == Refusal.GOVERNANCE


def test_a_proposal_that_names_too_much_cannot_be_signed():
    with pytest.raises(StatementRefused, match="nothing else"):
        sign(
            MembershipProposed(action="remove", member="xc", power=3, until=LATER, grounds=""),
            KEYS["xa"], issuer="xa", stated_at=NOON, salt=bytes(16),
        )  # fmt: skip


def test_each_way_of_being_wrong_has_its_number(book):
    stolen = book.entry("xa", THEFT)
    approved = book.entry("xa", Approved(target=hash_leaf(stolen[0])))
    future = book.entry("xa", replace(THEFT, case_number="N-9"), at=NOON + timedelta(hours=1))
    broken = book.entry("xa", replace(THEFT, case_number="N-8"))[0]
    codes = book.takes(
        stolen,
        stolen,
        (b"", None),
        (b"\xd2" + bytes(5000), None),
        (stolen[0] + b"\0", None),
        (broken[:-1] + bytes([broken[-1] ^ 1]), None),
        future,
        (book.entry("xb", replace(THEFT, case_number="N-7"))[0], (bytes(16), b"\xa0")),
        (approved[0], None),
        (approved[0], (bytes(16), approved[1][1])),
        approved,
    ).codes
    assert codes == (
        Refusal.NONE,
        Refusal.DUPLICATE,
        Refusal.MALFORMED,
        Refusal.TOO_LARGE,
        Refusal.MALFORMED,
        Refusal.SIGNATURE,
        Refusal.FUTURE,
        Refusal.DISCLOSED,
        Refusal.NOT_DISCLOSED,
        Refusal.PAYLOAD,
        Refusal.GOVERNANCE,  # what it approves stands in no block before this one
    )
    assert book.code("xb", Approved(target=hash_leaf(stolen[0]))) == Refusal.NONE
    assert [int(number) for number in Refusal] == list(range(15)), "a published number never changes"


def test_an_empty_block_changes_nothing_that_members_compare(book):
    before = book.machine.app_hash()
    taken = book.takes()
    assert (taken.codes, taken.applied.app_hash) == ((), before)


def test_a_machine_restored_from_its_state_goes_on_alike(book):
    leaf = book.propose("xa", action="remove", member="xc")
    tree = MerkleLog(book.machine.tree.nodes(), book.machine.tree.size)
    other = Machine.restore(book.machine.state(), tree)
    assert other.app_hash() == book.machine.app_hash()
    entry = book.entry("xb", Approved(target=leaf))
    one, two = book.takes(entry), other.take_block(other.height, NOON, [entry])
    assert one == two
    assert not other.governance.members.find("xc").is_voter
    with pytest.raises(LedgerBroken):
        Machine.restore(book.machine.state()[:-1], tree)


def test_a_signature_known_before_is_not_asked_again_but_all_else_is(book):
    octets, _ = book.entry("xa", THEFT)
    broken = octets[:-1] + bytes([octets[-1] ^ 1])
    at, height = NOON, book.machine.height
    known = {hash_leaf(one): read_header(one) for one in (octets, broken)}
    assert book.machine.take_block(height, at, [(octets, None), (octets, None)], verified=known).codes == (0, 10)
    assert book.machine.take_block(height + 1, at, [(octets, None), (broken, None)]).codes == (10, Refusal.SIGNATURE)
    early = book.entry("xa", replace(THEFT, case_number="N-3"), at=NOON + timedelta(hours=1))
    assert book.machine.take_block(
        height + 2, at, [early], verified={hash_leaf(early[0]): read_header(early[0])}
    ).codes == (Refusal.FUTURE,)


def test_the_roots_give_the_app_hash(book):
    assert app_hash_of(*book.machine.roots()) == book.machine.app_hash()
    assert book.machine.roots()[0] == book.machine.tree.root()
    assert book.machine.roots()[2] == book.machine.governance.root()


_STEPS = st.lists(
    st.tuples(
        st.sampled_from(NAMES),
        st.one_of(
            st.integers(0, 5),  # approve the n-th proposal so far
            st.sampled_from(
                [
                    {"action": "admit", "terms": member("xd"), "quorum": 3},
                    {"action": "remove", "member": "xc", "quorum": 2},
                    {"action": "remove", "member": "xb", "quorum": 2},
                    {"action": "change-power", "member": "xa", "power": 3},
                    {"action": "change-quorum", "quorum": 3},
                    {"action": "change-roles", "member": "xb", "roles": (Role.COURT,)},
                ]
            ),
        ),
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(_STEPS)
def test_at_every_state_a_quorum_is_more_than_half_and_no_more_than_all(steps):
    book = Book()
    book.code("xa", FOUNDING)
    proposals = []
    for name, step in steps:
        if isinstance(step, int):
            said = Approved(target=proposals[step % len(proposals)]) if proposals else Approved(target=bytes(32))
        else:
            said = MembershipProposed(until=LATER, grounds="G", **step)
        entry = book.entry(name, said)
        if book.takes(entry).codes == (Refusal.NONE,) and not isinstance(step, int):
            proposals.append(hash_leaf(entry[0]))
        governance = book.machine.governance
        voters = len(governance.voters())
        assert voters < 2 * governance.quorum <= 2 * voters
        again = Governance.read(governance.write())
        assert again.root() == governance.root()
        assert again.nodes_at(NOON) == governance.nodes_at(NOON)
