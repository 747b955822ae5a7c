"""Private questions: keys of epochs, the bucket files, and who may ask how often."""

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from openceir.app.bureau import Bureau
from openceir.identity import NON_UNIQUE_KEYS, ODD_DEVICE_BASE
from openceir.progress import Progress, Silent
from openceir.statements import PublicKey
from openceir.status import Status
from openceir.storage.database import Database
from openceir.storage.files import replace_file
from openceir.storage.key_files import LogKeyFiles, read_secret

if TYPE_CHECKING:
    import numpy.typing as npt

    from openceir.questions import AnonymousToken, KeyGroup, QuestionKey, RestrictedRange, TokenIssuer
    from openceir.status.claim import Keys
    from openceir.storage.question_outputs import OutputCache
    from openceir.storage.question_spending import QuestionSpending
    from openceir.storage.question_tree import QuestionTree

__all__ = ["BuiltQuestions", "PrivateQuestions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltQuestions:
    """What a build of the bucket files did."""

    epoch: str
    entries: int
    evaluated: int  # the rest was known from builds before
    ranges: int
    layers: tuple[str, ...]
    ledger_size: int


class PrivateQuestions(Bureau):
    """Answers that give nothing away (docs/reference/questions.md)."""

    # -- keys -----------------------------------------------------------------------------------------------------

    def new_question_key(self, epoch: str) -> "KeyGroup":
        """Make the whole key of an epoch, held here alone. Raises: QuestionError when there is one."""
        from openceir.questions import KeyGroup, QuestionKey

        key = QuestionKey.of_seed(epoch, os.urandom(32))
        group = KeyGroup.of_one(key)
        self.install_question_key(key, group)
        return group

    def install_question_key(self, key: "QuestionKey", group: "KeyGroup") -> None:
        """Keep a key or share and the group it belongs to. Raises: QuestionError when the epoch has one already."""
        from openceir.questions import QuestionError

        path = self.home / "keys" / f"questions-{key.epoch}.key"
        if path.exists():
            raise QuestionError(
                f"there is a key of the epoch {key.epoch} already; an epoch has one key. Name another epoch"
            )
        if group.member(key.index).public != key.public or group.epoch != key.epoch:
            raise QuestionError("the share does not belong to the group; take both from the same making")
        # made now, by one process: two that answered the first question at once would make two
        self._question_signing.private()
        self.token_issuer  # noqa: B018 - its secret is made
        replace_file(path, key.format().encode() + b"\n", mode=0o600)
        # the key first: from here on a restart finds an epoch that it can answer for
        replace_file(self._groups / f"{key.epoch}.json", json.dumps(group.as_json(), indent=1).encode() + b"\n")

    @property
    def _groups(self) -> Path:
        return self.home / "questions" / "groups"

    def question_epoch(self) -> str:
        """The epoch that is built and answered now: the last by name. Raises: NoSuchEpoch."""
        from openceir.questions import NoSuchEpoch

        epochs = sorted(path.stem for path in self._groups.glob("*.json"))
        if not epochs:
            raise NoSuchEpoch("private questions have no key here; `openceir questions new-key EPOCH` makes one")
        return epochs[-1]

    def question_group(self, epoch: str) -> "KeyGroup":
        """Who answers for an epoch. Raises: NoSuchEpoch."""
        from openceir.questions import KeyGroup, NoSuchEpoch, is_epoch

        path = self._groups / f"{epoch}.json"
        if not is_epoch(epoch) or not path.exists():
            raise NoSuchEpoch("no key of that epoch is held here; fetch the manifest again")
        return KeyGroup.from_json(json.loads(path.read_text()))

    def question_key(self, epoch: str) -> "QuestionKey":
        """Our secret of an epoch. Raises: NoSuchEpoch; KeyRefused when others can read it."""
        from openceir.questions import QuestionKey, is_epoch

        held: dict[str, QuestionKey] = self.__dict__.setdefault("_question_keys", {})
        if epoch not in held:
            self.question_group(epoch if is_epoch(epoch) else "")
            held[epoch] = QuestionKey.parse(read_secret(self.home / "keys" / f"questions-{epoch}.key").decode())
        return held[epoch]

    @cached_property
    def _question_signing(self) -> LogKeyFiles:
        return LogKeyFiles(self.home / "keys" / "questions.key", self.home / "questions" / "questions.vkey")

    def question_signer(self) -> PublicKey:
        """The public key that signs manifests; what askers pin. Raises: KeyRefused before the first build."""
        return self._question_signing.public()

    # -- building -------------------------------------------------------------------------------------------------

    @cached_property
    def question_tree(self) -> "QuestionTree":
        """The files that are served."""
        from openceir.storage.question_tree import QuestionTree

        return QuestionTree(self.home / "questions" / "public")

    def build_questions(
        self,
        *,
        at: datetime,
        additions: bool = False,
        evaluate: Callable[[Sequence[bytes]], Sequence[bytes]] | None = None,
        progress: Progress = Silent(),
    ) -> BuiltQuestions:
        """Make and publish the bucket files of every listed device, as of `at`.

        With `additions` the large layer stays as it is and what came since goes into a small one; what is listed no
        longer drops out at the next build without it. `evaluate` asks the members of a shared key; a key held here
        alone needs none.
        Raises: QuestionError when the key is shared and `evaluate` is missing.
        """
        from openceir.questions import QuestionError
        from openceir.storage.question_outputs import OutputCache
        from openceir.storage.question_tree import one_build_at_a_time

        epoch = self.question_epoch()
        group, key = self.question_group(epoch), self.question_key(epoch)
        if group.threshold > 1 and evaluate is None:
            raise QuestionError(
                f"the key of {epoch} is shared: {group.threshold} members must evaluate the list; name them with --member"
            )
        self.catch_up()
        with one_build_at_a_time(self.home / "questions"):
            cache = OutputCache(self.home / "questions" / "outputs" / epoch)
            cache.sweep()
            return self._build_questions(group, key, evaluate or key, cache, at, additions, progress)

    def _build_questions(
        self,
        group: "KeyGroup",
        key: "QuestionKey",
        evaluate: "QuestionKey | Callable[[Sequence[bytes]], Sequence[bytes]]",
        cache: "OutputCache",
        at: datetime,
        additions: bool,
        progress: Progress,
    ) -> BuiltQuestions:
        from openceir.questions import Manifest, format_ranges, make_layer
        from openceir.storage.question_outputs import changed_since, evaluate_in_parallel

        devices, words, ranges = self._listed(at)
        known, _ = cache.load()
        missing = np.setdiff1d(devices, known, assume_unique=True)
        evaluate_in_parallel(
            missing,
            self._question_subjects,
            evaluate,
            cache.add,
            processes=self.settings.threads,
            progress=progress,
        )
        known, rows = cache.load()
        filling_key = hashlib.sha256(b"openceir-filling/1" + key.scalar).digest()
        before = self.question_tree.manifest() if additions else None
        base = cache.base(before.layers[0].tree) if before is not None else None
        if before is None or base is None:
            layers, fresh = [], np.ones(len(devices), dtype=np.bool_)
        else:
            layers, fresh = [before.layers[0]], changed_since(base, devices, words)
        name = "additions" if layers else "base"
        places = np.searchsorted(known, devices[fresh])
        layer, files = make_layer(name, rows[places], words[fresh], filling_key)
        self.question_tree.write_layer(layer, files)
        if name == "base":
            cache.keep_base(layer.tree, devices, words)
        manifest = Manifest(
            group=group,
            made_at=at,
            stale_at=at + timedelta(days=self.settings.questions_stale_after_days),
            ledger_size=self.ledger.size,
            checkpoint=self.ledger.checkpoint().format() if self.ledger.size else "",
            log_key=self.ledger.log_key if self.ledger.size else None,
            layers=(*layers, layer),
            ranges_sha256=self.question_tree.write_ranges(format_ranges(ranges)),
        )
        self.question_tree.publish(manifest, manifest.sign(self._question_signing.private()))
        listed = np.isin(known, devices, assume_unique=True)
        if name == "base" and not listed.all():
            cache.keep_only(known[listed], rows[listed])
        return BuiltQuestions(
            epoch=group.epoch,
            entries=len(devices),
            evaluated=len(missing),
            ranges=len(ranges),
            layers=tuple(one.name for one in manifest.layers),
            ledger_size=manifest.ledger_size,
        )

    def _listed(self, at: datetime) -> "tuple[Keys, npt.NDArray[np.uint8], list[RestrictedRange]]":
        """Every device that has an entry, ascending, with its word; and the ranges that are restricted as a whole."""
        from openceir.questions import RestrictedRange, Word

        first, last, of_ranges = self.claims.range_statuses(at)
        restricted = of_ranges.where(Status.BLOCKED) | of_ranges.where(Status.TRACKED)
        first, last, blocked = first[restricted], last[restricted], of_ranges.where(Status.BLOCKED)[restricted]
        statuses = self.claims.statuses(at, devices=np.array(sorted(NON_UNIQUE_KEYS), dtype=np.int64))
        words = np.zeros(len(statuses.device), dtype=np.uint8)
        for status, word in ((Status.BLOCKED, Word.BLOCKED), (Status.TRACKED, Word.TRACKED)):
            words[statuses.where(status)] = word
        # named singly inside a restricted range and not restricted: the range must not answer for it
        place = np.searchsorted(first, statuses.device, "right") - 1
        inside = (place >= 0) & (statuses.device <= last[place]) if len(first) else np.zeros(len(words), dtype=np.bool_)
        words[inside & (words == 0)] = Word.EXEMPT
        devices, words = statuses.device[words > 0], words[words > 0]
        askable = devices < ODD_DEVICE_BASE
        odd = self.identifiers.texts_of(devices[~askable].tolist())
        askable |= np.fromiter((odd.get(key, ("malformed",))[0] != "malformed" for key in devices.tolist()), np.bool_)
        ranges = [
            RestrictedRange(f"{lo:014d}", f"{hi:014d}", Word.BLOCKED if is_blocked else Word.TRACKED)
            for lo, hi, is_blocked in zip(first.tolist(), last.tolist(), blocked.tolist(), strict=True)
            if hi < ODD_DEVICE_BASE
        ]
        return devices[askable], words[askable], ranges

    def _question_subjects(self, keys: Sequence[int]) -> list[bytes]:
        from openceir.questions import subject_of_key

        others = self.identifiers.texts_of([key for key in keys if key >= ODD_DEVICE_BASE])
        return [subject for key in keys if (subject := subject_of_key(key, others.get(key))) is not None]

    # -- answering ------------------------------------------------------------------------------------------------

    @cached_property
    def question_spending(self) -> "QuestionSpending":
        """What was asked and drawn today and yesterday."""
        from openceir.storage.question_spending import QuestionSpending

        return QuestionSpending(Database(self.home / "questions" / "spending.sqlite"))

    @cached_property
    def token_issuer(self) -> "TokenIssuer":
        """The keys of anonymous tokens, from a secret made when first needed."""
        from openceir.questions import TokenIssuer

        path = self.home / "keys" / "questions-tokens.key"
        if not path.exists():
            replace_file(path, os.urandom(32), mode=0o600)
        return TokenIssuer(read_secret(path))

    def question_key_document(self, on: date) -> bytes:
        """The signed document of who we are among the evaluators, and the public keys of today's and tomorrow's tokens."""
        from openceir.questions import KEY_DOCUMENT_KIND, sign_document

        epoch = self.question_epoch()
        days = (on, on + timedelta(days=1))
        document = {
            "group": self.question_group(epoch).as_json(),
            "index": self.question_key(epoch).index,
            "token_keys": [
                {"day": day.isoformat(), "public_key": self.token_issuer.public_of(day).hex()} for day in days
            ],
            "tokens_per_day": self.settings.questions_tokens_per_day,
        }
        return sign_document(KEY_DOCUMENT_KIND, document, self._question_signing.private())

    def evaluate_for_token(
        self, epoch: str, blinded: Sequence[bytes], tokens: "Sequence[AnonymousToken]", today: date
    ) -> tuple[list[bytes], bytes]:
        """Evaluations of one element a token, which is then spent.

        Raises: TokenFalse, TokenSpent, NoSuchEpoch, ElementRefused; nothing is spent then.
        """
        from openceir.questions import TokenFalse, read_element

        key = self.question_key(epoch)
        for element in blinded:
            read_element(element)
        if len(tokens) != len(blinded):
            raise TokenFalse(f"{len(blinded)} questions need as many anonymous tokens, {len(tokens)} came")
        for token in tokens:
            self.token_issuer.verify(token, today)
        # spent before it is answered: a crash in between costs the asker a token, never us a second answer
        self.question_spending.spend(tokens, today)
        return key.answer(blinded)

    def evaluate_for_partner(
        self, epoch: str, blinded: Sequence[bytes], name: str, now: datetime
    ) -> tuple[list[bytes], bytes]:
        """Evaluations for who holds an access token, out of its quota. Raises: QuotaSpent, NoSuchEpoch, ElementRefused."""
        from openceir.questions import read_element
        from openceir.storage.question_spending import Allowance

        key = self.question_key(epoch)
        for element in blinded:
            read_element(element)
        most = Allowance(self.settings.questions_partner_per_minute, self.settings.questions_partner_per_day)
        self.question_spending.count_questions(name, len(blinded), most, now)
        return key.answer(blinded)

    def issue_tokens(self, address: str, blinded: Sequence[bytes], now: datetime) -> tuple[list[bytes], bytes]:
        """Anonymous tokens for today, as many as the address may still draw. Raises: QuotaSpent, ElementRefused."""
        from openceir.questions import evaluate_blinded, read_element
        from openceir.storage.question_spending import Allowance

        limits = self.settings
        for element in blinded:
            read_element(element)
        self.question_spending.count_tokens(
            address,
            len(blinded),
            Allowance(limits.questions_tokens_per_minute, limits.questions_tokens_per_day),
            Allowance(limits.questions_tokens_per_minute_in_all, limits.questions_tokens_per_day_in_all),
            now,
        )
        return evaluate_blinded(self.token_issuer.key_of(now.date()), blinded)
