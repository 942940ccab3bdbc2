"""Multipart bodies: fields, files and names, however they are written."""

from __future__ import annotations

import base64
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.attacks.taken_apart import longest_stretch, names, parts_of_body, rules, seen, size, texts
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from doorward.attacks.evidence import Place
from doorward.attacks.parts import CHUNK, OVERLAP

FORM = "multipart/form-data; boundary=xx"
ATTACK = "' or 1=1--"
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 4
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=20)
NAMES = st.text("abcxyz", min_size=1, max_size=5)


def form(*parts: bytes, end: bytes = b"--xx--\r\n", line: bytes = b"\r\n") -> bytes:
    """A body of parts, each with its header lines."""
    return (b"".join(b"--xx\r\n" + part + b"\r\n" for part in parts) + end).replace(b"\r\n", line)


def field(name: str = "a", value: bytes = ATTACK.encode(), headers: bytes = b"") -> bytes:
    return f'Content-Disposition: form-data; name="{name}"\r\n'.encode() + headers + b"\r\n" + value


def file(filename: str, content: bytes, kind: str = "application/octet-stream") -> bytes:
    return (
        f'Content-Disposition: form-data; name="f"; filename="{filename}"\r\nContent-Type: {kind}\r\n\r\n'.encode()
        + content
    )


@given(fields=st.dictionaries(NAMES, TEXTS, max_size=5), filename=NAMES, content=TEXTS)
def test_fields_and_files_are_those_that_werkzeug_wrote(fields: dict[str, str], filename: str, content: str) -> None:
    """Names, values, file names and text files come out as they went in."""
    stream = FileStorage(BytesIO(content.encode()), filename=filename, name="upload")
    boundary, body = encode_multipart({**fields, "upload": stream})
    found = parts_of_body(body, f'multipart/form-data; boundary="{boundary}"')
    assert seen(found, Place.FILENAME) == [("upload", filename)]
    assert rules(found) == []
    in_fields = [(name, text) for name, text in seen(found, Place.MULTIPART) if name != "upload"]
    assert in_fields == list(fields.items())


@pytest.mark.parametrize(
    "body",
    [
        form(field()),
        form(field(), line=b"\n"),
        form(field(), end=b""),
        b"preamble\r\n" + form(field()) + b"epilogue",
        form(field()).replace(b'name="a"', b"name=a"),
        form(field()).replace(b"; name", b";\r\n\tname"),
        form(field()).replace(b"--xx\r\n", b"--xx \t\r\n"),
        form(field()).replace(b"Content-Disposition", b"CONTENT-DISPOSITION"),
    ],
    ids=["plain", "line-feeds", "no-end", "preamble", "unquoted", "folded", "padded", "upper-case"],
)
def test_lenient_servers_find_the_field_and_so_do_we(body: bytes) -> None:
    """However its part is written, the value and its name are found."""
    assert ("a", ATTACK) in [(name, text.strip()) for name, text in seen(parts_of_body(body, FORM))]


@pytest.mark.parametrize(
    "kind", ['multipart/form-data; boundary="xx"', "Multipart/Mixed;boundary=xx;charset=utf-8", "multipart/form-data"]
)
def test_boundaries_are_found_where_they_are_declared_or_stand(kind: str) -> None:
    """Quoted, in any case, or only in the body."""
    found = parts_of_body(form(field()), kind)
    assert seen(found) == [("a", ATTACK)]
    assert rules(found) == ([] if "boundary" in kind else ["unscanned.no_boundary"])


def test_a_body_without_its_boundary_is_raw_text() -> None:
    """What cannot be told apart is looked at as it is, and said."""
    found = parts_of_body(ATTACK.encode(), FORM)
    assert texts(found) == [ATTACK]
    assert rules(found) == ["unscanned.no_boundary"]


