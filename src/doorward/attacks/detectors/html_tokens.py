"""The tags that a browser may see in a text, after the tokenizer of HTML.

Source: WHATWG HTML, section 13.2.5 "Tokenization" (tag open state to after attribute value state). More forgiving, so
that what only some parsers accept is seen as well: any control character is white space, a tag's name ends at the first
character that no name has, values may stand in back-quotes, and the names of a few elements may follow white space.
Comments, raw text and CDATA sections are not known: whatever looks like a tag in them is one, because where the text
will be put is not known either.

A tag that is a part of another one, as in ``<p title="<img>">``, is given after it, to a depth of ``DEEPEST``. Each
character is looked at once per level, so that the cost is proportional to the text's length.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

DEEPEST = 1
"""Levels of tags within tags."""
MOST_ATTRIBUTES = 96
"""Attributes of one tag that are given; what comes after them up to the next ``>`` is passed over."""

_OPEN = re.compile(
    r"<(/?)(?:[\x00-\x20]{1,4}+(?=(?:script|iframe|svg|img)\b))?([a-z][a-z0-9:_-]{0,63}+)", re.ASCII | re.IGNORECASE
)
_ATTRIBUTE = re.compile(
    r"[\x00-\x20/]*+(=[^\x00-\x20/>=]*+|[^\x00-\x20/>=]++)"
    r"""(?:[\x00-\x20]*+=[\x00-\x20]*+("[^"]*+"?|'[^']*+'?|`[^`]*+`|[^\x00-\x20>]*+))?"""
)
_QUOTES = "\"'`"


class Attribute(NamedTuple):
    """An attribute of a tag, with a value.

    Attributes:
        name: In lower case.
        value: Without its quotes.
        start: Where in the text the name begins.
        end: Where the value ends.
    """

    name: str
    value: str
    start: int
    end: int


class Tag(NamedTuple):
    """A start tag or an end tag.

    Attributes:
        name: In lower case.
        closes: Whether it is an end tag.
        attributes: Those with a value, in their order; of several with one name all are there.
        start: Where in the text it begins.
        end: Where it ends.
        finished: Whether it ends with ``>``; otherwise the text ends within it.
        depth: Within how many tags it stands.
    """

    name: str
    closes: bool
    attributes: tuple[Attribute, ...]
    start: int
    end: int
    finished: bool
    depth: int

    def get(self, name: str) -> str:
        """The value of the first attribute with a name; an empty text without one."""
        for attribute in self.attributes:
            if attribute.name == name:
                return attribute.value
        return ""

    @property
    def local_name(self) -> str:
        """The name without a prefix: ``script`` of ``svg:script``."""
        return self.name.rpartition(":")[2]


def tags(text: str, names: Container[str] = ()) -> Iterator[Tag]:
    """The tags in a text that have attributes, each before those that are a part of it.

    Args:
        text: The text.
        names: Start tags with these names are given without attributes too.
    """
    spans = [(0, len(text), 0)]
    while spans:
        position, end, depth = spans.pop()
        while found := _OPEN.search(text, position, end):
            position = found.end()
            if text[position : position + 1] == ">" and (found[1] or found[2].lower() not in names):
                continue
            tag = _tag(text, found, end, depth)
            spans.append((tag.end, end, depth))
            if depth < DEEPEST and text.find("<", tag.start + 1, tag.end) >= 0:
                spans.append((tag.start + 1, tag.end, depth + 1))
            yield tag
            break


def _tag(text: str, opened: re.Match[str], end: int, depth: int) -> Tag:
    attributes: list[Attribute] = []
    position = opened.end()
    while len(attributes) < MOST_ATTRIBUTES and (found := _ATTRIBUTE.match(text, position, end)):
        position = found.end()
        if found[2] is not None:
            attributes.append(_attribute(found))
    position = text.find(">", position, end) + 1
    finished = position > 0
    return Tag(opened[2].lower(), bool(opened[1]), tuple(attributes), opened.start(), position or end, finished, depth)


def _attribute(found: re.Match[str]) -> Attribute:
    value = found[2]
    quote = value[:1]
    if quote and quote in _QUOTES:
        value = value[1:-1] if len(value) > 1 and value[-1] == quote else value[1:]
    return Attribute(found[1].lower(), value, found.start(1), found.end())
