"""People, cases and history for the demo's portal, so that every door has something behind it.

Run by `openceir demo --serve` as a process of its own (`python -m openceir.portal.demonstration HOME`), since the server
that then opens the folder loads Django for itself. Prints the accounts as JSON. All share one password and one secret
of two-factor codes, made anew for each demo and kept beside it; nothing of this exists in a register that is not one.
"""

import base64
import csv
import hmac
import io
import json
import secrets
import struct
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from openceir import clock
from openceir.app import Register, open_register
from openceir.errors import OpenceirError
from openceir.portal.prepare import prepare
from openceir.statements import Role
from openceir.storage.files import replace_file

__all__ = ["NotADemo", "accounts_of", "code_now", "fill"]

MARKER = "made-by-openceir-demo.txt"
_ACCOUNTS = "accounts.json"
# name, role of the portal (empty: a citizen), office, what to look at first
PEOPLE = (
    ("alice", "", "", "/mine/"),
    ("bob", "", "", "/mine/"),
    ("ann", "police-officer", "police", "/police/"),
    ("sam", "police-supervisor", "police", "/police/"),
    ("cas", "customs-officer", "customs", "/customs/consignments/"),
    ("iva", "importer", "importer", "/trade/stock/"),
    ("mak", "maker", "maker", "/trade/types/"),
    ("ole", "operator", "northtel", "/operators/lists/"),
    ("reg", "regulator", "regulator", "/regulator/figures/"),
    ("rob", "regulator-supervisor", "regulator", "/regulator/figures/"),
    ("aud", "auditor", "auditor", "/auditor/acts/"),
    ("adm", "administrator", "regulator", "/account/people/"),
)
# Made up, like the country: where its people say that a phone was taken.
_AREAS = "".join(
    f'[areas.{name.lower()}]\nname = "{name}"\npopulation = {people}\nrow = {row}\ncolumn = {column}\n\n'
    for name, people, row, column in (
        ("Harbour", 240_000, 1, 1), ("Hill", 80_000, 1, 2), ("Market", 160_000, 2, 1), ("Valley", 120_000, 2, 2),
    )
)  # fmt: skip
_PNG = b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"


class NotADemo(OpenceirError):
    """Accounts with a printed password go into a demo's home and nowhere else."""

    code = "not-a-demo"


def fill(home: Path) -> dict[str, Any]:
    """Make the accounts and cases of the demo in `home`, once; gives what `accounts_of` reads.

    Raises: NotADemo for any other home.
    """
    if not (home.parent / MARKER).exists():
        raise NotADemo(
            f"{home} is no demo's: `openceir demo --serve` makes accounts with a printed password, so it stops"
        )
    kept = home.parent / _ACCOUNTS
    if kept.exists():
        return accounts_of(home.parent)
    phones = _phones(home.parent)
    (home / "policy" / "60-areas.toml").write_text(_AREAS, encoding="utf-8")
    with_keys = open_register(home)
    _add_offices(with_keys)
    with_keys.ledger.close()
    with_keys.database.close()
    prepare(home)
    told: dict[str, Any] = {
        "password": secrets.token_urlsafe(9),
        "totp_secret": base64.b32encode(secrets.token_bytes(20)).decode(),
    }
    _make_people(told["password"], told["totp_secret"])
    _make_cases(phones)
    _count_months()
    told |= {"accounts": [{"name": name, "role": role or "citizen", "first": first} for name, role, _, first in PEOPLE]}
    replace_file(kept, json.dumps(told, indent=1).encode(), 0o600)
    return told


