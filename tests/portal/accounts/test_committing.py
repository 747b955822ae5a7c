"""The act log against the ledger: what was committed to cannot be made anew, whatever its database says."""

from datetime import timedelta

import pytest
from django.db import connection

from openceir.portal.accounts.acts import clockwork
from openceir.portal.accounts.committing import commit_acts, verify_committed
from openceir.portal.accounts.log import ChainBroken, _digest_of, note
from openceir.portal.accounts.models import Act, ActChain, CommittedHead
from openceir.portal.accounts.roles import PortalRole
from openceir.portal.register import register
from openceir.statements import ActsCommitted


def acts(count):
    for number in range(count):
        note(clockwork("regulator"), "tests.act", subject=f"{number}")


def committed():
    return [one.said for one in register().ledger.entries() if isinstance(one.said, ActsCommitted)]


def make_anew(reason):
    """What the owner of the database can do: every entry another one, a whole chain again."""
    with connection.cursor() as cursor:
        for trigger in ("act_stays_as_written", "act_stays") if connection.vendor == "sqlite" else ("act_stays",):
            cursor.execute(f"DROP TRIGGER {trigger}" + ("" if connection.vendor == "sqlite" else " ON accounts_act"))
    previous = "0" * 64
    for act in Act.objects.order_by("number"):
        act.reason, act.previous = reason, previous
        act.digest = previous = _digest_of(act)
        act.save()
    ActChain.objects.update(digest=previous)


def test_once_a_day_the_ledger_is_told_how_far_the_log_goes(country, clock):
    commit_acts(clock.at)
    assert committed() == []  # nothing was ever done
    acts(3)
    for _ in range(3):
        commit_acts(clock.at)
    [said] = committed()
    assert (said.number, said.digest.hex()) == (3, Act.objects.get(number=3).digest)
    clock.at += timedelta(hours=25)
    commit_acts(clock.at)
    assert [one.number for one in committed()] == [3, 4]  # the first telling was an act too
    found = verify_committed()
    assert (found.count, found.committed) == (5, 4)


def test_a_log_made_anew_as_a_whole_does_not_fit_the_ledger(country, clock, client_of):
    acts(3)
    commit_acts(clock.at)
    make_anew("another reason")
    with pytest.raises(ChainBroken, match=r"Entry 3 .* made anew"):
        verify_committed()
    page = client_of("otto", PortalRole.AUDITOR).get("/auditor/acts/").content.decode()
    assert "made anew" in page


def test_taking_the_commitments_out_of_the_database_hides_nothing(country, clock):
    acts(3)
    commit_acts(clock.at)
    make_anew("another reason")
    CommittedHead.objects.all().delete()
    with pytest.raises(ChainBroken, match="Entry 3"):
        verify_committed()


def test_a_log_cut_short_does_not_fit_the_ledger(country, clock):
    acts(3)
    commit_acts(clock.at)
    make_anew("the same")
    Act.objects.filter(number__gt=2).delete()
    last = Act.objects.get(number=2)
    ActChain.objects.update(number=2, digest=last.digest)
    with pytest.raises(ChainBroken, match="ends at entry 2, and the ledger was told of 3"):
        verify_committed()


def test_the_auditor_reads_how_far_the_ledger_vouches(country, clock, client_of):
    otto = client_of("otto", PortalRole.AUDITOR)
    assert "was not told of it yet" in otto.get("/auditor/acts/").content.decode()
    commit_acts(clock.at)
    assert "Up to entry 1 it is the one" in otto.get("/auditor/acts/").content.decode()
