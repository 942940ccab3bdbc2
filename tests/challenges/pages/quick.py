"""Kinds of challenges that are passed at once, or by typing a word: for tests of what is around them."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

from doorward.challenges.issue import Issue
from doorward.challenges.kinds import Asked, Checked, Posed
from doorward.effects import Effect
from doorward.levels import Level
from doorward.markup import Markup


class Quick:
    """Passed by being sent."""

    name = "quick"
    level = Level.WORK
    needs_script = False

    def pose(self, issue: Issue, prefix: str, words: Mapping[str, str]) -> Posed:
        """Nothing but the button."""
        return Posed(Markup(""), {"kind": "wait", "seconds": 0}, without_script=True, refresh_seconds=1)

    def check(self, asked: Asked) -> Generator[Effect, object, Checked]:
        """Passed."""
        yield from ()
        return Checked(True)

    def serve(self, name: str, asked: Asked) -> Generator[Effect, object, None]:
        """Nothing."""
        yield from ()


class Typed(Quick):
    """Passed by typing "open"."""

    name = "typed"
    level = Level.HUMAN

    def pose(self, issue: Issue, prefix: str, words: Mapping[str, str]) -> Posed:
        """A field."""
        field = '<label for="word">Word</label><input id="word" name="word" autocomplete="off">'
        return Posed(Markup(field), {"kind": "typed"}, without_script=True)

    def check(self, asked: Asked) -> Generator[Effect, object, Checked]:
        """Whether it is the word."""
        yield from ()
        return Checked(asked.fields.get("word") == "open", "wrong", ends=True)


class Failing(Quick):
    """Found by no script, and never passed."""

    name = "failing"
    needs_script = True

    def pose(self, issue: Issue, prefix: str, words: Mapping[str, str]) -> Posed:
        """Nothing."""
        return Posed(Markup(""), {"kind": "wait", "seconds": 0})

    def check(self, asked: Asked) -> Generator[Effect, object, Checked]:
        """Not passed."""
        yield from ()
        return Checked(False, "wrong")


def options(*kinds: Any, **more: Any) -> dict[str, Any]:
    """The option ``challenges`` with these kinds."""
    return {"kinds": list(kinds), **more}
