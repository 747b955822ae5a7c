"""Whatever stands in a list: it is read or refused with a sentence, and no row is lost."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.intake.conftest import AT

from openceir.intake import (
    Bounds,
    IntakeError,
    ListKind,
    Rejects,
    read_associations,
    read_cells,
    read_list,
    read_subscribers,
    read_tacs,
)
from openceir.progress import Silent

HEADERS = st.sampled_from(
    ["imei", "approved_imei,make,status,device_id,serial_number,eid", "imei_from,imei_to", "tac,brand,model", "uid,imei", "uid,imsi",
     "imei,imsi,msisdn", "operator,cell,lat,lon,radius_m", "imei,reporting_date,status,change_type", "tac|Manufacturer|Bands",
     "imei,imei_from,imei_to,date", "uid,imsi,change_type", "", "imei,imei"]
)  # fmt: skip
FIELDS = st.one_of(
    st.sampled_from(
        ["00100100000001", "001001000000018", "00100300000000-00100300000999", "00100300000009-00100300000000", "ABC#", "", " ",
         "20261001", "20269999", "whitelist", "add", "remove", "nan", "inf", "1e400", "-91", "00440015202000", "a" * 70,
         "89049032123451234512345678901235", "00100200", "-", '"', "٣"]
    ),
    st.text(max_size=6),
)  # fmt: skip
READERS = {
    **{kind.value: kind for kind in ListKind},
    "tac": read_tacs, "cells": read_cells, "association": read_associations, "subscribers": read_subscribers,
}  # fmt: skip


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=60, deadline=None)
@given(header=HEADERS, rows=st.lists(st.lists(FIELDS, max_size=7), max_size=8), delta=st.booleans())
def test_no_list_breaks_its_reader_or_loses_a_row(tmp_path_factory, name, header, rows, delta):
    path = tmp_path_factory.getbasetemp() / f"fuzz-{name}.csv"
    divider = "|" if "|" in header else ","
    path.write_text("\n".join([header, *(divider.join(row) for row in rows)]) + "\n", encoding="utf-8", newline="")
    aside = []
    rejects = Rejects(aside.extend)
    how = {"bounds": Bounds(), "rejects": rejects, "progress": Silent()}
    reader = READERS[name]
    try:
        if isinstance(reader, ListKind):
            read = read_list(reader, path, delta=delta, on=AT.date(), **how)
        elif reader is read_cells:
            read = read_cells(path, "northtel", **how)
        elif reader is read_tacs:
            read = read_tacs(path, **how)
        else:
            read = reader(path, delta=delta, **how)
    except IntakeError as refused:
        assert refused.code.startswith("intake-")  # noqa: PT017
        return
    lines = path.read_bytes().split(b"\n")[1:]
    filled = sum(line not in (b"", b"\r") for line in lines)
    assert read.rows == read.accepted + len(aside) == filled
    assert len({line for line, *_ in aside}) == len(aside), "a row is set aside once"
