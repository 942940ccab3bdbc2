"""Paths, headers, cookies, and bodies whose declared type says nothing or something else."""

from __future__ import annotations

import gzip
import random
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.attacks.taken_apart import longest_stretch, names, parts_of_body, rules, seen, size, texts

from doorward import RequestContext
from doorward.attacks import views
from doorward.attacks.evidence import Place
from doorward.attacks.known import Known
from doorward.attacks.parts import CHUNK, OVERLAP, Part

ATTACK = "' or 1=1--"
SCRIPT = "<script>alert(1)</script>"


def path(text: str) -> list[str]:
    return texts(views.path_values(text))


def header(name: str, text: str) -> list[Part]:
    return list(views.header_values(name, text))


def test_plain_paths_are_one_value() -> None:
    """Most paths are looked at once."""
    assert path("/api/v1/users/42") == ["/api/v1/users/42"]


def test_what_a_route_would_take_for_a_parameter_is_a_value() -> None:
    """The first odd segment, and all from there on: an attack may contain slashes."""
    assert path("/find/%3Cscript%3Ealert(1)%3C/script%3E") == [f"/find/{SCRIPT}", SCRIPT, "<script>alert(1)<"]
    assert path("/users/1'%20or%201=1--/edit")[1:] == ["1' or 1=1--/edit", "1' or 1=1--"]
    assert "x'" in path("/a;v=x'/b")
    assert "YWxlcnQoMSk8c2Ny" in path("/go/YWxlcnQoMSk8c2Ny")


@pytest.mark.parametrize(
    ("raw", "decoded"),
    [("/%zz", "/%zz"), ("/%252e", "/%2e"), ("/%c0%ae", "/\xc0\xae"), ("/a+b", "/a+b"), ("/%2F", "//")],
)
def test_paths_are_decoded_once_and_forgivingly(raw: str, decoded: str) -> None:
    """What a server would see, overlong bytes kept."""
    assert path(raw)[0] == decoded


def test_the_whole_target_that_some_servers_tell_is_cut_at_its_query() -> None:
    """The query is looked at as such."""
    request = RequestContext(path="/a", raw_path="/a?q=1", query="q=1")
    parts = [part for source in views.head(request, Known()) for part in source.values()]
    assert seen(parts) == [("", "/a"), ("q", "1")]


@pytest.mark.parametrize(
    "raw", [None, "/a/%3C?php%20x()%20?%3E?q=1", "/a/<?php x() ?>"], ids=["none", "target", "path"]
)
def test_a_question_mark_in_the_path_itself_hides_nothing(raw: str | None) -> None:
    """The path that the server decoded has no query: it is looked at to its end."""
    request = RequestContext(path="/a/<?php x() ?>", raw_path=raw)
    assert "<?php x() ?>" in texts([part for source in views.head(request, Known()) for part in source.values()])


def test_cookies_are_looked_at_one_by_one() -> None:
    """Values without their quotes, and names that tell something."""
    parts = header("cookie", f'a="x y"; b={ATTACK}; <c>=1; plain; d=%27')
    assert seen(parts) == [("a", "x y"), ("b", ATTACK), ("<c>", "1"), ("d", "%27")]
    assert names(parts) == ["<c>"]


def test_headers_are_values_unless_they_are_numbers() -> None:
    """Basic credentials alone as well, which are Base64 as a whole."""
    assert header("content-length", "123") == []
    assert seen(header("x-a", "caf\xc3\xa9")) == [("x-a", "café")]
    assert texts(header("authorization", "Basic YTpi")) == ["Basic YTpi", "YTpi"]
    assert names(header("x<y", "1")) == ["x<y"]


def test_lines_that_are_known_or_lists_are_dealt_with() -> None:
    """What was clean before is not taken apart again; servers may hand over lists."""
    known = Known()
    request = RequestContext(path="/a", query="b=c", headers=[[b"x-a", b"1<"], (b"x-b", b"2")])  # type: ignore[list-item]
    sources = views.head(request, known)
    assert len(sources) == 4
    known.remember([(source.key, source.size) for source in sources])
    assert views.head(request, known) == []


