"""What a command in a value is worth as evidence: which command, with which arguments, at which place in the value."""

from __future__ import annotations

import re
from enum import IntEnum
from typing import TYPE_CHECKING

from doorward.attacks.detectors.shell_vocabulary import Fit, Grade
from doorward.attacks.detectors.shell_words import Opener
from doorward.attacks.evidence import Place
from doorward.lazily import lazily

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doorward.attacks.detectors.shell_vocabulary import Reading, Vocabulary
    from doorward.attacks.subject import Subject

_SHORT = 240
_SHORT_LINES = 3
_LONGEST_LEAD = 160
_MOST_OF_PADDING = 4
_AT_THE_START = 80
_TABLE_BARS = 3
_SENTENCE = 0.6
_FEW_WORDS = 2

_LEAD = re.compile(r"[^;|&`\n\r\x00$(]*+")
_ESCAPED_LINE = re.compile(r"\\[nr]")
_AT_ONCE = re.compile(r"[\s'\")\]},.#/\\%-]*+\Z")
_IDENTIFIER = re.compile(r"[a-z_]{4,}+\Z")
_WORDS_FOLLOW = re.compile(r"[\s.,:;)'\"]{0,8}+(?:[a-z]{2,32}+[\s.,:;)'\"]{1,8}+){2}[a-z]{2}")


class Spot(IntEnum):
    """Where in its value a command stands."""

    TEXT = 0
    LINE = 1
    BEHIND_WORDS = 2
    BEHIND_VALUE = 3
    OUT = 4


class Setting:
    """A value as the surroundings of a command.

    Args:
        subject: The value.
        vocabulary: To tell whether lines begin with a command.

    Attributes:
        lower: The value, in lower case.
        vocabulary: That of the shell.
    """

    def __init__(self, subject: Subject, vocabulary: Vocabulary) -> None:
        self._subject = subject
        self.lower = subject.lower
        self.vocabulary = vocabulary

    @lazily
    def lead(self) -> str:
        """What stands before the first separator."""
        found = _LEAD.match(self.lower)
        return _ESCAPED_LINE.split(self.lower[: found.end()] if found else "", maxsplit=1)[0]

    @lazily
    def is_short(self) -> bool:
        """Whether it is what fits into a field of one line, and not code."""
        lower = self.lower
        if len(lower) > _SHORT or lower.count("\n") > _SHORT_LINES or self._subject.value.offset:
            return False
        return not self._subject.is_code_like

    @lazily
    def is_prose(self) -> bool:
        """Whether it is sentences rather than words on a command line."""
        return self._subject.is_prose and _reads_as_sentence(self.lower)

    @lazily
    def is_table(self) -> bool:
        """Whether bars in it separate columns."""
        lower = self.lower
        return (
            lower.count("|") >= _TABLE_BARS
            and "| " in lower
            and " |" in lower
            and (lower.replace("||", "").count("|") >= _TABLE_BARS)
        )

    @property
    def is_header(self) -> bool:
        """Whether it is the value of a header."""
        return self._subject.place is Place.HEADER

    @lazily
    def asks_for_command(self) -> bool:
        """Whether the parameter's name does."""
        return self._subject.name.lower() in self.vocabulary.parameters and not self._subject.is_name

    @lazily
    def spot(self) -> Spot:
        """Where commands stand behind what stands before the first separator."""
        return self._spot(is_continued=self._subject.value.offset > 0)

    def _is_markup(self) -> bool:
        """Whether it begins like Markdown or reStructuredText: a fence, a directive, words and then a code span."""
        lead = self.lead.strip()
        after = self.lower[len(self.lead) : len(self.lead) + 2]
        is_apart = lead != "" and self.lead[-1].isspace()
        return after == "``" or (is_apart and (after[:1] == "`" or lead == ".."))

    def _spot(self, *, is_continued: bool) -> Spot:
        lead = self.lead.strip()
        if len(lead) > _LONGEST_LEAD:
            return Spot.BEHIND_VALUE if len(frozenset(lead)) <= _MOST_OF_PADDING else Spot.TEXT
        if is_continued or self._is_markup():
            return Spot.TEXT
        if _AT_ONCE.match(lead):
            return Spot.OUT
        if not any(map(str.isspace, lead)):
            return Spot.OUT if lead[-1] in "'\")" else Spot.BEHIND_VALUE
        return Spot.BEHIND_WORDS if self.is_short and not self.is_prose else Spot.TEXT

    def line_begins_with_command(self, at: int) -> bool:
        """Whether the first word of a line is itself a command: then what follows is a line that somebody wrote."""
        begin = max(self.lower.rfind("\n", 0, at) + 1, at - _SHORT)
        words = self.lower[begin:at].lstrip("+-> #$`").split(None, 1)
        return len(words) > 1 and self.vocabulary.name_of(words[0]) != ""


def may_count(reading: Reading) -> bool:
    """Whether there is a setting in which a rule applies to a command."""
    command, _, fit, grade = reading
    if command.is_disguised or fit >= Fit.NOTABLE:
        return True
    if command.opener in (Opener.BRACKET, Opener.MARKUP):
        return False
    return fit is not Fit.NONE or grade is Grade.TELLING or command.opener is Opener.SUBSTITUTION


def rule_for(reading: Reading, setting: Setting) -> str:
    """The id of the rule that applies to a command; nothing if none does."""
    command, _, fit, grade = reading
    if command.is_disguised and (fit is not Fit.NONE or grade is Grade.TELLING):
        return "disguised"
    if command.opener is Opener.START:
        return _whole_value(reading, setting)
    if command.opener in (Opener.BRACKET, Opener.MARKUP):
        return "secret" if fit >= Fit.NOTABLE and setting.is_short and not setting.is_prose else ""
    return _behind_separator(reading, _spot_of(reading, setting), setting)


