"""`openceir federation demo`: three countries, one theft, one log that lies, told as it happens. Every line was just checked."""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from openceir import clock
from openceir.abroad.certificates import Certificates
from openceir.abroad.country import Country, founded_by, wait_until
from openceir.abroad.theft import Theft, follow_theft
from openceir.app import open_register
from openceir.eir.attributes import Status
from openceir.federation import FederationError, log_keys, witness_keys
from openceir.ledger import LogPolicy, ProofRefused
from openceir.statements import Approved, DeviceSet, DeviceStolen, MembershipProposed

__all__ = ["run_demo"]

ALICES_PHONE, BOBS_PHONE, MALLORYS_PHONE = "00100100000001", "00100100000019", "00100100000027"
_NAMES = {"XA": "Aland (made up)", "XB": "Beland (made up)", "XC": "Celand (made up)"}


def run_demo(keep: Path | None, *, as_json: bool, say: Callable[[str], None]) -> None:
    """Run the three countries and tell what happens. Raises: FederationError when anything does not happen as told."""
    began = time.monotonic()
    tell = (lambda text: None) if as_json else say
    with _folder(keep) as folder, ExitStack() as closing:
        certificates = Certificates(folder / "certificates", clock.now())
        countries = {code: Country(folder, code, name, certificates) for code, name in _NAMES.items()}
        for country in countries.values():
            closing.callback(country.close)
        for country in countries.values():
            closing.callback(country.begin_to_stop)  # all are told before the first is waited for
        facts: dict[str, Any] = {}
        _found(countries, tell)
        rewritten = folder / "xa-rewritten"
        shutil.copytree(countries["XA"].home, rewritten)  # as the log was before the theft
        facts["theft"] = _theft(countries, tell)
        facts["fork"] = _fork(countries, rewritten, folder, tell)
        facts["without_it"] = _goes_on(countries, tell)
        facts["took_s"] = round(time.monotonic() - began, 1)
        tell("")
        tell(f"All of this took {facts['took_s']} seconds." + (f" The homes are in {folder}." if keep else ""))
        if as_json:
            say(json.dumps(facts, indent=2))


def _found(countries: dict[str, Country], tell: Callable[[str], None]) -> None:
    tell("1. Three countries agree to share one history")
    tell("")
    founding = founded_by(countries, "northern", quorum=2)
    for country in countries.values():
        tell(f"   {country.code}  {country.name}: its own register, its own log, police, one operator with an EIR")
    tell(
        f"   Two of the three decide who belongs to it. Founded by {founding.header.issuer}; nobody has to believe anybody."
    )
    for country in countries.values():
        country.open_door()
        country.serve_its_networks()
        country.follow()
    wait_until(
        lambda: all(country.network_says(ALICES_PHONE) is Status.UNKNOWN for country in countries.values()),
        "the countries to be up", countries=countries,
    )  # fmt: skip
    tell("   Everything runs as processes of its own, over TLS with certificates on both sides.")
    tell(f"   Each network asks its EIR about Alice's phone {ALICES_PHONE}: nothing is known of it anywhere.")


def _theft(countries: dict[str, Country], tell: Callable[[str], None]) -> dict[str, Any]:
    tell("")
    tell("2. Alice's phone is stolen in XA, and her police say so")
    tell("")
    theft = follow_theft(countries, "XA", ALICES_PHONE)
    for line in _times_of(theft, countries):
        tell(f"   {line}")
    xa = countries["XA"]
    wait_until(lambda: _is_cosigned(countries), "the others to cosign", countries=countries)
    tell("   XB and XC have cosigned the log in which it stands; with that, a receipt needs nobody's word.")
    for code in ("XB", "XC"):
        countries[code].operator_acknowledges()
    wait_until(
        lambda: all(row.applied for row in xa.register.federation_report(at=clock.now()) if row.member != xa.regulator),
        "the acknowledgements to arrive", countries=countries,
    )  # fmt: skip
    tell("   What each did for the others, counted from the logs alone (openceir federation report):")
    for row in xa.register.federation_report(at=clock.now()):
        tell(f"     {row}")
    return {
        "logged_s": round(theft.logged_s, 3),
        "received_s": {code: round(s, 2) for code, s in theft.received_s.items()},
        "listed_s": {code: round(s, 2) for code, s in theft.listed_s.items()},
        "blocked_s": {code: round(s, 2) for code, s in theft.blocked_s.items()},
    }


def _times_of(theft: Theft, countries: dict[str, Country]) -> Iterator[str]:
    yield f"signed and in the log of XA                    after {theft.logged_s:6.2f} s"
    for code in countries:
        if code in theft.received_s:
            yield f"received and verified by {code}                    after {theft.received_s[code]:6.2f} s"
        yield f"on the signed list of {code}'s operator             after {theft.listed_s[code]:6.2f} s"
        yield f"{code}'s network asks its EIR and is told: BLOCKED after {theft.blocked_s[code]:6.2f} s"


