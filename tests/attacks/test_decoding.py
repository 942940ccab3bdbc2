"""Further forms of values: what an application may decode is found, cheaply, and ordinary values stay as they are."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from html import escape
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.attacks import decoding
from doorward.attacks.base64_text import INFLATED
from doorward.attacks.forms import unquoted
from doorward.attacks.work import OutOfWork, Work

PIECE = 4_608


def texts(value: str) -> list[str]:
    return [form.text for form in decoding.forms(value)]


def wide(text: str) -> str:
    return "".join([chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text])


def overlong(text: str) -> str:
    return "".join([f"%{0xC0 | ord(c) >> 6:02x}%{0x80 | ord(c) & 0x3F:02X}" for c in text])


@pytest.mark.parametrize(
    ("value", "decoded"),
    [
        ("%27 or 1=1", "' or 1=1"),
        ("%252e%252e%252f", "../"),
        ("%25%32%65", "."),
        ("100%/%3Cb%3E", "100%/<b>"),
        ("%u003cscript%u003e", "<script>"),
        ("%uff1cscript%uff1e", "<script>"),
        ("%e9t%e9%3c", "\xe9t\xe9<"),
        ("%E4%B8%AD%3c", "\u4e2d<"),
        ("..%c0%af", "../"),
        ("..%e0%80%af", "../"),
        ("..%f0%80%80%af", "../"),
        ("..%c1%9c", "..\\"),
        ("..%c1%1c", "..\\"),
        ("..\xc0\xaf\xc0\xae", "../."),
        ("..\udcc0\udcaf", "../"),
        ("\xef\xbc\x9cb\xef\xbd\x9e", "<b~"),
        ("\uff1cscript\uff1e", "<script>"),
        ("\u02bc or 1=1", "' or 1=1"),
        ("\U0001d42celect \U0001d42c\U0001d42c", "select ss"),
        ("&lt;b&gt;", "<b>"),
        ("&ltb&GT", "<b>"),
        ("&#60;b&#x3E;", "<b>"),
        ("&#0000060b&#X000003e", "<b>"),
        ("java&Tab;script&colon;", "java\tscript:"),
        ("&amp;lt;b", "<b"),
        (r"\u003cb\x3e", "<b>"),
        (r"\u{3c}b\u{00003e}", "<b>"),
        (r"\\u003cb", "<b"),
        (r"\74b\076", "<b>"),
        (r"\3c b\00003e", "<b>"),
        (r"\x27 or \'1\'=\'1", "' or '1'='1"),
        ("+ADw-script+AD4-", "<script>"),
        ("scr\u200bipt", "script"),
        ("scr\xad\u200d\ufeffipt", "script"),
        ("sel\0ect", "select"),
        ("'\xa0or\xa01=1", "' or 1=1"),
        ("'\x0bor\x0c1=1", "' or 1=1"),
        ("'+or+1=1--", "' or 1=1--"),
        (";cat+/etc/passwd", ";cat /etc/passwd"),
        ("1+union+select+2", "1 union select 2"),
        ("%26lt%3bb", "<b"),
        (r"%5cu003cb", "<b"),
        ("&lbrace;&lbrace;7*7&rbrace;&rbrace;", "{{7*7}}"),
        ("x&NewLine;&dollar;&lpar;id&rpar;&sol;&grave;", "x\n$(id)/`"),
        ("&#x000000000000000028;&#00000000000041;", "()"),
        (r"\u0024\u007bx}", "${x}"),
        (r"en\r\nSet-Cookie: a=b", "en\r\nSet-Cookie: a=b"),
        ("caf%e9 ..%c0%af..", "caf\xe9 ../.."),
        ("%c0%bcscript%c0%be", "<script>"),
        ("..%c0%2f", "../"),
        (b64encode(b64encode(b"' or 1=1--")).decode(), "' or 1=1--"),
        (b64encode(b64encode(b"; cat /etc/passwd")).decode(), "; cat /etc/passwd"),
    ],
    ids=ascii,
)
def test_what_an_application_may_decode_is_a_form(value: str, decoded: str) -> None:
    """Each encoding is undone, alone and around another one."""
    assert decoded in texts(value)
    assert decoding.may_change(f"x {value} y", ["x", value, "y"])


@pytest.mark.parametrize(
    "value",
    [
        "",
        "username",
        "hello world",
        "O'Brien & Sons",
        "100% of 20% is 20",
        "50%",
        "a=1&b=2&copy=3",
        "AT&T; R&D",
        r"[\x00-\x1f]",
        r"C:\Users\jane\Documents\report.docx",
        r"^\d{1,3}\s*(\w*)\b$",
        "don\u2019t \u2026 \u201cquoted\u201d",
        "na\xefve caf\xe9 \xc0 la carte",
        "\u3053\u308c\u306f\u30c6\u30b9\u30c8\u3067\u3059\u3002\u672c\u5f53\uff1f\uff08\u7b11\uff09",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467 \u2764\ufe0f",
        "application/xhtml+xml,image/svg+xml;q=0.9,*/*;q=0.8",
        "jane+news@example.com",
        "+49 30 1234567",
        "a + b + c",
        "two\nlines\tand a tab\r\n",
        "550e8400-e29b-41d4-a716-446655440000",
        "d41d8cd98f00b204e9800998ecf8427e",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "aB3dE5fG7hJ9kL1mN2pQ4rS6tU8vW0xY",
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk",
        "GA1.2.1123456789.1712345678",
        "1712345678901",
        "\ud800 alone",
        r"Use \r\n to end lines, and \n on Unix",
        r"C:\repos\notes:2",
    ],
    ids=ascii,
)
def test_ordinary_values_have_no_forms(value: str) -> None:
    """What people and libraries send every day costs no second look."""
    assert texts(value) == []


LEGACY = {
    "shift_jis": ["\u65e5\u672c\u8a9e", "\u6771\u4eac\u90fd \u691c\u7d22", "\u30ab\u30bf\u30ab\u30ca", "\uff76\uff80"],
    "gbk": ["\u4e2d\u56fd", "\u6765", "\u8001\u674e", "\u5317\u4eac\u5927\u5b66", "\u6765\u6765 ok"],
    "euc_kr": ["\ud55c\uad6d\uc5b4", "\uc11c\uc6b8", "\uac80\uc0c9 \uacb0\uacfc"],
    "big5": ["\u53f0\u7063", "\u641c\u5c0b"],
    "windows-1251": [
        "\u041f\u0440\u0438\u0432\u0435\u0442",
        "\u0410.",
        "\u0410.\u0421. \u041f",
        "\u0411/\u0443",
        "\u0410/\u0411",
    ],
    "iso-8859-1": ["caf\xe9", "\xc0 la carte", "\xc1/\xc0", "na\xefve"],
}


@pytest.mark.parametrize("charset", sorted(LEGACY))
def test_text_in_other_charsets_has_no_forms(charset: str) -> None:
    """Bytes that are no UTF-8 are what old forms send; overlong forms of ASCII look different."""
    for word in LEGACY[charset]:
        assert texts(unquoted(quote(word.encode(charset)))) == [], word


ENCODERS: list[Callable[[str], str]] = [
    lambda text: quote(text, safe=""),
    lambda text: "".join([f"%{byte:02x}" for byte in text.encode()]),
    escape,
    lambda text: "".join([f"&#{ord(c)};" for c in text]),
    lambda text: "".join([f"&#x{ord(c):x};" for c in text]),
    lambda text: "".join([f"\\u{ord(c):04x}" for c in text]),
    lambda text: "".join([f"\\x{ord(c):02x}" for c in text]),
    overlong,
    wide,
]
PAYLOADS = ["<script>alert(1)</script>", "' or '1'='1' --", "../../etc/passwd", "; cat /etc/hosts | sh", "${jndi:x}"]


@given(st.sampled_from(PAYLOADS), st.lists(st.sampled_from(ENCODERS[:5]), min_size=1, max_size=3))
def test_layers_of_encodings_are_undone(payload: str, encoders: list[Callable[[str], str]]) -> None:
    """Up to three layers, in any order: the plain text is among the forms."""
    encoded = payload
    for encode in encoders:
        encoded = encode(encoded)
    assert payload in [encoded, *texts(encoded)]


@given(st.sampled_from(PAYLOADS), st.sampled_from(ENCODERS), st.sampled_from(ENCODERS[:2]))
def test_each_encoding_is_undone_within_percent_and_base64(
    payload: str, encode: Callable[[str], str], outer: Callable[[str], str]
) -> None:
    """Whatever hides a text is found behind percent encoding, and behind Base64."""
    encoded = encode(payload)
    assert payload in texts(outer(encoded))
    assert payload in texts(b64encode(encoded.encode()).decode())
    assert payload in [encoded, *texts(quote(b64encode(encoded.encode()).decode(), safe=""))] or encoded in PAYLOADS


PIECES = [
    *"%&#\\+;xu{}0123456789abcdefABCDEF<'=- \n\0/",
    *"\xc0\xae\xe0\x80\u200b\xa0\uff1c\uff41\ud800\udc80\U0001d42c",
    *("lt", "gt", "amp", "&lt;", "%25", "&#x26;", "\\u", "PHNj", ";base64,"),
]
hostile = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)


@given(hostile | st.text(max_size=40))
def test_forms_are_distinct_bounded_and_never_longer(value: str) -> None:
    """Nothing raises; decoding only goes forward; the cheap question is never wrong in saying no."""
    found = texts(value)
    assert len(found) == len({value, *found}) - 1
    assert len(found) <= 13
    assert all(len(text) <= INFLATED * len(value) for text in found)
    if found:
        assert decoding.may_change(value, [value])
        assert decoding.may_change(f"before {value} after", ["before", value, "after"])


def test_a_form_says_how_it_came_about() -> None:
    """The decodings are named in their order, each once."""
    value = quote(b64encode(b"&lt;script&gt;").decode(), safe="")
    forms = {form.text: form.via for form in decoding.forms(quote(value, safe=""))}
    assert forms["<script>"][-2:] == ("base64", "entities")
    assert [form.via for form in decoding.forms("%2527x")] == [("percent",)]


def test_what_removal_would_hide_is_a_form_too() -> None:
    """A NUL is evidence itself: there is a form with it, and one without."""
    assert {"a.php\0.png", "a.php.png"} <= set(texts("a.php%00.png"))
    assert {r"..\..\x2e", "..\\..."} & set(texts(r"..%5c..%5cx2e"))


SHAPES = [
    "%25", "%2525253c", "%c0%ae", "%ffa", "&lt;", "&amp;", "&#x3c;", "&", "\\u003c", "\\", "\\74", "\u200b",
    "a\u200b", "a\xa0", "\xc0\xae", "\uff1c", "+ADw-", "+A", "'+", "PHNj", "%5cx26lt;", "\udcc0\udcae", "3c27",
    "\xc0.", "\xc0\xaf", "\\r\\nA:", "UEhOag==", "v1:PHNj", "PHNjcmlwdD4xMjM0\n",
]  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES, ids=ascii)
def test_twice_the_text_is_twice_the_work(shape: str) -> None:
    """Units are proportional to the length, whatever is repeated, and at most 30 a character."""
    spent = []
    for length in (PIECE // 2, PIECE):
        work = Work(10**9)
        list(decoding.forms((shape * length)[:length], work))
        spent.append(work.spent)
    assert spent[1] <= 2.1 * spent[0] + 100
    assert spent[1] <= 30 * PIECE


def test_work_is_bounded() -> None:
    """Who has no work left gets no forms."""
    work = Work(0)
    work.spend(work.bound)
    with pytest.raises(OutOfWork):
        list(decoding.forms("%2527", work))
