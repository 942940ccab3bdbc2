"""PHP: calls of its functions, by name or by a name put together; its settings; files that a server runs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from doorward.attacks.detectors.joined import is_one_value
from doorward.attacks.detectors.surroundings import SEARCH_FIELDS, Surroundings, is_file_name, runs_on_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorward.attacks.evidence import Evidence
    from doorward.attacks.rulebook import Rulebook
    from doorward.attacks.subject import Subject
    from doorward.attacks.work import Work

_COMMENT = r"(?:/\*[^*]{0,24}\*/|(?:\#|//)[^\n]{0,24}\n)"
_GAP = rf"(?:\s{{0,8}}+{_COMMENT}?){{0,2}}\s{{0,8}}+"
_CALL = re.compile(rf"(?<![\w.$>:])([a-z_][a-z0-9_]{{1,40}}+)({_GAP}|=)\(\s{{0,8}}+")
_NAME = "abcdefghijklmnopqrstuvwxyz_0123456789"
_GAPS = " \t\n\r\v\f="
_BEFORE = 128
"""Characters that a name, and comments between it and its parenthesis, may take."""
_SENTENCE = re.compile(r"[a-z]{2,20}[\s,)]\s?[a-z(]|e?s\)")
"""After the parenthesis: words of a person, or the plural of ``system(s)``."""
_CODE = re.compile(r"[\"'$`@\d)\[\\&-]|[a-z_]\w{1,40}\s?[)(\[]")
_PROSE_BEHIND = re.compile(r"\)[,:]?\s{1,3}[a-z']{1,20}[\s,]\s?[a-z]")
"""After ``eval()``: a sentence about it."""
_NAKED_WORD = re.compile(r"[a-z]{1,40}\s?\)")
_LETTER = re.compile(r"\w")
_STRONG = frozenset({"eval", "exec", "system", "assert"})
_QUOTES = ("'", '"', "`", "$")
_FIRST = 8
"""Characters, none a letter, that may stand before a call that is the whole value."""
_ENDS_OF_NAMES = re.compile(
    rf"[\])\"'}}](?:(?<=[\])])\s{{0,4}}[\[{{][^\[\]{{}}]{{0,20}}[\]}}]\)?|(?<=[)}}])|(?<=[\"'])\s?\]?)"
    rf"\s{{0,4}}{_COMMENT}?\s{{0,4}}\("
)
_AFTER_CLOSER = re.compile(r"\((?:(?<=[\])}\"'/\n]\()|(?<=[\])}\"'/\s]\s\())")
_NOT_OF_NAMES = re.compile(rf"{_COMMENT}|\(\s{{0,4}}string\s{{0,4}}\)|[^a-z_]")
_JOINED = re.compile(r"[\"'][a-z_]{1,16}[\"'](?:\s{0,4}[.+]\s{0,4}[\"'][a-z_0-9]{1,16}[\"']){1,12}+")
_SETTING = re.compile(r"(?:\A|-d\s{0,4}+|[\s&;?])([a-z_]{4,24}+(?:\.[a-z_]{3,40}+){0,2}+)\s{0,4}=\s{0,4}[^\s=]")
_SESSION_FILE = re.compile(r"sess_[a-z0-9,-]{20,256}\s{0,4}")
_QUOTES_OF_TWO = 4
_STATEMENT_BREAK = re.compile(r"[;=,:]|return")
_SLASH = re.compile(r"[/\\]")
_SHORTEST_NAME = 3
_LONGEST_NAME = 80
_UNITS_OF_CALLS = 1
_UNITS_OF_SETTINGS = 2
_UNITS_OF_NAMES = 3
"""For each character."""
_UNITS_A_CALL = 80
_UNITS_A_COMMENT = 400
_UNITS_A_NAME = 100
"""For each place where a name may have been put together."""


class PhpCode:
    """Calls of functions of PHP, and its settings.

    Args:
        book: The rules of ``php.toml``.
    """

    def __init__(self, book: Rulebook) -> None:
        self.name = "php.code"
        self._call, self._call_alone = book.rule("call"), book.rule("call_alone")
        self._name_built, self._setting = book.rule("name_built"), book.rule("setting")
        self._functions, self._runners = book.words("functions"), book.words("runners")
        self._names = self._functions | book.words("words")
        self._settings = book.words("dangerous_settings")
        # With d, as of an argument that is written behind its letter: -dsafe_mode=0.
        spelled = [name for setting in sorted(self._settings) for name in (setting, f"d{setting}")]
        self._labels: dict[str, list[frozenset[str]]] = {}
        for name in spelled:
            self._labels.setdefault(max(name.split("."), key=len), []).append(frozenset(name.split(".")))
        self._longest_labels = frozenset(self._labels)

    def wants(self, subject: Subject) -> bool:
        """Whether there is a call of a known function or of what may be a name put together, or a setting."""
        if is_one_value(subject) and Surroundings(subject).drown:
            return False
        if "(" in subject.text and (
            not self._names.isdisjoint(subject.words) or _may_end(subject.lower) or _may_join(subject.lower)
        ):
            return True
        return "=" in subject.text and self._names_setting(subject)

    def _names_setting(self, subject: Subject) -> bool:
        words = subject.words
        return any([labels <= words for longest in self._longest_labels & words for labels in self._labels[longest]])

    def examine(self, subject: Subject, work: Work) -> Iterator[Evidence]:
        """The heaviest evidence of each rule, scaled by what stands around it."""
        around = Surroundings(subject)
        if around.drown:
            return
        if "(" in subject.lower and not self._names.isdisjoint(subject.words):
            yield from self._calls(subject, around, work)
        if "=" in subject.lower and self._names_setting(subject):
            work.spend(_UNITS_OF_SETTINGS * len(subject.lower))
            yield from self._settings_in(subject, around)
        for start, end in self._built(subject.lower, work):
            yield self._name_built.at(start, end, scale=around.scale(start, end))
            return

    def _calls(self, subject: Subject, around: Surroundings, work: Work) -> Iterator[Evidence]:
        """The first call of each kind."""
        sought = 0.6 if subject.name.lower() in SEARCH_FIELDS and not subject.is_name else 1.0
        seen: set[str] = set()
        for found in _calls(subject.lower, self._names, work):
            rule = self._call if found[1] in self._functions else self._call_alone
            if rule.id in seen:
                continue
            weight = _weight_of_call(subject.lower, found, alone=rule is self._call_alone)
            if weight:
                seen.add(rule.id)
                yield rule.at(found.start(), found.end(), scale=weight * sought * around.scale(*found.span()))

    def _settings_in(self, subject: Subject, around: Surroundings) -> Iterator[Evidence]:
        for found in _SETTING.finditer(subject.lower):
            if found[1] in self._settings:
                yield self._setting.at(found.start(1), found.end(), scale=around.scale(*found.span()))
                return

    def _built(self, lower: str, work: Work) -> Iterator[tuple[int, int]]:
        """Where names of functions are put together: of texts joined by dots, in parentheses, in quotes, in lists."""
        work.spend(_UNITS_OF_NAMES * len(lower))
        for found in _JOINED.finditer(lower) if _may_join(lower) else ():
            if _NOT_OF_NAMES.sub("", found[0]) in self._runners:
                yield found.span()
        before = 0
        for found in _ENDS_OF_NAMES.finditer(lower) if _AFTER_CLOSER.search(lower) else ():
            start = max(before, found.start() - _LONGEST_NAME)
            before = found.end()
            if found.start() - start < _SHORTEST_NAME:
                continue
            work.spend(_UNITS_A_NAME)
            opened = _STATEMENT_BREAK.split(lower[start : found.start() + 1])[-1]
            if opened.lstrip()[:1] in ("(", "[", "{", '"', "'") and self._is_runner(opened, lower, found):
                yield start, found.end()

    def _is_runner(self, opened: str, lower: str, found: re.Match[str]) -> bool:
        if _NOT_OF_NAMES.sub("", opened) not in self._runners:
            return False
        # "(system) (old)" is no call, and "[system](https://…)" is a link.
        return found[0][0] != ")" or found[0] == ")(" or lower[found.end() : found.end() + 1] in ("'", '"', "$")


def _weight_of_call(lower: str, found: re.Match[str], *, alone: bool) -> float:
    """How much of a call's weight counts: nothing where it reads as a sentence, less where it may."""
    name, gap, after = found[1], found[2], lower[found.end() : found.end() + 48]
    if gap and _SENTENCE.match(after):
        return 0.0
    if not alone or (name in _STRONG and after[:1] in _QUOTES):
        return 1.0
    if found.start() > _FIRST or _LETTER.search(lower, 0, found.start()):
        return 0.0
    if after and (_SENTENCE.match(after) or _PROSE_BEHIND.match(after) or not _CODE.match(after)):
        return 0.0
    return 0.6 if gap == " " and _NAKED_WORD.match(after) else 1.0


