"""Nations that follow each other's logs through their doors, honest and otherwise."""

import json
import shutil
from datetime import timedelta

import pytest

from openceir import clock
from openceir.app import open_register
from openceir.federation import ForkProof, log_keys, witness_keys
from openceir.http import make_federation_application
from openceir.ledger import LogPolicy
from openceir.settings import Settings
from openceir.statements import (
    DeviceSet,
    DeviceStolen,
    ErasureOrdered,
    KeyUse,
    MemberKey,
    SigningKey,
    StatementRefused,
    sign,
)

from .nations import ALICES_PHONE, BOBS_PHONE, Federation


@pytest.fixture
def federation(tmp_path):
    return Federation(tmp_path)


def policy_of(federation, k):
    governance = federation["XA"].register.federation()
    logs = [key for member in governance.voters() for key in log_keys(member)]
    return LogPolicy.of(logs, witness_keys(governance), k)


def held(federation, code, of="xa-regulator"):
    return federation[code].register.federation_shelf.counts(of)


def verified(federation):
    """After every fault: each log is whole, and no two honest members differ."""
    for nation in federation.nations.values():
        assert nation.register.verify_ledger().root == nation.register.ledger.tree.root()
    assert len(federation.roots()) == 1


def test_a_theft_reaches_every_other_nation_and_its_checkpoint_is_cosigned(federation):
    federation["XA"].steals(ALICES_PHONE)
    done = federation.rounds(2)
    assert [one.troubles for one in done] == [{}] * 6
    for code in ("XB", "XC"):
        assert held(federation, code) == {"held": 1, "refused": 0}
        [stolen] = federation[code].register.federation_shelf.of_kinds(["device-stolen/1"])
        assert (stolen.issuer, stolen.index) == ("xa-police", 0)
    policy_of(federation, 2).verify(federation["XA"].register.published())
    verified(federation)


def test_a_second_round_fetches_nothing_again(federation):
    federation["XA"].steals(ALICES_PHONE)
    federation.rounds(2)
    assert federation.round("XB").taken == {}
    federation["XA"].steals(BOBS_PHONE)
    assert federation.round("XB").taken == {"xa-regulator": 1}


def test_logs_of_many_tiles_are_followed_across_their_edges(federation):
    nation = federation["XA"]
    for count in (250, 20, 300):
        at = clock.now()
        said = [
            DeviceStolen(devices=DeviceSet.of(keys=[n]), stolen_at=at - timedelta(days=1), case_number="N-7")
            for n in range(count)
        ]
        nation.state(*said, at=at)
        assert federation.round("XB").troubles == {}
    assert held(federation, "XB") == {"held": 570, "refused": 0}
    mirror = federation["XB"].register.mirror("xa-regulator")
    assert mirror.tree.root() == nation.register.ledger.tree.root()


def test_what_a_nation_does_not_share_is_known_to_exist_and_no_more(federation):
    policy = federation["XA"].home / "policy"
    policy.mkdir()
    (policy / "shares.toml").write_text('[shares.xc-regulator]\nkinds = { from."2020-01-01" = [] }\n')
    federation["XA"].register.__dict__.pop("policy", None)
    federation["XA"].steals(ALICES_PHONE)
    federation.rounds(1)
    assert held(federation, "XB") == {"held": 1, "refused": 0}
    assert held(federation, "XC") == {"not-shared": 1, "refused": 0}
    for code in ("XB", "XC"):
        assert federation[code].register.mirror("xa-regulator").covered == 1
    (policy / "shares.toml").unlink()
    federation["XA"].register.refresh_policy()
    federation.rounds(1)
    assert held(federation, "XC") == {"held": 1, "refused": 0}, "asked for again once policy there is wider"


# -- members by quorum -------------------------------------------------------------------------------------------------


