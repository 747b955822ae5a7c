"""A marketplace's listings held against its own: the same number with other sellers, prices far below others'."""

from datetime import timedelta

import pytest

from a_country import ALICES_PHONE, BOBS_PHONE
from openceir.identity import format_imei
from openceir.portal.api.listed import forget_listed
from openceir.portal.api.models import AskedPrice, ListedDevice

ALICES, BOBS = format_imei(ALICES_PHONE), format_imei(BOBS_PHONE)


@pytest.fixture
def marketplace(country, program):
    return program("screen", days=300)


def screen(client, *listings):
    reply = client.send("listings:screen", {"listings": list(listings)})
    assert reply.status_code == 200, reply.content
    return {one["id"]: {(found["level"], found["kind"]) for found in one["findings"]} for one in reply.json()}


def offer(name, seller="", number=ALICES, **more):
    return {"id": name, "text": f"IMEI {number}", "seller": seller, **more}


def test_one_number_with_two_sellers_is_found_in_one_request_and_across_days(marketplace, clock):
    both = screen(marketplace, offer("a", "mallory"), offer("b", "bob"), offer("c", "carol", BOBS))
    assert (3, "repeated") in both["a"] & both["b"]
    assert (3, "repeated") not in both["c"]
    clock.at += timedelta(days=89)
    assert (3, "repeated") in screen(marketplace, offer("d", "dave"))["d"]
    clock.at += timedelta(days=91)
    assert (3, "repeated") not in screen(marketplace, offer("e", "eve"))["e"]


def test_a_seller_who_lists_again_and_one_without_a_name_repeat_nothing(marketplace):
    assert (3, "repeated") not in screen(marketplace, offer("a", "bob"), offer("b", "bob"))["b"]
    assert (3, "repeated") not in screen(marketplace, offer("c"), offer("d"))["d"]


def test_a_marketplace_is_held_against_its_own_listings_alone(marketplace, program):
    screen(marketplace, offer("a", "mallory"))
    assert (3, "repeated") not in screen(program("screen"), offer("b", "bob"))["b"]


def test_what_is_kept_names_neither_device_nor_seller_and_goes_after_ninety_days(marketplace, clock):
    screen(marketplace, offer("listing-1", "mallory", brand="Example", model="A1", price=10, currency="XTS"))
    kept = repr([vars(row) for shelf in (ListedDevice, AskedPrice) for row in shelf.objects.all()])
    for told in (ALICES_PHONE, "mallory", "listing-1", "A1"):
        assert told not in kept
    assert forget_listed(clock.at + timedelta(days=89)) == 0
    assert forget_listed(clock.at + timedelta(days=92)) == 2


def test_a_price_far_below_others_is_a_hint_and_never_while_there_are_few(marketplace):
    phone = {"brand": "Example", "model": "A1", "currency": "XTS"}

    def ask(name, price):
        return 5 in {level for level, _ in screen(marketplace, offer(name, price=price, **phone))[name]}

    screen(marketplace, *[offer(f"few-{n}", price=100 + n, **phone) for n in range(30)])
    assert not ask("early", 1)
    screen(marketplace, *[offer(f"many-{n}", price=100 + n, **phone) for n in range(30)])
    assert ask("cheap", 1)
    assert not ask("fair", 110)
