"""A decision as ``doorward tail`` shows it. All of it may be hostile: nothing is shown as it came."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from doorward.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_COLOURS = {"ALLOW": "32", "DENY": "31", "CHALLENGE": "33", "ERROR": "35"}
_LONGEST_PATH = 80
_LONGEST_WHY = 120
_LONGEST_FACTS = 300
_PREFIXES = ("CONCLUSION_", "RULE_STATE_")


def as_json(decision: Mapping[str, Any]) -> str:
    """One line of JSON, in printable ASCII."""
    return json.dumps(decision, separators=(",", ":")).replace("\x7f", "\\u007f")


def line(decision: Mapping[str, Any], *, coloured: bool) -> str:
    """Time, conclusion, rule, why, method and path, address, dry run."""
    conclusion = _text(decision, "conclusion", 16)
    parts = [_text(decision, "at", 30)[11:19], _painted(conclusion.ljust(9), conclusion, coloured=coloured)]
    parts.append(_text(decision, "ip", 45).ljust(15))
    parts.append(f"{_text(decision, 'method', 10)} {_text(decision, 'path', _LONGEST_PATH)}")
    if conclusion != "ALLOW" or decision.get("rule"):
        deciding = filter(None, [_text(decision, "rule", 40), _text(decision, "why", _LONGEST_WHY)])
        parts.append(": ".join(deciding))
    if decision.get("dryRun"):
        parts.append(_painted(f"[dry run: {_text(decision, 'dryRun', 40)}]", "CHALLENGE", coloured=coloured))
    return "  ".join(parts)


def in_full(decision: Mapping[str, Any], *, coloured: bool) -> Iterator[str]:
    """Everything that is known of a decision: each rule, why, what it cost, and the address."""
    conclusion = _text(decision, "conclusion", 16)
    yield f"{_text(decision, 'id', 64)}  {_text(decision, 'at', 30)}  of {_text(decision, 'site', 64)}"
    rule = f" by {_text(decision, 'rule', 100)}" if decision.get("rule") else ""
    yield f"  {_painted(conclusion, conclusion, coloured=coloured)} {_text(decision, 'reason', 32)}{rule}".rstrip()
    yield f"  why      {_text(decision, 'why', 500)}"
    if decision.get("dryRun"):
        yield f"  dry run  {_text(decision, 'dryRun', 100)} would have decided"
    yield f"  request  {_text(decision, 'method', 20)} {_text(decision, 'host', 255)}{_text(decision, 'path', 512)}"
    yield f"  visitor  {' '.join(filter(None, [_text(decision, 'ip', 64), _text(decision, 'country', 8)]))}"
    yield f"  agent    {_text(decision, 'agent', 300)}"
    maker = "decided by the application, and reported" if decision.get("reported") else "decided by the service"
    yield f"  made     {maker}, in {_text(decision, 'tookUs', 20)} us"
    yield f"  client   {_text(decision, 'client', 100)}"
    yield from _rules(decision.get("results"), coloured=coloured)
    yield from _address(decision.get("ipDetails"))


def _rules(results: object, *, coloured: bool) -> Iterator[str]:
    yield "  rules"
    for result in results if isinstance(results, list) else []:
        if isinstance(result, dict):
            yield from _rule(result, coloured=coloured)


def _rule(result: Mapping[str, Any], *, coloured: bool) -> Iterator[str]:
    state, conclusion = (_member(result, name) for name in ("state", "conclusion"))
    shown = _painted(conclusion.ljust(9), conclusion, coloured=coloured and state != "NOT_RUN")
    took = f"  {_text(result, 'tookUs', 20)} us" if "tookUs" in result else ""
    name = _text(result, "rule", 100) or _text(result, "ruleId", 64)
    yield f"    {shown} {state.ljust(8)} {name}{took}"
    for field in ("reason", "note", "fingerprint", "ttl"):
        if result.get(field):
            yield f"      {field.ljust(11)} {_facts(result[field])}"


def _address(details: object) -> Iterator[str]:
    if isinstance(details, dict) and details:
        yield "  address"
        for name, value in list(details.items())[:100]:
            yield f"    {printable(str(name), 40)}: {_facts(value)}"


def _facts(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return printable(text, _LONGEST_FACTS)


def _member(result: Mapping[str, Any], name: str) -> str:
    """A member of an enumeration without the prefix that it has on the wire."""
    text = _text(result, name, 40)
    for prefix in _PREFIXES:
        text = text.removeprefix(prefix)
    return text


def _text(decision: Mapping[str, Any], name: str, longest: int) -> str:
    value = decision.get(name, "")
    return printable(value if isinstance(value, str) else json.dumps(value)[: longest + 1], longest)


def _painted(text: str, conclusion: str, *, coloured: bool) -> str:
    colour = _COLOURS.get(conclusion)
    return f"\x1b[{colour}m{text}\x1b[0m" if coloured and colour else text


__all__ = ["as_json", "in_full", "line"]
