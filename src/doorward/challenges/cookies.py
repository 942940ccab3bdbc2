"""The cookies that hold tokens (RFC 6265bis): for this host alone, and for HTTPS alone, where that can be.

A name that begins with ``__Host-`` a browser takes only from the host itself, over HTTPS. Without it, a page of any
other host below the same domain, or whoever stands in the way of one request over HTTP, could put a cookie of their own
in the place of ours. Hence the plain name is read only where the other could not have been set: over HTTP.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doorward.challenges.options import ChallengeSettings
    from doorward.client_ip import ClientIPPolicy
    from doorward.context import RequestContext

NAME = "doorward"
CLIENT_NAME = "doorward-client"
HOST_NAME = f"__Host-{NAME}"
MOST_READ = 4
"""Cookies of one name that are looked at: a client may send as many as it likes."""
_SECURE = frozenset({"https", "wss"})


class Cookies:
    """Writes and reads the cookies of one client of doorward.

    Args:
        settings: Checked options.
        ips: Knows which proxies may say that the client uses HTTPS; None where the server's word is all there is.
    """

    def __init__(self, settings: ChallengeSettings, ips: ClientIPPolicy | None = None) -> None:
        self._always = settings.secure
        self._domain = settings.domain
        self._lifetime = int(settings.lifetime)
        self._ips = ips

    def clearances(self, request: RequestContext) -> Sequence[str]:
        """The tokens that a request brings, the best guarded first."""
        return self.read(NAME, request)

    def read(self, name: str, request: RequestContext) -> Sequence[str]:
        """The values of the cookie ``name`` that may be ours, the best guarded first."""
        guarded = request.cookies(f"__Host-{name}")
        if self._domain:
            guarded = [*guarded, *request.cookies(f"__Secure-{name}")]
        plain = request.cookies(name)
        if plain and not self.secure(request):
            return [*guarded, *plain][:MOST_READ]
        return guarded[:MOST_READ]

    def written(self, token: str, request: RequestContext) -> str:
        """The value of Set-Cookie that keeps a clearance."""
        return self.kept(NAME, token, request, self._lifetime)

    def kept(self, name: str, token: str, request: RequestContext, lifetime: int) -> str:
        """The value of Set-Cookie that keeps ``token`` for ``lifetime`` seconds.

        ``SameSite=Lax``: under ``Strict`` whoever follows a link from another site would be challenged again.
        """
        secure = self.secure(request)
        prefix = "" if not secure else "__Secure-" if self._domain else "__Host-"
        parts = [f"{prefix}{name}={token}", "Path=/", f"Max-Age={lifetime}", "HttpOnly", "SameSite=Lax"]
        if self._domain:
            parts.append(f"Domain={self._domain}")
        if secure:
            parts.append("Secure")
        return "; ".join(parts)

    def secure(self, request: RequestContext) -> bool:
        """Whether the client uses HTTPS, so that its browser takes cookies for HTTPS only."""
        if self._always is not None:
            return self._always
        if self._ips is None:
            return request.scheme.lower() in _SECURE
        return self._ips.scheme(request.peer, request.header_values, request.scheme) in _SECURE
