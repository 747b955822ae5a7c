"""The page of keys: a company's own, or those of the regulator's partners."""

from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from openceir.portal import moment
from openceir.portal.accounts.acts import Actor, actor_of, reader_of
from openceir.portal.accounts.doors import needs_any
from openceir.portal.accounts.roles import may
from openceir.portal.api.forms import KeyForm
from openceir.portal.api.keys import KeyRefused, keys_of, make_key, revoke_key
from openceir.portal.api.models import Use
from openceir.portal.api.rules import GIVE_PARTNERS_KEYS, MAKE_OWN_KEYS
from openceir.portal.api.scopes import SCOPES
from openceir.portal.site.pages import form_page

__all__ = ["end_key", "keys", "may_have_keys"]

_EITHER = (GIVE_PARTNERS_KEYS, MAKE_OWN_KEYS)


def may_have_keys(request: HttpRequest) -> bool:
    """Whether the person of this request makes keys."""
    return any(may(request.user, permission) for permission in _EITHER)


def _permission(request: HttpRequest) -> str:
    return next(permission for permission in _EITHER if may(request.user, permission))


@needs_any(lambda: _EITHER, to_act=True)
def keys(request: HttpRequest) -> HttpResponse:
    """The keys there are, and the form that makes one; the page after it is the only one that ever shows the new key."""
    actor = reader_of(request, _permission(request))
    form = KeyForm(actor, request.POST or None)
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        try:
            key, text = make_key(
                actor_of(request, _permission(request)), name=told["name"], scopes=told["scopes"],
                per_day=told["per_day"], expires_at=told["expires_on"], partner=told.get("partner", ""),
            )  # fmt: skip
        except KeyRefused as refused:
            form.add_error("name", str(refused))
        else:
            return render(request, "api/key.html", {"key": key, "text": text})
    return form_page(request, "api/keys.html", form, {"rows": _rows(actor)})


@require_POST
@needs_any(lambda: _EITHER, to_act=True)
def end_key(request: HttpRequest, number: int) -> HttpResponse:
    """End a key at once."""
    actor = actor_of(request, _permission(request))
    revoke_key(actor, get_object_or_404(keys_of(actor), pk=number))
    return redirect("api_keys")


def _rows(actor: Actor) -> list[dict[str, object]]:
    kept = list(keys_of(actor).select_related("holder"))
    used = dict(
        Use.objects.filter(token__in=[key.counted_as for key in kept]).values_list("token").annotate(last=Max("on"))
    )
    now = moment.now()
    return [
        {
            "key": key,
            "scopes": [SCOPES[name].text for name in key.scopes if name in SCOPES],
            "is_valid": key.is_valid_at(now),
            "last_used": used.get(key.counted_as),
        }
        for key in kept
    ]
