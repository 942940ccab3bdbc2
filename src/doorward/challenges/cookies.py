"""The cookie that holds a clearance (RFC 6265bis): for this host alone, and for HTTPS alone, where that can be."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doorward.challenges.options import ChallengeSettings
    from doorward.context import RequestContext

NAME = "doorward"
HOST_NAME = f"__Host-{NAME}"
MOST_READ = 4
"""Cookies of one name that are looked at: a client may send as many as it likes."""


class Cookies:
    """Writes and reads the cookie.

    Args:
        settings: Checked options.
    """

    def __init__(self, settings: ChallengeSettings) -> None:
        self._secure = settings.secure
        self._domain = settings.domain
        self._lifetime = int(settings.lifetime)

    def clearances(self, request: RequestContext) -> Sequence[str]:
        """The tokens that a request brings."""
        return [*request.cookies(HOST_NAME), *request.cookies(NAME)][:MOST_READ]

    def written(self, token: str, request: RequestContext) -> str:
        """The value of Set-Cookie."""
        secure = self._secure if self._secure is not None else request.scheme in ("https", "wss")
        name = HOST_NAME if secure and not self._domain else NAME
        parts = [f"{name}={token}", "Path=/", f"Max-Age={self._lifetime}", "HttpOnly", "SameSite=Lax"]
        if self._domain:
            parts.append(f"Domain={self._domain}")
        if secure:
            parts.append("Secure")
        return "; ".join(parts)
