"""Every decoder withstands the fuzzer for a while: the same inputs each time, so that a failure is a fault and no luck."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def run_fuzz(work: Path, *how: str) -> subprocess.CompletedProcess[str]:
    pytest.importorskip("atheris", reason="atheris, the fuzzer, has no wheel for this Python or machine")
    command = [sys.executable, "-m", "fuzz", "--work", str(work), *how]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_every_decoder_withstands_the_fuzzer(tmp_path):
    done = run_fuzz(tmp_path, "--runs", "500")
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(done.stdout.splitlines()) == len(list(tmp_path.iterdir())) > 25


def test_a_decoder_that_lets_another_error_out_is_caught(tmp_path):
    """The trap itself: a decoder that the table says may raise nothing, and that raises at once."""
    program = """
import sys
from pathlib import Path
from fuzz.running import Target, fuzz
sound, line = fuzz(Target("trap", lambda octets: {}[octets[1:2] == b"x"], (), [b"seed"], 8), ["-runs=10"], Path(sys.argv[1]))
print(sound, line)
"""
    pytest.importorskip("atheris", reason="atheris, the fuzzer, has no wheel for this Python or machine")
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("False trap")
    assert "KeyError" in done.stdout
    assert list((tmp_path / "trap").glob("crash-*"))
