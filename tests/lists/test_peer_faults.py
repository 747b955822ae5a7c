"""Nine faults reproduced in the strongest open peer, each as a test that we pass, through public functions only."""

import pytest

from a_country import (
    ALICE,
    ALICES_PHONE,
    BOB,
    BOBS_PHONE,
    MALLORY,
    SHARED,
    SPARE_PHONE,
    Storyland,
    day,
    days_from,
    noon,
)
from openceir.statements import DeviceBlocked, DevicePaired, DeviceRecovered, DeviceSet, DeviceStolen, Pair


def country_with(tmp_path, *rules):
    return Storyland(tmp_path / "home", "".join(rules))


def rule(label, condition, params="{}", **more):
    extra = "".join(f"{name} = {value}\n" for name, value in more.items())
    return (
        f'\n[[rule]]\nlabel = "{label}"\nreason = "{label}"\nmax_matching_ratio = 1.0\n{extra}'
        f'conditions = [{{ name = "{condition}", params = {params} }}]\n'
    )


def matched(country, label, on):
    """The IMEIs on which the rule holds after a run as of the day, malformed ones as texts."""
    run = country.register.detect(day(on), at=noon(on))
    [proposal] = [one for one in country.register.detection_runs.proposals_of(run) if one.rule.label == label]
    texts = country.register.identifiers.texts_of([int(key) for key in proposal.matched if key >= 10**14])
    return {texts[int(key)][1] if int(key) >= 10**14 else f"{int(key):014d}" for key in proposal.matched}


def test_fault_1_an_imei_with_letters_ends_no_run(tmp_path):
    """There: the transient rule cast IMEIs to numbers, and one letter in the data ended the run for all rules."""
    country = country_with(
        tmp_path,
        rule("transient", "transient", "{ period_days = 2, num_msisdns = 2 }"),
        rule("malformed", "malformed"),
    )
    series = [(on, SPARE_PHONE, (ALICE[0], f"99955500{n}")) for on in days_from("2027-03-01", 2) for n in (10, 12, 14)]
    country.sees("northtel", [*series, ("2027-03-01", "DEABFCDE2ABFEC", BOB)], "2027-03-03")
    assert matched(country, "transient", "2027-03-02") == {SPARE_PHONE}
    assert matched(country, "malformed", "2027-03-02") == {"DEABFCDE2ABFEC"}


def test_fault_2_pairing_one_device_silences_no_warning_about_another(tmp_path):
    """There: `… AND imsi = X OR msisdn = Y`; pairing device B with a number removed device A's notification."""
    country = country_with(tmp_path, SHARED)
    seen = [(on, ALICES_PHONE, who) for on in days_from("2027-03-01", 3) for who in (ALICE, BOB)]
    country.sees("northtel", seen, "2027-03-04")
    country.updates("2027-03-04")
    before = country.rows("northtel", "notifications")
    assert [row[1] for row in before] == [ALICE[0]]
    other = DevicePaired(pairs=(Pair(BOBS_PHONE, *ALICE),), paired_at=noon("2027-03-05"))
    country.says("regulator", other, "2027-03-05")
    country.makes_lists("2027-03-05")
    assert country.rows("northtel", "notifications") == before
    same = DevicePaired(pairs=(Pair(ALICES_PHONE, *ALICE),), paired_at=noon("2027-03-06"))
    country.says("regulator", same, "2027-03-06")
    run = country.makes_lists("2027-03-06")
    assert [row[-1] for row in country.changes("northtel", "notifications", run)] == ["resolved"]


@pytest.mark.parametrize("option", ["exceptions_only_blocked = true", "exceptions_with_barred = false"])
def test_fault_3_filters_hold_for_deltas_as_for_full_lists(tmp_path, option):
    """There: a pair absent from the full exception list was delivered as "added" by the delta."""
    country = country_with(tmp_path, f"\n[lists]\n{option}\n")
    barred = DeviceBlocked(devices=DeviceSet.of(BOBS_PHONE), blocked_at=noon("2027-03-01"), grounds="Order 1")
    country.says("regulator", barred, "2027-03-01")
    country.makes_lists("2027-03-01")
    pairs = tuple(Pair(imei, *ALICE) for imei in (ALICES_PHONE, BOBS_PHONE))
    country.says("regulator", DevicePaired(pairs=pairs, paired_at=noon("2027-03-02")), "2027-03-02")
    run = country.makes_lists("2027-03-02")
    full = country.rows("northtel", "exceptions")
    assert (BOBS_PHONE, *ALICE) not in full
    assert [row[:-1] for row in country.changes("northtel", "exceptions", run)] == full


def test_fault_4_pruning_runs_loses_neither_a_block_nor_an_unblock(tmp_path):
    """There: pruning emptied the live list, the next delta blocked all again, a recovered device stayed blocked."""
    country = country_with(tmp_path, "\n[lists]\nkeep_runs = 1\n")
    for imei in (ALICES_PHONE, BOBS_PHONE):
        stolen = DeviceStolen(devices=DeviceSet.of(imei), stolen_at=noon("2027-01-01"), case_number="N-7")
        country.says("police", stolen, "2027-01-01")
    country.makes_lists("2027-01-01")
    country.makes_lists("2027-01-02")
    country.register.prune(on=day("2027-12-01"))
    assert len(country.rows("northtel", "blocklist")) == 2
    found = DeviceRecovered(devices=DeviceSet.of(ALICES_PHONE), recovered_at=noon("2027-12-01"), case_number="N-7")
    country.says("police", found, "2027-12-01")
    run = country.makes_lists("2027-12-01")
    assert country.changes("northtel", "blocklist", run) == [(ALICES_PHONE, "2027-01-01", "stolen", "unblocked")]


