"""Access logs as text: lines as the servers' documentation shows them, escapes, and formats as they are configured."""

from __future__ import annotations

import contextlib
import re
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.replay.readers.helpers import SOURCE, headers, only, read_text

from doorward.errors import ConfigurationError
from doorward.replay.readers import parser_of
from doorward.replay.readers.problems import NO_HTTP, NoRequest

FRANK = '127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326'
FRANK_NS = 971211336 * 10**9
COMBINED = f'{FRANK} "http://www.example.com/start.html" "Mozilla/4.08 [en] (Win98; I ;Nav)"'
MAIN = f'{COMBINED} "203.0.113.7, 198.51.100.2"'
# As in nginx's own configuration.
NGINX_MAIN = """log_format  main  '$remote_addr - $remote_user [$time_local] "$request" '
                  '$status $body_bytes_sent "$http_referer" '
                  '"$http_user_agent" "$http_x_forwarded_for"';"""
TIMED = 'nginx:\'$remote_addr [$time_local] $status $request_time $upstream_response_time "$request" "$http_cookie"\''


@pytest.mark.parametrize("format", ["auto", "common"])
def test_the_common_log_format(tmp_path: Path, format: str) -> None:  # noqa: A002
    """The line of Apache's documentation; no header is recorded, so that none is known."""
    row = only(tmp_path, FRANK + "\n", format=format)
    request = row.request
    assert (row.at_ns, row.status, row.known) == (FRANK_NS, 200, frozenset({"query"}))
    assert (request.peer, request.method, request.path, request.query) == ("127.0.0.1", "GET", "/apache_pb.gif", "")
    assert headers(row) == {}


@pytest.mark.parametrize("format", ["auto", "combined"])
def test_the_combined_format(tmp_path: Path, format: str) -> None:  # noqa: A002
    """As above, with the two headers."""
    row = only(tmp_path, COMBINED, format=format)
    assert headers(row) == {
        "referer": "http://www.example.com/start.html",
        "user-agent": "Mozilla/4.08 [en] (Win98; I ;Nav)",
    }
    assert row.known == {"query", "referer", "user-agent"}


def test_a_hyphen_is_a_header_that_was_not_sent(tmp_path: Path) -> None:
    """It is known that there was none."""
    row = only(tmp_path, f'{FRANK} "-" "-"')
    assert headers(row) == {}
    assert row.known == {"query", "referer", "user-agent"}


@pytest.mark.parametrize("format", ["auto", f"nginx:{NGINX_MAIN}"], ids=["auto", "directive"])
def test_the_main_format_of_nginx(tmp_path: Path, format: str) -> None:  # noqa: A002
    """It records X-Forwarded-For; the peer stays the address that was logged."""
    row = only(tmp_path, MAIN, format=format)
    assert headers(row)["x-forwarded-for"] == "203.0.113.7, 198.51.100.2"
    assert row.request.peer == "127.0.0.1"
    assert "x-forwarded-for" in row.known


@pytest.mark.parametrize("more", [' "3.20"', ' 12 "router@docker" "http://10.0.0.2:80" 5ms'], ids=["ratio", "traefik"])
def test_what_follows_the_combined_format_is_let_be(tmp_path: Path, more: str) -> None:
    """It is taken for nothing that it is not: such as an X-Forwarded-For."""
    row = only(tmp_path, COMBINED + more)
    assert "x-forwarded-for" not in row.known
    assert headers(row)["user-agent"].startswith("Mozilla")


@pytest.mark.parametrize("rest", ["", ' "-" "curl/8.5.0"'], ids=["common", "combined"])
def test_formats_with_a_virtual_host(tmp_path: Path, rest: str) -> None:
    """The server's name stands for the host; it is not what the client sent."""
    line = FRANK.replace("127.0.0.1", "2001:db8::1")
    row = only(tmp_path, f"shop.example:443 {line}{rest}")
    assert (row.request.peer, row.request.host, row.request.path) == ("2001:db8::1", "shop.example", "/apache_pb.gif")
    assert "host" not in row.known


