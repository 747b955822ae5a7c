"""The page in a real browser: the same answer as the command, every request to its own host (or to the members that share
the key), the number in none of them."""

import json
import shutil
import subprocess
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from asking.a_register import FREE, STOLEN, TRACKED, built, new_register, served, sharing
from openceir.asking import PrivateAsker
from openceir.clock import now
from openceir.questions import KeyGroup, QuestionError, QuestionKey

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium: the page was not opened in a browser")
ARGUMENTS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
LONG_MS = 60_000


@pytest.fixture(scope="module")
def register(tmp_path_factory):
    home = tmp_path_factory.mktemp("register")
    register = new_register(home)
    register.new_question_key("2026")
    register.ledger.close()
    built(home)
    with served(home, questions_tokens_per_day=1000) as place:
        (home / "openceir.toml").write_text("[questions]\ntokens_per_day = 1000\n")
        yield place


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        opened.close()


class Visit:
    """The page, open, and every octet that the browser sent for it."""

    def __init__(self, browser, url: str) -> None:
        self.context = browser.new_context()
        self.page = self.context.new_page()
        self.sent: list[bytes] = []
        self.hosts: set[str] = set()
        self.complaints: list[str] = []
        self.page.on("request", self._note)
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(f"{url}/ask", timeout=LONG_MS)

    def _note(self, request) -> None:
        self.hosts.add(request.url.split("/")[2])
        self.sent.append(request.url.encode() + b"\n" + (request.post_data_buffer or b""))

    def ask(self, imei: str) -> tuple[str, str]:
        """The answer's word and sentence."""
        self.page.fill("#imei", imei)
        self.page.click("#send")
        answer = self.page.locator('#answer:not([data-word=""])')
        answer.wait_for(timeout=LONG_MS)
        return answer.get_attribute("data-word"), answer.inner_text() + " " + self.page.locator("#detail").inner_text()


@pytest.fixture
def visit(browser, register):
    register.lies = {}
    register.seen.clear()
    made = Visit(browser, register.url)
    yield made
    made.context.close()


@pytest.mark.parametrize("imei", [STOLEN, TRACKED, FREE])
def test_the_page_answers_as_the_command_does(visit, register, imei):
    [expected] = PrivateAsker(register.url).ask([imei], now())
    word, _ = visit.ask(imei)
    assert word == expected.word
    assert visit.complaints == []


def test_no_request_holds_the_number_and_none_leaves_the_host(visit, register):
    visit.ask(STOLEN)
    visit.ask("00100100-000001-5")
    assert visit.hosts == {register.url.removeprefix("http://")}
    everything = b"\n".join([*visit.sent, *register.seen])
    assert b"questions:evaluate" in everything
    for number in (STOLEN, STOLEN[:14], "00100100-000001"):
        assert number.encode() not in everything
        assert number.encode().hex().encode() not in everything
    elements = [
        json.loads(seen.rpartition(b"\n\n")[2])["elements"][0]
        for seen in register.seen
        if b"PATH_INFO: /v1/questions:evaluate" in seen
    ]
    assert len(elements) == len(set(elements)) == 2, "the same number looks different each time"


def test_a_mistyped_number_is_not_asked(visit, register):
    word, said = visit.ask("001001000000013")
    assert word == "no-answer"
    assert "mistyped" in said
    assert not any(b"questions:evaluate" in seen for seen in register.seen)


@pytest.mark.parametrize("what", ["bucket", "manifest", "key", "evaluation"])
def test_what_was_altered_gives_no_answer(visit, register, what):
    shelf = register.register
    manifest = shelf.question_tree.manifest()
    path = f"{manifest.layers[0].tree}/0000/00.bin"
    octets = bytearray((register.home / "questions" / "public" / path).read_bytes())
    octets[20] ^= 1
    altered = shelf.question_tree.manifest_octets().replace(b"2026", b"2027", 1)
    register.lies = {
        "bucket": {f"/questions/{path}": bytes(octets)},
        "manifest": {"/questions/manifest.json": altered},
        "key": {"/v1/questions/key": b"{}"},
        "evaluation": {"/v1/questions:evaluate": json.dumps(
            {"epoch": "2026", "index": 1, "elements": [manifest.group.public.hex()], "proof": "00" * 64}
        ).encode()},
    }[what]  # fmt: skip
    word, said = visit.ask(STOLEN)
    assert word == "no-answer"
    assert "could not be verified" in said or "altered" in said or "false" in said


@pytest.fixture(scope="module")
def members(tmp_path_factory):
    """Three registers share a key, two of which must answer; the page is the first one's."""
    with sharing([tmp_path_factory.mktemp(f"member-{index}") for index in (1, 2, 3)], 2) as places:
        yield places


