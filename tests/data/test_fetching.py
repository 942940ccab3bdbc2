"""Servers that answer well, badly, slowly, for ever or not at all."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from tests.data.feed_server import CERTIFICATE, FeedServer

from doorward.errors import ConfigurationError
from doorward.intelligence.feed_formats import FeedRefused
from doorward.intelligence.fetching import Fetcher, FetchFailed, check_url

LARGEST = 10_000
BODY = b"8.8.8.8\n" * 100


@pytest.fixture
def fetcher() -> Iterator[Fetcher]:
    """Gives up after half a second."""
    made = Fetcher("doorward/0 (data update)", deadline=0.5)
    yield made
    made.close()


def test_a_feed_is_fetched(server: FeedServer, fetcher: Fetcher) -> None:
    """The body comes with what the server calls it; we say who we are and send no cookies back."""
    server.play("list", BODY, etag='"1"', headers={"Set-Cookie": "a=b"})
    assert fetcher.fetch(f"{server.url}/list", LARGEST) == (BODY, '"1"', "")
    fetcher.fetch(f"{server.url}/list", LARGEST)
    for headers in server.asked("list"):
        assert headers["user-agent"] == "doorward/0 (data update)"
        assert "cookie" not in headers


@pytest.mark.parametrize("known", [{"etag": '"1"'}, {"modified": "Fri, 20 Nov 2026 00:00:00 GMT"}])
def test_what_we_have_is_not_fetched_again(server: FeedServer, fetcher: Fetcher, known: dict[str, str]) -> None:
    """A server that is told what we have says that it is current."""
    server.play("list", BODY, **known)
    assert fetcher.fetch(f"{server.url}/list", LARGEST, **known).content is None


def test_304_without_a_condition_is_no_answer(server: FeedServer, fetcher: Fetcher) -> None:
    """Nothing can be unchanged of which we have nothing."""
    server.play("list", status=304)
    with pytest.raises(FetchFailed, match="answered 304"):
        fetcher.fetch(f"{server.url}/list", LARGEST)


def test_compressed_transfer_is_unpacked(server: FeedServer, fetcher: Fetcher) -> None:
    """Content-Encoding is the server's business and ours, the feed does not see it."""
    server.play("list", gzip.compress(BODY, mtime=0), headers={"Content-Encoding": "gzip"})
    assert fetcher.fetch(f"{server.url}/list", LARGEST).content == BODY


@pytest.mark.parametrize("status", [400, 403, 404, 500, 503, 204, 206])
def test_other_answers_are_failures(server: FeedServer, fetcher: Fetcher, status: int) -> None:
    """Only 200 brings a feed."""
    server.play("list", BODY if status != 204 else b"", status=status)
    with pytest.raises(FetchFailed, match=f"answered {status}"):
        fetcher.fetch(f"{server.url}/list", LARGEST)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("3600", "in 3600 s"),
        (format_datetime(datetime(2001, 1, 1, tzinfo=UTC), usegmt=True), "in 0 s"),
        ("soon", "answered 429$"),
        ("9" * 5_000, "answered 429$"),
        ("Mon, 99 Foo 2026", "answered 429$"),
    ],
)
def test_too_many_requests_says_when_to_come_again(server: FeedServer, fetcher: Fetcher, value: str, said: str) -> None:
    """Retry-After as seconds and as a date; nonsense is left out."""
    server.play("list", status=429, headers={"Retry-After": value})
    with pytest.raises(FetchFailed, match=said):
        fetcher.fetch(f"{server.url}/list", LARGEST)