@pytest.mark.parametrize(
    ("format", "line", "expected"),
    [
        ("$msec $remote_addr $request_method $request_uri", "1760054400.250 203.0.113.7 GET /a?b=c", ("/a", "b=c")),
        ("$time_iso8601|$remote_addr|$uri$is_args$args|$status", "2025-10-10T00:00:00+00:00|::1|/a b?c=d|200", ("/a b", "c=d")),  # noqa: E501
        ("[$time_local] $scheme://$host$request_uri", "[10/Oct/2025:00:00:00 +0000] https://shop.example/a%20b", ("/a b", "")),  # noqa: E501
        ("$time_iso8601 ${request_method} $uri", "2025-10-10T02:00:00+02:00 GET /100%25", ("/100%25", "")),
        ('escape=none $msec "$http_user_agent" "$request"', '1760054400.000 "a"b" "GET /x"y HTTP/1.1"', ('/x"y', "")),
        ("$msec $upstream_addr $upstream_response_time $request", "1760054400.000 10.0.0.1:80, unix:/a : 10.0.0.2:80 0.1, - : 0.3 GET /u HTTP/1.1", ("/u", "")),  # noqa: E501
        ('$remote_addr:$remote_port $msec "$request"', '2001:db8::5:4321 1760054400.000 "GET /p HTTP/2.0"', ("/p", "")),
        ("$time_local $request_uri", "10/Oct/2025:00:00:00 +0000 /q?", ("/q", "")),
    ],
    ids=["uri", "args", "url", "braces", "unescaped", "upstreams", "port", "bare time"],
)  # fmt: skip
def test_log_formats_of_nginx(tmp_path: Path, format: str, line: str, expected: tuple[str, str]) -> None:  # noqa: A002
    """Variables between all sorts of text."""
    row = only(tmp_path, line, format=f"nginx:{format}")
    assert (row.request.path, row.request.query) == expected
    assert row.at_ns // 10**9 == 1760054400


def test_what_a_log_format_says_besides(tmp_path: Path) -> None:
    """Scheme, host, cookies, the body, the peer behind nginx's realip module, what was forwarded."""
    form = '$realip_remote_addr $remote_addr $scheme $host $msec "$request" "$http_cookie" "$request_body" "$proxy_add_x_forwarded_for"'  # noqa: E501
    line = '10.0.0.9 203.0.113.7 https shop.example 1760054400.123 "POST /login HTTP/1.1" "sid=1" "user=\\x22a\\x22" "198.51.100.9, 10.0.0.9"'  # noqa: E501
    row = only(tmp_path, line, format=f"nginx:{form}")
    request = row.request
    assert (request.peer, request.scheme, request.host) == ("203.0.113.7", "https", "shop.example")
    assert (request.body, request.cookies("sid")) == (b'user="a"', ["1"])
    assert headers(row)["x-forwarded-for"] == "198.51.100.9"
    assert row.known == {"body", "cookie", "host", "query", "x-forwarded-for"}
    assert row.at_ns == 1760054400123 * 10**6


def test_a_body_that_nginx_had_not_read_is_not_known(tmp_path: Path) -> None:
    """A hyphen stands for no body, and for one in a file; of a GET it is the former."""
    form = "nginx:$msec $request_method $request_uri $request_body"
    found, _ = read_text(tmp_path, "1760054400.0 POST /a -\n1760054400.0 GET /b -\n", format=form)
    assert [("body" in row.known, row.request.body) for row in found] == [(False, None), (True, b"")]


@pytest.mark.parametrize(
    ("form", "line"),
    [
        (r'"%v:%p %h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\"" vhost', f"shop.example:80 {COMBINED}"),
        ('%h %l %u %t "%!414r" %>s %b "%{Referer}i" "%{User-Agent}i" %D', f"{COMBINED} 1234"),
        ("%a %{sec}t %m %U%q %H %>s", "127.0.0.1 971211336 GET /apache_pb.gif?x=1 HTTP/1.1 200"),
        ("%h %{%Y-%m-%dT%H:%M:%S%z}t %m %U %>s", "127.0.0.1 2000-10-10T13:55:36-0700 GET /apache_pb.gif 200"),
        ("%h [%{%d/%b/%Y:%T %z}t] %m %U %>s", "127.0.0.1 [10/Oct/2000:13:55:36 -0700] GET /apache_pb.gif 200"),
        ("%h %{usec}t %r", "127.0.0.1 971211336000000 GET /apache_pb.gif HTTP/1.1"),
    ],
    ids=["quoted", "conditional", "parts", "iso", "strftime", "microseconds"],
)
def test_log_formats_of_apache(tmp_path: Path, form: str, line: str) -> None:
    """As in the configuration, quoted and escaped, or plain."""
    row = only(tmp_path, line, format=f"apache:{form}")
    assert (row.request.peer, row.request.path, row.at_ns) == ("127.0.0.1", "/apache_pb.gif", FRANK_NS)


