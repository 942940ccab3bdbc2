"""Where the service is, and by which key it knows us: checked once, when the client is built."""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from doorward.errors import ConfigurationError

if TYPE_CHECKING:
    from urllib.parse import SplitResult

PORTS = {"http": 80, "https": 443}
_EXAMPLE = "such as https://doorward.example.com"


@dataclass(frozen=True)
class Endpoint:
    """A service.

    Attributes:
        host: A name or an address, without brackets.
        port: TCP.
        prefix: What all paths begin with, without a slash at its end.
        authority: As the ``Host`` header has it.
        tls: How to make sure whom we talk to; None for plain HTTP.
    """

    host: str
    port: int
    prefix: str
    authority: str
    tls: ssl.SSLContext | None

    @property
    def url(self) -> str:
        """Of the service, without a slash at its end."""
        return f"{'http' if self.tls is None else 'https'}://{self.authority}{self.prefix}"


def read_endpoint(url: str, verify: bool | str | ssl.SSLContext) -> Endpoint:  # noqa: FBT001  (httpx's name for it)
    """The service at ``url``.

    Args:
        url: http or https, with a host, and as a rule nothing else.
        verify: Whose certificates to believe: those that this host believes (True), any (False: whoever is on the way
            can then read the key), those of a file or folder of authorities, or what a context says.

    Raises:
        ConfigurationError: Something is wrong with one of them.
    """
    parts = _split(url)
    if parts.scheme not in PORTS or not parts.hostname:
        raise ConfigurationError("service", f"must be an http or https URL with a host, {_EXAMPLE}")
    if parts.username is not None or parts.query or parts.fragment or url.endswith(("?", "#")):
        raise ConfigurationError("service", f"must have no user name, query or fragment, {_EXAMPLE}")
    host, port = _host(parts.hostname), _port(parts)
    named = f"[{host}]" if ":" in host else host
    return Endpoint(
        host=host,
        port=port,
        prefix=parts.path.rstrip("/"),
        authority=named if port == PORTS[parts.scheme] else f"{named}:{port}",
        tls=_context(verify) if parts.scheme == "https" else None,
    )


def check_key(key: object) -> str:
    """The key.

    Raises:
        ConfigurationError: It is none, or could not be sent as it is.
    """
    if not isinstance(key, str) or not key:
        raise ConfigurationError("key", "a decision service needs the key that it knows this application by")
    if not all("!" <= character <= "~" for character in key):
        raise ConfigurationError("key", "must be printable ASCII without spaces")
    return key


def _split(url: object) -> SplitResult:
    # urlsplit leaves out line breaks and tabs, wherever they are.
    if not isinstance(url, str) or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise ConfigurationError("service", f"must be a URL in ASCII without spaces, {_EXAMPLE}")
    try:
        return urlsplit(url)
    except ValueError:
        raise ConfigurationError("service", f"is no URL; {_EXAMPLE}") from None


def _host(name: str) -> str:
    if ":" in name:
        return name
    labels = name.removesuffix(".").split(".")
    good = all(0 < len(label) < 64 and label.replace("-", "").replace("_", "").isalnum() for label in labels)
    if not good or len(name) > 253:
        raise ConfigurationError("service", f"has a host that is no name of the DNS and no address; {_EXAMPLE}")
    return name


def _port(parts: SplitResult) -> int:
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise ConfigurationError("service", "has a port that is no number from 1 to 65535")
    return port or PORTS[parts.scheme]


def _context(verify: bool | str | ssl.SSLContext) -> ssl.SSLContext:  # noqa: FBT001
    if isinstance(verify, ssl.SSLContext):
        return verify
    context = ssl.create_default_context()
    if isinstance(verify, str):
        _believe(context, verify)
    elif not verify:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    elif not ssl.get_default_verify_paths().cafile and not context.get_ca_certs():
        _believe_certifi(context)
    context.set_alpn_protocols(["http/1.1"])
    return context


def _believe(context: ssl.SSLContext, path: str) -> None:
    from pathlib import Path

    folder = Path(path).is_dir()
    try:
        context.load_verify_locations(**{"capath" if folder else "cafile": path})
    except OSError as error:
        raise ConfigurationError("verify", f"holds no certificates that can be read: {error.strerror}") from None


def _believe_certifi(context: ssl.SSLContext) -> None:
    """Some builds of Python come with no authorities; httpx brings some, for which it takes certifi."""
    import certifi

    context.load_verify_locations(certifi.where())


def is_address(host: str) -> bool:
    """Whether ``host`` needs no look-up."""
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


__all__ = ["Endpoint", "check_key", "is_address", "read_endpoint"]