@pytest.mark.parametrize("imei", [STOLEN, FREE])
def test_the_page_asks_as_many_members_as_a_shared_key_takes(browser, members, imei):
    [expected] = PrivateAsker(members[0].url).ask([imei], now())
    for place in members:
        place.lies, _ = {}, place.seen.clear()
    visit = Visit(browser, members[0].url)
    word, _ = visit.ask(imei)
    assert (word, visit.complaints) == (expected.word, [])
    assert visit.hosts == {place.url.removeprefix("http://") for place in members[:2]}
    elements = [
        json.loads(seen.rpartition(b"\n\n")[2])["elements"][0]
        for place in members
        for seen in place.seen
        if b"\nREQUEST_METHOD: POST" in seen and b"PATH_INFO: /v1/questions:evaluate" in seen
    ]
    assert len(elements) == 2, "one question a member"
    assert not any(imei[:14].encode() in octets for octets in visit.sent)
    visit.context.close()


@pytest.mark.parametrize(("liars", "word"), [((1,), "blocked"), ((0,), "blocked"), ((1, 2), "no-answer")])
def test_a_member_that_lies_is_passed_over_as_long_as_enough_answer(browser, members, liars, word):
    element = members[0].register.question_tree.manifest().group.public.hex()
    lie = json.dumps({"epoch": "2026", "index": 2, "elements": [element], "proof": "00" * 64}).encode()
    for at, place in enumerate(members):
        place.lies = {"/v1/questions:evaluate": lie} if at in liars else {}
    visit = Visit(browser, members[0].url)
    found, said = visit.ask(STOLEN)
    assert found == word
    assert ("too few of the 2 members" in said) == (word == "no-answer")
    visit.context.close()


GROUP = """
const { ristretto255_oprf: suite } = await import(PATH + "/noble-ristretto255.js");
const source = (await import("node:fs")).readFileSync(PATH + "/ask.js", "utf8").replaceAll("/ask/noble", PATH + "/noble");
globalThis.document = { getElementById: () => null };
const page = await import("data:text/javascript," + encodeURIComponent(source.replaceAll('from "/', 'from "file:///')));
const said = JSON.parse(process.argv[1]);
for (const group of said) {
  try { page.verifyGroup(group); console.log("fits"); } catch (wrong) { console.log(wrong.message); }
}
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no node: the page's own functions were not called")
def test_the_page_refuses_the_groups_that_the_command_refuses(members):
    group = members[0].register.question_tree.manifest().group.as_json()
    stranger = QuestionKey.of_seed("2026", bytes(32)).public.hex()
    rows = group["members"]
    groups = [
        group,
        {**group, "threshold": 3},
        {**group, "threshold": 4},
        {**group, "threshold": 0},
        {**group, "public_key": stranger},
        {**group, "members": [*rows[:2], {**rows[2], "public_key": stranger}]},
        {**group, "members": [rows[0], rows[0], rows[1]]},
        {**group, "members": [{**rows[0], "index": 0}, *rows[1:]]},
    ]
    folder = Path(__file__).parents[2] / "src" / "openceir" / "http" / "ask"
    done = subprocess.run(
        ["node", "--input-type=module", "-e", GROUP.replace("PATH", json.dumps(str(folder))), json.dumps(groups)],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    told = done.stdout.splitlines()
    assert len(told) == len(groups), done.stderr
    for one, said in zip(groups, told, strict=True):
        try:
            KeyGroup.from_json(one)
        except QuestionError:
            assert said != "fits", one
        else:
            assert said == "fits", one


def test_only_private_questions_may_be_asked_from_another_registers_page(members):
    members[1].lies = {}
    for path, allowed in (("/v1/questions:evaluate", True), ("/v1/checks", False)):
        asked = Request(members[1].url + path, method="OPTIONS", headers={
            "Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST",
        })  # fmt: skip
        try:
            with urlopen(asked, timeout=60) as reply:
                headers = reply.headers
        except HTTPError as refused:
            headers = refused.headers
            refused.close()
        assert (headers.get("Access-Control-Allow-Origin") == "*") == allowed
        assert "Authorization" not in headers.get("Access-Control-Allow-Headers", "")


def test_the_number_is_not_left_behind_in_the_address_or_in_storage(visit):
    visit.ask(STOLEN)
    assert STOLEN[:14] not in visit.page.url
    assert visit.context.storage_state() == {"cookies": [], "origins": []}


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no node: the vendored file was not compared")
def test_the_vendored_arithmetic_holds_the_first_vector_of_the_rfc():
    """RFC 9497 §A.1.2.1, by the very file that the page loads."""
    folder = Path(__file__).parents[2] / "src" / "openceir" / "http" / "ask" / "noble-ristretto255.js"
    program = f"""
    const {{ ristretto255_oprf: suite }} = await import({str(folder)!r});
    const hex = (octets) => Buffer.from(octets).toString("hex");
    const key = suite.voprf.deriveKeyPair(Buffer.alloc(32, 0xa3), Buffer.from("test key"));
    console.log(hex(key.publicKey), hex(suite.voprf.evaluate(key.secretKey, Uint8Array.of(0))));
    """
    done = subprocess.run(["node", "--input-type=module", "-e", program], capture_output=True, text=True, timeout=120)
    assert done.stdout.split() == [
        "c803e2cc6b05fc15064549b5920659ca4a77b2cca6f04f6b357009335476ad4e",
        "b58cfbe118e0cb94d79b5fd6a6dafb98764dff49c14e1770b566e42402da1a7d"
        "a4d8527693914139caee5bd03903af43a491351d23b430948dd50cde10d32b3c",
    ], done.stderr
