"""Asks a decision service for its log, for ``doorward tail``."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import httpx

from doorward.errors import ConfigurationError, ServiceError
from doorward.printable import describe, printable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

MOST_BYTES = 16 << 20
_LARGEST = 2**63 - 1
_TIMEOUT = 10.0
_WAIT = 15


class LogClient:
    """The log of a service, over HTTP.

    Args:
        url: Of the service.
        key: Of a site, whose decisions are seen.
        transport: For tests.

    Raises:
        ConfigurationError: The URL or the key cannot be one.
    """

    def __init__(self, url: str, key: str, transport: httpx.BaseTransport | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ConfigurationError("service", "must be the URL of a service, such as http://127.0.0.1:8710")
        if not key or not key.isascii() or not key.isprintable():
            raise ConfigurationError("key", "must be a site key, as `doorward keys add` shows it once")
        self._client = httpx.Client(
            base_url=url,
            headers={"authorization": f"Bearer {key}", "accept-encoding": "identity"},
            timeout=_TIMEOUT + _WAIT,
            follow_redirects=False,
            transport=transport,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    def find(self, decision: str) -> dict[str, Any] | None:
        """One decision; None where there is none.

        Raises:
            ServiceError: No usable answer came.
        """
        status, answer = self._get(f"v1/decisions/{quote(decision, safe='')}", {})
        return None if status == 404 and answer.get("code") == "not_found" else _good(status, answer)

    def after(self, filters: Mapping[str, str], cursor: int, limit: int) -> tuple[list[dict[str, Any]], int]:
        """What has come since ``cursor``, and the next cursor; waits some seconds for something to come.

        Raises:
            ServiceError: No usable answer came.
        """
        wait = _WAIT if cursor else 0
        parameters = {**filters, "after": str(cursor), "limit": str(limit), "wait": str(wait)}
        answer = _good(*self._get("v1/decisions", parameters))
        found, following = answer.get("decisions"), answer.get("cursor")
        if not (isinstance(found, list) and all(isinstance(each, dict) for each in found)):
            raise ServiceError("the answer makes no sense: it is no service of doorward's, or of another version")
        if not (isinstance(following, str) and following.isascii() and following.isdecimal() and len(following) < 20):
            raise ServiceError("the answer makes no sense: it has no cursor")
        return found, min(int(following), _LARGEST)

    def _get(self, path: str, parameters: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        try:
            with self._client.stream("GET", path, params=parameters) as response:
                body = _read(response)
                status = response.status_code
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise ServiceError(f"the service does not answer: {describe(error)}") from error
        try:
            answer = json.loads(body)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise ServiceError(f"the answer makes no sense: HTTP status {status}, and no JSON")
        return status, answer


def _read(response: httpx.Response) -> bytes:
    """The body, if it is neither too long nor too slow."""
    ends = time.monotonic() + _TIMEOUT + _WAIT
    body = bytearray()
    for part in response.iter_raw():
        body += part
        if len(body) > MOST_BYTES:
            raise ServiceError(f"the answer is longer than {MOST_BYTES} bytes")
        if time.monotonic() > ends:
            raise ServiceError("the answer comes too slowly")
    return bytes(body)


def _good(status: int, answer: dict[str, Any]) -> dict[str, Any]:
    if status == 200:
        return answer
    message, code = (printable(str(answer.get(name, "")), 300) for name in ("message", "code"))
    raise ServiceError(message or f"HTTP status {status}", code)


__all__ = ["LogClient"]
