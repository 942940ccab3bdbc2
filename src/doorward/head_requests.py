"""Asks web servers for a status, and tells nobody else what was asked for.

A URL may hold the hash of somebody's e-mail address. httpx logs each URL at INFO, and httpcore at DEBUG the headers of
the answer, in which a server may repeat it; ``urllib`` logs nothing.
"""

from __future__ import annotations

from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING, Any
from urllib.error import URLError
from urllib.request import AbstractHTTPHandler, OpenerDirector, ProxyHandler, Request

from doorward.hard_deadline import HardDeadline

if TYPE_CHECKING:
    from ssl import SSLContext


class HeadRequests:
    """Sends HEAD requests, through the proxies that the environment names; follows no redirects. Thread safe.

    Args:
        agent: What we call ourselves.
        trusted: Whose certificates are believed.
    """

    def __init__(self, agent: str, trusted: SSLContext) -> None:
        self._opener = OpenerDirector()  # without the handlers that follow redirects, and those of files and FTP
        self._opener.addheaders = [("User-Agent", agent)]
        self._opener.add_handler(ProxyHandler())
        self._opener.add_handler(_Handler(trusted))

    def status(self, url: str, timeout: float) -> int:
        """The status that a server answers with.

        Args:
            url: http or https.
            timeout: Seconds that all of it may take, but for the resolution of the host's name.

        Raises:
            TimeoutError: It took longer.
            OSError: There is no answer. The text does not have the URL.
        """
        deadline = HardDeadline(timeout)
        try:
            with deadline:
                return self._status(_Request(url, deadline), timeout)
        except (HTTPException, OSError, RuntimeError, ValueError) as error:
            if deadline.passed:
                raise TimeoutError from None
            raise _without_url(error) from None

    def _status(self, request: _Request, timeout: float) -> int:
        response = self._opener.open(request, timeout=timeout)
        if response is None:
            raise ValueError("nobody handles this scheme")
        with response:
            status: int = response.status
            return status


def _without_url(error: Exception) -> OSError:
    """What went wrong; texts that may quote the URL or the answer are left out."""
    if isinstance(error, URLError) and isinstance(error.reason, OSError):
        error = error.reason
    if isinstance(error, OSError) and not isinstance(error, URLError | HTTPException):
        return error
    return ConnectionError(f"no usable URL or answer ({type(error).__name__})")


class _Request(Request):
    def __init__(self, url: str, deadline: HardDeadline) -> None:
        super().__init__(url, method="HEAD")
        self.deadline = deadline


class _Connection(HTTPConnection):
    deadline: HardDeadline

    def connect(self) -> None:
        super().connect()
        self.deadline.watch(self.sock)


class _TlsConnection(HTTPSConnection, _Connection):
    """In this order: HTTPSConnection's ``connect`` calls the one above before it begins with TLS."""


def _made(kind: type[_Connection], deadline: HardDeadline, host: str, **options: Any) -> _Connection:
    connection = kind(host, **options)
    connection.deadline = deadline
    return connection


class _Handler(AbstractHTTPHandler):
    http_request = https_request = AbstractHTTPHandler.do_request_

    def __init__(self, trusted: SSLContext) -> None:
        super().__init__()
        self._trusted = trusted

    def http_open(self, request: _Request) -> Any:
        return self.do_open(partial(_made, _Connection, request.deadline), request)

    def https_open(self, request: _Request) -> Any:
        return self.do_open(partial(_made, _TlsConnection, request.deadline), request, context=self._trusted)
