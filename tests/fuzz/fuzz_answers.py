"""Whatever Accept says and rules found, a refusal has valid headers and a well-formed body that gives nothing away.

An input has a limit's name, its numbers, a decision's id and a rule's finding in its first lines, then lines of Accept.
"""

from __future__ import annotations

import json
import re
from functools import cache
from html.parser import HTMLParser
from typing import Any, ClassVar, NamedTuple

from tests.fuzz.harness import fuzz, instrumented, text_of

with instrumented(__name__):
    from doorward import (
        ConfigurationError,
        Decision,
        Doorward,
        RequestContext,
        RuleReason,
        fixed_window,
        limit_headers,
        rate_limit,
        token_bucket,
    )
    from doorward.answers import HTML, PROBLEM, TEXT, Answer, negotiated, refusal
    from doorward.decision import Conclusion
    from doorward.rules.base import Outcome, Phase, Rule, View
    from doorward.stores.memory import MemoryStore
    from doorward.testing import FakeClock

TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110 section 5.6.2
VALUE = re.compile(r"[!-~](?:[\t -~]*[!-~])?")  # RFC 9110 section 5.5, without what it calls obsolete
NUMBER = r"(?:0|[1-9][0-9]{0,14})"  # RFC 9651 section 3.3.1: at most 15 digits
ITEM = rf'"[ !#-\[\]-~]*";[qr]={NUMBER};[wt]={NUMBER}'  # a string (section 3.3.3) with two parameters
STRUCTURED = re.compile(f"{ITEM}(?:, {ITEM})*")
VOID = ("meta",)
ELEMENTS = ["html", "head", "meta", "meta", "meta", "title", "style", "body", "div", "main", "h1", "p", "footer", "p",
            "code"]  # fmt: skip
MOST = 10**15 - 1  # units that may be requested
SECRET = "finding-7f3a"


class Given(NamedTuple):
    name: str
    numbers: str
    decision_id: str
    finding: str
    accept: list[str]


class Refusing(Rule):
    """Refuses, and says what it was handed."""

    kind: ClassVar[str] = "REFUSING"
    phase: ClassVar[Phase] = Phase.LOCAL

    def evaluate(self, view: View) -> Outcome:
        return Outcome(Conclusion.DENY, RuleReason("refusing", view.request.query))


class Page(HTMLParser):
    """Checks that elements are closed in order, and collects them and the text."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.text: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.elements.append(tag)
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data!r}")

    def close(self) -> None:
        super().close()
        assert not self._open


@cache
def store() -> MemoryStore:
    """One for all inputs, emptied for each: a store is dear to build, and leaves a hook behind."""
    return MemoryStore(max_keys=100, max_refusals=100, max_values=100, clock=FakeClock())


@cache
def refusing() -> Doorward:
    return Doorward([Refusing(name="refusing")], clock=FakeClock())


def parsed(data: bytes) -> Given:
    lines = text_of(data).split("\n")
    name, numbers, decision_id, finding, *accept = [*lines, "", "", "", ""] if len(lines) < 4 else lines
    return Given(name, numbers, decision_id, finding, accept)


def check_headers(lines: list[tuple[str, str]]) -> None:
    names = [name.lower() for name, _ in lines]
    assert len(set(names)) == len(names)
    for name, value in lines:
        assert TOKEN.fullmatch(name), name
        assert VALUE.fullmatch(value), (name, value)
        if name in ("RateLimit", "RateLimit-Policy"):
            assert STRUCTURED.fullmatch(value), value
        elif name == "Retry-After" or name.startswith(("RateLimit-", "X-RateLimit-")):
            assert re.fullmatch(NUMBER, value), (name, value)


def check_page(body: str, decision: Decision) -> None:
    page = Page()
    page.feed(body)
    page.close()
    assert page.elements == ELEMENTS
    assert f"Reference: {decision.id}" in "".join(page.text)


def check_problem(body: str, decision: Decision) -> None:
    problem = json.loads(body)
    assert (problem["status"], problem["id"]) == (decision.status, decision.id)


def check_answer(answer: Answer, request: RequestContext, decision: Decision) -> None:
    kind = dict(answer.headers)["Content-Type"]
    assert kind == negotiated(request.headers.values("accept"))
    check_headers(list(answer.headers))
    body = answer.body.decode()
    assert SECRET not in body
    match kind:
        case _ if kind == HTML:
            check_page(body, decision)
        case _ if kind == PROBLEM:
            check_problem(body, decision)
        case _:
            assert kind == TEXT


def renamed(decision: Decision, decision_id: str) -> Decision:
    """The decision under an id as a stranger might have made it up; a page must not trust even that."""
    # Newlines are one in HTML, and a parser drops NUL; a lone surrogate is no text.
    decision._id = "".join(c for c in decision_id if c.isprintable()) or decision.id
    return decision


def limited(given: Given) -> list[Any]:
    """Limits with this name and these numbers, as far as they can be configured."""
    try:
        maximum = int(given.numbers)
    except ValueError:
        maximum = 1
    rules: list[Any] = []
    for build in (
        lambda: [fixed_window(max=maximum, window="1h", name=given.name)],
        lambda: [token_bucket(capacity=maximum, refill_rate=1, interval=1, name=given.name)],
        lambda: rate_limit(given.numbers, name=given.name),
    ):
        try:
            rules += build()
        except ConfigurationError:
            continue
    return rules


def check_limits(given: Given) -> None:
    rules = limited(given)
    store().reset("")
    aj = Doorward(rules, clock=FakeClock(), store=store()) if rules else refusing()
    request = RequestContext(peer="203.0.113.9", headers=[("Accept", line) for line in given.accept])
    for requested in (1, MOST):
        decision = aj.protect(request, requested=requested)
        assert not decision.is_errored(), decision.explain()
        for style in ("draft-10", "draft-6", "x"):
            write = limit_headers.parse_style(style)
            assert write is not None
            check_headers(write(decision))
        if decision.is_denied():
            check_answer(refusal(request, decision), request, decision)


def check_refusal(given: Given) -> None:
    headers = [("Accept", line) for line in given.accept]
    request = RequestContext(query=f"{SECRET} {given.finding}", peer="203.0.113.9", headers=headers)
    decision = renamed(refusing().protect(request), given.decision_id)
    check_answer(refusal(request, decision), request, decision)


def target(data: bytes) -> None:
    given = parsed(data)
    check_refusal(given)
    check_limits(given)


if __name__ == "__main__":
    fuzz(target, "answers")
