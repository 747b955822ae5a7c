"""HTTP as far as asking needs it: bounded answers, no redirects, problems turned into our errors."""

import json
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from openceir.questions import NoAnswer, QuotaSpent

__all__ = ["Fetcher"]

_LARGEST_REPLY = 1 << 20


class _NoRedirects(HTTPRedirectHandler):
    """A question goes to the address that was named, and to no other."""

    def redirect_request(self, *arguments: Any) -> None:
        """Never."""


class Fetcher:
    """Gets and posts, each at most `timeout_s` without an octet."""

    def __init__(self, timeout_s: float = 30) -> None:
        self._timeout_s = timeout_s
        self._opener = build_opener(_NoRedirects)
        self._opener.addheaders = [("User-Agent", "openceir")]

    def get(self, url: str, most: int = _LARGEST_REPLY) -> bytes:
        """The octets at `url`. Raises: NoAnswer."""
        return self._fetch(Request(_checked(url)), most)  # noqa: S310 - the scheme was checked

    def post(self, url: str, said: Any, access_token: str | None = None) -> Any:
        """The JSON that answers `said`. Raises: NoAnswer; QuotaSpent when the share of the minute or day is used up."""
        headers = {"Content-Type": "application/json"}
        if access_token is not None:
            headers["Authorization"] = f"Bearer {access_token}"
        octets = self._fetch(Request(_checked(url), json.dumps(said).encode(), headers), _LARGEST_REPLY)  # noqa: S310
        try:
            return json.loads(octets)
        except (ValueError, RecursionError):
            raise NoAnswer(
                f"{_host(url)} answered with something that is not JSON; is this a register's address?"
            ) from None

    def _fetch(self, request: Request, most: int) -> bytes:
        host = _host(request.full_url)
        try:
            with self._opener.open(request, timeout=self._timeout_s) as reply:
                octets: bytes = reply.read(most + 1)
        except HTTPError as refusal:
            with refusal:
                said = _problem(refusal.read(65_536))
            if refusal.code == 429:
                after = refusal.headers.get("Retry-After") or ""
                wait = int(after) if after.isascii() and after.isdigit() and len(after) < 6 else 0
                raise QuotaSpent(f"{host}: {said or 'no more may be asked now'}", wait) from None
            raise NoAnswer(f"{host} answered {refusal.code}: {said or 'no reason given'}") from None
        except (URLError, HTTPException, OSError, ValueError) as wrong:
            reason = getattr(wrong, "reason", wrong)
            raise NoAnswer(f"{host} cannot be asked: {reason}; no answer can be given") from None
        if len(octets) > most:
            raise NoAnswer(f"{host} answered with more than {most} octets, which no such answer has")
        return octets


def _checked(url: str) -> str:
    if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
        raise NoAnswer("an address begins with https:// (or http:// on this machine)")
    return url


def _host(url: str) -> str:
    return urlsplit(url).netloc


def _problem(octets: bytes) -> str:
    try:
        said = json.loads(octets)
        return str(said["detail"])[:500]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
