"""What is sent to a provider. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import httpcore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doorward.challenges.providers.provider import Provider
    from doorward.service.client.endpoint import Endpoint

_KINDS = {"form": "application/x-www-form-urlencoded", "json": "application/json"}


class Call:
    """One request. Its text says nothing of what is in it: that would be a secret.

    Args:
        method: Of HTTP.
        target: Path and query.
        headers: What is said by this provider's rules.
        body: Its bytes.
        seconds: For all of it.
    """

    __slots__ = ("body", "headers", "method", "seconds", "target")

    def __init__(self, method: str, target: str, headers: Mapping[str, str], body: bytes, seconds: float) -> None:
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
        self.seconds = seconds

    def __repr__(self) -> str:
        return f"Call(method={self.method!r}, seconds={self.seconds!r})"


def call_for(provider: Provider, values: Mapping[str, str], seconds: float) -> Call:
    """The request that asks about a response.

    Args:
        provider: Who is asked.
        values: By the names that the table has for them; what is empty is left out.
        seconds: For all of it.
    """
    parameters = {name: values[what] for name, what in provider.parameters.items() if values.get(what)}
    headers = {name: values[what] for name, what in provider.headers.items() if values.get(what)}
    target = urlsplit(provider.verify_url).path or "/"
    if provider.encoding == "query":
        return Call(provider.method, f"{target}?{urlencode(parameters)}", headers, b"", seconds)
    body = json.dumps(_nested(parameters)) if provider.encoding == "json" else urlencode(parameters)
    headers["Content-Type"] = _KINDS[provider.encoding]
    return Call(provider.method, target, headers, body.encode(), seconds)


def _nested(parameters: Mapping[str, str]) -> dict[str, Any]:
    """Paths as objects within objects."""
    whole: dict[str, Any] = {}
    for path, value in parameters.items():
        *outer, last = path.split(".")
        inner = whole
        for name in outer:
            inner = inner.setdefault(name, {})
        inner[last] = value
    return whole


class Head:
    """Makes the requests of one provider.

    Args:
        endpoint: Where it is.

    Attributes:
        origin: Of all connections. TLS is the network's, so that httpcore has to do with plain HTTP only.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        from doorward import __version__

        self.origin = httpcore.Origin(b"http", endpoint.host.encode(), endpoint.port)
        self._headers = [
            (b"Host", endpoint.authority.encode()),
            (b"User-Agent", f"doorward/{__version__}".encode()),
            (b"Accept", b"application/json"),
            # A few kilobytes that inflate to gigabytes are no answer to anybody.
            (b"Accept-Encoding", b"identity"),
        ]

    def request(self, call: Call, seconds: float) -> httpcore.Request:
        """A request."""
        own = [(name.encode(), value.encode()) for name, value in call.headers.items()]
        length = [(b"Content-Length", b"%d" % len(call.body))]
        url = httpcore.URL(scheme=b"http", host=self.origin.host, port=self.origin.port, target=call.target.encode())
        return httpcore.Request(call.method, url, headers=[*self._headers, *own, *length], content=call.body)


__all__ = ["Call", "Head", "call_for"]