def test_a_key_revoked_by_quorum_counts_nowhere_any_more(federation):
    """Stolen with the register's own log still taking it: every other member refuses, by the same day."""
    thief = federation["XA"]
    thief.steals(ALICES_PHONE)
    federation.rounds(1)
    assert held(federation, "XC") == {"held": 1, "refused": 0}
    governance = thief.register.federation()
    kid = governance.members.find("xa-police").keys[0].public.kid
    target = federation["XB"].proposes(
        "revoke-key", member="xa-police", kid=kid, revoked_at=clock.now().replace(microsecond=0) - timedelta(hours=1)
    )
    federation.rounds(2)
    assert held(federation, "XC") == {"held": 1, "refused": 0}  # one of three has agreed
    federation["XC"].approves(target)
    federation.rounds(2)
    thief.steals(BOBS_PHONE)  # its own log does not know of the quorum's members, and takes it
    federation.rounds(1)
    for code in ("XB", "XC"):
        assert held(federation, code) == {"refused": 2}
        assert {one.refusal for one in federation[code].register.federation_shelf.refusals("xa-regulator")} == {9}
    verified(federation)


def test_a_new_nation_is_admitted_by_quorum_and_followed_from_then_on(federation, tmp_path):
    from .nations import Nation

    newcomer = Nation(tmp_path / "XD", "XD")
    [terms] = [member for member in newcomer.card() if member.is_voter]
    newcomer.register.join_federation(federation.founding, {})
    target = federation["XA"].proposes("admit", terms=terms, quorum=3)
    federation.rounds(1)
    federation["XB"].approves(target)
    federation.rounds(1)
    federation.nations["XD"] = newcomer
    federation.doors[newcomer.id] = newcomer.door
    newcomer.state(
        DeviceStolen(devices=DeviceSet.of(ALICES_PHONE), stolen_at=clock.now(), case_number="N"), by="police"
    )
    done = federation.rounds(2)
    assert {nation.register.federation().quorum for nation in federation.nations.values()} == {3}
    for code in ("XA", "XB", "XC"):
        # Its police were not on its card for the quorum: they are not heard abroad.
        assert held(federation, code, "xd-regulator") == {"refused": 1}, [one.troubles for one in done]
    verified(federation)


def test_statements_arriving_in_any_order_make_the_same_members(federation):
    target = federation["XC"].proposes("change-power", member="xa-regulator", power=2)
    federation.round("XB")
    federation["XB"].approves(target)
    federation.round("XA")  # sees the approval of XB and the proposal of XC in one round
    federation.round("XC")
    federation.round("XB")
    assert len(federation.roots()) == 1
    assert federation["XA"].register.federation().members.find("xa-regulator").power == 2


# -- members that lie --------------------------------------------------------------------------------------------------


def forked_copy(federation, code, size_from_now=0):
    """Another door of a nation, with the same keys and another history from here on."""
    nation = federation[code]
    nation.register.ledger.close()
    home = federation.folder / f"{code}-lying"
    shutil.copytree(nation.home, home)
    other = open_register(home)
    return other, make_federation_application(home, Settings())


def steals_in(register, by, phone):
    at = clock.now()
    said = DeviceStolen(devices=DeviceSet.of(phone), stolen_at=at - timedelta(days=1), case_number="N-8")
    return register.state([said], by=by, at=at)


def test_a_log_that_is_rewritten_is_caught_with_a_proof_that_needs_nobodys_word(federation, tmp_path):
    federation["XA"].steals(ALICES_PHONE)
    liar, door = forked_copy(federation, "XA")
    federation["XA"].steals(BOBS_PHONE)
    federation.rounds(2)
    steals_in(liar, "xa-police", ALICES_PHONE)
    steals_in(liar, "xa-police", BOBS_PHONE)
    federation.doors["xa-regulator"] = door
    done = federation.round("XB")
    [name] = done.forks
    text = (federation["XB"].home / "federation" / "forks" / name).read_text()
    proof = ForkProof.parse(text)
    proof.verify([federation["XA"].register.ledger.log_key])
    assert (proof.older.checkpoint.size, proof.newer.checkpoint.size) == (2, 3)
    # What was accepted stays; the others go on without it, and learn of the proof from each other.
    federation.doors["xa-regulator"] = federation["XA"].door
    assert federation.round("XC").forks == [name]
    federation["XB"].steals(BOBS_PHONE)
    assert federation.round("XC").taken == {"xb-regulator": 1}
    assert held(federation, "XC") == {"held": 2, "refused": 0}
    assert "two histories" in federation.round("XC").troubles["xa-regulator"]
    for code in ("XB", "XC"):
        federation[code].register.verify_ledger()


