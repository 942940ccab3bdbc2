"""Makes rules and options of a policy file, and finds everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from doorward.errors import ConfigurationError
from doorward.policy.building import Entry, build_options, build_rules
from doorward.policy.challenging import CHALLENGES
from doorward.policy.documents import read
from doorward.policy.errors import PolicyError, mistake
from doorward.presets import EVERYONE, PREFIX, PROTECTIONS, file_of, included

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doorward.client import Doorward
    from doorward.policy.documents import Document, Lines, Signature
    from doorward.policy.errors import Mistake
    from doorward.presets import Protection
    from doorward.rules.base import Rule
    from doorward.settings import Options

_KEYS = ("rules", "options", "include", "protection")


@dataclass(frozen=True, slots=True)
class Policy:
    """What a policy file says.

    Attributes:
        path: The file, as it was named.
        entries: What stands in it, one for each ``[[rules]]``, in order.
        options: Arguments for :class:`doorward.Doorward`.
        digest: The first 12 digits of the SHA-256 of the file.
        signature: Tells whether the file has changed since.
        option_lines: Where each option stands.
        protection: ``"auto"``: its rules decide. ``"all"``: whoever none of them allows or denies is challenged.
            ``"off"``: none is asked about the application as a whole.
    """

    path: Path
    entries: tuple[Entry, ...]
    options: dict[str, object]
    digest: str
    signature: Signature = field(repr=False)
    option_lines: dict[str, int] = field(default_factory=dict, repr=False)
    protection: Protection = "auto"

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All rules in force, in order. One entry may be several: ``protect_signup``, ``rate_limit`` with ``;``."""
        return tuple(rule for entry in self._in_force() for rule in entry.rules)

    def _in_force(self) -> tuple[Entry, ...]:
        """The entries that ``protection`` leaves, and what it adds."""
        if self.protection == "off":
            return ()
        known = {id(entry.rules) for entry in self.entries}
        others = included(PREFIX + EVERYONE).entries if self.protection == "all" else ()
        last = [replace(each, file=PREFIX + EVERYONE) for each in others if id(each.rules) not in known]
        return (*self.entries, *last)

    def place(self, rule: Rule) -> str:
        """Where a rule stands, as ``policy.toml:12``; empty for one that is not of this file."""
        for entry in self._in_force():
            if any(rule is each for each in entry.rules):
                return f"{entry.file or self.path}:{entry.line}"
        return ""

    def client(self, **more: Any) -> Doorward:
        """A client with these rules and options, that does not follow the file.

        Args:
            **more: Options of the client; they take the place of the file's.

        Raises:
            ConfigurationError: One is wrong.
        """
        from doorward.client import Doorward
        from doorward.runtime import Runtime
        from doorward.settings import parse

        options: Any = merged_options(self.options, more)[0]
        if "challenges" in more or "kinds" in (options.get("challenges") or ()):
            return Doorward(self.rules, **options)
        # The kinds of challenges may be said in code: what they show is not known here.
        return Doorward.of(Runtime(self.rules, parse(cast("Options", options), "Doorward")))


def load(path: str | Path) -> Policy:
    """Read a policy file.

    Args:
        path: A ``.toml`` file, or a ``.yaml`` or ``.yml`` file (extra ``yaml``); or ``"preset:NAME"``, of
            :mod:`doorward.presets`.

    Raises:
        PolicyError: It cannot be used; the error lists every mistake with its line.
        ConfigurationError: ``path`` is no path, or what reads YAML is not installed.
    """
    given: object = path
    if not isinstance(given, str | Path) or not str(path) or "\0" in str(path):
        raise ConfigurationError("policy", f"must be the path of a TOML or YAML file, not {path!r}")
    return made(read(file_of(path), str(path)), Path(path))


def made(document: Document, path: Path, known: Sequence[Entry] = ()) -> Policy:
    """The policy that a document is.

    Args:
        document: What the file holds.
        path: The file.
        known: Entries whose rules are taken again where they are the same.

    Raises:
        PolicyError: It is none.
    """
    data, lines = document.data, document.lines
    mistakes = [
        mistake(lines[key,], key, f"is no part of a policy: those are {', '.join(_KEYS)}")
        for key in data
        if key not in _KEYS
    ]
    if not data:
        mistakes.append(mistake(0, "", "is empty: write `rules = []` (YAML: `rules: []`) if that is what is meant"))
    protection = _protection(data.get("protection", "auto"), lines, mistakes)
    others = _included(data.get("include", []), lines, mistakes)
    entries = build_rules(data.get("rules", []), lines, mistakes, known)
    options = build_options(data.get("options", {}), lines, mistakes, document.folder)
    if mistakes:
        raise PolicyError(str(path), mistakes)
    theirs = {name: value for other in others for name, value in other.options.items() if name not in options}
    where = {**dict.fromkeys(theirs, lines["include",]), **_option_lines(options, lines)}
    rules = (*_once(others), *entries)
    return Policy(path, rules, {**theirs, **options}, document.digest, document.signature, where, protection)


def merged_options(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> tuple[Options, list[str]]:
    """Options from two places, those of ``theirs`` where both say one; the names of those.

    What is said about challenges counts one by one: secrets and objects stand in code, and the rest may in a file.
    """
    said = {name: value for name, value in ours.items() if value is not None}
    both = sorted((said.keys() & theirs.keys()) - {CHALLENGES})
    merged: Any = {**ours, **theirs}
    one, other = said.get(CHALLENGES), theirs.get(CHALLENGES)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        both += sorted(f"{CHALLENGES}.{name}" for name in one.keys() & other.keys())
        merged[CHALLENGES] = {**one, **other}
    elif one is not None and other is not None:
        both.append(CHALLENGES)
    return merged, both


def _option_lines(options: Mapping[str, Any], lines: Lines) -> dict[str, int]:
    """Where each option stands, and each of those about challenges."""
    inner = options.get(CHALLENGES, ())
    return {
        **{name: lines["options", name] for name in options},
        **{f"{CHALLENGES}.{name}": lines["options", CHALLENGES, name] for name in inner},
    }


def _protection(found: object, lines: Lines, mistakes: list[Mistake]) -> Protection:
    for known in PROTECTIONS:
        if found == known:
            return known
    problem = f"must be one of {', '.join(PROTECTIONS)}, not {found!r}"
    mistakes.append(mistake(lines["protection",], "protection", problem))
    return "auto"


def _included(found: object, lines: Lines, mistakes: list[Mistake]) -> list[Policy]:
    """The policies that a file includes; what is wrong is added to ``mistakes``."""
    if not isinstance(found, list):
        mistakes.append(mistake(lines["include",], "include", 'must be a list such as ["preset:scanners"]'))
        return []
    others = []
    for number, text in enumerate(found):
        line, field = lines["include", number], f"include[{number}]"
        if not isinstance(text, str) or not text.startswith(PREFIX):
            mistakes.append(mistake(line, field, f'must be text such as "{PREFIX}scanners", not {text!r}'))
            continue
        try:
            others.append(included(text))
        except ConfigurationError as error:
            mistakes.append(mistake(line, field, error.problem))
    return others


def _once(others: Sequence[Policy]) -> list[Entry]:
    """What they hold, where two may include the same."""
    found = [replace(each, file=each.file or str(other.path)) for other in others for each in other.entries]
    return list({(each.file, each.line): each for each in found}.values())


__all__ = ["Entry", "Policy", "load", "made"]