@pytest.mark.parametrize(
    ("body", "content_type", "place"),
    [
        (b'{"a": "%s"}', "text/plain", Place.JSON),
        (b'{"a": "%s"}', None, Place.JSON),
        (b'{"a": "%s"}', "application/x-www-form-urlencoded", Place.JSON),
        (b'{"a": "%s"}', "application/vnd.api+json; charset=utf-8", Place.JSON),
        (b"<a>%s</a>", "text/plain", Place.XML),
        (b"<a>%s</a>", "application/json", Place.XML),
        (b"<a>%s</a>", "application/soap+xml", Place.XML),
        (b"a=%s", "text/plain", Place.FORM),
        (b"a=%s", "application/json", Place.FORM),
        (b"a=%s", None, Place.FORM),
        (b"query { a(b: %s) }", "application/graphql", Place.BODY),
        (b"%s", "application/octet-stream", Place.BODY),
        (b"%s", "nonsense", Place.BODY),
        (b"\0\1\0\2%s\0\3", "application/x-protobuf", Place.BODY),
    ],
    ids=str,
)
def test_bodies_are_also_what_they_look_like(body: bytes, content_type: str | None, place: Place) -> None:
    """A type that is missing, unknown or wrong hides nothing."""
    found = seen(parts_of_body(body.replace(b"%s", ATTACK.encode()), content_type), place)
    assert any(ATTACK in text for _, text in found)


@pytest.mark.parametrize(
    ("charset", "encoded"),
    [
        ("utf-7", b"+ADw-x"),
        ("IBM037", "<x".encode("cp037")),
        ("utf-16le", "<x".encode("utf-16-le")),
        ("nonsense", b"<x"),
    ],
    ids=["utf-7", "ebcdic", "utf-16", "unknown"],
)
def test_declared_charsets_are_read_and_utf8_where_that_differs(charset: str, encoded: bytes) -> None:
    """Whichever of the two a server reads was looked at."""
    found = parts_of_body(encoded, f"text/plain; charset={charset}")
    assert "<x" in texts(found)
    assert rules(found) == (["unscanned.charset"] if charset == "nonsense" else [])


@pytest.mark.parametrize(
    "charset", ["zlib", "base64", "idna", "punycode", "unicode_escape", "rot13", "\0", "é" * 90, "hex", "undefined"]
)
def test_codecs_that_are_no_charsets_are_not_used(charset: str) -> None:
    """Some inflate, some take quadratic time."""
    found = parts_of_body(b"<x", f'text/plain; charset="{charset}"')
    assert rules(found) == ["unscanned.charset"]
    assert "<x" in texts(found)


def test_two_types_are_a_finding_and_both_are_heeded() -> None:
    """Servers differ in which line they take."""
    request = RequestContext(
        headers=[("content-type", "text/csv"), ("content-type", "application/json")], body=b'["\\u003c"]'
    )
    source = views.body(request)
    assert source is not None
    parts = list(source.values())
    assert "unscanned.two_types" in rules(parts)
    assert ("[]", "<") in seen(parts, Place.JSON)


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("application/json", ["unscanned.too_long"]),
        ("application/x-www-form-urlencoded", ["unscanned.too_long"]),
        ("text/plain", ["unscanned.too_long"]),
        ("image/png", ["unscanned.too_long"]),
    ],
    ids=["json", "form", "text", "said to be an image"],
)
def test_what_is_past_the_limit_weighs_by_kind(content_type: str, expected: list[str]) -> None:
    """Padding must not be a way through; uploads are long."""
    found = parts_of_body(b'{"a": "x"', content_type, complete=False)
    assert rules(found) == expected


def test_a_cut_off_upload_weighs_nothing() -> None:
    """Pictures are longer than what is looked at; text that is called one is not."""
    assert rules(parts_of_body(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40, "image/png", complete=False)) == []


def test_a_padded_body_is_conclusive() -> None:
    """Nobody sends a megabyte of one letter."""
    padded = b'{"a": "' + b"x" * 100_000
    assert rules(parts_of_body(padded, "application/json", complete=False)) == ["unscanned.padded"]


def test_compressed_bodies_weigh_a_little() -> None:
    """They are not inflated, and not held."""
    assert rules(parts_of_body(b"", "application/json", complete=False, content_encoding="gzip")) == [
        "unscanned.compressed"
    ]


TYPES = [
    "application/octet-stream", "image/jpeg", "video/mp4", "audio/mpeg", "font/woff2", "application/pdf",
    "application/zip", "application/gzip", "application/vnd.ms-excel", "application/unknown", "nonsense", None,
]  # fmt: skip
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
PDF = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"


@pytest.mark.parametrize("content_type", TYPES, ids=str)
def test_bytes_that_are_no_text_have_no_values(content_type: str | None) -> None:
    """Of 300 random bodies, and as many that begin like images and documents, nothing is looked at as text."""
    source = random.Random(4)
    for _ in range(300):
        for beginning in (b"", JPEG, PDF):
            assert texts(parts_of_body(beginning + source.randbytes(source.randint(24, 2_000)), content_type)) == []