def accounts_of(folder: Path) -> dict[str, Any]:
    """The accounts of the demo in `folder`. Raises: NotADemo when nothing was served there yet."""
    try:
        told: dict[str, Any] = json.loads((folder / _ACCOUNTS).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotADemo(f"{folder} has no accounts; `openceir demo --serve` makes them") from None
    return told


def code_now(told: dict[str, Any]) -> str:
    """The six digits that an authenticator app would show at this moment.

    Source: RFC 6238 §4 with HMAC-SHA-1 and 30 s; truncation: RFC 4226 §5.3.
    """
    counter = int(clock.now().timestamp()) // 30
    key = base64.b32decode(told["totp_secret"])
    digest = hmac.digest(key, struct.pack(">Q", counter), "sha1")
    at = digest[-1] & 0x0F
    return f"{(struct.unpack_from('>I', digest, at)[0] & 0x7FFFFFFF) % 1_000_000:06}"


def _phones(folder: Path) -> dict[str, str]:
    """One handset of each story that a case needs, by what the truth beside the demo says."""
    found: dict[str, str] = {}
    with (folder / "files" / "truth.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            imei = row["imei"][:14]
            if len(imei) == 14 and imei.isascii() and imei.isdigit():
                number = sum(name.startswith(row["story"]) for name in found)
                if number < 6:
                    found[f"{row['story']} {number}"] = imei
    return found


def _add_offices(register: Register) -> None:
    """Importers, makers and an operator have keys too; police, customs and regulator have theirs."""
    since = clock.now() - timedelta(days=400)
    for office, role in (("importer", Role.IMPORTER), ("maker", Role.MAKER), ("northtel", Role.OPERATOR)):
        if register.members.find(office) is None:
            register.new_key(office, member=office, roles=[role], valid_from=since)


def _make_people(password: str, secret: str) -> None:
    from allauth.mfa.models import Authenticator
    from allauth.mfa.utils import encrypt

    from openceir.portal.accounts.models import Appointment, User

    for name, role, office, _ in PEOPLE:
        user = User(username=name, full_name=name.title(), email=f"{name}@demo.example")
        user.set_password(password)
        user.save()
        if role:
            since = clock.now() - timedelta(days=1)
            Appointment.objects.create(user=user, role=role, office=office, since=since, appointed_by="adm")
            data = {"secret": encrypt(secret)}
            Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data=data)


def _make_cases(phones: dict[str, str]) -> None:
    """A report that waits, one that blocks, one that only watches, an import, a seizure's worth of history, an appeal."""
    from openceir.portal.accounts.acts import Actor
    from openceir.portal.accounts.models import User
    from openceir.portal.cases.models import Case
    from openceir.portal.citizens.appeals import file_appeal
    from openceir.portal.citizens.holdings import hold
    from openceir.portal.citizens.imports import accept_import
    from openceir.portal.citizens.reports import confirm_recovery, open_report, prove, verify_report
    from openceir.portal.register import let_go

    people = {user.username: user for user in User.objects.all()}
    ann = Actor(name="ann", role="police-officer", office="police", signs_with="police", user=people["ann"])
    cas = Actor(name="cas", role="customs-officer", office="customs", signs_with="customs", user=people["cas"])
    own = [phones[f"ordinary {number}"] for number in range(6)]
    hold(people["alice"], own[0], how="imported")
    hold(people["bob"], own[1], how="imported")
    open_report(
        own[0], is_theft=True, channel="web", area="harbour", language="en", person=people["alice"], name="Alice"
    )
    blocked, _ = open_report(
        own[2], is_theft=True, channel="web", area="market", language="en", person=people["bob"], name="Bob"
    )
    watched, _ = open_report(
        own[3], is_theft=True, channel="web", area="market", language="en", mode="watch", person=people["bob"]
    )
    back, _ = open_report(own[4], is_theft=False, channel="web", area="hill", language="en", person=people["alice"])
    for number, case in enumerate((blocked, watched, back)):
        prove(case, _picture(f"invoice {number}"))
        verify_report(ann, case, text="compared with the bill")
    confirm_recovery(ann, back, text="handed in at the station")
    for device, is_accepted in ((phones["unregistered import 0"], False), (phones["unregistered import 1"], True)):
        details = {"duty_reference": "D-2026-7"}
        case, _ = Case.open("import", devices=[device], person=people["bob"], office="customs", details=details)
        if is_accepted:
            accept_import(cas, case)
    file_appeal(
        own[2],
        grounds="I bought this phone with a bill, in a shop.",
        documents=[_picture("bill of the shop")],
        language="en",
        person=people["bob"],
        name="Bob",
    )
    let_go()


def _count_months() -> None:
    """The month of the demo's files and this one, so that the regulator's pages have something to show at once."""
    from openceir.portal.register import let_go, register
    from openceir.portal.regulator.desk_figures import make_desk_figures

    now = clock.now()
    judged_on = register().detection_runs.runs(1)[0].as_of_on
    for month in sorted({f"{judged_on:%Y-%m}", f"{now:%Y-%m}"}):
        register().make_reports(month, at=now)
        make_desk_figures(month)
    let_go()


class _Picture(io.BytesIO):
    name: str | None
    size: int | None


def _picture(what: str) -> _Picture:
    octets = _PNG[0] + what.encode() + _PNG[1]
    sent = _Picture(octets)
    sent.name, sent.size = f"{what}.png", len(octets)
    return sent


if __name__ == "__main__":
    try:
        json.dump(fill(Path(sys.argv[1])), sys.stdout)
    except OpenceirError as wrong:
        sys.exit(f"{wrong} [{wrong.code}]")
