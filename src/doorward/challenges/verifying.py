"""The endpoints below the prefix: where answers are sent, and what belongs to challenges is fetched.

Nothing that anybody sends here raises, or is answered with a 5xx: what is wrong with it is said by a code.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from doorward.challenges.arrivals import from_elsewhere
from doorward.challenges.assets import FOLDER, asset_answer
from doorward.challenges.kinds import Checked
from doorward.challenges.metering import metered
from doorward.challenges.pages import again, landed, other, passed, shown
from doorward.challenges.replies import plain
from doorward.challenges.resuming import FIELD, LONGEST_KEPT
from doorward.challenges.spending import spent_first
from doorward.challenges.tokens import Refused
from doorward.challenges.work import checking as altcha
from doorward.effects import Algorithm, Hit, ReadBody
from doorward.forwarded import network_prefix
from doorward.reason import whole_seconds

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from doorward.answers import Answer
    from doorward.challenges.gate import Gate
    from doorward.challenges.issue import Issue
    from doorward.context import RequestContext
    from doorward.effects import Effect

LONGEST_ANSWER = 64 * 1024
"""Bytes of an answer's body, without the form that a page keeps."""
MOST_FIELDS = 200
MOST_ANSWERS, MOST_OF_NETWORK, ANSWERS_WINDOW_NS = 100, 300, 60 * 1_000_000_000
"""Requests to the endpoints that an address (or a /64) and a network (its /24, or /48) may make in a minute: an answer
and a picture each of 50 people behind one address, and nobody alone keeps the neighbours out. What pictures cost, and
guessing, have bounds of their own."""


def serve(gate: Gate, request: RequestContext, ip: str, now_ms: int) -> Generator[Effect, object, Answer]:
    """Answer a request for an endpoint."""
    name = request.path.removeprefix(gate.settings.prefix + "/")
    asset = (asset_answer(name) or gate.files.answer(name)) if name.startswith(FOLDER) else None
    if asset is not None:
        return asset if request.method in ("GET", "HEAD") else plain(405, "method", [("Allow", "GET, HEAD")])
    if name == altcha.ENDPOINT:
        return (yield from altcha.serve(gate, request, ip, now_ms))
    if name == "landed":  # judges nothing and asks no store; and who has passed is not kept out by the neighbours
        return landed(gate, request, ip, now_ms)
    refused = yield from _too_many(gate, ip)
    return refused or (yield from _counted(gate, name, request, ip, now_ms))


def _counted(gate: Gate, name: str, request: RequestContext, ip: str, now_ms: int) -> Generator[Effect, object, Answer]:
    if name in ("verify", "other", "next"):
        return (yield from _sent(gate, name, request, ip, now_ms))
    if name == "waited":
        return (yield from _waited(gate, request, ip, now_ms))
    return (yield from _fetched(gate, name, request, ip, now_ms))


def _too_many(gate: Gate, ip: str) -> Generator[Effect, object, Answer | None]:
    bounds = ((f"one:{network_prefix(ip)}", MOST_ANSWERS), (gate.binding.of_limit(ip), MOST_OF_NETWORK))
    hits = [Hit(f"gate:{who}", Algorithm.FIXED_WINDOW, most, ANSWERS_WINDOW_NS) for who, most in bounds]
    verdicts = yield from metered(hits, gate.journal)
    if all([verdict.admitted for verdict in verdicts]):
        return None
    seconds = max([whole_seconds(verdict.retry_after) for verdict in verdicts])
    return plain(429, "too_many", [("Retry-After", str(max(1, seconds)))])


def _sent(gate: Gate, name: str, request: RequestContext, ip: str, now_ms: int) -> Generator[Effect, object, Answer]:
    """An answer, or the wish to be asked something else."""
    if request.method != "POST" or from_elsewhere(request):
        return plain(403, "cross_site") if request.method == "POST" else plain(405, "method", [("Allow", "POST")])
    fields = yield from _fields(request)
    if fields is None:
        return plain(400, "malformed")
    if name == "other":
        return other(gate, request, ip, now_ms, fields)
    if name == "next":
        return shown(gate, request, ip, now_ms, fields)
    return (yield from _judged(gate, fields, request, ip, now_ms))


