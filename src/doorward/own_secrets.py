"""What signs what clients bring back: one secret or several, from code or from the environment."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from doorward.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

SECRET_VARIABLE = "DOORWARD_SECRET"
SHORTEST_SECRET = 16
"""Bytes: 128 bits where they are random, the least that is thought beyond guessing today."""


class Secret(bytes):
    """A secret, which nothing that prints it shows."""

    def __repr__(self) -> str:
        return "<secret>" if self else "<no secret>"

    __str__ = __repr__


def parse_secrets(given: object) -> list[Secret]:
    """The secrets, the one that signs first; that is empty where there is none.

    Raises:
        ConfigurationError: One is no text, empty, or, in the environment, too short.
    """
    if given is None:
        return _secrets_of(os.environ.get(SECRET_VARIABLE, ""))
    several: Sequence[Any] = given if isinstance(given, list | tuple) else [given]
    # Never shown, also not where it is wrong.
    if not several or not all(isinstance(each, str | bytes) and each for each in several):
        wrong = "must be text or bytes, such as secrets.token_urlsafe(32) makes, or a list of these, the newest first"
        raise ConfigurationError("secret", wrong)
    return [Secret(each.encode("utf-8", "surrogatepass") if isinstance(each, str) else each) for each in several]


def _secrets_of(variable: str) -> list[Secret]:
    """Those of the environment, between commas or blanks; none where the variable is empty, as where it is not set.

    Of short ones nobody can tell whether they are meant, or are parts of a sentence that was meant as one.
    """
    if not variable:
        return [Secret()]
    parts = [part for between in variable.split(",") for part in between.split() or [""]]
    several = [each.encode("utf-8", "surrogateescape") for each in parts]
    for number, each in enumerate(several, 1):
        if len(each) < SHORTEST_SECRET:
            has = f"has {len(each)} bytes, fewer than {SHORTEST_SECRET}" if each else "is empty"
            problem = f"number {number} of {len(several)} {has}: make one by secrets.token_urlsafe(32)"
            raise ConfigurationError(SECRET_VARIABLE, problem)
    return [Secret(each) for each in several]
