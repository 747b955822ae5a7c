"""One evaluator as an asker meets it: who it is, its tokens, its evaluations."""

import secrets
import time
from collections.abc import Callable
from datetime import date
from typing import Any, Final, TypeVar

from openceir.asking.fetching import Fetcher
from openceir.questions import (
    KEY_DOCUMENT_KIND,
    NONCE_OCTETS,
    VOPRF,
    AnonymousToken,
    ElementRefused,
    KeyGroup,
    ManifestRefused,
    NoAnswer,
    ProofFalse,
    QuotaSpent,
    elements_in,
    read_element,
    signer_of,
    verify_document,
)
from openceir.statements import PublicKey

__all__ = ["MemberEvaluator"]

Answer = TypeVar("Answer")
_LONGEST_WAIT_S: Final = 60  # the day's end is not waited for


class MemberEvaluator:
    """A register that holds the key, or a member that holds a share of it."""

    def __init__(
        self,
        url: str,
        fetcher: Fetcher,
        *,
        signer: PublicKey | None = None,
        access_token: str | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = url.rstrip("/")
        self._fetcher = fetcher
        self._signer = signer
        self._access_token = access_token
        self._sleep = sleep
        self._document: dict[str, Any] | None = None

    @property
    def document(self) -> dict[str, Any]:
        """Its signed word of who it is. Raises: NoAnswer, ManifestRefused."""
        if self._document is None:
            octets = self._fetcher.get(f"{self.url}/v1/questions/key")
            self._document = verify_document(KEY_DOCUMENT_KIND, octets, self._signer or signer_of(octets))
        return self._document

    @property
    def index(self) -> int:
        """Its number in the group; its evaluations are verified with the key the manifest gives that number."""
        index = self.document.get("index")
        if type(index) is not int:
            raise ManifestRefused(f"{self.url} does not say which member it is")
        return index

    @property
    def group(self) -> KeyGroup:
        """The group that it says it belongs to."""
        return KeyGroup.from_json(self.document.get("group"))

    def evaluate(self, request: dict[str, Any], today: date) -> Any:
        """Its reply to the elements of `request`, paid by the access token's quota or by fresh anonymous tokens.

        Who asks much waits a minute for the next minute's share.
        Raises: NoAnswer, QuotaSpent, ProofFalse when a token was issued with another key than announced.
        """
        count, url = len(request["elements"]), f"{self.url}/v1/questions:evaluate"
        if self._access_token is None:
            tokens = self._in_time(lambda: self.draw_tokens(count, today))
            return self._fetcher.post(url, {**request, "tokens": tokens})
        return self._in_time(lambda: self._fetcher.post(url, request, self._access_token))

    def _in_time(self, ask: Callable[[], Answer]) -> Answer:
        try:
            return ask()
        except QuotaSpent as spent:
            if not 0 < spent.retry_after_s <= _LONGEST_WAIT_S:
                raise
            self._sleep(spent.retry_after_s)
        return ask()

    def draw_tokens(self, count: int, today: date) -> list[str]:
        """Anonymous tokens of the issuer's day. Raises: QuotaSpent, NoAnswer, ProofFalse."""
        nonces = [secrets.token_bytes(NONCE_OCTETS) for _ in range(count)]
        blinded = [VOPRF.blind(nonce) for nonce in nonces]
        said = {"elements": [each.element.hex() for each in blinded]}
        reply = self._fetcher.post(f"{self.url}/v1/questions:tokens", said)
        try:
            day = date.fromisoformat(reply["day"])
            evaluated, proof = elements_in(reply["elements"]), bytes.fromhex(reply["proof"])
            keys = {row["day"]: bytes.fromhex(row["public_key"]) for row in self.document["token_keys"]}
            public = read_element(keys[day.isoformat()])
        except (KeyError, TypeError, ValueError, ElementRefused):
            raise NoAnswer(f"{self.url} issued no tokens that its own document knows") from None
        if abs((day - today).days) > 1:
            raise NoAnswer(f"{self.url} issues tokens of {day}; is its clock or ours wrong?")
        try:
            VOPRF.verify(public, [each.element for each in blinded], evaluated, proof)
        except (ProofFalse, ElementRefused):
            raise ProofFalse(
                f"{self.url} issued tokens with another key than everybody's; it could know us again"
            ) from None
        return [
            AnonymousToken.of(day, nonce, VOPRF.finalize(each, element)).format()
            for nonce, each, element in zip(nonces, blinded, evaluated, strict=True)
        ]
