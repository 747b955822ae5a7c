"""What goes on which list: the small decisions, one test each."""

from datetime import date

import numpy as np
import pytest

from openceir.identity import ODD_DEVICE_BASE, device_key_of_imei, subscriber_key
from openceir.lists import (
    Desk,
    DeviceBlocks,
    ListError,
    ListOptions,
    Pair,
    RangeBlock,
    SeenPair,
    SharedTheft,
    Triplet,
    options_of,
)
from openceir.policy import policy_from_text

A, B, C = (device_key_of_imei(f"001001000000{n:02d}") for n in (1, 2, 3))
ALICE, BOB = subscriber_key("001010000000001"), subscriber_key("001020000000002")
FOREIGN = subscriber_key("262010000000003")
NUMBER = subscriber_key("999555000001")
MARCH_1, DAY_ZERO = date(2027, 3, 1), date(1970, 1, 1)
ODD = {ODD_DEVICE_BASE + 1: "DEABFCDE2ABFEC", ODD_DEVICE_BASE + 2: "00100100000001X"}
SERIAL_NUMBER = ODD_DEVICE_BASE + 3


def odd_texts(keys):
    return {key: ODD[key] for key in keys if key in ODD}


def desk(**options):
    operators = {"northtel": ["00101"], "southtel": ["00102"]}
    return Desk(ListOptions(**{"operators": operators, "lookback_days": 180} | options), odd_texts)


def blocks(devices, amnesty=False, reasons="cloned_imei"):
    many = len(devices)
    return DeviceBlocks(
        devices=np.array(sorted(devices), dtype=np.int64),
        block_on=np.full(many, (MARCH_1 - DAY_ZERO).days, dtype=np.int32),
        reasons=np.zeros(many, dtype=np.int32),
        amnesty=np.full(many, amnesty),
        texts=[reasons],
    )


def test_the_block_list_stands_in_the_order_of_its_texts():
    """Keys of odd texts are larger than any IMEI's, whatever the texts are: the file's order is the texts'."""
    rows = list(desk().block_rows(blocks([A, B, *ODD, SERIAL_NUMBER], reasons="lost|stolen")))
    assert [row[0] for row in rows] == ["00100100000001", "00100100000001X", "00100100000002", "DEABFCDE2ABFEC"]
    assert rows[0] == ("00100100000001", "2027-03-01", "lost|stolen")


def test_identifiers_that_are_no_imei_stay_home_when_policy_says_so():
    rows = list(desk(invalid_imeis=False).block_rows(blocks([A, *ODD])))
    assert [row[0] for row in rows] == ["00100100000001"]


def test_the_check_digit_is_put_behind_fourteen_digits_and_nothing_else():
    """TS 23.003 Annex B: the Luhn digit of 00100100000001 is 5 (python-stdnum agrees)."""
    rows = list(desk(check_digit=True).block_rows(blocks([A, ODD_DEVICE_BASE + 1])))
    assert [row[0] for row in rows] == ["001001000000015", "DEABFCDE2ABFEC"]


def test_a_range_has_no_check_digit():
    rows = list(desk(check_digit=True).range_rows([RangeBlock(A, C, MARCH_1, "stolen")]))
    assert rows == [("00100100000001", "00100100000003", "2027-03-01", "stolen")]


def test_a_notification_goes_to_the_home_operator():
    triplets = [Triplet(A, ALICE, NUMBER, ("southtel",))]
    lists = desk().notification_rows(triplets, blocks([A], amnesty=True), [])
    row = ("00100100000001", "001010000000001", "999555000001", "2027-03-01", "cloned_imei", "true")
    assert lists == {"northtel": [row], "southtel": []}


def test_a_foreign_subscriber_is_notified_by_every_operator_that_saw_him():
    triplets = [Triplet(A, FOREIGN, 0, ("southtel", "closedtel"))]
    lists = desk().notification_rows(triplets, blocks([A]), [])
    assert [len(rows) for rows in lists.values()] == [0, 1]


