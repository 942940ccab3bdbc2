"""Requests that a rule of a policy file must match, and must not: ``examples = { match = [...], no_match = [...] }``.

A request is a table::

    { path = "/.env" }
    { method = "POST", path = "/login", form = { user = "a" }, user_agent = "curl/8.5.0", ip = "203.0.113.7" }

Beside ``method`` (GET), ``path`` (``/``), ``query``, ``host``, ``scheme``, ``ip`` and ``user_agent`` there are
``headers`` (text, or a list of it, by name), ``cookies``, ``given`` (characteristics), and one of ``body``, ``form``
and ``json``. What it does not say is not there.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

from doorward.context import RequestContext
from doorward.decision import Conclusion
from doorward.policy.errors import mistake
from doorward.printable import describe
from doorward.rules.access import AccessRule
from doorward.rules.base import View
from doorward.rules.honeypots import HoneypotRule
from doorward.rules.limits import Limit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorward.address_facts import Addresses
    from doorward.policy.building import Entry
    from doorward.policy.documents import Lines, Place
    from doorward.policy.errors import Mistake
    from doorward.rules.base import Rule

EXAMPLES = "examples"
"""The key of an entry that has them."""
SIDES = ("match", "no_match")
TEXTS = ("method", "path", "query", "host", "scheme", "ip", "user_agent", "body")
TABLES = ("headers", "cookies", "form", "given")
_ANY = ("json",)
USUAL_IP = "203.0.113.7"
"""Of RFC 5737, which nobody has."""


class Example(NamedTuple):
    """One request.

    Attributes:
        request: As it was written.
        matches: Whether the rule must match it.
        line: Where it stands.
        field: What to call it in an error.
    """

    request: Mapping[str, Any]
    matches: bool
    line: int
    field: str


def parse_examples(found: Any, place: Place, lines: Lines, mistakes: list[Mistake], named: str) -> tuple[Example, ...]:
    """The examples of one entry; what is wrong is added to ``mistakes``."""
    if not isinstance(found, dict) or not found or not all(side in SIDES for side in found):
        mistakes.append(mistake(lines[place], named, "must be a table with match and no_match, lists of requests"))
        return ()
    examples = []
    for side, requests in found.items():
        if not isinstance(requests, list):
            mistakes.append(mistake(lines[*place, side], f"{named}.{side}", "must be a list of requests"))
            continue
        for number, request in enumerate(requests):
            line, field = lines[*place, side, number], f"{named}.{side}[{number}]"
            problem = _wrong(request)
            if problem:
                mistakes.append(mistake(line, field, problem))
            else:
                examples.append(Example(request, side == "match", line, field))
    return tuple(examples)


def _wrong(request: Any) -> str:
    if not isinstance(request, dict):
        return 'must be a table such as { path = "/x" }'
    for key, value in request.items():
        if key not in (*TEXTS, *TABLES, *_ANY):
            return f"has the key {key!r}; a request has {', '.join((*TEXTS, *TABLES, *_ANY))}"
        if key in TEXTS and not isinstance(value, str):
            return f"has no text as {key}"
        if key in TABLES and not isinstance(value, dict):
            return f"has no table as {key}"
    if sum(key in request for key in ("body", "form", "json")) > 1:
        return "has more than one body: body, form or json"
    return ""


def unmet(entries: tuple[Entry, ...], addresses: Addresses) -> list[Mistake]:
    """Examples that come to something else than they say."""
    return [
        mistake(example.line, example.field, problem)
        for entry in entries
        for example in entry.examples
        if (problem := _problem(entry, example, addresses))
    ]


def _problem(entry: Entry, example: Example, addresses: Addresses) -> str:
    view = view_of(example.request, addresses)
    try:
        matches = any([rule_matches(rule, view) for rule in entry.rules])
    except Exception as error:  # of whatever the file's rules come to with it
        return f"cannot be tried: {describe(error)}"
    if matches == example.matches:
        return ""
    return "must match, and does not" if example.matches else "must not match, and does"


def rule_matches(rule: Rule, view: View) -> bool:
    """Whether a rule does something with a request.

    Raises:
        TypeError: It counts, or asks the network: no request alone says what it comes to.
    """
    if isinstance(rule, AccessRule):
        return rule.matches(view)
    if isinstance(rule, Limit):
        raise TypeError("a limit counts requests, and matches none")
    if isinstance(rule, HoneypotRule):
        return rule.is_trap(view.request)
    if rule.needs:
        raise TypeError(f"the application gives {rule.needs}, which no request holds")
    if not rule.applies_to(view.request):
        return False
    outcome = rule.evaluate(view)
    if isinstance(outcome, Generator):
        raise TypeError("the rule has to ask the network about it")
    return outcome.conclusion is not Conclusion.ALLOW


def view_of(request: Mapping[str, Any], addresses: Addresses) -> View:
    """A request as rules see it."""
    body, kind = _body(request)
    context = RequestContext(
        method=request.get("method", "GET"),
        scheme=request.get("scheme", "https"),
        host=request.get("host", "www.example"),
        path=request.get("path", "/"),
        query=request.get("query", ""),
        headers=[*_headers(request), *([("content-type", kind)] if kind else [])],
        peer=request.get("ip", USUAL_IP),
        body=body,
        raw_path=request.get("path", "/"),
    )
    return View(context, request.get("ip", USUAL_IP), {}, request.get("given", {}), addresses)


def _headers(request: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if "user_agent" in request:
        yield "user-agent", request["user_agent"]
    for name, value in request.get("headers", {}).items():
        yield from [(name.lower(), str(each)) for each in (value if isinstance(value, list) else [value])]
    if cookies := request.get("cookies"):
        yield "cookie", "; ".join(f"{name}={value}" for name, value in cookies.items())


def _body(request: Mapping[str, Any]) -> tuple[bytes, str]:
    if "form" in request:
        return urlencode(request["form"], doseq=True).encode(), "application/x-www-form-urlencoded"
    if "json" in request:
        return json.dumps(request["json"], default=str).encode(), "application/json"
    return str(request.get("body", "")).encode(), ""


__all__ = ["EXAMPLES", "SIDES", "TABLES", "TEXTS", "Example", "parse_examples", "rule_matches", "unmet", "view_of"]
