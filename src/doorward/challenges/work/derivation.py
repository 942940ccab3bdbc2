"""Key derivation: what one try of a puzzle costs, on both sides.

The password is the nonce and the counter as 4 bytes, most significant first. The algorithms are those of the ALTCHA
protocol, version 2: SHA-2 applied ``cost`` times (the salt comes before the password), PBKDF2 (RFC 8018), scrypt
(RFC 7914) and Argon2id (RFC 9106).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from doorward.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

KEY_BYTES = 32
LARGEST_COUNTER = 0xFFFF_FFFF
DEFAULT_ALGORITHM = "PBKDF2/SHA-256"

_DIGESTS = {"SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}


class Hardness(NamedTuple):
    """What one derivation costs.

    Attributes:
        algorithm: ``"PBKDF2/SHA-256"``, ``"SHA-256"``, ``"SCRYPT"``, ``"ARGON2ID"`` …
        cost: Iterations; for scrypt its N, for Argon2id its passes.
        memory: For scrypt its block size r; for Argon2id the memory in KiB; else 0.
        lanes: Parallelism of scrypt and Argon2id; else 0.
    """

    algorithm: str
    cost: int
    memory: int = 0
    lanes: int = 0


class Profile(NamedTuple):
    """What is known of an algorithm.

    Attributes:
        usual: What a derivation costs where nothing else is said: at most a millisecond natively, but for Argon2id.
        least: Counters that are searched for a request without any doubt.
        most: Counters that are searched at most: 4 s on a slow phone, 2 s in the median (benchmarks/work.py).
    """

    usual: Hardness
    least: int
    most: int


# What is searched at most takes a slow phone 4 s, and half of that in the median: one that is 6 times slower than the
# machine of the figures beside them, as the low-tier mobile preset of Chromium's developer tools has it, with one
# worker. The figures are milliseconds a derivation in Chromium, and natively (benchmarks/work.py).
PAGE_PROFILES: Mapping[str, Profile] = {
    "PBKDF2/SHA-256": Profile(Hardness("PBKDF2/SHA-256", 1_000), 1_000, 4_000),  # 0.14, and 0.20 natively
    "SHA-256": Profile(Hardness("SHA-256", 100), 1_500, 6_000),  # 0.11 in JavaScript, 0.02
    "SCRYPT": Profile(Hardness("SCRYPT", 512, 8, 1), 50, 200),  # 2.6 in JavaScript, 0.8
}
"""Algorithms that the script of our page has."""

PROFILES: Mapping[str, Profile] = {
    **{f"PBKDF2/{name}": Profile(Hardness(f"PBKDF2/{name}", 1_000), 1_000, 4_000) for name in _DIGESTS},
    # ALTCHA's widget asks the browser for each digest, which takes about 0.01 ms with all around it.
    **{name: Profile(Hardness(name, 1), 15_000, 60_000) for name in _DIGESTS},
    "SCRYPT": PAGE_PROFILES["SCRYPT"],
    "ARGON2ID": Profile(Hardness("ARGON2ID", 1, 1_024, 1), 50, 200),
}
"""Algorithms that ALTCHA's widget has."""

# No derivation of ours takes the server longer than about 4 ms, whatever is configured or was signed elsewhere.
_MOST_ITERATIONS = 10_000
_MOST_SCRYPT = 2**14  # N * r * p: 2 MiB at p = 1
_MOST_ARGON2 = 2**13  # passes * KiB


def checked(hardness: Hardness, field: str) -> Hardness:
    """``hardness``, which can be computed within bounds.

    Raises:
        ConfigurationError: It cannot.
    """
    if hardness.algorithm not in PROFILES:
        raise ConfigurationError(field, f"has no algorithm {hardness.algorithm!r}, but {', '.join(PROFILES)}")
    if not in_bounds(hardness):
        raise ConfigurationError(field, f"costs too much, or nothing: {_bounds_of(hardness.algorithm)}")
    if hardness.algorithm == "ARGON2ID":
        _argon2id()
    return hardness


