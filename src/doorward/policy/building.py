"""Builds the rules of a policy file by the builders of code. What is wrong is noted, and the rest gone on with."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from doorward.client_ip import Proxies
from doorward.duration import ACCEPTED
from doorward.errors import ConfigurationError, DataError, UnknownArgument
from doorward.policy.arguments import BUILDERS, OPTIONS, arguments, builder, by_names, options, shape
from doorward.policy.challenging import CHALLENGES, build_challenges
from doorward.policy.errors import mistake
from doorward.policy.examples import EXAMPLES, parse_examples
from doorward.printable import describe
from doorward.settings import Options, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from doorward.policy.arguments import Argument
    from doorward.policy.documents import Lines, Place
    from doorward.policy.errors import Mistake
    from doorward.policy.examples import Example
    from doorward.rules.base import Rule

KEY = "rule"
"""The key of an entry that names its builder."""
_ROUNDS = 20
_PART = re.compile(r"[^.\[\]]+")
"""Mistakes of one rule that are looked for; each takes a call of its builder."""
# In the place of an argument that is wrong and cannot be left out, so that the others are looked at too. Large, so that
# nothing is found to exceed them.
_STAND_INS: Mapping[str, Any] = {
    "max": 10**9,
    "capacity": 10**9,
    "refill_rate": 10**9,
    "interval": "1m",
    "window": "1m",
    "limit": "1000000/minute",
    "weight": 1,
    "traps": ["/x"],
}
_IN_FILES = {
    "count_when": "; a function can only be given in code",
    "limit": "; a function can only be given in code",
    "paths": '; a regular expression is text that begins with "re:"',
}
_ACCEPTED_DURATIONS = ACCEPTED.replace(" a timedelta, or", " or").replace("seconds,", "seconds")
_ENOUGH = 200
"""Mistakes of one file: who has made more has made one."""
_WORDS = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "list": "a list",
    "dict": "a table",
    "date": "a date",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of ``rules``.

    Attributes:
        builder: Its name, such as ``"sliding_window"``.
        arguments: What it was called with.
        line: Where it stands, from 1.
        rules: What it made.
        examples: Requests that they must match, and must not.
        file: Where it stands, where that is not the policy's own file.
    """

    builder: str
    arguments: Mapping[str, object]
    line: int
    rules: tuple[Rule, ...] = field(repr=False)
    examples: tuple[Example, ...] = field(default=(), repr=False)
    file: str = ""


def build_rules(found: object, lines: Lines, mistakes: list[Mistake], known: Sequence[Entry] = ()) -> list[Entry]:
    """The entries of ``rules``; what is wrong is added to ``mistakes``, and what is ``known`` not built again."""
    if not isinstance(found, list):
        mistakes.append(mistake(lines["rules",], "rules", f"must be a list of tables, not {_shown(found)}"))
        return []
    entries: list[Entry] = []
    before = [*known]
    for position, item in enumerate(found):
        entry = _entry(item, ("rules", position), lines, mistakes, before)
        if entry is not None:
            entries.append(entry)
        if len(mistakes) > _ENOUGH:
            break
    return entries


def _entry(item: Any, place: Place, lines: Lines, mistakes: list[Mistake], known: list[Entry]) -> Entry | None:
    if not isinstance(item, dict):
        problem = f'must be a table such as {{ {KEY} = "shield" }}, not {_shown(item)}'
        mistakes.append(mistake(lines[place], _named(place), problem))
        return None
    name = item.get(KEY)
    if not isinstance(name, str) or name not in BUILDERS:
        problem = f"must be one of {', '.join(BUILDERS)}"
        is_not = f", not {_shown(name)}.{_near(str(name), BUILDERS)}" if KEY in item else ", and is missing"
        mistakes.append(mistake(lines[*place, KEY], _named((*place, KEY)), problem + is_not))
        return None
    given = {key: value for key, value in item.items() if key not in (KEY, EXAMPLES)}
    where = (*place, EXAMPLES)
    examples = parse_examples(item[EXAMPLES], where, lines, mistakes, _named(where)) if EXAMPLES in item else ()
    for same in [each for each in known if each.builder == name and _same(each.arguments, given)][:1]:
        known.remove(same)
        return replace(same, line=lines[place], examples=examples)
    call = _Call(name, by_names(builder(name)), arguments(name), place, lines)
    rules = call.made(given)
    mistakes.extend(call.mistakes)
    return Entry(name, given, lines[place], rules, examples)