@pytest.mark.parametrize(
    ("fault", "error", "why"),
    [
        ("silent", FetchFailed, "longer than 0.5 s|gave no answer"),
        ("drip", FetchFailed, "longer than 0.5 s"),
        ("drip_headers", FetchFailed, "longer than 0.5 s"),
        ("reset", FetchFailed, "gave no answer"),
        ("truncated", FetchFailed, "gave no answer"),
        ("truncated_chunks", FetchFailed, "gave no answer"),
        ("garbage", FetchFailed, "gave no answer"),
        ("endless", FeedRefused, "more than 10000 bytes"),
    ],
)
def test_faults_end_in_time(server: FeedServer, fetcher: Fetcher, fault: str, error: type[Exception], why: str) -> None:
    """However a server fails, the download ends by its deadline with the reason, and half a feed is never one."""
    server.play("list", BODY, fault=fault)
    with pytest.raises(error, match=why):
        fetcher.fetch(f"{server.url}/list", LARGEST)


def test_the_deadline_holds_for_the_next_feed_too(server: FeedServer, fetcher: Fetcher) -> None:
    """A connection that was good for one feed is not kept for the next, which its alarm would not know."""
    server.play("list", BODY)
    server.play("slow", BODY, fault="drip")
    fetcher.fetch(f"{server.url}/list", LARGEST)
    with pytest.raises(FetchFailed, match=r"longer than 0.5 s"):
        fetcher.fetch(f"{server.url}/slow", LARGEST)


