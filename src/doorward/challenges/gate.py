"""Everything that one client has for challenges: poses them, checks what comes back, and knows who has passed.

:meth:`Gate.answer` and :meth:`Gate.held` are pure. :meth:`Gate.serve` is a generator that asks for effects, as rules
do, so that it is driven by blocking and by awaiting alike.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from doorward.challenges.binding import Binding
from doorward.challenges.cookies import Cookies
from doorward.challenges.issue import LONGEST_TARGET, Issue, opened, signed
from doorward.challenges.kinds import Asked, Offer, Prepared
from doorward.challenges.listed import kinds_of
from doorward.challenges.pages import answer_in_place
from doorward.challenges.targets import safe_target
from doorward.challenges.tokens import Purpose, Refused, Signer
from doorward.challenges.verifying import serve
from doorward.challenges.work.checking import Altcha
from doorward.challenges.work.options import AltchaSettings
from doorward.cleared import Clearance
from doorward.levels import Level
from doorward.locks import lock_over_forks
from doorward.reason import ChallengeReason

if TYPE_CHECKING:
    from collections.abc import Generator

    from doorward.answers import Answer
    from doorward.challenges.options import ChallengeSettings
    from doorward.clock import Clock
    from doorward.context import RequestContext
    from doorward.decision import Decision
    from doorward.effects import Effect
    from doorward.journal import Journal


MILLISECOND = 1_000_000
CHALLENGE_TTL_MS = 30 * 60_000
MOST_SPENT = 10_000


class Gate:
    """What a client does about challenges.

    Args:
        settings: Checked options.
        secrets: What tokens are signed with; the first signs.
        name: The client's: tokens of one are nothing to another.
        clock: The time.
        journal: Counts and logs.
    """

    def __init__(
        self, settings: ChallengeSettings, secrets: list[bytes], name: str, clock: Clock, journal: Journal
    ) -> None:
        self.settings = settings
        self.signer = Signer(secrets, name, not_before_ms=int(settings.not_before * 1000))
        self.binding = Binding(settings.bind)
        self.cookies = Cookies(settings)
        self.clock = clock
        self.journal = journal
        self.offer = Offer(kinds_of(settings.kinds))
        self.altcha = Altcha(settings.altcha or AltchaSettings(), self.signer)
        self._spent: OrderedDict[str, int] = OrderedDict()
        self._lock = lock_over_forks()

    # --- who has passed

    def held(self, request: RequestContext, ip: str, now_ns: int) -> Clearance | None:
        """The clearance that a request brings, if it is valid."""
        for token in self.cookies.clearances(request):
            try:
                found = self.signer.open(
                    Purpose.CLEARANCE, token, now_ns // MILLISECOND, self.binding.of_clearance(request, ip)
                )
            except Refused as refused:
                self.journal.count(f"clearance.{refused.why}")
            else:
                body = found.body
                return Clearance(body["i"], Level(body["l"]), body["k"], found.issued_ms, found.expires_ms)
        return None

    def level_for(self, weight: float) -> Level:
        """What a sum of weights asks for."""
        return self.settings.level_for(weight)

    def clearance(self, issue: Issue, request: RequestContext, ip: str, now_ms: int) -> str:
        """The token of who has passed ``issue``."""
        body = {"i": issue.id, "l": int(issue.level), "k": issue.kind}
        bound_to = self.binding.of_clearance(request, ip)
        return self.signer.sign(Purpose.CLEARANCE, body, now_ms, int(self.settings.lifetime * 1000), bound_to)

    # --- challenges

    def answer(self, request: RequestContext, decision: Decision) -> Answer:
        """What a challenged request is answered, in its place."""
        reason = decision.challenge or ChallengeReason("challenge")
        now_ms = decision.now_ns // MILLISECOND
        issue = self.pose(request, decision.ip.address, reason.level, now_ms, weight=reason.weight)
        return answer_in_place(self, request, decision, issue)

    def pose(
        self, request: RequestContext, ip: str, level: Level, now_ms: int, *, weight: float = 0.0, attempt: int = 1
    ) -> Issue:
        """A new challenge for who has sent ``request``."""
        from secrets import token_urlsafe  # few requests are challenged

        kind = self.offer.choose(level)
        issue = Issue(token_urlsafe(16), kind.name, kind.level, weight, target_of(request), attempt)
        if isinstance(kind, Prepared):
            issue = issue._replace(detail=kind.prepare(issue, now_ms))
        return signed(issue, self.signer, now_ms, CHALLENGE_TTL_MS, self.binding.of_challenge(request, ip))

    def moved(self, issue: Issue, target: str, request: RequestContext, ip: str, now_ms: int) -> Issue:
        """The same challenge for who wanted to go to ``target``."""
        meant = issue._replace(target=target)
        return signed(meant, self.signer, now_ms, CHALLENGE_TTL_MS, self.binding.of_challenge(request, ip))

    def opened(self, token: str, request: RequestContext, ip: str, now_ms: int) -> Issue:
        """The challenge that a token is of. Raises Refused."""
        return opened(token, self.signer, now_ms, self.binding.of_challenge(request, ip))

    def asked(self, issue: Issue, fields: dict[str, object], request: RequestContext, ip: str, now_ms: int) -> Asked:
        """An answer, as kinds look at it."""
        return Asked(issue, fields, request, ip, now_ms)

    # --- endpoints

    def spent_here(self, issue_id: str, now_ms: int, expires_ms: int) -> bool:
        """Whether this process has not redeemed a challenge before: for while the store fails."""
        with self._lock:
            while self._spent and (len(self._spent) >= MOST_SPENT or next(iter(self._spent.values())) < now_ms):
                self._spent.popitem(last=False)
            is_first = issue_id not in self._spent
            self._spent[issue_id] = expires_ms
            return is_first

    def serves(self, path: str) -> bool:
        """Whether a path is one of the endpoints."""
        return path.startswith(self.settings.prefix + "/")

    def serve(self, request: RequestContext, ip: str) -> Generator[Effect, object, Answer]:
        """Answer a request for one of the endpoints."""
        return serve(self, request, ip, self.clock.now_ns() // MILLISECOND)


def target_of(request: RequestContext) -> str:
    """Where a request wanted to go, as it was sent: escaped, with its query, below the path of its application."""
    from urllib.parse import quote

    path = request.raw_path if request.raw_path is not None else quote(request.path, safe="/:@!$&'()*+,;=~-._")
    path = path.partition("?")[0]
    query = f"?{request.query}" if request.query else ""
    root = request.root_path if not path.startswith(request.root_path + "/") else ""
    return safe_target(f"{root}{path}{query}", LONGEST_TARGET)
