"""The urgent path: a theft logged at the centre, until both of its EIRs answer a network with it over S13."""

import shutil
import statistics
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import numpy as np

from bench import Row, Scale, meter
from openceir import clock
from openceir.statements import DeviceBlocked, DeviceSet

# The centre and the EIRs are those of the tests: the commands as they are installed, TLS with certificates on both sides.
sys.path.append(str(Path(__file__).parent.parent / "tests"))

_FIRST_BLOCKED = 35_000_000_000_000
_THEFTS = 5


def measure(work: Path, scale: Scale) -> list[Row]:
    """Seconds from the statement to the answer, with ten thousand and a million blocked; at full scale ten millions too."""
    sizes = [10_000, 1_000_000] + ([10_000_000] if scale.name == "full" else [])
    return [_of(work, blocked) for blocked in sizes]


def _of(work: Path, blocked: int) -> Row:
    from eir.a_centre import ACentre, Certificates, free_port, served
    from eir.an_eir import BLACKLISTED, AnEirProcess

    folder = Path(tempfile.mkdtemp(prefix="urgent-", dir=work))
    certificates, centre, port = Certificates(folder / "certificates"), ACentre(folder / "centre"), free_port()
    at = clock.now()
    many = DeviceSet.of(keys=np.arange(_FIRST_BLOCKED, _FIRST_BLOCKED + blocked).tolist())
    order = DeviceBlocked(devices=many, blocked_at=at - timedelta(days=1), grounds="a shipload")
    centre.register.state([order], by="regulator", at=at)
    centre.makes_lists()
    eirs: list[AnEirProcess] = []
    took, cpu = [], []
    try:
        with served(centre, certificates, port):
            eirs += [AnEirProcess(folder / name, centre, certificates, port) for name in ("one", "two")]
            for eir in eirs:
                eir.says("lists taken")
            for number in range(_THEFTS):
                time.sleep(3)  # what the theft before set going has ended
                phone = f"001001000100{number:02}"
                with meter() as reading:
                    began = time.monotonic()
                    centre.steals(phone)
                    while any(eir.answers(phone) != [BLACKLISTED] for eir in eirs):
                        if time.monotonic() - began > 120:
                            raise RuntimeError("a theft was not answered within two minutes")
                        time.sleep(0.02)
                    took.append(time.monotonic() - began)
                cpu.append(reading.cpu_seconds)
    finally:
        for eir in eirs:
            eir.end()
        shutil.rmtree(folder)
    return Row(
        name=f"a theft logged at the centre until two EIRs answer with it over S13, {blocked:,} blocked", target="<= 5", unit="s",
        measured=statistics.median(took), cpu_seconds=statistics.median(cpu),
        note=f"the median of {_THEFTS}, the longest {max(took):.2f} s; CPU of the centre, its lists' maker, both EIRs and the asking",
    )  # fmt: skip
