"""Everything that one client has for challenges: poses them, checks what comes back, and knows who has passed.

:meth:`Gate.answer` and :meth:`Gate.held` are pure. :meth:`Gate.serve` is a generator that asks for effects, as rules
do, so that it is driven by blocking and by awaiting alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorward.challenges.arrivals import Arrival, arrival, form_page
from doorward.challenges.binding import Binding
from doorward.challenges.cookies import Cookies
from doorward.challenges.issue import LONGEST_TARGET, Issue, opened, signed
from doorward.challenges.kinds import Asked, Offer, Prepared
from doorward.challenges.listed import kinds_of
from doorward.challenges.own_files import OwnFiles
from doorward.challenges.pages import Visit, answer_in_place
from doorward.challenges.passes import Passes
from doorward.challenges.problems import part
from doorward.challenges.resuming import digest, kept_form
from doorward.challenges.skin import Skin
from doorward.challenges.spending import Spent
from doorward.challenges.standing_in import standing_in
from doorward.challenges.targets import AS_IT_IS, mounted, safe_target
from doorward.challenges.tokens import Signer
from doorward.challenges.verifying import serve
from doorward.challenges.work.checking import Altcha
from doorward.challenges.work.options import AltchaSettings
from doorward.reason import ChallengeReason

if TYPE_CHECKING:
    from collections.abc import Generator

    from doorward.answers import Answer
    from doorward.challenges.kinds import Kind
    from doorward.challenges.options import ChallengeSettings
    from doorward.cleared import Clearance
    from doorward.client_ip import ClientIPPolicy
    from doorward.clock import Clock
    from doorward.context import RequestContext
    from doorward.decision import Decision
    from doorward.effects import Effect
    from doorward.journal import Journal
    from doorward.levels import Level


MILLISECOND = 1_000_000
CHALLENGE_TTL_MS = 30 * 60_000
IN_A_ROW_MS = 30_000
"""Who is challenged again within this time after passing a challenge has not been away."""


class Gate:
    """What a client does about challenges.

    Args:
        settings: Checked options.
        secrets: What tokens are signed with; the first signs.
        name: The client's: tokens of one are nothing to another.
        clock: The time.
        journal: Counts and logs.
        ips: Knows which proxies may say that a client uses HTTPS; None where the server's word is all there is.
    """

    def __init__(
        self,
        settings: ChallengeSettings,
        secrets: list[bytes],
        name: str,
        clock: Clock,
        journal: Journal,
        ips: ClientIPPolicy | None = None,
    ) -> None:
        self.settings = settings
        self.signer = Signer(secrets, name, not_before_ms=int(settings.not_before * 1000))
        self.binding = Binding(settings.bind, settings.domain)
        self.cookies = Cookies(settings, ips)
        self.passes = Passes(settings, self.signer, self.binding, self.cookies, journal)
        self.clock = clock
        self.journal = journal
        self.offer = Offer(kinds_of(settings.kinds))
        self.skin = Skin(settings.look)
        self.files = OwnFiles(self.skin)
        self.altcha = Altcha(settings.altcha or AltchaSettings(), self.signer)
        self.spent = Spent()

    def take_over(self, former: Gate) -> None:
        """Go on with what the gate before has learnt, whose settings were others.

        Kinds that are the same have the same load; what was revoked or redeemed there is so here.
        """
        self.signer.not_before_ms = max(self.signer.not_before_ms, former.signer.not_before_ms)
        self.spent = former.spent
        if self.settings.kinds == former.settings.kinds:
            self.offer = former.offer

    # --- who has passed

    def held(self, request: RequestContext, ip: str, now_ns: int) -> Clearance | None:
        """The clearance that a request brings, if it is valid."""
        return self.passes.held(request, ip, now_ns // MILLISECOND)

    def level_for(self, weight: float) -> Level:
        """What a sum of weights asks for."""
        return self.settings.level_for(weight)

    def clearance(self, issue: Issue, request: RequestContext, ip: str, now_ms: int) -> str:
        """The token of who has passed ``issue``."""
        return self.passes.clearance(issue, request, ip, now_ms)

    # --- challenges

    def answer(self, request: RequestContext, decision: Decision) -> Answer:
        """What a challenged request is answered, in its place."""
        reason = decision.challenge or ChallengeReason("challenge")
        now_ms = decision.now_ns // MILLISECOND
        if arrival(request) is Arrival.PART:
            # Nothing is posed there: nothing is computed for it, and it makes nobody's challenge harder.
            return part(Visit(self, request, decision.ip.address, now_ms), [*decision.headers.items()])
        kept = kept_form(request)
        issue = self.pose(
            request,
            decision.ip.address,
            reason.level,
            now_ms,
            weight=reason.weight,
            attempt=self._attempt(decision.clearance, self.offer.choose(reason.level).level, now_ms),
            # Only what has come from where it would be sent to again.
            keeps=digest(kept.text) if kept is not None and is_exact_target(request) else "",
            reference=decision.id,
        )
        if request.method not in ("GET", "HEAD") and not issue.keeps:
            # What was sent is lost: back to where it can be sent again, not to what may not even have a GET.
            issue = self.moved(issue, form_page(request), request, decision.ip.address, now_ms)
        return answer_in_place(self, request, decision, issue, kept if issue.keeps else None)

    def _attempt(self, held: Clearance | None, level: Level, now_ms: int) -> int:
        """How many challenges in a row this makes: who has just passed one as hard, and is back, goes in circles."""
        if held is None or held.level < level or now_ms - held.issued_ms > IN_A_ROW_MS:
            return 1
        return held.attempt + 1

    def pose(  # noqa: PLR0913  (what a challenge is made of)
        self,
        request: RequestContext,
        ip: str,
        level: Level,
        now_ms: int,
        *,
        weight: float = 0.0,
        doubt: float = 0.0,
        attempt: int = 1,
        keeps: str = "",
        reference: str = "",
        kind: Kind | None = None,
        failed: str = "",
    ) -> Issue:
        """A new challenge for who has sent ``request``; of ``kind`` in the place of the one for ``level``.

        ``failed`` is the kind that could not be checked just now.
        """
        from secrets import token_urlsafe  # few requests are challenged

        kind, shown = (kind, kind.level) if kind is not None else standing_in(self.offer, level, failed)
        issue = Issue(token_urlsafe(16), kind.name, shown, weight, target_of(request), attempt)
        issue = issue._replace(keeps=keeps, reference=reference, doubt=doubt)
        if isinstance(kind, Prepared):
            issue = issue._replace(detail=kind.prepare(issue, now_ms))
        return signed(issue, self.signer, now_ms, CHALLENGE_TTL_MS, self.binding.of_challenge(request, ip))

    def moved(self, issue: Issue, target: str, request: RequestContext, ip: str, now_ms: int) -> Issue:
        """The same challenge for who wanted to go to ``target``."""
        meant = issue._replace(target=target)
        return signed(meant, self.signer, now_ms, CHALLENGE_TTL_MS, self.binding.of_challenge(request, ip))

    def opened(self, token: str, request: RequestContext, ip: str, now_ms: int, *, late_ms: int = 0) -> Issue:
        """The challenge that a token is of, also for ``late_ms`` after its end. Raises Refused."""
        return opened(token, self.signer, now_ms, self.binding.of_challenge(request, ip), late_ms=late_ms)

    def other(self, issue: Issue) -> Kind | None:
        """Another kind that shows as much as that of ``issue``, and needs no JavaScript; None where there is none."""
        enough = [k for k in self.offer.by_name.values() if k.level >= issue.level and k.name != issue.kind]
        return min([k for k in enough if not k.needs_script], key=lambda kind: kind.level, default=None)

    def asked(self, issue: Issue, fields: dict[str, object], request: RequestContext, ip: str, now_ms: int) -> Asked:
        """An answer, as kinds look at it."""
        return Asked(issue, fields, request, ip, now_ms, self.journal, self.settings.on_store_error)

    # --- endpoints

    def serves(self, path: str) -> bool:
        """Whether a path is one of the endpoints."""
        return path.startswith(self.settings.prefix + "/")

    def serve(self, request: RequestContext, ip: str) -> Generator[Effect, object, Answer]:
        """Answer a request for one of the endpoints."""
        return serve(self, request, ip, self.clock.now_ns() // MILLISECOND)


def target_of(request: RequestContext) -> str:
    """Where a request wanted to go, as it was sent: escaped, with its query, below the path of its application."""
    return safe_target(_sent_target(request), LONGEST_TARGET)


def is_exact_target(request: RequestContext) -> bool:
    """Whether :func:`target_of` is where a request went, and not the front page in the place of what is not safe."""
    return target_of(request) == _sent_target(request)


def _sent_target(request: RequestContext) -> str:
    from urllib.parse import quote, unquote

    path = request.raw_path
    if path is None:
        path = quote(request.path, safe="/:@!$&'()*+,;=~-._", errors="replace")
    # Browsers send "{", "|", "^" and the like as they are; escaped they mean the same, and are safe everywhere.
    path = quote(path.partition("?")[0], safe=AS_IT_IS, encoding="latin-1", errors="replace")
    query = quote(f"?{request.query}", safe=AS_IT_IS, encoding="latin-1", errors="replace") if request.query else ""
    # Compared as they are decoded: who has sent the path may have escaped it in another way, or not at all.
    is_whole = request.raw_path is not None and f"{unquote(path)}/".startswith(f"{request.root_path}/")
    return f"{'' if is_whole else mounted(request.root_path)}{path}{query}"
