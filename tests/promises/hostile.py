"""Requests that nobody means well: random bytes, and a grammar of what trips parsers."""

from __future__ import annotations

import random
from typing import NamedTuple

from tests.behaviour.clients.base import Lines

NASTY = (
    "", " ", "\t", "\0", "\x00\x01\x1b[31m", "%", "%%", "%0", "%00", "%zz", "%c0%af", "..", "../../etc/passwd", "//",
    "/./", ";", "&", "=", "&&==", "'", '"', "\\", "<script>", "{{7*7}}", "${jndi:ldap://x}", "1e999", "nan", "-1",
    "9" * 400, "a" * 5000, "\xff\xfe", "\x80" * 50, "é", "[", "[::1", "[::1]:x", "::ffff:1.2.3.4", "fe80::1%eth0",
    "1.2.3.4:99999", "999.1.1.1", "0x7f.1", "unix:", "_hidden", "for=", 'for="[::1]";proto=https', ",,,,", "q=0.5;q=2",
    "gzip, gzip", '"unclosed', "a=b; a=c; =; ;;", "Bearer x.y.z", "multipart/form-data; boundary=", "text/html;q=1.00",
)  # fmt: skip
NAMES = (
    "Accept", "Accept-Encoding", "Authorization", "CF-Connecting-IP", "Content-Encoding", "Content-Type", "Cookie",
    "Expect", "Forwarded", "Host", "Origin", "Range", "Referer", "Transfer-Encoding", "Upgrade", "User-Agent", "Via",
    "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Key", "X-Real-IP", "RateLimit",
)  # fmt: skip
METHODS = (
    "GET",
    "POST",
    "PUT",
    "DELETE",
    "HEAD",
    "OPTIONS",
    "PATCH",
    "TRACE",
    "CONNECT",
    "get",
    "PROPFIND",
    "X" * 300,
    "",
)
PEERS = ("203.0.113.9", "10.0.0.1", "127.0.0.1", "::1", "2001:db8::1", "::ffff:203.0.113.9", "", None, "nobody",
         "fe80::1%eth0", "203.0.113.9:80", "\0", "٣.٣.٣.٣", "1" * 500)  # fmt: skip


class Hostile(NamedTuple):
    """One request; the target is latin-1 text, as servers read it off the wire."""

    method: str
    target: str
    headers: Lines
    body: bytes
    peer: str | None


def hostile(source: random.Random) -> Hostile:
    """A request: some parts reasonable, so that it gets past the first check, the others not."""
    headers = [(_name(source), _text(source)) for _ in range(source.choice((0, 1, 3, 12, 12, 60)))]
    target = (
        "/anything/" + _text(source) if source.random() < 0.7 else source.choice(("/echo", "/limited", "/", "*", ""))
    )
    if source.random() < 0.7:
        target += "?" + "&".join(f"{_text(source)}={_text(source)}" for _ in range(source.randrange(5)))
    body = source.randbytes(source.choice((0, 0, 1, 100, 5000))) if source.random() < 0.8 else _text(source).encode()
    return Hostile(source.choice(METHODS), target, headers, body, source.choice(PEERS))


def _name(source: random.Random) -> str:
    return source.choice(NAMES) if source.random() < 0.9 else "".join(source.choices("abcXYZ-_.!~09", k=8))


def _text(source: random.Random) -> str:
    kind = source.random()
    if kind < 0.4:
        text = source.choice(NASTY)
    elif kind < 0.7:
        text = "".join(source.choice(NASTY) for _ in range(source.randrange(6)))
    elif kind < 0.85:
        text = source.randbytes(source.randrange(40)).decode("latin-1")
    else:
        text = "".join(source.choices("abcdefghijklmnopqrstuvwxyz0123456789/", k=source.randrange(30)))
    # Line ends never reach an application: servers end the line there.
    return text.replace("\r", "").replace("\n", "")[:8000]
