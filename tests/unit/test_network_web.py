"""Questions to web servers, as both drivers have them answered: within the deadline, and without a trace in logs."""

from __future__ import annotations

import hashlib
import logging
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest
from tests.data.feed_server import CERTIFICATE, FeedServer
from tests.dns import server as dns
from tests.unit.performing import LATE, SOON, awaiting, blocking

from doorward.effects import AskWeb
from doorward.network import Network


@pytest.fixture(params=[blocking, awaiting], ids=lambda way: way.__name__)
def perform(request: pytest.FixtureRequest):
    return request.param


@pytest.fixture
def network() -> Iterator[Network]:
    made = Network()
    yield made
    made.close()


class _Web(BaseHTTPRequestHandler):
    released = threading.Event()
    gone = threading.Event()
    seen: ClassVar[list[tuple[str, str, str | None]]] = []

    def do_HEAD(self) -> None:
        self.seen.append((self.command, self.path, self.headers["User-Agent"]))
        if self.path == "/silent":
            self.released.wait(LATE)
            return
        if self.path == "/drip":
            self.drip()
            return
        self.send_response(int(self.path[1:4]))
        self.send_header("Location", "/200")
        self.send_header("Link", f"<{self.path}>; rel=canonical")
        self.send_header("Content-Length", str(2**40))
        self.end_headers()

    def drip(self) -> None:
        """Send a header that never ends, until the other side has gone."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Padding: ")
        drips_until_gone(self.connection, self.released, self.gone)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


def drips_until_gone(connection: socket.socket, released: threading.Event, gone: threading.Event) -> None:
    """A byte a moment: each of them comes in time."""
    try:
        while not released.wait(SOON / 10):
            connection.sendall(b"x")
    except OSError:
        gone.set()


@pytest.fixture
def web() -> Iterator[str]:
    _Web.released = threading.Event()
    _Web.gone = threading.Event()
    _Web.seen = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Web)
    server.daemon_threads = True
    server.block_on_close = False
    thread = threading.Thread(target=server.serve_forever, args=(0.005,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    _Web.released.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("status", [200, 302, 404, 500])
def test_the_web_answers_with_a_status(perform, network, web: str, status: int) -> None:
    """To HEAD, without a redirect being followed or a body read."""
    assert perform(network, AskWeb(f"{web}/{status}")) == [status]
    assert _Web.seen == [("HEAD", f"/{status}", "doorward")]


def test_a_web_server_that_hangs_is_given_up(perform, network, web: str) -> None:
    """At the deadline; one that is not there, and no URL, at once."""
    (error,) = perform(network, AskWeb(f"{web}/silent"), timeout=SOON)
    assert str(error) == "no answer within the deadline of 0.05 s"
    closed = f"http://{dns.closed_port()}/"
    for wrong in (closed, "http://[", "gopher://127.0.0.1/", "", "http://127.0.0.1:99999/"):
        (error,) = perform(network, AskWeb(wrong))
        assert str(error).startswith("asking the web failed: "), wrong


def test_a_web_server_that_drips_is_given_up(perform, network, web: str) -> None:
    """Its connection is shut down at the deadline: no thread goes on waiting for it."""
    (error,) = perform(network, AskWeb(f"{web}/drip"), timeout=SOON)
    assert str(error) == "no answer within the deadline of 0.05 s"
    assert _Web.gone.wait(LATE)


def test_a_web_server_that_drips_before_tls_is_spoken_is_given_up(perform, network) -> None:
    """A record whose end never comes."""
    gone, released = threading.Event(), threading.Event()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"\x16\x03\x03\x3f\xff")  # of a handshake, with 16,383 bytes
            drips_until_gone(connection, released, gone)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        (error,) = perform(network, AskWeb(f"https://127.0.0.1:{listener.getsockname()[1]}/"), timeout=SOON)
        assert str(error) == "no answer within the deadline of 0.05 s"
        assert gone.wait(LATE)
        released.set()
        thread.join()


SECRET = hashlib.sha256(b"ann@company.example").hexdigest()


@pytest.mark.parametrize("level", [logging.INFO, logging.DEBUG])
def test_what_the_web_is_asked_is_logged_nowhere(perform, network, web: str, caplog, level: int) -> None:
    """The URL has the hash of an address, and the server repeats it in its answer."""
    caplog.set_level(level)
    assert perform(network, AskWeb(f"{web}/404/{SECRET}?d=404")) == [404]
    assert SECRET in _Web.seen[0][1]
    assert SECRET not in caplog.text


@pytest.mark.parametrize("where", ["http://127.0.0.1:1/a b/", "http://127.0.0.1:1/ä/", "gopher://127.0.0.1/", ""])
def test_an_error_does_not_tell_what_was_asked_either(perform, network, where: str) -> None:
    """Its text ends up in logs."""
    (error,) = perform(network, AskWeb(where + SECRET))
    assert SECRET not in f"{error!r} {error.__cause__!r}"


def test_https_is_spoken_with_servers_that_can_be_believed(perform, network, monkeypatch) -> None:
    """This one has no HEAD, and says so."""
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    with FeedServer(tls=True) as server:
        assert perform(network, AskWeb(server.url)) == [501]


def test_others_are_not_believed(perform, network) -> None:
    """A certificate that nobody we trust has signed."""
    with FeedServer(tls=True) as server:
        (error,) = perform(network, AskWeb(server.url))
    assert "CERTIFICATE_VERIFY_FAILED" in str(error)


def test_the_proxies_of_the_environment_are_used(network, web: str, monkeypatch) -> None:
    """As by everything else on the host."""
    monkeypatch.setenv("http_proxy", web)
    blocking(network, AskWeb("http://avatars.example/200"))
    assert [path for _, path, _ in _Web.seen] == ["http://avatars.example/200"]


def test_who_asks_the_web_is_made_once(network, web: str) -> None:
    """It is costly to build; and it still serves after `close`."""
    blocking(network, AskWeb(f"{web}/200"))
    asker = network.web
    awaiting(network, AskWeb(f"{web}/200"))
    network.close()
    assert blocking(network, AskWeb(f"{web}/200")) == [200]
    assert network.web is asker
