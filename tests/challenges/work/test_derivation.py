"""Derivation and search, held against other implementations and against trying everything."""

from __future__ import annotations

import hashlib

import pytest
from altcha import v2
from hypothesis import given
from hypothesis import strategies as st

from doorward.challenges.work.derivation import (
    PAGE_PROFILES,
    PROFILES,
    Hardness,
    checked,
    derive,
    in_bounds,
    key_bytes,
    search,
)
from doorward.errors import ConfigurationError

CHEAP = [
    *[Hardness(f"PBKDF2/SHA-{bits}", 3) for bits in (256, 384, 512)],
    *[Hardness(f"SHA-{bits}", 3) for bits in (256, 384, 512)],
    Hardness("SCRYPT", 16, 2, 2),
    Hardness("ARGON2ID", 2, 32, 1),
]


@pytest.mark.parametrize("hardness", CHEAP, ids=lambda each: each.algorithm)
@given(nonce=st.binary(min_size=16, max_size=16), salt=st.binary(min_size=16, max_size=16),
       counter=st.integers(0, 2**32 - 1), length=st.integers(16, 64))  # fmt: skip
def test_keys_are_those_of_altcha(hardness: Hardness, nonce: bytes, salt: bytes, counter: int, length: int) -> None:
    """Each algorithm derives what ALTCHA's own library derives."""
    parameters = v2.ChallengeParameters(
        hardness.algorithm, "", "", hardness.cost, length, memory_cost=hardness.memory, parallelism=hardness.lanes
    )
    password = nonce + counter.to_bytes(4, "big")
    theirs = v2._select_derive_key(hardness.algorithm)(parameters, salt, password)
    assert derive(hardness, nonce, salt, counter, length) == theirs


@given(
    seed=st.binary(min_size=32, max_size=32), most=st.integers(0, 60), prefix=st.text("0123456789abcdef", max_size=2)
)
def test_search_finds_what_trying_everything_finds(seed: bytes, most: int, prefix: str) -> None:
    """The least counter in the range whose key has the prefix, or none."""
    nonce, salt = seed[:16], seed[16:]

    def key(counter: int) -> str:
        return hashlib.sha256(salt + nonce + counter.to_bytes(4, "big")).hexdigest()

    everything = [counter for counter in range(most + 1) if key(counter).startswith(prefix)]
    assert search(Hardness("SHA-256", 1), nonce, salt, prefix, most) == (everything[0] if everything else None)


COSTS = st.integers(-2, 40) | st.integers(0, 14).map(lambda power: 2**power) | st.integers(0, 2**40)


@given(st.sampled_from([*PROFILES, "MD5", ""]), COSTS, COSTS, COSTS)
def test_what_is_in_bounds_can_be_derived(algorithm: str, cost: int, memory: int, lanes: int) -> None:
    """No parameters within the bounds raise, and none cost more than the dearest that are allowed."""
    hardness = Hardness(algorithm, cost, memory, lanes)
    if in_bounds(hardness):
        assert len(derive(hardness, b"n" * 16, b"s" * 16, 1)) == 32


@pytest.mark.parametrize(
    "hardness",
    [
        Hardness("SCRYPT", 2, 2**13, 1),
        Hardness("SCRYPT", 2**14, 1, 1),
        Hardness("SCRYPT", 16, 1, 1024),
        Hardness("ARGON2ID", 1, 2**13, 8),
        Hardness("ARGON2ID", 2**10, 8, 1),
        Hardness("PBKDF2/SHA-512", 10_000),
    ],
    ids=str,
)
def test_the_edges_of_the_bounds(hardness: Hardness) -> None:
    """What is just allowed works."""
    assert checked(hardness, "x") == hardness
    assert len(derive(hardness, b"n" * 16, b"s" * 16, 1)) == 32


@pytest.mark.parametrize(
    "hardness",
    [
        Hardness("SCRYPT", 3, 8, 1),
        Hardness("SCRYPT", 1, 8, 1),
        Hardness("SCRYPT", 2**14, 8, 1),
        Hardness("SCRYPT", 16, 0, 1),
        Hardness("ARGON2ID", 1, 7, 1),
        Hardness("ARGON2ID", 2, 2**13, 1),
        Hardness("PBKDF2/SHA-256", 10_001),
        Hardness("PBKDF2/SHA-256", 0),
        Hardness("MD5", 1),
    ],
    ids=str,
)
def test_what_costs_too_much_is_a_mistake(hardness: Hardness) -> None:
    """Or nothing, or cannot be computed."""
    with pytest.raises(ConfigurationError, match=r"^x: "):
        checked(hardness, "x")


@pytest.mark.parametrize(
    "profile", [*PROFILES.values(), *PAGE_PROFILES.values()], ids=lambda each: each.usual.algorithm
)
def test_profiles_are_in_bounds(profile: object) -> None:
    """What is posed where nothing is configured."""
    assert checked(profile.usual, "x") == profile.usual
    assert 1 <= profile.least <= profile.most


def test_keys_of_plain_digests_are_never_cut() -> None:
    """ALTCHA's widget and its servers cut them in different places."""
    assert [key_bytes(name) for name in ("SHA-256", "SHA-384", "SHA-512", "SCRYPT")] == [32, 48, 64, 32]
