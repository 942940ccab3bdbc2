"""What changed between two policies: rules added, removed, and changed field by field."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from doorward.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from doorward.policy.described import Described, Side

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>()#+!|~&@-])")
_LONGEST_VALUE = 120
_MOST_LISTED = 8


@dataclass(frozen=True, slots=True)
class Change:
    """One field that differs.

    Attributes:
        field: The argument.
        old: What it was.
        new: What it is.
    """

    field: str
    old: Any
    new: Any

    def words(self) -> str:
        """In one line; what comes and goes, of lists."""
        if self.field == "mode":
            return f"{self.old} -> {self.new}"
        if isinstance(self.old, list) and isinstance(self.new, list) and (self.old and self.new):
            gone = [f"-{_short(each)}" for each in self.old if each not in self.new]
            come = [f"+{_short(each)}" for each in self.new if each not in self.old]
            if gone or come:
                return f"{self.field}: {_listed([*gone, *come])}"
        return f"{self.field}: {_short(self.old)} -> {_short(self.new)}"


@dataclass(frozen=True, slots=True)
class Changed:
    """One rule that is in both, and differs.

    Attributes:
        rule: As it is now.
        changes: Field by field; the mode first.
    """

    rule: Described
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Diff:
    """What changed.

    Attributes:
        options: Options of the client that differ.
        added: Rules that are new.
        removed: Rules that are gone.
        changed: Rules that differ.
        reordered: Whether rules that are in both stand in another order.
    """

    options: tuple[Change, ...]
    added: tuple[Described, ...]
    removed: tuple[Described, ...]
    changed: tuple[Changed, ...]
    reordered: bool

    def __bool__(self) -> bool:
        return bool(self.options or self.added or self.removed or self.changed or self.reordered)

    def lines(self) -> list[str]:
        """One line for each change, fit for a log."""
        found = [
            f"option {change.words() if change.field != 'mode' else f'mode: {change.words()}'}"
            for change in self.options
        ]
        found += [f"- {in_words(rule)}" for rule in self.removed]
        found += [f"+ {in_words(rule)}" for rule in self.added]
        for each in self.changed:
            found += [f"~ {_short(each.rule.name)}: {change.words()}" for change in each.changes]
        found += ["~ rules stand in another order"] if self.reordered else []
        return found

    def to_dict(self) -> dict[str, Any]:
        """For programs."""
        return {
            "equal": not self,
            "options": _by_field(self.options),
            "added": [_as_dict(rule) for rule in self.added],
            "removed": [_as_dict(rule) for rule in self.removed],
            "changed": [
                {"name": each.rule.name, "rule": each.rule.builder, "fields": _by_field(each.changes)}
                for each in self.changed
            ],
            "reordered": self.reordered,
        }

    def markdown(self) -> str:
        """A table for a pull request; nothing of what the files hold is Markdown or HTML in it."""
        if not self:
            return "No rule changes.\n"
        rows = [("option", change.field, _short(change.old), _short(change.new)) for change in self.options]
        rows += [("removed", in_words(rule), "", "") for rule in self.removed]
        rows += [("added", in_words(rule), "", "") for rule in self.added]
        for each in self.changed:
            rows += [("changed", f"{each.rule.name}: {c.field}", _short(c.old), _short(c.new)) for c in each.changes]
        rows += [("order", "rules stand in another order", "", "")] if self.reordered else []
        body = "".join(f"| {' | '.join(_escaped(cell) for cell in row)} |\n" for row in rows)
        return f"| | rule | old | new |\n|---|---|---|---|\n{body}"


def compared(old: Side, new: Side) -> Diff:
    """What changed between two policies."""
    pairs = _paired(old.rules, new.rules)
    positions = [pairs[place] for place in sorted(pairs)]
    kept = set(positions)
    return Diff(
        options=tuple(_differences(old.options, new.options)),
        added=tuple(rule for place, rule in enumerate(new.rules) if place not in kept),
        removed=tuple(rule for place, rule in enumerate(old.rules) if place not in pairs),
        changed=tuple(_changed(old, new, pairs)),
        reordered=positions != sorted(positions),
    )


def _changed(old: Side, new: Side, pairs: Mapping[int, int]) -> Iterator[Changed]:
    for before, after in sorted(pairs.items(), key=lambda pair: pair[1]):
        one, other = old.rules[before], new.rules[after]
        changes = tuple(_differences({"name": one.name, **one.fields}, {"name": other.name, **other.fields}))
        if changes:
            yield Changed(other, tuple(sorted(changes, key=lambda change: change.field != "mode")))


def _differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for field in dict.fromkeys([*old, *new]):
        if old.get(field) != new.get(field):
            yield Change(field, old.get(field), new.get(field))


def _paired(old: Sequence[Described], new: Sequence[Described]) -> dict[int, int]:
    """Which rule is which: by place in both. The equal ones, those of one name, and then the most alike of a kind."""
    pairs: dict[int, int] = {}
    free = dict(enumerate(new))
    for likeness in (_equal, _same_name, _alike):
        for place, rule in enumerate(old):
            if place in pairs:
                continue
            best = max(free, key=lambda other: likeness(rule, free[other]), default=None)
            if best is not None and likeness(rule, free[best]) > 0:
                pairs[place] = best
                del free[best]
    return pairs


def _equal(one: Described, other: Described) -> float:
    return float(one == other)


def _same_name(one: Described, other: Described) -> float:
    return float(one.called and other.called and one.name == other.name)


def _alike(one: Described, other: Described) -> float:
    """The share of fields that are equal; none where it is another kind of rule, or both have names of their own."""
    if one.builder != other.builder or (one.called and other.called):
        return 0.0
    return 0.01 + sum(other.fields.get(field) == value for field, value in one.fields.items()) / len(one.fields)


# --- words


def in_words(rule: Described) -> str:
    """A rule in a line: what it is called, what made it, and what is said of it beside the usual."""
    mode = rule.fields.get("mode")
    said = [f"{field} {_short(value)}" for field, value in rule.fields.items() if _is_telling(field, value)]
    name = f"{_short(rule.name)}: " if rule.called else ""
    return f"{name}{rule.builder}({_listed(said)}) {mode}"


def _is_telling(field: str, value: object) -> bool:
    usual = field in ("mode", "on_error", "characteristics", "gravatar", "threshold", "window", "disposable", "scope")
    return not usual and value not in (None, "", [], False, True, 0.0)


def _short(value: object) -> str:
    if isinstance(value, list):
        return _listed([_short(each) for each in value]) if value else "none"
    return "none" if value is None or value == "" else printable(str(value), _LONGEST_VALUE)


def _listed(items: Sequence[str]) -> str:
    more = len(items) - _MOST_LISTED
    return ", ".join([*items[:_MOST_LISTED], f"and {more} more"] if more > 0 else items)


def _by_field(changes: Sequence[Change]) -> dict[str, Any]:
    return {change.field: {"old": change.old, "new": change.new} for change in changes}


def _as_dict(rule: Described) -> dict[str, Any]:
    return {"name": rule.name, "rule": rule.builder, "fields": dict(rule.fields)}


def _escaped(text: str) -> str:
    return (
        _MARKDOWN.sub(r"\\\1", printable(text, 400).replace("\\\\", "\\")).replace("\\<", "&lt;").replace("\\>", "&gt;")
    )


__all__ = ["Change", "Changed", "Diff", "compared", "in_words"]
