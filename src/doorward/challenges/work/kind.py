"""The kind of challenge that asks for a proof of work.

The server picks one counter of the range, derives its key, and tells half of a half of it, the prefix that the client
looks for; the token holds a hash of the whole key, which nobody has who has not come to that counter. So an answer is
checked by one SHA-256, and every parameter is under the token's signature.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from secrets import randbelow
from typing import TYPE_CHECKING, Any

from doorward.challenges.assets import assets
from doorward.challenges.kinds import Checked, Posed
from doorward.challenges.work.derivation import DEFAULT_ALGORITHM, KEY_BYTES, PAGE_PROFILES, Hardness, checked, derive
from doorward.challenges.work.difficulty import Tally, counters
from doorward.errors import ConfigurationError
from doorward.levels import Level
from doorward.markup import fill

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from doorward.challenges.issue import Issue
    from doorward.challenges.kinds import Asked
    from doorward.effects import Effect

PREFIX_BYTES = 8
"""So long that no other counter has the same by chance: 1 in 2 ** 52 challenges at the widest range."""
MOST_COUNTERS = 100_000
SOLVER = "work-solver.js"

_KEY = re.compile(f"[0-9a-fA-F]{{{2 * KEY_BYTES}}}")


class Work:
    """Compute for a moment.

    Args:
        algorithm: ``"PBKDF2/SHA-256"``, which browsers compute as fast as anything does; ``"SCRYPT"``, which takes
            memory; ``"SHA-256"``, which dedicated hardware is far faster at.
        cost: Of one derivation: iterations, or scrypt's N.
        memory: scrypt's r.
        least: Counters to search for a request without any doubt.
        most: Counters to search at most.

    Raises:
        ConfigurationError: An argument is out of bounds.
    """

    name = "work"
    level = Level.WORK
    needs_script = True

    def __init__(
        self,
        algorithm: str = DEFAULT_ALGORITHM,
        *,
        cost: int | None = None,
        memory: int | None = None,
        least: int | None = None,
        most: int | None = None,
    ) -> None:
        usual = PAGE_PROFILES.get(algorithm)
        if usual is None:
            raise ConfigurationError("work.algorithm", f"must be one of {', '.join(PAGE_PROFILES)}, not {algorithm!r}")
        self.hardness = checked(hardness_of(usual.usual, cost, memory, "work"), "work")
        wanted = usual.least if least is None else least, usual.most if most is None else most
        self.least, self.most = range_of(*wanted, MOST_COUNTERS, "work")
        self.tally = Tally()

    def prepare(self, issue: Issue, now_ms: int) -> Mapping[str, Any]:
        """What has to be remembered of one challenge: its range, its prefix and a hash of its key."""
        self.tally.issued(now_ms)
        most = counters(issue.weight, self.tally.load(now_ms), self.least, self.most)
        key = derive(self.hardness, *seeds(issue.id), randbelow(most))
        return {"m": most, "p": key[:PREFIX_BYTES].hex(), "h": _remembered(key), "d": list(self.hardness)}

    def pose(self, issue: Issue, prefix: str, words: Mapping[str, str]) -> Posed:
        """A sentence and a bar, which the script shows: where none runs, nothing says that anything is computed."""
        parts = fill(
            '<div id="working" hidden><p>{text}</p>'
            '<progress id="work" value="0" max="1" aria-label="{label}"></progress></div>',
            text=words["work"],
            label=words["work_progress"],
        )
        told = {name: words[name] for name in ("work_failed", "work_slow", "try_again")}
        data: dict[str, object] = {
            "kind": "work",
            "challenge": _challenge(issue),
            "most": issue.detail.get("m", 0),
            "attempt": issue.attempt,
            "solver": assets()[SOLVER].name,
            "words": told,
        }
        return Posed(parts, data, (SOLVER, "work.js"), sources={"worker-src": ["'self'"]})

    def check(self, asked: Asked) -> Generator[Effect, object, Checked]:
        """Whether the key is the one that the server has derived. Costs one SHA-256."""
        yield from ()
        key = asked.fields.get("derivedKey")
        if not isinstance(key, str) or not _KEY.fullmatch(key):
            return Checked(False, "malformed")
        if not hmac.compare_digest(_remembered(bytes.fromhex(key)), str(asked.issue.detail.get("h"))):
            return Checked(False, "wrong")
        self.tally.passed(asked.now_ms)
        return Checked(True)

    def serve(self, name: str, asked: Asked) -> Generator[Effect, object, None]:
        """Nothing."""
        yield from ()


def hardness_of(usual: Hardness, cost: int | None, memory: int | None, field: str) -> Hardness:
    """The usual hardness of an algorithm, with what is said otherwise."""
    return usual._replace(
        cost=usual.cost if cost is None else whole(cost, f"{field}.cost"),
        memory=usual.memory if memory is None else whole(memory, f"{field}.memory"),
    )


def range_of(least: int, most: int, limit: int, field: str) -> tuple[int, int]:
    """How few and how many counters may have to be searched; at most ``limit``.

    Raises:
        ConfigurationError: They are no such range.
    """
    if not 1 <= whole(least, f"{field}.least") <= whole(most, f"{field}.most") <= limit:
        raise ConfigurationError(f"{field}.most", f"must be from least, {least}, which is at least 1, to {limit}")
    return least, most


def whole(value: Any, field: str) -> int:
    """``value``, a whole number.

    Raises:
        ConfigurationError: It is none.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise ConfigurationError(field, f"must be a whole number, not {value!r}")
    return value


def seeds(issue_id: str) -> tuple[bytes, bytes]:
    """Nonce and salt of a challenge: nobody knows its id, which is random, before it is posed."""
    both = hashlib.sha256(f"work:{issue_id}".encode()).digest()
    return both[:16], both[16:]


def _remembered(key: bytes) -> str:
    return hashlib.sha256(b"doorward work" + key).hexdigest()[:32]


def _challenge(issue: Issue) -> dict[str, object]:
    """As the ALTCHA protocol says it, version 2: its libraries solve it."""
    algorithm, cost, memory, lanes = issue.detail.get("d", ("", 0, 0, 0))
    nonce, salt = seeds(issue.id)
    costs = {"memoryCost": memory, "parallelism": lanes} if memory else {}
    parameters = {
        "algorithm": algorithm,
        "cost": cost,
        **costs,
        "expiresAt": issue.expires_ms // 1000,
        "keyLength": KEY_BYTES,
        "keyPrefix": issue.detail.get("p", ""),
        "nonce": nonce.hex(),
        "salt": salt.hex(),
    }
    return {"parameters": parameters}
