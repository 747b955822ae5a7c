"""The settings of a register. The comment behind each field is its manual; docs/reference/settings.md is made from it.

Sources, each over the one before: the default, `openceir.toml` in the home folder, the environment. A field `http_port`
is `port = 8073` under `[http]` in the file, and `OPENCEIR_HTTP_PORT` in the environment. A name that is not known
stops the start. A secret is never a setting: settings name the file that holds it.
"""

import ast
import inspect
import re
import tomllib
import typing
from collections.abc import Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from openceir.errors import OpenceirError

__all__ = ["FILE_NAME", "PORTAL_LANGUAGES", "Setting", "Settings", "SettingsError", "load_settings", "settings_page"]

FILE_NAME = "openceir.toml"
_PREFIX = "OPENCEIR_"
_ELSEWHERE = {"OPENCEIR_HOME"}  # of the command line, before there are settings


class SettingsError(OpenceirError):
    """A setting is unknown or has a value that it cannot take; nothing was started."""

    code = "settings-refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting with its default."""

    memory_limit: str = "2GB"  # What the engine of detection may use before it spills to disk, such as 500MB or 4GB.
    threads: int = 0  # Threads of that engine; 0 is one for each processor.
    policy_folder: str = "policy"  # Where policy files lie, relative to the home folder.
    log_format: str = "text"  # How the server logs requests: text or json. Identifiers are in neither.

    http_host: str = "127.0.0.1"  # The address that `openceir serve` listens on; 0.0.0.0 is every one.
    http_port: int = 8073  # Its port.
    http_workers: int = 1  # Processes that answer; each opens the register for itself.
    http_max_body_octets: int = 262144  # The largest request body that is read; a longer one is answered with 413.
    http_max_batch: int = 1000  # The most identifiers in one batch.
    http_operators_port: int = 8074  # The port of the operators' door, `openceir serve --operators`.
    http_make_lists: bool = True  # Whether that door makes new lists by itself, soon after statements change them.
    http_waits: int = 16  # How many EIRs may wait at it for the next lists at once; others ask every second.
    http_federation_port: int = 8075  # The port of the federation's door, `openceir serve --federation`.
    http_public_checks: bool = True  # Whether one device at a time may be checked without a token.

    portal_name: str = "Device Register"  # What the portal calls itself, at the head of every page.
    portal_hosts: str = "localhost 127.0.0.1 [::1]"  # The names that the portal answers to, divided by spaces.
    consortium_engine: str = ""  # The consensus engine, cometbft; empty: the one on PATH or in Go's folders.
    portal_https: bool = False  # Whether people reach it over HTTPS: cookies and passkeys are then for HTTPS alone.
    portal_language: str = "en"  # The language of those who did not choose: en, fr, ar, es, pt or hi.
    portal_database: str = ""  # Empty: portal.sqlite in the home folder. Or postgresql://user@host/name?passfile=/path.
    portal_api_per_day: int = 100_000  # What one access token may ask the API in a day: devices, listings, pictures.
    portal_free_per_hour: int = 60  # Devices and forms an hour of one network address, before a proof of work is asked.
    portal_metrics_secret_file: str = ""  # File with what a scraper shows at /metrics; empty: the page is closed.
    portal_mail_from: str = ""  # The sender of e-mail (notices, forgotten passwords); empty: none is sent.
    portal_mail_server: str = "localhost:25"  # The mail server that takes it; folder: it is written into portal/mail.
    portal_oidc_issuer: str = ""  # The OpenID Connect provider that people may sign in by, https://…; empty: none.
    portal_oidc_name: str = "your office's sign-in"  # What its button is called.
    portal_oidc_client_id: str = ""  # Our name there.
    portal_oidc_secret_file: str = ""  # File (0600) with our secret there, relative to the home; empty: PKCE alone.

    questions_tokens_per_minute: int = 10  # Private questions a minute of one network address without an access token.
    questions_tokens_per_minute_in_all: int = 1000  # The same of everybody together.
    questions_partner_per_minute: int = 2000  # The same of an access token; an asker with a long list waits by itself.
    questions_tokens_per_day: int = 10  # Private questions a day of one network address without an access token.
    questions_tokens_per_day_in_all: int = 20000  # The same of everybody together: the bound on enumeration.
    questions_partner_per_day: int = 20000  # The same of an access token that has no quota of its own.
    questions_stale_after_days: int = 8  # How long askers believe bucket files; build them more often than that.
    questions_proxy: str = ""  # Our own reverse proxy's address, whose X-Forwarded-For tells who asks, here and at the portal; empty: none.

    channels_gateways: str = ""  # Addresses of SMS and USSD gateways that need no secret, divided by spaces.
    channels_secret_file: str = ""  # File with the secret that gateways send, relative to the home; empty: none.

    def __post_init__(self) -> None:
        """Raises: SettingsError for a value that could not work."""
        for name, least, most in _BOUNDS:
            value = getattr(self, name)
            if not least <= value <= most:
                raise SettingsError(f"the setting {_spelt(name)} is {value}, expected {least} to {most}")
        if self.log_format not in {"text", "json"}:
            raise SettingsError(f'the setting log_format is "{self.log_format}", expected text or json')
        if self.portal_language not in PORTAL_LANGUAGES:
            known = ", ".join(PORTAL_LANGUAGES)
            raise SettingsError(f'the setting portal.language is "{self.portal_language}", expected one of {known}')
        if re.match(r"[^/]*//[^/@]*:[^/@]*@", self.portal_database):
            raise SettingsError(
                "the setting portal.database holds a password; name a file with ?passfile=/path instead"
            )


