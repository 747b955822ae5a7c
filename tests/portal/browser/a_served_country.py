"""A country for the browser tests: its portal is made ready in a folder, with people, sessions and cases.

Run as a program (`python a_served_country.py HOME`), since the server that then opens the folder is a process of its
own. Prints JSON: the session cookie of each person, and what else tests must know.

Whoever builds a door adds a function to `TOLD` that makes what its pages show, and returns what its tests must know.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[2])]
home = Path(sys.argv[1])
os.environ["OPENCEIR_HOME"] = str(home)

from a_country import ALICE, ALICES_PHONE, BOB, BOBS_PHONE, MALLORY, SHARED, Storyland  # noqa: E402
from openceir import clock  # noqa: E402
from openceir.portal.prepare import prepare  # noqa: E402
from openceir.statements import DeviceSet, DeviceStolen, Role  # noqa: E402

land = Storyland(home)
# Who asks is what a proxy tells: so a test can come from a network of its own.
(home / "openceir.toml").write_text('[questions]\nproxy = "127.0.0.1"\n')
now = clock.now()
for office, role in (
    ("customs", Role.CUSTOMS), ("importer", Role.IMPORTER), ("maker", Role.MAKER), ("northtel", Role.OPERATOR),
):  # fmt: skip
    land.register.new_key(office, member=office, roles=[role], valid_from=now.replace(year=2026, month=1, day=1))
prepare(home)

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402

from openceir.portal.accounts.acts import Actor  # noqa: E402
from openceir.portal.accounts.models import Appointment, User  # noqa: E402
from openceir.portal.accounts.roles import PortalRole  # noqa: E402
from openceir.portal.citizens.holdings import hold  # noqa: E402
from openceir.portal.citizens.reports import open_report, prove, verify_report  # noqa: E402
from openceir.portal.register import let_go  # noqa: E402

OFFICERS = {
    "ann": (PortalRole.POLICE_OFFICER, "police"),
    "sam": (PortalRole.POLICE_SUPERVISOR, "police"),
    "cas": (PortalRole.CUSTOMS_OFFICER, "customs"),
    "iva": (PortalRole.IMPORTER, "importer"),
    "mak": (PortalRole.MAKER, "maker"),
    "ole": (PortalRole.OPERATOR, "northtel"),
    "mia": (PortalRole.MARKETPLACE, "marketplace"),
    "reg": (PortalRole.REGULATOR, "regulator"),
    "rob": (PortalRole.REGULATOR_SUPERVISOR, "regulator"),
    "aud": (PortalRole.AUDITOR, "auditor"),
    "adm": (PortalRole.ADMINISTRATOR, "regulator"),
}


def a_person(name: str) -> User:
    user, _ = User.objects.get_or_create(username=name, defaults={"full_name": name.title()})
    if name in OFFICERS:
        role, office = OFFICERS[name]
        Appointment.objects.get_or_create(
            user=user, role=role, office=office, defaults={"since": now - timedelta(days=1)}
        )
    return user


def a_session(user: User) -> str:
    """The cookie of somebody who signed in with a second factor just now."""
    from allauth.account.internal.flows import login as flow
    from allauth.mfa.models import Authenticator

    Authenticator.objects.get_or_create(user=user, type=Authenticator.Type.TOTP, defaults={"data": {}})
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "allauth.account.auth_backends.AuthenticationBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session[flow.AUTHENTICATION_METHODS_SESSION_KEY] = [{"method": "mfa", "type": "totp", "at": time.time()}]
    session[flow._AUTHENTICATION_METHODS_USER_SESSION_KEY] = str(user.pk)
    session.create()
    return str(session.session_key)


def actor(name: str) -> Actor:
    role, office = OFFICERS[name]
    return Actor(name=name, role=role, office=office, signs_with=office, user=a_person(name))


def citizens() -> dict[str, Any]:
    """Bob's phone is stolen; Alice holds hers, and has a report that waits for the police."""
    from portal.a_document import a_picture

    land.register.state(
        [DeviceStolen(devices=DeviceSet.of([BOBS_PHONE]), stolen_at=now - timedelta(days=3), case_number="N-7")],
        by="police",
        at=now,
    )
    land.register.ledger.hand_over()
    alice = a_person("alice")
    hold(alice, ALICES_PHONE, how="imported")
    case, secret = open_report(
        "00100100000019",
        is_theft=True,
        channel="web",
        language="en",
        person=alice,
        name="Alice",
        email="alice@example.org",
    )
    prove(case, a_picture())
    blocked, blocked_secret = open_report("00100100000027", is_theft=True, channel="web", language="en")
    prove(blocked, a_picture("box"))
    verify_report(actor("ann"), blocked)
    return {"report": [case.reference, secret], "blocked_report": [blocked.reference, blocked_secret]}


