"""Anonymous tokens: made by blind evaluation, believed by the issuer alone, told apart from nothing it saw."""

from datetime import date, timedelta

import pytest

from openceir.questions import NONCE_OCTETS, VOPRF, AnonymousToken, TokenFalse, TokenIssuer, evaluate_blinded

DAY = date(2027, 3, 1)
ISSUER = TokenIssuer(bytes(range(32)))


def drawn(issuer: TokenIssuer = ISSUER, day: date = DAY, nonce: bytes = b"n" * NONCE_OCTETS) -> AnonymousToken:
    blinded = VOPRF.blind(nonce)
    evaluated, proof = evaluate_blinded(issuer.key_of(day), [blinded.element])
    VOPRF.verify(issuer.public_of(day), [blinded.element], evaluated, proof)
    return AnonymousToken.of(day, nonce, VOPRF.finalize(blinded, evaluated[0]))


def test_a_token_is_good_on_its_day_and_the_next():
    token = AnonymousToken.parse(drawn().format())
    ISSUER.verify(token, DAY)
    ISSUER.verify(token, DAY + timedelta(days=1))
    for day in (DAY - timedelta(days=1), DAY + timedelta(days=2)):
        with pytest.raises(TokenFalse, match="not of today"):
            ISSUER.verify(token, day)


def test_a_token_of_another_issuer_day_or_nonce_is_refused():
    token = drawn()
    wrong = [
        drawn(TokenIssuer(bytes(32))),
        AnonymousToken(DAY - timedelta(days=1), token.nonce, token.output),
        AnonymousToken(DAY, b"m" * 32, token.output),
        AnonymousToken(DAY, token.nonce, bytes(32)),
    ]
    for one in wrong:
        with pytest.raises(TokenFalse, match="not issued here"):
            ISSUER.verify(one, DAY)


def test_each_day_has_a_key_of_its_own():
    assert len({ISSUER.public_of(DAY + timedelta(days=n)) for n in range(30)}) == 30


@pytest.mark.parametrize(
    "text",
    ["", "x", None, 5, "2027-03-01.00.00", f"2027-13-01.{'0' * 64}.{'0' * 64}", f"2027-03-01.{'0' * 64}.{'0' * 64}.",
     f"2027-03-01.{'A' * 64}.{'0' * 64}", f"٢٠٢٧-03-01.{'0' * 64}.{'0' * 64}"],
)  # fmt: skip
def test_what_is_no_token_is_refused(text):
    with pytest.raises(TokenFalse):
        AnonymousToken.parse(text)
