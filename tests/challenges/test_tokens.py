"""P13: signed tokens: what nobody can forge, change, or use for something else."""

from __future__ import annotations

import ast
import base64
import hashlib
import hmac
import inspect
import json
import os
import random
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.challenges.token_checks import CHECKS, HOUR, NOW, OTHER, SECRET, crafted, encoded, raw, signed, why

from doorward.challenges import issue as issues
from doorward.challenges import tokens
from doorward.challenges.issue import Issue
from doorward.challenges.passes import clearance_of
from doorward.challenges.tokens import Purpose, Refused, Signer
from doorward.levels import Level

SOAK = os.environ.get("DOORWARD_SOAK") == "1"
FORGERIES = 20_000


@pytest.mark.parametrize("holds", CHECKS, ids=lambda check: check.__name__)
def test_p13_tokens(holds: Callable[[Any], None]) -> None:
    """P13: what the mutants are asked holds of the module."""
    holds(tokens)


def test_p13_macs_are_compared_in_constant_time() -> None:
    """P13: the one comparison of a MAC is compare_digest, and every key of an id is tried, whichever fits."""
    calls = ast.unparse(ast.parse(inspect.getsource(tokens._matches)))
    assert "hmac.compare_digest(" in calls
    assert "==" not in calls
    opening = ast.parse(inspect.getsource(tokens.Signer.open).lstrip())
    tried = [node for node in ast.walk(opening) if isinstance(node, ast.ListComp) and "_matches" in ast.unparse(node)]
    assert len(tried) == 1


def _flip(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 3)):
        changed[chance.randrange(len(data))] ^= chance.randint(1, 255)
    return bytes(changed)


def _splice(data: bytes, chance: random.Random) -> bytes:
    cut = chance.randrange(len(data))
    return data[:cut] + chance.randbytes(chance.randint(0, 8)) + data[cut + chance.randint(1, 8) :]


def _dated(data: bytes, chance: random.Random) -> bytes:
    place = chance.choice([6, 14])
    return data[:place] + chance.randbytes(8) + data[place + 8 :]


def _resigned(data: bytes, chance: random.Random) -> bytes:
    text = data[:-32]
    guess = chance.choice([b"", b"doorward", b"secret", OTHER, chance.randbytes(32)])
    return text + hmac.digest(guess, text, chance.choice(["sha256", "sha512"]))[:32]


def _headed(data: bytes, chance: random.Random) -> bytes:
    return chance.randbytes(chance.randint(1, 22)).ljust(22, b"\0") + data[22:]


MUTATORS = [
    _flip,
    _splice,
    _dated,
    _resigned,
    _headed,
    lambda data, chance: data[: chance.randrange(len(data))],
    lambda data, chance: chance.randbytes(len(data)),
    lambda data, chance: data[:-32] + bytes(32),
    lambda data, chance: data[:22] + json.dumps({"l": chance.randint(0, 9)}).encode() + data[-32:],
]


def accepted(times: int, seed: int = 8) -> int:
    """How many of so many forgeries, made from genuine tokens of every purpose, are accepted for any."""
    chance, signer = random.Random(seed), Signer([SECRET, OTHER[::-1]], "shop")
    genuine = [raw(signer.sign(p, {"i": "x" * 22, "l": 2, "k": "work"}, NOW, HOUR, "me")) for p in Purpose]
    known, passed = {encoded(data) for data in genuine}, 0
    for number in range(times):
        forged = encoded(MUTATORS[number % len(MUTATORS)](chance.choice(genuine), chance))
        if forged in known:
            continue
        try:
            signer.open(chance.choice(list(Purpose)), forged, NOW, "me")
            passed += 1
        except Refused:
            pass
    return passed


def test_p13_no_forgery_is_accepted() -> None:
    """P13: of 20,000 forgeries none is accepted."""
    assert accepted(FORGERIES) == 0


@pytest.mark.soak
@pytest.mark.skipif(not SOAK, reason="takes minutes")
@pytest.mark.timeout(600)
def test_p13_no_forgery_of_a_million_is_accepted() -> None:
    """P13: of 1,000,000 forgeries none is accepted."""
    assert accepted(1_000_000, seed=13) == 0


@given(
    st.text(max_size=300)
    | st.binary(max_size=300).map(encoded)
    | st.binary(max_size=300).map(lambda b: b.decode("latin-1"))
)
def test_p13_whatever_is_sent_is_refused_and_nothing_else(text: str) -> None:
    """P13: text of any kind is refused; no other exception comes out."""
    assert why(tokens, text) in ("malformed", "forged")