def officers() -> dict[str, Any]:
    """A consignment half scanned, a traveller, a seized phone, an appeal, a run of detection, a month of figures."""
    from django.core.files.uploadedfile import SimpleUploadedFile

    from openceir.portal.cases.models import Case
    from openceir.portal.citizens.appeals import file_appeal
    from openceir.portal.customs.consignments import open_consignment, scan
    from openceir.portal.police.seizures import seize
    from openceir.portal.regulator.findings import propose_adoption
    from openceir.portal.regulator.policy import draft_limit

    manifest = SimpleUploadedFile("m.csv", b"imei,model\n00100100000035,A1\n00100100000043,A2\n00100100000029,\n")
    consignment, _ = open_consignment(actor("cas"), manifest, number="D-1", importer="iva", port="Harbour")
    scan(actor("cas"), consignment, ["00100100000035", "00100100000050"])
    traveller, _ = Case.open(
        "import", devices=["00100100000068"], office="customs", name="Bob", details={"duty_reference": "T-9"}
    )
    seized = seize(actor("ann"), ["00100100000076"], grounds="found in a market", bearer="")
    appeal, _ = file_appeal(BOBS_PHONE, grounds="It is mine, and I have the invoice.", documents=[], language="en")
    month = f"{now - timedelta(days=40):%Y-%m}"
    day = f"{month}-15"
    for imei, who in (("00100100000084", ALICE), ("00100100000084", MALLORY), ("00100100000092", BOB)):
        land.sees("northtel", [(day, imei, who)], f"{now:%Y-%m-%d}")
    land.change_policy(SHARED.replace("period_days = 30", "period_days = 90"))
    land.register.make_reports(month, at=now)
    run = land.register.detect(at=now)
    land.register.ledger.hand_over()
    adoption = propose_adoption(actor("reg"), run, reason="looked at ten of them")
    draft = draft_limit(
        actor("reg"), path="status.dispute_restores_after_hours", value="48", since=now.date(),
        source="Rules 2027, rule 9", reason="quicker",
    )  # fmt: skip
    return {
        "consignment": consignment.pk, "traveller": traveller.pk, "seizure": seized.pk, "appeal": appeal.pk,
        "month": month, "run": run.number, "adoption": adoption.pk, "draft": draft.pk,
        "case": Case.objects.get(kind="theft", state="received").pk,
    }  # fmt: skip


def trade() -> dict[str, Any]:
    """A verified company and one that waits, a type that is asked about and one approved, stock, a fee, a question."""
    from django.core.files.uploadedfile import SimpleUploadedFile

    from openceir.portal.trade.approvals import apply, approve
    from openceir.portal.trade.fees import charge, mark_paid
    from openceir.portal.trade.flows import STEPS
    from openceir.portal.trade.keys import make_key
    from openceir.portal.trade.papers import NewPaper
    from openceir.portal.trade.questions import ask
    from openceir.portal.trade.standing import apply_for_standing, verify
    from openceir.portal.trade.stock import declare_stock
    from portal.a_document import a_picture

    fees = 'type_approval = { from."2026-01-01" = 250, unit = "XTS", source = "Fees Order 2026, item 1" }'
    (home / "policy" / "40-fees.toml").write_text(f"[trade.fees]\n{fees}\n")
    let_go()  # the portal opens the register again, with the fees
    company = {"legal_name": "Example Imports", "registration_number": "HR-1", "registry": "Court", "address": "1 Quay"}
    verified = apply_for_standing(actor("iva"), company, a_picture("extract"), None)
    verify(actor("reg"), verified, reasons="The extract is in order.", seen_version=verified.version)
    waiting = apply_for_standing(actor("mak"), {**company, "legal_name": "Example Makers"}, a_picture("extract"), None)
    told = {"brand": "Example", "model": "A1", "sims": 2}

    def certificate(what: str) -> NewPaper:
        return NewPaper(
            kind="certificate", number="C-1", issuer="Body 1", issued_on=now.date(), standard="EN 301 511",
            document=a_picture(what),
        )  # fmt: skip

    asked = apply(actor("iva"), {**told, "tac": "00100155"}, [certificate("one")])
    asked.move("ask", actor="regulator", text="Which bands does it have?")
    approved = apply(actor("iva"), {**told, "tac": "00100166"}, [certificate("two")])
    steps = [name for name, _ in STEPS]
    mark_paid(actor("reg"), approved.fee, receipt="B-1")
    approve(actor("reg"), approved, steps=steps, reasons="All is in order.", seen_version=approved.version)
    stock = SimpleUploadedFile("s.csv", b"imei\n00100166000001\n00100166000002\n")
    batch, _ = declare_stock(actor("iva"), stock, consignment="S-1", key=make_key(actor("iva")))
    question = ask(actor("ann"), ["00100166000001"], company="importer", question="Two phones show this number: yours?")
    return {
        "type": asked.pk, "batch": batch.pk, "company": waiting.pk, "question": question.pk,
        "owed": charge("importer", "type_approval").pk,
    }  # fmt: skip


def operators() -> dict[str, Any]:
    """A dump half sent, and lists of which one is behind."""
    from openceir.portal.operators.dumps import begin
    from openceir.storage.list_runs import Acknowledgement

    dump = begin(actor("ole"), name="northtel_20261001_20261031.csv.gz", size_octets=1_000_000)
    land.register.make_lists(on=now.date(), at=now)
    runs = land.register.list_runs
    newest = runs.newest("northtel", "blocklist")
    assert newest is not None
    runs.acknowledge(
        [Acknowledgement("northtel", "blocklist", newest.sequence, newest.sha256, f"{now:%Y-%m-%dT%H:%M:%SZ}")]
    )
    land.register.make_lists(on=now.date(), at=now)
    land.register.ledger.hand_over()
    return {"dump": dump.pk}


TOLD: tuple[Callable[[], dict[str, Any]], ...] = (citizens, officers, trade, operators)

known: dict[str, Any] = {}
for tell in TOLD:
    known |= tell()
cookies = {name: a_session(a_person(name)) for name in ("alice", "bob", *OFFICERS)}
print(json.dumps({"cookies": cookies, **known}))
