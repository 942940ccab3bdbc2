"""Commands of Unix shells that are put into values: behind a separator, in a substitution, or as the whole value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorward.attacks.detectors.joined import is_one_value
from doorward.attacks.detectors.shell_globs import Targets, may_mean_another
from doorward.attacks.detectors.shell_judge import Setting, may_count, rule_for
from doorward.attacks.detectors.shell_vocabulary import Vocabulary
from doorward.attacks.detectors.shell_words import POSIX, bare, command_at, first_words, positions

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator, Sequence

    from doorward.attacks.detectors.shell_words import Dialect
    from doorward.attacks.evidence import Evidence
    from doorward.attacks.rulebook import Rulebook
    from doorward.attacks.subject import Subject
    from doorward.attacks.work import Work

_CHARACTERS_A_UNIT = 2
_UNITS_A_PLACE = 40
_UNITS_A_NAME = 60
_UNITS_A_COMMAND = 600
_TELLS_APART = 24
_SURE = 1.0


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
        """Whether a command's name stands where a command may begin, or what may stand for one.

        Of many texts joined together only: whether it occurs.
        """
        if not self._may_occur(subject):
            return False
        return not is_one_value(subject) or len(subject.once(self._names)) > 0

    def _may_occur(self, subject: Subject) -> bool:
        return not subject.words.isdisjoint(self._vocabulary.stems) or self._dialect.disguises(subject.lower)

    def _names(self, subject: Subject) -> set[str]:
        words = subject.once(_first_words)
        names = self._vocabulary.known.intersection(words)
        others = [word for word in set(words) if word != "" and not word.isalpha() and self._means_name(word)]
        return {*names, *others}

    def _means_name(self, word: str) -> bool:
        name = bare(word, self._dialect)
        return name is None or self._vocabulary.name_of(name) != ""

    def examine(self, subject: Subject, work: Work) -> Iterator[Evidence]:
        """The heaviest evidence."""
        if not self._may_occur(subject):
            return
        places = len(subject.once(_first_words))
        work.spend(len(subject.lower) // _CHARACTERS_A_UNIT + _UNITS_A_PLACE * places)
        if names := subject.once(self._names):
            yield from self._heaviest(names, subject, work)

    def _heaviest(self, names: set[str], subject: Subject, work: Work) -> Iterator[Evidence]:
        lower, setting = subject.lower, Setting(subject, self._vocabulary)
        best: Evidence | None = None
        seen: set[str] = set()
        for word, match in zip(subject.once(_first_words), subject.once(_positions), strict=True):
            if word not in names:
                continue
            work.spend(_UNITS_A_NAME)
            if (raw := lower[match.start() : match.end() + _TELLS_APART]) in seen:
                continue
            seen.add(raw)
            work.spend(_UNITS_A_COMMAND)
            evidence = self._judged(match, setting, work)
            if evidence is not None and (best is None or evidence.weight > best.weight):
                best = evidence
                if best.weight >= _SURE:
                    break
        if best is not None:
            yield best

    def _judged(self, match: re.Match[str], setting: Setting, work: Work) -> Evidence | None:
        command = command_at(setting.lower, match, self._dialect)
        reading = self._vocabulary.read(command) if command is not None else None
        if command is None or reading is None or not may_count(reading):
            return None
        rule = rule_for(reading, setting)
        return self._book.rule(rule).at(command.start, command.end) if rule else None


# Several detectors ask for these, each as a screen and as it examines.
def _first_words(subject: Subject) -> Sequence[str]:
    return first_words(subject.lower)


def _positions(subject: Subject) -> Sequence[re.Match[str]]:
    return list(positions(subject.lower))


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
        return super().wants(subject) or may_mean_another(subject.lower)

    def examine(self, subject: Subject, work: Work) -> Iterator[Evidence]:
        """The heaviest command; and a path with wildcards."""
        lower = subject.lower
        if may_mean_another(lower):
            for found in self._targets.meant_in(lower, work):
                yield self._book.rule("glob").at(found.start(), found.end())
                break
        yield from super().examine(subject, work)
