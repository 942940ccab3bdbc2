"""The words of pages in the languages of their readers: catalogues, and which of them a client would rather read.

A catalogue is a file of JSON in ``words``, named by its language tag (RFC 5646). All have the same keys, which a test
holds; operators add languages, and put words of their own in the place of ours.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from doorward.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Overrides = Mapping[str, Mapping[str, str]]

DEFAULT = "en"
LONGEST_HEADER = 500
"""Characters of Accept-Language that are looked at. Browsers send fewer than a hundred."""
MOST_RANGES = 20
MOST_REMEMBERED = 512
"""Different values of the header whose language is remembered."""

_TAG = re.compile(r"[a-z]{2,8}(-[a-z0-9]{1,8}){0,5}", re.IGNORECASE)
_RIGHT_TO_LEFT = frozenset(
    ["ar", "arc", "ckb", "dv", "fa", "ha-arab", "he", "ks", "ku-arab", "ps", "sd", "syr", "ug", "ur", "yi"]
)
_ALSO_CALLED = {"zh": "zh-hans", "zh-cn": "zh-hans", "zh-sg": "zh-hans", "zh-my": "zh-hans", "iw": "he"}
"""What browsers call languages of ours: Chinese by country, Hebrew by its code of before 1989 (RFC 5646, registry)."""
_QUALITY = re.compile(r"[01](\.[0-9]{0,3})?")


class Language(NamedTuple):
    """A language, and the words of a page in it.

    Attributes:
        tag: As ``lang`` has it.
        words: By key; English where the catalogue has none.
        direction: ``ltr`` or ``rtl``.
    """

    tag: str
    words: Mapping[str, str]
    direction: str = "ltr"


class Languages:
    """All languages of an application.

    Args:
        overrides: Words of its own, by language tag; ``"*"`` for those that are the same in every language.
        default: What is spoken to clients that read none of the languages.

    Raises:
        ConfigurationError: There are no words in the default language.
    """

    def __init__(self, overrides: Overrides | None = None, default: str = DEFAULT) -> None:
        own = {tag.lower(): words for tag, words in (overrides or {}).items()}
        tags = {tag.lower(): tag for tag in [*catalogues(), *(overrides or {})] if tag != "*"}
        self._tags, self._own = tags, own
        self._made: dict[str, Language] = {}
        self._chosen: dict[str, str] = {}
        found = lookup(default, self._tags)
        if found is None:
            raise ConfigurationError(
                "challenges.language", f"{default!r} is none of {', '.join(sorted(tags.values()))}"
            )
        self._default = found

    def of(self, accept: Sequence[str]) -> Language:
        """The language that the values of Accept-Language ask for."""
        return self.named(self._choice(",".join(accept)[:LONGEST_HEADER]))

    def named(self, tag: str) -> Language:
        """A language by its tag, which there is."""
        if tag not in self._made:
            self._made[tag] = self._put_together(tag)
        return self._made[tag]

    def _choice(self, accept: str) -> str:
        if accept not in self._chosen:
            if len(self._chosen) >= MOST_REMEMBERED:
                self._chosen.clear()
            self._chosen[accept] = lookup(accept, self._tags) or self._default
        return self._chosen[accept]

    def _put_together(self, tag: str) -> Language:
        ours = catalogues()
        words = {**ours[DEFAULT], **self._own.get(DEFAULT, {})}
        # From the wider to the narrower: "de-AT" is German where it says nothing else.
        for known in _shortened(tag)[::-1]:
            name = self._tags.get(known, "")
            words.update({**ours.get(name, {}), **self._own.get(known, {})})
        words |= self._own.get("*", {})
        parts = tag.split("-")
        to_left = parts[0] in _RIGHT_TO_LEFT or "-".join(parts[:2]) in _RIGHT_TO_LEFT
        return Language(self._tags[tag], words, "rtl" if to_left else "ltr")


def lookup(accept: str, known: Mapping[str, str]) -> str | None:
    """The first of the ranges of Accept-Language, best first, that is ``known``, shortened as far as it takes.

    RFC 4647 section 3.4 ("lookup"), on the list of RFC 9110 section 12.5.4.
    """
    for wanted in _ranges(accept):
        for tag in _shortened(wanted):
            found = _ALSO_CALLED.get(tag, tag)
            if found in known:
                return found
    return None


@cache
def catalogues() -> Mapping[str, Mapping[str, str]]:
    """The words that come with doorward, by language tag."""
    from importlib.resources import files  # costs more than all else here, and is for pages alone

    folder = files("doorward.challenges").joinpath("words")
    found = {file.name: file.read_text("utf-8") for file in folder.iterdir() if file.name.endswith(".json")}
    return {name.removesuffix(".json"): json.loads(text) for name, text in sorted(found.items())}


def is_tag(text: str) -> bool:
    """Whether a text is a language tag as far as this module is concerned."""
    return _TAG.fullmatch(text) is not None


def _ranges(accept: str) -> list[str]:
    found = []
    for position, item in enumerate(accept.lower().split(",")[:MOST_RANGES]):
        tag, _, parameters = item.strip().partition(";")
        quality = _quality(parameters)
        if quality > 0 and is_tag(tag.strip()):
            found.append((-quality, position, tag.strip()))
    return [tag for _, _, tag in sorted(found)]


def _quality(parameters: str) -> float:
    # RFC 9110 section 12.4.2: 0 to 1 with three decimals; float() would take "nan" and "1e9" as well
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    return float(value) if _QUALITY.fullmatch(value.strip()) else 0.0


def _shortened(tag: str) -> list[str]:
    """A tag, and what is left of it with ever fewer subtags; a single letter goes with what follows it."""
    parts, found = tag.split("-"), []
    while parts:
        found.append("-".join(parts))
        parts.pop()
        if parts and len(parts[-1]) == 1:
            parts.pop()
    return found