def test_two_members_that_are_shown_different_histories_find_out_from_each_other(federation):
    """Equivocation: each was shown a log that only grew."""
    federation["XA"].steals(ALICES_PHONE)
    liar, lying_door = forked_copy(federation, "XA")
    federation["XA"].steals(BOBS_PHONE)
    steals_in(liar, "xa-police", ALICES_PHONE)
    honest_door = federation.doors["xa-regulator"]
    peers = {other: federation.peer(other) for other in ("xa-regulator",)}
    assert federation["XB"].follower(peers).round().troubles.keys() <= {"xb-regulator", "xc-regulator"}
    federation.doors["xa-regulator"] = lying_door
    done = federation.round("XC")
    assert len(done.forks) == 1
    ForkProof.parse((federation["XC"].home / "federation" / "forks" / done.forks[0]).read_text()).verify(
        [federation["XA"].register.ledger.log_key]
    )
    federation.doors["xa-regulator"] = honest_door
    assert federation.round("XB").forks == done.forks


def test_stale_checkpoints_are_noticed_and_the_missing_entries_come_from_another_member(federation):
    federation["XA"].steals(ALICES_PHONE)
    federation.rounds(1)
    _, stale_door = forked_copy(federation, "XA")
    federation["XA"].steals(BOBS_PHONE)
    federation.round("XB")
    federation.doors["xa-regulator"] = stale_door
    assert federation["XC"].register.mirror("xa-regulator").covered == 1
    federation.round("XC")
    assert federation["XC"].register.mirror("xa-regulator").covered == 2
    assert "shows 1 entries where it has shown 2" in federation.round("XC").troubles["xa-regulator"]
    assert federation["XC"].register.federation_shelf.forks() == []


def test_withheld_payloads_are_asked_for_until_they_come(federation):
    federation["XA"].steals(ALICES_PHONE)
    door = federation.doors["xa-regulator"]

    def withholds(environ, start_response):
        if environ["PATH_INFO"] == "/payloads":
            start_response("503 Service Unavailable", [("Content-Type", "text/plain")])
            return [b""]
        return door(environ, start_response)

    federation.doors["xa-regulator"] = withholds
    assert "not ready" in federation.round("XB").troubles["xa-regulator"]
    assert held(federation, "XB") == {"wanted": 1, "refused": 0}
    assert (
        federation["XB"].register.mirror("xa-regulator").covered == 1
    )  # that something was said is known all the same
    federation.doors["xa-regulator"] = door
    assert federation.round("XB").troubles == {}
    assert held(federation, "XB") == {"held": 1, "refused": 0}
    assert federation["XB"].register.federation_status(at=clock.now())[0].trouble is None


def test_a_payload_that_is_not_the_one_signed_is_not_taken(federation):
    federation["XA"].steals(ALICES_PHONE)
    federation["XA"].register.ledger  # noqa: B018
    real = type(federation["XA"].register).payloads_for

    def altered(self, *args, **kwargs):
        after, found = real(self, *args, **kwargs)
        return after, [(index, why, salt, payload + b"x") for index, why, salt, payload in found]

    type(federation["XA"].register).payloads_for = altered
    try:
        assert "withholds" in federation.round("XB").troubles["xa-regulator"]
    finally:
        type(federation["XA"].register).payloads_for = real
    assert held(federation, "XB") == {"withheld": 1, "refused": 0}
    federation.round("XB")
    assert held(federation, "XB") == {"held": 1, "refused": 0}


