"""What has to hold of :mod:`doorward.challenges.tokens`, as functions of the module: its mutants are asked the same."""

from __future__ import annotations

import hashlib
import hmac
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Any

NOW = 1_800_000_000_000
HOUR = 3_600_000
SECRET, OTHER = b"0123456789abcdef" * 2, b"fedcba9876543210" * 2
HEAD = struct.Struct(">BB4sQQ")
GOLDEN = "AQK_s_qHAAABoxhcUAAAAAGjGJM-gHsiYSI6MX1XHvDmD3JfbKna7doAMuf8mj_drf30vTbj8CoBMF5pqQ"

CHECKS: list[Callable[[Any], None]] = []


def check(function: Callable[[Any], None]) -> Callable[[Any], None]:
    CHECKS.append(function)
    return function


def why(
    tokens: Any, token: str, *, purpose: str = "CLEARANCE", now: int = NOW, bound_to: str = "me", **how: Any
) -> str:
    """Why a token is refused; empty where it is accepted."""
    signer = how.get("signer") or tokens.Signer([SECRET], "shop", not_before_ms=how.get("not_before", 0))
    late = {"late_ms": how["late_ms"]} if "late_ms" in how else {}
    try:
        signer.open(tokens.Purpose[purpose], token, now, bound_to, **late)
    except tokens.Refused as refused:
        return str(refused.why) if str(refused) == refused.why else "it calls itself something else"
    return ""


def signed(tokens: Any, body: Any = None, **how: Any) -> str:
    signer = how.get("signer") or tokens.Signer([SECRET], "shop")
    times = (how.get("now", NOW), how.get("ttl", HOUR))
    return str(signer.sign(tokens.Purpose[how.get("purpose", "CLEARANCE")], body or {"a": 1}, *times, "me"))


def crafted(tokens: Any, body: bytes, *, version: int = 1, purpose: int = 2, issued: int = NOW) -> str:
    """A token under the key of clearances, as nobody without the secret can make one."""
    key_id, key = tokens._derived(SECRET, "shop", tokens.Purpose.CLEARANCE)
    text = HEAD.pack(version, purpose, key_id, issued, issued + HOUR) + body
    return encoded(text + tokens._mac(key, text, "me"))


def raw(token: str) -> bytes:
    return urlsafe_b64decode(token + "=" * (-len(token) % 4))


def encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


@check
def the_format_is_as_written_down(tokens: Any) -> None:
    """A change of it is a new version: what is out there would be refused for no reason that anybody sees."""
    assert signed(tokens) == GOLDEN
    extracted = hmac.digest(b"doorward tokens", SECRET, "sha256")  # RFC 5869, written down once more
    key = hmac.digest(extracted, b"CLEARANCE:shop\x01", "sha256")
    data = raw(GOLDEN)
    assert HEAD.unpack_from(data) == (1, 2, hashlib.sha256(b"key id" + key).digest()[:4], NOW, NOW + HOUR)
    assert data[22:-32] == b'{"a":1}'
    assert data[-32:] == hmac.digest(key, b"\x00\x00\x00\x1d" + data[:-32] + b"me", "sha256")
    assert (tokens.VERSION, tokens.LONGEST_TOKEN, tokens.CLOCK_SKEW_MS) == (1, 8192, 60_000)
    assert {purpose.name: int(purpose) for purpose in tokens.Purpose} == {
        "CHALLENGE": 1, "CLEARANCE": 2, "CLIENT": 3, "FORM": 4,
    }  # fmt: skip


@check
def what_was_signed_comes_back(tokens: Any) -> None:
    """Bodies of all lengths, sorted, without blanks, so that one body has one token."""
    signer = tokens.Signer([SECRET], "shop")
    for length in range(8):
        body = {"b": "x" * length, "a": [1, 2.5, None, True]}
        token = signer.sign(tokens.Purpose.FORM, body, NOW, HOUR, "me")
        assert token == signer.sign(tokens.Purpose.FORM, dict(reversed(body.items())), NOW, HOUR, "me")
        assert "=" not in token
        assert b" " not in raw(token)[22:-32]
        found = signer.open(tokens.Purpose.FORM, token, NOW, "me")
        assert found == (tokens.Purpose.FORM, NOW, NOW + HOUR, body)
    assert signer.open(tokens.Purpose.FORM, signer.sign(tokens.Purpose.FORM, {}, NOW, HOUR), NOW).body == {}


