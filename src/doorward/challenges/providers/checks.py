"""Whether a response that the provider vouches for is one for us, now. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from doorward.challenges.providers.answers import host_of, key_of

if TYPE_CHECKING:
    from doorward.challenges.providers.provider import Provider
    from doorward.challenges.providers.settings import HostedSettings
    from doorward.challenges.providers.verified import Verified

SKEW = 60.0
"""Seconds that our clock and the provider's may be apart."""


def judged(
    provider: Provider, settings: HostedSettings, found: Verified, *, host: str, action: str, now: float
) -> Verified:
    """``found``, refused where a check does not agree.

    Args:
        provider: Who says it.
        settings: What is asked for.
        found: What the provider says; that it passed.
        host: The authority that the request names.
        action: What the response must have been made for.
        now: Seconds since the Unix epoch.
    """
    if found.solved_at is not None:
        found = replace(found, age=now - found.solved_at)
    for why in (
        _key(provider, settings, found),
        _hostname(provider, settings, found, host),
        _action(provider, found, action),
        _score(provider, settings, found),
        _age(provider, settings, found),
    ):
        if why:
            return replace(found, passed=False, why=why)
    return found


def _key(provider: Provider, settings: HostedSettings, found: Verified) -> str:
    key = key_of(provider, found)
    return "site_key" if key is not None and key != settings.site_key else ""


def _hostname(provider: Provider, settings: HostedSettings, found: Verified, host: str) -> str:
    if not provider.hostname or settings.any_host:
        return ""
    if not found.hostname:
        return "incomplete"
    wanted = settings.hostnames if settings.hostnames is not None else {host_of(host)}
    return "" if found.hostname in wanted else "hostname"


def _action(provider: Provider, found: Verified, action: str) -> str:
    if not provider.action or found.action == action:
        return ""
    return "action" if found.action else "incomplete"


def _score(provider: Provider, settings: HostedSettings, found: Verified) -> str:
    if not provider.score:
        return ""
    if found.score is None:
        return "incomplete"
    return "score" if found.score < settings.min_score else ""


def _age(provider: Provider, settings: HostedSettings, found: Verified) -> str:
    if not provider.solved_at:
        return ""
    if found.age is None:
        return "incomplete"
    if found.age < -SKEW:
        return "future"
    return "old" if found.age > settings.max_age else ""
