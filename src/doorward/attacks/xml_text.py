"""XML and HTML, taken apart without being parsed: texts, attributes, comments, and what a document declares.

A cursor goes through the text once; what does not end goes to the end. Only references to characters and to the five
entities of XML are undone (XML 1.0 section 4.6): entities that a document declares itself are never expanded, and
their declarations are one value.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from doorward.attacks.charsets import repaired
from doorward.attacks.evidence import Place
from doorward.attacks.parts import (
    CHUNK,
    LONGEST_NAME,
    PAUSE,
    TOKENS_BETWEEN_PAUSES,
    below,
    in_pieces,
    telling_names,
    value,
)

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from doorward.attacks.parts import Part

_NAME = re.compile(r"[^\s<>/=\"'&?!]{1,256}+")
_ATTRIBUTE = re.compile(r"""[\s/]*+([^\s<>/="']++)\s*+(?:=\s*+(?:"([^"]*+)"?+|'([^']*+)'?+|([^\s<>"']++))?+)?+""")
_STRAY = re.compile(r"[^\s<>A-Za-z]++")
_TAG_END = re.compile(r"[\s/]*+>")
_REFERENCE = re.compile(r"&(?:#(?:x([0-9A-Fa-f]{1,8})|([0-9]{1,8}))|(lt|gt|amp|quot|apos));")
_TORN = re.compile(r"&[#A-Za-z0-9]{0,10}\Z|[\xc2-\xf4][\x80-\xbf]{0,2}\Z")
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}
_PLAIN_DECLARATION = re.compile(
    r"""xml(?:\s{1,4}(?:version|encoding|standalone)\s{0,2}=\s{0,2}["'][\w.-]{1,20}["']){0,3}\s{0,4}"""
)
_SCRIPTED = frozenset(
    {"script", "iframe", "object", "embed", "svg", "img", "foreignobject", "base", "form", "body", "meta"}
)
"""Elements with which HTML can run scripts; of them the tag as it stands is a value, too."""
_LONGEST_TAG = 1_024
_DEEPEST = 10_000
_TOKENS_AN_ELEMENT = 3
"""What an element costs besides, in tokens."""
_PAUSES = 4
"""That come together: each ends a batch of values, and more of them make smaller ones."""
_REFERENCES_A_PAUSE = 128


class XmlText:
    """An XML or HTML text, or what is said to be one.

    Args:
        text: The text.
        exact: False where it is UTF-8 that was read as latin-1.

    Attributes:
        elements: How many tags were found, once the parts are given.
    """

    def __init__(self, text: str, *, exact: bool = True) -> None:
        self.elements = 0
        self._text = text
        self._exact = exact
        self._path = ""
        self._stack: list[str] = []
        self._names: dict[str, None] = {}
        # The text of an element may stand in several runs, with comments and sections between: applications join them.
        self._runs: list[str] = []

    def parts(self) -> Iterator[Part]:
        """What it is made of, in the order in which it stands there."""
        text, position, tokens, elements = self._text, 0, 0, 0
        while position < len(text):
            tokens += 1 + _TOKENS_AN_ELEMENT * (self.elements - elements)
            elements = self.elements
            if tokens >= _PAUSES * TOKENS_BETWEEN_PAUSES:
                yield from [PAUSE] * (tokens // TOKENS_BETWEEN_PAUSES)
                tokens = 0
            start = text.find("<", position)
            if start < 0:
                start = len(text)
            if start > position:
                self._runs.append(text[position:start])
            if start == len(text):
                break
            position = yield from self._markup(start)
        yield from self._joined()
        yield from telling_names(Place.XML, self._names)

    def _markup(self, start: int) -> Generator[Part, None, int]:
        """What begins with ``<``; where it ends."""
        text = self._text
        following = text[start + 1 : start + 2]
        if following == "!":
            return (yield from self._declaration(start))
        if following == "?":
            return (yield from self._instruction(start))
        if following == "/":
            yield from self._joined()
            self._path = self._stack.pop() if self._stack else ""
            end = _NAME.match(text, start + 2)
            return _past(text, ">", end.end() if end is not None else start + 2, within=8)
        name = _NAME.match(text, start + 1)
        if name is None:
            self._runs.append("<")
            return start + 1
        yield from self._joined()
        return (yield from self._element(start, name))

    def _element(self, start: int, name: re.Match[str]) -> Generator[Part, None, int]:
        """A start tag and its attributes; where it ends."""
        self.elements += 1
        text, position = self._text, name.end()
        outer, self._path = self._path, below(self._path, name[0])
        self._names[name[0]] = None
        is_scripted = name[0].lower().rpartition(":")[2] in _SCRIPTED
        number = 0
        while (found := _ATTRIBUTE.match(text, position)) is not None and found.end() > position:
            number += 1
            if number % TOKENS_BETWEEN_PAUSES == 0:
                yield PAUSE
            position = found.end()
            attribute = found[1]
            is_scripted = is_scripted or attribute[:2].lower() == "on"
            if len(attribute) <= LONGEST_NAME:
                self._names[attribute] = None
            else:
                yield from in_pieces(Place.XML, self._path, self._undone(attribute))
            content = found[2] or found[3] or found[4]
            if content:
                yield from self._value(below(self._path, attribute), content)
        end = _TAG_END.match(text, position)
        if end is not None:
            position = end.end()
        else:
            # No tag of XML: what is left of it is text.
            yield from self._value(self._path, text[start : min(position, start + _LONGEST_TAG)])
        if is_scripted:
            yield value(Place.XML, self._path, text[start : min(position, start + _LONGEST_TAG)])
        if end is not None and "/" in end[0]:
            self._path = outer
        elif len(self._stack) < _DEEPEST:
            self._stack.append(outer)
        if len(self._names) > TOKENS_BETWEEN_PAUSES:
            yield from telling_names(Place.XML, self._names)
            self._names.clear()
        return position

    def _declaration(self, start: int) -> Generator[Part, None, int]:
        text = self._text
        if text.startswith("<!--", start):
            end = text.find("-->", start + 4)
            end = len(text) if end < 0 else end
            yield from self._value(self._path, text[start + 4 : end])
            return end + 3
        if text.startswith("<![CDATA[", start):
            end = text.find("]]>", start + 9)
            end = len(text) if end < 0 else end
            # References are not undone in sections; as text they come again here if there are any.
            self._runs.append(text[start + 9 : end].replace("&", "&amp;"))
            return end + 3
        end = yield from _doctype_end(text, start)
        yield from in_pieces(Place.XML, "!DOCTYPE", self._chunks(text[start:end]))
        return end

    def _instruction(self, start: int) -> Generator[Part, None, int]:
        end = self._text.find("?>", start + 2)
        end = len(self._text) if end < 0 else end
        content = self._text[start + 2 : end]
        if _PLAIN_DECLARATION.fullmatch(content) is None:
            yield from self._value(self._path, f"<?{content}?>")
        return end + 2

    def _joined(self) -> Iterator[Part]:
        """The text of an element, up to here."""
        if not self._runs:
            return
        text = "".join(self._runs)
        self._runs.clear()
        if not text.isspace():
            yield from self._value(self._path, text)

    def _value(self, name: str, text: str) -> Iterator[Part]:
        if len(text) > CHUNK:
            yield from self._long(name, text)
        elif "&" in text or not self._exact:
            yield value(Place.XML, name, self._decoded(text))
        else:
            yield value(Place.XML, name, text)

    def _long(self, name: str, text: str) -> Iterator[Part]:
        """A value in pieces, and pauses for the references in them, of which each is undone by a call."""
        references = text.count("&")
        pauses = [PAUSE] * (references * CHUNK // (_REFERENCES_A_PAUSE * len(text)))
        for piece in in_pieces(Place.XML, name, self._undone(text)):
            yield from pauses
            yield piece

    def _undone(self, text: str) -> Iterator[str]:
        return map(self._decoded, self._chunks(text))

    def _chunks(self, text: str) -> Iterator[str]:
        start = 0
        while start < len(text):
            chunk = text[start : start + CHUNK]
            if start + CHUNK < len(text):
                torn = _TORN.search(chunk, len(chunk) - 12)
                chunk = chunk if torn is None else chunk[: torn.start()]
            start += len(chunk)
            yield chunk

    def _decoded(self, text: str) -> str:
        if not self._exact:
            text = repaired(text)
        return _REFERENCE.sub(_character, text) if "&" in text else text


def _doctype_end(text: str, start: int) -> Generator[Part, None, int]:
    """Where a declaration ends: at its ``>``, or with its internal subset."""
    end = text.find(">", start)
    if end < 0:
        return len(text)
    position = text.find("[", start, end)
    if position < 0:
        return end + 1
    while position < len(text):
        # Windows overlap, so that no end is torn apart.
        found = _SUBSET_END.search(text, position, position + CHUNK)
        if found is not None:
            return found.end()
        position += CHUNK - _LONGEST_END
        yield PAUSE
    return len(text)


_LONGEST_END = 66
_SUBSET_END = re.compile(r"\]\s{0,64}>")


def _past(text: str, what: str, start: int, *, within: int) -> int:
    end = text.find(what, start, start + within)
    return start if end < 0 else end + len(what)


def _character(reference: re.Match[str]) -> str:
    hexadecimal, decimal, named = reference.groups()
    if named:
        return _NAMED[named]
    code = int(hexadecimal, 16) if hexadecimal else int(decimal)
    return chr(code) if 0 < code <= 0x10FFFF else "\ufffd"
