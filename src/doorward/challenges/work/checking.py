"""Challenges for ALTCHA's own widget, in an application's own form: handed out by an endpoint, checked by a call.

Nothing is remembered of a challenge before its solution comes: everything is in it, under a signature. A solution is
redeemed once, in the store.
"""

from __future__ import annotations

import hmac
from secrets import randbelow, token_bytes
from typing import TYPE_CHECKING, Any, NamedTuple

from doorward.challenges.metering import metered
from doorward.challenges.replies import as_json, plain
from doorward.challenges.spending import spent_first
from doorward.challenges.work import protocol, protocol1
from doorward.challenges.work.difficulty import Tally, counters
from doorward.challenges.work.protocol import Secrets, Solved
from doorward.effects import Algorithm, Hit
from doorward.reason import whole_seconds

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from doorward.answers import Answer
    from doorward.challenges.gate import Gate
    from doorward.challenges.tokens import Signer
    from doorward.challenges.work.options import AltchaSettings
    from doorward.context import RequestContext
    from doorward.effects import Effect

ENDPOINT = "altcha"
MOST_POSED, POSED_WINDOW_NS = 60, 60 * 1_000_000_000
"""Challenges that a network (its /24, or /48) is handed in a minute."""
_BOUND = "b"


class AltchaChecked(NamedTuple):
    """What the payload of a form comes to. True where it is accepted.

    Attributes:
        passed: Whether it is.
        why: Where it is not: ``"missing"``, ``"malformed"``, ``"forged"``, ``"expired"``, ``"wrong"``,
            ``"elsewhere"`` (another client was given the challenge), ``"spent"`` (it was accepted before) or
            ``"unavailable"`` (something failed on our side).
    """

    passed: bool
    why: str = ""

    def __bool__(self) -> bool:
        return self.passed


class Altcha:
    """Makes and checks the challenges of one client.

    Args:
        settings: Checked options.
        signer: What their keys are derived by.
    """

    def __init__(self, settings: AltchaSettings, signer: Signer) -> None:
        self.settings = settings
        self.tally = Tally()
        pairs = zip(signer.keys("altcha challenge"), signer.keys("altcha key"), strict=True)
        self._secrets = [Secrets(*pair) for pair in pairs]

    def posed(self, now_ms: int, bound_to: str) -> dict[str, Any]:
        """A new challenge, as the widget reads it."""
        settings = self.settings
        self.tally.issued(now_ms)
        most = counters(0.0, self.tally.load(now_ms), settings.least, settings.most)
        expires = now_ms // 1000 + int(settings.lifetime)
        secrets, data = self._secrets[0], self._data(self._secrets[0], bound_to)
        if settings.version == 1:
            number = randbelow(most + 1)
            return protocol1.pose(token_bytes(16), number, most, secrets.challenge, expires_s=expires, data=data)
        seeds = (token_bytes(16), token_bytes(16))
        return protocol.pose(settings.hardness, seeds, randbelow(most), secrets, expires_s=expires, data=data)

    def solved(self, payload: object, now_ms: int, bound_to: str) -> tuple[AltchaChecked, Solved]:
        """Whether a payload solves a challenge of ours, and what it has to be redeemed by."""
        if payload is None or payload == "":
            return AltchaChecked(False, "missing"), Solved("missing")
        found = protocol.decoded(payload)
        solved = Solved("malformed")
        for secrets in self._secrets if found is not None else ():
            solved = self._verified(found or {}, secrets, now_ms / 1000)
            if solved.why != "forged":
                if not solved.why and not self._is_from_here(solved, secrets, bound_to):
                    return AltchaChecked(False, "elsewhere"), solved
                break
        return AltchaChecked(not solved.why, solved.why), solved

    def _verified(self, found: Mapping[str, Any], secrets: Secrets, now_s: float) -> Solved:
        # Only what this configuration hands out: version 1 is no cheaper way into a form of version 2.
        if self.settings.version == 1:
            return protocol1.verify_decoded(found, secrets.challenge, now_s)
        return protocol.verify_decoded(found, secrets, now_s)

    def _data(self, secrets: Secrets, bound_to: str) -> dict[str, str]:
        return {_BOUND: _tag(secrets, bound_to)} if self.settings.bind else {}

    def _is_from_here(self, solved: Solved, secrets: Secrets, bound_to: str) -> bool:
        tag = solved.data.get(_BOUND)
        if tag is None:
            return not self.settings.bind
        return isinstance(tag, str) and tag.isascii() and hmac.compare_digest(tag, _tag(secrets, bound_to))


def _tag(secrets: Secrets, bound_to: str) -> str:
    # Of the key's secret, over what no key is: addresses cannot be guessed from it.
    text = b"bound to " + bound_to.encode("utf-8", "surrogatepass")
    return hmac.digest(secrets.key, text, "sha256").hex()[:32]


def serve(gate: Gate, request: RequestContext, ip: str, now_ms: int) -> Generator[Effect, object, Answer]:
    """Hand out a challenge."""
    if request.method not in ("GET", "HEAD"):
        return plain(405, "method", [("Allow", "GET, HEAD")])
    retry_after = yield from _too_many(gate, ip)
    if retry_after:
        gate.journal.count("altcha.too_many")
        return plain(429, "too_many", [("Retry-After", str(retry_after))])
    gate.journal.count("altcha.posed")
    return as_json(200, gate.altcha.posed(now_ms, gate.binding.of_challenge(request, ip)))


def check(
    gate: Gate, payload: object, request: RequestContext, ip: str, now_ms: int
) -> Generator[Effect, object, AltchaChecked]:
    """Whether the payload of a form is accepted; it is no second time. Never raises."""
    try:
        found = yield from _checked(gate, payload, gate.binding.of_challenge(request, ip), now_ms)
    except Exception as error:
        gate.journal.swallowed("altcha", error)
        found = AltchaChecked(False, "unavailable")
    gate.journal.count(f"altcha.{found.why or 'passed'}")
    return found


def _checked(gate: Gate, payload: object, bound_to: str, now_ms: int) -> Generator[Effect, object, AltchaChecked]:
    found, solved = gate.altcha.solved(payload, now_ms, bound_to)
    if not found.passed:
        return found
    expires_ms = int(solved.expires_s * 1000)
    if not (yield from spent_first(gate, f"altcha:{solved.id}", expires_ms, now_ms)):
        return AltchaChecked(False, "spent")
    gate.altcha.tally.passed(now_ms)
    return found


def _too_many(gate: Gate, ip: str) -> Generator[Effect, object, int]:
    """Seconds to wait for another challenge; 0 where there is one now."""
    hit = Hit(f"gate:altcha:{gate.binding.of_limit(ip)}", Algorithm.FIXED_WINDOW, MOST_POSED, POSED_WINDOW_NS)
    verdict = (yield from metered([hit], gate.journal))[0]
    return 0 if verdict.admitted else max(1, whole_seconds(verdict.retry_after))
