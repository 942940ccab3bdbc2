"""Which commands there are, how telling their names are, and how arguments of theirs look."""

from __future__ import annotations

import re
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doorward.attacks.detectors.shell_words import Command
    from doorward.attacks.rulebook import Rulebook

_MOST_WORDS = 24
_MOST_BARE = 3
_MOST_WRAPPERS = 4
_MOST_OPTIONS = 12
_VERSIONS = 100
_LONGEST_VERSION = 3

_STEM = re.compile(r"[a-z_][a-z0-9_]*+")
_VERSION = re.compile(r"\d{1,2}(?:\.\d{1,3}){0,3}\Z")
_PATH = re.compile(r"(?:\.{0,2}/|~|[a-z]:[\\/]|\\\\|%\w|\./)")
_FILE_OR_HOST = re.compile(r"[\w-]{1,64}+(?:\.[\w-]{1,64}+)++(?:/|\Z)")
_NUMBER = re.compile(r"\d{1,6}+(?:\.\d{1,3})?[smhd]?\Z")
_FLAG = re.compile(r"[-+]{1,2}[a-z0-9?]|/[a-z?]{1,3}(?:\Z|:)")
_COMMENT = re.compile(r"#|--[+-]?\Z|//")
_SIGNS = frozenset("=$*<>?[]@%{}\\:")
_BEFORE_WRAPPED = frozenset("-0123456789")


class Grade(IntEnum):
    """How telling a command's name is."""

    TOOL = 0
    AMBIGUOUS = 1
    ORDINARY = 2
    TELLING = 3


class Fit(IntEnum):
    """How far what follows a command's name looks like its arguments."""

    NONE = 0
    MAYBE = 1
    YES = 2
    NOTABLE = 3
    SECRET = 4


class Reading(NamedTuple):
    """A command, and what it means.

    Attributes:
        command: As it stands in the text.
        name: The known command that is run.
        fit: How far its arguments look like arguments.
        grade: How telling its name is.
    """

    command: Command
    name: str
    fit: Fit
    grade: Grade

    @property
    def is_alone(self) -> bool:
        """Whether it has no arguments."""
        return len(self.command.words) == 1


class Vocabulary:
    """The commands of one kind of shell, and what they take.

    Args:
        book: With names by grade (``telling``, ``ordinary``, ``ambiguous``, ``tools``), names by what
            they take, and texts that occur in the arguments of attacks (``secrets``, ``notable``, ``targets``).

    Attributes:
        known: Names.
        stems: What :attr:`~doorward.attacks.subject.Subject.words` has of a text with one of them in it.
        documented: Names that installation instructions are full of.
        parameters: Names of parameters that ask for a command.
    """

    def __init__(self, book: Rulebook) -> None:
        self._grades: dict[str, Grade] = {}
        for grade, name in enumerate(("tools", "ambiguous", "ordinary", "telling")):
            self._grades.update(dict.fromkeys(book.words(name), Grade(grade)))
        self._takes = {
            name: book.words(name) for name in ("alone", "numeric", "wrappers", "speakers", "spoken", "code_flags")
        }
        self._interpreters = book.words("interpreters")
        self._shells = book.words("shells")
        self._targets = book.words("targets")
        self._secrets = tuple(book.words("secrets"))
        self._notable = tuple(book.words("notable"))
        self.documented = book.words("documented")
        self.parameters = book.words("parameters")
        self.known = frozenset(self._grades) | self._takes["wrappers"]
        versioned = [f"{name}{version}" for name in self._interpreters for version in range(_VERSIONS)]
        self.stems = frozenset([found[0] for name in self.known if (found := _STEM.match(name))] + versioned)

    def name_of(self, word: str) -> str:
        """The known command that a word names, by its base name and without a version; or nothing."""
        if word in self.known:
            return word
        if word.isalnum():
            base = word.rstrip("0123456789")
            return base if base in self._interpreters and len(word) - len(base) < _LONGEST_VERSION else ""
        base = word.rstrip("/").replace("\\", "/").rpartition("/")[2].removesuffix(".exe")
        if base in self.known:
            return base
        if not base[-1:].isdigit():
            return ""
        base = _VERSION.sub("", base)
        return base if base in self._interpreters else ""

    def read(self, command: Command) -> Reading | None:
        """What a command means; None if it is not known."""
        name, arguments = self._unwrapped(command.words)
        if not name:
            return None
        return Reading(command, name, self._fit(name, arguments), self._grades.get(name, Grade.AMBIGUOUS))

    def _unwrapped(self, words: Sequence[str]) -> tuple[str, Sequence[str]]:
        """The command that is run in the end: ``sudo nice id`` runs ``id``."""
        name, arguments = self.name_of(words[0]), words[1:]
        for _ in range(_MOST_WRAPPERS):
            at = self._wrapped(arguments) if name in self._takes["wrappers"] else -1
            if at < 0:
                break
            name, arguments = self.name_of(arguments[at]), arguments[at + 1 :]
        return name, arguments

    def _wrapped(self, arguments: Sequence[str]) -> int:
        """Where in the arguments the wrapped command is, behind options and what they take; -1 if nowhere."""
        after_option = False
        for at, word in enumerate(arguments[:_MOST_OPTIONS]):
            if self.name_of(word):
                return at
            is_option = word[0] in _BEFORE_WRAPPED or "=" in word
            if not is_option and not after_option:
                break
            after_option = is_option
        return -1

    def _fit(self, name: str, arguments: Sequence[str]) -> Fit:
        if not arguments or _COMMENT.match(arguments[0]):
            return Fit.YES if name in self._takes["alone"] else Fit.NONE
        if arguments[0].startswith(("=", ":")):
            return Fit.NONE
        line = " ".join([name, *arguments[:_MOST_WORDS]])
        contains = line.__contains__
        if any(map(contains, self._secrets)):
            return Fit.SECRET
        if any(map(contains, self._notable)) or not self._targets.isdisjoint(arguments):
            return Fit.NOTABLE
        if arguments[0] in self._takes["code_flags"] and name in self._interpreters:
            return Fit.NOTABLE if name in self._shells and len(arguments) > 1 else Fit.YES
        return self._shape(name, arguments)

    def _shape(self, name: str, arguments: Sequence[str]) -> Fit:
        if len(arguments) > _MOST_WORDS:
            return Fit.NONE
        is_technical = self._is_number if name in self._takes["numeric"] else self._is_technical
        technical = sum(map(is_technical, arguments))
        if not technical and name in self._takes["spoken"]:
            return Fit.NONE
        bare = len(arguments) - technical
        if technical and bare <= min(_MOST_BARE, technical + 1):
            return Fit.YES
        if name in self._takes["speakers"]:
            return Fit.YES if bare <= 1 else Fit.MAYBE
        if not technical and (bare == 1 or (bare == 2 and self._grades.get(name) is Grade.TELLING)):
            return Fit.MAYBE
        return Fit.NONE

    def _is_number(self, word: str) -> bool:
        return bool(_NUMBER.match(word) or _FLAG.match(word)) or not _SIGNS.isdisjoint(word)

    def _is_technical(self, word: str) -> bool:
        if not word.isalpha():
            return bool(_FLAG.match(word) or _PATH.match(word) or _FILE_OR_HOST.match(word)) or not _SIGNS.isdisjoint(
                word
            )
        return self._grades.get(word) is Grade.TELLING
