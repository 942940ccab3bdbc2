r"""Paths that lead out of their folder, or to files that nobody is to ask for.

Segments are resolved as file systems do (RFC 3986 section 5.2.4; Windows takes ``\`` for ``/``), and as servers do that
first take something out of them: ``....//``, ``..;/``, ``.%00./``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from doorward.attacks.detectors.surroundings import SEARCH_FIELDS
from doorward.attacks.evidence import Place

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence

    from doorward.attacks.evidence import Evidence
    from doorward.attacks.rulebook import Rulebook
    from doorward.attacks.subject import Subject
    from doorward.attacks.work import Work

_UNITS_A_CHARACTER = 4
_UNITS_A_PATH = 300
_MOST_WORDS = 3
_LONGEST_END = 4
_FAR = 2
_FARTHER = 3
_VERY_FAR = 6
_SURE = 1.0

_BETWEEN = "\"'`<>|,&(){}\0"
"""Characters that end a path, as blanks do."""
_SLASHES = re.compile(r"[/\\]++")
_UP = re.compile(r"\.{2,8}(?:;\S{0,32})?\Z")
_CLIMB = re.compile(r"\.\.(?:;[^/\\\s]{0,32})?[/\\]|[/\\]\.\.(?![\w.])")
_SPLIT_DOTS = re.compile(r"\.[\x00\r\n]{1,4}\.[\x00\r\n]{0,4}[/\\]|\.\.[\x00]{1,4}[/\\]")
_HEXADECIMAL = re.compile(r"0x(2e|2f|5c)")
_ABSOLUTE = re.compile(r"[/\\~]|[a-z]:[/\\]|file:|\.[/\\]")
_WORDS_BEHIND = re.compile(r"(?:\s{1,4}[a-z]{2,20}){1,3}\s{0,4}\Z")
"""Behind a path that somebody searches for."""
_LAST_NAME = re.compile(r"[a-z_]+")
_LONGEST_NAME = 64
_LIST = re.compile(r"([a-z]{1,32})\[\d{0,4}\]")
_WITH_LISTS = frozenset([Place.JSON, Place.FORM, Place.MULTIPART])
"""Where names tell that a value is in a list. Of a query parameter ``file[]`` no interface to files is made."""
_LOGS = "/var/log/"
"""Of a list they are what is shipped, again and again."""
_COMPOUND = re.compile(r"[=?#;]")
_PADDING = "\x01\x01\x01"
_SIGNS = {"2e": ".", "2f": "/", "5c": "\\"}


class _Path(NamedTuple):
    """A word of a value, taken as a path.

    Attributes:
        text: The word.
        out: Segments climbed out of where it begins.
        climbs: Segments climbed in all.
        rest: What is left of it, segment by segment.
        is_whole: Whether the value is this path, and little else.
        is_named: Whether the parameter's name says that its value is a file.
        is_listed: Whether it is one of a list: who takes lists of paths is an interface to files, and a backup's or a
            log shipper's lists name the system's folders. Such lists have names that say so.
        place: Where in the request.
    """

    text: str
    out: int
    climbs: int
    rest: Sequence[str]
    is_whole: bool
    place: Place
    is_named: bool = False
    is_listed: bool = False


class PathDetector:
    """Looks for paths that climb, and for names of files of interest.

    Args:
        book: The rules, and names of files by how telling they are.
    """

    needs_signs = True

    def __init__(self, book: Rulebook) -> None:
        self.name = book.name
        self._book = book
        self._secrets = book.words("secrets")
        self._last_names = frozenset([path.rpartition("/")[2] for path in self._secrets])
        self._bases = book.words("bases")
        self._folders = tuple(sorted(book.words("folders")))
        self._requested = _Requested(book)
        self._file_headers = book.words("file_headers")
        self._file_parameters = book.words("file_parameters")
        self._lists = book.words("lists")
        self._source_ends = tuple(sorted(book.words("source_ends")))
        self._screen = book.words("screen")

    def wants(self, subject: Subject) -> bool:
        """Whether something climbs, or a telling name occurs."""
        lower = subject.lower
        if subject.place is Place.PATH and "." in lower:
            return True
        if not subject.words.isdisjoint(self._screen) or "0x2" in lower or "\x00" in lower:
            return True
        return ".." in lower and _CLIMB.search(lower) is not None

    def examine(self, subject: Subject, work: Work) -> Iterator[Evidence]:
        """The heaviest path; and what a request asks for by its path."""
        lower = subject.lower
        work.spend(_UNITS_A_CHARACTER * len(lower))
        if "\x00" in lower and (found := _SPLIT_DOTS.search(lower)):
            yield self._book.rule("split_dots").at(found.start(), found.end())
        if subject.place is Place.PATH and not subject.value.offset and not subject.name.startswith("["):
            rule = self._requested.rule_for(lower.partition("?")[0])
            if rule:
                yield self._book.rule(rule).at(0, len(lower))
        best = self._heaviest(subject, _HEXADECIMAL.sub(_decoded, lower) if "0x" in lower else lower, work)
        if best is not None:
            yield best

    def _is_listed(self, name: str) -> bool:
        return "[" in name and not self._lists.isdisjoint(_LIST.findall(name[-_LONGEST_NAME:].lower()))

    def _heaviest(self, subject: Subject, lower: str, work: Work) -> Evidence | None:
        is_short = not subject.value.offset and len(lower.split(None, _MOST_WORDS)) <= _MOST_WORDS
        place = Place.FILENAME if subject.name in self._file_headers else subject.place
        named = _LAST_NAME.findall(subject.name[-_LONGEST_NAME:].lower())[-1:]
        is_named = not subject.is_name and not self._file_parameters.isdisjoint(named)
        is_sought = subject.name.lower() in SEARCH_FIELDS and not subject.is_name
        is_listed = place in _WITH_LISTS and self._is_listed(subject.name) and (not is_named or named == ["path"])
        best: Evidence | None = None
        for word in dict.fromkeys(_words(lower)):
            if not ("/" in word or "." in word or "\\" in word) or not (is_short or self._may_tell(word)):
                continue
            work.spend(_UNITS_A_PATH)
            start = lower.find(word)
            is_whole = is_short and lower[:start].strip("'\" ") == ""
            if is_whole and is_sought and _WORDS_BEHIND.match(lower, start + len(word)):
                is_whole = False
            is_file = is_named and is_whole and len(word) == len(lower.strip())
            rule = self._rule(_walked(word, place, is_whole=is_whole)._replace(is_named=is_file, is_listed=is_listed))
            evidence = self._book.rule(rule).at(start, start + len(word)) if rule else None
            if evidence is not None and (best is None or evidence.weight > best.weight):
                best = evidence
                if best.weight >= _SURE:
                    break
        return best

    def _may_tell(self, word: str) -> bool:
        """Whether a word that is not the whole value climbs, has a known name at its end, or more in it than a path."""
        if ".." in word or _COMPOUND.search(word) is not None:
            return True
        path = word.rstrip("/\\.:~ ")
        return path[max(path.rfind("/"), path.rfind("\\")) + 1 :] in self._last_names

    def _rule(self, path: _Path) -> str:
        end = _known_end(path.rest, self._secrets)
        if end:
            return self._secret(path, end)
        if path.out and path.is_named and path.rest and path.rest[-1].endswith(self._source_ends):
            return "climbs_to_source"
        return _climbing(path) if path.climbs else self._folder(path)

    def _secret(self, path: _Path, end: str) -> str:
        if path.place in (Place.PATH, Place.FILENAME) or path.climbs > _FAR:
            return "secret_file"
        if path.is_listed and not path.climbs:
            return "" if path.text.startswith(_LOGS) else "secret_mentioned"
        if path.is_named or (path.is_whole and path.climbs):
            return "secret_file"
        if path.is_whole and self._is_local(path.text, end):
            return "secret_file"
        return "secret_climbed_to" if path.climbs else "secret_mentioned"

    def _is_local(self, word: str, end: str) -> bool:
        """Whether it can only mean a file of the machine: it is absolute, or its first folder says so."""
        path = word.rpartition("=")[2].removeprefix("local_").removeprefix("url:")
        if "://" in path and not path.startswith(("file:", "unix:")):
            return False
        if _ABSOLUTE.match(path):
            return True
        folder, slash, _ = end.partition("/")
        return slash != "" and (folder.startswith(".") or folder in self._bases)

    def _folder(self, path: _Path) -> str:
        """Absolute paths into folders of the system."""
        if not path.is_whole or path.is_listed or path.place is Place.PATH:
            return ""
        return "system_folder" if path.text.rpartition("=")[2].removeprefix("file://").startswith(self._folders) else ""


class _Requested:
    """What is asked for by path: hidden files and folders are no routes, nor are dumps and backups."""

    def __init__(self, book: Rulebook) -> None:
        self._hidden = book.words("hidden")
        self._welcome = book.words("welcome")
        self._sources = book.words("sources")
        self._left_behind = book.words("left_behind")
        self._probes = book.words("probes")
        self._settings = tuple(sorted(book.words("settings")))
        self._ends = tuple(sorted(book.words("ends")))

    def rule_for(self, path: str) -> str:
        """The id of the rule that applies; nothing if none does."""
        segments = [segment for segment in path.split("/") if segment]
        if not segments:
            return ""
        for number, segment in enumerate(segments):
            if segment[0] == "." and segment not in self._welcome and segment.strip("."):
                return self._hidden_in(segments, number)
        if _known_end(segments, self._left_behind):
            return "left_behind" if self._sources.isdisjoint(segments) else ""
        if _known_end(segments, self._probes):
            return "probe"
        return "backup" if segments[-1].endswith(self._ends) else ""

    def _hidden_in(self, segments: Sequence[str], number: int) -> str:
        if not self._sources.isdisjoint(segments[:number]):
            return ""
        is_known = segments[number] in self._hidden or segments[-1].endswith(self._settings)
        return "hidden_file" if is_known else "hidden_name"


def _climbing(path: _Path) -> str:
    if path.place is Place.FILENAME:
        return "name_climbs"
    if path.climbs >= _VERY_FAR:
        return "climbs_far"
    if path.climbs >= _FAR and path.is_whole and "://" not in path.text:
        return "climbs"
    if path.climbs > _FARTHER:
        return "climbs_in_text"
    if path.is_whole and path.out:
        return "climbs_once"
    return "climbs_a_little" if path.climbs >= _FAR else ""


def _words(lower: str) -> list[str]:
    for sign in _BETWEEN:
        if sign in lower:
            lower = lower.replace(sign, " ")
    return lower.split()


def _known_end(segments: Sequence[str], known: Container[str]) -> str:
    """The longest end of a path that is known; or nothing."""
    for length in range(min(_LONGEST_END, len(segments)), 0, -1):
        end = "/".join(segments[-length:])
        if end in known:
            return end
    return ""


def _decoded(found: re.Match[str]) -> str:
    """``0x2e`` as a dot; padded, so that offsets stay."""
    return _SIGNS[found[1]] + _PADDING


def _walked(word: str, place: Place, *, is_whole: bool) -> _Path:
    """Follow a path, segment by segment."""
    path, _, query = word.replace(_PADDING, "").partition("#")[0].partition("?")
    if "/" not in path and "\\" not in path:
        path = query or path
    before, _, after = path.rpartition("=")
    scheme, _, rest = (after or before).rpartition("://")
    climbs = out = 0
    held: list[str] = []
    segments = _SLASHES.split(rest or scheme)
    for segment in segments:
        if len(segments) > 1 and _UP.match(segment):
            climbs += 1
            out += not held
            if held:
                held.pop()
        elif segment not in ("", "."):
            held.append(segment.partition(";")[0].rstrip(".:~ ") or segment)
    return _Path(word, out, climbs, held, is_whole, place)
