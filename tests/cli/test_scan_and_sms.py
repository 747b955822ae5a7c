"""`openceir scan` and what `openceir sms serve` refuses before it binds anywhere."""

import json
import random
from pathlib import Path

import pytest
from click.testing import CliRunner

from openceir.cli._main import cli
from scan.a_label import a_label, as_png, draw


def run(*arguments: str):
    return CliRunner().invoke(cli, arguments)


def test_scan_prints_the_numbers_of_a_label(tmp_path: Path):
    label = a_label(random.Random(1))
    photo = tmp_path / "label.png"
    photo.write_bytes(as_png(draw(label)))
    done = run("scan", str(photo), "--no-ocr")
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [f"imei  {imei}  (code-128)" for imei in sorted(label.imeis)]
    told = json.loads(run("scan", str(photo), "--no-ocr", "--json").stdout)
    assert {each["canonical"] for each in told["found"]} == set(label.imeis)


def test_scan_of_a_wall_exits_1_and_says_what_to_do(tmp_path: Path):
    photo = tmp_path / "wall.png"
    photo.write_bytes(as_png(draw(a_label(random.Random(1))).point(lambda grey: 200)))
    done = run("scan", str(photo), "--no-ocr")
    assert done.exit_code == 1
    assert "hold the camera nearer" in done.stdout


def test_scan_of_what_is_no_picture_is_refused(tmp_path: Path):
    file = tmp_path / "label.png"
    file.write_bytes(b"%PDF-1.7")
    done = run("scan", str(file), "--no-ocr")
    assert done.exit_code != 0
    assert getattr(done.exception, "code", "") == "picture-refused"


@pytest.mark.parametrize(
    ("smsc", "system_id", "password", "complaint"),
    [
        ("nowhere", "us", "secret", "HOST:PORT"),
        ("127.0.0.1:0", "us", "secret", "HOST:PORT"),
        ("127.0.0.1:2775", "a name that is too long", "secret", "15 characters"),
        ("127.0.0.1:2775", "us", "longer than eight", "at most 8"),
    ],
)
def test_sms_serve_refuses_what_smpp_cannot_carry(
    tmp_path: Path, smsc: str, system_id: str, password: str, complaint: str
):
    file = tmp_path / "password"
    file.write_text(password)
    done = run(
        "--home", str(tmp_path / "home"), "sms", "serve", "--smsc", smsc, "--system-id", system_id,
        "--password-file", str(file),
    )  # fmt: skip
    assert done.exit_code == 2
    assert complaint in done.stderr
    assert not (tmp_path / "home").exists(), "nothing was made"
