"""E-mail rules with data of the test's own, and look-ups that are answered by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from doorward import RequestContext
from doorward.effects import AskWeb, DnsAnswer, Failed, Gather, ResolveDns
from doorward.email_syntax import parse
from doorward.errors import ResolverError
from doorward.rules.base import Outcome, View
from doorward.rules.email import EmailRule, EmailRuleWithLookups, EmailType

LISTED = {
    "throwaway.example": "disposable",
    "free.example": "free",
    "alias.example": "relay",
    "gmail.com": "free",
}
NO_SUCH_NAME = DnsAnswer(exists=False)
NOTHING = DnsAnswer(exists=True)


class Listed:
    """What a handful of domains are."""

    def kinds_of(self, domain: str) -> frozenset[str]:
        return frozenset({LISTED[domain]}) if domain in LISTED else frozenset()

    def resembling(self, domain: str) -> str:
        return "gmail.com" if domain in ("gmial.com", "gmailcom", "gmail,com") else ""


def rule(**arguments: Any) -> EmailRule:
    """A rule; its types as text."""
    for name in {"deny", "allow"} & set(arguments):
        arguments[name] = frozenset(EmailType[item] for item in arguments[name])
    made = EmailRule if not arguments.pop("asking", False) else EmailRuleWithLookups
    return made(**{"parse": parse, "domains": Listed(), **arguments})


def view(email: object) -> View:
    return View(RequestContext(), "", {"email": email}, {})


def found(of: EmailRule, email: object) -> Outcome:
    """The outcome of a rule that asks for nothing."""
    outcome = of.evaluate(view(email))
    assert isinstance(outcome, Outcome), "it asks for something"
    return outcome


def types(outcome: Outcome) -> list[str]:
    return [str(item) for item in outcome.reason.email_types]


class Network:
    """Answers what a rule asks for: by ``(name, kind)``, by URL, or with a function of it. ``asked`` is what was."""

    def __init__(self, answers: Mapping[Any, Any] | Callable[[Any], Any]) -> None:
        self._answers = answers if callable(answers) else lambda key: answers[key]
        self.asked: list[Any] = []

    def outcome(self, of: EmailRule, email: object) -> Outcome:
        steps = of.evaluate(view(email))
        if isinstance(steps, Outcome):
            return steps
        try:
            effect = next(steps)
            while True:
                answer = self._answer(effect)
                effect = steps.throw(answer.error) if isinstance(answer, Failed) else steps.send(answer)
        except StopIteration as stop:
            return stop.value

    def _answer(self, effect: Any) -> Any:
        if isinstance(effect, Gather):
            return [self._answer(each) for each in effect.effects]
        assert isinstance(effect, ResolveDns | AskWeb)
        key = (effect.name, str(effect.kind)) if isinstance(effect, ResolveDns) else effect.url
        self.asked.append(key)
        answer = self._answers(key)
        return Failed(answer) if isinstance(answer, Exception) else answer


SILENCE = ResolverError("no server has answered")


def records(*names: str) -> DnsAnswer:
    return DnsAnswer(exists=True, records=names)
