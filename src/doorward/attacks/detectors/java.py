"""Java: what Log4j makes of nested look-ups."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorward.attacks.evidence import Evidence
    from doorward.attacks.rulebook import Rulebook
    from doorward.attacks.subject import Subject
    from doorward.attacks.work import Work

DEEPEST = 16
"""Look-ups within look-ups that are followed; each level copies its text once."""

_TOKEN = re.compile(r"\$\{|\}|[^$}]++|\$")
_JNDI = re.compile(r"\$\{\s{0,4}jndi\s{0,4}:")
_LOOKUP = "${"
_UNITS_A_CHARACTER = 5


class LookupDetector:
    """Look-ups of Log4j whose letters come from other look-ups.

    Args:
        book: The rules of ``java.toml``.
    """

    needs_signs = True

    def __init__(self, book: Rulebook) -> None:
        self.name = "java.lookups"
        self._nested = book.rule("jndi_nested")

    def wants(self, subject: Subject) -> bool:
        """Whether there is a look-up with another in it, or a default."""
        text = subject.text
        return "{" in text and "$" in text and _LOOKUP in text and ":" in text

    def examine(self, subject: Subject, work: Work) -> Iterator[Evidence]:
        """Evidence if the text, once look-ups are made, has one that it does not show."""
        start = subject.text.find(_LOOKUP)
        if subject.text.find(_LOOKUP, start + 2) < 0 and ":-" not in subject.text:
            return
        work.spend(_UNITS_A_CHARACTER * (len(subject.text) - start))
        if _JNDI.search(looked_up(subject.text[start:]).lower()):
            yield self._nested.at(start, len(subject.text))


def looked_up(text: str) -> str:
    """What Log4j makes of a text, as far as that can be said without its surroundings (StrSubstitutor of Log4j 2).

    Innermost first, in one pass: letters in another case, defaults of what is not set. Other look-ups stay.
    """
    open_lookups: list[list[str]] = [[]]
    for token in _TOKEN.findall(text):
        if token == _LOOKUP and len(open_lookups) < DEEPEST:
            open_lookups.append([])
        elif token == "}" and len(open_lookups) > 1:
            content = "".join(open_lookups.pop())
            open_lookups[-1].append(_value_of(content))
        else:
            open_lookups[-1].append(token)
    return _LOOKUP.join(["".join(parts) for parts in open_lookups])


def _value_of(lookup: str) -> str:
    name, has_default, default = lookup.partition(":-")
    if has_default:
        return default
    kind, _colon, argument = name.partition(":")
    match kind.strip().lower():
        case "lower":
            return argument.lower()
        case "upper":
            return argument.upper()
        case "date":
            return argument.replace("'", "")
        case _:
            return f"{_LOOKUP}{lookup}}}"
