"""The book: statements taken in, receipts checked, a long log opened, many devices in one statement."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from bench import Beside, Row, Scale, meter, read_apart
from openceir.ledger import (
    CommittedState,
    Held,
    Ledger,
    MerkleLog,
    Receipt,
    StateMap,
    TokenKey,
    hash_leaf,
    make_receipt,
    token_text,
    verify_receipt,
    verify_state,
)
from openceir.statements import (
    DeviceSet,
    DeviceStolen,
    MemberKey,
    Members,
    Role,
    SignedStatement,
    SigningKey,
    StateCommitted,
    sign,
)
from openceir.storage.key_files import LogKeyFiles
from openceir.storage.ledger_files import LedgerFiles
from openceir.storage.payloads import Payloads

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
KEY = SigningKey("police", bytes(range(32)))
MEMBERS = Members().with_key("police", MemberKey(KEY.public, NOON), [Role.POLICE])
BLOCK = 500
STATEMENTS = 10_000
RECEIPTS = 1_000
DEVICES = 100_000


def measure(work: Path, scale: Scale) -> list[Row]:
    """Ten thousand statements of one device each; a log of as many entries as a tenth of the month's rows."""
    long_log = scale.month // 10
    return [_appending(work), _verifying_receipts(work), _opening(work, long_log), *_many_devices(work), *_state(scale)]


def _opened(folder: Path) -> Ledger:
    return Ledger(
        LedgerFiles(folder), Payloads(folder / "payloads.sqlite"), MEMBERS, LogKeyFiles(folder / "k", folder / "v")
    )


def _fresh(work: Path, name: str) -> Path:
    folder = work / f"ledger-{name}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _signed(devices: DeviceSet, number: int) -> SignedStatement:
    said = DeviceStolen(devices=devices, stolen_at=NOON, case_number=f"N-{number}")
    return sign(said, KEY, issuer="police", stated_at=NOON, salt=number.to_bytes(16))


def _append(folder: Path, files: list[bytes]) -> None:
    ledger = _opened(folder)
    for at in range(0, len(files), BLOCK):
        ledger.append([SignedStatement.read(file) for file in files[at : at + BLOCK]], NOON)
    ledger.close()


def _state(scale: Scale) -> list[Row]:
    """The map of all devices' states at a million entries, and one device's file at the size of a nation's reports."""
    entries, changes = scale.month // 10, 1_000
    dice = np.random.default_rng(11)
    tokens = [dice.bytes(32) for _ in range(entries)]
    with meter() as loading:
        made = StateMap((token, token) for token in tokens)
    updates = [{dice.bytes(32): bytes(32) for _ in range(changes)} for _ in range(20)]
    with meter() as updating:
        for update in updates:
            made.update(update)
    key = TokenKey(bytes(32))
    with meter() as deriving:
        for number in range(changes):
            key.token(token_text("imei", f"{number:014d}"))
    state = CommittedState(key)
    state.update({token: [Held("police", "stolen", "", 1_800_000_000)] for token in tokens})
    said = StateCommitted(size=1, epoch=1, token_key=key.public, root=state.root(), as_of_at=NOON)
    signed = sign(said, KEY, issuer="regulator", stated_at=NOON, salt=bytes(16))
    tree = MerkleLog()
    tree.extend([hash_leaf(signed.octets), *tokens])
    receipt = Receipt.make(tree, 0, KEY, at=NOON)
    file = make_receipt(signed.octets, receipt, disclose=(signed.salt, signed.payload))
    texts = [token_text("imei", f"{number:014d}") for number in range(changes)]
    with meter() as proving:
        proofs = [state.prove(text, number, (), file) for number, text in enumerate(texts)]
    with meter() as verifying:
        for number, (text, proof) in enumerate(zip(texts, proofs, strict=True)):
            assert verify_state(proof, text, number, KEY.public).is_absent
    return [
        Row(
            name=f"state map of {entries:,} entries, {changes:,} changes at a time", unit="changes/CPU-s",
            measured=20 * changes / updating.cpu_seconds, cpu_seconds=updating.cpu_seconds,
            beside=(Beside(what="the map built from nothing", measured=entries / loading.cpu_seconds),),
        ),
        Row(
            name="tokens of devices for a new epoch", unit="tokens/CPU-s",
            measured=changes / deriving.cpu_seconds, cpu_seconds=deriving.cpu_seconds,
        ),
        Row(
            name=f"proof that a device is absent, made from {entries:,} entries", unit="ms",
            measured=proving.cpu_seconds / changes * 1000, cpu_seconds=proving.cpu_seconds,
        ),
        Row(
            name="the same verified offline, with its receipt", unit="ms", target="<= 1",
            measured=verifying.cpu_seconds / changes * 1000, cpu_seconds=verifying.cpu_seconds,
            note=f"{len(proofs[0]):,} octets",
        ),
    ]  # fmt: skip


