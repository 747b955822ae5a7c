"""Stock: declared and sealed, accepted by the regulator, activated by its sale.

What is checked at the declaration is checked in memory: each number's form, that its TAC is approved for the company,
that it stands in the stock once and that nothing is on record about it. Then it is sealed (`sealing`) and forgotten. At
the sale the seller presents the company's key and the device's number; the device is found, opened, checked against the
register as it is then, declared in the company's name and registered in the regulator's, with all its identifiers.
"""

from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from openceir.errors import OpenceirError
from openceir.portal import moment
from openceir.portal.accounts.acts import Actor, clockwork, state
from openceir.portal.accounts.errors import NotAllowed, PortalError
from openceir.portal.accounts.log import note
from openceir.portal.accounts.models import Alarm
from openceir.portal.accounts.roles import PortalRole
from openceir.portal.citizens.numbers import canonical_imei
from openceir.portal.register import register
from openceir.portal.site.tables import Row, Upload, read_table
from openceir.portal.trade.approvals import approved_tacs
from openceir.portal.trade.models import Batch, StockKey, Unit
from openceir.portal.trade.sealing import SealingKey, StockKeyRefused
from openceir.statements import DeviceBound, DeviceRegistered, DeviceSet, StockDeclared
from openceir.status import Status

__all__ = ["decide_batch", "declare_stock", "make_key", "sell"]

_KNOWN = {"registered", "imported", "stolen", "lost", "blocked"}
_AT_ONCE = 400  # finders in one query


def make_key(actor: Actor) -> SealingKey:
    """The company's stock key, told this once. Raises: PortalError when it has one."""
    assert actor.user is not None
    key = SealingKey.fresh()
    with transaction.atomic():
        _kept, is_new = StockKey.objects.get_or_create(
            office=actor.office, defaults={"check_value": key.check_value, "made_by": actor.user}
        )
        if not is_new:
            raise PortalError(
                _("Your company has a stock key already; it was shown once and is kept by whoever made it.")
            )
        note(actor, "trade.make-stock-key")
    return key


def declare_stock(
    actor: Actor, upload: Upload, *, consignment: str, key: SealingKey
) -> tuple[Batch, list[tuple[int, str]]]:
    """A batch of a table's rows (imei; imei2, serial and model if there are), and the rows that were refused.

    Raises: TableRefused; StockKeyRefused; PortalError when it was declared before or no row can be taken.
    """
    assert actor.user is not None
    if _office_of(key) != actor.office:
        raise StockKeyRefused(_("That is not your company's stock key."))
    rows = read_table(upload, needs=("imei",), may_have=("imei2", "serial", "model"))
    with transaction.atomic():
        if Batch.objects.filter(office=actor.office, consignment=consignment).exists():
            raise PortalError(_("This consignment was declared already."))
        devices, refused = _devices(rows, approved_tacs(actor.office), key, actor.office)
        if not devices:
            first = f" {refused[0][0]}: {refused[0][1]}" if refused else ""
            raise PortalError(_("No row could be taken.") + first)
        per_tac: dict[str, int] = {}
        for imeis, _told in devices:
            per_tac[imeis[0][:8]] = per_tac.get(imeis[0][:8], 0) + 1
        batch = Batch.objects.create(
            office=actor.office, consignment=consignment, declared=len(devices), per_tac=per_tac, opened_by=actor.user
        )
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
        note(actor, "trade.declare-stock", subject=f"stock-{batch.pk}", count=len(devices))
    return batch, refused


def decide_batch(actor: Actor, batch: Batch, *, accept: bool, reasons: str) -> None:
    """Let a batch be sold, or not. Raises: PortalError when it was decided, or is refused without reasons."""
    with transaction.atomic():
        kept = Batch.objects.select_for_update().get(pk=batch.pk)
        if kept.state != Batch.State.WAITING:
            raise PortalError(_("Somebody decided this already."))
        if not accept and len(reasons.strip()) < 10:
            raise PortalError(_("Write your reasons: the company reads them."))
        kept.state = Batch.State.ACCEPTED if accept else Batch.State.REFUSED
        kept.reasons, kept.decided_at = reasons, moment.now()
        kept.save()
        verb = "trade.accept-stock" if accept else "trade.refuse-stock"
        note(actor, verb, subject=f"stock-{kept.pk}", reason=reasons, count=kept.declared)


