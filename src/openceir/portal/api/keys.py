"""Keys for programs: made by a company for itself or by the regulator for a partner, and ended by the same.

A key is 32 random octets, shown once; its digest is kept. A company's key acts in the name of the person who made it,
with that person's appointment: when the appointment ends, so does what the key opens. A partner's key acts for an
office that has no account here and opens nothing that rests on an appointment.
"""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from openceir.portal import moment
from openceir.portal.accounts.acts import Actor
from openceir.portal.accounts.errors import PortalError
from openceir.portal.accounts.log import note
from openceir.portal.accounts.roles import PortalRole
from openceir.portal.api.models import ApiKey
from openceir.portal.api.scopes import Scope, of_company, of_partner

__all__ = [
    "COMMAND_LINE", "KeyRefused", "as_row", "every_key", "find_key", "key_named", "keys_of", "make_key", "revoke_key",
    "scopes_for",
]  # fmt: skip

_PREFIX = "openceir_"  # lets scanners of repositories and logs find one that leaked
_RANDOM_OCTETS = 32
# Who holds the machine ends keys with `openceir api revoke`; the act log says so.
COMMAND_LINE = Actor(name="command-line", role="command", office="regulator", signs_with="regulator")
_REGULATORS = {PortalRole.REGULATOR, PortalRole.REGULATOR_SUPERVISOR}


class KeyRefused(PortalError):
    """A key cannot be made as asked."""

    code = "key-refused"


def scopes_for(actor: Actor) -> list[Scope]:
    """What this person may put into a key."""
    return of_partner() if actor.role in _REGULATORS else of_company(actor.role)


def make_key(
    actor: Actor, *, name: str, scopes: Iterable[str], per_day: int, expires_at: datetime, partner: str = ""
) -> tuple[ApiKey, str]:
    """A new key and its text, which nobody can show again. `partner` is whom the regulator gives it to.

    Raises: KeyRefused when the name is taken, or for a scope that this person may not give.
    """
    assert actor.user is not None
    for_partner = actor.role in _REGULATORS
    asked = sorted(set(scopes))
    if not asked or not set(asked) <= {one.name for one in scopes_for(actor)}:
        raise KeyRefused(_("You cannot give a key all of these permissions."))
    if for_partner != bool(partner):
        raise KeyRefused(_("The regulator names the partner; a company makes keys for itself."))
    text = _PREFIX + secrets.token_urlsafe(_RANDOM_OCTETS)
    try:
        with transaction.atomic():
            key = ApiKey.objects.create(
                name=name, office=partner or actor.office, role="" if for_partner else actor.role, holder=actor.user,
                digest=_digest(text), scopes=asked, per_day=per_day, expires_at=expires_at,
            )  # fmt: skip
            note(actor, "api.make-key", subject=f"key-{key.pk}", reason=" ".join(asked))
    except IntegrityError:
        raise KeyRefused(
            _("There is a key of this name already. Choose another, so that each is told apart.")
        ) from None
    return key, text


def keys_of(actor: Actor) -> "QuerySet[ApiKey]":
    """The keys that this person may see and end: his company's, or those of the regulator's partners."""
    if actor.role in _REGULATORS:
        return ApiKey.objects.filter(role="")
    return ApiKey.objects.filter(office=actor.office).exclude(role="")


def every_key() -> list[ApiKey]:
    """Every key ever made, by office and name."""
    return list(ApiKey.objects.select_related("holder"))


def key_named(text: str) -> ApiKey:
    """The key that is written `office/name`. Raises: KeyRefused."""
    office, _slash, name = text.rpartition("/")
    key = ApiKey.objects.filter(office=office, name=name).first()
    if key is None:
        raise KeyRefused(f'there is no key "{text}"; `openceir api list` shows them')
    return key


def as_row(key: ApiKey) -> dict[str, Any]:
    """What a command shows of a key."""
    state = "open" if key.is_valid_at(moment.now()) else "revoked" if key.revoked_at else "expired"
    return {
        "key": str(key),
        "holder": key.holder.username,
        "scopes": key.scopes,
        "per_day": key.per_day,
        "expires_at": f"{key.expires_at:%Y-%m-%dT%H:%M:%SZ}",
        "state": state,
    }


def revoke_key(actor: Actor, key: ApiKey) -> None:
    """Let a key open nothing from now on; harmless when it is ended already."""
    with transaction.atomic():
        ended = ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=moment.now(), revoked_by=actor.name)
        if ended:
            note(actor, "api.revoke-key", subject=f"key-{key.pk}")


def find_key(text: str, at: datetime) -> ApiKey | None:
    """The key with this text, if it opens anything."""
    # Looked up by digest: how long that takes says nothing about the text.
    key = ApiKey.objects.select_related("holder").filter(digest=_digest(text)).first()
    return key if key is not None and key.is_valid_at(at) else None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