def _same(one: object, other: object) -> bool:
    """Whether two values are equal and of the same types all through: 1 is not True here, nor 1.0."""
    return repr(one) == repr(other)


class _Call:
    """One call of a builder, or of what checks options, with arguments from a file.

    Attributes:
        mistakes: What is wrong with them.
    """

    def __init__(
        self, name: str, build: Callable[..., Any], accepted: Mapping[str, Argument], place: Place, lines: Lines
    ) -> None:
        self._name = name
        self._build = build
        self._accepted = accepted
        self._place = place
        self._lines = lines
        self.mistakes: list[Mistake] = []

    def made(self, given: Mapping[str, Any]) -> tuple[Rule, ...]:
        """The rules; empty where anything is wrong."""
        left = {key: value for key, value in given.items() if self._is_known(key) and self._fits(key, value)}
        for argument in self._accepted.values():
            if argument.required and argument.name not in left:
                if argument.name not in given:
                    self._note((argument.name,), "is missing")
                left[argument.name] = _STAND_INS[argument.name]
        made = self._called(left)
        return () if self.mistakes else made

    def _is_known(self, key: str) -> bool:
        if key in self._accepted:
            return True
        if self._accepted is options() and key in Options.__annotations__:
            self._note((key,), f"is said in code; a file may say {', '.join(OPTIONS)}")
        else:
            self._note((key,), UnknownArgument(self._name, key, self._accepted).problem)
        return False

    def _fits(self, key: str, value: object) -> bool:
        wrong = misfits(self._accepted[key].type, value)
        for inside, problem in wrong:
            self._note((key, *inside), problem + _IN_FILES.get(key, ""))
        return not wrong

    def _called(self, left: dict[str, Any]) -> tuple[Rule, ...]:
        """Call the builder, again and again without what it finds wrong."""
        for _ in range(_ROUNDS):
            try:
                rules = self._build(**left)
            except (ConfigurationError, DataError) as error:
                if not self._refused(error, left):
                    break
            except Exception as error:  # whatever a file holds, it comes to a message
                self._note((), f"cannot be built: {describe(error)}")
                break
            else:
                return rules if isinstance(rules, tuple) else (rules,)
        return ()

    def _refused(self, error: ConfigurationError | DataError, left: dict[str, Any]) -> bool:
        """Note what was wrong, and leave it out; whether it is worth looking for more."""
        named = error.field if isinstance(error, ConfigurationError) else ""
        inside = _place_of(named)
        key = inside[0] if inside and inside[0] in left else None
        if key is None:
            if not self.mistakes:  # else what is missing may only be missing since it was wrong
                self._note((), f"{named}: {error.problem}" if named and named != self._name else error.problem)
            return False
        self._note(inside, error.problem)
        if self._accepted[str(key)].required:
            if left[str(key)] == _STAND_INS[str(key)]:
                return False
            left[str(key)] = _STAND_INS[str(key)]
        else:
            del left[str(key)]
        return True

    def _note(self, inside: Place, problem: str) -> None:
        place = (*self._place, *inside)
        said = problem.partition("\n")[0].replace(ACCEPTED, _ACCEPTED_DURATIONS)
        self.mistakes.append(mistake(self._lines[place], _named(place), said))


# --- options


def build_options(found: object, lines: Lines, mistakes: list[Mistake], folder: Path) -> dict[str, object]:
    """The options; what is wrong is added to ``mistakes``. Files that they name are looked for from ``folder`` on."""
    if not isinstance(found, dict):
        mistakes.append(mistake(lines["options",], "options", f"must be a table, not {_shown(found)}"))
        return {}
    given = {**found}
    made: dict[str, object] = {}
    if isinstance(given.get("proxies"), dict):
        made["proxies"] = _proxies(given.pop("proxies"), lines, mistakes)
    if isinstance(given.get(CHALLENGES), dict):
        made[CHALLENGES], wrong = build_challenges(given.pop(CHALLENGES), folder)
        for inside, problem in wrong:
            place: Place = ("options", CHALLENGES, *inside)
            mistakes.append(mistake(lines[place], _named(place), problem))
    call = _Call("a policy file", _checked, options(), ("options",), lines)
    call.made(given)
    mistakes.extend(call.mistakes)
    return {**given, **made}


