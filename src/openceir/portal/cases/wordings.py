"""The words of notices, each under a name, so that an office may put its own in their place.

    RECOVERED = wording("report-recovered", _("Your phone is recorded as back. …"))
    BLOCK_TO_COME = wording("block-to-come", _("… blocked on %(day)s. …"), day=lambda: date_format(moment.today()))

    notify(case, RECOVERED)
    notify(case, BLOCK_TO_COME.filled(day=...))

What `use_texts` was given is asked first, by name and language; where it has none, the program's own text is said.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from django.utils import translation
from django.utils.functional import Promise

__all__ = ["WORDINGS", "Worded", "Wording", "placeholders_in", "use_texts", "wording"]

_PLACEHOLDER = re.compile(r"%\((\w+)\)s")
Texts = Callable[[str, str], str | None]  # name, language


def _none(name: str, language: str) -> str | None:
    """Nobody put other words in their place."""
    return None


_texts: list[Texts] = [_none]


@dataclass(frozen=True, slots=True)
class Wording:
    """The text of one kind of notice; `samples` make a value for each of its placeholders, for a preview."""

    name: str
    text: str | Promise
    samples: Mapping[str, Callable[[], object]] = field(default_factory=dict)

    def filled(self, **values: object) -> "Worded":
        """With its values."""
        return Worded(self, values)

    def own_text(self, language: str) -> str:
        """The program's own text, placeholders as they are."""
        with translation.override(language):
            return str(self.text)

    def preview(self, language: str, text: str) -> str:
        """How this text would read. Raises: KeyError, ValueError, TypeError for one whose placeholders do not fit."""
        with translation.override(language):
            return text % {name: str(sample()) for name, sample in self.samples.items()}


@dataclass(frozen=True, slots=True)
class Worded:
    """A notice's text and its values."""

    wording: Wording
    values: Mapping[str, object] = field(default_factory=dict)

    def said_in(self, language: str) -> str:
        """The words that stand today, in a language."""
        text = _texts[-1](self.wording.name, language) or self.wording.own_text(language)
        with translation.override(language):
            return text % {name: str(value) for name, value in self.values.items()}


WORDINGS: dict[str, Wording] = {}


def wording(name: str, text: str | Promise, **samples: Callable[[], object]) -> Wording:
    """Register the words of a notice. Its placeholders are the names of the samples."""
    WORDINGS[name] = Wording(name, text, samples)
    return WORDINGS[name]


def use_texts(texts: Texts) -> None:
    """Let other words stand in the place of the program's, where this gives some."""
    _texts[:] = [texts]


def placeholders_in(text: str) -> set[str]:
    """The names in `%(name)s`. Raises: ValueError for a percent sign that begins none and is not doubled."""
    if "%" in _PLACEHOLDER.sub("", text).replace("%%", ""):
        raise ValueError("a percent sign is written twice: %%")
    return set(_PLACEHOLDER.findall(text))
