"""What django-allauth says on our pages is in every language of ours: its own catalogues, and ours where it has none."""

import html
import re
from pathlib import Path

import allauth
import pytest
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from django.test import Client

from openceir.portal.accounts.roles import PortalRole
from openceir.portal.site import settings

STRANGERS = ["account_login", "account_reset_password", "account_signup"]
PAGES = [
    "account_change_password",
    "account_email",
    "account_logout",
    "account_reauthenticate",
    "mfa_index",
    "mfa_activate_totp",
    "mfa_list_webauthn",
    "mfa_add_webauthn",
    "socialaccount_login_cancelled",
]
TAGS = re.compile(r"<(script|style)\b.*?</\1>|<[^>]+>", re.DOTALL)
OTHERS = [code for code, _ in settings.LANGUAGES if code != "en"]
ALIKE = {"Code", "Note", "Notes", "MFA", "Total", "Passkey"}  # words that some languages share with English


def english():
    """Every text of allauth, as its French catalogue names them."""
    with (Path(allauth.__file__).parent / "locale/fr/LC_MESSAGES/django.po").open("rb") as file:
        texts = [text.id[0] if isinstance(text.id, tuple) else text.id for text in read_po(file, locale="fr")]
    return {" ".join(text.split()) for text in texts if text and "%" not in text} - ALIKE


def lines_of(answer):
    text = html.unescape(TAGS.sub("\n", answer.content.decode()))
    return {" ".join(line.split()) for line in text.splitlines() if line.strip()}


@pytest.mark.parametrize("language", OTHERS)
def test_no_page_of_signing_in_speaks_english_to_who_chose_another_language(language, anybody, people):
    from django.urls import reverse

    ann = people("ann", PortalRole.POLICE_OFFICER)
    ann.set_password(password := "three old bicycles")
    ann.save()
    officer = Client()
    officer.force_login(ann, backend="allauth.account.auth_backends.AuthenticationBackend")
    officer.post(reverse("account_reauthenticate"), {"password": password})
    asked = [(anybody, name) for name in STRANGERS] + [(officer, name) for name in PAGES]
    spoken = {}
    for client, name in asked:
        client.cookies["language"] = language
        answer = client.get(reverse(name))
        assert answer.status_code == 200, name
        assert f'lang="{language}"' in answer.content.decode()
        spoken[name] = sorted(lines_of(answer) & english())
    assert {name: lines for name, lines in spoken.items() if lines} == {}


def test_the_check_sees_english_where_there_is_some(anybody):
    from django.urls import reverse

    anybody.cookies["language"] = "en"
    assert "Sign In" in lines_of(anybody.get(reverse("account_login"))) & english()


@pytest.mark.parametrize("path", sorted(settings.LOCALE_PATHS[0].glob("*/*/*.po")), ids=lambda path: path.parts[-3])
def test_what_we_say_for_allauth_is_whole_and_compiled(path):
    with path.open("rb") as file, path.with_suffix(".mo").open("rb") as compiled:
        said, kept = read_po(file), read_mo(compiled)
    for text in said:
        if text.id:
            first, texts = (text.id, [text.string]) if isinstance(text.id, str) else (text.id[0], list(text.string))
            found = kept.get(first, text.context).string
            assert all(texts), first
            assert texts == ([found] if isinstance(found, str) else list(found)), first
