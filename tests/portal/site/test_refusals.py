"""Whatever an officer's act may be refused with is said in the officer's language, by its code."""

import ast
import importlib
import pkgutil
from pathlib import Path

import pytest
from django.utils import translation

import openceir
from openceir.errors import OpenceirError
from openceir.ledger import LedgerBusy
from openceir.policy import PolicyError
from openceir.portal.accounts.errors import PortalError
from openceir.portal.accounts.roles import PortalRole
from openceir.portal.site.refusals import SENTENCES, sentence_of_error, text_of_code
from openceir.statements import Refusal, StatementRefused

ROOT = Path(openceir.__file__).parent
PROGRAMS = {"api", "channels"}  # doors of programs, which are answered with codes
# Rooms that the register uses and that no act of a page can fail in.
BEHIND_NO_PAGE = {"abroad", "app", "clock", "demo", "eir", "errors", "federation", "portal", "questions", "settings"}

# Faults, errors of the register (a code of theirs has a text), and what only programs and commands are told.
UNSAID = {"TypeError", "ValueError", "Http404", "PolicyError", "ReportError", "SettingsError", "StorageError"}
UNSAID |= {"ActsBroken", "OAuth2Error", "WorkRefused"}


def imported_by(folder, *, without=()):
    """The rooms that the files of a folder import."""
    rooms = set()
    for path in folder.rglob("*.py"):
        if set(path.relative_to(folder).parts) & set(without):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("openceir."):
                rooms.add(node.module.split(".")[1])
    return rooms


ROOMS = (imported_by(ROOT / "portal", without=PROGRAMS) | imported_by(ROOT / "app")) - BEHIND_NO_PAGE


def codes():
    """Every code of an error of these rooms, and whose it is."""
    for room in ROOMS:
        top = importlib.import_module(f"openceir.{room}")
        for module in pkgutil.walk_packages(getattr(top, "__path__", []), f"openceir.{room}."):
            importlib.import_module(module.name)
    todo, found = [OpenceirError], {}
    while todo:
        kind = todo.pop()
        todo += kind.__subclasses__()
        if kind.__module__.split(".")[1] in ROOMS:
            found.setdefault(kind.code, kind.__name__)
    return found


def test_every_code_that_a_page_can_meet_has_a_text():
    found = codes()
    assert {"statement-refused", "ledger-busy", "policy-refused", "run-unknown", "list-altered"} <= found.keys()
    assert {code: name for code, name in found.items() if text_of_code(code) is None} == {}


def test_every_code_of_a_file_that_is_turned_away_has_a_text():
    """IntakeError takes its code with it: they are read off the sources."""
    given = set()
    for path in (ROOT / "intake").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            is_error = isinstance(node, ast.Call) and getattr(node.func, "id", "") == "IntakeError"
            if is_error and node.args and isinstance(node.args[0], ast.Constant):
                given.add(node.args[0].value)
    assert len(given) > 5
    assert [code for code in given if text_of_code(code) is None] == []


def test_no_text_stands_for_a_code_or_a_reason_that_is_not():
    known = {*codes(), "openceir-error"}
    for key in SENTENCES:
        code, _, reason = key.partition("/")
        if code.endswith("-*"):
            assert any(one.startswith(code[:-1]) for one in known) or code == "intake-*", key
        elif not code.startswith("intake-"):
            assert code in known, key
        assert not reason or reason in Refusal.__members__, key


def test_what_the_portal_itself_refuses_is_translated_where_it_is_said():
    """No page raises an error with a bare English sentence."""
    bare = []
    for path in (ROOT / "portal").rglob("*.py"):
        if set(path.relative_to(ROOT / "portal").parts) & {*PROGRAMS, "demonstration.py"}:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args):
                continue
            name, said = getattr(node.exc.func, "id", ""), node.exc.args[-1]
            if name in UNSAID:
                continue
            if isinstance(said, ast.JoinedStr) or (isinstance(said, ast.Constant) and isinstance(said.value, str)):
                bare.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert not bare, "\n".join(bare)


@pytest.mark.parametrize("language", ["fr", "ar", "es", "pt", "hi"])
def test_a_refusal_is_said_in_the_language_of_the_page_with_what_only_the_register_knows(language):
    with translation.override(language):
        policy = sentence_of_error(PolicyError("rule 3 has no name"))
        busy = sentence_of_error(LedgerBusy("another process writes"))
        role = sentence_of_error(StatementRefused("police may not say this", Refusal.ROLE))
    assert "\u2068rule 3 has no name\u2069" in policy
    assert not policy.startswith(("rule", "The policy"))
    assert "another process" not in busy
    assert "police" not in role
    assert busy != str(SENTENCES["ledger-busy"])


def test_english_and_a_code_without_a_text_say_the_sentence_as_it_is():
    class Strange(PortalError):
        code = "strange"

    with translation.override("en"):
        assert sentence_of_error(PolicyError("rule 3 has no name")) == "rule 3 has no name"
    with translation.override("fr"):
        assert sentence_of_error(Strange("Non.")) == "Non."


def test_an_officers_form_says_what_the_register_refuses_in_the_officers_language(country, client_of):
    rita = client_of("rita", PortalRole.REGULATOR)
    told = {"text": "[status]\nno_such = 1", "reason": "because"}
    page = rita.post("/regulator/policy/files/20-rules.toml/", told, headers={"accept-language": "fr"})
    [said] = page.context["form"].errors["text"]
    assert "no_such" in said
    assert said.startswith("La politique")
