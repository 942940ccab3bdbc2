"""The ALTCHA protocol, version 2: what its challenges and solutions look like, and how they are signed.

A challenge is ``{"parameters": {…}, "signature": hex}``; the signature is an HMAC over the parameters as JSON with
sorted names and without spaces. A solution comes as base64 of ``{"challenge": …, "solution": {…}}`` with the counter
and the derived key. Where the parameters hold a ``keySignature``, an HMAC of the key, no key has to be derived to
check a solution.
"""

from __future__ import annotations

import hmac
import json
import re
from base64 import b64decode
from binascii import Error as Base64Error
from typing import TYPE_CHECKING, Any, NamedTuple

from doorward.challenges.work.derivation import LARGEST_COUNTER, Hardness, derive, in_bounds, key_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_PAYLOAD = 8_192
"""Characters; more is refused before anything is decoded."""
MOST_KEY_BYTES = 64

_HEX = re.compile(r"(?:[0-9a-fA-F]{2})*")


class Secrets(NamedTuple):
    """What challenges are signed with.

    Attributes:
        challenge: Signs parameters.
        key: Signs keys: another one, so that no signature of one is one of the other.
    """

    challenge: bytes
    key: bytes


class Solved(NamedTuple):
    """What a payload comes to.

    Attributes:
        why: Empty where it is right; else ``"malformed"``, ``"forged"``, ``"expired"`` or ``"wrong"``.
        id: What is redeemed once: the nonce.
        expires_s: When the challenge ends, in seconds since the Unix epoch; 0 for never.
        data: What else was signed.
    """

    why: str
    id: str = ""
    expires_s: float = 0.0
    data: Mapping[str, Any] = {}