def sell(actor: Actor, numbers: Iterable[str], key: SealingKey) -> tuple[int, list[str]]:
    """Activate what is sold: how many devices, and sentences about those that were not.

    Raises: StockKeyRefused; NotAllowed for another company's stock, unless a dealer sells; what the register raises.
    """
    office = _office_of(key)
    if office != actor.office and actor.role != PortalRole.DEALER:
        raise NotAllowed(_("That is not your company's stock key."))
    sold: list[list[str]] = []
    wrong: list[str] = []
    with transaction.atomic():
        for text in numbers:
            try:
                sold.append(_sold(actor, office, canonical_imei(text), key))
            except ValidationError as no_imei:
                wrong += no_imei.messages
            except PortalError as refused:
                wrong.append(f"{text}: {refused}")
        if sold:
            devices = DeviceSet.of([imei for imeis in sold for imei in imeis])
            note(actor, "trade.sell", subject=f"office-{office}", count=len(sold))
            declared = StockDeclared(devices=devices, consignment="sold", declared_on=moment.today())
            state(clockwork(office), [declared], verb="trade.declare-sold", count=len(sold))
            registered = DeviceRegistered(devices=devices, registered_on=moment.today())
            bound = [DeviceBound(identifiers=DeviceSet.of(imeis)) for imeis in sold if len(imeis) > 1]
            state(clockwork("regulator"), [registered, *bound], verb="trade.register-sold", count=len(sold))
    return len(sold), wrong


def _sold(actor: Actor, office: str, imei: str, key: SealingKey) -> list[str]:
    """The identifiers of a device that is sold now. Raises: PortalError."""
    finder = key.finder(imei)
    found = Unit.objects.select_for_update().filter(Q(finder=finder) | Q(second_finder=finder), office=office).first()
    if found is None:
        raise PortalError(_("it is not in the stock of this key"))
    if found.sold_at is not None:
        raise PortalError(_("it was sold already"))
    if found.batch.state != Batch.State.ACCEPTED:
        raise PortalError(_("the regulator has not accepted its consignment"))
    told = key.open(bytes(found.sealed))
    imeis = [told[name] for name in ("imei", "imei2") if told.get(name)]
    if used := _on_record(imeis):
        Alarm.objects.create(kind="stock-in-use", office="regulator", actor=actor.name, facts={"batch": found.batch.pk})
        raise PortalError(next(iter(used.values())))
    found.sold_at = moment.now()
    found.save(update_fields=["sold_at"])
    return imeis


def _office_of(key: SealingKey) -> str:
    kept = StockKey.objects.filter(check_value=key.check_value).first()
    if kept is None:
        raise StockKeyRefused(_("Nobody's stock key is this."))
    return kept.office


Declared = tuple[list[str], dict[str, str]]  # the IMEIs of one device, and all that is told of it


def _devices(
    rows: Iterable[Row], tacs: set[str], key: SealingKey, office: str
) -> tuple[list[Declared], list[tuple[int, str]]]:
    fine: list[tuple[int, Declared]] = []
    refused: list[tuple[int, str]] = []
    seen: set[str] = set()
    for row in rows:
        try:
            imeis = [canonical_imei(row.cells[name]) for name in ("imei", "imei2") if row.cells.get(name)]
            why = _fault_of(imeis, tacs, seen)
        except ValidationError as wrong:
            why = wrong.messages[0]
        if why:
            refused.append((row.line, why))
            continue
        seen.update(imeis)
        told = {**row.cells, "imei": imeis[0], "imei2": imeis[1] if len(imeis) > 1 else ""}
        fine.append((row.line, (imeis, told)))
    used = _used(sorted(seen), key, office)
    devices = []
    for line, device in fine:
        if found := next((used[imei] for imei in device[0] if imei in used), None):
            refused.append((line, found))
        else:
            devices.append(device)
    return devices, sorted(refused)


def _fault_of(imeis: list[str], tacs: set[str], seen: set[str]) -> str:
    if not imeis:
        return _("the IMEI is missing")
    if len(set(imeis)) < len(imeis) or seen & set(imeis):
        return _("the number stands in the file already")
    if any(imei[:8] not in tacs for imei in imeis):
        return _("its TAC is not approved for your company")
    return ""


def _used(imeis: list[str], key: SealingKey, office: str) -> dict[str, str]:
    """Of these, those that no new device can have, and why."""
    used: dict[str, str] = {}
    for at in range(0, len(imeis), _AT_ONCE):
        some = {key.finder(imei): imei for imei in imeis[at : at + _AT_ONCE]}
        of_company = Unit.objects.filter(office=office)
        found = of_company.filter(Q(finder__in=some) | Q(second_finder__in=some)).values_list("finder", "second_finder")
        used |= {some[one]: _("it is in your stock already") for pair in found for one in pair if one in some}
        used |= _on_record(list(some.values()))
    return used


def _on_record(imeis: list[str]) -> dict[str, str]:
    """Of these, those of which something is on record that a new device cannot have, and what."""
    found = {}
    for imei, answer in zip(imeis, register().check_many(imeis, moment.now()), strict=True):
        if isinstance(answer, OpenceirError):
            found[imei] = str(answer)
        elif answer.status is Status.BLOCKED or _KNOWN & {str(reason.kind) for reason in answer.reasons}:
            found[imei] = _("the number is on record already: registered, imported or reported")
    return found
