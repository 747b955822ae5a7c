"""From what a person typed to an answer: the identifier is read, its claims are folded, the record is put beside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from openceir.errors import OpenceirError
from openceir.identity import (
    ODD_DEVICE_BASE,
    Check,
    Identifier,
    format_imei,
    is_known_non_unique,
    is_valid_imsi,
    malformed_text,
    parse,
    subscriber_key,
)
from openceir.policy import Policy
from openceir.status.answer import Answer
from openceir.status.claim import Claim
from openceir.status.fold import AskedPair, fold
from openceir.status.foreign import NOTHING_COUNTS, ForeignRules
from openceir.status.history import History, history_of
from openceir.status.ports import ClaimsByDevice, EvidenceSummary, FirstSeen, IdentifierKeys, Models
from openceir.status.words import ClaimKind, StatusError

__all__ = ["Inquiries", "NotADevice", "ProbablyMistyped"]


class NotADevice(StatusError):
    """What was asked about is no identifier of a device."""

    code = "identifier-not-recognised"


class ProbablyMistyped(StatusError):
    """The check digit does not fit: an answer would probably be about a stranger's device."""

    code = "identifier-probably-mistyped"


class InvalidImsi(StatusError):
    """The subscriber asked about is none. The number is never repeated."""

    code = "imsi-refused"


# What names a model, a subscription or a card, and what to ask about instead.
_NOT_ONE_DEVICE = {
    "tac": "a TAC names a model, not a device; ask with all 15 digits, which *#06# shows",
    "imsi": "this is a subscription, not a device; ask about the device and give the IMSI beside it",
    "supi": "this is a subscription, not a device; ask about the device and give the IMSI beside it",
    "msisdn": "this is a telephone number, not a device; dial *#06# for the device's own number",
    "iccid": "this is the number of a SIM card, not of a device; dial *#06# for the device's own number",
}


