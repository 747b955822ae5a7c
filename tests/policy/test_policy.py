from datetime import date

import pytest

from openceir.policy import PolicyError, load_policy, policy_from_text

DATED = """
[intake.operator]
null_imei_ratio = { from."2026-01-01" = 0.05, from."2027-07-01" = 0.02, unit = "ratio", source = "Device Rules, rule 14(2)" }
"""


def test_a_limit_changes_on_its_day_and_not_before():
    policy = policy_from_text(("rules.toml", DATED))
    before, after = (
        policy.limit("intake.operator.null_imei_ratio", day) for day in (date(2027, 6, 30), date(2027, 7, 1))
    )
    assert (before.value, before.since) == (0.05, date(2026, 1, 1))
    assert (after.value, after.source) == (0.02, "Device Rules, rule 14(2)")


def test_a_limit_not_yet_in_force_is_said_not_guessed():
    with pytest.raises(PolicyError, match="no value in force on 2025-12-31"):
        policy_from_text(("rules.toml", DATED)).value("intake.operator.null_imei_ratio", date(2025, 12, 31))


def test_a_misspelt_setting_stops_the_start_and_names_its_neighbour():
    with pytest.raises(
        PolicyError, match=r"unknown setting intake\.operator\.null_imei_ration; did you mean .*null_imei_ratio"
    ):
        policy_from_text(("rules.toml", "[intake.operator]\nnull_imei_ration = 0.1\n"))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[intake\n", "is not TOML"),
        ("retention = 3\n", "is a section, not a value"),
        ("[retention.subscriber_months]\nweeks = 3\n", "is a value, not a section"),
        ('[lists]\nlookback_days = { from."soon" = 3 }\n', "write dates as 2027-07-01"),
        ('[lists]\nlookback_days = { from."2026-01-01" = 3, until = 4 }\n', "takes from, unit and source"),
    ],
)
def test_a_wrong_policy_file_is_refused_with_its_place(text, complaint):
    with pytest.raises(PolicyError, match=complaint):
        policy_from_text(("rules.toml", text))


@pytest.mark.parametrize(
    "text",
    [
        "operators = 3", "operators.northtel = 3", "rule = 3", "rule = [3]", "[rule]\nlabel = 'x'",
        "rule = " + "[" * 5000 + "]" * 5000, "operators" + ".a" * 5000 + " = 3", "operators.northtel.x = " + "[" * 90 + "]" * 90,
    ],
)  # fmt: skip
def test_a_policy_of_another_shape_is_refused_and_not_a_crash(text):
    """Found by the fuzzer and beside it: a value where tables stand, and more nesting than any reader can walk."""
    with pytest.raises(PolicyError):
        policy_from_text(("it.toml", text))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(PolicyError, match=r"absent\.toml cannot be read"):
        load_policy([tmp_path / "absent.toml"])


def test_equal_policies_have_equal_digests_and_a_changed_limit_changes_it():
    same, again = policy_from_text(("a", DATED)), policy_from_text(("b", DATED))
    assert same.digest == again.digest
    assert same.digest != load_policy().digest


def test_operators_are_named_by_the_deployer():
    policy = policy_from_text(("a", '[operators.northtel]\nname = "Northtel"\nmcc_mnc = ["00101"]\n'))
    assert policy.operators(date(2026, 1, 1)) == {"northtel": {"name": "Northtel", "mcc_mnc": ["00101"]}}
