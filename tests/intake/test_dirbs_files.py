"""Every file that an earlier register was tested with, run through our importers; nobody here wrote them.

A number is how many rows are accepted, a code is a refusal. Where ours differs from what that register's own tests
assert, `WHY_NOT_THEIRS` says why it differs on purpose.
"""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.intake.conftest import new_register

from openceir.intake import IntakeError

DATA = Path(__file__).parents[3] / "shared" / "data" / "dirbs"
AT = datetime(2021, 1, 15, tzinfo=UTC)
pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason=f"the earlier register's files are not at {DATA}; they are not part of this repository"
)

# Its own configuration: MCC 111, country code 22, four operators, and no limit on what comes from abroad.
POLICY = """
[country]
mcc = ["111"]
country_codes = ["22"]
[intake.operator]
out_of_region_imsi_ratio = 1.0
out_of_region_msisdn_ratio = 1.0
out_of_region_any_ratio = 1.0
non_home_imsi_ratio = 1.0
[operators]
operator1 = { name = "First", mcc_mnc = ["11101"] }
operator2 = { name = "Second", mcc_mnc = ["11102"] }
operator3 = { name = "Third", mcc_mnc = ["11103"] }
operator4 = { name = "Fourth", mcc_mnc = ["11104"] }
"""

KIND_OF_FOLDER = {
    "operator": "sightings", "gsma": "tac", "stolen_list": "stolen", "registration_list": "registration",
    "pairing_list": "pairing", "golden_list": "golden", "barred_list": "barred", "barred_tac_list": "barred-tac",
    "monitoring_list": "monitoring", "device_association_list": "association", "subscriber_reg_list": "subscribers",
}  # fmt: skip
NOT_FOR_IMPORTERS = {"LICENSE.md", "classification_state", "config"}  # states of its database, and its settings

