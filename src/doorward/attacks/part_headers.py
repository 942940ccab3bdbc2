"""The header lines of a part of a multipart body (RFC 7578 section 4, RFC 2183, RFC 8187)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from doorward.attacks import unscanned
from doorward.attacks.charsets import known_charset, utf8
from doorward.attacks.evidence import Place
from doorward.attacks.forms import unquoted
from doorward.attacks.parts import LONGEST_NAME, PAUSE, TOKENS_BETWEEN_PAUSES, long_value, telling_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorward.attacks.parts import Part

_PLAIN_NAME = re.compile(r"[a-z0-9-]{1,64}")
_FOLD = re.compile(r"\r?\n[ \t]++")
_LINE = re.compile(r"[^\r\n]++")
_PARAMETER = re.compile(
    r""";\s{0,64}([^\s=;"]{1,64})\s{0,64}=\s{0,64}(?:"((?:[^"\\]++|\\.)*+)"?+|([^;]*+))""", re.DOTALL
)
_PLAIN_TYPE = re.compile(r"[\w.+-]{1,80}/[\w.+-]{1,80}(?:\s{0,8};\s{0,8}charset=[\"']?[\w.:-]{1,40}[\"']?)?\s{0,8}")
_PLAIN_DISPOSITION = re.compile(
    r"""(?:form-data|attachment|file)(?:\s{0,8};\s{0,8}(?:name|filename\*?)=(?:"[^"\\]{0,1000}"|[^\s;"]{1,1000})){0,3}\s{0,8}"""
)
_PLAIN_ENCODINGS = frozenset({"7bit", "8bit", "binary", "base64", "quoted-printable", ""})
_CONTINUATION = re.compile(r"filename\*([0-9]{1,2})(\*?)")
_MOST_CONTINUED = 32


class PartHeaders:
    """What the header lines of a part say.

    Args:
        head: The lines as they were sent.

    Attributes:
        name: Of the field.
        names: All names that are given for it.
        filenames: All file names that are given for it.
        kind: The media type in lower case; or nothing.
        charset: As declared; or nothing.
        boundary: Of the parts within; or nothing.
        transfer_encoding: In lower case; or nothing.
    """

    def __init__(self, head: bytes) -> None:
        self.names: list[str] = []
        self.filenames: list[str] = []
        self.kind = self.charset = self.transfer_encoding = ""
        self.boundary = b""
        self._odd: list[tuple[str, str]] = []
        self._dispositions = 0
        text = utf8(head)
        for found in _LINE.finditer(_FOLD.sub(" ", text)):
            name, colon, content = found[0].partition(":")
            self._line(name.strip().lower() if colon else "", content.strip() if colon else found[0])

    @property
    def name(self) -> str:
        """The field's name, shortened."""
        return self.names[0][:LONGEST_NAME] if self.names else ""

    @staticmethod
    def boundaries_of(content_type: str) -> list[bytes]:
        """The different boundaries that a Content-Type declares."""
        found = [_valued(entry) for entry in _PARAMETER.finditer(content_type) if _name(entry) == "boundary"]
        return list(dict.fromkeys([text.strip().encode("latin-1", "replace") for text in found if text.strip()]))

    @staticmethod
    def charset_of(content_type: str) -> str:
        """The charset that a Content-Type declares; or nothing."""
        for entry in _PARAMETER.finditer(content_type):
            if entry[1].lower() == "charset":
                return _unquoted(entry).strip("\"' ")
        return ""

    def parts(self) -> Iterator[Part]:
        """Names, file names, and lines that are more than ordinary."""
        if len(set(self.names)) > 1 or self._dispositions > 1:
            yield unscanned.TWO_NAMES
        yield from telling_names(Place.MULTIPART, self.names)
        for filename in dict.fromkeys(self.filenames):
            if filename:
                yield from long_value(Place.FILENAME, self.name, filename)
        for number, (name, content) in enumerate(self._odd):
            if number % TOKENS_BETWEEN_PAUSES == TOKENS_BETWEEN_PAUSES - 1:
                yield PAUSE
            yield from long_value(Place.MULTIPART, name[:LONGEST_NAME], content)

    def _line(self, name: str, content: str) -> None:
        if name == "content-disposition":
            self._dispositions += 1
            self._disposition(content)
        elif name == "content-type":
            self.kind = content.partition(";")[0].strip().lower()
            self._type(content)
        elif name == "content-transfer-encoding" and content.lower() in _PLAIN_ENCODINGS:
            self.transfer_encoding = content.lower()
        elif name != "content-length" or not content.isdigit():
            self._odd.append((name, content if telling(name) else f"{name}: {content}"))

    def _disposition(self, content: str) -> None:
        continued: list[tuple[int, str]] = []
        for entry in _PARAMETER.finditer(content):
            parameter, text = entry[1].lower(), _unquoted(entry)
            if parameter in ("name", "name*"):
                self.names.append(_valued(entry))
            elif parameter == "filename":
                self.filenames.append(text)
            elif parameter == "filename*":
                self.filenames.append(_extended(text))
            elif (found := _CONTINUATION.fullmatch(parameter)) and len(continued) < _MOST_CONTINUED:
                text = _extended(text) if found[2] and "'" in text else unquoted(text)
                continued.append((int(found[1]), text))
        if continued:
            self.filenames.append("".join([text for _, text in sorted(continued)]))
        if _PLAIN_DISPOSITION.fullmatch(content) is None:
            self._odd.append(("content-disposition", content))

    def _type(self, content: str) -> None:
        if _PLAIN_TYPE.fullmatch(content) is None:
            self._odd.append(("content-type", content))
        self.charset = self.charset_of(content)
        declared = self.boundaries_of(content)
        self.boundary = declared[0] if declared else b""


def telling(name: str) -> bool:
    """Whether a header's name is nothing but one."""
    return _PLAIN_NAME.fullmatch(name) is not None


def _unquoted(entry: re.Match[str]) -> str:
    quoted, plain = entry.group(2, 3)
    # Backslashes stay: browsers escape quotes only, and as %22; old ones sent paths of Windows as they are.
    return plain.strip() if quoted is None else quoted.replace('\\"', '"')


def _name(entry: re.Match[str]) -> str:
    return entry[1].lower().removesuffix("*")


def _valued(entry: re.Match[str]) -> str:
    """A value, decoded where its name says that it is extended; Django and Werkzeug do so for every parameter."""
    text = _unquoted(entry)
    return _extended(text) if entry[1].endswith("*") else text


def _extended(text: str) -> str:
    """A value with its charset before it: ``UTF-8''na%C3%AFve`` (RFC 8187 section 3.2)."""
    charset, _, rest = text.partition("'")
    _, mark, encoded = rest.partition("'")
    known = known_charset(charset)
    if known is None or known == "utf-8":
        return unquoted(encoded if mark else text)
    from urllib.parse import unquote_to_bytes

    return unquote_to_bytes(encoded[:4096]).decode(known, "replace")