@given(
    body=st.dictionaries(
        st.text(max_size=9), st.none() | st.booleans() | st.integers() | st.text(max_size=99), max_size=5
    ),
    bound_to=st.text(max_size=50),
    other=st.text(max_size=50),
    age=st.integers(-200_000, 2 * HOUR),
    purpose=st.sampled_from(Purpose),
)
def test_p13_a_token_holds_for_whom_and_when_it_says(
    body: dict[str, Any], bound_to: str, other: str, age: int, purpose: Purpose
) -> None:
    """P13: of all tokens: accepted for who it is for, within its time, and else never."""
    signer = Signer([SECRET], "shop")
    token = signer.sign(purpose, body, NOW, HOUR, bound_to)
    expected = "future" if age < -60_000 else "expired" if age >= HOUR else ""
    assert why(tokens, token, purpose=purpose.name, bound_to=bound_to, now=NOW + age) == expected
    if expected == "":
        assert signer.open(purpose, token, NOW + age, bound_to).body == body
    if other != bound_to:
        assert why(tokens, token, purpose=purpose.name, bound_to=other) == "forged"


# --- what other libraries sign with the same secret


def _jwt(header: dict[str, str], body: dict[str, Any], key: bytes, digest: str = "sha256") -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, body)]
    mac = hmac.digest(key, b".".join(parts), digest) if header["alg"] != "none" else b""
    return b".".join([*parts, base64.urlsafe_b64encode(mac).rstrip(b"=")]).decode()


@pytest.mark.parametrize("alg", ["HS256", "HS512", "none", "None", "RS256"])
def test_vouch_7_6_tokens_of_other_libraries_with_the_same_secret_are_refused(alg: str) -> None:
    """vouch 7.6: a JSON Web Token of the application's own, signed with our secret, is no clearance (RFC 7519)."""
    body = {"user_agent": "x", "i": "1", "l": 4, "k": "work", "exp": 2**40, "purpose": 2}
    digest = "sha512" if alg == "HS512" else "sha256"
    assert why(tokens, _jwt({"alg": alg, "typ": "JWT"}, body, SECRET, digest)) == "malformed"


def test_tokens_of_itsdangerous_with_the_same_secret_are_refused() -> None:
    """What Flask signs its sessions with."""
    dangerous = pytest.importorskip("itsdangerous")
    text = dangerous.URLSafeTimedSerializer(SECRET).dumps({"l": 4, "i": "1", "k": "work"})
    assert why(tokens, text)
    key = hashlib.sha256(SECRET).digest()
    data = raw(signed(tokens))[:-32]
    assert why(tokens, encoded(data + hmac.digest(key, data, "sha256"))) == "forged"
    assert why(tokens, encoded(data + hmac.digest(SECRET, data, "sha256"))) == "forged"


# --- what a genuine token says is looked at all the same


@pytest.mark.parametrize("name", ["i", "k", "l", "w", "t", "a"])
@pytest.mark.parametrize("value", [None, [], {}, 1.5, "x", 99, True])
def test_wrong_types_in_a_genuine_challenge_are_malformed(name: str, value: Any) -> None:
    """A version of ours to come may sign other things: they are refused, and raise nothing else."""
    body = {"i": "x", "k": "wait", "l": 1, "w": 0.0, "t": "/", "a": 1, name: value}
    token = Signer([SECRET], "shop").sign(Purpose.CHALLENGE, body, NOW, HOUR, "me")
    found = None
    with suppress(Refused):
        found = issues.opened(token, Signer([SECRET], "shop"), NOW, "me")
    if found is not None:
        assert isinstance(found.level, Level)
        assert (type(found.id), type(found.kind), type(found.weight), type(found.target)) == (str, str, float, str)


@pytest.mark.parametrize("body", [{}, {"i": 1}, {"i": "x", "k": "w", "l": 0}, {"i": "x", "k": "w", "l": []},
                                  {"i": "", "k": "w", "l": 1}, {"i": "x", "k": None, "l": 1}])  # fmt: skip
def test_wrong_types_in_a_genuine_clearance_are_malformed(body: dict[str, Any]) -> None:
    """As of a challenge."""
    with pytest.raises(Refused, match="malformed"):
        clearance_of(tokens.Token(Purpose.CLEARANCE, NOW, NOW + HOUR, body))


def test_a_challenge_comes_back_as_it_was_posed() -> None:
    """All of it, with its times and itself."""
    signer = Signer([SECRET], "shop")
    posed = issues.signed(Issue("x", "wait", Level.WAIT, 2.5, "/a?b=c", 3), signer, NOW, HOUR, "me")
    assert issues.opened(posed.token, signer, NOW, "me") == posed
    with pytest.raises(Refused, match="forged"):
        issues.opened(crafted(tokens, b"{}"), signer, NOW, "me")