@check
def every_flipped_bit_is_noticed(tokens: Any) -> None:
    data = raw(signed(tokens))
    for place in range(len(data)):
        for bit in range(8):
            changed = bytearray(data)
            changed[place] ^= 1 << bit
            assert why(tokens, encoded(bytes(changed))) == "forged"


@check
def what_is_cut_or_lengthened_is_noticed(tokens: Any) -> None:
    token = signed(tokens)
    data = raw(token)
    for length in range(len(data)):
        expected = "malformed" if length < 22 + 2 + 32 else "forged"
        assert why(tokens, encoded(data[:length])) == expected
        assert why(tokens, encoded(data[len(data) - length :])) == expected
    for longer in (data + b"\0", b"\0" + data, data * 2, data[:22] + b" " + data[22:]):
        assert why(tokens, encoded(longer)) == "forged"
    for length in range(len(token)):
        assert why(tokens, token[:length])


@check
def sizes_are_bounded(tokens: Any) -> None:
    """8,192 characters are looked at; what is longer is refused before anything is decoded."""
    assert why(tokens, "A" * 8192) == "forged"
    assert why(tokens, "A" * 8194) == "malformed"
    assert why(tokens, "A" * 1_000_000) == "malformed"
    assert why(tokens, crafted(tokens, b"{}")) == ""
    assert why(tokens, encoded(b"x" * 55)) == "malformed"
    assert why(tokens, encoded(b"x" * 56)) == "forged"
    assert why(tokens, "") == "malformed"


@check
def a_token_has_one_spelling(tokens: Any) -> None:
    """Base64 readers pass over foreign characters, padding and spare bits."""
    for length in (0, 1, 2):
        token = signed(tokens, {"a": "x" * length})
        assert why(tokens, token) == ""
        for other in (token + "=", token + "==", token + "====", f" {token}", f"{token}\n", f"{token[:9]}\n{token[9:]}",
                      f"{token[:9]}!{token[9:]}", f"{token}é", f"{token[:-1]}\ud800", f"{token}\0",
                      token.replace("_", "/").replace("-", "+") + "."):  # fmt: skip
            assert why(tokens, other) == "malformed"
        if len(token) % 4:
            last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".index(token[-1])
            spare = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[last + 1]
            assert why(tokens, token[:-1] + spare) == "malformed"
    for text in ("é" * 100, "\ud800" * 100, "\0" * 100, "!" * 100, "A" * 81):
        assert why(tokens, text) == "malformed"


@check
def version_and_purpose_are_under_the_signature(tokens: Any) -> None:
    """Also where the signature is right, as of a version to come: what is not known is not accepted."""
    assert why(tokens, crafted(tokens, b"{}", version=0)) == "forged"
    assert why(tokens, crafted(tokens, b"{}", version=2)) == "forged"
    for purpose in (0, 1, 3, 4, 255):
        assert why(tokens, crafted(tokens, b"{}", purpose=purpose)) == "forged"
    for named in tokens.Purpose:
        for asked in tokens.Purpose:
            token = signed(tokens, purpose=named.name)
            assert why(tokens, token, purpose=asked.name) == ("" if named is asked else "forged")
            body = raw(token)
            swapped = encoded(body[:1] + bytes([asked]) + body[2:])
            assert why(tokens, swapped, purpose=asked.name) == ("" if named is asked else "forged")


@check
def times_are_exact(tokens: Any) -> None:
    token = signed(tokens)
    assert why(tokens, token, now=NOW + HOUR - 1) == ""
    assert why(tokens, token, now=NOW + HOUR) == "expired"
    assert why(tokens, token, now=NOW - 60_000) == ""
    assert why(tokens, token, now=NOW - 60_001) == "future"
    assert why(tokens, token, not_before=NOW) == ""
    assert why(tokens, token, not_before=NOW + 1) == "revoked"
    assert why(tokens, signed(tokens, now=0), now=0) == ""
    signer = tokens.Signer([SECRET], "shop")
    assert signer.not_before_ms == 0
    signer.not_before_ms = NOW + 1
    assert why(tokens, token, signer=signer) == "revoked"


