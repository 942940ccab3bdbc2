"""Policies that come with doorward: readable TOML files, each rule with requests that it must and must not match.

>>> from doorward import Doorward
>>> aj = Doorward(policy="preset:default")                       # as a policy file
>>> mine = preset("default", protection="all")                    # as rules and options, for code
>>> aj = Doorward([*mine.rules], **mine.options)

In a policy file, ``include = ["preset:scanners", "preset:dotfile-probes"]`` puts theirs before its own rules.
"""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from doorward.errors import ConfigurationError

if TYPE_CHECKING:
    from doorward.policy import Policy

FOLDER = Path(__file__).parent
PREFIX = "preset:"
Protection = Literal["auto", "all", "off"]
PROTECTIONS: tuple[Protection, ...] = ("auto", "all", "off")
EVERYONE = "everyone"
"""The preset that ``"all"`` adds."""


def names() -> tuple[str, ...]:
    """The names of all presets."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def preset(name: str, *, protection: Protection = "auto") -> Policy:
    """A preset: its ``rules`` and ``options``.

    Args:
        name: One of :func:`names`, such as ``"default"``.
        protection: ``"auto"``: its rules decide. ``"all"``: whoever no rule allows or denies is challenged. ``"off"``:
            no rules for the whole application; a route that is to have them says so, by
            ``aj.guard(*preset("default").rules)``.

    Raises:
        ConfigurationError: There is no such preset, or no such protection.
    """
    if protection not in PROTECTIONS:
        raise ConfigurationError("protection", f"must be one of {', '.join(PROTECTIONS)}, not {protection!r}")
    return replace(_loaded(_known(name, "preset")), protection=protection)


@cache
def _loaded(name: str) -> Policy:
    from doorward.policy.loading import load  # brings pydantic

    return load(PREFIX + name)


def included(text: str) -> Policy:
    """The preset that ``include`` names; loaded once, since its file never changes.

    Raises:
        ConfigurationError: There is none.
    """
    return _loaded(_known(text.removeprefix(PREFIX), "include"))


def file_of(path: Any) -> Path:
    """The file that ``"preset:default"`` stands for; of any other path, itself.

    Raises:
        ConfigurationError: There is no such preset.
    """
    text = str(path)
    return FOLDER / f"{_known(text.removeprefix(PREFIX), 'policy')}.toml" if text.startswith(PREFIX) else Path(path)


def _known(name: object, field: str) -> str:
    known = names()
    if name not in known:
        near = get_close_matches(str(name)[:60], known, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ConfigurationError(field, f"{name!r} is no preset: those are {', '.join(known)}{hint}")
    return str(name)


__all__ = ["EVERYONE", "FOLDER", "PREFIX", "PROTECTIONS", "Protection", "file_of", "included", "names", "preset"]