@pytest.mark.parametrize(
    ("body", "kind", "rule"),
    [
        (form(field()), "multipart/form-data; boundary=yy; boundary=xx", "two_boundaries"),
        (form(field().replace(b'name="a"', b'name="a"; name="b"')), FORM, "two_names"),
        (form(field(headers=b'Content-Disposition: form-data; name="b"\r\n')), FORM, "two_names"),
        (form(field(value=b"a--xx--b" + ATTACK.encode())), FORM, "stray_boundary"),
    ],
    ids=["boundaries", "names", "dispositions", "stray"],
)
def test_what_servers_read_differently_is_a_finding(body: bytes, kind: str, rule: str) -> None:
    """And the value is looked at all the same."""
    found = parts_of_body(body, kind)
    assert f"unscanned.{rule}" in rules(found)
    assert any(ATTACK in text for text in texts(found))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ('filename="../../etc/passwd"', ["../../etc/passwd"]),
        ("filename=a;x=b", ["a"]),
        ('filename="a\\"b;c"', ['a"b;c']),
        ("filename*=UTF-8''..%2Fx.php", ["../x.php"]),
        ("filename*=utf-16be''%00%2E%00%2E%00/", ["../"]),
        ("filename=\"a.txt\"; filename*=UTF-8''a.php", ["a.txt", "a.php"]),
        ('filename*0="a."; filename*1="php"', ["a.php"]),
        ('filename="C:\\x\\y.txt"', ["C:\\x\\y.txt"]),
    ],
    ids=["quoted", "token", "escaped", "extended", "charset", "both", "continued", "windows"],
)
def test_all_file_names_of_a_part_are_looked_at(written: str, expected: list[str]) -> None:
    """Servers differ in which of them they take (RFC 7578 section 4.2, RFC 8187)."""
    part = f'Content-Disposition: form-data; name="f"; {written}\r\n\r\nx'.encode()
    assert [text for _, text in seen(parts_of_body(form(part), FORM), Place.FILENAME)] == expected


def test_names_and_header_lines_that_are_more_than_ordinary_are_looked_at() -> None:
    """A client chooses names of fields, and adds lines."""
    found = parts_of_body(form(field("x$(id)", b"v", b"X-Odd: ${jndi:x}\r\nContent-Type: text/plain\r\n")), FORM)
    assert names(found) == ["x$(id)"]
    assert ("x-odd", "${jndi:x}") in seen(found)
    assert all("text/plain" not in text for text in texts(found))


@pytest.mark.parametrize(
    ("headers", "value"),
    [
        (b"Content-Type: text/plain; charset=utf-7\r\n", b"+ADw-script+AD4-"),
        (b"Content-Type: text/plain; charset=utf-16le\r\n", "<script>".encode("utf-16-le")),
        (b"Content-Type: text/plain; charset=ibm037\r\n", "<script>".encode("cp037")),
        (b"Content-Transfer-Encoding: base64\r\n", base64.b64encode(b"<script>")),
        (b"Content-Transfer-Encoding: quoted-printable\r\n", b"=3Cscript=3E"),
    ],
    ids=["utf-7", "utf-16", "ebcdic", "base64", "quoted-printable"],
)
def test_values_are_read_as_declared_and_as_they_are(headers: bytes, value: bytes) -> None:
    """Servers differ in whether they heed what a part says about itself."""
    found = texts(parts_of_body(form(field("a", value, headers)), FORM))
    assert "<script>" in found
    assert len(found) == 2


def test_the_charset_field_says_how_others_are_read() -> None:
    """RFC 7578 section 4.6."""
    body = form(field("_charset_", b"utf-7"), field("a", b"+ADw-x+AD4-"))
    assert ("a", "<x>") in seen(parts_of_body(body, FORM))


def test_parts_within_parts_are_looked_at() -> None:
    """Nested multipart bodies are walked, and too deep ones are said."""
    outer = MIMEMultipart("form-data", boundary="xx")
    inner = MIMEMultipart("mixed", boundary="yy")
    attached = MIMEText(ATTACK)
    attached["Content-Disposition"] = 'attachment; filename="a.dat"'
    inner.attach(attached)
    outer.attach(inner)
    found = parts_of_body(outer.as_bytes().partition(b"\n\n")[2], FORM)
    assert ("", "a.dat") in seen(found, Place.FILENAME)
    assert ATTACK in [text.strip() for text in texts(found)]
    deep = ATTACK.encode()
    for n in range(6):
        mark = f"b{n}".encode() if n < 5 else b"xx"
        inside = f"Content-Type: multipart/mixed; boundary=b{n - 1}\r\n\r\n".encode() if n else b"\r\n"
        deep = b"--" + mark + b"\r\n" + inside + deep + b"\r\n--" + mark + b"--\r\n"
    found = parts_of_body(deep, FORM)
    assert "unscanned.nested_parts" in rules(found)
    assert any(ATTACK in text for text in texts(found))


