"""Changes of the policy: drafted, simulated, agreed to by a second person, and only then in force.

A change is a whole file, or one limit from a day on. Limits changed here stand in one file of the policy folder,
which is written whole each time: `80-portal.toml`, after the country's own files and therefore over them.
"""

import difflib
import hashlib
import re
import tomllib
from collections.abc import Mapping
from datetime import date
from typing import Any

import tomlkit
from django.db import transaction
from django.utils.translation import gettext as _

from openceir.policy import PolicyError
from openceir.portal import moment
from openceir.portal.accounts.acts import Actor
from openceir.portal.accounts.approvals import approvable, propose
from openceir.portal.accounts.errors import PortalError
from openceir.portal.accounts.log import note
from openceir.portal.accounts.models import Proposal
from openceir.portal.register import register
from openceir.portal.regulator.jobs import simulate
from openceir.portal.regulator.models import Draft
from openceir.portal.regulator.rules import APPROVE_POLICY

__all__ = ["LIMITS_FILE", "draft_change", "draft_limit", "limits_now", "propose_draft", "standing_text"]

LIMITS_FILE = "80-portal.toml"
_FILE_NAME = re.compile(r"[0-9a-z][0-9a-z_-]{0,60}\.toml")
_LONG_AGO = "1970-01-01"


class DraftRefused(PortalError):
    """The draft is no policy, or changes nothing."""

    code = "draft-refused"


def standing_text(file: str) -> str:
    """What stands in this file of the policy folder now; nothing when there is none."""
    path = register().policy_folder / _checked(file)
    return path.read_text(encoding="utf-8") if path.exists() else ""


def draft_change(actor: Actor, *, file: str, text: str, reason: str) -> Draft:
    """A draft of a whole file; its simulation begins. Raises: DraftRefused, PolicyError, RuleRefused."""
    assert actor.user is not None
    standing = standing_text(file)
    text = text.replace("\r\n", "\n")
    if text.strip() == standing.strip():
        raise DraftRefused(_("This is what stands there already; nothing would change."))
    register().policy_with(file, text, moment.now().date())
    with transaction.atomic():
        draft = Draft.objects.create(
            file=file,
            text=text,
            standing_text=standing,
            standing_sha256=hashlib.sha256(standing.encode() if standing else b"").hexdigest(),
            reason=reason,
            author=actor.user,
        )
        note(actor, "regulator.draft-policy", subject=f"draft-{draft.pk}", reason=reason)
        simulate.enqueue(draft.pk)
    return draft


def draft_limit(actor: Actor, *, path: str, value: str, since: date, source: str, reason: str) -> Draft:
    """A draft that sets one limit from a day on, with the law that says so. Raises: as `draft_change`."""
    present = register().policy.limit(path, moment.now().date())
    new = _read_value(value, present.value)
    document = tomlkit.parse(standing_text(LIMITS_FILE))
    *sections, name = path.split(".")
    table: Any = document
    for section in sections:
        table = table.setdefault(section, tomlkit.table())
    dates = {day: kept for day, kept in _dates_of(path).items() if day < since.isoformat()}
    dated = tomlkit.inline_table()
    dated["from"] = {**dates, since.isoformat(): new}
    if present.unit:
        dated["unit"] = present.unit
    dated["source"] = source
    table[name] = dated
    return draft_change(actor, file=LIMITS_FILE, text=tomlkit.dumps(document), reason=reason)


def propose_draft(actor: Actor, draft: Draft) -> Proposal:
    """Put a draft before a second person. Raises: DraftRefused before its simulation has said what it would do."""
    if draft.effects is None:
        raise DraftRefused(_("What this change would do is not known yet; wait for the simulation."))
    if draft.proposal is not None:
        raise DraftRefused(_("This draft was proposed already."))
    with transaction.atomic():
        draft.proposal = propose(
            actor, _CHANGE, payload={"draft": draft.pk}, summary=f"policy: {draft.file}", reason=draft.reason,
            subject=f"draft-{draft.pk}",
        )  # fmt: skip
        draft.save(update_fields=["proposal"])
    return draft.proposal


def _change(actor: Actor, proposal: Proposal) -> None:
    draft = Draft.objects.get(pk=proposal.payload["draft"])
    note(actor, "regulator.change-policy", subject=proposal.subject, reason=draft.reason)
    register().change_policy(draft.file, draft.text, seen_sha256=draft.standing_sha256, at=moment.now())


_CHANGE = approvable("regulator.policy-change", approve=APPROVE_POLICY, carry_out=_change)


def difference(draft: Draft) -> list[str]:
    """What the draft changes, as a unified diff."""
    before, after = draft.standing_text.splitlines(), draft.text.splitlines()
    return list(difflib.unified_diff(before, after, _("in force"), _("draft"), lineterm=""))


def limits_now() -> list[dict[str, Any]]:
    """Every single limit of the policy as it stands today: path, value, unit, source, since."""
    policy, today = register().policy, moment.now().date()
    found = []

    def walk(path: str, node: Mapping[str, Any]) -> None:
        for name, below in node.items():
            where = f"{path}.{name}" if path else name
            if isinstance(below, Mapping) and "from" not in below:
                walk(where, below)
            elif not isinstance(below, list):
                try:
                    limit = policy.limit(where, today)
                except PolicyError:  # its first day is still to come
                    continue
                found.append(
                    {
                        "path": where,
                        "value": limit.value,
                        "unit": limit.unit,
                        "source": limit.source,
                        "since": limit.since,
                    }
                )

    walk("", policy.tree)
    return [row for row in found if isinstance(row["value"], bool | int | float | str)]


def _dates_of(path: str) -> dict[str, Any]:
    node: Any = register().policy.tree
    for part in path.split("."):
        node = node[part]
    if isinstance(node, Mapping) and "from" in node:
        return {str(day): value for day, value in node["from"].items()}
    return {_LONG_AGO: node}


def _read_value(text: str, like: object) -> object:
    """The text as TOML reads it, of the present value's type. Raises: DraftRefused."""
    written = text.strip()
    if isinstance(like, str):
        return written
    try:
        value = tomllib.loads(f"value = {written}")["value"]
    except (tomllib.TOMLDecodeError, KeyError):
        value = None
    if isinstance(like, float) and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not type(like):
        raise DraftRefused(_("Write a value of the same kind as the present one: %(value)s") % {"value": like})
    return value


def _checked(file: str) -> str:
    if not _FILE_NAME.fullmatch(file):
        raise DraftRefused(_("A policy file's name has small letters, digits and hyphens, and ends in .toml."))
    return file
