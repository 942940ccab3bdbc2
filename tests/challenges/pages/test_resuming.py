"""Forms that are kept come back to the letter, or are not kept."""

from __future__ import annotations

import html
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.challenges.pages.sites import BROWSER, Fields

from doorward import RequestContext
from doorward.challenges.resuming import LONGEST_FORM, MULTIPART, URLENCODED, digest, kept_form, restored
from doorward.context import Body

TEXTS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=12)
FIELDS = st.lists(st.tuples(TEXTS, TEXTS), max_size=6)


def request(body: bytes, kind: str = URLENCODED, complete: bool = True, **more: str) -> RequestContext:
    lines = {**BROWSER, "content-type": kind, "host": "site.example", **more}
    found = RequestContext(method="POST", path="/x", headers=lines)
    found.hold(Body(body, complete))
    return found


def parts(fields: list[tuple[str, str]], boundary: str = "xxyyzz") -> bytes:
    """As browsers write a form in parts."""
    lines = []
    for name, value in fields:
        quoted = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
        lines.append(f'--{boundary}\r\nContent-Disposition: form-data; name="{quoted}"\r\n\r\n{value}\r\n')
    return ("".join(lines) + f"--{boundary}--\r\n").encode()


@given(FIELDS)
def test_a_form_comes_back_to_the_letter(fields: list[tuple[str, str]]) -> None:
    kept = kept_form(request(urlencode(fields).encode()))
    assert kept is not None
    assert list(kept.fields) == fields
    assert restored(kept.text) == kept
    page = Fields(f"<form>{kept.inputs()}</form>")
    assert page.forms[0][1] == fields
    assert {tag for tag, _ in page.attributes} <= {"form", "input"}


@given(FIELDS)
def test_a_form_in_parts_comes_back_to_the_letter(fields: list[tuple[str, str]]) -> None:
    clean = [(name.replace("%", ""), value) for name, value in fields if "xxyyzz" not in value]
    kept = kept_form(request(parts(clean), f"{MULTIPART}; boundary=xxyyzz"))
    assert kept is not None
    assert (kept.kind, list(kept.fields)) == (MULTIPART, clean)


@given(st.binary(max_size=200), st.sampled_from([URLENCODED, f"{MULTIPART}; boundary=a", MULTIPART, "text/plain", ""]))
def test_any_body_is_kept_or_not(body: bytes, kind: str) -> None:
    kept = kept_form(request(body, kind))
    assert kept is None or restored(kept.text) == kept


@given(st.text(max_size=200))
def test_any_text_is_restored_or_not(text: str) -> None:
    found = restored(text)
    assert found is None or found.kind in (URLENCODED, MULTIPART)
    assert len(digest(text)) == 22


@pytest.mark.parametrize(
    ("body", "more"),
    [
        (b"a=%ff", {}),
        (b"a=%00", {}),
        (b"a=\xff", {}),
        (b"a=1", {"content-encoding": "gzip"}),
        (b"a=1", {"content-length": str(LONGEST_FORM + 1)}),
        (b"a=1", {"content-length": "1e3"}),
        (b"&".join([b"a=1"] * 1001), {}),
        (b"a=" + b"x" * LONGEST_FORM, {}),
        (b"a=1", {"sec-fetch-dest": "iframe"}),
        (b"a=1", {"sec-fetch-dest": "empty"}),
        (b"a=1", {"accept": "application/json"}),
    ],
    ids=str,
)
def test_what_would_not_come_back_the_same_is_not_kept(body: bytes, more: dict[str, str]) -> None:
    assert kept_form(request(body, **more)) is None


@pytest.mark.parametrize(
    "body",
    [
        b'--b\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\n\r\nx\r\n--b--\r\n',
        b'--b\r\nContent-Disposition: form-data; name="f"\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--\r\n',
        b'--b\r\nContent-Disposition: form-data; name="f"\r\n\r\nx\r\n',
        b'before--b\r\nContent-Disposition: form-data; name="f"\r\n\r\nx\r\n--b--\r\n',
        b'--b\r\nContent-Disposition: form-data; name="f"\r\n\r\n\xff\r\n--b--\r\n',
        b"--b--\r\n--b--\r\nmore",
        b"",
    ],
)
def test_files_and_odd_parts_are_not_kept(body: bytes) -> None:
    assert kept_form(request(body, f"{MULTIPART}; boundary=b")) is None


def test_a_body_that_was_cut_off_is_not_kept() -> None:
    assert kept_form(request(b"a=1", complete=False)) is None


def test_what_a_page_says_about_a_field_is_text() -> None:
    """XSS by the name or the value of a field."""
    kept = kept_form(request(urlencode([('"><script>alert(1)</script>', "'\"><img src=x onerror=alert(1)>")]).encode()))
    assert kept is not None
    assert "<script" not in kept.inputs()
    assert "<img" not in kept.inputs()
    assert parse_qsl(kept.text[2:])[0][0] == html.unescape("&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;")
