"""Private questions at the door: who may ask how often, how it is refused, and files that caches may keep."""

import json
from datetime import date, timedelta

import pytest
from http_story import ALICES_PHONE, Client, fill

from openceir import clock
from openceir.app import open_register
from openceir.http import make_application
from openceir.questions import NONCE_OCTETS, VOPRF, AnonymousToken, TokenIssuer, subject_of_text
from openceir.settings import Settings

LIMITS = {"questions_tokens_per_day": 3, "questions_tokens_per_day_in_all": 8, "questions_partner_per_day": 50}


@pytest.fixture
def home(tmp_path):
    register = open_register(tmp_path)
    fill(register)
    (tmp_path / "openceir.toml").write_text("[questions]\n" + "\n".join(f"{k[10:]} = {v}" for k, v in LIMITS.items()))
    register.build_questions(at=clock.now())
    register.ledger.close()
    return tmp_path


@pytest.fixture
def public(home):
    return Client(make_application(home, Settings(**LIMITS)))


def blinded(count: int = 1) -> list[str]:
    return [VOPRF.blind(b"%014d" % number).element.hex() for number in range(count)]


def drawn(client: Client, address: str = "192.0.2.1") -> str:
    nonce = bytes(range(NONCE_OCTETS))
    one = VOPRF.blind(nonce)
    reply = client("POST", "/v1/questions:tokens", "", {"elements": [one.element.hex()]}, REMOTE_ADDR=address)
    assert reply.status == 200, reply.json
    output = VOPRF.finalize(one, bytes.fromhex(reply.json["elements"][0]))
    return AnonymousToken.of(date.fromisoformat(reply.json["day"]), nonce, output).format()


def evaluate(client: Client, elements, tokens=None, **environ):
    body = {"epoch": "2027", "elements": elements, **({"tokens": tokens} if tokens is not None else {})}
    return client("POST", "/v1/questions:evaluate", "", body, **environ)


def test_a_token_buys_one_evaluation_and_no_second(public):
    token = drawn(public)
    reply = evaluate(public, blinded(), [token])
    assert reply.status == 200
    again = evaluate(public, blinded(), [token])
    assert (again.status, again.json["code"]) == (409, "anonymous-token-spent")


def test_a_token_is_not_spent_on_what_is_refused(public):
    token = drawn(public)
    assert evaluate(public, ["0" * 64], [token]).json["code"] == "element-refused"
    assert evaluate(public, blinded(2), [token]).json["code"] == "anonymous-token-refused"
    assert (
        public("POST", "/v1/questions:evaluate", "", {"epoch": "9", "elements": blinded(), "tokens": [token]}).status
        == 404
    )
    assert evaluate(public, blinded(), [token]).status == 200


def test_forged_and_old_tokens_are_refused(public, home):
    today = clock.now().date()
    stranger = TokenIssuer(bytes(32))
    forged = AnonymousToken.of(today, bytes(32), VOPRF.evaluate(stranger.key_of(today), bytes(32)))
    ours = open_register(home).token_issuer
    before = today - timedelta(days=2)
    old = AnonymousToken.of(before, bytes(32), VOPRF.evaluate(ours.key_of(before), bytes(32)))
    for tokens in ([forged.format()], [old.format()], ["x"], [5], [], None, "x"):
        reply = evaluate(public, blinded(), tokens)
        assert reply.status in {400, 401}
        assert reply.json["code"] in {"anonymous-token-refused", "body-refused"}


def test_enumeration_stops_at_the_address_and_then_at_everybody(public):
    for _ in range(3):
        drawn(public, "192.0.2.1")
    body = {"elements": blinded()}
    reply = public("POST", "/v1/questions:tokens", "", body, REMOTE_ADDR="192.0.2.1")
    assert (reply.status, reply.json["code"]) == (429, "quota-spent")
    assert 0 < int(reply.headers["Retry-After"]) <= 86_400
    # one subscriber's IPv6 network is one asker
    for last in range(3):
        drawn(public, f"2001:db8::{last}")
    assert public("POST", "/v1/questions:tokens", "", body, REMOTE_ADDR="2001:db8::ffff").status == 429
    for _ in range(2):
        drawn(public, "192.0.2.9")
    reply = public("POST", "/v1/questions:tokens", "", body, REMOTE_ADDR="192.0.2.10")
    assert reply.status == 429
    assert "of all together" in reply.json["detail"]


