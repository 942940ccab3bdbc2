"""The part of the JSON Schema that is about challenges: their options, and the kinds with their arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from doorward.challenges.appearance import IMAGES, LONGEST_TEXT, Theme
from doorward.challenges.binding import PARTS
from doorward.challenges.listed import ARGUMENTS
from doorward.challenges.options import (
    MOST_PER_ADDRESS,
    OPTION_PARSERS,
    STATUSES,
    STORE_ERRORS,
    ChallengeOptions,
    ClientOptions,
)
from doorward.challenges.pictures.forms import EASIEST, HARDEST
from doorward.challenges.signals.kind import Browser
from doorward.challenges.signals.weights import MOST
from doorward.challenges.standing_in import KIND
from doorward.challenges.work import Work
from doorward.challenges.work.derivation import PAGE_PROFILES, PROFILES
from doorward.challenges.work.options import AltchaOptions
from doorward.levels import Level
from doorward.policy.docstrings import said_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Schema = dict[str, Any]

_TRUTH: Schema = {"type": "boolean"}
_POSITIVE: Schema = {"type": "number", "exclusiveMinimum": 0}
_WHOLE: Schema = {"type": "integer", "minimum": 1}
_TAG = "^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$"
_DRAWN: Mapping[str, str] = {
    "hardness": "From 1 to 5. The request's sum of weights adds a step for each 15.",
    "drawings_per_minute": "How many pictures and sounds may be drawn in a minute for everybody together.",
}


def any_case(words: Iterable[str]) -> Schema:
    """One of these, in any case, with - for _: an editor offers them as they are usually written."""
    listed = list(words)
    letters = ("|".join("".join(_either(letter) for letter in word) for word in listed)).replace("_", "[-_]")
    return {"anyOf": [{"enum": listed}, {"type": "string", "pattern": f"^({letters})$"}]}


def _either(letter: str) -> str:
    return f"[{letter.upper()}{letter.lower()}]" if letter.isalpha() else letter


def challenges_schema(*, duration: Schema, text: Schema) -> Schema:
    """The option ``challenges``.

    Args:
        duration: The schema of a time.
        text: The schema of text that is not empty.
    """
    own: dict[str, Schema] = {
        "prefix": {"type": "string", "pattern": "^/[^*]*[^/*]$"},
        "lifetime": duration,
        "renew_for": duration,
        "quota": text,
        "clients": _table(ClientOptions, _clients(duration, text)),
        "bind": {"type": "array", "items": {"enum": sorted(PARTS)}},
        "levels": _levels(),
        "kinds": {"type": "array", "items": {"anyOf": [{"enum": list(ARGUMENTS)}, *_kinds()]}, "minItems": 1},
        "secure": _TRUTH,
        "domain": {"type": "string", "pattern": "^[^ /:]+$"},
        "not_before": _POSITIVE,
        "on_store_error": {"enum": list(STORE_ERRORS)},
        "status": {"enum": list(STATUSES)},
        "altcha": _table(AltchaOptions, _altcha(duration)),
    }
    assert own.keys() == OPTION_PARSERS.keys(), "an option is missing here"
    return _table(ChallengeOptions, {**own, **_looks(text)})


def _table(documented: Any, properties: Mapping[str, Schema]) -> Schema:
    said = said_of(documented)
    described = {name: {"description": said[name], **kind} for name, kind in properties.items()}
    return {"type": "object", "properties": described, "additionalProperties": False}


def _looks(text: Schema) -> dict[str, Schema]:
    line: Schema = {"type": "string", "maxLength": LONGEST_TEXT}
    picture: Schema = {
        "type": "object",
        "properties": {
            "file": {"description": f"A file beside the policy: {', '.join(IMAGES)}.", "type": "string"},
        },
        "required": ["file"],
        "additionalProperties": False,
    }
    words: Schema = {"type": "object", "additionalProperties": {"type": "string"}}
    return {
        "theme": {"enum": list(Theme.__args__)},  # type: ignore[attr-defined]
        "accent": {"type": "string", "pattern": "^#[0-9a-fA-F]{6}$"},
        "logo": {"anyOf": [{"type": "string", "pattern": "^(https://|/)"}, picture]},
        "title": line,
        "css": text,
        "contact": line,
        "words": {"type": "object", "patternProperties": {_TAG: words, "^[*]$": words}, "additionalProperties": False},
        "language": {"type": "string", "pattern": _TAG},
        "template_dir": text,
    }


def _clients(duration: Schema, text: Schema) -> dict[str, Schema]:
    per_address = {"type": "integer", "minimum": 1, "maximum": MOST_PER_ADDRESS}
    return {"lifetime": duration, "per_address": per_address, "new": text}


def _levels() -> Schema:
    pattern = any_case(level.word for level in Level)["anyOf"][1]["pattern"]
    listed = {level.word: _POSITIVE for level in Level}
    return {
        "type": "object",
        "properties": listed,
        "patternProperties": {pattern: _POSITIVE},
        "additionalProperties": False,
    }


def _altcha(duration: Schema) -> dict[str, Schema]:
    numbers = dict.fromkeys(("cost", "memory", "least", "most"), _WHOLE)
    version = {"enum": [1, 2]}
    return {
        "version": version,
        "algorithm": {"enum": list(PROFILES)},
        **numbers,
        "lifetime": duration,
        "bind": _TRUTH,
    }


def _kinds() -> list[Schema]:
    """A table for each kind that takes arguments."""
    said = {**_DRAWN, **said_of(Browser), **said_of(Work)}
    work = {"algorithm": {"enum": list(PAGE_PROFILES)}, **dict.fromkeys(("cost", "memory", "least", "most"), _WHOLE)}
    arguments: dict[str, Schema] = {
        **work,
        "work": {
            "type": "object",
            "properties": {name: {"description": said[name], **kind} for name, kind in work.items()},
            "additionalProperties": False,
        },
        "doubtful": {"type": "number", "exclusiveMinimum": 0, "maximum": MOST},
        "hardness": {"type": "integer", "minimum": EASIEST, "maximum": HARDEST},
        "drawings_per_minute": _WHOLE,
    }
    return [
        {
            "type": "object",
            "properties": {
                KIND: {"const": name},
                **{each: {"description": said[each], **arguments[each]} for each in accepted},
            },
            "required": [KIND],
            "additionalProperties": False,
        }
        for name, accepted in ARGUMENTS.items()
    ]


__all__ = ["any_case", "challenges_schema"]