@pytest.mark.parametrize(
    ("pair", "is_left_out"),
    [
        (Pair(A, ALICE, NUMBER), True),
        (Pair(A, ALICE, 0), True),
        (Pair(A, 0, NUMBER), True),
        (Pair(B, ALICE, NUMBER), False),  # fault 2 of the peer: the number alone would have been enough
        (Pair(A, BOB, 0), False),
        (Pair(A, BOB, NUMBER), False),
    ],
)
def test_only_the_very_pair_of_device_and_subscriber_is_not_notified(pair, is_left_out):
    lists = desk().notification_rows([Triplet(A, ALICE, NUMBER, ("northtel",))], blocks([A]), [pair])
    assert (lists["northtel"] == []) is is_left_out


def test_a_paired_number_on_a_new_sim_is_notified_unless_policy_says_otherwise():
    triplets, paired = [Triplet(A, ALICE, NUMBER, ("northtel",))], [Pair(A, BOB, NUMBER)]
    assert desk(notify_imsi_change=True).notification_rows(triplets, blocks([A]), paired)["northtel"]
    assert not desk(notify_imsi_change=False).notification_rows(triplets, blocks([A]), paired)["northtel"]


def test_exceptions_go_home_and_a_foreign_subscribers_to_all():
    pairs = [Pair(A, ALICE, NUMBER), Pair(A, FOREIGN, 0)]
    lists = desk().exception_rows(pairs, lambda _: True, lambda _: False)
    assert [row[1] for row in lists["northtel"]] == ["001010000000001", "262010000000003"]
    assert [row[1] for row in lists["southtel"]] == ["262010000000003"]


def test_the_filters_of_exceptions_are_two():
    pairs = [Pair(device, ALICE, 0) for device in (A, B, C)]

    def imeis(**options):
        rows = desk(**options).exception_rows(pairs, lambda device: device == A, lambda device: device == B)["northtel"]
        return [row[0][-1] for row in rows]

    assert imeis() == ["1", "3"]
    assert imeis(exceptions_with_barred=True) == ["1", "2", "3"]
    assert imeis(exceptions_only_blocked=True) == ["1"]


def pair_blocks(first_seen_on, paired=(), watched_since=date(2027, 1, 1)):
    lists = desk().pair_block_rows(
        [SeenPair(A, BOB, first_seen_on, watched_since)], {A: SharedTheft(MARCH_1, "cloned_imei|stolen")}, paired
    )
    return lists["southtel"]


def test_a_pair_that_appeared_after_the_theft_is_blocked():
    assert pair_blocks(date(2027, 3, 2)) == [("00100100000001", "001020000000002", "2027-03-01", "cloned_imei|stolen")]


def test_the_day_of_the_theft_is_the_owners():
    assert pair_blocks(MARCH_1) == []


def test_a_paired_subscriber_of_a_stolen_number_is_not_blocked():
    assert pair_blocks(date(2027, 3, 2), paired=[Pair(A, BOB, 0)]) == []


def test_when_what_came_before_the_theft_is_erased_nobody_is_accused():
    assert pair_blocks(date(2027, 3, 2), watched_since=date(2027, 3, 2)) == []
    assert pair_blocks(date(2027, 3, 2), watched_since=MARCH_1) == []
    assert pair_blocks(date(2027, 3, 2), watched_since=date(2027, 2, 28)) != []


def test_the_longest_prefix_is_the_home():
    of = Desk(ListOptions(operators={"a": ["00101"], "b": ["001011"]}, lookback_days=1), odd_texts).home_operators
    assert [of("001011000000001"), of("001012000000001"), of("262011000000001"), of("")] == [["b"], ["a"], [], []]


def test_options_come_from_the_policy_of_the_day():
    text = """
    [lists]
    check_digit = { from."2020-01-01" = false, from."2027-07-01" = true }
    [operators.northtel]
    mcc_mnc = ["00101"]
    """
    policy = policy_from_text(("test", text))
    assert [options_of(policy, date(2027, month, 1)).check_digit for month in (6, 7)] == [False, True]
    assert options_of(policy, MARCH_1).operators == {"northtel": ("00101",)}


def test_an_operator_whose_id_climbs_out_of_a_folder_is_refused():
    policy = policy_from_text(("test", '[operators."../x"]\nmcc_mnc = ["00101"]'))
    with pytest.raises(ListError, match="cannot name a file"):
        options_of(policy, MARCH_1)
