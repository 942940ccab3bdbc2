"""The kind ``browser``: a proof of work, and signals that are weighed once it is paid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from doorward.automation import Examiner
from doorward.challenges.kinds import Checked
from doorward.challenges.signals.score import scored
from doorward.challenges.signals.weights import DOUBTFUL, MOST
from doorward.errors import ConfigurationError
from doorward.levels import Level

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from doorward.answers import Answer
    from doorward.challenges.issue import Issue
    from doorward.challenges.kinds import Asked, Kind, Posed
    from doorward.challenges.signals.weights import Score
    from doorward.effects import Effect

_CACHED = 256


class Browser:
    """A proof of work by something that behaves as a browser does.

    Signals are no proof: whoever is found doubtful is asked for more. Where nothing on offer shows more than this, that
    is a harder proof of work, after which the signals may be as doubtful as before: nobody is kept out by them alone.

    Args:
        work: The proof of work; that of the name ``work`` if None.
        doubtful: Points from which on a client is asked for more; see ``docs/challenges/signals.md``.

    Raises:
        ConfigurationError: ``doubtful`` is no number of points.
    """

    name = "browser"
    level = Level.BROWSER
    needs_script = True

    def __init__(self, work: Kind | None = None, *, doubtful: float = DOUBTFUL) -> None:
        self._work = work if work is not None else _listed_work()
        self._doubtful = _points(doubtful)
        self._examiner = Examiner(cached=_CACHED)

    def pose(self, issue: Issue, prefix: str, words: Mapping[str, str]) -> Posed:
        """The page of the proof of work, with one script more."""
        posed = self._work.pose(issue, prefix, words)
        return posed._replace(
            data={**posed.data, "kind": self.name}, scripts=[*posed.scripts, "signals.js"], without_script=False
        )

    def prepare(self, issue: Issue, now_ms: int) -> Mapping[str, Any]:
        """What the proof of work has to know again."""
        prepare = getattr(self._work, "prepare", None)
        return prepare(issue, now_ms) if prepare is not None else {}

    def check(self, asked: Asked) -> Generator[Effect, object, Checked]:
        """Whether the work is done, and by a browser as people have it. Who has not paid learns nothing."""
        paid = yield from self._work.check(asked)
        return self._weighed(asked) if paid.passed else paid

    def serve(self, name: str, asked: Asked) -> Generator[Effect, object, Answer | None]:
        """What the proof of work has to fetch."""
        return (yield from self._work.serve(name, asked))

    def _weighed(self, asked: Asked) -> Checked:
        score = self._score(asked)
        # What cannot be read does not come from the page: no second payment makes up for it.
        passed = score.points < self._doubtful or (asked.issue.doubt > 0 and not score.unreadable)
        if passed:
            return Checked(True, found=score.codes)
        # It is spent: signals are not tried out on one payment.
        return Checked(False, "doubtful", score.points, ends=True, found=score.codes)

    def _score(self, asked: Asked) -> Score:
        answered_ms = asked.now_ms - asked.issue.issued_ms
        return scored(asked.fields.get("signals"), asked.request, answered_ms, self._examiner)


def _listed_work() -> Kind:
    from doorward.challenges.listed import kinds_of  # which lists this kind too

    return kinds_of(["work"])[0]


def _points(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= MOST:
        raise ConfigurationError("doubtful", f"must be a number over 0 and at most {MOST:g}, not {value!r}")
    return float(value)
