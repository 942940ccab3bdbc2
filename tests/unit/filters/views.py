"""Requests for filters to look at."""

from __future__ import annotations

from typing import Any

from doorward.address_facts import AddressFacts
from doorward.context import RequestContext
from doorward.filters import Filter, compile_filter
from doorward.rules.base import View

AGENT = "Mozilla/5.0 (X11; Linux x86_64) Chrome/138.0.0.0 Safari/537.36"


class Known:
    """Knows the same about every address."""

    def __init__(self, facts: AddressFacts) -> None:
        self.facts = facts

    def about(self, address: str) -> AddressFacts:
        return self.facts


def facts(*kinds: str, known: str = "", **place: str) -> AddressFacts:
    """Facts about an address of these kinds; ``known`` are the further kinds that it is not of."""
    return AddressFacts(frozenset([*kinds, *known.split()]), {kind: (f"a {kind} list",) for kind in kinds}, place)


def view(
    *,
    ip: str = "127.0.0.1",
    about: AddressFacts | None = None,
    given: dict[str, object] | None = None,
    **parts: Any,
) -> View:
    whole = {
        "host": "example.com:3000",
        "path": "/bot-protection/quick-start",
        "query": "q=alpha&empty=&sp=a+b%20c",
        "headers": [("User-Agent", AGENT), ("Cookie", "NEXT_LOCALE=en-US; theme=dark")],
        **parts,
    }
    return View(RequestContext(**whole), ip, {}, given or {}, Known(about or AddressFacts()))


def compiled(expression: str) -> Filter:
    return compile_filter(expression, "deny[0]")


def holds(expression: str, request: View | None = None, *, certain: bool = False) -> bool | None:
    return compiled(expression).holds(view() if request is None else request, certain=certain)