OUTCOMES: dict[str, int | str] = {
    "barred_list/barred_list_hexpound.csv": 19,
    "barred_list/barred_list_hexpound_bad_symbol.csv": "intake-set-aside-ratio",
    "barred_list/barred_list_incorrectfiletype.txt": 20,
    "barred_list/barred_list_missing_header.csv": "intake-header-missing",
    "barred_list/empty_barredlist_historical_check.csv": 0,
    "barred_list/sample_barred_import_list.csv": 6,
    "barred_list/sample_barred_list.csv": 19,
    "barred_list/sample_barred_list_duplicate.csv": 20,
    "barred_list/sample_barred_list_historicalcheck.csv": 9,
    "barred_list/sample_barred_list_normalize.csv": 5,
    "barred_list/sample_barred_list_v1.csv": 20,
    "barred_list/sample_barred_list_v2.csv": 3,
    "barred_tac_list/barred_tac_list_incorrectfiletype.txt": "intake-header-missing",
    "barred_tac_list/barred_tac_list_missing_header.csv": "intake-header-missing",
    "barred_tac_list/empty_barred_tac_list_historical_check.csv": 0,
    "barred_tac_list/sample_barred_tac_list.csv": 6,
    "barred_tac_list/sample_barred_tac_list_historicalcheck.csv": 9,
    "barred_tac_list/sample_barred_tac_list_v1.csv": 6,
    "barred_tac_list/sample_barred_tac_list_v2.csv": 20,
    "device_association_list/association_list_duplicate_record.csv": 2,
    "device_association_list/association_list_duplicate_uid.csv": 2,
    "device_association_list/association_list_empty_file.csv": 0,
    "device_association_list/association_list_empty_file_noheaders.csv": "intake-empty",
    "device_association_list/association_list_insensitive_header.csv": 1,
    "device_association_list/association_list_invalid_imei.csv": "intake-set-aside-ratio",
    "device_association_list/association_list_invalid_uid.csv": "intake-set-aside-ratio",
    "device_association_list/association_list_missing_imei_column.csv": "intake-header-missing",
    "device_association_list/association_list_missing_uid_column.csv": "intake-header-missing",
    "device_association_list/association_list_not_on_association_list.csv": 5,
    "device_association_list/association_list_out_of_order_columns.csv": 1,
    "device_association_list/sample_association_import_list_anonymized.csv": 3,
    "device_association_list/sample_association_list_large.csv": 99,
    "device_association_list/sample_association_list_large_drop_5_percent_greater.csv": 90,
    "device_association_list/sample_association_list_large_drop_5_percent_less.csv": 95,
    "device_association_list/sample_associationlist.csv": 5,
    "device_association_list/sample_associationlist_historial_check.csv": 0,
    "golden_list/empty_goldenlist_historical_check.csv": 0,
    "golden_list/golden_list_hexpound.csv": 19,
    "golden_list/golden_list_hexpound_bad_symbol.csv": "intake-set-aside-ratio",
    "golden_list/golden_list_incorrectfiletype.txt": 20,
    "golden_list/golden_list_missingheader.csv": "intake-header-missing",
    "golden_list/sample_golden_import_list_anonymized.csv": 6,
    "golden_list/sample_golden_list.csv": 19,
    "golden_list/sample_golden_list_duplicate.csv": 20,
    "golden_list/sample_golden_list_historicalcheck.csv": 9,
    "golden_list/sample_golden_list_normalize.csv": 5,
    "golden_list/sample_golden_list_v1.csv": 20,
    "golden_list/testData1-sample_golden_list-anonymized.csv": 2,
    "gsma/gsma_100_valid_rows_import_with_dupl.txt": 102,
    "gsma/gsma_49_valid_rows_import_with_dupl.txt": 51,
    "gsma/gsma_51_valid_rows_import_with_dupl.txt": 53,
    "gsma/gsma_dump_BlankTac_july_2016.txt": "intake-set-aside-ratio",
    "gsma/gsma_dump_InvalidDate_july_2016.txt": "intake-set-aside-ratio",
    "gsma/gsma_dump_InvalidTac_july_2016.txt": "intake-set-aside-ratio",
    "gsma/gsma_dump_commadelimited_2016.txt": 3,
    "gsma/gsma_dump_doublequotes.txt": 3,
    "gsma/gsma_dump_duplicaterecord_2016.txt": 2,
    "gsma/gsma_dump_duplicaterecord_2016_large.txt": "intake-set-aside-ratio",
    "gsma/gsma_dump_emptynontac_july_2016.txt": 5,
    "gsma/gsma_dump_extracolumns_July_2016.txt": 3,
    "gsma/gsma_dump_malformeddate_2016.txt": "intake-set-aside-ratio",
    "gsma/gsma_dump_missing_headers_july_2016.txt": "intake-header-twice",
    "gsma/gsma_dump_mixedcases_2016.txt": 3,
    "gsma/gsma_dump_partialduplicaterecord_2016.txt": "intake-set-aside-ratio",
    "gsma/gsma_dump_rat_computation_check.txt": 9,
    "gsma/gsma_dump_requiredfields_reordered_july_2016.txt": 3,
    "gsma/gsma_dump_small_imeicheck_2016.txt": 4,
    "gsma/gsma_dump_small_july_2016.txt": 3,
    "gsma/gsma_dump_uneven_columns.txt": "intake-set-aside-ratio",
    "gsma/gsma_dump_white_spaces.txt": 2,
    "gsma/gsma_escaped_quotes.txt": 1,
    "gsma/gsma_not_found_anonymized.txt": 1,
    "gsma/gsma_simple_extraction_anonymized.txt": 1,
    "gsma/gsma_start_field_mandatory_quote.txt": 1,
    "gsma/prune_classification_state_gsma.txt": 1,
    "gsma/sample_gsma_import_list_anonymized.txt": 7,
    "gsma/sample_gsma_import_list_dupl_anonymized.txt": 8,
    "gsma/tac_api_gsma_db.txt": 1,
    "gsma/testData1-gsmatac_operator1_operator4_anonymized.txt": 13,
    "gsma/testData1-gsmatac_operator4_operator1_anonymized.txt": 13,
    "monitoring_list/empty_monitoringlist_historical_check.csv": 0,
    "monitoring_list/monitoring_list_hexpound.csv": 20,
    "monitoring_list/monitoring_list_hexpound_bad_symbol.csv": 19,
    "monitoring_list/monitoring_list_incorrectfiletype.txt": 20,
    "monitoring_list/monitoring_list_missing_header.csv": "intake-header-missing",
    "monitoring_list/sample_monitoring_import_list.csv": 6,
    "monitoring_list/sample_monitoring_list.csv": 20,
    "monitoring_list/sample_monitoring_list_duplicate.csv": 21,
    "monitoring_list/sample_monitoring_list_historicalcheck.csv": 9,
    "monitoring_list/sample_monitoring_list_normalize.csv": 5,
    "monitoring_list/sample_monitoring_list_v1.csv": 21,
    "monitoring_list/sample_monitoring_list_v2.csv": 3,
    "operator/Foo_Wireless_20160101_20160331.csv": 4,
    "operator/detect_duplicate_20160203_20160203.csv": "intake-unclean-imsi-ratio",
    "operator/no_csv_file_20160203_20160203.txt": "intake-set-aside-ratio",
    "operator/operator1_20160701_20160731.csv": 19,
    "operator/operator1_InvalidDate_20151224_20151225.csv": "intake-set-aside-ratio",
    "operator/operator1_blank_msisdn_20160701_20160731.csv": "intake-null-msisdn-ratio",
    "operator/operator1_blank_optional_fields_20160701_20160731.csv": "intake-null-imei-ratio",
    "operator/operator1_blankimei_20160701_20160731.csv": "intake-null-imei-ratio",
    "operator/operator1_blankimsi_20160701_20160731.csv": "intake-null-imsi-ratio",
    "operator/operator1_clean2_20160701_20160731.csv": 20,
    "operator/operator1_clean3_20160701_20160731.csv": "intake-null-imei-ratio",
    "operator/operator1_clean_20160701_20160731.csv": "intake-unclean-any-ratio",
    "operator/operator1_contains_null_imsis_msisdns_20160701_20160731.csv": "intake-null-any-ratio",
    "operator/operator1_duplicate_uid_20160701_20160731.csv": 30,
    "operator/operator1_duplicate_uid_20190925_20191025.csv": "intake-leading-one-ratio",
    "operator/operator1_extracolumns_20160701_20160731.csv": "intake-set-aside-ratio",
    "operator/operator1_hexpound_20160701_20160731.csv": 6,
    "operator/operator1_historicalcheck_20161001_20161031.csv": 1,
    "operator/operator1_historicalcheck_imsi_20161001_20161031.csv": 1,
    "operator/operator1_historicalcheck_msisdn_20161001_20161031.csv": 1,
    "operator/operator1_home_check_exceeded_20160701_20160731.csv": 10,
    "operator/operator1_imeizerocheck1_20160701_20160731.csv": "intake-unclean-imsi-ratio",
    "operator/operator1_imeizerocheck2_20160701_20160731.csv": "intake-leading-one-ratio",
    "operator/operator1_imeizerocheck3_20160701_20160731.csv": 6,
    "operator/operator1_international_roamer_anonymized_20161101_20161201.csv": 13,
    "operator/operator1_invalid_imei_20160701_20160731.csv": "intake-unclean-imei-ratio",
    "operator/operator1_invalid_imsi_20160701_20160731.csv": "intake-set-aside-ratio",
    "operator/operator1_invalid_msisdn2_20160701_20160731.csv": "intake-unclean-imsi-ratio",
    "operator/operator1_invalid_msisdn_20160701_20160731.csv": "intake-set-aside-ratio",
    "operator/operator1_invalid_rat_code_20160701_20160731.csv": 1,
    "operator/operator1_invalid_rat_length_20160701_20160731.csv": 1,
    "operator/operator1_invaliddate_20160401_20160131.csv": "intake-dates-swapped",
    "operator/operator1_invaliddate_olderdatedrecords_20170101_20170131.csv": "intake-set-aside-ratio",
    "operator/operator1_invalidfilename.csv": 99,
    "operator/operator1_is_test_tac_anonymized_20161101_20161130.csv": "intake-unclean-imei-ratio",
    "operator/operator1_largeimsi_20160701_20160731.csv": "intake-set-aside-ratio",
    "operator/operator1_list_gen_grace_anonymized_20161101_20161130.csv": 19,
    "operator/operator1_local_non_dirbs_roamer_anonymized_20161101_20161201.csv": 15,
    "operator/operator1_malformeddate_20160701_20160731.csv": "intake-set-aside-ratio",
    "operator/operator1_misorderedheaders_20160701_20160731.csv": "intake-set-aside-ratio",
    "operator/operator1_missingheader_20160701_20160731.csv": "intake-header-missing",
    "operator/operator1_mixedcaseheaders_20160701_20160731.csv": 6,
    "operator/operator1_normalizeIMEI_20160701_20160731.csv": "intake-unclean-imei-ratio",
    "operator/operator1_normalizeIMEI_classification_test_anonymized_20161101_20161130.csv": "intake-unclean-imei-ratio",
    "operator/operator1_not_on_association_list_20190925_20191025.csv": 13,
    "operator/operator1_null2_20160701_20160730.csv": "intake-null-imei-ratio",
    "operator/operator1_null_3_20160701_20160730.csv": "intake-null-imei-ratio",
    "operator/operator1_pipedelimited_20160701_20160731.csv": "intake-header-missing",
    "operator/operator1_region_20160701_20160731.csv": 20,
    "operator/operator1_region_check_20160701_20160731.csv": 10,
    "operator/operator1_used_by_dirbs_subscribers_anonymized_20161101_20161201.csv": 14,
    "operator/operator1_with_rat_info_20160701_20160731.csv": 9,
    "operator/sample_operator_import_operator1_anonymized_20160701_20160731.csv": 3,
    "operator/testData1-operator-anonymized-invalid_20161101_20161130.csv": "intake-null-imei-ratio",
    "operator/testData1-operator-operator1-anonymized_20161101_20161130.csv": "intake-unclean-imei-ratio",
    "operator/testData1-operator-operator1-anonymized_20161201_20161230.csv": 4,
    "operator/testData1-operator-operator1-anonymized_average_20161101_20161130.csv": 38,
    "operator/testData1-operator-operator1-imsi-overloaded_20161101_20161130.csv": "intake-unclean-imei-ratio",
    "operator/testData1-operator-operator4-anonymized_20161101_20161130.csv": "intake-unclean-imei-ratio",
    "operator/testData1-operator-operator4-dupInvalidTriplet-anonymized_20161101_20161130.csv": "intake-null-any-ratio",
    "operator/testData1-operator-operator4_v1-anonymized_20161101_20161130.csv": 21,
    "operator/testData1-v2-operator-operator1-anonymized_20161101_20161130.csv": 20,
    "operator/test_duplicate_mk1_dirbs_527_20161115_20161115.csv": "intake-set-aside-ratio",
    "operator/test_operator1_average_duplicate_threshold_20161101_20161130.csv": "intake-leading-one-ratio",
    "operator/test_operator2_average_duplicate_threshold_20161101_20161130.csv": "intake-leading-one-ratio",
    "operator/transient_imei_operator1_20201201_20201231.csv": 266,
    "operator/transient_msisdn_operator1_20201201_20201231.csv": 266,
    "pairing_list/pairing_list_duplicate_imei.csv": 2,
    "pairing_list/pairing_list_duplicate_imei_norm.csv": 2,
    "pairing_list/pairing_list_duplicate_imsi.csv": 2,
    "pairing_list/pairing_list_duplicate_record.csv": 2,
    "pairing_list/pairing_list_empty_file.csv": 0,
    "pairing_list/pairing_list_empty_file_noheaders.csv": "intake-empty",
    "pairing_list/pairing_list_insensitive_header.csv": 1,
    "pairing_list/pairing_list_missing_imei_column.csv": "intake-header-missing",
    "pairing_list/pairing_list_missing_imsi_column.csv": "intake-header-missing",
    "pairing_list/pairing_list_out_of_order_columns.csv": 1,
    "pairing_list/sample_pairing_import_list_anonymized.csv": 3,
    "pairing_list/sample_pairing_list_large.csv": 99,
    "pairing_list/sample_pairinglist.csv": 5,
    "pairing_list/sample_pairinglist_historial_check.csv": 0,
    "pairing_list/sample_pairinglist_invalid_imei.csv": "intake-set-aside-ratio",
    "pairing_list/sample_pairinglist_invalid_imsi.csv": "intake-set-aside-ratio",
    "pairing_list/testData1-sample_pairinglist-anonymized.csv": 7,
    "registration_list/empty_registration_list_historical_check.csv": 0,
    "registration_list/registration_list_hexpound.csv": 20,
    "registration_list/registration_list_hexpound_bad_symbol.csv": 20,
    "registration_list/registration_list_incorrectfiletype.txt": 20,
    "registration_list/registration_list_missingheader.csv": "intake-header-missing",
    "registration_list/registration_list_msisidn_api_test_data.csv": 3,
    "registration_list/sample_registration_list.csv": 20,
    "registration_list/sample_registration_list_duplicate.csv": 20,
    "registration_list/sample_registration_list_historicalcheck.csv": 9,
    "registration_list/sample_registration_list_import_anonymized.csv": 6,
    "registration_list/sample_registration_list_normalize.csv": 5,
    "stolen_list/empty_stolenlist_historical_check.csv": 0,
    "stolen_list/sample_stolen_import_list_anonym.csv": 4,
    "stolen_list/sample_stolen_import_list_anonymized.csv": 6,
    "stolen_list/sample_stolen_list.csv": 19,
    "stolen_list/sample_stolen_list_duplicate.csv": 20,
    "stolen_list/sample_stolen_list_gen_grace_anonymized.csv": 21,
    "stolen_list/sample_stolen_list_historicalcheck.csv": 9,
    "stolen_list/sample_stolen_list_normalize.csv": 5,
    "stolen_list/sample_stolen_list_v1.csv": 20,
    "stolen_list/stolen_list_hexpound.csv": 19,
    "stolen_list/stolen_list_hexpound_bad_symbol.csv": "intake-set-aside-ratio",
    "stolen_list/stolen_list_incorrectfiletype.txt": 20,
    "stolen_list/stolen_list_missingheader.csv": "intake-header-missing",
    "stolen_list/testData1-sample_stolen_list-anonymized.csv": 21,
    "subscriber_reg_list/sample_subscribers_import_list_anonymized.csv": 3,
    "subscriber_reg_list/sample_subscribers_list_large.csv": 99,
    "subscriber_reg_list/sample_subscribers_list_large_drop_5_percent_greater.csv": 90,
    "subscriber_reg_list/sample_subscribers_list_large_drop_5_percent_less.csv": 95,
    "subscriber_reg_list/sample_subscriberslist.csv": 5,
    "subscriber_reg_list/sample_subscriberslist_historial_check.csv": 0,
    "subscriber_reg_list/subscribers1_list_duplicate_uid.csv": 130,
    "subscriber_reg_list/subscribers_list_duplicate_imsi.csv": 2,
    "subscriber_reg_list/subscribers_list_duplicate_record.csv": 2,
    "subscriber_reg_list/subscribers_list_duplicate_uid.csv": 2,
    "subscriber_reg_list/subscribers_list_empty_file.csv": 0,
    "subscriber_reg_list/subscribers_list_empty_file_noheaders.csv": "intake-empty",
    "subscriber_reg_list/subscribers_list_insensitive_header.csv": 1,
    "subscriber_reg_list/subscribers_list_invalid_imsi.csv": "intake-set-aside-ratio",
    "subscriber_reg_list/subscribers_list_invalid_uid.csv": "intake-set-aside-ratio",
    "subscriber_reg_list/subscribers_list_missing_imsi_column.csv": "intake-header-missing",
    "subscriber_reg_list/subscribers_list_missing_uid_column.csv": "intake-header-missing",
    "subscriber_reg_list/subscribers_list_out_of_order_columns.csv": 1,
}