def _may_end(lower: str) -> bool:
    """Whether there is a parenthesis that could be behind a name put together."""
    return _AFTER_CLOSER.search(lower) is not None and _ENDS_OF_NAMES.search(lower) is not None


def _may_join(lower: str) -> bool:
    quotes = lower.count("'") + lower.count('"')
    return quotes >= _QUOTES_OF_TWO and _JOINED.search(lower) is not None


def _calls(lower: str, names: frozenset[str], work: Work) -> Iterator[re.Match[str]]:
    """Calls of functions with these names; looked for before parentheses, which are fewer than words."""
    work.spend(_UNITS_OF_CALLS * len(lower))
    opened = lower.find("(")
    while opened >= 0:
        work.spend(_UNITS_A_CALL)
        start = max(0, opened - _BEFORE)
        before = lower[start:opened].rstrip(_GAPS)
        name = before[len(before.rstrip(_NAME)) :]
        if name in names:
            if found := _CALL.match(lower, start + len(before) - len(name)):
                yield found
        elif before.endswith("*/") or (
            "\n" in lower[start + len(before) : opened] and ("#" in before or "//" in before)
        ):
            work.spend(_UNITS_A_COMMENT)
            yield from [found for found in _CALL.finditer(lower, start, opened + 9) if found[1] in names]
        opened = lower.find("(", opened + 1)


class PhpFiles:
    """Names of uploaded files that a PHP server would run, or read as a session.

    Args:
        book: The rules of ``php.toml``.
    """

    needs_signs = True

    def __init__(self, book: Rulebook) -> None:
        self.name = "php.files"
        self._upload, self._session = book.rule("upload"), book.rule("session_file")
        self._endings = book.words("server_files")
        self._ending = re.compile(r"\.\s{0,8}(?:" + "|".join(sorted(self._endings)) + r")\d{0,4}(?:[\0;%:/.\s]|\Z)")

    def wants(self, subject: Subject) -> bool:
        """Whether there is such an ending, or the beginning of a session's name."""
        lower = subject.lower
        return ("_" in lower and "sess_" in lower) or self._ending.search(lower) is not None

    def examine(self, subject: Subject, work: Work) -> Iterator[Evidence]:
        """Evidence if it is a name of a file."""
        if not is_file_name(subject):
            return
        work.spend(len(subject.lower))
        if runs_on_server(subject.lower, self._endings):
            yield self._upload.at(0, len(subject.lower))
        if _SESSION_FILE.fullmatch(_SLASH.split(subject.lower)[-1]):
            yield self._session.at(0, len(subject.lower))