def _behind_separator(reading: Reading, spot: Spot, setting: Setting) -> str:
    command, name, fit, grade = reading
    if command.opener is Opener.SUBSTITUTION and spot >= Spot.BEHIND_VALUE:
        fit = _substituted(reading)
    if fit is Fit.SECRET and spot is Spot.TEXT and command.opener in (Opener.LINE, Opener.BACKTICK):
        return "in_text"
    if fit is Fit.SECRET or (fit is Fit.NOTABLE and spot >= Spot.BEHIND_WORDS):
        return "secret"
    if spot is Spot.BEHIND_WORDS and name in setting.vocabulary.documented and setting.lead.count(" ") > _FEW_WORDS:
        grade = Grade.ORDINARY
    return _RULES.get((spot, min(fit, Fit.YES)), {}).get(grade, "")


def _spot_of(reading: Reading, setting: Setting) -> Spot:
    command, spot = reading.command, setting.spot
    if not setting.is_short and command.start > len(setting.lead) + _AT_THE_START:
        return Spot.TEXT
    if _is_mentioned(reading, setting) or (setting.is_table and reading.fit is not Fit.SECRET):
        return Spot.TEXT
    is_line = command.opener is Opener.LINE
    if spot >= Spot.BEHIND_WORDS and not is_line and setting.line_begins_with_command(command.start):
        return Spot.LINE
    if (is_line or command.opener is Opener.BACKTICK) and (spot < Spot.BEHIND_VALUE or not setting.is_short):
        return min(spot, Spot.LINE) if spot >= Spot.BEHIND_VALUE else Spot.TEXT
    if spot is Spot.BEHIND_VALUE and reading.is_alone and reading.grade is not Grade.TELLING:
        # A list such as "name;id;date", or what a User-Agent has in parentheses.
        is_comment = setting.is_header and command.opener is Opener.SEPARATOR
        return Spot.LINE if is_comment or _IDENTIFIER.match(setting.lead.strip()) else spot
    return spot


def _is_mentioned(reading: Reading, setting: Setting) -> bool:
    """Whether a text goes on behind a name in backticks, bars or ``$(…)``: then it is about a command."""
    command = reading.command
    if command.opener is Opener.SUBSTITUTION:
        if reading.grade is Grade.TELLING or command.after != ")":
            return False
    elif command.after not in ("`", "|") or setting.lower[command.start] != command.after:
        return False
    return _WORDS_FOLLOW.match(setting.lower[command.end + 1 : command.end + _SHORT]) is not None


def _substituted(reading: Reading) -> Fit:
    """What is in ``$(…)`` is run: a name alone is a command, and one word after it its argument."""
    if reading.fit is Fit.MAYBE:
        return Fit.YES
    return Fit.MAYBE if reading.fit is Fit.NONE and reading.is_alone else reading.fit


def _whole_value(reading: Reading, setting: Setting) -> str:
    command, name, fit, grade = reading
    if fit is Fit.SECRET or (fit is Fit.NOTABLE and setting.is_short):
        return "secret" if setting.is_short and not setting.is_prose else "in_text"
    if not setting.is_short or setting.is_header or fit is Fit.NONE:
        return ""
    if setting.asks_for_command and grade is not Grade.AMBIGUOUS:
        return "asked_for"
    is_certain = grade is Grade.TELLING and fit is Fit.YES
    if is_certain and name not in setting.vocabulary.documented and reading.is_alone is (command.after.strip() != ""):
        return "looking_around"
    if reading.is_alone:
        return "command_name" if is_certain else ""
    return _RULES.get((Spot.LINE, fit), {}).get(grade, "")


def _reads_as_sentence(lower: str) -> bool:
    """Whether most of what stands between spaces is plain words: paths and options are not."""
    words = lower.split()
    return sum([word.strip(",.;:!?()'\"").isalpha() for word in words]) >= _SENTENCE * len(words)


_SURE = dict.fromkeys((Grade.TELLING, Grade.ORDINARY, Grade.AMBIGUOUS), "break_out")
_RULES: Mapping[tuple[Spot, Fit], Mapping[Grade, str]] = {
    (Spot.TEXT, Fit.YES): {Grade.TELLING: "in_text"},
    (Spot.LINE, Fit.MAYBE): {Grade.TELLING: "in_text"},
    (Spot.LINE, Fit.YES): {
        Grade.TELLING: "command_line",
        Grade.ORDINARY: "everyday_line",
        Grade.AMBIGUOUS: "everyday_line",
    },
    (Spot.BEHIND_WORDS, Fit.MAYBE): {Grade.TELLING: "possible"},
    (Spot.BEHIND_WORDS, Fit.YES): {
        Grade.TELLING: "break_out",
        Grade.ORDINARY: "likely",
        Grade.AMBIGUOUS: "possible",
    },
    (Spot.BEHIND_VALUE, Fit.MAYBE): {
        Grade.TELLING: "likely",
        Grade.ORDINARY: "possible",
        Grade.AMBIGUOUS: "possible",
    },
    (Spot.BEHIND_VALUE, Fit.YES): {**_SURE, Grade.TOOL: "possible"},
    (Spot.OUT, Fit.NONE): {Grade.TELLING: "possible"},
    (Spot.OUT, Fit.MAYBE): {Grade.TELLING: "break_out", Grade.ORDINARY: "likely", Grade.AMBIGUOUS: "likely"},
    (Spot.OUT, Fit.YES): {**_SURE, Grade.TOOL: "likely"},
}
"""Rules by where a command stands and how its arguments fit, and by how telling its name is."""
