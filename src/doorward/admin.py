"""What operators ask of a client's counters: generators of effects, like the engine, so that they exist once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from doorward.asking import token_of
from doorward.duration import seconds
from doorward.effects import AskStore, Hit
from doorward.errors import ConfigurationError
from doorward.printable import describe
from doorward.reason import RateLimitReason
from doorward.rules.limits import StaticLimit

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from doorward.bound import Bound
    from doorward.duration import Duration
    from doorward.effects import Charge, Effect, Verdict
    from doorward.engine import Engine
    from doorward.fingerprint import Fingerprint, Scalar
    from doorward.runtime import Runtime

LONGEST_BAN = "366d"
EPOCH_KEPT = 31 * 86_400.0
"""Seconds: longer than any clearance holds."""


class ClientState(NamedTuple):
    """How one client stands.

    Attributes:
        banned_for: Seconds left of its ban, or None.
        limits: State of each limit that counts by this kind of client, by the limit's name.
        refused_for: Seconds for which it is refused for what it was suspected of, by the name of the rule.
    """

    banned_for: float | None
    limits: dict[str, RateLimitReason]
    refused_for: dict[str, float]


def peek(
    runtime: Runtime, engine: Engine, client: Scalar | Mapping[str, Scalar]
) -> Generator[Effect, Any, ClientState]:
    """How a client stands, without charging it."""
    counters = [
        (bound, Hit(bound.key("", fingerprint), *bound.rule.quota[1:]))
        for bound, fingerprint in _named(runtime, engine, client)
        if isinstance(bound.rule, StaticLimit)
    ]
    verdicts: Sequence[Verdict] = yield AskStore("peek", (tuple(hit for _, hit in counters),))
    bans: Mapping[str, float] = yield AskStore("bans")
    key = _ban_key(engine, client)
    now_ns = runtime.clock.now_ns()
    limits: dict[str, RateLimitReason] = {}
    for (bound, hit), verdict in zip(counters, verdicts, strict=True):
        reason = RateLimitReason(hit.max, verdict.remaining, _reset(verdict), hit.interval / 1e9, now_ns)
        # Limits of two routes may have one name; their scopes differ.
        limits[bound.name if bound.name not in limits else f"{bound.name} ({bound.scope})"] = reason
    refused = {name: bans[key] for name, key in _bars(runtime, engine, client) if key in bans}
    return ClientState(bans.get(key) if key is not None else None, limits, refused)


def reset(runtime: Runtime, engine: Engine, client: Scalar | Mapping[str, Scalar]) -> Generator[Effect, Any, int]:
    """Forget what a client has used, and what it was suspected of; how many counters. A ban stays."""
    forgotten = 0
    for bound, fingerprint in _named(runtime, engine, client):
        forgotten += yield AskStore("reset", (bound.key("", fingerprint),))
    for _, key in _bars(runtime, engine, client):
        yield AskStore("unban", (key,))
    runtime.refusals.clear()
    return forgotten


def refund(runtime: Runtime, charges: Sequence[Charge]) -> Generator[Effect, Any, None]:
    """Take charges back; that these counters have refused somebody is then not to be believed any more."""
    counted = [(charge, *token_of(charge.hit.key)) for charge in charges]
    tokens = [token for _, _, token in counted if token]
    if tokens and runtime.service is not None:
        runtime.service.refund(tokens)
    if own := tuple([charge for charge, _, token in counted if not token]):
        yield AskStore("refund", (own,))
    for _, key, _ in counted:
        runtime.refusals.forget(key)


def ban(
    runtime: Runtime, engine: Engine, client: Scalar | Mapping[str, Scalar], duration: Duration
) -> Generator[Effect, Any, None]:
    """Refuse a client for ``duration``."""
    ttl = seconds(duration, "duration")
    if ttl <= 0:
        raise ConfigurationError("duration", f"must be over 0, not {duration!r}")
    yield AskStore("ban", (_required_ban_key(engine, client), ttl))
    runtime.refusals.clear()
    runtime.journal.count("ban")


def unban(runtime: Runtime, engine: Engine, client: Scalar | Mapping[str, Scalar]) -> Generator[Effect, Any, bool]:
    """Lift a ban, and what refuses a client for what it was suspected of, which is forgotten; whether there was any."""
    lifted: bool = yield AskStore("unban", (_required_ban_key(engine, client),))
    for _, key in _bars(runtime, engine, client):
        if (yield AskStore("unban", (key,))):
            lifted = True
            # Or the next trace of suspicion would refuse it again.
            yield AskStore("reset", (key,))
    runtime.refusals.clear()
    return lifted


def bans(engine: Engine) -> Generator[Effect, Any, dict[str, float]]:
    """The bans of one client: fingerprints, and the seconds left to each."""
    all_bans: Mapping[str, float] = yield AskStore("bans")
    prefix = engine.ban.prefix
    return {key.removeprefix(prefix): left for key, left in all_bans.items() if key.startswith(prefix)}


def stats(runtime: Runtime) -> Generator[Effect, Any, dict[str, int]]:
    """Counters of this process, and the store's own figures where it answers."""
    figures: dict[str, int] = {**runtime.journal.counts(), **(runtime.watch.figures() if runtime.watch else {})}
    if runtime.service is not None:
        figures.update({f"service.{name}": value for name, value in runtime.service.counts().items()})
    try:
        own: Mapping[str, int] = yield AskStore("stats")
        figures.update({f"store.{name}": value for name, value in own.items()})
    except Exception as error:
        runtime.journal.warn("stats", f"the store has no figures: {describe(error)}")
    return figures


