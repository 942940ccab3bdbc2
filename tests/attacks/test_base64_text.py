"""Base64 and hexadecimal digits of text are told from tokens, digests and words."""

from __future__ import annotations

import random
import zlib
from base64 import b64encode, encodebytes, urlsafe_b64encode
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.attacks.base64_text import INFLATED, MOST_INFLATED, may_be_wrapped, text_in, unwrapped

ascii_text = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=4).map(lambda text: "'" + text)


@given(ascii_text, st.sampled_from([b64encode, urlsafe_b64encode]), st.booleans())
def test_base64_of_text_is_undone(text: str, encode: Callable[[bytes], bytes], padded: bool) -> None:
    """Both alphabets, with padding or without; and the screen lets it through."""
    value = encode(text.encode()).decode()
    value = value if padded else value.rstrip("=")
    assert unwrapped(value) == (text, "base64")
    assert may_be_wrapped(value)


@given(ascii_text, st.booleans())
def test_hexadecimal_digits_of_text_are_undone(text: str, prefixed: bool) -> None:
    """With 0x from four bytes on, without from six."""
    value = ("0x" if prefixed else "") + (f";{text};").encode().hex()
    assert unwrapped(value) == (f";{text};", "hex")
    assert may_be_wrapped(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("fHxpZA", "||id"),
        ("Basic " + b64encode(b"admin:' or 1=1--").decode(), "admin:' or 1=1--"),
        ("data:text/html;base64," + b64encode(b"<b>x</b>").decode(), "<b>x</b>"),
        ("<object data='data:text/html;base64,PHNjcmlwdD4='>", "<script>"),
        (b64encode("IEX (New-Object Net.WebClient)".encode("utf-16-le")).decode(), "IEX (New-Object Net.WebClient)"),
        (b64encode("\u044f\u0431\u043b\u043e\u043a\u043e <script> \u0438".encode()).decode(), None),
        (encodebytes(b"<script>alert(document.cookie)</script>" * 3).decode(), None),
        (b64encode(b"<b>>><i>>><u>>><p>>>><a>").decode().replace("+", " "), "<b>>><i>>><u>>><p>>>><a>"),
        ("\n " + b64encode(b"; cat /etc/passwd").decode() + " ", "; cat /etc/passwd"),
        ("eyJhbGciOiJub25lIn0.eyJzdWIiOiInIG9yIDE9MSJ9.", '{"alg":"none"} {"sub":"\' or 1=1"}'),
    ],
    ids=ascii,
)
def test_where_base64_stands(value: str, text: str | None) -> None:
    """The whole value, after a scheme, in a data URL, over lines, with spaces for plus, in a token."""
    found = unwrapped(value)
    assert found is not None
    assert "<script>" in found[0] if text is None else found[0] == text
    assert may_be_wrapped(value)


@given(ascii_text.map(lambda text: text + 8 * "-"), st.sampled_from(["v1:", "b64:", "base64:", "enc.v2:"]))
def test_what_follows_a_short_prefix_is_undone(text: str, prefix: str) -> None:
    """Of a version or a scheme."""
    value = prefix + b64encode(text.encode()).decode()
    assert unwrapped(value) == (text, "base64")
    assert may_be_wrapped(value)


@given(ascii_text.map(lambda text: text + 40 * "-"), st.integers(4, 19), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_base64_over_lines_is_undone(text: str, groups: int, end: str, padded: bool) -> None:
    """However many groups of four are in one (RFC 2045: 19), with padding or without."""
    columns = 4 * groups
    digits = b64encode(text.encode()).decode()
    digits = digits if padded else digits.rstrip("=")
    value = end.join([digits[start : start + columns] for start in range(0, len(digits), columns)])
    assert unwrapped(value) == (text, "base64")
    assert may_be_wrapped(value)


@given(ascii_text, st.sampled_from([15, 31]))
def test_deflated_text_is_undone(text: str, wbits: int) -> None:
    """In zlib (15) and gzip (31), as tokens of sessions and of single sign-on have it."""
    value = b64encode(zlib.compress(text.encode(), wbits=wbits)).decode()
    found = unwrapped(value)
    assert found is not None
    assert text.startswith(found[0])
    assert len(found[0]) == min(len(text), INFLATED * len(value.rstrip("=")))
    assert may_be_wrapped(value)


@pytest.mark.parametrize("times", [100, 10_000, 1_000_000])
def test_little_is_inflated(times: int) -> None:
    """Of what inflates to megabytes no more than some times its own length, and never more than 8 KiB."""
    value = b64encode(zlib.compress(b"' or 1=1 " * times)).decode()
    found = unwrapped(value)
    assert found is not None
    assert len(found[0]) <= min(INFLATED * len(value), MOST_INFLATED)


@pytest.mark.parametrize(
    "data", [b"\x1f\x8b\x08\x00 no gzip at all", b"\x78\x9c\xff\xfe\xfd\xfc", zlib.compress(bytes(200))]
)
def test_what_only_begins_like_deflated_text_is_none(data: bytes) -> None:
    """Nothing raises; bytes that are inflated have to be text."""
    assert unwrapped(b64encode(data).decode()) is None


@pytest.mark.parametrize(
    "value",
    ["username", "configuration", "aGVsbG8=", "aGVsbG8gd29ybGQ" + "A", "20240131", "12345678", "deadbeefcafe", "0x1f",
     "AAAAAAAAAAAAAAAA", "////////", "a/b/c/d/e/f", "", "=", "abcde", "Basic realm",
     "time:12:30:45", "user:password1234", "urn:isbn:12345678901", "sha256:abcdefabcdefabcdef",
     "tag:internationalization", "spotify:track:4uLU6hMCjMI75M1A2tKUQC",
     "internationalization\ncharacterization\nmisunderstanding"],
)  # fmt: skip
def test_what_is_no_wrapped_text(value: str) -> None:
    """Words, numbers, identifiers, and wrapped words in which no attack has room."""
    assert unwrapped(value) is None


@pytest.mark.parametrize(("length", "most"), [(8, 0.01), (12, 0.001), (16, 0.0005), (24, 0.0005), (43, 0.0)])
def test_random_tokens_are_seldom_text(length: int, most: float) -> None:
    """Of random Base64 digits hardly any decode to text: less than one in a hundred of eight digits."""
    source = random.Random(4)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    tokens = ["".join(source.choices(alphabet, k=length)) for _ in range(10_000)]
    assert sum([unwrapped(token) is not None for token in tokens]) <= most * len(tokens)
    assert sum([unwrapped(f"v1:{token}") is not None for token in tokens]) <= most * len(tokens)
    assert sum([unwrapped(f"{token}\n{token[::-1]}") is not None for token in tokens]) <= most * len(tokens)


@given(st.binary(max_size=80))
def test_bytes_are_text_or_not(data: bytes) -> None:
    """Nothing raises, and text is not longer than its bytes."""
    text = text_in(data)
    assert text is None or len(text) <= len(data)


@given(st.text())
def test_any_text_may_be_asked_about(text: str) -> None:
    """Nothing raises."""
    found = unwrapped(text)
    assert found is None or len(found[0]) <= len(text)