WHY_NOT_THEIRS = {
    "operator/operator1_invalid_rat_code_20160701_20160731.csv": "a RAT code that our table lacks is data",
    "operator/operator1_invalid_rat_length_20160701_20160731.csv": "the same: 5G and NB-IoT came after its table",
    "operator/operator1_invalidfilename.csv": "the operator may be named on the command line instead of the file's name",
    "operator/Foo_Wireless_20160101_20160331.csv": "the same; its test imports it for operator1 too",
    "barred_list/barred_list_incorrectfiletype.txt": "a zip is known by its first octets, not by its name",
    "golden_list/golden_list_incorrectfiletype.txt": "the same",
    "monitoring_list/monitoring_list_incorrectfiletype.txt": "the same",
    "registration_list/registration_list_incorrectfiletype.txt": "the same",
    "stolen_list/stolen_list_incorrectfiletype.txt": "the same",
    "device_association_list/association_list_out_of_order_columns.csv": "columns may stand in any order",
    "pairing_list/pairing_list_out_of_order_columns.csv": "the same",
    "subscriber_reg_list/subscribers_list_out_of_order_columns.csv": "the same",
    "gsma/gsma_dump_commadelimited_2016.txt": "a TAC table may be divided by commas: the plain form is",
    "monitoring_list/monitoring_list_hexpound_bad_symbol.csv": "the one bad row of 20 is set aside, not the file",
    "registration_list/registration_list_hexpound_bad_symbol.csv": "the one bad row of 21 is set aside, not the file",
    "barred_list/sample_barred_list.csv": "fourteen equal digits stand on many handsets: that row is set aside",
}


