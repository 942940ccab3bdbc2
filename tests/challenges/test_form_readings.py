"""A rule about a form's field sees every value that a framework's own parser would hand to the application."""

from __future__ import annotations

import base64
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.adapters.django_setup import ensure_django

ensure_django()

from django.core.handlers.wsgi import WSGIRequest  # noqa: E402  (Django has to be configured first)
from werkzeug.wrappers import Request  # noqa: E402

from doorward import RequestContext, deny  # noqa: E402
from doorward.address_facts import NO_ADDRESS_DATA  # noqa: E402
from doorward.rules.base import View  # noqa: E402

FORM, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"
NAMED = 'form-data; name="role"'


def part(disposition: str, value: bytes = b"admin", more: str = "") -> bytes:
    """A multipart body of one part."""
    head = f"--b\r\nContent-Disposition: {disposition}\r\n{more}\r\n".encode()
    return head + value + b"\r\n--b--\r\n"


def as_frameworks_read_it(content_type: str, body: bytes) -> set[str]:
    """The values of "role" that views of Flask and of Django would see."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST", "CONTENT_TYPE": content_type, "CONTENT_LENGTH": str(len(body)), "PATH_INFO": "/",
        "SERVER_NAME": "a", "SERVER_PORT": "80", "wsgi.url_scheme": "http", "QUERY_STRING": "",
    }  # fmt: skip
    of_flask = Request({**environ, "wsgi.input": BytesIO(body)})
    found = set(of_flask.form.getlist("role"))
    for file in of_flask.files.values():
        file.close()
    try:
        found.update(WSGIRequest({**environ, "wsgi.input": BytesIO(body)}).POST.getlist("role"))
    except Exception:  # a view would not be reached
        return found
    return found


def matched(content_type: str, body: bytes, value: str = "admin") -> bool:
    request = RequestContext(method="POST", headers=[("content-type", content_type)], body=body, peer="192.0.2.9")
    return deny(form={"role": value}).matches(View(request, "192.0.2.9", {}, {}, NO_ADDRESS_DATA))


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (FORM, b"role=admin"),
        (FORM, b"r%6Fle=%61dmin&role=x"),
        (FORM, b"&" * 5_000 + b"role=admin"),
        (FORM, b"a=1&" * 900 + b"role=admin"),
        (FORM, b"a=1&" * 5_000 + b"role=admin"),  # more fields than Django takes; Werkzeug has no such limit
        (MULTIPART, part('form-data; name="role"')),
        (MULTIPART, part("form-data; name*=utf-8''role")),
        (MULTIPART, part('form-data; name="x"; name="role"')),
        (MULTIPART, part('form-data; name="ro\\le"')),
        (MULTIPART, part('form-data; name="role"; filename=""')),
        (MULTIPART, part("form-data; name=\"role\"; filename*=utf-8''")),
        (MULTIPART, part('form-data; name="x"\r\nContent-Disposition: form-data; name="role"')),
        (MULTIPART, part(NAMED, base64.b64encode(b"admin"), "Content-Transfer-Encoding: base64\r\n")),
        (MULTIPART, part('form-data; name="role"', more=f"X: {'a' * 9_000}\r\n")),
        (f"{MULTIPART}; charset=utf-7", part('form-data; name="role"', b"+AGEAZABtAGkAbg-")),
        ("multipart/form-data; boundary=x; boundary=b", part('form-data; name="role"')),
        ("multipart/form-data; boundary*=utf-8''b", part('form-data; name="role"')),
        ("multipart/form-data; boundary=b,text/plain", part('form-data; name="role"')),
    ],
)  # fmt: skip
def test_what_an_application_would_read_a_rule_reads(content_type: str, body: bytes) -> None:
    """Each of these was a way around a ``deny`` for a field, in Flask, in Django or in both."""
    assert "admin" in as_frameworks_read_it(content_type, body)
    assert matched(content_type, body)


ATOMS = st.sampled_from(
    [b"role", b"r%6fle", b"=", b"admin", b"%61dmin", b"&", b"&&", b";", b"+", b"x", b"%", b"%zz", b"\xff", b"r", b"ole"]
)


@given(st.lists(ATOMS, max_size=12).map(b"".join))
def test_an_urlencoded_form_is_read_as_it_is_by_frameworks(body: bytes) -> None:
    """No more, either: a rule about one field takes no other for it."""
    found = as_frameworks_read_it(FORM, body)
    assert ("admin" in found) is matched(FORM, body)
    assert bool(found) is matched(FORM, body, "re:(?s).*")


def test_a_file_is_no_field_and_what_is_broken_is_unknown() -> None:
    """Neither the condition nor its ``not`` matches a body that does not end, or has too many parts."""
    assert not matched(MULTIPART, part('form-data; name="role"; filename="x"'))
    absent = deny(form={"role": False})
    for body in (b"--b\r\n", b"--b\r\nno head--b--", part('form-data; name="a"') * 1_100, b""):
        request = RequestContext(method="POST", headers=[("content-type", MULTIPART)], body=body)
        assert not absent.matches(View(request, "192.0.2.9", {}, {}, NO_ADDRESS_DATA))
    request = RequestContext(method="POST", headers=[("content-type", MULTIPART)], body=part('form-data; name="a"'))
    assert absent.matches(View(request, "192.0.2.9", {}, {}, NO_ADDRESS_DATA))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "utf-32-le", "utf-32"])
def test_json_that_does_not_say_so_is_read_in_every_encoding_that_python_reads(encoding: str) -> None:
    """``json.loads(request.body)`` takes all of them; a mark of the byte order went around the rule."""
    body = '{"user": {"role": "admin"}}'.encode(encoding)
    request = RequestContext(method="POST", headers=[("content-type", "text/plain")], body=body)
    assert deny(json={"user.role": "admin"}).matches(View(request, "192.0.2.9", {}, {}, NO_ADDRESS_DATA))
