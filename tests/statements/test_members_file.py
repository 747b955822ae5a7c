from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openceir.errors import OpenceirError
from openceir.statements import EarlierRoles, Member, MemberKey, MemberRefused, Members, Role, SigningKey

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
ALICE = SigningKey("alice", bytes(32)).public
BOB = SigningKey("bob", bytes([1]) * 32).public

instants = st.integers(1_577_836_800, 2_208_988_800).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@st.composite
def everyone(draw):
    return Members(
        Member(
            f"m{number}",
            frozenset(draw(st.sets(st.sampled_from(Role), min_size=1))),
            tuple(
                MemberKey(
                    SigningKey(f"k{number}-{which}", bytes([number, which]) * 16).public,
                    draw(instants), draw(st.none() | instants), draw(st.none() | instants),
                )
                for which in range(draw(st.integers(0, 3)))
            ),
            tuple(
                EarlierRoles(frozenset(draw(st.sets(st.sampled_from(Role)))), until)
                for until in sorted(draw(st.lists(instants, max_size=2)))
            ),
        )
        for number in range(draw(st.integers(0, 3)))
    )  # fmt: skip


@given(everyone())
def test_members_are_read_as_they_were_written(members):
    again = Members.parse(members.format())
    assert list(again) == list(members)


def test_a_key_counts_from_its_first_second_to_the_one_before_its_end():
    key = MemberKey(ALICE, NOON, NOON + timedelta(days=2), NOON + timedelta(days=1))
    assert not key.is_valid_at(NOON - timedelta(seconds=1))
    assert key.is_valid_at(NOON)
    assert key.is_valid_at(NOON + timedelta(days=1) - timedelta(seconds=1))
    assert not key.is_valid_at(NOON + timedelta(days=1))


def test_roles_count_from_the_instant_they_were_given_and_not_before():
    members = Members().with_roles("m", [Role.OPERATOR], NOON).with_roles("m", [Role.REGULATOR], NOON)
    member = members.with_roles("m", [Role.REGULATOR], NOON + timedelta(days=9)).find("m")
    assert member.roles_at(NOON - timedelta(seconds=1)) == {Role.OPERATOR}
    assert member.roles_at(NOON) == {Role.OPERATOR, Role.REGULATOR}


def test_revoking_one_key_leaves_the_other():
    members = Members().with_key("m", MemberKey(ALICE, NOON), [Role.POLICE]).with_key("m", MemberKey(BOB, NOON))
    changed = members.with_revoked("m", NOON, BOB.kid)
    assert [key.revoked_at for key in changed.find("m").keys] == [None, NOON]
    with pytest.raises(MemberRefused, match="already"):
        changed.with_revoked("m", NOON, BOB.kid)
    with pytest.raises(MemberRefused, match="no member"):
        changed.with_revoked("nobody", NOON)


def test_one_key_cannot_be_two_members():
    with pytest.raises(MemberRefused, match="twice"):
        Members().with_key("a", MemberKey(ALICE, NOON), [Role.POLICE]).with_key(
            "b", MemberKey(ALICE, NOON), [Role.MAKER]
        )


def test_a_member_without_a_role_is_refused():
    with pytest.raises(MemberRefused, match="role"):
        Members().with_key("m", MemberKey(ALICE, NOON))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[[member]]\nid = 'm'\nroles = ['king']", "king"),
        ("[[member]]\nid = 'm'", "roles"),
        ("[[member]]\nid = 'M M'\nroles = ['police']", "cannot name"),
        ("[[member]]\nid = 'm'\nroles = ['police']\ncolour = 1", "colour"),
        ("[[membr]]", "membr"),
        ("member = 3", "member"),
        ("[[member", "not TOML"),
        (f"[[member]]\nid='m'\nroles=['police']\n[[member.key]]\npublic='{ALICE.format()}'", "valid_from"),
        (
            f"[[member]]\nid='m'\nroles=['police']\n[[member.key]]\npublic='{ALICE.format()}'\nvalid_from=2027-01-01T00:00:00",
            "offset",
        ),
        (
            "[[member]]\nid='m'\nroles=['police']\n[[member.key]]\npublic='x'\nvalid_from=2027-01-01T00:00:00Z",
            "public key",
        ),
    ],
)
def test_a_members_file_that_is_wrong_is_refused_with_the_place(text, why):
    with pytest.raises(MemberRefused, match=why):
        Members.parse(text)


@given(st.text(max_size=100))
def test_no_text_makes_the_members_reader_fail_in_another_way(text):
    try:
        Members.parse(text)
    except OpenceirError:
        return
