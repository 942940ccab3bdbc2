"""Whatever a request consists of, it is taken apart without an error, in pieces, and plain text is not lost.

An input is a body with its type in the first line; the second line is a path, a query and a cookie, between spaces.
"""

from __future__ import annotations

from tests.fuzz.harness import fuzz, instrumented

with instrumented(__name__):
    from doorward import RequestContext
    from doorward.attacks import views
    from doorward.attacks.evidence import Family, Finding
    from doorward.attacks.known import Known
    from doorward.attacks.parts import CHUNK, OVERLAP

MARK = "' or 1=1--"
"""An attack of plain characters. Nothing undoes or splits it, so that it has to be in a value as it stands."""
MOST_TIMES = 24
"""As often as a character is looked at, at most: a body in two types, in two charsets, as two things."""


def parsed(data: bytes) -> RequestContext:
    kind, _, rest = data.partition(b"\n")
    line, _, body = rest.partition(b"\n")
    path, query, cookie = [*line.decode("latin-1").split(" "), "", "", ""][:3]
    headers = [(b"content-type", kind), (b"cookie", cookie.encode("latin-1"))]
    request = RequestContext(path=path or "/", query=query, headers=headers, body=body)
    request.body_complete = not data.endswith(b"~")
    return request


def check_parts(request: RequestContext) -> None:
    sources = [*views.head(request, Known()), *filter(None, [views.body(request)])]
    for source in sources:
        characters = 0
        for part in source.values():
            if isinstance(part, Finding):
                assert part.family is Family.UNSCANNED
                assert 0 < part.weight <= 1
                continue
            assert part.offset >= 0
            assert len(part.text) <= CHUNK + OVERLAP
            assert len(part.name) <= 4 * CHUNK
            characters += len(part.text)
        assert characters <= MOST_TIMES * source.size + 200, (characters, source.size)


def check_nothing_is_lost(content_type: bytes, body: bytes) -> None:
    """A body that ends with an attack after a line of its own: it is looked at, as part of something."""
    request = RequestContext(headers=[(b"content-type", content_type)], body=body + b"\n" + MARK.encode())
    source = views.body(request)
    assert source is not None
    if b"charset" in content_type.lower() or b"encoding" in body.lower() or b"multipart" in content_type.lower():
        return  # read otherwise, or within a file
    if b"\0" in body or not body.isascii() or b"\\" in body or any(byte < 32 for byte in body.replace(b"\n", b"")):
        return  # binary, or escaped
    texts = [part.text for part in source.values() if not isinstance(part, Finding)]
    plain = "".join(texts).replace("+", " ")
    assert "or 1=1--" in plain or "or 1" in plain, texts


def target(data: bytes) -> None:
    request = parsed(data)
    check_parts(request)
    check_nothing_is_lost(data.partition(b"\n")[0], request.body or b"")


if __name__ == "__main__":
    fuzz(target, "attack_bodies")
