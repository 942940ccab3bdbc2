"""Values that machines make: tokens, hashes, identifiers, passwords and binary data."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from random import Random

from .encodings import hexadecimal, letters

DIGITS = "0123456789"
PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
_PASSWORD = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789" + PUNCTUATION


def uuid(rng: Random) -> str:
    """A random UUID (RFC 9562, version 4)."""
    text = hexadecimal(rng, 32)
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{rng.choice('89ab')}{text[17:20]}-{text[20:]}"


def base64_text(rng: Random, octets: int) -> str:
    """Base64 of random octets."""
    return base64.b64encode(rng.randbytes(octets)).decode()


def json_web_token(rng: Random) -> str:
    """A JSON web token (RFC 7519)."""
    head = {"alg": rng.choice(("HS256", "RS256")), "typ": "JWT"}
    claims = {"sub": uuid(rng), "name": "Jane O'Neil", "iat": rng.randint(10**9, 2 * 10**9), "scope": "read write"}
    return ".".join((_url_safe(json.dumps(head).encode()), _url_safe(json.dumps(claims).encode()), letters(rng, 43)))


def traceparent(rng: Random) -> str:
    """A W3C trace context."""
    return f"00-{hexadecimal(rng, 32)}-{hexadecimal(rng, 16)}-01"


def etag(rng: Random) -> str:
    """An entity tag, strong or weak, or two."""
    return rng.choice(
        (
            f'"{hexadecimal(rng, 32)}"',
            f'W/"{hexadecimal(rng, 5)}-{letters(rng, 27)}"',
            f'"{letters(rng, 8)}", W/"67ab43"',
        )
    )


def password(rng: Random) -> str:
    """What a password manager makes up, a diceware phrase, or what a person thinks is clever."""
    generated = letters(rng, rng.randint(10, 28), _PASSWORD)
    phrase = "-".join(rng.sample(("correct", "horse", "Union", "drop", "select", "staple", "cat", "Null", "echo"), 4))
    clever = rng.choice(
        ("P@$$w0rd", "Tr0ub4dor&3", "i<3Cats!", "1+1=2;-)", "it's a secret", "100%Me||You", "O'Brien#1")
    )
    return rng.choice((generated, generated, generated, phrase, clever + letters(rng, 3)))


def licence_key(rng: Random) -> str:
    """Five groups of five."""
    return "-".join(letters(rng, 5, "ABCDEFGHJKLMNPQRSTUVWXYZ23456789") for _ in range(5))


def iban(rng: Random) -> str:
    """An account number of the right shape (ISO 13616); its check digits are random."""
    return rng.choice(("DE", "FR", "GB", "ES")) + " ".join(letters(rng, 4, DIGITS) for _ in range(5))


def phone(rng: Random) -> str:
    """A telephone number as people write it."""
    one, two, three = rng.randint(100, 999), rng.randint(100, 999), rng.randint(1000, 9999)
    return rng.choice(
        (
            f"+1 ({one}) {two}-{three}",
            f"+49 {one} {two}{three}",
            f"0{one}/{two} {three}",
            f"00{one}.{two}.{three}",
            f"{one}-{two}-{three} ext. {rng.randint(1, 99)}",
            f"+44(0){one} {two} {three}#",
            f"tel:+1-{one}-{two}-{three};ext=12",
        )
    )


def png(rng: Random) -> bytes:
    """The chunks of a PNG file (ISO 15948) around random image data."""
    header = struct.pack(">IIBBBBB", rng.randint(1, 64), rng.randint(1, 64), 8, 6, 0, 0, 0)
    data = rng.randbytes(rng.randint(60, 900))
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def jpeg(rng: Random) -> bytes:
    """The frame of a JPEG file around random scan data."""
    head = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xda"
    return head + rng.randbytes(rng.randint(100, 1200)) + b"\xff\xd9"


def pdf(rng: Random) -> bytes:
    """A PDF file of one page whose content is compressed, that is random."""
    stream = rng.randbytes(rng.randint(100, 800))
    return (
        b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n"
        b"2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n"
        b"3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R >>\nendobj\n4 0 obj\n"
        + f"<< /Length {len(stream)} /Filter /FlateDecode >>\nstream\n".encode()
        + stream
        + b"\nendstream\nendobj\ntrailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n9\n%%EOF\n"
    )


def zip_file(rng: Random) -> bytes:
    """A ZIP archive with one stored entry (APPNOTE 4.3)."""
    name, data = b"word/document.xml", rng.randbytes(rng.randint(100, 700))
    fields = struct.pack("<HHHHHIIIHH", 20, 0, 0, 0, 0x5821, zlib.crc32(data), len(data), len(data), len(name), 0)
    local = b"PK\x03\x04" + fields + name + data
    central = b"PK\x01\x02" + struct.pack("<H", 20) + fields + struct.pack("<HHHII", 0, 0, 0, 0, 0) + name
    return local + central + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(local), 0)


def data_url(rng: Random) -> str:
    """A picture in a `data:` URL (RFC 2397)."""
    return f"data:image/png;base64,{base64.b64encode(png(rng)).decode()}"


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _url_safe(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
