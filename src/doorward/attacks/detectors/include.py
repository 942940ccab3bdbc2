"""Code that a parameter has included from elsewhere: URLs where the name of a file is expected."""

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

_LONGEST = 512
_LONGEST_NAME = 64
_UNITS = 300

_URL = re.compile(r"(?:https?|ftps?|smb|gopher)://[^\s/?#]{1,255}[^\s]*+\Z")
_ADDRESS = re.compile(
    r"://(?:[^\s/@?#]{0,64}@)?(?:\d{1,3}(?:\.\d{1,3}){3}|\[?[0-9a-f]{0,4}:[0-9a-f:]{2,40}\]?)(?::\d{1,5})?(?:[/?#]|\Z)"
)
_CUT_OFF = re.compile(r"(?:\?{1,2}|%00|\x00)\Z")
_SCRIPT = re.compile(r"\.(?:php\d?|phtml|phar|aspx?|jsp|inc|cgi|pl|sh|py)(?:[?\x00]|\Z)")
_DISGUISED_SCRIPT = re.compile(r"\.(?:txt|gif|jpg|dat|xml)(?:\?{1,2}|\x00|%00|\?(?:cmd|c|x|exec)=[^&]{0,64})\Z")


class IncludeDetector:
    """Looks at URLs that are a whole value, by what the parameter is called.

    Args:
        book: The rules, and names of parameters.
    """

    needs_signs = True

    def __init__(self, book: Rulebook) -> None:
        self.name = book.name
        self._book = book
        self._files = book.words("files")
        self._roots = tuple(sorted(book.words("roots")))

    def wants(self, subject: Subject) -> bool:
        """Whether there is a URL, and something about it that tells."""
        text = subject.text
        if "://" not in text:
            return False
        return not is_one_value(subject) or (_may_be_whole(subject) and self._is_telling(subject))

    def _is_telling(self, subject: Subject) -> bool:
        name = _name(subject)
        if name.endswith(self._roots) or _last_part(name) in self._files:
            return True
        start = subject.lower[:_LONGEST].rstrip(" ")
        return _CUT_OFF.search(start) is not None or _ADDRESS.search(start) is not None

    def examine(self, subject: Subject, work: Work) -> Iterator[Evidence]:
        """What a value that is a URL is worth."""
        if not _may_be_whole(subject):
            return
        work.spend(_UNITS)
        url = subject.lower[:_LONGEST].strip(" ")
        if not _URL.match(url):
            return
        rule = self._rule(_name(subject), url)
        if rule:
            yield self._book.rule(rule).at(0, min(_LONGEST, len(subject.text)))

    def _rule(self, name: str, url: str) -> str:
        if name.endswith(self._roots):
            return "root_elsewhere"
        is_file = _last_part(name) in self._files
        path = url.rstrip("?").partition("://")[2].partition("/")[2]
        is_script = _SCRIPT.search(url.partition("://")[2].partition("/")[2]) is not None
        if _ADDRESS.search(url) and (is_file or is_script):
            return "bare_address"
        if _CUT_OFF.search(url):
            return "cut_off" if is_file or not path else "cut_off_anywhere"
        return "script_elsewhere" if is_file and (is_script or _DISGUISED_SCRIPT.search(url)) else ""


def _may_be_whole(subject: Subject) -> bool:
    return not (subject.is_name or subject.value.offset or subject.place in (Place.HEADER, Place.PATH))


def _name(subject: Subject) -> str:
    return subject.name[-_LONGEST_NAME:].lower()


def _last_part(name: str) -> str:
    """The key, of a path of keys in dots or brackets."""
    return name.rpartition(".")[2].rstrip("]").rpartition("[")[2]
