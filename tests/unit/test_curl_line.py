"""Pasted lines of curl: what they would send; nothing is run, and nothing else is taken for one."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.errors import ConfigurationError
from doorward.explaining.curl import LONGEST, read_curl

CHROME = r"""curl 'https://shop.example/api/cart?x=1' \
  -H 'accept: application/json' \
  -H 'accept-language: en-GB,en;q=0.9' \
  -b 'session=abc; theme=dark' \
  -H 'user-agent: Mozilla/5.0 (X11; Linux x86_64)' \
  --data-raw $'{"note":"it\'s\u0021"}' \
  --compressed"""


def test_a_line_as_chrome_copies_it() -> None:
    curl = read_curl(CHROME)
    assert curl.url == "https://shop.example/api/cart?x=1"
    assert curl.method == "POST"
    assert curl.body == '{"note":"it\'s!"}'
    assert curl.headers == [
        "Content-Type: application/x-www-form-urlencoded",
        "Cookie: session=abc; theme=dark",
        "accept: application/json",
        "accept-language: en-GB,en;q=0.9",
        "user-agent: Mozilla/5.0 (X11; Linux x86_64)",
    ]


@pytest.mark.parametrize(
    ("line", "method", "url", "body"),
    [
        ("curl shop.example/a", "GET", "http://shop.example/a", None),
        ("curl -XDELETE https://shop.example/a", "DELETE", "https://shop.example/a", None),
        ("curl --request=PUT --url https://shop.example/ -d a=1", "PUT", "https://shop.example/", "a=1"),
        ("curl -I https://shop.example/", "HEAD", "https://shop.example/", None),
        ("curl -d a=1 -d b=2 https://shop.example/", "POST", "https://shop.example/", "a=1&b=2"),
        ("curl -G -d a=1 https://shop.example/?x=2", "GET", "https://shop.example/?x=2&a=1", None),
        ("curl --data-urlencode 'q=a b&c' https://shop.example/", "POST", "https://shop.example/", "q=a+b%26c"),
        ("curl --data-raw @home https://shop.example/", "POST", "https://shop.example/", "@home"),
        (r'curl "https://shop.example/\"\$x" -s -o /dev/null', "GET", 'https://shop.example/"$x', None),
        (r"/usr/bin/curl https://shop.example/a\ b", "GET", "https://shop.example/a b", None),
    ],
    ids=["bare", "short method", "long method", "head", "two data", "get", "urlencode", "raw at", "quotes", "escape"],
)
def test_what_a_line_sends(line: str, method: str, url: str, body: str | None) -> None:
    curl = read_curl(line)
    assert (curl.method, curl.url, curl.body) == (method, url, body)


def test_headers_are_those_of_curl_unless_they_are_given_or_taken_away() -> None:
    assert read_curl("curl a.example").headers == ["Accept: */*", "User-Agent: curl/8"]
    own = "curl a.example -H 'Accept:' -A mine -e https://b.example/ -H 'X-Empty;' -H 'X: 1' -u me:pw"
    assert read_curl(own).headers == [
        "User-Agent: mine",
        "Referer: https://b.example/",
        "Authorization: Basic bWU6cHc=",
        "X-Empty:",
        "X: 1",
    ]
    assert "Content-Type: application/json" in read_curl("curl a.example --json '{}'").headers


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("", "begins with curl"),
        ("wget https://a.example", "begins with curl"),
        ("curl", "one URL, not 0"),
        ("curl a.example b.example", "one URL, not 2"),
        ("curl a.example; rm -rf /", "outside quotes"),
        ("curl a.example | sh", "outside quotes"),
        ("curl $(id).example", "outside quotes"),
        ("curl 'a.example", "not closed"),
        ('curl "a.example', "not closed"),
        ("curl $'a.example", "not closed"),
        ("curl a.example -F file=@x", "not read here"),
        ("curl a.example --unix-socket /run/x", "not read here"),
        ("curl a.example -H", "has no value"),
        ("curl a.example -d @/etc/passwd", "files are not opened"),
        ("curl a.example -X '\x1b[2J", "not closed"),
        ("curl " + "a" * LONGEST, "more than"),
    ],
    ids=str,
)
def test_what_is_no_such_line_is_said_in_a_sentence(line: str, why: str) -> None:
    with pytest.raises(ConfigurationError, match=f"--curl: .*{re.escape(why)}") as caught:
        read_curl(line)
    assert str(caught.value).isprintable()


@given(st.text(max_size=60))
def test_any_text_in_quotes_is_read_as_a_shell_reads_it(text: str) -> None:
    quoted = "'" + text.replace("'", "'\\''") + "'"
    assert read_curl(f"curl a.example --data-raw {quoted}").body == text


@given(st.text(alphabet="curl '\"\\$-Hdx@:=&^\n\x1b\u202e", max_size=40))
def test_no_text_breaks_it(text: str) -> None:
    said = ""
    try:
        read_curl(f"curl {text}")
    except ConfigurationError as error:
        said = str(error)
    assert said.isprintable()
