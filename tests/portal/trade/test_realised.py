"""Declared against realised: what customs released, what was sold, what is left, by company and by type."""

import csv
import io
from datetime import timedelta

from django.core.files.uploadedfile import SimpleUploadedFile

from openceir.portal.accounts.roles import PortalRole
from openceir.portal.customs.consignments import decide, open_consignment, scan
from openceir.portal.trade.keys import give_up_key
from openceir.portal.trade.realised import realised_batches, realised_types
from portal.trade.a_company import TAC, a_key, accept, actor, declare, sell, the_approved

NUMBERS = [f"{TAC}{n:06d}" for n in range(101, 106)]


def test_each_device_is_counted_once_in_what_became_of_it(country, iva, reg, clock):
    the_approved(iva, reg)
    key = a_key(iva)
    declare(iva, key, "imei\n" + "\n".join(NUMBERS[:4]))
    accept(reg)
    sell(iva, key, NUMBERS[0])
    clock.at += timedelta(days=1)
    give_up_key(actor("iva", PortalRole.IMPORTER, "importer"))
    [one] = realised_batches("importer")
    assert (one.declared, one.sold, one.lost, one.left, one.released) == (4, 1, 3, 0, None)
    assert realised_batches("maker") == []
    [of_type] = realised_types()
    assert (of_type.tac, of_type.declared, of_type.sold, of_type.share) == (TAC, 4, 1, 25.0)


def test_what_customs_released_under_the_same_number_stands_beside(country, iva, reg, clock):
    the_approved(iva, reg)
    key = a_key(iva)
    declare(iva, key, "imei\n" + "\n".join(NUMBERS[:3]), "D-7")
    cas = actor("cas", PortalRole.CUSTOMS_OFFICER, "customs")
    manifest = SimpleUploadedFile("m.csv", ("imei\n" + "\n".join(NUMBERS[:3])).encode())
    consignment, _ = open_consignment(cas, manifest, number="D-7", importer="importer", port="Harbour")
    assert realised_batches()[0].released == 0
    scan(cas, consignment, NUMBERS[:2])
    consignment.refresh_from_db()
    decide(cas, consignment, release=True, grounds="one is missing", seen_version=consignment.version)
    assert realised_batches()[0].released == 2


def test_stock_that_lies_unsold_for_long_is_marked(country, iva, reg, clock):
    the_approved(iva, reg)
    declare(iva, a_key(iva), f"imei\n{NUMBERS[0]}\n")
    accept(reg)
    clock.at += timedelta(days=365)
    assert not realised_batches()[0].is_old
    clock.at += timedelta(days=1)
    assert realised_batches()[0].is_old


def test_the_company_sees_its_own_and_the_regulator_everybodys_as_page_and_csv(country, iva, reg, client_of):
    the_approved(iva, reg)
    declare(iva, a_key(iva), f"imei\n{NUMBERS[0]}\n", "=1+1")
    assert TAC not in client_of("mak", PortalRole.MAKER).get("/trade/stock/realised/").content.decode()
    for client, path in ((iva, "/trade/stock/realised/"), (reg, "/trade/review/realised/")):
        assert "waiting for the regulator" in client.get(path).content.decode()
        [head, row] = csv.reader(io.StringIO(client.get(f"{path}?as=csv").content.decode()))
        told = dict(zip(head, row, strict=True))
        assert (told["declared"], told["left"], told["consignment"]) == ("1", "1", "'=1+1")