@pytest.mark.parametrize(
    ("form", "problem"),
    [
        ("nginx:$remote_addr $request", "no time"),
        ("nginx:$time_local $status", "no path"),
        ("nginx:$msec $remote_addr$http_user_agent $request", r"\$remote_addr ends and \$http_user_agent begins"),
        ("nginx:escape=xml $msec $request", "default, json or none"),
        ("nginx:" + "$msec " * 300 + "$request", "200 parts"),
        ("nginx:" + "x" * 10_000, "8192"),
        ("apache:%{%A}t %r", "time"),
        ("combined2", "did you mean combined"),
        ("\x1b[31m", r"\\x1b"),
    ],
    ids=["time", "path", "adjacent", "escape", "parts", "long", "strftime", "near", "hostile"],
)
def test_formats_that_cannot_be_read_are_refused(form: str, problem: str) -> None:
    """With what is accepted, or what is missing."""
    with pytest.raises(ConfigurationError, match=problem):
        parser_of(form)


@pytest.mark.parametrize(
    ("line", "method", "path", "query", "raw", "host"),
    [
        ("GET /caf%C3%A9?q=%20 HTTP/1.1", "GET", "/café", "q=%20", "/caf%C3%A9", ""),
        (r"GET /caf\xC3\xA9 HTTP/1.1", "GET", "/café", "", "/caf\xc3\xa9", ""),
        ("GET /%ff%00 HTTP/1.1", "GET", "/\ufffd\0", "", "/%ff%00", ""),
        ("HEAD / HTTP/2.0", "HEAD", "/", "", "/", ""),
        ("OPTIONS * HTTP/1.1", "OPTIONS", "*", "", "*", ""),
        ("CONNECT shop.example:443 HTTP/1.1", "CONNECT", "shop.example:443", "", "shop.example:443", "shop.example:443"),  # noqa: E501
        ("GET http://shop.example/a?b HTTP/1.1", "GET", "/a", "b", "http://shop.example/a", "shop.example"),
        ("GET http://shop.example?b HTTP/1.1", "GET", "/", "b", "http://shop.example", "shop.example"),
        ("GET /old", "GET", "/old", "", "/old", ""),
        ("GET /a b HTTP/1.1", "GET", "/a b", "", "/a b", ""),
        (r"GET /\x22\x5C HTTP/1.1", "GET", '/"\\', "", '/"\\', ""),
        (r"GET /\"\\ HTTP/1.1", "GET", '/"\\', "", '/"\\', ""),
        ("GET /a?b?c#d HTTP/1.1", "GET", "/a", "b?c#d", "/a", ""),
        ("PROPFIND /dav HTTP/1.1", "PROPFIND", "/dav", "", "/dav", ""),
        ("GET /login%0a HTTP/1.1", "GET", "/login", "", "/login%0a", ""),
    ],
    ids=["utf-8", "bytes", "nonsense", "head", "options", "connect", "absolute", "absolute without path", "0.9", "blank",  # noqa: E501
         "nginx", "apache", "query", "webdav", "line end"],
)  # fmt: skip
def test_request_lines(tmp_path: Path, line: str, method: str, path: str, query: str, raw: str, host: str) -> None:
    """The path as servers decode it, and as it was sent."""
    request = only(tmp_path, COMBINED.replace("GET /apache_pb.gif HTTP/1.0", line), format="combined").request
    assert (request.method, request.path, request.query, request.raw_path, request.host) == (
        method,
        path,
        query,
        raw,
        host,
    )


