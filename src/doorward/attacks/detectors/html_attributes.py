"""Attributes of a tag that run code: handlers, URLs, styles, and what frameworks evaluate."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from doorward.attacks.detectors.javascript import Strength, compact, strength

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorward.attacks.detectors.html_tokens import Attribute, Tag
    from doorward.attacks.detectors.literacy import Reading
    from doorward.attacks.evidence import Evidence
    from doorward.attacks.rulebook import Rulebook

_HANDLER = re.compile(r"on[a-z]{3,48}", re.ASCII)
_DIRECTIVE = re.compile(
    r"@[a-z.:-]{2,40}|v-[a-z:.-]{2,40}|:is|x-[a-z:.-]{2,40}|(?:data-)?ng-[a-z-]{2,40}|hx-on[a-z:-]{0,40}"
)
_SCHEME = re.compile(
    r"(?:url:|feed:|view-source:|jar:|[^a-z:]{1,4})?(?:javascript|vbscript|livescript|mocha|jscript):(.*)", re.DOTALL
)
_MAY_BE_SCHEME = re.compile(r"[^a-zA-Z]|[dfjlmuvDFJLMUV]|.{1,4}[jvJV]")
_OWN_PROPERTIES = re.compile(
    r"this\.(?:src|onerror|style\.display|value|hidden|checked|classname)="
    r"(?:[\"'](?!//)[\w./ -]{0,80}[\"']|null|true|false);?"
    r"(?:this\.(?:src|onerror|style\.display)=(?:[\"'](?!//)[\w./ -]{0,80}[\"']|null|true|false);?)?"
)
"""A handler that sets properties of its own element to what it says: another picture where one is missing."""
_OWN_FUNCTION = re.compile(
    r"\s{0,4}(?:return\s{1,4})?(?:toggle|show|hide|open|close|submit|save|next|prev|select|update|validate|handle)"
    r"\w{0,24}\((?:this|event|e)?\);?\s{0,4}"
)
"""A handler as pages call their own functions."""
_IGNORED = "\\x00-\\x1f\\x7f\\xa0\\u200b-\\u200f\\ufeff"
_SCHEME_SPACE = re.compile(rf"[{_IGNORED}]++")
SPLIT_SCHEME = re.compile(rf"[{_IGNORED}]*+".join("script:"))
"""The end of the scheme of a URL that is code, with what is ignored in a scheme; in lower case."""
_LONGEST_SCHEME = 64
_DATA = re.compile(r"data:(?:text/(?:html|xml|javascript|xsl)|application/(?:xhtml|xml|javascript|x-)|image/svg|;|,)")
_STYLE = re.compile(
    r"expression\(|url\([\"']?(?:java|vb|live)script\b|(?:java|vb|live)script:|behaviou?r:url|-moz-binding:|-o-link:"
)
_COMMENT = re.compile(r"<!--[^<>]{0,32}-->")
_STYLE_COMMENT = re.compile(r"/\*[^*]{0,64}+\*/")
_STYLE_ESCAPE = re.compile(r"\\([0-9a-f]{1,6})[ ]?|\\(.)")


class Attributes:
    """Judges the attributes of tags.

    Args:
        book: ``html.toml``.
    """

    def __init__(self, book: Rulebook) -> None:
        self._rule = book.rule
        self._ordinary_handlers = book.words("ordinary_handlers")
        self._loading_elements = book.words("loading_elements")
        self._harmless_urls = book.words("harmless_script_urls")
        self._data_images = book.words("data_image_elements")

    def judge(self, tag: Tag, text: Reading) -> Iterator[Evidence]:
        """The evidence in a tag's attributes.

        Args:
            tag: The tag.
            text: The text in which it stands.
        """
        for attribute in tag.attributes:
            if _HANDLER.fullmatch(attribute.name):
                yield from self._handler(tag, attribute, text)
            elif attribute.value:
                yield from self._other(tag, attribute, text)

    def _handler(self, tag: Tag, attribute: Attribute, text: Reading) -> Iterator[Evidence]:
        scale = self._weight_of_handler(tag, attribute, text)
        if scale > 0.0:
            yield self._rule("handler").at(attribute.start, attribute.end, scale=scale)

    def _weight_of_handler(self, tag: Tag, attribute: Attribute, text: Reading) -> float:
        if not attribute.value:
            return 0.0 if text.literate else 0.5 if tag.finished else 1.0
        grade = strength(attribute.value)
        if grade is Strength.ATTACK:
            return 1.0
        is_own = tag.name != "script" and _OWN_PROPERTIES.fullmatch(compact(attribute.value)) is not None
        if is_own or grade is Strength.NOTHING:
            return 0.0 if text.literate else 0.5 if is_own else 0.7
        if not text.literate:
            return _weight_alone(tag, attribute, grade)
        if grade is Strength.CODE:
            return 0.0 if self._is_ordinary(tag, attribute) else 0.3
        return 0.5 if self._is_ordinary(tag, attribute) else 1.0

    def _is_ordinary(self, tag: Tag, attribute: Attribute) -> bool:
        if attribute.name == "onload":
            return tag.name in self._loading_elements
        return attribute.name in self._ordinary_handlers

    def _other(self, tag: Tag, attribute: Attribute, text: Reading) -> Iterator[Evidence]:
        value = attribute.value
        if attribute.name == "style":
            if runs_code_by_style(value):
                yield self._rule("style").at(attribute.start, attribute.end)
        elif attribute.name == "srcdoc":
            if "<" in value or "&" in value:
                yield self._rule("srcdoc").at(attribute.start, attribute.end, scale=0.5 if text.literate else 1.0)
        elif _DIRECTIVE.fullmatch(attribute.name):
            grade = strength(value)
            if grade >= Strength.SINK:
                scale = 0.5 if text.literate and grade is Strength.SINK else 1.0
                yield self._rule("directive").at(attribute.start, attribute.end, scale=scale)
        elif value.startswith("&{"):
            yield self._rule("script_url").at(attribute.start, attribute.end, scale=0.5 if text.literate else 1.0)
        elif ":" in value and _MAY_BE_SCHEME.match(value):
            yield from self._url(tag, attribute, value, text)

    def _url(self, tag: Tag, attribute: Attribute, value: str, text: Reading) -> Iterator[Evidence]:
        if (code := code_of_url(value)) is not None:
            scale = self._weight_of_url(code, text)
            yield self._rule("script_url").at(attribute.start, attribute.end, scale=scale)
        elif is_document_url(value) and not self._is_image(tag, attribute, value):
            scale = 0.6 if text.literate and attribute.name == "href" else 1.0
            yield self._rule("data_url").at(attribute.start, attribute.end, scale=scale)

    def _is_image(self, tag: Tag, attribute: Attribute, value: str) -> bool:
        return (
            tag.name in self._data_images and attribute.name != "href" and "image/" in value[:_LONGEST_SCHEME].lower()
        )

    def _weight_of_url(self, code: str, text: Reading) -> float:
        short = compact(code).rstrip(";")
        if short in self._harmless_urls:
            return 0.3
        return 0.5 if text.literate and strength(code) is Strength.CODE else 1.0


def _weight_alone(tag: Tag, attribute: Attribute, grade: Strength) -> float:
    """The weight of a handler where nothing is written around it."""
    if grade is not Strength.CODE:
        return 1.0
    if attribute.value[0] == "{":  # a component's handler, as in JSX, is an expression in braces
        return 0.5
    return 0.7 if tag.finished and _OWN_FUNCTION.fullmatch(attribute.value) else 1.0


def code_of_url(value: str) -> str | None:
    """The code of a ``javascript:`` URL or one like it, as browsers read it: without white space in the scheme."""
    if "<!--" in value[:_LONGEST_SCHEME]:  # for filters, and for the XML parsers of old, a comment
        value = _COMMENT.sub("", value)
    beginning = _SCHEME_SPACE.sub("", value[:_LONGEST_SCHEME]).lstrip(" ").lower()
    found = _SCHEME.match(beginning)
    if found is None:
        return None
    return found[1] + value[_LONGEST_SCHEME:]


def is_document_url(value: str) -> bool:
    """Whether a URL holds a document in which scripts run, or a script."""
    beginning = _SCHEME_SPACE.sub("", value[:_LONGEST_SCHEME]).lstrip(" ").lower()
    return _DATA.match(beginning) is not None


def runs_code_by_style(style: str) -> bool:
    """Whether declarations of CSS run code, in a browser that ever did; escapes and comments are undone first."""
    if "/*" in style:
        style = _STYLE_COMMENT.sub("", style)
    if "\\" in style:
        style = _STYLE_ESCAPE.sub(_unescaped, style[:2_048].lower())
    return _STYLE.search(compact(style)) is not None


def _unescaped(found: re.Match[str]) -> str:
    return chr(int(found[1], 16) % 0x11_0000) if found[1] else found[2]
