"""The examiner: general evidence of automation in one request, without any list of names of bots."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from doorward.automation.agent import LONGEST, ORDINARY, Agent
from doorward.automation.claim import Claim, claimed
from doorward.automation.evidence import Examination, Finding
from doorward.automation.headers import LOOKED_AT, Sent, contradictions
from doorward.automation.names import named
from doorward.automation.recent import Recent
from doorward.automation.shape import built
from doorward.context import text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from doorward.context import RequestContext, Text

_RAW_NAMES: dict[Text, str] = {name.encode(): name for name in LOOKED_AT}
_LIST_VALUED = frozenset({"accept", "accept-encoding", "accept-language", "upgrade", "x-forwarded-proto"})
"""Headers that may come several times: of a list (RFC 9110), and of the proxies on the way, one for each of them."""

_MOST_LINES = 32
_LONGEST_KEPT = 1536
"""Characters of headers that one entry of a cache may hold; browsers send about 600."""

_PLAIN_METHODS = frozenset({"GET", "HEAD", "POST"})


class _Said(NamedTuple):
    """What an agent says: the evidence in it, and the browser that it claims to be."""

    findings: tuple[Finding, ...]
    claim: Claim | None


class Examiner:
    """Looks for evidence of automation in requests.

    It keeps its latest answers, by agent and by all the header lines it looks at. Safe to use from several threads.

    Args:
        cached: How many answers of each kind are kept.
    """

    def __init__(self, *, cached: int = 4096) -> None:
        self._agents: Recent[str, _Said] = Recent(cached)
        self._answers: Recent[tuple[object, ...], Examination] = Recent(cached)

    def examine(self, request: RequestContext, *, ordered: bool = False) -> Examination:
        """The evidence in one request; never raises, and takes time linear in the size of the headers.

        Args:
            request: The request.
            ordered: Whether the header lines are in the order in which the client sent them, as in ASGI scopes.
        """
        lines = _lines(request)
        from_nowhere = request.method == "POST" and not _says_from_where(request)
        key = (ordered, request.scheme, request.method in _PLAIN_METHODS, from_nowhere, *lines)
        try:
            answer = self._answers.get(key)
        except TypeError:  # Some servers make lists of the pairs, which cannot be looked up.
            return self._examined(request, lines, ordered, from_nowhere)
        if answer is None:
            answer = self._examined(request, lines, ordered, from_nowhere)
            if sum([len(name) + len(value) for name, value in lines]) + len(request.scheme) <= _LONGEST_KEPT:
                self._answers.put(key, answer)
        return answer

    def _examined(
        self,
        request: RequestContext,
        lines: list[tuple[Text, Text]],
        ordered: bool,  # noqa: FBT001  (hot)
        from_nowhere: bool,  # noqa: FBT001  (the same)
    ) -> Examination:
        looked_at = lines[:_MOST_LINES]
        pairs = [(_RAW_NAMES.get(name) or text(name), text(value[: LONGEST + 1])) for name, value in looked_at]
        agents = tuple(dict.fromkeys([value.strip() for name, value in pairs if name == "user-agent"]))
        findings, claim = self._agent(agents)
        values, contradicts = _by_name(pairs)
        if contradicts or len(lines) > _MOST_LINES:
            findings = (*findings, Finding(1.0, "sends headers several times that browsers send once"))
        handshake = request.scheme.startswith("ws") or "websocket" in values.get("upgrade", "").lower()
        plain = request.method in _PLAIN_METHODS and not handshake
        secure = request.scheme == "https" or "https" in values.get("x-forwarded-proto", "").lower()
        sent = Sent(values, tuple(values) if ordered else (), secure, plain, from_nowhere)
        return Examination.of([*findings, *contradictions(sent, claim)], tuple([agent for agent in agents if agent]))

    def _agent(self, agents: Sequence[str]) -> _Said:
        if not agents:
            return _Said((Finding(1.0, "sends no user agent"),), None)
        said = self._agents.get(agents[0])
        if said is None:
            said = _said(agents[0])
            self._agents.put(agents[0], said)
        if len(agents) > 1:
            return _Said((Finding(1.0, "sends several user agents"), *said.findings), None)
        return said


class AgentExaminer(Examiner):
    """Goes by the ``User-Agent`` alone: for recordings that keep no other header, whose absence says nothing."""

    def examine(self, request: RequestContext, *, ordered: bool = False) -> Examination:
        """The evidence in what the client calls itself; never raises."""
        del ordered
        agents = tuple(dict.fromkeys([value[: LONGEST + 1].strip() for value in request.header_values("user-agent")]))
        answer = self._answers.get(agents)
        if answer is None:
            answer = Examination.of(self._agent(agents).findings, tuple([agent for agent in agents if agent]))
            self._answers.put(agents, answer)
        return answer


def _said(agent_text: str) -> _Said:
    agent = Agent(agent_text)
    if not agent.text:
        return _Said((Finding(1.0, "sends an empty user agent"),), None)
    findings = () if ORDINARY.fullmatch(agent_text) else (*named(agent), *built(agent))
    return _Said(findings, claimed(agent))


def _by_name(pairs: Iterable[tuple[str, str]]) -> tuple[dict[str, str], bool]:
    """The values by name, and whether a header that has one value came with several.

    The lines of a header that is a list are one list (RFC 9110 section 5.3).
    """
    values: dict[str, str] = {}
    contradicts = False
    for name, value in pairs:
        before = values.setdefault(name, value)
        if before != value and name in _LIST_VALUED:
            values[name] = f"{before}, {value}"
        elif before != value and name != "user-agent":
            contradicts = True
    return values, contradicts


def _says_from_where(request: RequestContext) -> bool:
    return any([request.header_values(name) for name in ("origin", "referer")])


def _lines(request: RequestContext) -> list[tuple[Text, Text]]:
    """The header lines that are looked at."""
    found = [line for line in request.lines if line[0] in _RAW_NAMES] if request.as_sent else None
    return found or request.headers.picked(LOOKED_AT)  # type: ignore[return-value]  # lists are invariant
