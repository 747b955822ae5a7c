"""Any t members answer as the whole key would; fewer cannot, and who lies is named."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openceir.questions import (
    VOPRF,
    Asking,
    Contribution,
    Deal,
    ElementRefused,
    Generation,
    GenerationFailed,
    GroupMember,
    KeyGroup,
    KeyGroupRefused,
    ProofFalse,
    QuestionKey,
    begin,
    combine,
    polynomial,
    share_of,
    transcript,
)

PHONE = b"00100100000001"


def dealt(threshold, members, secret=None):
    """A group whose dealer is this test, which therefore knows the whole key."""
    coefficients = polynomial(threshold, secret)
    whole = QuestionKey("2027", 1, coefficients[0])
    shares = {index: QuestionKey("2027", index, share_of(coefficients, index)) for index in range(1, members + 1)}
    listed = tuple(GroupMember(index, key.public) for index, key in shares.items())
    return whole, shares, KeyGroup("2027", threshold, whole.public, listed)


def ask(group, shares, indexes, subjects=(PHONE,)):
    asking = Asking(group, subjects)
    request = asking.request()
    for index in indexes:
        elements, proof = shares[index].answer([bytes.fromhex(text) for text in request["elements"]])
        asking.take(index, {"elements": [element.hex() for element in elements], "proof": proof.hex()})
    return asking.outputs()


@given(st.data())
@settings(max_examples=25, deadline=None)
def test_any_threshold_of_members_gives_the_output_of_the_whole_key(data):
    members = data.draw(st.integers(1, 6))
    threshold = data.draw(st.integers(1, members))
    whole, shares, group = dealt(threshold, members)
    group.verify()
    chosen = data.draw(st.permutations(range(1, members + 1)))[:threshold]
    subjects = data.draw(st.lists(st.binary(min_size=1, max_size=20), min_size=1, max_size=3))
    assert ask(group, shares, chosen, subjects) == [VOPRF.evaluate(whole.scalar, subject) for subject in subjects]


def test_one_member_too_few_gives_no_answer_and_no_output():
    whole, shares, group = dealt(3, 5)
    with pytest.raises(KeyGroupRefused, match="2 members answered, 3 are needed"):
        ask(group, shares, [1, 4])
    element = VOPRF.blind(PHONE)
    few = combine({index: shares[index].answer([element.element])[0][0] for index in (1, 4)})
    assert VOPRF.finalize(element, few) != VOPRF.evaluate(whole.scalar, PHONE)


def test_a_member_that_evaluates_with_another_key_is_named():
    _, shares, group = dealt(2, 3)
    shares[2] = QuestionKey.of_seed("2027", bytes(32))
    with pytest.raises(ProofFalse, match="member 2 of the epoch 2027"):
        ask(group, shares, [1, 2])


def test_members_whose_keys_do_not_fit_together_are_no_group():
    _, _, group = dealt(2, 4)
    stranger = QuestionKey.of_seed("2027", bytes(32)).public
    for place in range(4):
        members = list(group.members)
        members[place] = GroupMember(place + 1, stranger)
        with pytest.raises(KeyGroupRefused):
            replace(group, members=tuple(members)).verify()
    with pytest.raises(KeyGroupRefused):
        replace(group, public=stranger).verify()
    with pytest.raises(KeyGroupRefused):
        replace(group, threshold=5).verify()
    with pytest.raises(KeyGroupRefused, match="twice"):
        replace(group, members=(group.members[0], *group.members)).verify()


def test_a_group_is_the_same_after_it_was_written():
    _, _, group = dealt(2, 3)
    assert KeyGroup.from_json(group.as_json()) == group
    for change in ({"threshold": "2"}, {"public_key": "zz"}, {"members": None}, {"epoch": "../x"}):
        with pytest.raises((KeyGroupRefused, ElementRefused)):
            KeyGroup.from_json({**group.as_json(), **change})


# ---------------------------------------------------------------------------------------- a key that nobody ever held


def made_together(threshold, members):
    parts = [Generation.parse(begin("2027", threshold, index).format()) for index in range(1, members + 1)]
    shown = [Contribution.parse(part.own.format()) for part in parts]
    deals = [Deal.from_json(deal.as_json()) for part in parts for deal in part.deals(shown)]
    return parts, shown, deals


def test_a_key_made_together_answers_as_one_key_and_is_held_by_nobody():
    parts, shown, deals = made_together(2, 3)
    finished = [part.finish(shown, deals) for part in parts]
    groups = {group for _, group in finished}
    assert len(groups) == 1
    [group] = groups
    shares = {key.index: key for key, _ in finished}
    outputs = [ask(group, shares, pair) for pair in ((1, 2), (2, 3), (1, 3))]
    assert outputs[0] == outputs[1] == outputs[2]
    # the sum that nobody computed is the key
    import rbcl

    whole = bytes(32)
    for part in parts:
        whole = rbcl.crypto_core_ristretto255_scalar_add(whole, part.coefficients[0])
    assert outputs[0] == [VOPRF.evaluate(whole, PHONE)]
    assert whole not in {key.scalar for key, _ in finished}
    assert len({transcript(shown), transcript(shown[::-1])}) == 1


def test_a_share_that_does_not_fit_what_was_shown_names_its_sender():
    parts, shown, deals = made_together(2, 3)
    other = begin("2027", 2, 3)
    forged = Generation(parts[2].own, other.coefficients, parts[2].sealing_seed)
    bad = [deal for deal in deals if deal.sender != 3] + forged.deals(shown)
    with pytest.raises(GenerationFailed, match="member 3 sent a share that does not fit"):
        parts[0].finish(shown, bad)
    with pytest.raises(GenerationFailed, match="member 3 has not sent"):
        parts[0].finish(shown, [deal for deal in deals if deal.sender != 3])
    mixed = [replace(deal, sender=3) if deal.sender == 2 else replace(deal, sender=2) for deal in deals]
    with pytest.raises(GenerationFailed, match="belongs to another making"):
        parts[0].finish(shown, [deal for deal in mixed if deal.receiver == 1])


def test_a_contribution_without_the_secret_behind_it_is_refused():
    """Else the last to speak could choose "what I want minus yours" and hold the whole key alone."""
    mine = begin("2027", 2, 1).own
    stolen = replace(begin("2027", 2, 2).own, commitments=mine.commitments, proof=mine.proof)
    with pytest.raises(GenerationFailed, match="does not show that it knows"):
        Contribution.parse(stolen.format())
    with pytest.raises(GenerationFailed):
        Contribution.parse("{}")


def test_members_must_mean_the_same_key():
    parts, shown, _ = made_together(2, 3)
    with pytest.raises(GenerationFailed, match="another epoch or threshold"):
        parts[0].deals([*shown[:2], begin("2028", 2, 3).own])
    with pytest.raises(GenerationFailed, match="unchanged"):
        parts[0].deals(shown[1:])
