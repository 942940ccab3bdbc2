"""The promise: no bytes that come to the endpoints, or a challenged page, are answered with a 5xx, or swallowed.

That nothing is swallowed is what a fixture of all tests sees to.
"""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.challenges.clearing import Site

from doorward import challenge

SITE = Site([challenge("work")], challenges={"kinds": ["work", "wait"]})
PATHS = [
    "verify",
    "next",
    "other",
    "waited",
    "landed",
    "altcha",
    "picture",
    "",
    "static/x",
    "verify/",
    "../x",
    "verify\x00",
]
TYPES = ["application/x-www-form-urlencoded", "application/json", "multipart/form-data; boundary=x", "text/plain", ""]
NAMES = ["HTTP_COOKIE", "HTTP_HOST", "HTTP_ORIGIN", "HTTP_REFERER", "HTTP_ACCEPT_LANGUAGE", "HTTP_CONTENT_ENCODING",
         "HTTP_SEC_FETCH_SITE", "HTTP_SEC_FETCH_DEST", "HTTP_USER_AGENT", "HTTP_X_FORWARDED_FOR", "SCRIPT_NAME",
         "QUERY_STRING", "RAW_URI", "REMOTE_ADDR", "CONTENT_LENGTH", "HTTP_UPGRADE"]  # fmt: skip

header_text = st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=60)
shapes = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def genuine() -> str:
    """The token of a challenge that was just posed."""
    told = json.loads(SITE.get(HTTP_ACCEPT="application/json").body)
    token: str = told["challenge"]["token"]
    return token


fields = st.fixed_dictionaries(
    {"token": st.builds(genuine) | shapes}, optional={"doorward-form": shapes, "why": shapes}
)
bodies = (
    st.binary(max_size=200)
    | fields.map(lambda found: json.dumps(found).encode())
    | st.dictionaries(
        st.sampled_from(["token", "doorward-form", "why", "counter", "altcha"]), st.text(max_size=20)
    ).map(lambda found: "&".join([f"{name}={value}" for name, value in found.items()]).encode("utf-8", "replace"))
)


@settings(max_examples=150, deadline=None)
@given(
    path=st.sampled_from([f"/.doorward/{name}" for name in PATHS] + ["/x", "/"]),
    method=st.sampled_from(["GET", "POST", "HEAD", "PUT", "OPTIONS", "\xff"]),
    kind=st.sampled_from(TYPES),
    accept=st.sampled_from(["text/html", "application/json", "*/*;q=x"]),
    body=bodies,
    more=st.dictionaries(st.sampled_from(NAMES), header_text, max_size=4),
)
def test_no_bytes_are_an_error_of_ours(
    path: str, method: str, kind: str, accept: str, body: bytes, more: dict[str, Any]
) -> None:
    SITE.clock.advance(2)
    given = {"QUERY_STRING": "t=" + genuine(), "CONTENT_TYPE": kind, "HTTP_ACCEPT": accept, **more}
    reply = SITE.call(method, path, body=body, **given)
    assert reply.status < 500
    for name, value in reply.headers:
        (name + value).encode("latin-1")
        assert not set(value) & set("\r\n\x00")
    if method != "OPTIONS":
        assert reply.body != b"the application"
