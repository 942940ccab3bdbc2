"""Content types as clients send them: RFC 9110 section 8.3, RFC 2046 section 5.1.1 for boundaries."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from doorward.attacks.detectors.joined import is_one_value
from doorward.attacks.evidence import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorward.attacks.evidence import Evidence
    from doorward.attacks.rulebook import Rulebook
    from doorward.attacks.subject import Subject
    from doorward.attacks.work import Work

_USUAL = re.compile(
    r"""application/(?:json|x-www-form-urlencoded)(?:;\s?charset=utf-8)?
    |text/plain(?:;\s?charset=utf-8)?
    |multipart/form-data;\s?boundary=[\w'()+,./:=?-]{1,70}""",
    re.VERBOSE | re.IGNORECASE,
)
_TYPE = re.compile(r"[a-z0-9!#$&^_.+*-]{1,80}/[a-z0-9!#$&^_.+*-]{1,120}")
_PARAMETER = re.compile(
    r"""\s{0,8}([^\s;="]{0,80})\s{0,4}(?:=("(?:[^"\\]|\\.){0,400}"?|[^;]{0,400}))?\s{0,8}(?:;|\Z)""", re.DOTALL
)
_BOUNDARY = re.compile(r"[0-9a-zA-Z'()+_,./:=? -]{0,199}[0-9a-zA-Z'()+_,./:=?-]")
_BARE_CHARSET = re.compile(r"(?:charset\s{0,2}[=:]?\s{0,2})?utf-?8")
_MEDIA_TYPE = re.compile(r"(?:application|text|multipart|image)/|charset=", re.IGNORECASE)
_CHARSET = re.compile(r"""charset\s{0,4}=\s{0,4}["']?([^\s"',;]{0,60})""")
# Old browsers write characters that a form's charset lacks as references.
_ENDS_NAME = re.compile(r"(?<!&#\d\d)(?<!&#\d\d\d)(?<!&#\d\d\d\d)(?<!&#\d\d\d\d\d);|[=\\]")
_MOST_PARAMETERS = 12


class PartNames:
    """Names of fields in multipart bodies that readers of parts would end at different characters.

    Args:
        book: The rules of ``parts.toml``.
    """

    needs_signs = True

    def __init__(self, book: Rulebook) -> None:
        self.name = book.name
        self._rule = book.rule("field_name")

    def wants(self, subject: Subject) -> bool:
        """Whether there is such a character, in a name."""
        if is_one_value(subject) and not (subject.is_name and subject.place is Place.MULTIPART):
            return False
        text = subject.text
        return ";" in text or "=" in text or "\\" in text

    def examine(self, subject: Subject, work: Work) -> Iterator[Evidence]:
        """The character, in a name."""
        if subject.is_name and subject.place is Place.MULTIPART and not subject.via:
            work.spend(len(subject.text))
            if found := _ENDS_NAME.search(subject.text):
                yield self._rule.at(found.start(), found.end())


class ContentTypes:
    """Knows what is no content type that an honest client sends.

    Args:
        book: The rules of ``protocol.toml``, for the vocabularies.
    """

    def __init__(self, book: Rulebook) -> None:
        self._charsets = book.words("charsets")
        self._parts = book.words("parts")
        self._shorthand = book.words("shorthand")

    def problem(self, value: str) -> str | None:
        """The rule that a Content-Type breaks, or None."""
        if _USUAL.fullmatch(value):
            return None
        kind, _, rest = value.partition(";")
        kind = kind.strip().lower()
        # Two lines of one header, joined by a server.
        kinds = kind.split(",", 2)
        if kind and not all([_TYPE.fullmatch(one.strip()) or one.strip() in self._shorthand for one in kinds]):
            return "content_type"
        if kind.startswith("multipart/") and not self._is_of_parts(kind[10:]):
            return "content_type"
        return self._of_parameters(kind, rest)

    def _is_of_parts(self, subtype: str) -> bool:
        return subtype in self._parts or subtype.startswith(("x-", "vnd."))

    def _of_parameters(self, kind: str, rest: str) -> str | None:
        charsets: set[str] = set()
        boundaries: list[str] = []
        position = 0
        for _ in range(_MOST_PARAMETERS):
            if position >= len(rest):
                break
            found = _PARAMETER.match(rest, position)
            if found is None:
                return "content_type"
            position = found.end()
            name, value = found[1].lower(), found[2]
            if name == "charset":
                charsets.add((value or "").strip("\"' \t").lower())
            elif name == "boundary":
                boundaries.append(value or "")
            elif value is None and name and not self._is_slip(name):
                return "content_type"
        return self._of_charsets(charsets) or _of_boundaries(kind, boundaries)

    def _is_slip(self, name: str) -> bool:
        """Whether a parameter without a value is a mistake that people make."""
        return _BARE_CHARSET.fullmatch(name) is not None or name in self._shorthand or name in self._charsets

    def _of_charsets(self, charsets: set[str]) -> str | None:
        if len(charsets) > 1:
            return "two_charsets"
        return None if all([not charset or charset in self._charsets for charset in charsets]) else "charset"

    def knows_charsets_of(self, value: str) -> bool:
        """Whether all charsets that are parameters of media types are those of clients, and one and the same."""
        named = set(_CHARSET.findall(value[:2_000].lower()))
        return len(named) <= 1 and self._charsets.issuperset(named)

    def knows_list(self, value: str) -> bool:
        """Whether a list of charsets, as of Accept-Charset, has none but those of clients."""
        names = [item.partition(";")[0].strip().lower() for item in value.split(",", 40)]
        # Old Java clients send all that they can decode, as many as there are.
        return len(names) > 20 or all([name in self._charsets or name in ("*", "") for name in names])


def _of_boundaries(kind: str, boundaries: list[str]) -> str | None:
    if not kind.startswith("multipart/"):
        # A media type in the place of a boundary, to be taken for the type of the body.
        return "boundary" if any([_MEDIA_TYPE.search(boundary) for boundary in boundaries]) else None
    if not boundaries:
        return "no_boundary"
    if len(boundaries) > 1:
        return "boundary"
    boundary = boundaries[0]
    if boundary[:1].isspace():
        return "boundary"
    if boundary.startswith('"') and boundary.endswith('"') and len(boundary) > 1:
        boundary = boundary[1:-1]
    return None if _BOUNDARY.fullmatch(boundary.rstrip()) and len(boundary) <= 200 else "boundary"
