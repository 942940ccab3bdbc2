"""Whatever the service answers, a client decides: an answer or a ServiceError, and a decision that can be shown.

An input is a status, a content type and the body, each but the body in a line of its own.
"""

from __future__ import annotations

import json
import logging

from tests.fuzz.harness import fuzz, instrumented, text_of

with instrumented(__name__):
    from doorward import Doorward, RequestContext, sliding_window, validate_email
    from doorward.decision import Decision
    from doorward.errors import ServiceError
    from doorward.progress import Progress
    from doorward.question import Question, ServiceAnswer
    from doorward.service.client.answers import body_of
    from doorward.service.client.questions import report_of
    from doorward.service.client.replies import reading
    from doorward.service.client.transport import Reply
    from doorward.testing import FakeClock, swallowed_errors

RULES = [sliding_window(max=5, interval="1m", name="limit"), validate_email(deny=["NO_MX_RECORDS"], name="email")]
REQUEST = RequestContext(peer="203.0.113.9", path="/signup")
LONGEST_HEADER, LONGEST_ERROR = 200, 400
STATUSES = {200, 400, 403, 429, 503}


class Answering:
    """Stands where a client has its service: without a breaker and a queue, which remember what came before."""

    def __init__(self) -> None:
        self.reply = Reply(200, "application/json", b"{}")

    def ask(self, question: Question, seconds: float) -> ServiceAnswer:
        return reading(len(question.limits), len(question.rules))(body_of(self.reply))

    def report(self, progress: Progress, decision: Decision) -> None:
        json.dumps(report_of(progress.request, decision))


ANSWERING = Answering()
CLOCK = FakeClock()
QUIET = logging.getLogger("doorward.quiet")
QUIET.setLevel(logging.CRITICAL)
CLIENT = Doorward(RULES, service="https://service.example", key="test", clock=CLOCK, logger=QUIET)
CLIENT.runtime.service = ANSWERING  # type: ignore[assignment]


def parsed(data: bytes) -> Reply:
    head, _, rest = data.partition(b"\n")
    kind, _, body = rest.partition(b"\n")
    return Reply(int(head) if head.isdigit() and len(head) == 3 else 200, text_of(kind), body)


def target(data: bytes) -> None:
    ANSWERING.reply = parsed(data)
    understood = is_understood(ANSWERING.reply)
    CLOCK.advance(400 * 86_400)  # whatever was remembered is over
    with swallowed_errors() as errors:
        decision = CLIENT.protect(REQUEST, email="a@shop.example")
        assert decision.status in STATUSES
        assert decision.explain().replace("\n", "").isprintable()
        json.loads(decision.to_json())
        for value in decision.headers.values():
            assert value.isascii()
            assert value.isprintable()
            assert len(value) < LONGEST_HEADER
        assert understood or decision.id.startswith("lreq_")
    assert not errors, errors


def is_understood(reply: Reply) -> bool:
    problem = ""
    try:
        reading(1, 1)(body_of(reply))
    except ServiceError as error:
        problem = str(error)
    assert problem == "" or problem.isprintable()
    assert len(problem) < LONGEST_ERROR
    return not problem


if __name__ == "__main__":
    fuzz(target, "service_replies")