def _is_cosigned(countries: dict[str, Country]) -> bool:
    register = countries["XA"].register
    governance = register.federation()
    logs = [key for member in governance.voters() for key in log_keys(member)]
    register.ledger.refresh()
    try:
        LogPolicy.of(logs, witness_keys(governance), 2).verify(register.published())
    except ProofRefused:
        return False
    return True


def _fork(countries: dict[str, Country], rewritten: Path, folder: Path, tell: Callable[[str], None]) -> dict[str, Any]:
    tell("")
    tell("3. Mallory, who runs the machines of XA, rewrites its log: the theft was never there")
    tell("")
    xa = countries["XA"]
    began = time.monotonic()
    liar = open_register(rewritten)
    at = clock.now()
    for phone in (MALLORYS_PHONE, BOBS_PHONE):
        said = DeviceStolen(devices=DeviceSet.of(phone), stolen_at=at - timedelta(hours=3), case_number="N-8")
        liar.state([said], by=xa.police, at=at)
    liar.ledger.close()
    xa.stop("follow", "door")
    xa.open_door(rewritten)
    tell(
        "   The new log is signed with the right key, and every statement in it with a right key. It is only another one."
    )
    seen: dict[str, float] = {}

    def caught() -> bool:
        for code in ("XB", "XC"):
            if code not in seen and countries[code].register.federation_shelf.forks():
                seen[code] = time.monotonic() - began
        return len(seen) == 2

    wait_until(caught, "the fork to be caught", countries=countries)
    for code, took_s in sorted(seen.items(), key=lambda item: item[1]):
        tell(f"   {code} has the proof after {took_s:.2f} s, and follows XA no more.")
    [proof] = countries["XC"].register.federation_shelf.forks()
    shutil.copyfile(proof, folder / "xa.fork")
    command = [
        sys.executable, "-m", "openceir", "federation", "verify-fork", str(folder / "xa.fork"),
        "--log-key", xa.register.ledger.log_key.format(),
    ]  # fmt: skip
    checked = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    if checked.returncode:
        raise FederationError(f"the proof did not verify: {checked.stderr}")
    tell("   The proof is a file. A stranger checks it with nothing but the log's public key:")
    tell("")
    tell("     $ openceir federation verify-fork xa.fork --log-key openceir/…")
    for line in checked.stdout.splitlines():
        tell(f"     {line}")
    return {"caught_s": {code: round(took_s, 2) for code, took_s in seen.items()}, "proof_octets": proof.stat().st_size}


def _goes_on(countries: dict[str, Country], tell: Callable[[str], None]) -> dict[str, Any]:
    tell("")
    tell("4. The others go on without it")
    tell("")
    xb, xc, at = countries["XB"], countries["XC"], clock.now()
    began = time.monotonic()
    entry = xb.steals(BOBS_PHONE)
    wait_until(lambda: xc.has_received(entry.leaf_hash), "XC to receive it", countries=countries)
    tell(f"   Bob's phone is stolen in XB: XC has received that after {time.monotonic() - began:.2f} s.")
    for code in ("XB", "XC"):
        if countries[code].network_says(ALICES_PHONE) is not Status.BLOCKED:
            raise FederationError(f"Alice's phone is not blocked in {code} any more")
    tell("   Alice's phone stays blocked in XB and XC: what was proved to be in XA's log cannot be taken back.")
    said = MembershipProposed(
        action="remove",
        member=countries["XA"].regulator,
        until=at + timedelta(days=7),
        grounds="its log showed two histories",
    )
    [proposal] = xb.register.state([said], by=xb.regulator, at=at)
    wait_until(
        lambda: xc.register.federation_shelf.find(proposal.leaf_hash) is not None, "XC to see it", countries=countries
    )
    xc.register.state([Approved(target=proposal.leaf_hash)], by=xc.regulator, at=clock.now())

    def is_out() -> bool:
        return all(len(country.register.federation().voters()) == 2 for country in (xb, xc))

    wait_until(is_out, "XB and XC to agree", countries=countries)
    tell("   XB proposes to remove XA, XC agrees: two of three, and both now hold the same members.")
    for country in (xb, xc):
        country.register.verify_ledger()
    tell("   Both logs verify from the first entry on.")
    return {"second_theft_received_s": round(time.monotonic() - began, 2)}


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        if keep.exists() and any(keep.iterdir()):
            raise FederationError(f"{keep} is not empty; name a new folder for the demo to keep")
        keep.mkdir(parents=True, exist_ok=True)
        yield keep
        return
    with tempfile.TemporaryDirectory(prefix="openceir-federation-") as folder:
        yield Path(folder)
