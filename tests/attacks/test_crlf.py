"""Line breaks in what should be one line, and texts that have lines."""

from __future__ import annotations

import pytest
from tests.attacks.asking import weight

from doorward.attacks.evidence import Place

MESSAGE = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\nhello"


@pytest.mark.parametrize(
    "text",
    [
        "x\r\nSet-Cookie: a=b",
        "en\nLocation: https://b.example/",
        "1\rContent-Length: 0",
        "x\r\nGET /a HTTP/1.1",
        "\r\nHTTP/1.1 200 OK\r\n",
        "x\r\nX-Any-Name: y",
        "嘊嘍Set-Cookie: a=b",
        "GET http://b.example/ HTTP/1.1",
        "x\0",
    ],
    ids=range(9),
)
@pytest.mark.parametrize("place", [Place.QUERY, Place.COOKIE, Place.PATH])
def test_lines_of_http_are_denied_in_one_line(text: str, place: Place) -> None:
    """Headers, messages, and characters that become breaks."""
    assert weight("crlf", text, place) >= 1


def test_in_forms_only_what_a_response_would_have_is_denied() -> None:
    """Directly behind a single word."""
    assert weight("crlf", "x\r\nSet-Cookie: a=b", Place.FORM) >= 1
    assert weight("crlf", "en\r\nLocation: https://b.example/", Place.JSON) >= 1
    assert weight("crlf", "title\r\nX-Author: me", Place.FORM) == 0


@pytest.mark.parametrize(
    "text",
    [
        MESSAGE,
        f"I get this:\n\n{MESSAGE}",
        "I get this back:\nSet-Cookie: a=b; Path=/\nbut the browser drops it. Why?",
        "Meeting\nLocation: room 5",
        "Name: Bob\r\nAge: 3\r\nCity: Bonn",
        "GET /a HTTP/1.1\r\nHost: a.example\r\n\r\n",
    ],
    ids=range(6),
)
def test_texts_about_http_pass(text: str) -> None:
    """Messages that were pasted, answers to questionnaires."""
    for place in (Place.FORM, Place.JSON, Place.MULTIPART):
        assert weight("crlf", text, place, "comment") < 1


def test_paths_and_names_have_no_breaks() -> None:
    """A break at the end of a copied link is left alone."""
    assert weight("crlf", "/a\nb", Place.PATH) >= 1
    assert weight("crlf", "/a\n", Place.PATH) == 0
    assert weight("crlf", "a\r\n", Place.QUERY, is_name=True) >= 1


def test_nulls_of_binary_values_are_not_conclusive() -> None:
    """A digest in a query, as trackers take it, has bytes that are no text."""
    assert 0 < weight("crlf", "\ufffd\x12\0\ufffd4", Place.QUERY) < 1
    assert weight("crlf", "a\0b", Place.MULTIPART) == 0


def test_header_lines_have_no_control_characters() -> None:
    """Tabs they may have."""
    assert weight("crlf", "a\x01b", Place.HEADER) >= 1
    assert weight("crlf", "a\tb", Place.HEADER) == 0