def bring(register, path: Path):
    kind = KIND_OF_FOLDER[path.parent.name]
    if kind == "sightings":
        named = re.search(r"operator[1-4]", path.name)
        return register.import_sightings(path, operator=named.group() if named else "operator1", at=AT)
    if kind == "tac":
        return register.import_tac_table(path, at=AT)
    return register.import_list(kind, path, by="reg", at=AT)


def files() -> list[str]:
    found = (path.relative_to(DATA).as_posix() for path in DATA.rglob("*") if path.is_file())
    return sorted(name for name in found if name.split("/")[0] not in NOT_FOR_IMPORTERS)


def test_no_file_is_left_out():
    assert files() == sorted(OUTCOMES)
    assert len([path for path in DATA.rglob("*") if path.is_file()]) == 232 + 1  # and their licence
    assert set(WHY_NOT_THEIRS) <= set(OUTCOMES)


@pytest.mark.parametrize("folder", sorted(KIND_OF_FOLDER))
def test_each_file_has_the_outcome_listed(tmp_path, folder):
    found = {}
    for name in [name for name in OUTCOMES if name.startswith(f"{folder}/")]:
        register = new_register(tmp_path / name.replace("/", "-"), POLICY)
        try:
            report = bring(register, DATA / name)
            found[name] = report.accepted
            assert report.rows == report.accepted + report.rejects.rows
            assert register.journal.history()[0].file == Path(name).name
        except IntakeError as refused:
            found[name] = refused.code
            assert register.journal.history() == []
            assert register.lake.files() == []
    assert found == {name: outcome for name, outcome in OUTCOMES.items() if name.startswith(f"{folder}/")}