def pose(
    hardness: Hardness,
    seeds: tuple[bytes, bytes],
    counter: int,
    secrets: Secrets,
    *,
    expires_s: int,
    data: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """A challenge whose solution is ``counter``.

    Args:
        hardness: What one try costs.
        seeds: Nonce and salt: random, 16 bytes each.
        counter: Chosen by chance; nobody else may know it.
        secrets: What it is signed with.
        expires_s: When it ends, in seconds since the Unix epoch.
        data: What else to sign: text in ASCII.
    """
    length = key_bytes(hardness.algorithm)
    key = derive(hardness, *seeds, counter, length)
    parameters: dict[str, Any] = {
        "algorithm": hardness.algorithm,
        "cost": hardness.cost,
        "expiresAt": expires_s,
        "keyLength": length,
        # Half of the key: who has found that has come to the counter, and only then has the other half.
        "keyPrefix": key[: length // 2].hex(),
        "keySignature": hmac.digest(secrets.key, key, "sha256").hex(),
        "nonce": seeds[0].hex(),
        "salt": seeds[1].hex(),
    }
    if hardness.memory:
        parameters |= {"memoryCost": hardness.memory, "parallelism": hardness.lanes}
    if data:
        parameters["data"] = dict(data)
    return {"parameters": parameters, "signature": _signature(parameters, secrets.challenge)}


def verify(payload: str, secrets: Secrets, now_s: float) -> Solved:
    """Whether a payload solves a challenge of ours that has not ended. Never raises."""
    found = decoded(payload)
    return Solved("malformed") if found is None else verify_decoded(found, secrets, now_s)


def verify_decoded(found: Mapping[str, Any], secrets: Secrets, now_s: float) -> Solved:
    """As :func:`verify`, of what :func:`decoded` has read."""
    challenge, solution = found.get("challenge"), found.get("solution")
    if not isinstance(challenge, dict) or not isinstance(solution, dict):
        return Solved("malformed")
    parameters, signature = challenge.get("parameters"), challenge.get("signature")
    if not isinstance(parameters, dict) or not isinstance(signature, str) or not signature.isascii():
        return Solved("malformed")
    expected = _signature_of_theirs(parameters, secrets.challenge)
    if expected is None or not hmac.compare_digest(expected, signature):
        return Solved("forged")
    # From here on parameters are what somebody with the secret has signed: ours, or another library's.
    return _solved(parameters, solution, secrets, now_s)


def decoded(payload: object) -> dict[str, Any] | None:
    """The object that a payload is of; None where it is none."""
    if not isinstance(payload, str) or len(payload) > LONGEST_PAYLOAD or not payload.isascii():
        return None
    try:
        found = json.loads(b64decode(payload, validate=True))
    except (Base64Error, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _solved(parameters: dict[str, Any], solution: dict[str, Any], secrets: Secrets, now_s: float) -> Solved:
    expires, nonce = parameters.get("expiresAt") or 0, parameters.get("nonce")
    if isinstance(expires, bool) or not isinstance(expires, int | float) or not isinstance(nonce, str) or not nonce:
        return Solved("malformed")
    if expires and now_s >= expires:
        return Solved("expired")
    if not _is_right(parameters, solution, secrets):
        return Solved("wrong")
    data = parameters.get("data")
    # In small letters: whoever writes hexadecimal digits otherwise has the same nonce, and not another challenge.
    return Solved("", nonce.lower(), float(expires), data if isinstance(data, dict) else {})


def _is_right(parameters: dict[str, Any], solution: dict[str, Any], secrets: Secrets) -> bool:
    key = _bytes(solution.get("derivedKey"))
    prefix = parameters.get("keyPrefix")
    if not key or not isinstance(prefix, str) or not key.hex().startswith(prefix.lower()):
        return False
    signature = parameters.get("keySignature")
    if isinstance(signature, str) and signature:
        # A prefix that is the whole key would let everybody in who reads the challenge.
        whole = len(prefix) >= 2 * len(key)
        return not whole and hmac.compare_digest(hmac.digest(secrets.key, key, "sha256").hex(), _ascii(signature))
    return _is_derived(parameters, solution.get("counter"), key)


def _is_derived(parameters: dict[str, Any], counter: object, key: bytes) -> bool:
    """Whether ``key`` is the counter's: one derivation, within bounds."""
    if isinstance(counter, bool) or not isinstance(counter, int) or not 0 <= counter <= LARGEST_COUNTER:
        return False
    hardness, nonce, salt = _hardness(parameters), _bytes(parameters.get("nonce")), _bytes(parameters.get("salt"))
    if hardness is None or nonce is None or salt is None or parameters.get("keyLength", 32) != len(key):
        return False
    return len(key) <= MOST_KEY_BYTES and hmac.compare_digest(derive(hardness, nonce, salt, counter, len(key)), key)


def _hardness(parameters: dict[str, Any]) -> Hardness | None:
    costs = [parameters.get(name) or 0 for name in ("cost", "memoryCost", "parallelism")]
    algorithm = parameters.get("algorithm")
    if not isinstance(algorithm, str) or not all(type(cost) is int for cost in costs):
        return None
    if algorithm in ("SCRYPT", "ARGON2ID"):
        costs[2] = costs[2] or 1
    hardness = Hardness(algorithm, *costs)
    return hardness if in_bounds(hardness) else None


def _signature(parameters: Mapping[str, Any], secret: bytes) -> str:
    # As JSON.stringify writes it: what we sign is text, whole numbers and objects of text.
    text = json.dumps(parameters, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hmac.digest(secret, text.encode(), "sha256").hex()


def _signature_of_theirs(parameters: Mapping[str, Any], secret: bytes) -> str | None:
    try:
        return _signature(parameters, secret)
    except (ValueError, RecursionError):  # also lone surrogates, which are no UTF-8
        return None


def _bytes(text: object) -> bytes | None:
    return bytes.fromhex(text) if isinstance(text, str) and _HEX.fullmatch(text) else None


def _ascii(text: str) -> str:
    return text if text.isascii() else ""
