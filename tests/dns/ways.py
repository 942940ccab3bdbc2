"""The two ways to wait, so that each test runs through both."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from doorward.effects import DnsAnswer, DnsKind
from doorward.resolver import DnsResolver

SOON, LATE = 0.05, 20.0
"""Deadlines of seconds: of questions that nobody answers, and of those that are."""

Way = Callable[..., DnsAnswer]


def blocking(resolver: DnsResolver, name: str, kind: str = "MX", timeout: float = LATE) -> DnsAnswer:
    return resolver.resolve(name, DnsKind(kind), timeout)


def awaiting(resolver: DnsResolver, name: str, kind: str = "MX", timeout: float = LATE) -> DnsAnswer:
    return asyncio.run(resolver.resolve_async(name, DnsKind(kind), timeout))


WAYS = [blocking, awaiting]