@pytest.mark.parametrize("content_type", TYPES, ids=str)
@pytest.mark.parametrize(
    ("hidden", "expected"),
    [
        (b"<?php system($_GET[1]); ?>", "<?php system($_GET[1]); ?>"),
        (b"<script>alert(1)</script>", SCRIPT),
        (b"<%= Runtime.exec(x) %>  ", "<%= Runtime.exec(x) %>  "),
        (b'<!ENTITY x SYSTEM "file:///x">', '<!ENTITY x SYSTEM "file:///x">'),
        (b'O:8:"stdClass":1:{s:1:"a";}', 'O:8:"stdClass":1:{s:1:"a";}'),
        (b"rO0ABXNyABFqYXZhLnV0aWw", "rO0ABXNyABFqYXZhLnV0aWw"),
        (b"\xac\xed\x00\x05sr\x00\x11java.util", "\xac\xed\x00\x05sr\x00\x11java.util"),
    ],
    ids=range(7),
)
def test_what_runs_in_bytes_that_are_no_text_is_an_excerpt(
    content_type: str | None, hidden: bytes, expected: str
) -> None:
    """Code of servers and browsers, entities, and serialized objects; wherever they stand."""
    for before in (JPEG, JPEG + bytes(CHUNK - 30), bytes(3 * CHUNK)):
        assert expected in [
            text.partition("\0\0")[0] for text in texts(parts_of_body(before + hidden + bytes(9), content_type))
        ]


COMPRESSORS: list[Callable[[bytes], bytes]] = [
    gzip.compress,
    zlib.compress,
    lambda data: random.Random(len(data)).randbytes(99),
]


@pytest.mark.parametrize("compress", COMPRESSORS, ids=["gzip", "deflate", "random"])
@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "application/json", "text/plain", None], ids=str
)
def test_compressed_bodies_are_not_read_as_text(compress: Callable[[bytes], bytes], content_type: str | None) -> None:
    """Their bytes mean nothing before they are inflated, which is not done."""
    for number in range(100):
        body = compress(f"name=Anna&number={number}&text=some+words".encode())
        parts = parts_of_body(body, content_type, content_encoding="br")
        assert texts(parts) == []
        assert rules(parts) == ["unscanned.compressed"]


def test_a_body_that_is_only_said_to_be_compressed_is_read() -> None:
    """Servers that do not care for the header read it, too."""
    parts = parts_of_body(b"q=%27+or+1=1--", "application/x-www-form-urlencoded", content_encoding="gzip")
    assert seen(parts) == [("q", ATTACK)]
    assert rules(parts) == ["unscanned.compressed"]
    long = parts_of_body(
        bytes(range(128, 256)) * 9 + b"q=1' or 1=1 union select a from b--", None, content_encoding="br"
    )
    assert any(ATTACK[:8] in text for text in texts(long))


@pytest.mark.parametrize("content_type", ["text/plain", "application/octet-stream", "application/json", "text/xml"])
@pytest.mark.parametrize("charset", ["", "; charset=utf-7", "; charset=shift_jis"], ids=["none", "utf-7", "shift-jis"])
def test_long_bodies_come_in_pieces_to_their_end(content_type: str, charset: str) -> None:
    """An attack after 300,000 bytes of padding is a value, or in one."""
    parts = parts_of_body(b"x" * 300_000 + ATTACK.encode(), content_type + charset)
    assert any(ATTACK in text for text in texts(parts))
    assert longest_stretch(parts) <= CHUNK + OVERLAP


@pytest.mark.parametrize("unit", ["/", "/a", "/aaaaaaaaaaaa", ";a=b", "%2f", "/;", "%", "<", "/%c3"], ids=range(9))
def test_work_doubles_with_the_path(unit: str) -> None:
    """Twice as long a path gives at most twice as much to look at."""
    count = 12_000 // len(unit)
    once, twice = (size(views.path_values("/a<" + unit * n)) for n in (count, 2 * count))
    assert twice <= 2.3 * once + 1_000


@given(
    raw=st.text(st.characters(max_codepoint=255), max_size=60), name=st.sampled_from(["cookie", "x-a", "authorization"])
)
def test_no_head_is_too_odd(raw: str, name: str) -> None:
    """Whatever stands in a path or a header is taken apart without an error."""
    path("/" + raw)
    header(name, raw)


@given(
    body=st.binary(max_size=200),
    content_type=st.text(st.characters(max_codepoint=255), max_size=60),
    complete=st.booleans(),
)
def test_no_body_is_too_odd(body: bytes, content_type: str, complete: bool) -> None:
    """Whatever its type says."""
    parts_of_body(body, content_type, complete=complete)
    parts_of_body(body, f"text/xml; charset={content_type}", complete=complete)