@check
def what_is_late_can_be_read_for_a_while(tokens: Any) -> None:
    """For as long as it is asked for, and no millisecond longer."""
    signer, token = tokens.Signer([SECRET], "shop"), signed(tokens)
    found = signer.open(tokens.Purpose.CLEARANCE, token, NOW + HOUR + 999, "me", late_ms=1000)
    assert (found.issued_ms, found.expires_ms) == (NOW, NOW + HOUR)
    assert why(tokens, token, now=NOW + HOUR + 1000, late_ms=1000) == "expired"
    assert why(tokens, token, now=NOW + HOUR + 999, late_ms=1000) == ""


@check
def bodies_are_objects(tokens: Any) -> None:
    for body in (b"[]", b"{}", b'"a"', b"12", b"null", b"{]", b"\xff\xff", b"  "):
        assert why(tokens, crafted(tokens, body)) == ("" if body == b"{}" else "malformed")


@check
def keys_are_apart(tokens: Any) -> None:
    """By secret, name of the client, and purpose; and one can be exchanged for another."""
    token = signed(tokens)
    for secrets, audience in (([OTHER], "shop"), ([SECRET], "Shop"), ([SECRET], ""), ([SECRET + b"\0"], "shop")):
        assert why(tokens, token, signer=tokens.Signer(secrets, audience)) == "forged"
    both = tokens.Signer([OTHER, SECRET], "shop")
    assert why(tokens, token, signer=both) == ""
    newer = signed(tokens, signer=both)
    assert why(tokens, newer, signer=tokens.Signer([OTHER], "shop")) == ""
    assert why(tokens, newer) == "forged"
    assert why(tokens, newer, signer=tokens.Signer([SECRET, OTHER], "shop")) == ""
    ids = {tokens._derived(SECRET, "shop", purpose)[0] for purpose in tokens.Purpose}
    assert len(ids) == len(tokens.Purpose)


@check
def a_key_id_alone_opens_nothing(tokens: Any) -> None:
    """The right id over a MAC of another key; and of two keys with one id, each opens its own."""
    data = raw(signed(tokens, signer=tokens.Signer([OTHER], "shop")))
    key_id = raw(signed(tokens))[2:6]
    assert why(tokens, encoded(data[:2] + key_id + data[6:])) == "forged"
    signer = tokens.Signer([SECRET, OTHER], "shop")
    (first, key), (_, other) = signer._keys[tokens.Purpose.CLEARANCE]
    signer._keys[tokens.Purpose.CLEARANCE] = [(first, key), (first, other)]
    text = data[:2] + first + data[6:-32]
    assert why(tokens, encoded(text + tokens._mac(other, text, "me")), signer=signer) == ""
    assert why(tokens, signed(tokens), signer=signer) == ""


@check
def who_it_is_for_is_under_the_signature(tokens: Any) -> None:
    token = signed(tokens)
    for other in ("", "Me", "me ", "m", "mee", "\ud800", "é", "}me"):
        assert why(tokens, token, bound_to=other) == "forged"
    signer = tokens.Signer([SECRET], "shop")
    for odd in ("\ud800", "é\0", "x" * 100_000):
        assert why(tokens, signer.sign(tokens.Purpose.CLEARANCE, {}, NOW, HOUR, odd), bound_to=odd) == ""
    # Nothing can be moved from the body to who it is for, or back.
    key_id, key = tokens._derived(SECRET, "shop", tokens.Purpose.CLEARANCE)
    head = HEAD.pack(1, 2, key_id, NOW, NOW + HOUR)
    assert tokens._mac(key, head + b"{}", "}me") != tokens._mac(key, head + b"{}}", "me")


@check
def keys_for_others_are_as_written_down(tokens: Any) -> None:
    """HKDF-SHA256 of each secret: a form that was rendered before a new version must be accepted after it."""
    keys = tokens.Signer([SECRET, OTHER], "shop").keys("forms")
    assert [key.hex()[:32] for key in keys] == ["7e4ad71605face00595a2cd88ecc6ffc", "55145aa933118015e6a16d5ecf7ac11a"]
    assert keys != tokens.Signer([SECRET, OTHER], "other").keys("forms") != tokens.Signer([SECRET], "shop").keys("x")