@pytest.mark.parametrize(
    "line", ["-", "", r"\x16\x03\x01\x02\x00\x01", r"\x00", "PRI * HTTP/2.0", "GET", "\x16\x03\x01", "hello\\x1b[31m x"]
)
def test_what_is_no_request_is_counted_apart(tmp_path: Path, line: str) -> None:
    """TLS to a plain port, an HTTP/2 preface, nothing at all: the application never saw it."""
    found, reading = read_text(tmp_path, FRANK + "\n" + FRANK.replace("GET /apache_pb.gif HTTP/1.0", line))
    assert len(found) == 1
    assert dict(reading.skipped) == {NO_HTTP: 1}
    assert reading.samples[0][:3] == (str(tmp_path / "a.log"), 2, NO_HTTP)


def nginx_escaped(value: bytes) -> str:
    r"""ngx_http_log_escape: quotes, backslashes, controls and what is no ASCII as ``\\xHH``."""
    return "".join(chr(c) if 32 <= c < 127 and c not in b'"\\' else f"\\x{c:02X}" for c in value)


def apache_escaped(value: bytes) -> str:
    r"""ap_escape_logitem: C's escapes, quotes and backslashes after a backslash, the rest as ``\\xhh``."""
    letters = {10: "\\n", 9: "\\t", 13: "\\r", 8: "\\b", 11: "\\v", 12: "\\f", 34: '\\"', 92: "\\\\"}
    return "".join(letters.get(c) or (chr(c) if 32 <= c < 127 else f"\\x{c:02x}") for c in value)


@pytest.mark.parametrize("escaped", [nginx_escaped, apache_escaped])
@given(agent=st.binary(min_size=1, max_size=60).filter(lambda value: value != b"-"), path=st.binary(max_size=40))
def test_escaped_values_are_read_back(escaped, agent: bytes, path: bytes) -> None:
    """Whatever bytes were sent, those are the header and the target."""
    target = "/" + path.decode("latin-1").replace(" ", "").replace("?", "")
    line = f'192.0.2.1 - - [10/Oct/2025:00:00:00 +0000] "GET {escaped(target.encode("latin-1"))} HTTP/1.1" 200 1 "-" "{escaped(agent)}"'  # noqa: E501
    row = parser_of("combined").parse(line, SOURCE)
    assert row.request.raw_path == target
    assert headers(row) == {"user-agent": agent.decode("latin-1")}


@given(st.lists(st.text(string.ascii_letters + " $.:;-/", max_size=12), min_size=4, max_size=4))
def test_lines_of_any_log_format_are_read_back(values: list[str]) -> None:
    """Quoted values between other text: those of the format, whatever they hold."""
    form = 'nginx:<$msec> "$http_a" ~ "$http_b";"$http_c" "$request" "$http_d"$status'
    a, b, c, d = (f"x{value}" for value in values)
    row = parser_of(form).parse(f'<1760054400.000> "{a}" ~ "{b}";"{c}" "GET / HTTP/1.1" "{d}"200', SOURCE)
    assert headers(row) == {"a": a, "b": b, "c": c, "d": d}


@given(st.text(st.characters(max_codepoint=255), max_size=300) | st.text('"\\ []-x0/:', max_size=300))
def test_any_line_is_a_request_or_says_why_not(line: str) -> None:
    """Nothing but NoRequest is raised."""
    for form in ("common", "combined", "vhost_combined", "json", "doorward", TIMED):
        with contextlib.suppress(NoRequest):
            parser_of(form).parse(line, SOURCE)


@pytest.mark.parametrize(
    "form", ["combined", TIMED, 'nginx:escape=none $msec "$http_a" "$http_b" $http_c x $request y']
)
@pytest.mark.parametrize("piece", ['" ', "\\", '\\"', " [", "a ", "- ", "1, ", '" "', "1 : "])
def test_patterns_have_nothing_to_go_back_to(form: str, piece: str) -> None:
    """Every repetition is possessive, atomic, or the last one: 200 KB of the worst take no time to speak of."""
    pattern = parser_of(form)._match.__self__.pattern
    bare = re.sub(r"\(\?>|\*\+|\+\+|\?\+|\{[\d,]+\}\+", "", pattern)
    assert pattern.count(".*?") <= pattern.count("(?>")
    assert bare.count("*+") == 0
    with pytest.raises(NoRequest):
        parser_of(form).parse(piece * (200_000 // len(piece)), SOURCE)