def test_files_that_are_no_text_are_left_alone_but_for_what_runs() -> None:
    """An image is not read as text; a script in it is found."""
    assert seen(parts_of_body(form(file("a.png", PNG, "image/png")), FORM), Place.MULTIPART) == []
    found = parts_of_body(form(file("a.png", PNG + b"<?php system($_GET[0]); ?>\0" + PNG, "image/png")), FORM)
    assert seen(found, Place.MULTIPART) == [("f", "<?php system($_GET[0]); ?>")]


def test_files_of_code_are_allowed_to_hold_code() -> None:
    """Of source code and pages only what runs on a server is looked at; of data and images of SVG all."""
    source = b"import os\nos.system('ls')\n"
    assert seen(parts_of_body(form(file("a.py", source)), FORM), Place.MULTIPART) == []
    assert seen(parts_of_body(form(file("a.csv", source)), FORM), Place.MULTIPART) == [("f", source.decode())]
    assert seen(parts_of_body(form(file("a.html", source, "image/svg+xml")), FORM), Place.MULTIPART) != []


def test_forms_that_go_on_past_the_limit_weigh_unless_it_is_in_a_file() -> None:
    """An upload is long; a form without a file is not."""
    cut = b"--xx\r\n" + file("a.png", PNG)
    assert rules(parts_of_body(form(field())[:-8] + cut, FORM, complete=False)) == []
    assert rules(parts_of_body(form(field(), end=b""), FORM, complete=False)) == ["unscanned.truncated_part"]


HOSTILE = (
    b"--xx\r\n",
    b"--xx",
    b"\r\n",
    b"--xx\r\n\r\n",
    b"--xx\r\na:b\r\n\r\n",
    b'; name="',
    b"; name=a",
    b"--xx--\r\n",
    b"-",
    b"--xx\r\nContent-Disposition: form-data; filename=a\r\n\r\n<?php",
    b"a: b\r\n",
    b"\r\n ",
    b'\\"',
    b"<?",
    b"\0",
)


@pytest.mark.parametrize("unit", HOSTILE, ids=[f"unit-{n}" for n in range(len(HOSTILE))])
@pytest.mark.parametrize(
    "prefix",
    [b"", b"--xx\r\nContent-Disposition: form-data", b"--xx\r\n" + file("a", b"\0")],
    ids=["bare", "head", "file"],
)
def test_work_doubles_with_the_body(unit: bytes, prefix: bytes) -> None:
    """Twice as long a body gives at most twice as much to look at."""
    count = 4 * CHUNK // len(unit)
    once, twice = (size(parts_of_body(prefix + unit * n, FORM)) for n in (count, 2 * count))
    assert twice <= 2.3 * once + 10_000
    assert once <= 6 * count * len(unit) + 10_000


def test_long_fields_come_in_pieces() -> None:
    """A field of any length is looked at to its end."""
    value = "é€" * CHUNK + ATTACK
    parts = parts_of_body(form(field("a", value.encode())), FORM)
    assert seen(parts) == [("a", value)]
    assert longest_stretch(parts) <= CHUNK + OVERLAP


TOKENS = st.sampled_from(
    [
        b"--xx",
        b"\r\n",
        b"\n",
        b"--",
        b"Content-Disposition: form-data; name=",
        b'"',
        b"filename*=",
        b"''",
        b"Content-Type: multipart/mixed; boundary=",
        b"charset=utf-7",
        b"\0",
        b"%",
        b"a",
        b"base64",
    ]
)


@given(pieces=st.lists(st.one_of(TOKENS, st.binary(max_size=5)), max_size=30), complete=st.booleans())
def test_no_bytes_are_too_odd(pieces: list[bytes], complete: bool) -> None:
    """Whatever comes as multipart is taken apart without an error."""
    parts_of_body(b"".join(pieces), FORM, complete=complete)
