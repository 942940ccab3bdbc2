"""Signals as they are sent: every field is there, of its type and within its range, or none of it is believed.

The page's script sends ``null`` for what it cannot read, so that nothing is ever missing from a browser's answer.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Check = Callable[[object], bool]

LONGEST = 32_768
"""Characters of signals as JSON; browsers send about 1,200."""

LONGEST_AGENT = 2_048
"""Characters of a user agent; the page's script cuts what is longer."""
MARKS = frozenset({"selenium", "cdc", "phantom", "nightmare", "playwright", "puppeteer", "automation", "attribute"})
"""Kinds of names that programs leave in a page; which names are each is in ``signals.js``."""
ALTERED = frozenset(
    {"webdriver", "plugins", "mimeTypes", "languages", "userAgent", "platform", "hardwareConcurrency", "deviceMemory",
     "vendor", "maxTouchPoints", "permissions", "toString", "query", "getParameter", "contentWindow"}
)  # fmt: skip
"""Properties and functions that ``signals.js`` looks at."""

Hints = dict[str, Any]


class Face(NamedTuple):
    """What a browser says it is, in its page and in a worker; None for what cannot be read.

    Attributes:
        agent: ``navigator.userAgent``.
        platform: ``navigator.platform``.
        languages: ``navigator.languages``.
        cores: ``navigator.hardwareConcurrency``.
        hints: ``navigator.userAgentData``: ``brands`` (pairs of name and version), ``mobile``, ``platform``.
    """

    agent: str | None
    platform: str | None
    languages: Sequence[str] | None
    cores: int | None
    hints: Hints | None


class Signals(NamedTuple):
    """All signals, each as ``signals.js`` reads it; None for what it cannot read."""

    face: Face
    worker: Face | None
    vendor: str | None
    product: str | None
    language: str | None
    frozen: bool | None
    webdriver: bool | None
    marks: Sequence[str] | None
    altered: Sequence[str] | None
    frame: bool | None
    plugins: int | None
    mimes: int | None
    arrays: bool | None
    pdf: bool | None
    cookies: bool | None
    memory: float | None
    touch: int | None
    coarse: bool | None
    screen: Sequence[int] | None
    window: Sequence[int] | None
    zone: str | None
    offsets: Sequence[int] | None
    graphics: Mapping[str, str] | None
    chrome: bool | None
    secure: bool | None
    eval: int | None
    stack: str | None
    permission: Mapping[str, str] | None


def read(given: object) -> Signals | None:
    """The signals in a field of an answer: an object, or its JSON; None where it is anything else. Never raises."""
    if isinstance(given, str):
        given = _parsed(given)
    if not _SIGNALS(given):
        return None
    fields: dict[str, Any] = dict(given)  # type: ignore[call-overload]  # the check has seen that it is one
    face = Face(*[fields.pop(name) for name in Face._fields])
    worker = fields.pop("worker")
    return Signals(face=face, worker=Face(**worker) if worker is not None else None, **fields)


def _parsed(text: str) -> object:
    if len(text) > LONGEST:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


# --- checks of types and ranges


def _text(longest: int) -> Check:
    return lambda value: isinstance(value, str) and len(value) <= longest


def _whole(least: int, most: int) -> Check:
    return lambda value: type(value) is int and least <= value <= most


def _number(value: object) -> bool:
    # Not NaN, nor the infinities, which JSON readers of Python let through.
    return type(value) in (int, float) and 0 <= value <= 65_536  # type: ignore[operator]


def _flag(value: object) -> bool:
    return type(value) is bool


def _one_of(names: frozenset[str]) -> Check:
    return lambda value: isinstance(value, str) and value in names


def _all(each: Check, most: int) -> Check:
    return lambda value: isinstance(value, list) and len(value) <= most and all([each(item) for item in value])


def _just(*checks: Check) -> Check:
    return lambda value: (
        isinstance(value, list)
        and len(value) == len(checks)
        and all([check(item) for check, item in zip(checks, value, strict=True)])
    )


def _record(**checks: Check) -> Check:
    """Just these fields, no more and no less."""
    return lambda value: (
        isinstance(value, dict)
        and value.keys() == checks.keys()
        and all([check(value[name]) for name, check in checks.items()])
    )


def _or_null(check: Check) -> Check:
    return lambda value: value is None or check(value)


def _readable(**checks: Check) -> dict[str, Check]:
    return {name: _or_null(check) for name, check in checks.items()}


_PIXELS = _whole(-100_000, 100_000)
_MINUTES = _whole(-2_000, 2_000)
_STATES = frozenset({"granted", "denied", "prompt", "default"})

_FACE = _readable(
    agent=_text(LONGEST_AGENT),
    platform=_text(64),
    languages=_all(_text(64), 64),
    cores=_whole(0, 4_096),
    hints=_record(brands=_all(_just(_text(64), _text(32)), 16), mobile=_flag, platform=_text(64)),
)
_SIGNALS = _record(
    **_FACE,
    **_readable(
        worker=_record(**_FACE),
        vendor=_text(64),
        product=_text(32),
        language=_text(64),
        frozen=_flag,
        webdriver=_flag,
        marks=_all(_one_of(MARKS), len(MARKS)),
        altered=_all(_one_of(ALTERED), len(ALTERED)),
        frame=_flag,
        plugins=_whole(0, 1_000),
        mimes=_whole(0, 1_000),
        arrays=_flag,
        pdf=_flag,
        cookies=_flag,
        memory=_number,
        touch=_whole(0, 1_000),
        coarse=_flag,
        screen=_just(*[_PIXELS] * 5),
        window=_just(*[_PIXELS] * 4),
        zone=_text(64),
        offsets=_just(_MINUTES, _MINUTES),
        graphics=_record(vendor=_text(200), renderer=_text(200)),
        chrome=_flag,
        secure=_flag,
        eval=_whole(0, 100_000),
        stack=_one_of(frozenset({"v8", "gecko", "webkit", "other"})),
        permission=_record(query=_one_of(_STATES), notification=_one_of(_STATES)),
    ),
)