def test_a_flood_is_taken_as_far_as_policy_says_and_no_further(federation):
    policy = federation["XB"].home / "policy"
    policy.mkdir()
    (policy / "flood.toml").write_text("[federation]\nmost_entries_a_day = 100\n")
    federation["XB"].register.__dict__.pop("policy", None)
    at = clock.now()
    flood = [DeviceStolen(devices=DeviceSet.of(keys=[n]), stolen_at=at, case_number="N") for n in range(400)]
    federation["XA"].state(*flood, at=at)
    federation["XC"].steals(BOBS_PHONE)
    done = federation.round("XB")
    assert (done.taken["xa-regulator"], done.taken["xc-regulator"]) == (100, 1)
    assert "more than 100 entries a day" in done.troubles["xa-regulator"]
    assert federation.round("XB").taken.get("xa-regulator", 0) == 0
    days = [clock.now() + timedelta(days=day) for day in range(1, 6)]
    for day in days:
        federation.round("XB", now=lambda day=day: day)
    assert federation["XB"].register.mirror("xa-regulator").covered == 400


def test_more_octets_than_an_answer_may_have_are_not_read(federation):
    def floods(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return (b"x" * 65536 for _ in range(100_000))

    federation.doors["xa-regulator"] = floods
    assert "sends more than" in federation.round("XB").troubles["xa-regulator"]


# -- clocks ------------------------------------------------------------------------------------------------------------


def test_a_clock_that_runs_back_dates_no_cosignature_back(federation):
    federation["XA"].steals(ALICES_PHONE)
    federation.round("XB")
    federation["XA"].steals(BOBS_PHONE)
    federation.round("XB", now=lambda: clock.now() - timedelta(hours=2))
    origin = federation["XA"].register.ledger.log_key.name
    times = [one.at for one in federation["XB"].register.federation_shelf.cosigned(origin)]
    assert times == sorted(times)
    assert len(times) == 2


def test_a_witness_gives_one_checkpoint_one_cosignature_whenever_it_is_asked(federation):
    """Members count times to block from it, and must count from the same one."""
    federation["XA"].steals(ALICES_PHONE)
    federation.round("XB", now=lambda: clock.now() - timedelta(minutes=3))
    federation.round("XA")
    origin = federation["XA"].register.ledger.log_key.name
    [theirs], [ours] = (
        [
            one
            for one in federation[code].register.federation_shelf.cosigned(origin)
            if one.witness == "xb-regulator/witness"
        ]
        for code in ("XB", "XA")
    )
    assert theirs == ours


def test_entries_from_the_future_wait_until_their_time_has_come(federation):
    later = clock.now() + timedelta(hours=3)
    federation["XA"].steals(ALICES_PHONE, at=later)
    federation.round("XB")
    assert held(federation, "XB") == {"refused": 0}
    federation.round("XB", now=lambda: later + timedelta(seconds=1))
    assert federation["XB"].register.federation_shelf.followed("xa-regulator").judged == 1


# -- who may ask -------------------------------------------------------------------------------------------------------


def test_payloads_go_to_the_member_that_signed_and_to_nobody_else(federation):
    federation["XA"].steals(ALICES_PHONE)
    stranger = SigningKey("stranger", bytes(range(32)))
    peer = federation.peer("xa-regulator")
    from openceir.abroad.peer import PeerWrong

    with pytest.raises(PeerWrong, match="401"):
        peer.payloads(0, 1, stranger, clock.now())
    own = federation["XB"].register.signing_key("xb-regulator")
    assert [one.why for one in peer.payloads(0, 1, own, clock.now())[1]] == ["held"]
    with pytest.raises(PeerWrong, match="401"):
        peer.payloads(0, 1, own, clock.now() - timedelta(minutes=6))
    # The police force of a member is heard abroad, and is no member that payloads are sent to.
    police = federation["XB"].register.signing_key("xb-police")
    assert [one.why for one in peer.payloads(0, 1, police, clock.now())[1]] == ["not-shared"]


def test_a_statement_of_another_nations_office_counts_in_its_own_log_only(federation):
    """XA's log takes in, by mistake or otherwise, a statement that XB's police signed."""
    police = federation["XB"].register.signing_key("xb-police")
    xa = federation["XA"].register
    xa.change_members(xa.members.with_key("xb-police", MemberKey(police.public, federation["XB"].since), ["police"]))
    at = clock.now().replace(microsecond=0)
    said = DeviceStolen(devices=DeviceSet.of(BOBS_PHONE), stolen_at=at, case_number="N-9")
    xa.submit([sign(said, police, issuer="xb-police", stated_at=at, salt=bytes(16))], at=at)
    federation.round("XC")
    [refused] = federation["XC"].register.federation_shelf.refusals("xa-regulator")
    assert "no office of the nation" in refused.sentence


def test_altered_oversized_and_replayed_statements_are_refused_at_the_desk_and_abroad(federation):
    xa = federation["XA"].register
    [entry] = federation["XA"].steals(ALICES_PHONE)
    signed = xa.ledger.signed(entry.index)
    from openceir.ledger import Duplicate
    from openceir.statements import SignedStatement

    with pytest.raises(Duplicate):
        xa.submit([signed], at=clock.now())
    altered = signed.octets[:-1] + bytes([signed.octets[-1] ^ 1])  # a signature's last octet is often 0 by itself
    for octets in (altered, signed.octets + b"\0", b"\xd2" + bytes(5000)):
        with pytest.raises(StatementRefused):
            xa.submit([SignedStatement(octets, signed.salt, signed.payload)], at=clock.now())
    verified(federation)


def test_a_proof_that_proves_nothing_accuses_nobody(federation):
    federation["XA"].steals(ALICES_PHONE)
    federation.rounds(1)
    register = federation["XB"].register
    note = register.mirror("xa-regulator").note
    false = ForkProof((register.federation().voters()[0].keys[1].public,), note, note, bytes(32), ())
    register.note_fork(false)
    assert register.forked(register.federation(), note.checkpoint.origin) is None
    assert federation.round("XC").forks == []


def test_what_one_nation_orders_to_be_forgotten_is_gone_everywhere_and_each_says_so(federation):
    [entry] = federation["XA"].steals(ALICES_PHONE)
    federation["XA"].finds(ALICES_PHONE)
    federation.rounds(1)
    order = ErasureOrdered(target=entry.leaf_hash, grounds="rule 9")
    federation["XA"].state(order, by="police")
    federation.rounds(2)
    for code in ("XB", "XC"):
        shelf = federation[code].register.federation_shelf
        found = shelf.find(entry.leaf_hash)
        assert (found.why, found.salt, found.octets) == ("erased", None, None)
    federation.rounds(1)
    [erasure] = federation["XA"].register.erasures()
    assert (set(erasure.answered), erasure.missing) == ({"xa-regulator", "xb-regulator", "xc-regulator"}, ())
    assert federation["XA"].register.ledger.entry(entry.index).is_erased
    verified(federation)


def test_the_report_counts_what_the_logs_hold(federation):
    federation["XA"].steals(ALICES_PHONE)
    federation.rounds(2)
    rows = {row.member: row for row in federation["XB"].register.federation_report(at=clock.now())}
    assert (rows["xa-regulator"].reports, rows["xa-regulator"].credit) == (1, 1010)
    assert json.dumps([row.as_json() for row in rows.values()])
    assert {key.use for key in federation["XA"].register.own_member().keys} == set(KeyUse) - {KeyUse.NODE}