def _named(runtime: Runtime, engine: Engine, client: Scalar | Mapping[str, Scalar]) -> list[tuple[Bound, Fingerprint]]:
    """The limits for which ``client`` names somebody, and who that is."""
    found = []
    for bound in dict.fromkeys([*engine.limits, *engine.barring, *runtime.routed]):
        fingerprint = _of_value(bound, client)
        if fingerprint is not None:
            found.append((bound, fingerprint))
    if not found:
        names = sorted({", ".join(bound.identity.names) for bound in [*engine.limits, engine.ban]})
        raise ConfigurationError("client", f"{client!r} names nobody: clients are counted by {' or '.join(names)}")
    return found


def _bars(runtime: Runtime, engine: Engine, client: Scalar | Mapping[str, Scalar]) -> list[tuple[str, str]]:
    """The rules that may refuse a client for what it was suspected of: name, and key in the store."""
    barring = dict.fromkeys([*engine.barring, *[bound for bound in runtime.routed if bound.rule.sums_up]])
    named = [(bound, _of_value(bound, client)) for bound in barring]
    return [(bound.name, bound.key("", fingerprint)) for bound, fingerprint in named if fingerprint is not None]


def _of_value(bound: Bound, client: Scalar | Mapping[str, Scalar]) -> Fingerprint | None:
    try:
        return bound.identity.of_value(client)
    except ValueError:
        return None  # no address, and this rule counts by address


def _ban_key(engine: Engine, client: Scalar | Mapping[str, Scalar]) -> str | None:
    fingerprint = _of_value(engine.ban, client)
    return engine.ban.key("", fingerprint) if fingerprint is not None else None


def _required_ban_key(engine: Engine, client: Scalar | Mapping[str, Scalar]) -> str:
    key = _ban_key(engine, client)
    if key is None:
        names = ", ".join(engine.ban.identity.names)
        raise ConfigurationError("client", f"must be a value of {names}, or map each of them, not {client!r}")
    return key


def _reset(verdict: Verdict) -> float:
    return verdict.reset_after if verdict.admitted else verdict.retry_after


def revoke_clearances(runtime: Runtime) -> Generator[Effect, Any, None]:
    """Refuse what clients were handed up to now."""
    now_ms = runtime.clock.now_ns() // 1_000_000
    # First here: the caller's own next request must know, whatever becomes of the store.
    runtime.gatekeeper.revoke(now_ms)
    yield AskStore("put", (runtime.gatekeeper.epoch_key, str(now_ms).encode(), EPOCH_KEPT))