_BOUNDS = (
    ("threads", 0, 1024),
    ("http_port", 0, 65535),
    ("http_workers", 1, 256),
    ("http_operators_port", 0, 65535),
    ("http_federation_port", 0, 65535),
    ("http_waits", 1, 1000),
    ("http_max_body_octets", 1024, 1 << 30),
    ("http_max_batch", 1, 10_000),
    ("portal_api_per_day", 0, 10**9),
    ("portal_free_per_hour", 1, 10**9),
    ("questions_tokens_per_minute", 0, 1000),
    ("questions_tokens_per_minute_in_all", 0, 10**9),
    ("questions_partner_per_minute", 0, 10**9),
    ("questions_tokens_per_day", 0, 1000),
    ("questions_tokens_per_day_in_all", 0, 10**9),
    ("questions_partner_per_day", 0, 10**9),
    ("questions_stale_after_days", 1, 366),
)
_SECTIONS = ("http", "portal", "questions", "channels", "consortium")
PORTAL_LANGUAGES = ("en", "fr", "ar", "es", "pt", "hi")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting as it stands: its value and where that comes from."""

    name: str
    value: Any
    origin: str  # "default", the file's path, or the environment variable


def load_settings(home: Path, environment: Mapping[str, str]) -> tuple[Settings, list[Setting]]:
    """The settings in force for a home folder, and the origin of each.

    Raises: SettingsError when a file cannot be read, a name is not known or a value is not of its type.
    """
    values: dict[str, tuple[Any, str]] = {}
    path = home / FILE_NAME
    for name, value in _from_file(path).items():
        values[name] = (_checked(name, value, f"{path}"), str(path))
    for name, text in _from_environment(environment).items():
        variable = f"{_PREFIX}{name.upper()}"
        values[name] = (_from_text(name, text, variable), variable)
    settings = Settings(**{name: value for name, (value, _) in values.items()})
    return settings, [
        Setting(name=field.name, value=getattr(settings, field.name), origin=values.get(field.name, ("", "default"))[1])
        for field in fields(Settings)
    ]


def _from_file(path: Path) -> dict[str, Any]:
    """The file's values by field name; nothing when there is no file."""
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as wrong:
        raise SettingsError(f"{path} cannot be read: {wrong}") from wrong
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        if key in _SECTIONS and isinstance(value, dict):
            flat |= {f"{key}_{inner}": setting for inner, setting in value.items()}
        else:
            flat[key] = value
    for name in flat:
        _refuse_unknown(name, str(path))
    return flat


def _from_environment(environment: Mapping[str, str]) -> dict[str, str]:
    found = {}
    for variable, text in environment.items():
        if variable.startswith(_PREFIX) and variable not in _ELSEWHERE:
            name = variable.removeprefix(_PREFIX).lower()
            _refuse_unknown(name, f"the environment ({variable})")
            found[name] = text
    return found


def _refuse_unknown(name: str, where: str) -> None:
    known = [field.name for field in fields(Settings)]
    if name not in known:
        near = get_close_matches(name, known, n=1)
        hint = f"; did you mean {_spelt(near[0])}?" if near else "; `openceir config show` lists all"
        raise SettingsError(f"{where}: there is no setting {_spelt(name)}{hint}")


def _spelt(name: str) -> str:
    """A field's name as the file writes it: http.port."""
    section, _, rest = name.partition("_")
    return f"{section}.{rest}" if section in _SECTIONS and rest else name


def _checked(name: str, value: Any, where: str) -> Any:
    wanted = typing.get_type_hints(Settings)[name]
    if type(value) is not wanted:  # not isinstance: true is an int to Python and a mistake to the reader
        raise SettingsError(f"{where}: {_spelt(name)} is {value!r}, expected {_TYPES[wanted]}")
    return value


_TYPES = {str: "a text", int: "a whole number", bool: "true or false"}


def _from_text(name: str, text: str, where: str) -> Any:
    wanted = typing.get_type_hints(Settings)[name]
    if wanted is int and text.strip().isascii() and text.strip().isdigit():
        return int(text)
    if wanted is bool and text.lower() in {"true", "false"}:
        return text.lower() == "true"
    if wanted is str:
        return text
    raise SettingsError(f"{where}: {_spelt(name)} is {text!r}, expected {_TYPES[wanted]}")


@cache
def _manual() -> dict[str, str]:
    """Each field's comment, from the source: the one place where a setting is explained."""
    lines = inspect.getsource(Settings).splitlines()
    body = ast.parse(inspect.cleandoc("\n".join(lines))).body[0]
    assert isinstance(body, ast.ClassDef)
    return {
        node.target.id: lines[node.lineno - 1].partition("  # ")[2]
        for node in body.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }


def settings_page() -> str:
    """docs/reference/settings.md."""
    rows = [
        f"| `{_spelt(field.name)}` | `{_PREFIX}{field.name.upper()}` | `{_toml(field.default)}` | {_manual()[field.name]} |"
        for field in fields(Settings)
    ]
    return "\n".join(
        [
            "# Settings",
            "",
            "Made from `src/openceir/settings.py`; a test compares. Every setting works when absent. Each source counts",
            f"over the one before: the default, `{FILE_NAME}` in the home folder, the environment. A misspelt name stops the",
            "start. `openceir config show` prints each value and where it comes from. The home folder itself is `--home` or",
            "`OPENCEIR_HOME`. Secrets are never settings: keys lie in files, mode 0600.",
            "",
            f"| in {FILE_NAME} | in the environment | default | |",
            "|---|---|---|---|",
            *rows,
            "",
            "A name with a dot stands in a table of the file:",
            "",
            "```toml",
            'memory_limit = "4GB"',
            "",
            "[http]",
            "port = 8080",
            "workers = 2",
            "```",
            "",
        ]
    )


def _toml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else f'"{value}"' if isinstance(value, str) else str(value)