def _waited(gate: Gate, request: RequestContext, ip: str, now_ms: int) -> Generator[Effect, object, Answer]:
    """A browser without JavaScript, back after the time that it was told to wait for: an answer without fields."""
    if request.method != "GET" or from_elsewhere(request):
        return plain(403, "cross_site")
    fields = {"token": (request.query_values("t") or [""])[0]}
    return (yield from _judged(gate, fields, request, ip, now_ms))


def _judged(
    gate: Gate, fields: Mapping[str, object], request: RequestContext, ip: str, now_ms: int
) -> Generator[Effect, object, Answer]:
    try:
        issue = gate.opened(str(fields.get("token", "")), request, ip, now_ms)
    except Refused as refused:
        gate.journal.count(f"challenge.{refused.why}")
        return again(gate, request, ip, now_ms, refused.why, fields)
    checked = yield from _checked(gate, issue, fields, request, ip, now_ms)
    if checked.passed and not (yield from _first(gate, issue, now_ms)):
        checked = Checked(False, "spent")  # and counted as that
    gate.journal.count(f"challenge.{issue.kind}.{'passed' if checked.passed else checked.why}")
    for code in checked.found:
        gate.journal.count(f"challenge.{issue.kind}.found.{code}")
    if not checked.passed:
        if checked.ends and not (yield from _first(gate, issue, now_ms)):
            # One payment is judged once: nothing follows from the same answer sent again.
            checked = Checked(False, "spent")
        return again(gate, request, ip, now_ms, checked.why, fields, checked)
    return passed(gate, request, ip, now_ms, issue, fields)


def _checked(
    gate: Gate, issue: Issue, fields: Mapping[str, object], request: RequestContext, ip: str, now_ms: int
) -> Generator[Effect, object, Checked]:
    kind = gate.offer.by_name.get(issue.kind)
    if kind is None:  # it was offered before the application's configuration changed
        return Checked(False, "malformed")
    return (yield from kind.check(gate.asked(issue, dict(fields), request, ip, now_ms)))


def _first(gate: Gate, issue: Issue, now_ms: int) -> Generator[Effect, object, bool]:
    """Whether nobody has redeemed the challenge before; from now on somebody has."""
    return spent_first(gate, issue.id, issue.expires_ms, now_ms)


def _fetched(gate: Gate, name: str, request: RequestContext, ip: str, now_ms: int) -> Generator[Effect, object, Answer]:
    token = (request.query_values("t") or [""])[0]
    try:
        issue = gate.opened(token, request, ip, now_ms)
    except Refused as refused:
        return plain(404 if refused.why == "malformed" else 403, refused.why)
    kind = gate.offer.by_name.get(issue.kind)
    found = (yield from kind.serve(name, gate.asked(issue, {}, request, ip, now_ms))) if kind is not None else None
    return found or plain(404, "unknown")


def _fields(request: RequestContext) -> Generator[Effect, object, Mapping[str, object] | None]:
    """What was sent, by name; None where it cannot be read."""
    held: Any = yield ReadBody()
    if held is None or not held.complete or len(held.data) > LONGEST_ANSWER + 3 * LONGEST_KEPT:
        return None
    kind = request.headers.get("content-type").partition(";")[0].strip().lower()
    if kind == "application/json":
        return _json(held.data) if len(held.data) <= LONGEST_ANSWER else None
    fields = _form(held.data) if kind == "application/x-www-form-urlencoded" else None
    # Besides what is kept, an answer is short.
    answered = sum(len(text) for name, value in (fields or {}).items() if name != FIELD for text in (name, str(value)))
    return fields if answered <= LONGEST_ANSWER else None


def _json(data: bytes) -> Mapping[str, object] | None:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _form(data: bytes) -> Mapping[str, object] | None:
    try:
        return dict(parse_qsl(data.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError:
        return None
