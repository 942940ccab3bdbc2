"""How pages look, and what they say besides: options of the application, checked when its client is built."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from doorward.challenges.languages import DEFAULT, is_tag
from doorward.errors import ConfigurationError

Theme = Literal["auto", "light", "dark"]
LONGEST_FILE = 256 * 1024
"""Bytes of a style sheet, a logo or a template."""
LONGEST_TEXT = 300
IMAGES = {
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webp": "image/webp",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
}
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_LOGO_URL = re.compile(r"(https://|/(?!/))[\x21\x23-\x26\x28-\x3a\x3d\x3f-\x7e]+")


class File(NamedTuple):
    """A file of the operator's.

    Attributes:
        name: Its name, without folders.
        content: Its bytes.
    """

    name: str
    content: bytes


class Appearance(NamedTuple):
    """Checked options: see :class:`doorward.challenges.options.ChallengeOptions`."""

    theme: Theme = "auto"
    accent: str = ""
    logo: str | File = ""
    title: str = ""
    css: File | None = None
    contact: str = ""
    words: Mapping[str, Mapping[str, str]] = {}
    language: str = DEFAULT
    template_dir: Mapping[str, str] = {}


def parse_appearance(options: Mapping[str, Any], field: str) -> Appearance:
    """Check what of ``options`` is about the looks; ``field`` is what they are an option of.

    Raises:
        ConfigurationError: Something is wrong, or a file cannot be read.
    """
    return Appearance(**{name: PARSERS[name](value, f"{field}.{name}") for name, value in options.items()})


def _theme(value: Any, field: str) -> Theme:
    if value not in get_args(Theme):
        raise ConfigurationError(field, f"must be one of {', '.join(get_args(Theme))}, not {value!r}")
    theme: Theme = value
    return theme


def _accent(value: Any, field: str) -> str:
    if not isinstance(value, str) or not _COLOUR.fullmatch(value):
        raise ConfigurationError(field, f"must be a colour such as '#0b57d0', not {value!r}")
    return value.lower()


def _logo(value: Any, field: str) -> str | File:
    if isinstance(value, Path):
        if value.suffix.lower() not in IMAGES:
            raise ConfigurationError(field, f"must be an image ({', '.join(IMAGES)}), not {value.name!r}")
        return _file(value, field)
    if not isinstance(value, str) or not _LOGO_URL.fullmatch(value):
        raise ConfigurationError(field, f"must be a pathlib.Path, a path or an https URL, not {value!r}")
    return value


def _text(value: Any, field: str) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        raise ConfigurationError(field, f"must be text of at most {LONGEST_TEXT} characters, not {value!r}")
    return value


def _css(value: Any, field: str) -> File:
    if not isinstance(value, str | Path):
        raise ConfigurationError(field, f"must be the path of a style sheet, not {value!r}")
    return _file(Path(value), field)


def _words(value: Any, field: str) -> Mapping[str, Mapping[str, str]]:
    if not isinstance(value, Mapping):
        raise ConfigurationError(
            field, f"must map languages to words, such as {{'en': {{'title': '…'}}}}, not {value!r}"
        )
    for tag, words in value.items():
        if not isinstance(tag, str) or (tag != "*" and not is_tag(tag)):
            raise ConfigurationError(field, f"{tag!r} is no language tag such as 'de' or 'pt-BR', nor '*'")
        if not isinstance(words, Mapping) or not all(isinstance(part, str) for pair in words.items() for part in pair):
            raise ConfigurationError(f"{field}[{tag!r}]", f"must map keys to texts, not {words!r}")
    return {tag: dict(words) for tag, words in value.items()}


def _language(value: Any, field: str) -> str:
    if not isinstance(value, str) or not is_tag(value):
        raise ConfigurationError(field, f"must be a language tag such as 'de', not {value!r}")
    return value


def _template_dir(value: Any, field: str) -> Mapping[str, str]:
    folder = Path(value) if isinstance(value, str | Path) else None
    if folder is None or not folder.is_dir():
        raise ConfigurationError(field, f"must be a folder of templates, not {value!r}")
    found = sorted(folder.glob("*.html"))
    try:
        return {file.stem: _file(file, field).content.decode() for file in found}
    except UnicodeDecodeError as error:
        raise ConfigurationError(field, f"must hold UTF-8: {error}") from None


def _file(path: Path, field: str) -> File:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(field, f"cannot be read: {error}") from None
    if len(content) > LONGEST_FILE:
        raise ConfigurationError(field, f"{path.name} is larger than {LONGEST_FILE} bytes")
    return File(path.name, content)


PARSERS: Mapping[str, Any] = {
    "theme": _theme,
    "accent": _accent,
    "logo": _logo,
    "title": _text,
    "css": _css,
    "contact": _text,
    "words": _words,
    "language": _language,
    "template_dir": _template_dir,
}