def test_behind_our_own_proxy_the_address_it_saw_counts_and_no_other_word_does(home):
    settings = {**LIMITS, "questions_proxy": "127.0.0.1"}
    (home / "openceir.toml").write_text('[questions]\nproxy = "127.0.0.1"\ntokens_per_day = 1\n')
    client = Client(make_application(home, Settings(**settings)))
    body = {"elements": blinded()}

    def draw(address: str, forwarded: str) -> int:
        return client(
            "POST", "/v1/questions:tokens", "", body, REMOTE_ADDR=address, HTTP_X_FORWARDED_FOR=forwarded
        ).status

    assert [draw("127.0.0.1", f"10.0.0.{n}, 192.0.2.1") for n in range(3)] == [200, 429, 429], "the client's own words"
    assert draw("127.0.0.1", "192.0.2.2") == 200
    assert [draw("198.51.100.1", f"192.0.2.{n}") for n in range(10, 13)] == [200, 429, 429], "not from our proxy"


def test_a_partner_has_a_quota_by_its_access_token(home):
    client = Client(make_application(home, Settings(**LIMITS)))
    made_at = clock.now()
    shelf = open_register(home)
    client.token = shelf.tokens.make(
        "dealer", "operator", at=made_at, expires_at=made_at.replace(year=made_at.year + 1)
    )
    assert evaluate(client, blinded(40)).status == 200
    reply = evaluate(client, blinded(11))
    assert (reply.status, reply.json["code"]) == (429, "quota-spent")
    assert evaluate(client, blinded(10)).status == 200


def test_what_comes_back_opens_the_entry_and_is_proved(public, home):
    one = VOPRF.blind(subject_of_text(ALICES_PHONE))
    reply = evaluate(public, [one.element.hex()], [drawn(public)]).json
    group = open_register(home).question_group("2027")
    evaluated = [bytes.fromhex(reply["elements"][0])]
    VOPRF.verify(group.member(reply["index"]).public, [one.element], evaluated, bytes.fromhex(reply["proof"]))
    key = open_register(home).question_key("2027")
    assert VOPRF.finalize(one, evaluated[0]) == key.evaluate([ALICES_PHONE.encode()])[0]


@pytest.mark.parametrize(
    "elements",
    [[], "x", None, {}, ["x"], [5], ["0" * 63], ["0" * 65], ["ff" * 32], ["0" * 64], ["01" + "00" * 31], ["é" * 64],
     [" " + "0" * 63]],
)  # fmt: skip
def test_hostile_elements_are_refused(public, elements):
    for path, more in (("/v1/questions:evaluate", {"epoch": "2027"}), ("/v1/questions:tokens", {})):
        reply = public("POST", path, "", {"elements": elements, **more})
        assert (reply.status, reply.json["code"]) == (400, "element-refused")


def test_files_are_served_with_tags_and_may_be_kept(public, home):
    reply = public("GET", "/questions/manifest.json")
    assert (reply.status, reply.headers["Content-Type"]) == (200, "application/json")
    assert reply.headers["Cache-Control"] == "public, max-age=300"
    again = public("GET", "/questions/manifest.json", HTTP_IF_NONE_MATCH=reply.headers["ETag"])
    assert (again.status, again.body) == (304, b"")
    tree = json.loads(json.loads(reply.body)["signed"])["layers"][0]["tree"]
    bucket = public("GET", f"/questions/{tree}/0000/00.bin")
    assert bucket.status == 200
    assert bucket.body == (home / "questions" / "public" / tree / "0000" / "00.bin").read_bytes()
    assert bucket.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert public("GET", f"/questions/{tree}/0000/00.bin", HTTP_IF_NONE_MATCH=bucket.headers["ETag"]).status == 304


@pytest.mark.parametrize(
    "name",
    ["", "x", "../groups/2027.json", "../../keys/questions-2027.key", "manifest.json/", "%2e%2e/questions.vkey",
     "outputs/2027/base.rows", "manifest.json\x00", ".new-x/0000/00.bin"],
)  # fmt: skip
def test_nothing_but_the_files_is_served(public, name):
    assert public("GET", f"/questions/{name}").status == 404


def test_a_register_without_a_key_says_so(tmp_path):
    client = Client(make_application(tmp_path, Settings()))
    assert client("GET", "/v1/questions/key").json["code"] == "no-such-epoch"
    assert client("GET", "/questions/manifest.json").status == 404
    assert (
        client("POST", "/v1/questions:evaluate", "", {"epoch": "2027", "elements": blinded(), "tokens": []}).status
        == 404
    )


def test_the_page_loads_nothing_from_elsewhere_and_sends_nowhere_else(public):
    page = public("GET", "/ask")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'")
    assert "unsafe" not in policy
    assert b"://" not in page.body.replace(b"https://ceir.example", b"")
    for name in ("ask.js", "ask.css", "noble-ristretto255.js", "noble-LICENSE.txt"):
        assert public("GET", f"/ask/{name}").status == 200
    assert public("GET", "/ask/../questions.py").status == 404