def test_no_proxy_leads_to_this_machine(server: FeedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mirror on loopback is asked directly, whatever proxy the environment names for the rest."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    server.play("list", BODY)
    fetcher = Fetcher("doorward/0")
    assert fetcher.fetch(f"{server.url}/list", LARGEST).content == BODY
    fetcher.close()


def test_nobody_there_is_a_failure(fetcher: Fetcher) -> None:
    """A refused connection is told as such."""
    with pytest.raises(FetchFailed, match="gave no answer"):
        fetcher.fetch("http://127.0.0.1:1/list", LARGEST)


@pytest.mark.parametrize(
    ("answer", "error", "why"),
    [
        ({"body": b"x" * (LARGEST + 1)}, FeedRefused, "more than"),
        (
            {"body": gzip.compress(b"\n" * 10**7, mtime=0), "headers": {"Content-Encoding": "gzip"}},
            FeedRefused,
            "unpacks to more",
        ),
        ({"body": gzip.compress(BODY, mtime=0)[:-9], "headers": {"Content-Encoding": "gzip"}}, FeedRefused, "cut off"),
        ({"body": b"x", "headers": {"Content-Encoding": "br"}}, FetchFailed, "encoding 'br'"),
        ({"body": b"<html>", "headers": {"Content-Type": "text/html; charset=utf-8"}}, FeedRefused, "web page"),
    ],
)
def test_bodies_that_are_no_feeds(
    server: FeedServer, fetcher: Fetcher, answer: dict[str, object], error: type[Exception], why: str
) -> None:
    """Too large, bombs, cut off, in an encoding that was not asked for, or a page for people."""
    server.play("list", **answer)
    with pytest.raises(error, match=why):
        fetcher.fetch(f"{server.url}/list", LARGEST)


@pytest.mark.parametrize("etag", ['"' + "x" * 2_000 + '"', '"\xe9"', '"a\tb"'])
def test_tags_that_cannot_be_sent_back_are_forgotten(server: FeedServer, fetcher: Fetcher, etag: str) -> None:
    """A tag too long or of odd characters must not make the next update fail."""
    server.play("list", BODY, headers={"ETag": etag})
    assert fetcher.fetch(f"{server.url}/list", LARGEST).etag == ""


def test_redirects_are_followed(server: FeedServer, fetcher: Fetcher) -> None:
    """Up to three of them, also relative ones."""
    server.play("a", status=302, headers={"Location": "/b"})
    server.play("b", status=308, headers={"Location": f"{server.url}/c"})
    server.play("c", status=301, headers={"Location": "list"})
    server.play("list", BODY)
    assert fetcher.fetch(f"{server.url}/a", LARGEST).content == BODY


@pytest.mark.parametrize(
    ("location", "why"),
    [
        ("/list", "more than 3 times"),
        ("http://feeds.example/", "not https"),
        ("file:///etc/passwd", "not https"),
        ("ftp://127.0.0.1/", "not https"),
        ("http://[bad/", "not https"),
        ("", "not https"),
    ],
)
def test_redirects_that_are_not_followed(server: FeedServer, fetcher: Fetcher, location: str, why: str) -> None:
    """Loops, plain http elsewhere, other schemes, and nowhere."""
    server.play("list", status=302, headers={"Location": location})
    with pytest.raises(FetchFailed, match=why):
        fetcher.fetch(f"{server.url}/list", LARGEST)


def test_closing_ends_what_is_under_way(server: FeedServer) -> None:
    """Who is interrupted does not wait for silent servers."""
    server.play("list", fault="silent")
    patient = Fetcher("doorward/0", deadline=60, patience=60)
    failed: list[Exception] = []

    def fetch() -> None:
        try:
            patient.fetch(f"{server.url}/list", LARGEST)
        except FetchFailed as error:
            failed.append(error)

    thread = threading.Thread(target=fetch)
    thread.start()
    server.first_request.wait(10)
    patient.close()
    thread.join(10)
    assert [str(error) for error in failed] == ["was interrupted"]


@pytest.mark.parametrize(
    "url", ["https://feeds.example/x", "http://127.0.0.1:8000/x", "http://[::1]/", "http://localhost/"]
)
def test_addresses_that_are_fit(url: str) -> None:
    """https, and http on this machine."""
    check_url("url", url)


@pytest.mark.parametrize(
    "url",
    ["http://feeds.example/x", "ftp://feeds.example/", "feeds.example", "", "https://", "http://[bad", "file:///x"],
)
def test_addresses_that_are_not(url: str) -> None:
    """Anything else is refused before it is asked for."""
    with pytest.raises(ConfigurationError, match="https://"):
        check_url("url", url)


@pytest.fixture
def secure(monkeypatch: pytest.MonkeyPatch) -> Iterator[FeedServer]:
    """A server that speaks https, with a certificate that is trusted here."""
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    with FeedServer(tls=True) as running:
        yield running


def test_https_is_spoken(secure: FeedServer) -> None:
    """With a certificate that somebody we trust has signed."""
    secure.play("list", BODY)
    fetcher = Fetcher("doorward/0", deadline=10)
    assert fetcher.fetch(f"{secure.url}/list", LARGEST).content == BODY
    fetcher.close()


@pytest.mark.parametrize("fault", ["silent", "drip", "drip_headers"])
def test_the_deadline_holds_over_https(secure: FeedServer, fault: str) -> None:
    """A slow server is given up in the same way when the connection is encrypted."""
    secure.play("list", BODY, fault=fault)
    fetcher = Fetcher("doorward/0", deadline=0.5)
    with pytest.raises(FetchFailed, match=r"longer than 0.5 s|gave no answer"):
        fetcher.fetch(f"{secure.url}/list", LARGEST)
    fetcher.close()


def test_nobody_else_is_believed(fetcher: Fetcher) -> None:
    """A certificate that nobody we trust has signed ends the download before anything is asked."""
    with FeedServer(tls=True) as running:
        running.play("list", BODY)
        with pytest.raises(FetchFailed, match="CERTIFICATE_VERIFY_FAILED"):
            fetcher.fetch(f"{running.url}/list", LARGEST)
        assert running.requests == []


def test_https_leads_nowhere_else(secure: FeedServer, server: FeedServer) -> None:
    """A redirect from https to plain http on this machine would let somebody else choose what we ask here."""
    server.play("list", BODY)
    secure.play("list", status=302, headers={"Location": f"{server.url}/list"})
    fetcher = Fetcher("doorward/0", deadline=10)
    with pytest.raises(FetchFailed, match="not https"):
        fetcher.fetch(f"{secure.url}/list", LARGEST)
    assert server.requests == []
    fetcher.close()
