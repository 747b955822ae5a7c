"""Ask a register privately: evaluate with its members, look the output up in the bucket files, believe nothing unproved."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from openceir.asking.answer import PrivateAnswer
from openceir.asking.fetching import Fetcher
from openceir.asking.members import MemberEvaluator
from openceir.errors import OpenceirError
from openceir.progress import Progress, Silent
from openceir.questions import (
    LARGEST_OCTETS,
    LARGEST_RANGES,
    MOST_IN_BATCH,
    Asking,
    Bucket,
    KeyGroup,
    KeyGroupRefused,
    Layer,
    Manifest,
    NoAnswer,
    NotAskable,
    QuotaSpent,
    RestrictedRange,
    Word,
    bucket_number,
    bucket_path,
    range_word,
    read_ranges,
    signer_of,
    subject_of_text,
    word_in,
)
from openceir.statements import PublicKey

__all__ = ["PrivateAsker"]


class PrivateAsker:
    """One register's private answers. Raises: NoAnswer from every method when nothing can be believed."""

    def __init__(
        self,
        register: str,
        *,
        members: Sequence[str] = (),
        buckets: str | None = None,
        signer: PublicKey | None = None,
        log: PublicKey | None = None,
        access_tokens: Sequence[str] = (),
        fetcher: Fetcher | None = None,
    ) -> None:
        """`signer` is the pinned key of manifests; without it the register's own word is taken for it.

        `log` is the pinned key of the register's log, from which the files must have been made.
        `members` are asked in place of the addresses in the manifest; `buckets` is another host of the same files.
        `access_tokens` are one for each of `members`, in their order, or one that all of them know.
        """
        if len(access_tokens) > 1 and len(access_tokens) != len(members):
            raise NoAnswer(
                f"{len(access_tokens)} access tokens for {len(members)} members; give one for all, or one each"
            )
        self._register = register.rstrip("/")
        self._members = members
        self._buckets = (buckets or register).rstrip("/")
        self.signer = signer
        self.is_pinned = signer is not None
        self._log = log
        self._access_tokens = access_tokens
        self._fetcher = fetcher or Fetcher()
        self._evaluators: list[MemberEvaluator] | None = None
        self._read: dict[tuple[str, int], Bucket] = {}

    def ask(
        self, values: Sequence[str], now: datetime, progress: Progress = Silent()
    ) -> list[PrivateAnswer | OpenceirError]:
        """An answer, or why there is none, for each value in order; a value that is no identifier is not sent.

        Raises: NoAnswer, QuotaSpent when the questions could not be asked at all.
        """
        subjects: list[bytes | NotAskable] = []
        for value in values:
            try:
                subjects.append(subject_of_text(value))
            except NotAskable as wrong:
                subjects.append(wrong)
        asked = list(dict.fromkeys(subject for subject in subjects if isinstance(subject, bytes)))
        found: dict[bytes, tuple[Word | None, bool]] = {}
        manifest = self.manifest(now) if asked else None
        if manifest is not None:
            ranges = self._ranges(manifest)
            outputs = self.evaluate(manifest.group, asked, now, progress)
            for subject, output in zip(asked, outputs, strict=True):
                found[subject] = self._look_up(manifest, ranges, subject, output)
        answers: list[PrivateAnswer | OpenceirError] = []
        for value, meant in zip(values, subjects, strict=True):
            if isinstance(meant, NotAskable):
                answers.append(meant)
                continue
            assert manifest is not None
            word, by_range = found[meant]
            answers.append(
                PrivateAnswer(
                    value=value,
                    listed_as=word,
                    by_range=by_range,
                    as_of=manifest.made_at,
                    ledger_size=manifest.ledger_size,
                )
            )
        return answers

    def manifest(self, now: datetime) -> Manifest:
        """The manifest in force, verified and fresh."""
        octets = self._fetcher.get(f"{self._buckets}/questions/manifest.json")
        if self.signer is None:
            self.signer = signer_of(octets)
        manifest = Manifest.read(octets, self.signer)
        if self._log is not None:
            manifest.verify_log(self._log)
        manifest.verify_fresh(now)
        return manifest

    def evaluate(
        self, group: KeyGroup, subjects: Sequence[bytes], now: datetime, progress: Progress = Silent()
    ) -> Iterator[bytes]:
        """The output of each subject, from as many members as the group's threshold asks for."""
        for start in range(0, len(subjects), MOST_IN_BATCH):
            asking = Asking(group, subjects[start : start + MOST_IN_BATCH])
            request, silent = asking.request(), []
            for index, evaluator in self._of_group(group):
                try:
                    asking.take(index, evaluator.evaluate(request, now.date()))
                except (NoAnswer, QuotaSpent) as wrong:
                    silent.append(str(wrong))
                    if group.threshold == len(group.members):
                        raise
                if asking.is_answered:
                    break
            if not asking.is_answered:
                raise KeyGroupRefused(
                    f"too few of the {group.threshold} members that are needed gave an answer: {'; '.join(silent) or 'none was named'}"
                )
            yield from asking.outputs()
            progress("asked", min(start + MOST_IN_BATCH, len(subjects)), len(subjects))

    def _of_group(self, group: KeyGroup) -> Iterator[tuple[int, MemberEvaluator]]:
        """The members that can be asked, each with its number."""
        if self._members or group.threshold == 1:
            if self._evaluators is None:
                self._evaluators = [
                    self._member(url, place) for place, url in enumerate(self._members or [self._register])
                ]
            for evaluator in self._evaluators:
                try:
                    yield evaluator.index, evaluator
                except NoAnswer:
                    if len(self._evaluators) == group.threshold:
                        raise
            return
        for place, member in enumerate(group.members):
            yield member.index, self._member(member.url or self._register, place)

    def _member(self, url: str, place: int) -> MemberEvaluator:
        is_register, tokens = url.rstrip("/") == self._register, self._access_tokens
        token = None if not tokens else tokens[0] if len(tokens) == 1 else tokens[place]
        return MemberEvaluator(url, self._fetcher, signer=self.signer if is_register else None, access_token=token)

    def _ranges(self, manifest: Manifest) -> list[RestrictedRange]:
        name = f"ranges-{manifest.ranges_sha256[:32]}.json"
        return read_ranges(self._fetcher.get(f"{self._buckets}/questions/{name}", LARGEST_RANGES), manifest)

    def _look_up(
        self, manifest: Manifest, ranges: Sequence[RestrictedRange], subject: bytes, output: bytes
    ) -> tuple[Word | None, bool]:
        """The newest layer that knows the device decides; a range only where none does."""
        for layer in reversed(manifest.layers):
            word = word_in(output, self._bucket(layer, bucket_number(output, layer.prefix_bits)))
            if word is not None:
                return (None if word is Word.EXEMPT else word), False
        word = range_word(subject, ranges)
        return word, word is not None

    def _bucket(self, layer: Layer, number: int) -> Bucket:
        if (layer.tree, number) not in self._read:
            octets = self._fetcher.get(f"{self._buckets}/questions/{bucket_path(layer, number)}", LARGEST_OCTETS)
            self._read[layer.tree, number] = Bucket.read(octets, layer, number)
        return self._read[layer.tree, number]
