"""What a provider's answer comes to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Verified:
    """Whether a response was good, and what the provider told of it. True in a condition exactly where it was.

    Attributes:
        passed: Whether who sent it may go on.
        why: A code: empty where the provider vouches for it and all checks agree.

            - ``missing``, ``malformed``: there is no response, or none that any widget makes.
            - ``wrong``, ``expired``: the provider does not accept it, or not any more.
            - ``hostname``, ``action``, ``score``, ``site_key``: it was made for another host, action or key, or the
              score is too low; ``old``, ``future``: it was made too long ago, or in time to come; ``incomplete``: the
              provider does not tell what it should.
            - ``spent``: it was used before.
            - ``unavailable``: the provider could not be asked, and ``on_error`` lets nobody in for that.
            - ``unverified``: the same, and ``on_error`` lets everybody in: ``passed`` is True.
        provider: Its name.
        hostname: Of the page on which it was made; empty where the provider does not tell.
        action: For what.
        score: How surely a person was there, up to 1.0; None where the provider does not tell.
        solved_at: When it was made, in seconds since the Unix epoch; None where the provider does not tell.
        age: Seconds since then.
        error_codes: What the provider says is wrong.
        failure: Why it could not be asked: ``late``, ``no_answer``, ``status``, ``malformed``, ``refused_us``,
            ``away`` (after failures it is left alone for a while); empty as a rule.
        answer: All that it said.
    """

    passed: bool
    why: str = ""
    provider: str = ""
    hostname: str = ""
    action: str = ""
    score: float | None = None
    solved_at: float | None = None
    age: float | None = None
    error_codes: tuple[str, ...] = ()
    failure: str = ""
    answer: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def __bool__(self) -> bool:
        return self.passed