@pytest.mark.parametrize(
    ("name", "limit", "kept"),
    [
        # limits as its own tests set them: one just above the figure, one just below
        ("operator1_region_check_20160701_20160731.csv", "out_of_region_imsi_ratio = 0.1", False),
        ("operator1_home_check_exceeded_20160701_20160731.csv", "non_home_imsi_ratio = 0.1", False),
        ("operator1_clean_20160701_20160731.csv", "unclean_any_ratio = 0.1", True),
        ("operator1_clean_20160701_20160731.csv", "unclean_any_ratio = 0.09", False),
    ],
)
def test_a_limit_is_kept_at_its_figure_and_passed_above_it(tmp_path, name, limit, kept):
    register = new_register(tmp_path / "home", POLICY.replace(limit.split(" =")[0] + " = 1.0\n", "").replace(
        "[intake.operator]\n", f"[intake.operator]\n{limit}\n"))  # fmt: skip
    if kept:
        assert (
            bring(register, DATA / "operator" / name).accepted
            == len((DATA / "operator" / name).read_text().splitlines()) - 1
        )
    else:
        with pytest.raises(IntakeError, match=limit.split(" =")[0]):
            bring(register, DATA / "operator" / name)


def test_a_month_of_one_sighting_is_refused_after_a_month_of_nineteen(tmp_path):
    """Its tests: 'Failed IMEI per day historic check' when the average falls under nine tenths of what was."""
    register = new_register(tmp_path / "home", POLICY)
    text = "date,imei,imsi,msisdn\n" + "".join(
        f"20160901,3522361000{n:04d},11101000000{n:04d},22100000{n:04d}\n" for n in range(20)
    )
    first = tmp_path / "operator1_20160901_20160901.csv"
    first.write_text(text)
    assert register.import_sightings(first, at=AT).accepted == 20
    with pytest.raises(IntakeError, match=r"distinct IMEIs a day .* 0.05 \(1 of 20\)"):
        bring(register, DATA / "operator" / "operator1_historicalcheck_20161001_20161031.csv")


