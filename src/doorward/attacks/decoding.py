"""What a value may become further in: decodings that an application, or a part of it, may still apply.

Each decoding goes forward, in one pass, and never makes a text longer, but for what is inflated, within bounds; rounds
are bounded. So the cost is proportional to the text's length, whatever it is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from doorward.attacks import base64_text, characters, escapes

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence

    from doorward.attacks.work import Work

_MOST_WRAPPINGS = 2
"""Base64 of Base64 is undone."""
ROUNDS = 3
"""Layers of one encoding in another that are undone, besides the one that the value's place had."""
LONG = 4_096
"""Characters. Of the forms of longer texts, pieces of values as they are, only the part that was decoded is given."""
_BEFORE, _BEHIND = 512, 1_024
"""What is given with it; as much as pieces have in common, and as far as detectors look from where something begins."""
UNITS_A_CHARACTER = 2
UNITS_A_CHARACTER_LESS = 10
"""Work units for each character of a text, and for each that a decoding takes away: what it costs depends on both."""

_TRANSPORT: Sequence[tuple[str, Callable[[str], str]]] = (
    ("percent", escapes.percent),
    ("entities", escapes.entities),
    ("utf-7", escapes.utf7),
    ("overlong", characters.overlong),
    ("wide", characters.wide),
)
_UNSEEN: Sequence[tuple[str, Callable[[str], str]]] = (
    ("invisible", characters.visible),
    ("spaces", characters.spaced),
)
_ESCAPES: Sequence[tuple[str, Callable[[str], str]]] = (("escapes", escapes.backslashes), *_TRANSPORT)

# Not in Base64, nor in media types (xhtml+xml): beside punctuation, around a word, before a path.
_PLUS_FOR_SPACE = re.compile(r"\+(?:[^\s\w+/=-]|(?<=[^\s\w+/=-]\+)|(?:[a-z]{2,12}|[A-Z]{2,12})\+|/[a-z]{2,12}/[a-z])")


class Form(NamedTuple):
    """A text that a value may be decoded to.

    Attributes:
        text: The text.
        via: The decodings that led to it.
        start: Where in the whole decoded text it begins.
    """

    text: str
    via: tuple[str, ...]
    start: int = 0


def may_change(joined: str, texts: Iterable[str] | None = None) -> bool:
    """Whether :func:`forms` may find something in any of some texts.

    Args:
        joined: The texts, with anything between them.
        texts: Each text; the words of ``joined`` if they are not given.
    """
    if _hides(joined):
        return True
    return any(map(base64_text.may_be_wrapped, joined.split(" ") if texts is None else texts))


def forms(text: str, work: Work | None = None) -> Iterator[Form]:
    """The texts that ``text`` may be decoded to, without itself; each differs from all others.

    Args:
        text: A value, or a piece of one.
        work: Where to note the work that it takes.

    Yields:
        At most thirteen, in most cases none or one. Of those of a long text it is the part in which they differ from
        the one before, and what is around it: the rest was there already.

    Raises:
        OutOfWork: ``work`` is used up.
    """
    if work is not None:
        work.spend(UNITS_A_CHARACTER * len(text))
    seen, last = {text}, text
    for form in _candidates(Form(text, ())):
        if form.text not in seen:
            seen.add(form.text)
            if work is not None:
                less = max(0, len(text) - len(form.text))
                work.spend(UNITS_A_CHARACTER * max(len(text), len(form.text)) + UNITS_A_CHARACTER_LESS * less)
            yield form if len(text) <= LONG else _part_decoded(last, form)
            last = form.text


def _part_decoded(before: str, form: Form) -> Form:
    """The part of a form that differs from the form before, with what is around it."""
    after = form.text
    begin = _in_common(before, after)
    end = _in_common(before[begin:][::-1], after[begin:][::-1])
    start = max(0, begin - _BEFORE)
    return Form(after[start : len(after) - end + _BEHIND], form.via, start)


def _in_common(one: str, other: str) -> int:
    """How many characters at their beginning two texts share; found by halves, which compares whole stretches."""
    same, most = 0, min(len(one), len(other))
    while same < most:
        middle = (same + most + 1) // 2
        if one[same:middle] == other[same:middle]:
            same = middle
        else:
            most = middle - 1
    return same


def _hides(text: str) -> bool:
    return escapes.hides(text) or characters.hides(text) or ("+" in text and _PLUS_FOR_SPACE.search(text) is not None)


def _candidates(form: Form) -> Iterator[Form]:
    inner = (yield from _peeled(form)) if _hides(form.text) else form
    for _ in range(_MOST_WRAPPINGS):
        wrapped = base64_text.unwrapped(inner.text) if base64_text.may_be_wrapped(inner.text) else None
        if wrapped is None:
            return
        text, how = wrapped
        content = Form(text, (*inner.via, how))
        yield content
        inner = yield from _peeled(content)


def _peeled(form: Form) -> Generator[Form, None, Form]:
    """Without layers of encoding; what may do harm to an attack's shape comes after what does not."""
    decoded = _rounds(form, _TRANSPORT)
    yield decoded
    seen = _once(decoded, _UNSEEN)
    yield seen
    if "\\" in seen.text:
        yield _rounds(seen, _ESCAPES)
    if "+" in seen.text and " " not in seen.text and _PLUS_FOR_SPACE.search(seen.text):
        yield Form(seen.text.replace("+", " "), (*seen.via, "plus"))
    return seen


def _rounds(form: Form, decoders: Sequence[tuple[str, Callable[[str], str]]]) -> Form:
    for _ in range(ROUNDS):
        after = _once(form, decoders)
        if after is form:
            break
        form = after
    return form


def _once(form: Form, decoders: Sequence[tuple[str, Callable[[str], str]]]) -> Form:
    """Apply each decoder once; the same object if none changes anything."""
    text, via, _ = form
    for name, decode in decoders:
        decoded = decode(text)
        if decoded != text:
            text = decoded
            via = via if name in via else (*via, name)
    return form if text == form.text else Form(text, via)
