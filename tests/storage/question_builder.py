"""A builder of bucket files that is killed again and again. Run as a script by test_question_build.py.

    python question_builder.py FOLDER ROUNDS SEED

Each round one more phone is stolen, a child builds and kills itself at its n-th touch of the disk, a write cut at half.
Then whatever lies there is read as a stranger would: every bucket verified, and each phone either as before or as now.
"""

import contextlib
import os
import random
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ledger_writer import die_at

from openceir.app import open_register
from openceir.questions import Bucket, Manifest, bucket_number, bucket_path, word_in
from openceir.statements import DeviceSet, DeviceStolen, Role

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)


def listed(home: Path, phones: list[str]) -> list[bool] | None:
    """Which phones the files list; None when there are no files yet. Raises when anything does not verify."""
    register = open_register(home)
    folder = home / "questions" / "public"
    if not (folder / "manifest.json").exists():
        return None
    manifest = Manifest.read((folder / "manifest.json").read_bytes(), register.question_signer())
    for layer in manifest.layers:
        for number in range(layer.buckets):
            Bucket.read((folder / bucket_path(layer, number)).read_bytes(), layer, number)
    found = []
    for output in register.question_key("2027").evaluate([phone.encode() for phone in phones]):
        words = []
        for layer in manifest.layers:
            number = bucket_number(output, layer.prefix_bits)
            octets = (folder / bucket_path(layer, number)).read_bytes()
            words.append(word_in(output, Bucket.read(octets, layer, number)))
        found.append(any(words))
    return found


def main(folder: Path, rounds: int, seed: int) -> None:
    chance = random.Random(seed)
    home = folder / "home"
    register = open_register(home)
    register.new_key("police", member="police", roles=[Role.POLICE], valid_from=NOON)
    register.new_question_key("2027")
    phones: list[str] = []
    for death in range(rounds):
        phones.append(f"0010010000{death:04d}")
        devices = DeviceSet.of(phones[-1])
        register.state([DeviceStolen(devices=devices, stolen_at=NOON, case_number="N-7")], by="police", at=NOON)
        register.ledger.close()
        at, additions, dies_at = NOON + timedelta(days=death), bool(chance.randint(0, 1)), chance.randint(1, 14)
        child = os.fork()
        if child == 0:
            with contextlib.suppress(BaseException):
                die_at(dies_at)
                open_register(home).build_questions(at=at, additions=additions)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        after = listed(home, phones)
        wrong = 0 if after is None else after[:-1].count(False) if death % 2 else 0
        register = open_register(home)
        if death % 2 == 0:  # the next round finds what this one left half done
            register.build_questions(at=at, additions=additions)
            wrong += (listed(home, phones) or [False]).count(False)
        print(f"{death} killed={os.WIFSIGNALED(status)} wrong={wrong}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
