"""The way to one provider: connections that are used again, one deadline for all of a call, and a circuit breaker.

The transport is the decision service's: one attempt, no redirect, no compression, a bounded reply, safe over threads,
event loops and forks. Nothing of a call is logged, by us or by the libraries below.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from doorward.challenges.providers.answers import is_failure
from doorward.challenges.providers.calls import Head
from doorward.challenges.providers.trouble import ProviderFailed
from doorward.errors import ConfigurationError, ServiceError
from doorward.service.client.http_transport import HttpTransport
from doorward.service.client.trouble import TooLate
from doorward.stores.outage import Breaker

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from doorward.challenges.providers.calls import Call
    from doorward.service.client.transport import Reply

LARGEST = 65_536
"""Bytes of a reply, its head included. Those documented have less than 2,000."""
FAILURES = 5
"""One after the other, after which a provider is left alone."""
FIRST_WAIT, LONGEST_WAIT = 1.0, 30.0
"""Seconds until somebody is let through to see whether it is back; the wait doubles with each who finds it is not."""


class Wire:
    """Asks one provider.

    Args:
        name: The provider's, for messages.
        url: Where it verifies.
        field: The argument of that name, for the error.
        verify: Whose certificates to believe; see :class:`HttpTransport`.
        clock: Monotonic seconds.
        chance: A number from 0 to 1.

    Raises:
        ConfigurationError: Something is wrong with the URL.
    """

    def __init__(
        self,
        name: str,
        url: str,
        *,
        field: str = "verify_url",
        verify: bool | str | ssl.SSLContext = True,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        parts = urlsplit(url)
        try:
            origin = f"{parts.scheme}://{parts.netloc}"
            self._transport = HttpTransport(origin, largest=LARGEST, verify=verify, requests=Head)
        except ConfigurationError as error:
            raise ConfigurationError(field, error.problem) from None
        self._name = name
        self._clock = clock
        self.breaker = Breaker(
            clock, chance, first=FIRST_WAIT, longest=LONGEST_WAIT, failures=FAILURES, patience=LONGEST_WAIT
        )

    @property
    def is_away(self) -> bool:
        """Whether it is left alone now."""
        return not self.breaker.closed and self.breaker.wait() > 0

    def send(self, call: Call) -> Reply:
        """Its reply, blocking.

        Raises:
            ProviderFailed: There is none.
        """
        began = self._begin()
        try:
            reply = self._transport.send(call)
        except ServiceError as error:
            raise self._failed(error, began) from None
        return self._replied(reply, began)

    async def asend(self, call: Call) -> Reply:
        """As :meth:`send`, awaiting."""
        began = self._begin()
        try:
            reply = await self._transport.asend(call)
        except ServiceError as error:
            raise self._failed(error, began) from None
        return self._replied(reply, began)

    def _begin(self) -> float:
        if self.breaker.closed or self.breaker.begin_probe():
            return self._clock()
        raise ProviderFailed("away", f"{self._name} is left alone for a while: {self.breaker.cause}")

    def _failed(self, error: ServiceError, began: float) -> ProviderFailed:
        message = str(error).replace("the decision service", self._name)
        self.breaker.failed(message, began)
        return ProviderFailed("late" if isinstance(error, TooLate) else "no_answer", message)

    def _replied(self, reply: Reply, began: float) -> Reply:
        if is_failure(reply.status):
            self.breaker.failed(f"{self._name} answers with status {reply.status}", began)
        else:
            self.breaker.succeeded()
        return reply


__all__ = ["Wire"]
