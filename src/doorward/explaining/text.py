"""An explanation for people, at most a hundred columns of printable ASCII, and for programs."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from doorward.client_ip import Provenance
from doorward.decision import Conclusion, State
from doorward.explaining.addresses import FOUND
from doorward.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorward.explaining.explanation import Explanation, Step

WIDTH = 100
_LONGEST = 400
_INDENT = 6
_LABEL = 12


def in_full(explanation: Explanation) -> Iterator[str]:
    """Line by line."""
    yield from _head(explanation)
    for number, step in enumerate(explanation.steps, 1):
        yield ""
        yield from _step(number, step)
    if not explanation.steps:
        yield ""
        yield "There are no rules."
    yield ""
    yield from _decision(explanation)
    for note in explanation.notes:
        yield from _wrapped("note: ", note)


def _head(explanation: Explanation) -> Iterator[str]:
    request = explanation.request
    query = f"?{request.query}" if request.query else ""
    yield from _wrapped("", f"{request.method} {request.scheme}://{request.host}{request.path}{query}")
    address = explanation.decision.ip
    found = FOUND.get(Provenance(address.provenance), "")
    yield from _wrapped("client: ", f"{address.address or 'unknown'} ({found})")
    for line in explanation.address:
        yield from _wrapped("  - ", line)
    asked = "protect in a handler" if explanation.handler else "middleware, before the handler"
    yield f"asked by: {asked}"


def _step(number: int, step: Step) -> Iterator[str]:
    came = "not asked" if step.conclusion is None else _conclusion(step)
    yield from _wrapped(f"{number:3}.  ", f"{printable(step.name)}  [{step.kind}, {_mode(step)}]  {came}")
    yield from _labelled("why", step.why)
    for detail in step.details:
        yield from _labelled(detail.label, detail.value)
    if step.note:
        yield from _labelled("note", step.note)


def _mode(step: Step) -> str:
    return "dry run" if step.mode == "DRY_RUN" else "live"


def _conclusion(step: Step) -> str:
    remembered = " (remembered)" if step.state is State.CACHED else ""
    if step.state is State.DRY_RUN and step.conclusion in (Conclusion.DENY, Conclusion.CHALLENGE):
        return f"would have been {step.conclusion}"
    return f"{step.conclusion}{remembered}"


def _decision(explanation: Explanation) -> Iterator[str]:
    decision = explanation.decision
    for stretch in explanation.stretches if len(explanation.stretches) > 1 else ():
        which = f"{stretch.first}" if stretch.first == stretch.last else f"{stretch.first} to {stretch.last}"
        by = f", by {printable(stretch.by)}" if stretch.by else ""
        yield from _wrapped("", f"request {which}: {stretch.conclusion}{by}")
    by = f" by {printable(explanation.by)}" if explanation.by else ""
    yield from _wrapped("decision: ", f"{decision.conclusion}{by}: {decision.reason.explain()}")
    if explanation.dry_weight or explanation.thresholds:
        yield from _wrapped("  weights: ", _weights(explanation))
    if decision.dry_run:
        yield from _wrapped("  dry run: ", f"had all rules been live, {decision.dry_run} would have decided")
    if decision.is_allowed():
        yield "  status: the application's own"
    else:
        yield f"  status: {decision.status}"
    for name, value in explanation.answer.items():
        yield from _wrapped("  ", f"{name}: {value}")


def _weights(explanation: Explanation) -> str:
    all_ = f" ({explanation.dry_weight:g} with dry runs)" if explanation.dry_weight != explanation.weight else ""
    steps = ", ".join([f"{action} at {limit:g}" for limit, action in explanation.thresholds]) or "no thresholds"
    return f"{explanation.weight:g}{all_}; {steps}"


def _labelled(label: str, value: str) -> list[str]:
    return _wrapped(" " * _INDENT + f"{printable(label):<{_LABEL}}", value)


def _wrapped(head: str, text: str) -> list[str]:
    """Text behind a head, in lines of at most :data:`WIDTH` columns; nothing of a client's is printed as it came."""
    shown = printable(text, _LONGEST)
    indent = " " * min(len(head), _INDENT + _LABEL)
    return textwrap.wrap(
        shown, WIDTH, initial_indent=head, subsequent_indent=indent, break_on_hyphens=False, drop_whitespace=True
    ) or [head.rstrip()]


def as_json(explanation: Explanation) -> dict[str, object]:
    """The same as a document for ``json.dumps``."""
    decision, request = explanation.decision, explanation.request
    return {
        "request": {
            "method": request.method,
            "scheme": request.scheme,
            "host": request.host,
            "path": request.path,
            "query": request.query,
        },
        "client": {
            "address": decision.ip.address,
            "provenance": decision.ip.provenance,
            "steps": list(explanation.address),
        },
        "asked_by": "handler" if explanation.handler else "middleware",
        "rules": [_step_json(step) for step in explanation.steps],
        "weights": {
            "live": explanation.weight,
            "all": explanation.dry_weight,
            "thresholds": {action.value: limit for limit, action in explanation.thresholds},
        },
        "requests": [stretch._asdict() for stretch in explanation.stretches],
        "decision": {
            "conclusion": decision.conclusion.value,
            "allowed": decision.is_allowed(),
            "by": explanation.by or None,
            "reason": decision.reason.type or None,
            "why": decision.reason.explain(),
            "dry_run": decision.dry_run,
            "status": None if decision.is_allowed() else decision.status,
            "headers": dict(explanation.answer),
        },
        "notes": list(explanation.notes),
    }


def _step_json(step: Step) -> dict[str, object]:
    return {
        "name": step.name,
        "kind": step.kind,
        "mode": step.mode,
        "state": step.state.value,
        "conclusion": step.conclusion.value if step.conclusion else None,
        "why": step.why,
        "note": step.note,
        "details": [list(detail) for detail in step.details],
    }


__all__ = ["as_json", "in_full"]