def test_fault_5_persons_a_day_are_counted_day_by_day(tmp_path):
    """There: distinct persons of the window divided by days; two persons every day for five days gave 0.4."""
    country = country_with(
        tmp_path, rule("persons", "daily_avg_uid", "{ threshold = 2.0, period_days = 30, min_seen_days = 5 }")
    )
    people = f"uid,imsi\nalice,{ALICE[0]}\nbob,{BOB[0]}\n"
    country.brings("subscribers", people, "2027-03-01", by="regulator")
    seen = [(on, ALICES_PHONE, who) for on in days_from("2027-03-01", 5) for who in (ALICE, BOB)]
    country.sees("northtel", [*seen, ("2027-03-01", BOBS_PHONE, BOB)], "2027-03-06")
    assert matched(country, "persons", "2027-03-05") == {ALICES_PHONE}


def test_fault_6_exempting_a_device_type_exempts_no_unknown_model(tmp_path):
    """There: exempting modules dropped every unregistered IMEI of an unknown TAC from the rule as well."""
    policy = rule("unregistered", "not_on_registration_list")
    country = country_with(tmp_path, policy)
    country.change_policy(policy)
    text = (country.home / "policy" / "country.toml").read_text()
    exempt = 'country_codes = ["999"]\nexempt_device_types = ["Module"]'
    (country.home / "policy" / "country.toml").write_text(text.replace('country_codes = ["999"]', exempt))
    country.reopen()
    tacs = country.home / "tac.txt"
    tacs.write_text(
        "TAC|Manufacturer|Model_Name|Bands|Allocation_Date|Device_Type\n00100199|Acme|M1|LTE FDD BAND 3|01-Jan-2020|Module\n"
    )
    country.register.import_tac_table(tacs, at=noon("2027-03-01"))
    module = "00100199000001"
    country.sees("northtel", [("2027-03-01", module, ALICE), ("2027-03-01", ALICES_PHONE, BOB)], "2027-03-02")
    assert matched(country, "unregistered", "2027-03-01") == {ALICES_PHONE}


def test_fault_7_one_foreign_value_refuses_no_file(tmp_path):
    """There: an unknown RAT code, a letter beyond F or an 18-digit IMEI refused the operator's whole dump."""
    country = country_with(tmp_path)
    path = country.home / "odd.csv"
    odd = ["PWIUYTRWQLKJHM", "567123098764107642", "35424208#*21340"]
    rows = [f"20270301,{imei},{BOB[0]},{BOB[1]},006" for imei in [*odd, *[f"00100100{n:06d}" for n in range(97)]]]
    rows += [f"20270301,{ALICES_PHONE},{ALICE[0]},{ALICE[1]},{rat}" for rat in ("008", "010", "051")]
    path.write_text("date,imei,imsi,msisdn,rat\n" + "\n".join(rows) + "\n")
    report = country.register.import_sightings(
        path, operator="northtel", since=day("2027-03-01"), until=day("2027-03-01"), at=noon("2027-03-02")
    )
    assert report.accepted == report.rows == 103
    country.register.measure(at=noon("2027-03-02"))
    assert set(country.register.identifiers.find_keys("malformed", odd)) == set(odd)


def test_fault_8_a_number_of_eleven_digits_is_a_number(tmp_path):
    """There: an MSISDN counted only with 12 to 15 digits; rules on numbers were blind elsewhere."""
    country = country_with(
        tmp_path, rule("numbers", "duplicate_threshold", "{ threshold = 2, period_days = 30, use_msisdn = true }")
    )
    seen = [("2027-03-01", ALICES_PHONE, (ALICE[0], number)) for number in ("18583551234", "18583551235")]
    country.sees("northtel", seen, "2027-03-02")
    assert matched(country, "numbers", "2027-03-01") == {ALICES_PHONE}


def test_fault_9_the_last_day_counts_whenever_the_run_is_made(tmp_path):
    """There: with the same end, the day of the end counted or not depending on what data came after it."""
    country = country_with(tmp_path, rule("two", "duplicate_threshold", "{ threshold = 2, period_days = 2 }"))
    country.sees("northtel", [("2027-03-01", ALICES_PHONE, ALICE), ("2027-03-02", ALICES_PHONE, BOB)], "2027-03-03")
    live = matched(country, "two", "2027-03-02")
    country.sees("northtel", [("2027-03-03", SPARE_PHONE, MALLORY), ("2027-03-04", SPARE_PHONE, MALLORY)], "2027-03-05")
    assert matched(country, "two", "2027-03-02") == live == {ALICES_PHONE}
    assert matched(country, "two", "2027-03-03") == set()
