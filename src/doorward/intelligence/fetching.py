"""Fetches feeds over HTTP: conditional requests, bounded in time and in bytes, https only, nothing believed.

Each download has a :class:`~doorward.hard_deadline.HardDeadline`: httpx's own timeouts are for each read.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import time
from email.utils import parsedate_to_datetime
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urljoin, urlsplit

from doorward.errors import ConfigurationError, DoorwardError
from doorward.hard_deadline import HardDeadline
from doorward.intelligence.feed_formats import FeedRefused, gunzip
from doorward.printable import describe, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import httpx

MOST_REDIRECTS = 3
_REDIRECTS = (301, 302, 303, 307, 308)
_LONGEST_TAG = 1000


class FetchFailed(DoorwardError):
    """A feed could not be fetched; the message says why."""


class Fetched(NamedTuple):
    """What a server gave.

    Attributes:
        content: None when what we have is still current.
        etag: What the server calls it; empty when it gives it no name.
        modified: When the server says that it changed; empty when it does not say.
    """

    content: bytes | None
    etag: str = ""
    modified: str = ""


class Fetcher:
    """Fetches from several threads at once.

    Args:
        agent: What we call ourselves.
        deadline: Seconds that one download may take in all.
        patience: Seconds without a byte after which it is given up.
    """

    def __init__(self, agent: str, *, deadline: float = 120.0, patience: float = 20.0) -> None:
        import httpx  # 0.2 s, and needed here only

        self._deadline = deadline
        trusted = httpx.create_ssl_context()  # a twentieth of a second each
        # A connection for each request: that of an earlier one would be unknown to the deadline of this one.
        limits = httpx.Limits(max_keepalive_connections=0)
        direct = httpx.HTTPTransport(verify=trusted, limits=limits)  # no proxy leads to this machine
        self._client = httpx.Client(
            timeout=httpx.Timeout(min(patience, deadline)),
            headers={"user-agent": agent, "accept": "*/*", "accept-encoding": "gzip"},
            follow_redirects=False,
            cookies=_no_cookies(),
            verify=trusted,
            limits=limits,
            mounts=dict.fromkeys(("all://localhost", "all://127.0.0.1", "all://[::1]"), direct),
        )
        self._running: set[HardDeadline] = set()
        self._stopped = False

    def close(self) -> None:
        """Give up what is under way, and never begin again."""
        self._stopped = True
        for deadline in list(self._running):
            deadline.end()
        self._client.close()

    def fetch(self, url: str, largest: int, *, etag: str = "", modified: str = "") -> Fetched:
        """Fetch a feed, unless it is what we have.

        Args:
            url: https, or plain http on loopback.
            largest: The most bytes that it may have.
            etag: What the server called what we have.
            modified: When the server said that it had changed.

        Raises:
            FetchFailed: There was no answer, or not the right one, or too late.
            FeedRefused: It is too large, damaged, or a web page.
        """
        import httpx  # loaded by now

        headers = {"if-none-match": etag, "if-modified-since": modified}
        asked = {name: value for name, value in headers.items() if value}
        deadline = HardDeadline(self._deadline)
        self._running.add(deadline)
        try:
            with deadline:
                fetched = self._follow(url, largest, asked, deadline)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, RuntimeError) as error:
            raise FetchFailed(self._why(error, deadline)) from error
        finally:
            self._running.discard(deadline)
        if deadline.passed:  # a body without a length looks complete when its connection is shut down
            raise FetchFailed(self._why(TimeoutError(), deadline))
        return fetched

    def _why(self, error: Exception, deadline: HardDeadline) -> str:
        if self._stopped:
            return "was interrupted"
        return f"took longer than {self._deadline:g} s" if deadline.passed else f"gave no answer ({describe(error)})"

    def _follow(self, url: str, largest: int, headers: Mapping[str, str], deadline: HardDeadline) -> Fetched:
        extensions = {"trace": partial(_watch, deadline)}
        for _ in range(MOST_REDIRECTS + 1):
            if self._stopped:
                raise FetchFailed("was interrupted")
            with self._client.stream("GET", url, headers=headers, extensions=extensions) as response:
                if response.status_code not in _REDIRECTS:
                    return _taken(response, largest, conditional=bool(headers))
                url = _redirected(url, response.headers.get("location", ""))
        raise FetchFailed(f"was redirected more than {MOST_REDIRECTS} times")


def check_url(field: str, url: str) -> None:
    """Make sure that a feed's address is https, or http on this machine.

    Raises:
        ConfigurationError: It is neither.
    """
    if not _is_fit(url):
        raise ConfigurationError(field, f"{printable(url)!r} must begin with https:// (http:// on loopback only)")


def _is_fit(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host)))


def is_loopback(host: str) -> bool:
    """Whether a host's name or address is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _redirected(url: str, location: str) -> str:
    try:
        target = urljoin(url, location)
    except ValueError:
        target = ""
    # From https nothing leads back to http, also not on loopback: somebody else would choose what we ask there.
    if not location or not _is_fit(target) or (urlsplit(url).scheme, urlsplit(target).scheme) == ("https", "http"):
        raise FetchFailed(f"was redirected to {printable(location)!r}, which is not https")
    return target


def _taken(response: httpx.Response, largest: int, *, conditional: bool) -> Fetched:
    if response.status_code == 304 and conditional:
        return Fetched(None)
    if response.status_code != 200:
        raise FetchFailed(f"answered {response.status_code}{_retry(response)}")
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in ("text/html", "application/xhtml+xml"):
        raise FeedRefused("is a web page, not data")
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", "x-gzip", ""):
        raise FetchFailed(f"came in the encoding {printable(encoding)!r}, which was not asked for")
    content = _bounded(response.iter_raw(), largest)
    if encoding.endswith("gzip"):
        content = gunzip(content, largest)
    return Fetched(content, _tag(response, "etag"), _tag(response, "last-modified"))


def _tag(response: httpx.Response, name: str) -> str:
    """A header that we shall send back; what cannot be sent is as good as none."""
    value: str = response.headers.get(name, "")
    return value if value.isascii() and value.isprintable() and len(value) <= _LONGEST_TAG else ""


def _bounded(chunks: Iterator[bytes], largest: int) -> bytes:
    content = bytearray()
    for chunk in chunks:
        content += chunk
        if len(content) > largest:
            raise FeedRefused(f"has more than {largest} bytes")
    return bytes(content)


def _retry(response: httpx.Response) -> str:
    """When the server wants to be asked again: in words, from seconds or a date (RFC 9110 section 10.2.3)."""
    value = response.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit() and len(value) <= 9:
        return f"; it wants to be asked again in {int(value)} s"
    with contextlib.suppress(ValueError, OverflowError):
        seconds = parsedate_to_datetime(value).timestamp() - time.time()
        return f"; it wants to be asked again in {max(0, round(seconds))} s"
    return ""


def _no_cookies() -> Any:
    """A jar that takes none."""
    from http.cookiejar import CookieJar, DefaultCookiePolicy

    return CookieJar(DefaultCookiePolicy(allowed_domains=[]))


def _watch(deadline: HardDeadline, event: str, info: Mapping[str, Any]) -> None:
    """Take note of a connection: httpcore's tracing tells of each as it is made, and httpx only with the answer."""
    if event.endswith("connect_tcp.complete"):
        found = info["return_value"].get_extra_info("socket")
        if isinstance(found, socket.socket):
            deadline.watch(found)
