"""Private questions: evaluations with their proof, the bucket files of a whole list, a day's additions, an asker's work."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from bench import Beside, Row, Scale, meter, read_apart
from openceir.app import open_register
from openceir.questions import (
    ROW,
    VOPRF,
    Asking,
    Bucket,
    KeyGroup,
    QuestionKey,
    bucket_number,
    make_layer,
    word_in,
)
from openceir.statements import DeviceSet, DeviceStolen, Role
from openceir.storage.question_tree import QuestionTree

_MARCH = datetime(2026, 3, 1, tzinfo=UTC)
_KEY = QuestionKey.of_seed("2026", bytes(range(32)))
_SHARE = QuestionKey("2026", 1, _KEY.scalar)  # the same key without its seed: libsodium does the work
_QUESTIONS = 2_000
_BATCH = 1_000
_NEW_ENTRIES = 200_000
_DAILY = 41_000


def measure(work: Path, scale: Scale) -> list[Row]:
    """Evaluations at fixed sizes; files of as many entries as a month has rows."""
    return [*_evaluating(), *_building(work), _filing(work, scale.month), _asking()]


def _evaluating() -> list[Row]:
    blinded = [VOPRF.blind(b"%014d" % number).element for number in range(_QUESTIONS)]
    speeds, seconds = {}, 0.0
    for name, key in (("ours", _KEY), ("share", _SHARE)):
        with meter() as reading:
            for element in blinded:
                key.answer([element])
        speeds[name], seconds = _QUESTIONS / reading.cpu_seconds, reading.cpu_seconds
    with meter() as batch:
        for start in range(0, _QUESTIONS, _BATCH):
            _KEY.answer(blinded[start : start + _BATCH])
    return [
        Row(
            name="evaluation of one blinded question with its proof", target=">= 3000", unit="questions/CPU-s",
            measured=speeds["ours"], cpu_seconds=seconds,
            beside=(Beside(what="by a share of a key (libsodium)", measured=speeds["share"]),),
        ),
        Row(
            name=f"evaluation of {_BATCH:,} blinded questions with one proof", unit="questions/CPU-s",
            measured=_QUESTIONS / batch.cpu_seconds, cpu_seconds=batch.cpu_seconds,
        ),
    ]  # fmt: skip


def _building(work: Path) -> list[Row]:
    home = work / "questions-build"
    shutil.rmtree(home, ignore_errors=True)
    register = open_register(home)
    register.new_key("police", member="police", roles=[Role.POLICE], valid_from=_MARCH)
    register.new_question_key("2026")
    keys = np.unique(np.random.default_rng(1).integers(10**12, 9 * 10**13, _NEW_ENTRIES + _DAILY))
    np.random.default_rng(2).shuffle(keys)
    _steal(home, keys[:_NEW_ENTRIES])
    first, building = read_apart(_build, home, False)
    _steal(home, keys[_NEW_ENTRIES:])
    further, adding = read_apart(_build, home, True)
    shutil.rmtree(home, ignore_errors=True)
    return [
        Row(
            name=f"bucket files of {first:,} new entries, from claims to signed files", target=">= 11112",
            unit="entries/CPU-s", measured=first / building.cpu_seconds, cpu_seconds=building.cpu_seconds,
            peak_mb=building.peak_mb, note=f"10 M in {10_000_000 / first * building.cpu_seconds / 60:.1f} core-minutes",
        ),
        Row(
            name=f"{further:,} daily additions to them", target="<= 5", unit="CPU-s", measured=adding.cpu_seconds,
            cpu_seconds=adding.cpu_seconds, peak_mb=adding.peak_mb,
        ),
    ]  # fmt: skip


def _steal(home: Path, keys: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> None:
    register = open_register(home)
    said = DeviceStolen(devices=DeviceSet.of(keys=keys), stolen_at=_MARCH, case_number="N-7")
    register.state([said], by="police", at=_MARCH)
    register.ledger.close()


def _build(home: Path, additions: bool) -> int:
    """In a process of its own; how many entries were evaluated."""
    register = open_register(home)
    evaluated = register.build_questions(at=_MARCH, additions=additions).evaluated
    register.ledger.close()
    return evaluated


def _filing(work: Path, entries: int) -> Row:
    folder = work / "questions-files"
    _, reading = read_apart(_write_files, folder, entries)
    shutil.rmtree(folder, ignore_errors=True)
    return Row(
        name=f"files of {entries:,} entries from kept outputs", unit="CPU-s", measured=reading.cpu_seconds,
        cpu_seconds=reading.cpu_seconds, peak_mb=reading.peak_mb, note="what a recovered device costs in the large layer",
    )  # fmt: skip


def _write_files(folder: Path, entries: int) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    rows = np.frombuffer(np.random.default_rng(1).bytes(entries * ROW.itemsize), dtype=ROW)
    layer, files = make_layer("base", rows, np.ones(entries, dtype=np.uint8), bytes(32))
    QuestionTree(folder).write_layer(layer, files)


def _asking() -> Row:
    outputs = _KEY.evaluate([b"%014d" % number for number in range(500)])
    rows = np.frombuffer(b"".join(output[:13] for output in outputs), dtype=ROW)
    layer, files = make_layer("base", rows, np.ones(len(rows), dtype=np.uint8), bytes(32))
    octets, group, count = dict(files), KeyGroup.of_one(_KEY), 200
    asked = [Asking(group, [b"%014d" % number]) for number in range(count)]
    requests = [asking.request() for asking in asked]
    answers = [_KEY.answer([bytes.fromhex(request["elements"][0])]) for request in requests]
    with meter() as reading:
        for number, (evaluated, proof) in enumerate(answers):
            Asking(group, [b"%014d" % number])  # blinding, once more
            asked[number].take(1, {"elements": [evaluated[0].hex()], "proof": proof.hex()})
            [output] = asked[number].outputs()
            place = bucket_number(output, layer.prefix_bits)
            assert word_in(output, Bucket.read(octets[place], layer, place)) is not None
    spent = reading.cpu_seconds
    return Row(
        name="an asker's own work for one answer: blind, verify, open the bucket", unit="ms",
        measured=spent / count * 1000, cpu_seconds=spent,
    )  # fmt: skip
