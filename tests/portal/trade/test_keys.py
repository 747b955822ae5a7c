"""A stock key that somebody else has is exchanged; one that is lost takes its stock with it, and nobody says otherwise."""

import pytest

from openceir.portal.accounts.models import Alarm
from openceir.portal.accounts.roles import PortalRole
from openceir.portal.register import register
from openceir.portal.trade.models import StockKey, Unit
from openceir.portal.trade.sealing import SealingKey, StockKeyRefused
from portal.trade.a_company import TAC, a_key, accept, declare, key_on, sell, the_approved, verified

ONE, TWO, THREE = (f"{TAC}00010{n}" for n in range(1, 4))


def registered(imei, clock):
    return "registered" in {str(one.kind) for one in register().check(imei, clock.at).reasons}


@pytest.fixture
def key(country, iva, reg):
    the_approved(iva, reg)
    key = a_key(iva)
    declare(iva, key, f"imei,imei2,serial\n{ONE},{TWO},S1\n{THREE},,S3\n")
    accept(reg)
    return key


def test_an_exchanged_key_sells_what_the_old_one_sealed_and_the_old_one_opens_nothing(country, iva, key, clock):
    sealed = {bytes(one.sealed) for one in Unit.objects.all()} | {one.finder for one in Unit.objects.all()}
    reply = iva.post("/trade/stock/key/exchange/", {"key": key})
    assert "2 devices were sealed again" in reply.content.decode()
    new = key_on(reply)
    assert not sealed & ({bytes(one.sealed) for one in Unit.objects.all()} | {one.finder for one in Unit.objects.all()})
    for unit in Unit.objects.all():
        with pytest.raises(StockKeyRefused):
            SealingKey.parse(key).open(bytes(unit.sealed))
    assert "Nobody" in sell(iva, key, ONE)
    assert "1 device is registered now." in sell(iva, new, TWO)  # found by its second number
    assert registered(ONE, clock)
    assert StockKey.objects.count() == 1


def test_what_was_sold_is_not_sealed_again(country, iva, key):
    sell(iva, key, THREE)
    before = bytes(Unit.objects.get(sold_at__isnull=False).sealed)
    assert "1 device was sealed again" in iva.post("/trade/stock/key/exchange/", {"key": key}).content.decode()
    assert bytes(Unit.objects.get(sold_at__isnull=False).sealed) == before


def test_a_lost_key_is_said_plainly_and_its_stock_is_declared_anew(country, iva, reg, key, clock):
    page = iva.get("/trade/stock/key/lost/").content.decode()
    assert "2 devices that are not sold become unreadable for ever, for you, for the regulator and for us." in page
    assert "required" in iva.post("/trade/stock/key/lost/", {}).content.decode()
    assert not Unit.objects.exclude(lost_at=None).exists()  # nothing without the word that it is understood
    reply = iva.post("/trade/stock/key/lost/", {"is_understood": "on"})
    assert "2 devices are unreadable for ever" in reply.content.decode()
    new = key_on(reply)
    assert Alarm.objects.get(kind="stock-key-lost").facts == {"office": "importer", "devices": 2}
    assert "Nobody" in sell(iva, key, ONE)
    assert "not in the stock of this key" in sell(iva, new, ONE)
    declare(iva, new, f"imei,imei2\n{ONE},{TWO}\n", "S-1 again")
    accept(reg, batch=Unit.objects.filter(lost_at=None).get().batch)
    assert "1 device is registered now." in sell(iva, new, ONE)
    assert registered(TWO, clock)


def test_another_companys_key_exchanges_nothing_and_who_has_none_gives_up_none(country, iva, key, client_of):
    mak = client_of("mak", PortalRole.MAKER)
    verified("maker", PortalRole.MAKER)
    assert "not your company" in mak.post("/trade/stock/key/exchange/", {"key": key}).content.decode()
    assert "no stock key yet" in mak.post("/trade/stock/key/lost/", {"is_understood": "on"}).content.decode()
    assert "Nobody" in iva.post("/trade/stock/key/exchange/", {"key": SealingKey.fresh().format()}).content.decode()
    assert not Unit.objects.exclude(lost_at=None).exists()


def test_stock_that_was_altered_stops_the_exchange_whole(country, iva, key):
    last = Unit.objects.last()
    last.sealed = bytes(last.sealed)[:-1] + bytes([bytes(last.sealed)[-1] ^ 1])
    last.save()
    before = list(Unit.objects.order_by("pk").values_list("finder", flat=True))
    assert "altered" in iva.post("/trade/stock/key/exchange/", {"key": key}).content.decode()
    assert list(Unit.objects.order_by("pk").values_list("finder", flat=True)) == before
    assert "1 device is registered now." in sell(iva, key, ONE)  # the old key is still the key