def in_bounds(hardness: Hardness) -> bool:
    """Whether a derivation is possible, and cheap enough for a server."""
    algorithm, cost, memory, lanes = hardness
    if algorithm == "SCRYPT":
        power = cost > 1 and not cost & (cost - 1)
        return power and memory >= 1 and lanes >= 1 and cost * memory * lanes <= _MOST_SCRYPT
    if algorithm == "ARGON2ID":
        return cost >= 1 and 1 <= lanes <= 8 and 8 * lanes <= memory and cost * memory <= _MOST_ARGON2
    return algorithm in PROFILES and 1 <= cost <= _MOST_ITERATIONS


def _bounds_of(algorithm: str) -> str:
    if algorithm == "SCRYPT":
        return f"cost is a power of 2 over 1, and cost * memory * lanes at most {_MOST_SCRYPT}"
    if algorithm == "ARGON2ID":
        return f"memory is at least 8 KiB a lane, and cost * memory at most {_MOST_ARGON2}"
    return f"cost is from 1 to {_MOST_ITERATIONS}"


def derive(hardness: Hardness, nonce: bytes, salt: bytes, counter: int, length: int = KEY_BYTES) -> bytes:
    """The key of one counter. ``hardness`` is in bounds, ``counter`` fits 4 bytes."""
    return derivation(hardness, salt, length)(nonce + counter.to_bytes(4))


def derivation(hardness: Hardness, salt: bytes, length: int = KEY_BYTES) -> Callable[[bytes], bytes]:
    """The key of a password, where that is asked for many times."""
    algorithm, cost, memory, lanes = hardness
    if algorithm in _DIGESTS:
        return lambda password: _repeated(_DIGESTS[algorithm], cost, salt + password, length)
    if algorithm == "SCRYPT":
        room = 128 * memory * (cost + lanes + 2) + 1024
        return lambda password: hashlib.scrypt(
            password, salt=salt, n=cost, r=memory, p=lanes, dklen=length, maxmem=room
        )
    if algorithm == "ARGON2ID":
        hashed = _argon2id()
        return lambda password: hashed(password, salt, cost, memory, lanes, length)
    digest = _DIGESTS[algorithm.removeprefix("PBKDF2/")]
    return lambda password: hashlib.pbkdf2_hmac(digest, password, salt, cost, length)


def key_bytes(algorithm: str) -> int:
    """How long keys of challenges of ours are.

    As long as the digest where SHA-2 is all there is: its servers cut the last digest to the key's length, its widget
    (altcha 3.2) each of them, so that they agree only where nothing is cut.
    """
    return hashlib.new(_DIGESTS[algorithm]).digest_size if algorithm in _DIGESTS else KEY_BYTES


def _repeated(digest: str, cost: int, data: bytes, length: int) -> bytes:
    for _ in range(cost):
        data = hashlib.new(digest, data).digest()
    return data[:length]


def _argon2id() -> Callable[[bytes, bytes, int, int, int, int], bytes]:
    try:
        from argon2.low_level import Type, hash_secret_raw
    except ImportError:
        raise ConfigurationError("algorithm", "ARGON2ID needs argon2-cffi: install doorward[argon2]") from None
    return lambda password, salt, cost, memory, lanes, length: hash_secret_raw(
        password, salt, cost, memory, lanes, length, Type.ID
    )


def search(hardness: Hardness, nonce: bytes, salt: bytes, prefix: str, most: int = LARGEST_COUNTER) -> int | None:
    """The least counter up to ``most`` whose key begins with ``prefix`` (hexadecimal digits): what a client does."""
    key_of = derivation(hardness, salt)
    found = (n for n in range(most + 1) if key_of(nonce + n.to_bytes(4)).hex().startswith(prefix))
    return next(found, None)
