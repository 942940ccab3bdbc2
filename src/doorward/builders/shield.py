"""``shield``: the name of attack detection in the public contract, kept for what imports it. It comes later."""

from __future__ import annotations

from typing import NoReturn

from doorward.errors import ConfigurationError


def shield(**options: object) -> NoReturn:
    """Attack detection is not in this version.

    Raises:
        ConfigurationError: Always, so that nobody believes to be protected.
    """
    del options
    raise ConfigurationError("shield", "is not in this version of doorward")
