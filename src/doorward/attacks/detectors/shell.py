"""Commands of Unix shells that are put into values: behind a separator, in a substitution, or as the whole value."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from doorward.attacks.detectors.shell_globs import Targets
from doorward.attacks.detectors.shell_judge import Setting, rule_for
from doorward.attacks.detectors.shell_vocabulary import Vocabulary
from doorward.attacks.detectors.shell_words import POSIX, command_at, positions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorward.attacks.detectors.shell_words import Dialect
    from doorward.attacks.evidence import Evidence
    from doorward.attacks.rulebook import Rulebook
    from doorward.attacks.subject import Subject
    from doorward.attacks.work import Work

_UNITS_A_CHARACTER = 3
_UNITS_A_COMMAND = 800
_TELLS_APART = 24
_SURE = 1.0

_INNER_QUOTE = re.compile(r"['\"](?<=[a-z0-9/'\"]['\"])[a-z0-9/'\"]")
_WILDCARD = re.compile(r"/[\w.-]{0,24}+[?*\[][\w?*\[\]!./-]{0,64}")


class CommandDetector:
    """Looks for commands where a shell would run them.

    Args:
        book: The rules and vocabularies.
        dialect: How that shell reads words.
    """

    def __init__(self, book: Rulebook, dialect: Dialect) -> None:
        self.name = book.name
        self._book = book
        self._dialect = dialect
        self._vocabulary = Vocabulary(book)

    def wants(self, subject: Subject) -> bool:
        """Whether a command's name occurs, or is broken up by quotes."""
        if not subject.words.isdisjoint(self._vocabulary.stems):
            return True
        lower = subject.lower
        return ("'" in lower or '"' in lower) and _INNER_QUOTE.search(lower) is not None

    def examine(self, subject: Subject, work: Work) -> Iterator[Evidence]:
        """The heaviest evidence."""
        lower = subject.lower
        work.spend(_UNITS_A_CHARACTER * len(lower))
        setting: Setting | None = None
        best: Evidence | None = None
        seen: set[str] = set()
        for match in positions(lower):
            if not self._may_name(match[1]) or (raw := lower[match.start() : match.end() + _TELLS_APART]) in seen:
                continue
            seen.add(raw)
            work.spend(_UNITS_A_COMMAND)
            setting = setting or Setting(subject, self._vocabulary)
            evidence = self._judged(match, setting)
            if evidence is not None and (best is None or evidence.weight > best.weight):
                best = evidence
                if best.weight >= _SURE:
                    break
        if best is not None:
            yield best

    def _may_name(self, word: str) -> bool:
        if word in self._vocabulary.known:
            return True
        if word.isalpha():
            return False
        return not self._dialect.special.isdisjoint(word) or self._vocabulary.name_of(word) != ""

    def _judged(self, match: re.Match[str], setting: Setting) -> Evidence | None:
        command = command_at(setting.lower, match, self._dialect)
        reading = self._vocabulary.read(command) if command is not None else None
        if command is None or reading is None:
            return None
        rule = rule_for(reading, setting)
        return self._book.rule(rule).at(command.start, command.end) if rule else None


class ShellDetector(CommandDetector):
    """The same for Unix shells; also paths with wildcards that stand for something else.

    Args:
        book: The rules and vocabularies.
    """

    def __init__(self, book: Rulebook) -> None:
        super().__init__(book, POSIX)
        self._targets = Targets(sorted(book.words("glob_targets")))

    def wants(self, subject: Subject) -> bool:
        """Whether a command's name occurs, or something that may stand for one."""
        lower = subject.lower
        if "$" in lower or "`" in lower or "\\" in lower or "{" in lower or super().wants(subject):
            return True
        return _has_wildcard(lower)

    def examine(self, subject: Subject, work: Work) -> Iterator[Evidence]:
        """The heaviest command; and a path with wildcards."""
        lower = subject.lower
        if _has_wildcard(lower):
            for found in self._targets.meant_in(lower, work):
                yield self._book.rule("glob").at(found.start(), found.end())
                break
        yield from super().examine(subject, work)


def _has_wildcard(lower: str) -> bool:
    return "/" in lower and ("?" in lower or "*" in lower or "[" in lower) and _WILDCARD.search(lower) is not None
