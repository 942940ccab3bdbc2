"""How much a client has shown by passing a challenge: four steps, each worth more than the one before."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from doorward.errors import ConfigurationError


class Level(IntEnum):
    """What a challenge asks of a client.

    Attributes:
        WAIT: To come back after a while, which needs no JavaScript.
        WORK: A proof of work.
        BROWSER: A proof of work by something that behaves as a browser does.
        HUMAN: What only a person does: a picture, a sound, or a hosted captcha.
    """

    WAIT = 1
    WORK = 2
    BROWSER = 3
    HUMAN = 4

    @property
    def word(self) -> str:
        """As it is written in configurations and answers, such as ``"work"``."""
        return self.name.lower()


DEFAULT_LEVEL = Level.WORK


def parse_level(value: Any, field: str = "level") -> Level:
    """``"work"`` or a :class:`Level`.

    Raises:
        ConfigurationError: It is no level.
    """
    if isinstance(value, Level):
        return value
    level = Level.__members__.get(value.upper()) if isinstance(value, str) else None
    if level is None:
        raise ConfigurationError(field, f"must be one of {', '.join(each.word for each in Level)}, not {value!r}")
    return level
