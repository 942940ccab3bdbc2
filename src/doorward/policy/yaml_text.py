"""YAML with the line of each value: mappings with text as keys, lists, text, numbers, true and false, null.

Plain text is read as YAML 1.2 says (its core schema), so that ``NO`` is Norway, ``on`` a word and ``1:30`` no number of
seconds. Made from the events of PyYAML's parser: nothing of its is ever constructed, and no tag is followed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from doorward.errors import ConfigurationError
from doorward.policy.documents import DEEPEST, MOST_VALUES, Malformed, Place
from doorward.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

_NULL = re.compile(r"~|null|Null|NULL|")
_BOOL = re.compile(r"(true|True|TRUE)|false|False|FALSE")
_INT = re.compile(r"[-+]?[0-9]{1,300}|0o[0-7]{1,300}|0x[0-9a-fA-F]{1,300}")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_SPECIAL = {".inf": float("inf"), "-.inf": float("-inf"), "+.inf": float("inf"), ".nan": float("nan")}
_MERGE = "<<"


def parse(text: str) -> tuple[dict[str, Any], dict[Place, int]]:
    """The values of a YAML text, and the line of each.

    Raises:
        ConfigurationError: PyYAML is not installed.
        Malformed: It is no YAML, holds what a policy has no use for, or goes beyond the limits of
            :mod:`doorward.policy.documents`.
    """
    try:
        import yaml
    except ImportError as error:
        raise ConfigurationError("policy", "YAML takes PyYAML: pip install 'doorward[yaml]'") from error
    try:
        # Only its events are used, which neither of the two makes by recursion; libyaml is ten times as quick.
        return _Reader(yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = ", ".join(part for part in (error.context, error.problem) if part)
        raise Malformed(mark.line + 1 if mark else 0, f"is no YAML: {said}") from None
    except yaml.YAMLError as error:
        position = getattr(error, "position", 0)
        raise Malformed(text.count("\n", 0, position) + 1, f"is no YAML: {error}") from None


class _Anchored(NamedTuple):
    value: Any
    values: int
    depth: int


class _Reader:
    """Builds values from events.

    Args:
        events: Of the parser.
    """

    def __init__(self, events: Iterator[Any]) -> None:
        self._events = events
        self._lines: dict[Place, int] = {}
        self._anchors: dict[str, _Anchored | None] = {}
        self._values = 0

    def document(self) -> tuple[dict[str, Any], dict[Place, int]]:
        """The one document of the stream."""
        self._next("StreamStartEvent")
        if type(event := next(self._events)).__name__ == "StreamEndEvent":
            return {}, {}
        start = next(self._events)
        data = self._value(start, ())
        self._next("DocumentEndEvent")
        event = next(self._events)
        if type(event).__name__ != "StreamEndEvent":
            raise Malformed(_line(event), "must be one document, and here another begins")
        if data is None:
            return {}, self._lines
        if not isinstance(data, dict):
            raise Malformed(_line(start), "must be a mapping with rules and options")
        return data, self._lines

    def _next(self, kind: str) -> None:
        event = next(self._events)
        if type(event).__name__ != kind:
            raise Malformed(_line(event), "is no YAML")

    def _value(self, event: Any, place: Place) -> Any:
        line = _line(event)
        self._lines.setdefault(place, line)
        self._count(1, line)
        if len(place) > DEEPEST:
            raise Malformed(line, f"is nested deeper than {DEEPEST} levels")
        kind = type(event).__name__
        if kind == "AliasEvent":
            return self._aliased(event, len(place))
        if event.tag is not None:
            raise Malformed(line, f"has a tag, which no policy needs: {printable(str(event.tag), 60)}")
        before = self._values
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        read = {"MappingStartEvent": self._mapping, "SequenceStartEvent": self._sequence}.get(kind)
        value = read(place) if read is not None else _scalar(event)
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchored(value, self._values - before, _depth(value))
        return value

    def _aliased(self, event: Any, depth: int) -> Any:
        anchored = self._anchors.get(event.anchor)
        if anchored is None:
            said = "contains itself" if event.anchor in self._anchors else "is not there"
            raise Malformed(_line(event), f"*{printable(event.anchor, 60)} {said}")
        self._count(anchored.values, _line(event))
        if depth + anchored.depth > DEEPEST:
            raise Malformed(_line(event), f"is nested deeper than {DEEPEST} levels")
        return anchored.value

    def _mapping(self, place: Place) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while type(event := next(self._events)).__name__ != "MappingEndEvent":
            key = self._key(event)
            if key in found:
                raise Malformed(_line(event), f"{printable(key, 60)!r} is there twice")
            self._lines[(*place, key)] = _line(event)
            found[key] = self._value(next(self._events), (*place, key))
        return found

    def _key(self, event: Any) -> str:
        if type(event).__name__ != "ScalarEvent" or event.tag is not None:
            raise Malformed(_line(event), "a key must be text")
        if event.value == _MERGE and not event.style:
            raise Malformed(_line(event), "<< does not merge here: write the keys out")
        return str(event.value)

    def _sequence(self, place: Place) -> list[Any]:
        found: list[Any] = []
        while type(event := next(self._events)).__name__ != "SequenceEndEvent":
            found.append(self._value(event, (*place, len(found))))
        return found

    def _count(self, values: int, line: int) -> None:
        self._values += values
        if self._values > MOST_VALUES:
            raise Malformed(line, f"holds more than {MOST_VALUES:,} values")


def _scalar(event: Any) -> Any:
    text: str = event.value
    if event.style:  # quoted, or a block
        return text
    if _NULL.fullmatch(text):
        return None
    if (truth := _BOOL.fullmatch(text)) is not None:
        return truth[1] is not None
    if _INT.fullmatch(text):
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
    if _FLOAT.fullmatch(text):
        return float(text)
    return _SPECIAL.get(text.lower(), text)


def _depth(value: Any) -> int:
    """How deep a value is nested; bounded, since its parts were counted when it was read."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_depth, inner), default=0)


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


__all__ = ["parse"]
