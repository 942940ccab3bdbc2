"""Elements that run code, load something, or change what the page around them loads."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from doorward.attacks.detectors.html_attributes import code_of_url, is_document_url, runs_code_by_style
from doorward.attacks.detectors.javascript import Strength, strength

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from doorward.attacks.detectors.html_tokens import Tag
    from doorward.attacks.detectors.literacy import Reading
    from doorward.attacks.evidence import Evidence
    from doorward.attacks.rulebook import Rulebook

_BODY = 1_024
_END_OF_SCRIPT = re.compile(r"<[/\x00-\x20]{0,4}+script")
_END_OF_STYLE = re.compile(r"</?style")
_BLANK = "\x00\t\n\r\f\v "
_SIZED = frozenset(
    {"width", "height", "type", "title", "allow", "allowfullscreen", "frameborder", "loading", "style", "class"}
)
_FOREIGN = re.compile(r"[\x00-\x20]*+(?:[a-z][a-z0-9+.-]{1,20}:|[/\\]{2}|&|\\)", re.IGNORECASE)
_OWN_REFRESH = re.compile(
    r"\s{0,4}\d{1,6}\s{0,4}(?:[;,]\s{0,4}url\s{0,2}=\s{0,2}['\"]?/?(?!/)[\w.?=&#/-]{0,200}['\"]?)?", re.IGNORECASE
)
"""To the page itself, or another one of the site."""
_SCHEME_OF_CODE = re.compile(r"javascript:|vbscript:|data:", re.IGNORECASE)
_ATTRIBUTES_OF_CODE = frozenset({"href", "xlink:href", "src", "action", "formaction", "to", "from"})


class Elements:
    """Judges elements by their names, what they refer to, and what is in them.

    Args:
        book: ``html.toml``.
    """

    def __init__(self, book: Rulebook) -> None:
        self._rule = book.rule
        self._known_scripts = tuple(sorted(book.words("known_scripts")))
        self._judges: dict[str, Callable[[Tag, Reading], float]] = {
            "script": self._script,
            "style": self._style,
            "iframe": self._frame,
            "frame": self._frame,
            "fencedframe": self._frame,
            "object": self._frame,
            "embed": self._frame,
            "portal": self._frame,
            "applet": self._frame,
            "vmlframe": self._frame,
            "layer": self._frame,
            "ilayer": self._frame,
            "base": self._base,
            "meta": self._meta,
            "link": self._link,
            "animate": self._animation,
            "set": self._animation,
            "animatetransform": self._animation,
            "animatemotion": self._animation,
            "include": self._include,
            "template": self._template,
        }
        self.names = frozenset(self._judges)
        """Elements that tell something without attributes."""

    def judge(self, tag: Tag, text: Reading) -> Iterator[Evidence]:
        """The evidence in an element.

        Args:
            tag: Its start tag.
            text: The text in which it stands.
        """
        judge = self._judges.get(tag.local_name)
        if judge is None or tag.closes:
            return
        weight = judge(tag, text)
        if weight > 0.0:
            yield self._rule(_RULE_OF[tag.local_name]).at(tag.start, tag.end, scale=weight)

    def judge_instruction(self, found: re.Match[str], text: Reading) -> Iterator[Evidence]:
        """Processing instructions that load a style sheet, which in XML may be a program, or a behaviour."""
        instruction = found[0]
        if (instruction.startswith("<?xml-stylesheet") and "href" in instruction) or (
            instruction.startswith("<?import") and "implementation" in instruction
        ):
            scale = 0.5 if text.literate and not _SCHEME_OF_CODE.search(instruction) else 1.0
            yield self._rule("xml_stylesheet").at(found.start(), found.end(), scale=scale)

    def _script(self, tag: Tag, text: Reading) -> float:
        source = tag.get("src") or tag.get("href") or tag.get("xlink:href")
        if source:
            return self._script_from(tag, source, text)
        body = _body(text.lower, tag, _END_OF_SCRIPT)
        grade = strength(body)
        if grade is Strength.ATTACK or (tag.depth and grade > Strength.NOTHING):
            return 1.0
        if text.literate:
            return (0.5 if grade is Strength.SINK else 0.3) if body else 0.2
        if body or tag.attributes or tag.start > 0 or tag.depth:
            return 1.0
        return 0.8

    def _script_from(self, tag: Tag, source: str, text: Reading) -> float:
        if source.lower().startswith(self._known_scripts):
            return 0.5
        if not text.literate or code_of_url(source) is not None or is_document_url(source):
            return 1.0
        if _FOREIGN.match(source):
            return 0.3 if ".js" in source and source.lower().startswith("https://") else 1.0
        return 0.0

    def _style(self, tag: Tag, text: Reading) -> float:
        body = _body(text.lower, tag, _END_OF_STYLE).replace("\\", "")
        if runs_code_by_style(body) or "script" in tag.get("type").lower():
            return 1.0
        if "@import" in body:
            return 0.3 if text.literate else 1.0
        return 0.0

    def _frame(self, tag: Tag, text: Reading) -> float:
        if tag.local_name == "applet":
            return 0.4 if text.literate or not tag.attributes else 1.0
        source = tag.get("src") or tag.get("data") or tag.get("code") or tag.get("classid")
        if not source:
            return 0.2
        if text.literate:
            return 0.2
        return 0.3 if self._is_embedding(tag, source) else 1.0

    def _is_embedding(self, tag: Tag, source: str) -> bool:
        """Whether it is as video and map services tell people to put in: of a site, with a size or a title."""
        given = [attribute for attribute in tag.attributes if attribute.name in _SIZED]
        enough = len(given) >= 2 or (bool(given) and given[0].name == "allowfullscreen")
        return enough and source.lower().startswith(("https://", "http://", "//"))

    def _base(self, tag: Tag, text: Reading) -> float:
        target = tag.get("href")
        if not target:
            return 0.0
        return 0.3 if text.literate or not _FOREIGN.match(target) else 1.0

    def _meta(self, tag: Tag, text: Reading) -> float:
        directive = tag.get("http-equiv").strip(_BLANK).lower()
        if directive == "refresh" and _OWN_REFRESH.fullmatch(tag.get("content")):
            return 0.2 if text.literate else 0.5
        if directive in ("refresh", "set-cookie", "link"):
            return 0.2 if text.literate and not _SCHEME_OF_CODE.search(tag.get("content")) else 1.0
        if "utf-7" in (tag.get("charset") or tag.get("content") or "").lower():
            return 1.0
        return 0.3 if directive == "content-security-policy" and not text.literate else 0.0

    def _link(self, tag: Tag, text: Reading) -> float:
        relation = tag.get("rel").lower()
        if "import" in relation:
            return 0.5 if text.literate else 1.0
        if "stylesheet" not in relation or not tag.get("href"):
            return 0.0
        return 0.0 if text.literate else 1.0

    def _animation(self, tag: Tag, text: Reading) -> float:
        target = tag.get("attributename").strip(_BLANK).lower()
        values = " ".join([tag.get(name) for name in ("values", "to", "from", "by")])
        if target.startswith("on") or (target in _ATTRIBUTES_OF_CODE and _SCHEME_OF_CODE.search(values)):
            return 1.0
        return 0.3 if target in _ATTRIBUTES_OF_CODE and not text.literate else 0.0

    def _include(self, tag: Tag, text: Reading) -> float:
        if not tag.get("href"):
            return 0.0
        return 0.5 if text.literate else 1.0

    def _template(self, tag: Tag, text: Reading) -> float:
        return 0.6 if not text.literate and (tag.get("shadowroot") or tag.get("shadowrootmode")) else 0.0


def _body(lower: str, tag: Tag, end: re.Pattern[str]) -> str:
    """What is in an element, to the next tag of its name in the text."""
    if not tag.finished:
        return ""
    found = end.search(lower, tag.end)
    return lower[tag.end : found.start() if found else len(lower)][:_BODY].strip(_BLANK)


_RULE_OF = {
    "script": "script_element",
    "style": "style_element",
    "iframe": "frame",
    "frame": "frame",
    "fencedframe": "frame",
    "object": "frame",
    "embed": "frame",
    "portal": "frame",
    "applet": "frame",
    "vmlframe": "frame",
    "layer": "frame",
    "ilayer": "frame",
    "base": "base",
    "meta": "meta",
    "link": "link",
    "animate": "animation",
    "set": "animation",
    "animatetransform": "animation",
    "animatemotion": "animation",
    "include": "inclusion",
    "template": "shadow_root",
}
