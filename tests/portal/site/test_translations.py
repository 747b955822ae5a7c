"""Every text of the portal is in every language, says the same values, and is compiled as it stands."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

import openceir.portal

ROOT = Path(openceir.portal.__file__).parent
LANGUAGES = ("fr", "ar", "es", "pt", "hi")
APPS = sorted(path.parent.name for path in ROOT.glob("*/apps.py"))
VALUES = re.compile(r"%\(\w+\)[sd]|%%|</?\w+[^>]*>|\*#06#")
TEXTS = re.compile(r"gettext|ngettext|{%\s*(?:trans|blocktrans)")


def catalogue(app, language, suffix="po"):
    return ROOT / app / "locale" / language / "LC_MESSAGES" / f"django.{suffix}"


def _listed(said):
    """One text, or one a plural form."""
    return said if isinstance(said, tuple | list) else [said]


def has_texts(app):
    files = [*(ROOT / app).rglob("*.py"), *(ROOT / app).rglob("*.html"), *(ROOT / app).rglob("*.txt")]
    return any(TEXTS.search(path.read_text(encoding="utf-8")) for path in files)


@pytest.mark.parametrize("app", APPS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_is_whole_says_the_same_values_and_is_compiled(app, language):
    if not has_texts(app):
        pytest.skip(f"{app} says nothing to people")
    with catalogue(app, language).open("rb") as file:
        texts = read_po(file, locale=language)
    with catalogue(app, language, "mo").open("rb") as file:
        compiled = read_mo(file)
    wrong = []
    for text in texts:
        if not text.id:
            continue
        said, asked = _listed(text.string), _listed(text.id)
        if text.fuzzy or not all(said):
            wrong.append(f"missing: {asked[0]}")
        elif any(sorted(VALUES.findall(one)) != sorted(VALUES.findall(asked[-1])) for one in said):
            wrong.append(f"other values: {asked[0]}")
        elif compiled.get(asked[0], text.context) is None or tuple(
            _listed(compiled.get(asked[0], text.context).string)
        ) != tuple(_listed(text.string)):
            wrong.append(f"not compiled: {asked[0]}")
    assert wrong == []


def test_every_text_is_in_its_apps_catalogue(tmp_path):
    """What scripts/translations.sh would add is there already: gettext's own reading of the sources."""
    if shutil.which("xgettext") is None:
        pytest.skip("there is no gettext; scripts/install-browser.sh installs it")
    copy = tmp_path / "portal"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns("__pycache__", "static", "*.mo", "*.po"))
    for app in APPS:
        (copy / app / "locale").mkdir(exist_ok=True)
    subprocess.run(
        [sys.executable, "-P", "-m", "openceir.portal", "makemessages", "--no-location", "-v0", "-l", "fr"],
        cwd=copy, check=True, env={"PATH": "/usr/bin:/bin", "OPENCEIR_HOME": str(tmp_path), "LANG": "C.UTF-8"},
    )  # fmt: skip

    def ids(path):
        if not path.exists():
            return set()
        with path.open("rb") as file:
            return {str(text.id) for text in read_po(file, locale="fr") if text.id}

    missing = {
        app: ids(copy / app / "locale" / "fr" / "LC_MESSAGES" / "django.po") - ids(catalogue(app, "fr")) for app in APPS
    }
    assert {app: texts for app, texts in missing.items() if texts} == {}


@pytest.mark.parametrize("app", sorted({*APPS} - {"channels"}))  # of a message every character is paid for
def test_digits_and_signs_keep_their_order_within_arabic(app):
    """`*#06#` shows as `#06#*`, 2027-03-01 as 01-03-2027 between Arabic words unless they are isolated."""
    if not catalogue(app, "ar").exists():
        pytest.skip(f"{app} says nothing to people")
    with catalogue(app, "ar").open("rb") as file:
        said = [one for text in read_po(file, locale="ar") for one in _listed(text.string) if text.id]
    bare = re.compile(r"(?<![\u2066>])(\*#?\d[\d*]*#|\+\d|\b\d{4}-\d)")
    assert [text for text in said if bare.search(text)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_two_apps_say_alike_they_say_alike_in_every_language(language):
    """Django puts the catalogues of all apps into one: of two translations of a text the first app's would be shown."""
    said = {}
    for app in APPS:
        if not catalogue(app, language).exists():
            continue
        with catalogue(app, language).open("rb") as file:
            for text in read_po(file, locale=language):
                if text.id:
                    said.setdefault((str(text.id), text.context), {})[app] = str(text.string)
    assert [words for words in said.items() if len({*words[1].values()}) > 1] == []
