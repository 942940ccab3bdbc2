"""The codes of ``doorward check``, and how checks of a client are run: none of them may raise."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Literal, NamedTuple

from doorward.printable import describe, printable

if TYPE_CHECKING:
    from doorward.checks.subject import Subject

Level = Literal["note", "warning", "error"]
LEVELS: tuple[Level, ...] = ("note", "warning", "error")
"""From what need not be done to what must be."""

CLIENT = ""
"""The rule of a finding that is about the client as a whole."""

INTERNAL = "DW000"
_LONGEST = 600


class Finding(NamedTuple):
    """Something that an engineer would want to know before it happens.

    Attributes:
        code: ``DW…``, as in docs/check.md.
        level: ``"note"``, ``"warning"`` or ``"error"``.
        rule: The rule's name as in results; empty where it is about the client.
        message: What happens to whom.
        hint: What to write instead.
    """

    code: str
    level: Level
    rule: str
    message: str
    hint: str

    def __str__(self) -> str:
        where = f" {self.rule}:" if self.rule else ""
        return f"{self.code} {self.level}:{where} {self.message} ({self.hint})"


class Told(NamedTuple):
    """What a check found: a finding without its code.

    Attributes:
        rule: As of a finding.
        message: As of a finding.
        hint: As of a finding.
        level: Where it is not that of the code.
    """

    rule: str
    message: str
    hint: str
    level: Level | None = None


Check = Callable[["Subject"], Iterable[Told]]


class Code(NamedTuple):
    """One thing that is looked for.

    Attributes:
        code: ``DW…``.
        title: What it is, in a few words.
        level: Of its findings, unless they say otherwise.
        about: ``"rules"``, which are the same everywhere, or ``"deployment"``: where and how they are run.
        find: Looks for it.
    """

    code: str
    title: str
    level: Level
    about: Literal["rules", "deployment"]
    find: Check


CODES: dict[str, Code] = {}
"""By code; filled by the modules of this package."""


def looks_for(
    code: str, title: str, level: Level = "warning", about: Literal["rules", "deployment"] = "rules"
) -> Callable[[Check], Check]:
    """Enter a check in the registry."""

    def enter(check: Check) -> Check:
        if code in CODES:
            raise ValueError(f"{code} is there already")
        CODES[code] = Code(code, title, level, about, check)
        return check

    return enter


def found_by(code: Code, subject: Subject) -> Iterator[Finding]:
    """What one check finds; that it failed, where it did."""
    try:
        for rule, message, hint, level in code.find(subject):
            yield Finding(code.code, level or code.level, rule, printable(message, _LONGEST), printable(hint, _LONGEST))
    except Exception as error:
        message = f"{code.code} ({code.title}) could not be looked for: {describe(error)}"
        yield Finding(INTERNAL, "warning", CLIENT, printable(message, _LONGEST), "report it; the other checks went on")


@looks_for(INTERNAL, "a check failed")
def _nothing(subject: Subject) -> Iterable[Told]:
    """Found where another check fails."""
    del subject
    return ()
