"""How an officer's act becomes a statement, and what stands on record of it."""

from datetime import UTC, datetime

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import RequestFactory

from a_country import ALICES_PHONE
from openceir.ledger import BookMoved
from openceir.portal.accounts.acts import Actor, actor_of, state
from openceir.portal.accounts.approvals import approvable, decide, propose
from openceir.portal.accounts.errors import NotAllowed, PortalError, QuotaExceeded, SecondFactorNeeded
from openceir.portal.accounts.log import ChainBroken, note, verify_acts
from openceir.portal.accounts.models import Act, Alarm, User
from openceir.portal.accounts.roles import GRANTS, PortalRole, grant, may
from openceir.portal.register import register
from openceir.statements import DeviceSet, DeviceStolen

ACT = (GRANTS and "tests.act") or ""
if "tests.act" not in GRANTS:
    grant("tests.act", PortalRole.POLICE_OFFICER)
    grant("tests.approve", PortalRole.POLICE_SUPERVISOR, PortalRole.POLICE_OFFICER)


def theft(imei: str = ALICES_PHONE) -> DeviceStolen:
    return DeviceStolen(devices=DeviceSet.of([imei]), stolen_at=datetime(2027, 2, 28, tzinfo=UTC), case_number="N-7")


def actor(user, role=PortalRole.POLICE_OFFICER) -> Actor:
    return Actor(name=user.username, role=role, office="police", signs_with="police", user=user)


def test_an_act_blocks_the_device_and_stands_in_the_act_log_with_its_leaf(country, people):
    ann = actor(people("ann", PortalRole.POLICE_OFFICER))
    [entry] = state(ann, [theft()], verb="police.verify-theft", subject="K7Q4", reason="seen the papers")
    assert country.status(ALICES_PHONE, "2027-03-02") == "blocked"
    act = Act.objects.get(verb="police.verify-theft")
    assert (act.actor, act.office, act.subject, act.statements) == ("ann", "police", "K7Q4", [entry.leaf_hash.hex()])
    assert verify_acts() == (act.number, act.digest)


def test_what_the_register_refuses_leaves_no_act(country, people):
    ann = actor(people("ann", PortalRole.POLICE_OFFICER))
    later = DeviceStolen(
        devices=DeviceSet.of([ALICES_PHONE]), stolen_at=datetime(2030, 1, 1, tzinfo=UTC), case_number="N"
    )
    with pytest.raises(Exception, match="after the signature"):
        state(ann, [later], verb="police.verify-theft")
    assert not Act.objects.exists()


def test_in_a_consortium_an_act_is_refused_with_what_to_do_and_leaves_nothing(country, people):
    ann, home = actor(people("ann", PortalRole.POLICE_OFFICER)), register().home / "consortium"
    home.mkdir()
    (home / "home.json").write_text('{"chain_id": "shared-1", "node": "127.0.0.1:26657", "member": "xa"}')
    with pytest.raises(
        BookMoved, match=r"not done: the book goes on in shared-1.*openceir statement submit"
    ) as refused:
        state(ann, [theft()], verb="police.verify-theft")
    assert refused.value.http_status == 409
    assert not Act.objects.exists()
    assert country.status(ALICES_PHONE, "2027-03-02") != "blocked"


def test_an_entry_of_the_act_log_is_neither_changed_nor_removed(country, people):
    ann = actor(people("ann"))
    note(ann, "police.read", reason="because")
    for change in (lambda: Act.objects.update(reason="another"), lambda: Act.objects.all().delete()):
        with pytest.raises(DatabaseError, match="never"), transaction.atomic():
            change()


def test_a_row_altered_behind_the_databases_back_shows(country, people):
    ann = actor(people("ann"))
    for n in range(3):
        note(ann, "police.read", reason=str(n))
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER act_stays_as_written")
            cursor.execute("UPDATE accounts_act SET reason = 'x' WHERE number = 2")
        with pytest.raises(ChainBroken, match="Entry 2"):
            verify_acts()


def test_past_the_quota_an_act_is_refused_and_the_supervisors_hear_of_it_before(country, people):
    country.change_policy("[portal.quotas]\ndefault = 5\n")
    ann = actor(people("ann", PortalRole.POLICE_OFFICER))
    for n in range(5):
        state(ann, [theft(f"0010010000000{n}")], verb="police.verify-theft")
    assert [alarm.kind for alarm in Alarm.objects.all()] == ["quota-nearly-used"]
    with pytest.raises(QuotaExceeded, match="5 of 5"):
        state(ann, [theft()], verb="police.verify-theft")


def test_a_role_of_another_office_opens_nothing(country, people):
    assert may(people("ann", PortalRole.POLICE_OFFICER), "tests.act")
    assert not may(people("cas", PortalRole.CUSTOMS_OFFICER), "tests.act")
    assert not may(people("alice"), "tests.act")


def test_what_needs_two_persons_is_done_once_and_only_by_the_second(country, people):
    done = []
    act = approvable("tests.two", approve="tests.approve", carry_out=lambda who, proposal: done.append(who.name))
    ann = actor(people("ann", PortalRole.POLICE_OFFICER))
    sup = actor(people("sam", PortalRole.POLICE_SUPERVISOR), PortalRole.POLICE_SUPERVISOR)
    waiting = propose(ann, act, payload={}, summary="two phones", reason="a raid")
    with pytest.raises(NotAllowed, match="second person"):
        decide(ann, waiting, approve=True, because="yes")
    decide(sup, waiting, approve=True, because="seen")
    with pytest.raises(PortalError, match="in the meantime"):
        decide(sup, waiting, approve=True, because="again")
    assert done == ["sam"]
    assert [one.verb for one in Act.objects.all()] == ["tests.two:propose", "tests.two:approve"]


def test_an_act_needs_a_second_factor_shown_lately(country, client_of):
    for ago, allowed in ((1, True), (3600, False), (None, False)):
        client = client_of("ann", PortalRole.POLICE_OFFICER, second_factor_s_ago=ago)
        request = RequestFactory().post("/")
        request.user, request.session = User.objects.get(username="ann"), client.session
        if allowed:
            assert actor_of(request, "tests.act").signs_with == "police"
        else:
            with pytest.raises(SecondFactorNeeded):
                actor_of(request, "tests.act")
