"""What a client decides by itself is told to its service, as messages that the service reads."""

from __future__ import annotations

import json

from doorward import Doorward, filter_request
from doorward.context import RequestContext
from doorward.service.client.transport import Call, Reply
from doorward.service.messages import ReportRequest


class Recording:
    def __init__(self) -> None:
        self.calls: list[Call] = []

    def send(self, call: Call) -> Reply:
        self.calls.append(call)
        return Reply(200, "application/json", b"{}")

    async def asend(self, call: Call) -> Reply:
        return self.send(call)


def test_a_refusal_of_ones_own_arrives() -> None:
    """A rule here refuses: the service is not asked, but told who was refused and by which rule."""
    transport = Recording()
    rules = [filter_request(deny=['http.request.uri.path eq "/admin"'], name="no admin")]
    with Doorward(rules, service="https://decide.example", key="k", transport=transport, proxies=()) as client:
        decision = client.protect(RequestContext(path="/admin", peer="203.0.113.9"))
        assert decision.is_denied()
        assert client.runtime.service is not None
        assert client.runtime.service.flush(30)
        figures = client.runtime.service.figures()
    assert (figures["reported"], figures["dropped"]) == (1, 0)
    (call,) = [call for call in transport.calls if call.path.endswith("/Report")]
    report = ReportRequest.model_validate(json.loads(call.body))
    assert report.details.ip == "203.0.113.9"
    assert report.decision is not None
    assert [result.rule for result in report.decision.rule_results] == ["no admin"]
