"""Stock: declared and sealed, accepted by the regulator, activated by its sale.

What is checked at the declaration is checked in memory: each number's form, that its TAC is approved for the company,
that it stands in the stock once, that nothing is on record about it and that no network saw it. Then it is sealed
(`sealing`) and forgotten. At the sale the seller presents the company's key and the device's number; the device is
found, opened, checked against the register and the networks' sightings as they are then, declared in the company's name
and registered in the regulator's, with all its identifiers.
"""

from collections import Counter
from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from openceir.portal import moment
from openceir.portal.accounts.acts import Actor, clockwork, state
from openceir.portal.accounts.errors import NotAllowed, PortalError
from openceir.portal.accounts.log import note
from openceir.portal.accounts.roles import PortalRole
from openceir.portal.citizens.numbers import canonical_imei
from openceir.portal.site.tables import Row, Upload, read_table
from openceir.portal.trade.approvals import approved_tacs
from openceir.portal.trade.fees import charge, need_paid, need_quota
from openceir.portal.trade.keys import company_of, needs_own
from openceir.portal.trade.models import Batch, Fee, Unit
from openceir.portal.trade.records import on_record, raise_in_use, seen_already, speaks_against
from openceir.portal.trade.sealing import SealingKey
from openceir.portal.trade.standing import need_standing
from openceir.statements import DeviceBound, DeviceRegistered, DeviceSet, StockDeclared

__all__ = ["check_stock", "decide_batch", "declare_stock", "find_unit", "sell"]

_AT_ONCE = 400  # finders in one query
Declared = tuple[list[str], dict[str, str]]  # the IMEIs of one device, and all that is told of it


def declare_stock(
    actor: Actor, upload: Upload, *, consignment: str, key: SealingKey
) -> tuple[Batch, list[tuple[int, str]]]:
    """A batch of a table's rows (imei; imei2, serial and model if there are), and the rows that were refused.

    Raises: TableRefused; StockKeyRefused; StandingNeeded; QuotaFull; PortalError when it was declared before or no row
    can be taken.
    """
    assert actor.user is not None
    needs_own(actor, key)
    need_standing(actor.office)
    rows = read_table(upload, needs=("imei",), may_have=("imei2", "serial", "model"))
    with transaction.atomic():
        if Batch.objects.filter(office=actor.office, consignment=consignment).exists():
            raise PortalError(_("This consignment was declared already."))
        devices, refused, in_use = _devices(rows, approved_tacs(actor.office), key, actor.office)
        if not devices:
            first = f" {refused[0][0]}: {refused[0][1]}" if refused else ""
            raise PortalError(_("No row could be taken.") + first)
        need_quota(actor.office, len(devices))
        batch = Batch.objects.create(
            office=actor.office, consignment=consignment, declared=len(devices), opened_by=actor.user,
            per_tac=dict(Counter(imeis[0][:8] for imeis, _told in devices)),
        )  # fmt: skip
        Unit.objects.bulk_create(
            (
                Unit(
                    batch=batch, office=actor.office, finder=key.finder(imeis[0]),
                    second_finder=key.finder(imeis[1]) if len(imeis) > 1 else None, sealed=key.seal(told),
                )
                for imeis, told in devices
            ),
            batch_size=2000,
        )  # fmt: skip
        charge(actor.office, Fee.Item.DEVICE, quantity=len(devices), batch=batch)
        if in_use:
            raise_in_use(actor, batch=batch, when="declaration", count=in_use)
        note(actor, "trade.declare-stock", subject=f"stock-{batch.pk}", count=len(devices))
    return batch, refused


def decide_batch(actor: Actor, batch: Batch, *, accept: bool, reasons: str) -> None:
    """Let a batch be sold, or not.

    Raises: PortalError when it was decided, or is refused without reasons; FeeRefused and StandingNeeded, when it is to
    be accepted.
    """
    with transaction.atomic():
        kept = Batch.objects.select_for_update().get(pk=batch.pk)
        if kept.state != Batch.State.WAITING:
            raise PortalError(_("Somebody decided this already."))
        if not accept and len(reasons.strip()) < 10:
            raise PortalError(_("Write your reasons: the company reads them."))
        if accept:
            need_standing(kept.office)
            need_paid(batch=kept)
        kept.state = Batch.State.ACCEPTED if accept else Batch.State.REFUSED
        kept.reasons, kept.decided_at = reasons, moment.now()
        kept.save()
        verb = "trade.accept-stock" if accept else "trade.refuse-stock"
        note(actor, verb, subject=f"stock-{kept.pk}", reason=reasons, count=kept.declared)


