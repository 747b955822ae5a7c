"""docs/start/regulator-files.md: each sample gives what the page says of it, wrong rows included."""

import re
from pathlib import Path

import pytest
from tests.intake.conftest import AT, POLICY, new_register

PAGE = (Path(__file__).parents[2] / "docs" / "start" / "regulator-files.md").read_text(encoding="utf-8")
SAMPLES = re.findall(r"```csv (\S+)\n(.*?)```\n\n> (\d+) accepted(?:; set aside: ([^\n]*))?\n", PAGE, re.DOTALL)
NO_LIMITS = POLICY + "[intake.lists]\nset_aside_ratio = 1.0\n[intake.operator]\n" + "".join(
    f"{name} = 1.0\n" for name in ("set_aside_ratio", "unclean_imei_ratio", "unclean_any_ratio", "leading_one_ratio")
)  # fmt: skip


def test_the_page_has_a_sample_of_every_format():
    assert len(SAMPLES) == PAGE.count("```csv ") == 11


@pytest.mark.parametrize(("name", "text", "accepted", "aside"), SAMPLES, ids=[sample[0] for sample in SAMPLES])
def test_a_sample_gives_what_the_page_says(tmp_path, name, text, accepted, aside):
    register = new_register(tmp_path / "home", NO_LIMITS)
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    kind = path.stem.removesuffix("-delta")
    if kind.startswith("northtel"):
        report = register.import_sightings(path, at=AT)
    elif kind == "tac":
        report = register.import_tac_table(path, at=AT)
    elif kind == "cells":
        report = register.import_cells(path, at=AT)
    else:
        report = register.import_list(kind, path, by="reg", delta=path.stem.endswith("-delta"), at=AT)
    found = [f"line {e.line} {reason}" for reason, examples in report.rejects.examples.items() for e in examples]
    assert report.accepted == int(accepted)
    assert sorted(found) == sorted(filter(None, aside.split(", ")))