@pytest.mark.parametrize(
    ("folder", "first", "then", "code"),
    [
        ("device_association_list", "sample_association_list_large.csv",
         "sample_association_list_large_drop_5_percent_less.csv", None),
        ("subscriber_reg_list", "sample_subscribers_list_large.csv",
         "sample_subscribers_list_large_drop_5_percent_less.csv", None),
        ("subscriber_reg_list", "sample_subscribers_list_large.csv",
         "sample_subscribers_list_large_drop_5_percent_greater.csv", "intake-subscribers-drop-ratio"),
        ("stolen_list", "sample_stolen_list.csv", "sample_stolen_list_historicalcheck.csv", "intake-stolen-drop-ratio"),
        ("registration_list", "sample_registration_list.csv", "sample_registration_list_historicalcheck.csv",
         "intake-registration-drop-ratio"),
        ("barred_list", "sample_barred_list.csv", "empty_barredlist_historical_check.csv", "intake-barred-drop-ratio"),
        ("golden_list", "sample_golden_list.csv", "sample_golden_list_historicalcheck.csv", "intake-golden-drop-ratio"),
        ("pairing_list", "sample_pairing_list_large.csv", "sample_pairinglist.csv", "intake-pairing-drop-ratio"),
    ],
)  # fmt: skip
def test_a_list_may_shrink_as_far_as_the_policy_says(tmp_path, folder, first, then, code):
    register = new_register(tmp_path / "home", POLICY)
    bring(register, DATA / folder / first)
    size = register.ledger.size
    if code is None:
        bring(register, DATA / folder / then)
        return
    with pytest.raises(IntakeError) as refused:
        bring(register, DATA / folder / then)
    assert refused.value.code == code
    assert register.ledger.size == size
