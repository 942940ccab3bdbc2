"""What an application says about challenges for ALTCHA's widget, checked when its client is built."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, TypedDict

from doorward.challenges.work.derivation import DEFAULT_ALGORITHM, PROFILES, Hardness, checked
from doorward.challenges.work.kind import hardness_of, range_of
from doorward.duration import seconds
from doorward.errors import ConfigurationError, UnknownArgument

DEFAULT_LIFETIME = 1200.0
LONGEST_LIFETIME = 86_400.0
V1_LEAST, V1_MOST = 15_000, 60_000
"""Numbers to search under version 1: about 1 to 4 s on a slow phone (benchmarks/work.py)."""


class AltchaOptions(TypedDict, total=False):
    """Challenges that ``GET …/altcha`` hands out.

    Attributes:
        version: Of the protocol: 2, or 1 for widgets before their version 3.
        algorithm: ``"PBKDF2/SHA-256"``, ``"SCRYPT"``, ``"ARGON2ID"`` …; of version 2 only.
        cost: Of one derivation.
        memory: scrypt's r, or Argon2id's KiB.
        least: Counters to search for a request without any doubt.
        most: Counters to search at most.
        lifetime: How long a challenge can be solved and its form sent: seconds or text; 20 minutes by default.
        bind: Whether the form has to come from the client that was given the challenge, as ``bind`` of ``challenges``
            says what that is.
    """

    version: int
    algorithm: str
    cost: int
    memory: int
    least: int
    most: int
    lifetime: float | str
    bind: bool


class AltchaSettings(NamedTuple):
    """Checked :class:`AltchaOptions`."""

    version: int = 2
    hardness: Hardness = PROFILES[DEFAULT_ALGORITHM].usual
    least: int = PROFILES[DEFAULT_ALGORITHM].least
    most: int = PROFILES[DEFAULT_ALGORITHM].most
    lifetime: float = DEFAULT_LIFETIME
    bind: bool = False


def parse_altcha(given: Any, field: str) -> AltchaSettings:
    """Check the option ``altcha``.

    Raises:
        ConfigurationError: Something in it is wrong.
    """
    if not isinstance(given, Mapping):
        raise ConfigurationError(field, f"must be a dict such as {{'lifetime': '20m'}}, not {given!r}")
    for name in given:
        if name not in AltchaOptions.__annotations__:
            raise UnknownArgument(field, name, list(AltchaOptions.__annotations__))
    version = given.get("version", 2)
    if isinstance(version, bool) or version not in (1, 2):
        raise ConfigurationError(f"{field}.version", f"must be 1 or 2, not {version!r}")
    hardness, least, most = _first(given, field) if version == 1 else _second(given, field)
    least, most = range_of(given.get("least", least), given.get("most", most), V1_MOST * 10, field)
    return AltchaSettings(version, hardness, least, most, _lifetime(given, field), _bind(given, field))


def _first(given: Mapping[str, Any], field: str) -> tuple[Hardness, int, int]:
    for name in ("algorithm", "cost", "memory"):
        if name in given:
            raise ConfigurationError(f"{field}.{name}", "belongs to version 2: version 1 is SHA-256, once")
    return Hardness("SHA-256", 1), V1_LEAST, V1_MOST


def _second(given: Mapping[str, Any], field: str) -> tuple[Hardness, int, int]:
    algorithm = given.get("algorithm", DEFAULT_ALGORITHM)
    if algorithm not in PROFILES:
        raise ConfigurationError(f"{field}.algorithm", f"must be one of {', '.join(PROFILES)}, not {algorithm!r}")
    usual = PROFILES[algorithm]
    return (
        checked(hardness_of(usual.usual, given.get("cost"), given.get("memory"), field), field),
        usual.least,
        usual.most,
    )


def _lifetime(given: Mapping[str, Any], field: str) -> float:
    lifetime = seconds(given.get("lifetime", DEFAULT_LIFETIME), f"{field}.lifetime")
    if not 1 <= lifetime <= LONGEST_LIFETIME:
        raise ConfigurationError(f"{field}.lifetime", f"must be from 1 s to a day, not {given['lifetime']!r}")
    return lifetime


def _bind(given: Mapping[str, Any], field: str) -> bool:
    bind = given.get("bind", False)
    if not isinstance(bind, bool):
        raise ConfigurationError(f"{field}.bind", f"must be True or False, not {bind!r}")
    return bind
