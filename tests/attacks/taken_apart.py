"""What the parsers make of a request, in a form that tests compare."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from doorward import RequestContext
from doorward.attacks import views
from doorward.attacks.evidence import Finding, Place, Value
from doorward.attacks.parts import PAUSE, Part

Seen = list[tuple[str, str]]


def parts_of_body(body: bytes, content_type: str | None = None, *, complete: bool = True, **more: str) -> list[Part]:
    """Everything that a body is taken apart into."""
    headers = [(name.replace("_", "-"), value) for name, value in more.items()]
    if content_type is not None:
        headers.append(("content-type", content_type))
    request = RequestContext(headers=headers, body=body)
    request.body_complete = complete
    source = views.body(request)
    return list(source.values()) if source is not None else []


def whole(parts: Iterable[Part]) -> Iterator[Value]:
    """Values, those that came in pieces put together."""
    last: Value | None = None
    for part in parts:
        if part is PAUSE or isinstance(part, Finding):
            continue
        if part.offset == 0 or last is None:
            if last is not None:
                yield last
            last = part
        else:
            assert part.name == last.name
            assert part.text[: len(last.text) - part.offset] == last.text[part.offset :], (
                "pieces overlap in what they say"
            )
            last = last._replace(text=last.text[: part.offset] + part.text)
    if last is not None:
        yield last


def seen(parts: Iterable[Part], *places: Place) -> Seen:
    """Names and texts of the values, but for parameters' own names; those at ``places``, or all."""
    return [(v.name, v.text) for v in whole(parts) if not v.is_name and (not places or v.place in places)]


def names(parts: Iterable[Part]) -> list[str]:
    """The parameters' own names that are looked at."""
    return [value.text for value in whole(parts) if value.is_name]


def texts(parts: Iterable[Part]) -> list[str]:
    """The texts of all values."""
    return [value.text for value in whole(parts)]


def rules(parts: Iterable[Part]) -> list[str]:
    """What could not be looked at, or is contradictory."""
    return [part.rule for part in parts if isinstance(part, Finding)]


def size(parts: Iterable[Part]) -> int:
    """Parts, and the characters in them: what it costs to look at them."""
    return sum(1 + (0 if isinstance(part, Finding) else len(part.text)) for part in parts)


def longest_stretch(parts: Iterable[Part]) -> int:
    """The most characters that come at a time."""
    return max((len(part.text) for part in parts if not isinstance(part, Finding)), default=0)
