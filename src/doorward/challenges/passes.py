"""What clients bring back once they have passed: clearances; and the ids that tell clients apart. Signed, and read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorward.challenges.cookies import CLIENT_NAME, NAME
from doorward.challenges.issue import level_of
from doorward.challenges.tokens import Purpose, Refused, check_times
from doorward.cleared import Clearance

if TYPE_CHECKING:
    from doorward.challenges.binding import Binding
    from doorward.challenges.cookies import Cookies
    from doorward.challenges.issue import Issue
    from doorward.challenges.options import ChallengeSettings
    from doorward.challenges.tokens import Signer, Token
    from doorward.context import RequestContext
    from doorward.journal import Journal

MOST_KNOWN = 4096
"""Tokens that are kept at hand, once they are found genuine, before it starts anew."""
LONGEST_KNOWN = 1024
"""Characters of a token and what it is bound to, of those that are kept at hand: 4 MB at the most."""


class Passes:
    """Writes and reads clearances and client ids.

    What was found genuine is kept at hand, by the token and everything that it is bound to; whether it holds *now* is
    looked at each time. What was forged is not kept: it would push out the rest. Safe from any thread: what is kept is
    a dict, set and read in one step each.

    Args:
        settings: Checked options.
        signer: Signs.
        binding: What tokens are bound to.
        cookies: Where they are kept.
        journal: Counts what is refused.
    """

    def __init__(
        self, settings: ChallengeSettings, signer: Signer, binding: Binding, cookies: Cookies, journal: Journal
    ) -> None:
        self._signer = signer
        self._binding = binding
        self._cookies = cookies
        self._journal = journal
        self._lifetime_ms = int(settings.lifetime * 1000)
        self._longest_ms = int(settings.renew_for * 1000)
        self._client_lifetime_ms = int(settings.clients.lifetime * 1000)
        self._known: dict[tuple[str, ...], Clearance] = {}

    # --- clearances

    def clearance(self, issue: Issue, request: RequestContext, ip: str, now_ms: int) -> str:
        """The token of who has passed ``issue``."""
        body = {"i": issue.id, "l": int(issue.level), "k": issue.kind, "a": issue.attempt}
        bound_to = self._binding.of_clearance(request, ip)
        return self._signer.sign(Purpose.CLEARANCE, body, now_ms, self._lifetime_ms, bound_to)

    def held(self, request: RequestContext, ip: str, now_ms: int) -> Clearance | None:
        """The strongest clearance of those that a request brings, if one is valid."""
        tokens = self._cookies.read(NAME, request)
        if not tokens:
            return None
        if len(tokens) == 1:
            return self._clearance(tokens[0], request, ip, now_ms)
        found = [each for token in tokens if (each := self._clearance(token, request, ip, now_ms)) is not None]
        return max(found, key=lambda each: (each.level, each.issued_ms), default=None)

    def renewed(self, clearance: Clearance, request: RequestContext, ip: str, now_ms: int) -> str | None:
        """Set-Cookie for a clearance in use that is past its half; None where nothing is to be done.

        When it was passed stays in it: it is not renewed beyond ``renew_for`` after that, nor past a revocation, and
        rules with ``max_age`` are not deceived.
        """
        if not self._longest_ms or clearance.expires_ms - now_ms > self._lifetime_ms // 2:
            return None
        expires_ms = min(now_ms + self._lifetime_ms, clearance.issued_ms + self._longest_ms)
        if expires_ms <= clearance.expires_ms:
            return None
        body = {"i": clearance.id, "l": int(clearance.level), "k": clearance.kind, "a": clearance.attempt}
        bound_to = self._binding.of_clearance(request, ip)
        lifetime_ms = expires_ms - clearance.issued_ms
        token = self._signer.sign(Purpose.CLEARANCE, body, clearance.issued_ms, lifetime_ms, bound_to)
        return self._cookies.kept(NAME, token, request, (expires_ms - now_ms) // 1000)

    # --- client ids

    def client_id(self, request: RequestContext, now_ms: int) -> str:
        """The id that a request brings; empty without a valid one, or with several."""
        tokens = self._cookies.read(CLIENT_NAME, request)
        if not tokens:
            return ""
        bound_to = self._binding.of_client(request)
        found = {each for token in tokens if (each := self._client(token, bound_to, now_ms))}
        return found.pop() if len(found) == 1 else ""

    def new_client(self, request: RequestContext, now_ms: int) -> str:
        """Set-Cookie for a client that has no id yet."""
        from secrets import token_urlsafe  # few requests need it

        bound_to = self._binding.of_client(request)
        token = self._signer.sign(Purpose.CLIENT, {"i": token_urlsafe(12)}, now_ms, self._client_lifetime_ms, bound_to)
        return self._cookies.kept(CLIENT_NAME, token, request, self._client_lifetime_ms // 1000)

    # --- tokens

    def _clearance(self, token: str, request: RequestContext, ip: str, now_ms: int) -> Clearance | None:
        key = (token, *self._binding.made_from(request, ip))
        known = self._known.get(key)
        try:
            if known is not None:
                check_times(known.issued_ms, known.expires_ms, now_ms, self._signer.not_before_ms)
                return known
            bound_to = self._binding.of_clearance(request, ip)
            clearance = clearance_of(self._signer.open(Purpose.CLEARANCE, token, now_ms, bound_to))
        except Refused as refused:
            self._journal.count(f"clearance.{refused.why}")
            return None
        self._keep(key, clearance)
        return clearance

    def _client(self, token: str, bound_to: str, now_ms: int) -> str:
        try:
            return _text(self._signer.open(Purpose.CLIENT, token, now_ms, bound_to), "i")
        except Refused as refused:
            self._journal.count(f"client.{refused.why}")
            return ""

    def _keep(self, key: tuple[str, ...], found: Clearance) -> None:
        if sum([len(part) for part in key]) <= LONGEST_KNOWN:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[key] = found


def clearance_of(token: Token) -> Clearance:
    """What a genuine token says of a clearance.

    Raises:
        Refused: A version of ours to come has signed it, which says something else.
    """
    level, attempt = level_of(token.body.get("l")), token.body.get("a", 1)
    if not isinstance(attempt, int):
        raise Refused("malformed")
    return Clearance(_text(token, "i"), level, _text(token, "k"), token.issued_ms, token.expires_ms, attempt)


def _text(token: Token, name: str) -> str:
    value = token.body.get(name)
    if not isinstance(value, str) or not value:
        raise Refused("malformed")
    return value
