"""Where the service is and whether it is the right one: URLs, keys and certificates."""

from __future__ import annotations

import ssl
import time

import pytest
from tests.chaos.http_server import CERTIFICATE, Chaos, echo
from tests.service.client.ways import KEY, Way

from doorward.errors import ConfigurationError
from doorward.service.client.deadline_network import Deadline
from doorward.service.client.endpoint import read_endpoint
from doorward.service.client.http_transport import HttpTransport

# --- TLS


@pytest.mark.parametrize("trust", ["file", "context", "nobody"])
def test_tls(trust: str, ask: Way) -> None:
    """With the authorities of a file, with a context of one's own, or for once with any; connections are used again."""
    context = ssl.create_default_context(cafile=str(CERTIFICATE))
    verify = {"file": str(CERTIFICATE), "context": context, "nobody": False}[trust]
    with Chaos(echo, tls=True) as server:
        transport = HttpTransport(server.url, KEY, verify=verify)
        assert [answer.status for answer in ask(transport, 5, seconds=5.0)] == [200] * 5
        assert server.accepted == 1
        transport.close()


def test_a_certificate_of_nobody_known_is_said_to_be_that(ask: Way) -> None:
    """In words that an operator can act upon."""
    with Chaos(echo, tls=True) as server:
        transport = HttpTransport(server.url, KEY)
        (error,) = ask(transport, seconds=5.0)
        transport.close()
    assert "its certificate is not believed (self-signed certificate)" in str(error)
    assert server.arrived == 0


# --- what it refuses to be built with


@pytest.mark.parametrize(
    "url",
    [
        "",
        "doorward.example.com",
        "ftp://doorward.example.com",
        "http://",
        "https:///path",
        "http://user@doorward.example.com",
        "http://user:secret@doorward.example.com",
        "http://doorward.example.com/?a=b",
        "http://doorward.example.com?",
        "http://doorward.example.com/#a",
        "http://doorward.example.com#",
        "http://doorward.example.com:0",
        "http://doorward.example.com:65536",
        "http://doorward.example.com:port",
        "http://doorward .example.com",
        "http://doorward.example.com/a\r\nX: y",
        "http://doorward\n.example.com",
        "http://dörward.example.com",
        "http://[::1",
        "http://a..b",
        "http://a%00b",
        "http://" + "a" * 64 + ".example",
        "http://a\\b",
        7,
        None,
    ],
    ids=repr,
)
def test_a_url_that_is_wrong_is_refused_at_once(url: object) -> None:
    """The error names the argument, and repeats no password."""
    with pytest.raises(ConfigurationError) as caught:
        HttpTransport(url, KEY)
    assert caught.value.field == "service"
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("key", ["", None, 7, "a b", "a\nb", "schlüssel", b"abc"], ids=repr)
def test_a_key_that_is_wrong_is_refused_at_once(key: object) -> None:
    """The error does not repeat it."""
    with pytest.raises(ConfigurationError) as caught:
        HttpTransport("http://a.example", key)
    assert caught.value.field == "key"


def test_certificates_that_cannot_be_read_are_refused_at_once(tmp_path: object) -> None:
    """The error names the argument."""
    with pytest.raises(ConfigurationError, match="verify"):
        HttpTransport("https://a.example", KEY, verify=f"{tmp_path}/none.pem")


@pytest.mark.parametrize(
    ("url", "host", "port", "prefix", "authority"),
    [
        ("http://a.example", "a.example", 80, "", "a.example"),
        ("https://a.example/", "a.example", 443, "", "a.example"),
        ("https://A.example:8443/x/y/", "a.example", 8443, "/x/y", "a.example:8443"),
        ("http://[2001:db8::1]:8080", "2001:db8::1", 8080, "", "[2001:db8::1]:8080"),
        ("http://192.0.2.1:80", "192.0.2.1", 80, "", "192.0.2.1"),
        ("http://doorward_service:8000", "doorward_service", 8000, "", "doorward_service:8000"),
    ],
    ids=["name", "tls", "prefix", "ipv6", "ipv4", "compose"],
)
def test_urls_that_are_right(url: str, host: str, port: int, prefix: str, authority: str) -> None:
    """Read as they are meant."""
    endpoint = read_endpoint(url, True)
    assert (endpoint.host, endpoint.port, endpoint.prefix, endpoint.authority) == (host, port, prefix, authority)
    assert (endpoint.tls is not None) == url.startswith("https")


def test_time_is_monotonic() -> None:
    """A step of the wall clock ends no call and prolongs none."""
    assert Deadline(5.0)._clock is time.monotonic
