"""Asked over a real socket: the right answer, nothing of the device in any request, and no answer where proof is missing."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from asking.a_register import FREE, STOLEN, TRACKED, built, new_register, served, sharing
from openceir.app import open_register
from openceir.asking import MemberEvaluator, PrivateAnswer, PrivateAsker
from openceir.clock import now
from openceir.questions import (
    Asking,
    KeyGroupRefused,
    Manifest,
    ManifestRefused,
    ManifestStale,
    NoAnswer,
    NotAskable,
    ProofFalse,
    QuestionKey,
    QuotaSpent,
    bucket_number,
    bucket_path,
)
from openceir.statements import SigningKey


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("register")
    register = new_register(home)
    register.new_question_key("2026")
    register.ledger.close()
    built(home)
    return home


@pytest.fixture
def register(home):
    (home / "questions" / "spending.sqlite").unlink(missing_ok=True)
    for path in (home / "questions").glob("spending.sqlite-*"):
        path.unlink()
    with served(home) as place:
        yield place


def words(answers) -> list[str]:
    return [answer.word if isinstance(answer, PrivateAnswer) else answer.code for answer in answers]


def test_each_question_has_its_answer_and_a_mistyped_one_is_not_sent(register):
    asker = PrivateAsker(register.url)
    answers = asker.ask([STOLEN, TRACKED, FREE, "001001000000013", STOLEN[:14]], now())
    assert words(answers) == ["blocked", "tracked", "not-listed", "not-askable", "blocked"]
    assert [answer.exit_status for answer in answers if isinstance(answer, PrivateAnswer)] == [3, 4, 0, 3]
    assert isinstance(answers[3], NotAskable)


def test_no_octet_that_reaches_the_register_tells_which_device(register):
    PrivateAsker(register.url).ask([STOLEN], now())
    PrivateAsker(register.url).ask([FREE], now())
    everything = b"\n".join(register.seen)
    for number in (STOLEN, STOLEN[:14], FREE, FREE[:14]):
        assert number.encode() not in everything
        assert number.encode().hex().encode() not in everything
    assert len(everything) > 1000
    bodies = [json.loads(seen.rpartition(b"\n\n")[2]) for seen in register.seen if b"questions:evaluate" in seen]
    assert len(bodies) == 2
    assert {tuple(sorted(body)) for body in bodies} == {("elements", "epoch", "tokens")}
    assert {(len(body["elements"][0]), len(body["tokens"][0])) for body in bodies} == {(64, 140)}
    assert all("0010" not in line for line in register.logged)
    assert not any(body["elements"][0] in line for body in bodies for line in register.logged)


def test_asking_the_same_twice_looks_like_two_questions(register):
    for _ in range(2):
        PrivateAsker(register.url).ask([STOLEN], now())
    first, second = (seen for seen in register.seen if b"questions:evaluate" in seen)
    assert first.rpartition(b"\n\n")[2] != second.rpartition(b"\n\n")[2]
    elements = [json.loads(seen.rpartition(b"\n\n")[2])["elements"][0] for seen in (first, second)]
    assert elements[0] != elements[1]


def test_the_eleventh_question_of_a_day_is_refused(register):
    asker = PrivateAsker(register.url)
    for _ in range(5):
        asker.ask([STOLEN, FREE], now())
    with pytest.raises(QuotaSpent, match="10 of 10 tokens of this day are used"):
        asker.ask([TRACKED], now())


def test_a_partner_asks_a_stock_in_one_request(register, home):
    shelf = open_register(home)
    token = shelf.tokens.make(f"dealer-{id(register)}", "operator", at=now(), expires_at=now() + timedelta(days=1))
    stock = [f"{number:014d}" for number in range(1001, 1301)] + [STOLEN]
    answers = PrivateAsker(register.url, access_tokens=[token]).ask(stock, now())
    assert words(answers) == ["not-listed"] * 300 + ["blocked"]
    assert sum(b"questions:evaluate" in seen for seen in register.seen) == 1
    shelf.question_spending.set_quota(f"dealer-{id(register)}", 400)
    with pytest.raises(QuotaSpent, match="301 of 400 questions"):
        PrivateAsker(register.url, access_tokens=[token]).ask(stock, now())


def test_a_pinned_key_refuses_another_registers_files(register):
    stranger = SigningKey("openceir/stranger", bytes(32)).public
    with pytest.raises(ManifestRefused, match="not signed by the key of openceir/stranger"):
        PrivateAsker(register.url, signer=stranger).ask([STOLEN], now())
    PrivateAsker(register.url, signer=register.register.question_signer()).ask([STOLEN], now())


def test_files_past_their_day_give_no_answer_and_nothing_is_asked(register):
    with pytest.raises(ManifestStale):
        PrivateAsker(register.url).ask([STOLEN], now() + timedelta(days=9))
    assert not any(b"questions:evaluate" in seen for seen in register.seen)


def test_an_evaluation_under_another_key_gives_no_answer(register):
    """A register that answers one person under a key of his own could know him again, or lie to him."""
    other = QuestionKey.of_seed("2026", bytes(32))

    def answer_falsely(path, body, fetch):
        if not path.endswith("questions:evaluate"):
            return fetch()
        elements, proof = other.answer([bytes.fromhex(text) for text in body["elements"]])
        return {"epoch": "2026", "index": 1, "elements": [each.hex() for each in elements], "proof": proof.hex()}

    asker = PrivateAsker(register.url, fetcher=Between(answer_falsely))
    with pytest.raises(ProofFalse, match="not made with the key"):
        asker.ask([STOLEN], now())


def test_tokens_under_another_key_than_announced_are_not_spent(register):
    other = QuestionKey.of_seed("2026", bytes(32))

    def issue_falsely(path, body, fetch):
        if not path.endswith("questions:tokens"):
            return fetch()
        elements, proof = other.answer([bytes.fromhex(text) for text in body["elements"]])
        return {"day": now().date().isoformat(), "elements": [each.hex() for each in elements], "proof": proof.hex()}

    with pytest.raises(ProofFalse, match="could know us again"):
        PrivateAsker(register.url, fetcher=Between(issue_falsely)).ask([STOLEN], now())
    assert not any(b"questions:evaluate" in seen for seen in register.seen)


def test_an_altered_bucket_or_a_strange_answer_gives_no_answer(register, home):
    shelf = open_register(home)
    manifest = shelf.question_tree.manifest()
    [output] = shelf.question_key("2026").evaluate([STOLEN[:14].encode()])
    path = bucket_path(manifest.layers[0], bucket_number(output, manifest.layers[0].prefix_bits))
    octets = bytearray((home / "questions" / "public" / path).read_bytes())
    octets[20] ^= 1
    for where, lie in (
        (f"/questions/{path}", bytes(octets)),
        (f"/questions/{path}", b""),
        (f"/questions/{path}", b"x" * 2_000_000),
        ("/questions/manifest.json", b"<html>"),
        ("/v1/questions/key", b"{}"),
        ("/v1/questions:evaluate", b"[]"),
        ("/v1/questions:evaluate", b'{"elements": ["00"], "proof": ""}'),
        ("/v1/questions:tokens", b'{"day": 5}'),
        (f"/questions/ranges-{manifest.ranges_sha256[:32]}.json", b'{"ranges": []} '),
    ):
        register.lies = {where: lie}
        (home / "questions" / "spending.sqlite").unlink(missing_ok=True)
        with pytest.raises(NoAnswer):
            PrivateAsker(register.url).ask([STOLEN], now())


def test_a_register_that_is_away_gives_no_answer_in_a_sentence(register):
    with pytest.raises(NoAnswer, match="cannot be asked"):
        PrivateAsker("http://127.0.0.1:9").ask([STOLEN], now())
    with pytest.raises(NoAnswer, match="begins with https"):
        PrivateAsker("file:///etc/passwd").ask([STOLEN], now())
    with pytest.raises(NoAnswer, match="404"):
        PrivateAsker(f"{register.url}/elsewhere").ask([STOLEN], now())


class Between:
    """Someone between asker and register, who answers some requests in its place."""

    def __init__(self, answers):
        from openceir.asking import Fetcher

        self._fetcher, self._answers = Fetcher(), answers

    def get(self, url, most=1 << 20):
        return self._fetcher.get(url, most)

    def post(self, url, said, access_token=None):
        return self._answers(url, said, lambda: self._fetcher.post(url, said, access_token))


def test_files_made_from_another_log_than_the_pinned_one_give_no_answer(register):
    log = register.register.ledger.log_key
    assert words(PrivateAsker(register.url, log=log).ask([STOLEN], now())) == ["blocked"]
    other = SigningKey(log.name, bytes(32)).public
    with pytest.raises(ManifestRefused, match="made from the log"):
        PrivateAsker(register.url, log=other).ask([STOLEN], now())


def test_who_asks_much_waits_for_the_next_minute_and_not_for_the_next_day(register):
    told, slept = [40, 0], []

    def refuse_once(path, body, fetch):
        wait = told.pop(0) if told and path.endswith("questions:tokens") else 0
        if wait:
            raise QuotaSpent("this minute is used up", wait)
        return fetch()

    evaluator = MemberEvaluator(register.url, Between(refuse_once), sleep=slept.append)
    group = register.register.question_tree.manifest().group
    asking = Asking(group, [STOLEN[:14].encode()])
    asking.take(evaluator.index, evaluator.evaluate(asking.request(), now().date()))
    assert (asking.is_answered, slept) == (True, [40])
    told[:] = [7200]
    with pytest.raises(QuotaSpent):
        evaluator.evaluate(Asking(group, [STOLEN[:14].encode()]).request(), now().date())
    assert slept == [40]


# ------------------------------------------------------------------------------------------- a key that three members share


@pytest.fixture(scope="module")
def members(tmp_path_factory):
    """Three registers that made a key together, two of which must answer; the first builds its list with the second."""
    with sharing([tmp_path_factory.mktemp(f"member-{index}") for index in (1, 2, 3)], 2) as everybody:
        yield everybody


@pytest.mark.parametrize("chosen", [(0, 1), (1, 2), (0, 2), (0, 1, 2)])
def test_any_two_of_three_members_answer(members, chosen):
    asker = PrivateAsker(members[0].url, members=[members[index].url for index in chosen])
    assert words(asker.ask([STOLEN], now())) == ["blocked"]


def test_one_member_alone_gives_no_answer_and_cannot_build_its_own_list(members):
    with pytest.raises(KeyGroupRefused, match="too few"):
        PrivateAsker(members[0].url, members=[members[1].url]).ask([STOLEN], now())
    register = members[0].register
    with pytest.raises(Exception, match="2 members must evaluate the list"):
        register.build_questions(at=now())
    register.ledger.close()


def test_a_member_that_is_away_or_lies_is_passed_over_as_long_as_two_answer(members):
    members[1].lies = {"/v1/questions:evaluate": b'{"elements": ["00"], "proof": ""}'}
    try:
        urls = ["http://127.0.0.1:9", *(each.url for each in members)]
        assert words(PrivateAsker(members[0].url, members=urls).ask([STOLEN, FREE], now())) == ["blocked", "not-listed"]
        with pytest.raises(NoAnswer):
            PrivateAsker(members[0].url, members=urls[:3]).ask([STOLEN], now())
    finally:
        members[1].lies = {}


def test_the_manifest_that_names_a_stranger_among_the_members_is_refused(members):
    register = members[0].register
    manifest = register.question_tree.manifest()
    stranger = replace(manifest.group.members[2], public=QuestionKey.of_seed("2026", bytes(32)).public)
    group = replace(manifest.group, members=(*manifest.group.members[:2], stranger))
    signer = SigningKey("openceir/x", bytes(32))
    with pytest.raises(KeyGroupRefused):
        Manifest.read(replace(manifest, group=group).sign(signer), signer.public)