def _proxies(table: dict[str, Any], lines: Lines, mistakes: list[Mistake]) -> object:
    """``{ trusted = …, header = … }``, as :class:`doorward.client_ip.Proxies` in code."""
    place: Place = ("options", "proxies")
    for key in [key for key in table if key not in Proxies.__dataclass_fields__]:
        known = ", ".join(Proxies.__dataclass_fields__)
        problem = f"is no key of proxies: those are {known}.{_near(key, Proxies.__dataclass_fields__)}"
        mistakes.append(mistake(lines[*place, key], _named((*place, key)), problem))
    try:
        proxies = Proxies(table.get("trusted", "private"), table.get("header"))
        parse({"proxies": proxies}, "a policy file")
    except Exception as error:
        problem = error.problem if isinstance(error, ConfigurationError) else describe(error)
        mistakes.append(mistake(lines[place], _named(place), problem))
        return "private"
    return proxies


def _checked(**given: Any) -> tuple[()]:
    """See that a client takes these options; of tables each key by itself, so that errors name it.

    Raises:
        ConfigurationError: It does not.
    """
    for name in OPTIONS:
        value = given.get(name)
        if isinstance(value, dict):
            for key, inner in value.items():
                _check(name, {key: inner}, f"{name}.{key}")
        elif name in given:
            _check(name, value, name)
    return ()


def _check(name: str, value: object, field: str) -> None:
    one: Any = {name: value}
    try:
        parse(one, "a policy file")
    except ConfigurationError as error:
        raise ConfigurationError(field, error.problem) from error


# --- shapes


@cache
def _checker(kind: Any) -> Any:
    from pydantic import ConfigDict, TypeAdapter

    if kind is dict or getattr(kind, "__origin__", None) is dict or kind is Any:
        return TypeAdapter(kind)
    return TypeAdapter(kind, config=ConfigDict(strict=True))


def misfits(kind: Any, value: object) -> list[tuple[Place, str]]:
    """Where a value is not of a type, and what it must be."""
    from pydantic import ValidationError

    try:
        _checker(shape(kind)).validate_python(value)
    except ValidationError as error:
        found: dict[Place, list[str]] = {}
        for each in error.errors(include_url=False, include_context=False):
            found.setdefault(_real(each["loc"], value), []).append(each["type"])
        deepest = max(map(len, found))
        return [
            (place, f"must be {_accepted(types)}, not {_shown(_at(value, place))}")
            for place, types in list(found.items())[:_ROUNDS]
            if len(place) == deepest
        ]
    return []


def _accepted(types: Sequence[str]) -> str:
    words = dict.fromkeys(_WORDS.get(_KINDS.get(each, ""), "something else") for each in types)
    return " or ".join(words)


_KINDS = {
    "string_type": "str",
    "int_type": "int",
    "int_parsing_size": "int",
    "float_type": "float",
    "bool_type": "bool",
    "list_type": "list",
    "dict_type": "dict",
    "date_type": "date",
}


def _real(location: Sequence[str | int], value: Any) -> Place:
    """The parts of a location that lead into the value; the others name the branches of unions."""
    place: list[str | int] = []
    inner: Any = value
    for part in location:
        is_item = isinstance(inner, list) and isinstance(part, int) and part < len(inner)
        if is_item or (isinstance(inner, dict) and part in inner):
            inner = _at(inner, (part,))
            place.append(part)
    return tuple(place)


def _at(value: Any, place: Place) -> Any:
    for part in place:
        value = value[part]
    return value


# --- words


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    text = repr(value) if not isinstance(value, int) or abs(value) < 10**30 else "a number of so many digits"
    return text if len(text) <= 60 else f"{text[:57]}..."


def _near(word: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches  # imported where a mistake was made

    near = get_close_matches(word[:60], list(known), n=1)
    return f" Did you mean {near[0]}?" if near else ""


def _named(place: Place) -> str:
    """``rules[2].max``."""
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _place_of(named: str) -> Place:
    """The place that a builder's error names: ``rate_limit[1].max``, ``limits./login``."""
    key, dot, rest = named.partition(".")
    if key in ("limits", "thresholds"):
        return (key, rest) if dot else (key,)
    return tuple(int(part) if part.isdigit() else part for part in _PART.findall(named))


__all__ = ["KEY", "Entry", "build_options", "build_rules", "misfits"]