def _appending(work: Path) -> Row:
    """Decoding, Ed25519, role, duplicate, tree, payloads, fsynced block, checkpoint; the sender's signing is not ours."""
    files = [_signed(DeviceSet.of(keys=[number]), number).write() for number in range(STATEMENTS)]
    messages = [SignedStatement.read(file).octets for file in files]
    signatures = [(message, KEY.sign(message)) for message in messages]
    with meter() as bare:
        for message, signature in signatures:
            assert KEY.public.has_signed(message, signature)
    _, reading = read_apart(_append, _fresh(work, "append"), files)
    return Row(
        name=f"{STATEMENTS:,} signed statements logged end to end, {BLOCK} a block",
        measured=STATEMENTS / reading.cpu_seconds, unit="statements/CPU-s", target=">= 8000",
        cpu_seconds=reading.cpu_seconds, peak_mb=reading.peak_mb,
        beside=(Beside(what="libsodium, their signatures alone", measured=STATEMENTS / bare.cpu_seconds),),
    )  # fmt: skip


def _verifying_receipts(work: Path) -> Row:
    ledger = _opened(work / "ledger-append")
    step = STATEMENTS // RECEIPTS
    receipts = [ledger.receipt(index, at=NOON) for index in range(0, STATEMENTS, step)]
    log_key = ledger.log_key
    ledger.close()
    with meter() as reading:
        for receipt in receipts:
            verify_receipt(receipt, log_key, MEMBERS)
    return Row(
        name=f"receipt of a log of {STATEMENTS:,} entries verified offline, issuer's signature included",
        measured=reading.cpu_seconds / RECEIPTS * 1000, unit="ms", target="<= 1",
        cpu_seconds=reading.cpu_seconds, note=f"{len(receipts[0]):,} octets",
    )  # fmt: skip


def _opening(work: Path, entries: int) -> Row:
    """As every command does: digests of all blocks, the tree beside the log, its root under the checkpoint."""
    folder = work / f"ledger-long-{entries}"
    if not (folder / "log").exists():
        for first in range(0, entries, STATEMENTS):
            last = min(first + STATEMENTS, entries)
            _append_signed(folder, [_signed(DeviceSet.of(keys=[number]), number) for number in range(first, last)])
    whole = _opening_cpu(folder)
    (folder / "tree").rename(folder / "tree.aside")
    rebuilt = _opening_cpu(folder)
    (folder / "tree.aside").rename(folder / "tree")
    return Row(
        name=f"log of {entries:,} entries opened and held against its checkpoint", measured=whole, unit="CPU-s",
        cpu_seconds=whole, beside=(Beside(what="tree rebuilt from the entries", measured=rebuilt),),
    )  # fmt: skip


def _append_signed(folder: Path, signed: list[SignedStatement]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    ledger = _opened(folder)
    ledger.append(signed, NOON)
    ledger.close()


def _opening_cpu(folder: Path) -> float:
    with meter() as reading:
        _opened(folder).close()
    return reading.cpu_seconds


def _many_devices(work: Path) -> list[Row]:
    dice = np.random.default_rng(7)
    scattered = dice.integers(0, 2000, DEVICES) * 1_000_000 + 35_000_000_000_000 + dice.integers(0, 10**6, DEVICES)
    run = np.arange(35_123_456_000_000, 35_123_456_000_000 + DEVICES)
    return [_one_statement(work, "scattered over 2,000 TACs", scattered), _one_statement(work, "of one run", run)]


def _one_statement(work: Path, what: str, keys: Any) -> Row:
    devices = DeviceSet.of(keys=keys)
    signed = _signed(devices, 1)
    folder = _fresh(work, "devices")
    ledger = _opened(folder)
    ledger.append([_signed(DeviceSet.of(keys=[1]), 2)], NOON)  # the lock, the key and the files are there
    with meter() as reading:
        ledger.append([SignedStatement.read(signed.write())], NOON)
    ledger.close()
    return Row(
        name=f"one statement of {devices.count:,} IMEIs {what} logged", measured=reading.cpu_seconds * 1000, unit="ms",
        cpu_seconds=reading.cpu_seconds, note=f"payload {len(signed.payload):,} octets, {len(signed.octets)} on the log",
    )  # fmt: skip