@dataclass(frozen=True, slots=True)
class _Asked:
    value: str
    identifier: Identifier
    device: int | None  # None: nobody ever named it, so there is no key and no claim

    @property
    def is_known_non_unique(self) -> bool:
        return self.device is not None and is_known_non_unique(self.device)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiries:
    """Answers questions about devices. `claims` and `identifiers` are shelves, the rest is optional knowledge."""

    claims: ClaimsByDevice
    identifiers: IdentifierKeys
    policy: Policy
    models: Models | None = None
    evidence: EvidenceSummary | None = None
    first_seen: FirstSeen | None = None
    foreign: ForeignRules = NOTHING_COUNTS

    def check(self, value: str, at: datetime, *, imsi: str | None = None, known_at: datetime | None = None) -> Answer:
        """The answer about one device, or about one device with one subscriber.

        Raises: NotADevice, ProbablyMistyped, InvalidImsi.
        """
        asked = self._read(value)
        [claims] = self._claims_of([asked])
        answer = self._fold(asked, claims, at, known_at, self._pair(asked, imsi))
        return self._told(asked, claims, answer, self.claims.applied_size, self._models_of([asked]))

    def named(self, value: str) -> tuple[Identifier, int | None]:
        """What a person typed as an identifier, and its device key unless nobody ever named it.

        Raises: NotADevice, ProbablyMistyped.
        """
        asked = self._read(value)
        return asked.identifier, asked.device

    def check_many(
        self, values: Sequence[str], at: datetime, *, known_at: datetime | None = None
    ) -> list[Answer | OpenceirError]:
        """One answer or refusal for each value, in order; one query for all of them."""
        asked = [self._read_or_refuse(value) for value in values]
        readable = [one for one in asked if isinstance(one, _Asked)]
        found = iter(self._claims_of(readable))
        size = self.claims.applied_size
        models = self._models_of(readable)
        folded: dict[tuple[object, ...], Answer] = {}
        answers: list[Answer | OpenceirError] = []
        for one in asked:
            if not isinstance(one, _Asked):
                answers.append(one)
                continue
            claims = next(found)
            # Of most devices the same was said (one registration list), and then the same follows.
            key = (one.is_known_non_unique, *((id(claim.said), claim.imsi, claim.by_range) for claim in claims))
            if key not in folded:
                folded[key] = self._fold(one, claims, at, known_at, None)
            answers.append(self._told(one, claims, folded[key], size, models))
        return answers

    def history(self, value: str, *, known_at: datetime | None = None) -> History:
        """Everything that was said of one device, and the status it had from when to when.

        Raises: NotADevice, ProbablyMistyped.
        """
        asked = self._read(value)
        [claims] = self._claims_of([asked])
        return history_of(
            claims,
            known_at=known_at,
            is_known_non_unique=asked.is_known_non_unique,
            value=value,
            scheme=asked.identifier.scheme,
            canonical=asked.identifier.canonical,
            foreign=self.foreign,
        )

    def device_key(self, value: str) -> int | None:
        """The device key of a value; None when nobody ever named it. Raises: NotADevice, ProbablyMistyped."""
        return self._read(value).device

    # -- the question ----------------------------------------------------------------------------------------------

    def _read(self, value: str) -> _Asked:
        # Nearly every question is 14 or 15 digits, which any reading takes for an IMEI: the other readers can rest.
        plain = value.isascii() and value.isdigit() and len(value) in {14, 15}
        identifier = parse(value, "imei") if plain else parse(value)
        if identifier.check is Check.FAILED and not any(found.code == "spare-digit" for found in identifier.findings):
            raise ProbablyMistyped(_how_it_is_mistyped(identifier))
        if identifier.scheme in _NOT_ONE_DEVICE:
            raise NotADevice(_NOT_ONE_DEVICE[identifier.scheme])
        if identifier.imei is not None:
            return _Asked(value, identifier, int(identifier.imei))
        if identifier.is_known:
            return _Asked(value, identifier, self._key_of(identifier.scheme, identifier.canonical))
        return self._read_unknown(value, identifier)

    def _read_unknown(self, value: str, identifier: Identifier) -> _Asked:
        """A text of no scheme may still be on record as it stands: a serial number, or what stood in an IMEI field."""
        for scheme, text in (("maker-serial", value.strip()), ("malformed", malformed_text(value))):
            key = self._key_of(scheme, text)
            if key is not None:
                return _Asked(value, replace(identifier, scheme=scheme, canonical=text, findings=()), key)
        what = identifier.findings[0].sentence if identifier.findings else "no scheme is known that it fits"
        raise NotADevice(f"this is no identifier of a device: {what}. Dial *#06# to see the device's number.")

    def _read_or_refuse(self, value: str) -> _Asked | OpenceirError:
        try:
            return self._read(value)
        except OpenceirError as refused:
            return refused

    def _key_of(self, scheme: str, text: str) -> int | None:
        return self.identifiers.find_keys(scheme, [text]).get(text)

    def _pair(self, asked: _Asked, imsi: str | None) -> AskedPair | None:
        if imsi is None:
            return None
        if not is_valid_imsi(imsi):
            raise InvalidImsi("the IMSI must be 14 or 15 ASCII digits; leave it out to ask about the device alone")
        key = subscriber_key(imsi)
        if self.first_seen is None or asked.device is None:
            return AskedPair(imsi=key)
        return self.first_seen(asked.device, key)

    # -- the answer ------------------------------------------------------------------------------------------------

    def _claims_of(self, asked: Sequence[_Asked]) -> list[list[Claim]]:
        """The claims of each, in one query."""
        found = self.claims.claims_of(list({one.device for one in asked if one.device is not None}))
        return [found[one.device] if one.device is not None else [] for one in asked]

    def _models_of(self, asked: Sequence[_Asked]) -> Mapping[str, Mapping[str, Any]]:
        """What is on record of their models, in one query."""
        if self.models is None:
            return {}
        return self.models(sorted({one.identifier.imei[:8] for one in asked if one.identifier.imei is not None}))

    def _fold(
        self, asked: _Asked, claims: Sequence[Claim], at: datetime, known_at: datetime | None, pair: AskedPair | None
    ) -> Answer:
        return fold(
            claims,
            at,
            pair=pair,
            is_known_non_unique=asked.is_known_non_unique,
            is_restrictive=self._is_restrictive(at.date()),
            pairs_lift_orders=bool(self.policy.value("lists.exceptions_with_barred", at.date())),
            known_at=known_at,
            foreign=self.foreign,
        )

    def _told(
        self,
        asked: _Asked,
        claims: Sequence[Claim],
        answer: Answer,
        log_size: int,
        models: Mapping[str, Mapping[str, Any]],
    ) -> Answer:
        """The answer with what was asked and what is on record beside it."""
        identifier = asked.identifier
        reasons = answer.reasons
        if (
            self.evidence is not None
            and asked.device is not None
            and any(reason.kind is ClaimKind.CLASSIFIED for reason in reasons)
        ):
            digests = {claim.said.leaf_hash: claim.said.evidence_digest for claim in claims}
            reasons = tuple(
                replace(reason, evidence=self.evidence(asked.device, reason.label, digests[reason.leaf_hash]))
                if reason.kind is ClaimKind.CLASSIFIED and not reason.nation
                else reason
                for reason in reasons
            )
        is_bound = any(reason.kind is ClaimKind.BOUND for reason in reasons)
        return replace(
            answer,
            reasons=reasons,
            value=asked.value,
            scheme=identifier.scheme,
            canonical=identifier.canonical,
            findings=tuple({"code": found.code, "sentence": found.sentence} for found in identifier.findings),
            other_identifiers=self._others(asked.device, answer) if is_bound and asked.device is not None else (),
            model=models.get(identifier.imei[:8]) if identifier.imei is not None else None,
            log_size=log_size,
        )

    def _is_restrictive(self, on: date) -> bool:
        return bool(self.policy.value("policy.mode", on) == "restrictive")

    def _others(self, device: int, answer: Answer) -> tuple[dict[str, str], ...]:
        """The device's other identifiers, from the bindings that hold."""
        holding = {reason.leaf_hash for reason in answer.reasons if reason.kind is ClaimKind.BOUND}
        keys = {
            member
            for said, members in self.claims.bound_to([device])[device]
            if said.leaf_hash in holding
            for member in members
            if member != device
        }
        texts = self.identifiers.texts_of([key for key in keys if key >= ODD_DEVICE_BASE])
        found: list[tuple[str, str]] = []
        for key in sorted(keys):
            found.append(texts[key] if key in texts else ("imei", format_imei(f"{key:014d}")))
        return tuple({"scheme": scheme, "value": text} for scheme, text in found)


def _how_it_is_mistyped(identifier: Identifier) -> str:
    """Which digit would fit, and how to ask all the same."""
    sentence = next((found.sentence for found in identifier.findings if "failed" in found.code), "its check fails")
    advice = f"probably mistyped, so no answer is given, which could be about a stranger's device: {sentence}"
    if identifier.imei is not None:
        advice += f" To ask about these 14 digits all the same, leave the last digit out: {identifier.imei}."
    return advice
