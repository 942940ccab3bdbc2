"""What signals come to, in points: see the table of weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorward.challenges.signals.against_browser import against_browser
from doorward.challenges.signals.against_request import against_request, secure_by
from doorward.challenges.signals.known import known_as, same_but_system
from doorward.challenges.signals.reading import read
from doorward.challenges.signals.weights import UNREADABLE, WEIGHTS, Finding, Score, finding

if TYPE_CHECKING:
    from doorward.automation import Examiner
    from doorward.context import RequestContext


def scored(given: object, request: RequestContext, answered_ms: int, examiner: Examiner) -> Score:
    """The score of what a client sent as its signals. Never raises, and keeps nothing of it.

    Args:
        given: The field of the answer: an object or its JSON, or anything else.
        request: The request that brought it.
        answered_ms: Milliseconds since the challenge was posed, by the server's clock.
        examiner: Looks for evidence of automation in the request.
    """
    signals = read(given)
    if signals is None:
        return UNREADABLE
    agent, shown = request.headers.get("user-agent"), signals.face.agent or ""
    # The page is compared with the system that it names itself, where a Firefox names another one in requests.
    claim = known_as(shown if same_but_system(shown, agent) else agent)
    secure = signals.secure is not False or secure_by(request)
    codes = [
        *against_request(signals, request, answered_ms),
        *against_browser(signals, claim, secure=secure),
    ]
    evidence = examiner.examine(request, ordered=request.as_sent).weight
    found = [Finding("request", round(evidence * WEIGHTS["request"].points, 3))] if evidence else []
    return Score.of([*found, *[finding(code) for code in codes]])