def sell(actor: Actor, numbers: Iterable[str], key: SealingKey) -> tuple[int, list[str]]:
    """Activate what is sold: how many devices, and sentences about those that were not.

    Raises: StockKeyRefused; NotAllowed for another company's stock, unless a dealer sells; StandingNeeded; what the
    register raises.
    """
    office = company_of(key)
    if office != actor.office and actor.role != PortalRole.DEALER:
        raise NotAllowed(_("That is not your company's stock key."))
    need_standing(office)
    if office != actor.office:
        need_standing(actor.office)
    found: dict[int, tuple[Unit, list[str]]] = {}
    wrong: list[str] = []
    with transaction.atomic():
        for text in numbers:
            try:
                unit, imeis = _to_sell(office, canonical_imei(text), key)
                found[unit.pk] = unit, imeis
            except ValidationError as no_imei:
                wrong += no_imei.messages
            except PortalError as refused:
                wrong.append(f"{text}: {refused}")
        against = speaks_against([imei for _unit, imeis in found.values() for imei in imeis])
        sold: list[list[str]] = []
        for unit, imeis in found.values():
            used = next((against[imei] for imei in imeis if imei in against), None)
            if used:
                raise_in_use(actor, batch=unit.batch, when="sale", count=1)
                wrong.append(f"{imeis[0]}: {used}")
                continue
            unit.sold_at, unit.sold_tac = moment.now(), imeis[0][:8]
            unit.save(update_fields=["sold_at", "sold_tac"])
            sold.append(imeis)
        if sold:
            devices = DeviceSet.of([imei for imeis in sold for imei in imeis])
            note(actor, "trade.sell", subject=f"office-{office}", count=len(sold))
            declared = StockDeclared(devices=devices, consignment="sold", declared_on=moment.today())
            state(clockwork(office), [declared], verb="trade.declare-sold", count=len(sold))
            registered = DeviceRegistered(devices=devices, registered_on=moment.today())
            bound = [DeviceBound(identifiers=DeviceSet.of(imeis)) for imeis in sold if len(imeis) > 1]
            state(clockwork("regulator"), [registered, *bound], verb="trade.register-sold", count=len(sold))
    return len(sold), wrong


def check_stock(actor: Actor, key: SealingKey) -> dict[str, str]:
    """Of the company's unsold devices, those that no new device can be, and why; the regulator is told how many.

    Nobody but the company can ask this: only its key opens the numbers. Raises: StockKeyRefused.
    """
    needs_own(actor, key)
    against: dict[str, str] = {}
    with transaction.atomic():
        for batch in Batch.objects.filter(office=actor.office):
            opened = [key.open(bytes(one.sealed)) for one in batch.units.filter(sold_at=None, lost_at=None)]
            used = speaks_against([told[name] for told in opened for name in ("imei", "imei2") if told.get(name)])
            if used:
                raise_in_use(actor, batch=batch, when="check", count=len(used))
                against |= used
        note(actor, "trade.check-stock", count=max(len(against), 1))
    return against


def find_unit(office: str, imei: str, key: SealingKey) -> tuple[Unit, dict[str, str]] | None:
    """The device of a company's stock that has this number, and what was told of it; None when it has none such."""
    finder = key.finder(imei)
    unit = Unit.objects.filter(Q(finder=finder) | Q(second_finder=finder), office=office).first()
    return None if unit is None else (unit, key.open(bytes(unit.sealed)))


def _to_sell(office: str, imei: str, key: SealingKey) -> tuple[Unit, list[str]]:
    """A device that may be sold as far as the stock knows, and its identifiers. Raises: PortalError."""
    found = find_unit(office, imei, key)
    if found is None:
        raise PortalError(_("it is not in the stock of this key"))
    unit, told = found
    unit = Unit.objects.select_for_update().get(pk=unit.pk)  # two who sell it at once sell it once
    if unit.sold_at is not None:
        raise PortalError(_("it was sold already"))
    if unit.batch.state != Batch.State.ACCEPTED:
        raise PortalError(_("the regulator has not accepted its consignment"))
    return unit, [told[name] for name in ("imei", "imei2") if told.get(name)]


def _devices(
    rows: Iterable[Row], tacs: dict[str, bool], key: SealingKey, office: str
) -> tuple[list[Declared], list[tuple[int, str]], int]:
    """What can be declared; what is refused, by line; and how many of those networks saw already."""
    fine: list[tuple[int, Declared]] = []
    refused: list[tuple[int, str]] = []
    known: set[str] = set()
    for row in rows:
        try:
            imeis = [canonical_imei(row.cells[name]) for name in ("imei", "imei2") if row.cells.get(name)]
            why = _fault_of(imeis, tacs, known)
        except ValidationError as wrong:
            why = wrong.messages[0]
        if why:
            refused.append((row.line, why))
            continue
        known.update(imeis)
        told = {**row.cells, "imei": imeis[0], "imei2": imeis[1] if len(imeis) > 1 else ""}
        fine.append((row.line, (imeis, told)))
    numbers = sorted(known)
    seen = seen_already(numbers)
    used = {**seen, **_used(numbers, key, office)}
    devices, in_use = [], 0
    for line, device in fine:
        if found := next((used[imei] for imei in device[0] if imei in used), None):
            refused.append((line, found))
            in_use += any(imei in seen for imei in device[0])
        else:
            devices.append(device)
    return devices, sorted(refused), in_use


def _fault_of(imeis: list[str], tacs: dict[str, bool], known: set[str]) -> str:
    if not imeis:
        return _("the IMEI is missing")
    if len(set(imeis)) < len(imeis) or known & set(imeis):
        return _("the number stands in the file already")
    if any(imei[:8] not in tacs for imei in imeis):
        return _("its TAC is not approved for your company")
    if not all(tacs[imei[:8]] for imei in imeis):
        return _("the certificate of its TAC has ended; enter the new one on the type's page")
    return ""


def _used(imeis: list[str], key: SealingKey, office: str) -> dict[str, str]:
    """Of these, those in the company's stock already or on record, and which of the two."""
    used: dict[str, str] = {}
    for at in range(0, len(imeis), _AT_ONCE):
        some = {key.finder(imei): imei for imei in imeis[at : at + _AT_ONCE]}
        of_company = Unit.objects.filter(office=office)
        found = of_company.filter(Q(finder__in=some) | Q(second_finder__in=some)).values_list("finder", "second_finder")
        used |= {some[one]: _("it is in your stock already") for pair in found for one in pair if one in some}
        used |= on_record(list(some.values()))
    return used
