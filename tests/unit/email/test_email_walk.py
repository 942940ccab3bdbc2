"""E-mail rules in a walk: what becomes of the decision, also when the DNS is silent."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.email.doubles import NO_SUCH_NAME, NOTHING, SILENCE, records, rule
from tests.unit.walking import Walking, result

from doorward import Conclusion, Decision
from doorward.effects import Failed, ResolveDns


class Resolving(Walking):
    """A client whose DNS answers every MX question alike, and knows no addresses."""

    def __init__(self, answer: Any, **arguments: Any) -> None:
        super().__init__(rule(**{"deny": ["DISPOSABLE", "NO_MX_RECORDS"], "asking": True, "name": "mail", **arguments}))
        self._mail = answer
        self.names: list[str] = []

    def _attempt(self, effect: Any) -> Any:
        answer = self._answer(effect)
        return Failed(answer) if isinstance(answer, Exception) else answer

    def _answer(self, effect: Any) -> Any:
        if not isinstance(effect, ResolveDns):
            return super()._answer(effect)
        self.names.append(effect.name)
        return self._mail if effect.kind == "MX" else NOTHING

    def finish(self, flow: Any) -> Decision:
        try:
            effect = next(flow)
            while True:
                answer = self._answer(effect)
                effect = flow.throw(answer) if isinstance(answer, Exception) else flow.send(answer)
        except StopIteration as stop:
            return stop.value


@pytest.mark.parametrize(
    ("answer", "conclusion"),
    [(records("mx"), Conclusion.ALLOW), (NO_SUCH_NAME, Conclusion.DENY), (NOTHING, Conclusion.DENY)],
)
def test_the_answer_decides(answer, conclusion) -> None:
    """A domain with mail passes, one without is refused, with status 400."""
    decision = Resolving(answer).walk(email="ann@company.example")
    assert decision.conclusion is conclusion
    assert decision.is_allowed() or (decision.status, decision.reason.email_types) == (400, ("NO_MX_RECORDS",))


@pytest.mark.parametrize(("on_error", "denied"), [("allow", False), ("deny", True)])
def test_silence_is_an_error_of_this_rule(on_error, denied) -> None:
    """``on_error`` says what follows; nobody is told that a domain has no mail."""
    decision = Resolving(SILENCE, on_error=on_error).walk(email="ann@company.example")
    assert decision.is_denied() is denied
    assert result(decision, "mail").reason.is_error()
    assert "no server has answered" in result(decision, "mail").reason.message


@pytest.mark.parametrize("email", ["ann@throwaway.example", "nobody", "ann@", " ann@company.example"])
def test_nothing_is_asked_about_what_is_refused_anyway(email) -> None:
    """The walk ends before the look-ups."""
    client = Resolving(records("mx"))
    assert client.walk(email=email).is_denied()
    assert client.names == []


def test_a_dry_run_asks_and_refuses_nobody() -> None:
    """It says what it would have done."""
    client = Resolving(NO_SUCH_NAME, mode="DRY_RUN")
    decision = client.walk(email="ann@company.example")
    assert decision.is_allowed()
    assert result(decision, "mail").conclusion is Conclusion.DENY
    assert client.names == ["company.example"]
