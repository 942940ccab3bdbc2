"""The kinds of challenges that are a picture or a sound: which forms a page shows, and whether an answer is right."""

from __future__ import annotations

import hashlib
from functools import cache
from hmac import compare_digest
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from doorward.challenges.issue import MOST_RENEWED
from doorward.challenges.kinds import Checked, Posed
from doorward.challenges.pictures import luck
from doorward.challenges.pictures.canvas import require_extra
from doorward.challenges.pictures.forms import EASIEST, HARDEST, Grade
from doorward.challenges.pictures.layout import laid_out
from doorward.challenges.pictures.letters import Letters
from doorward.challenges.pictures.media import MOST_IN_A_MINUTE, Drawer
from doorward.challenges.pictures.odd import Odd
from doorward.challenges.pictures.records import Records, of_answer
from doorward.challenges.pictures.shapes import Shapes
from doorward.challenges.pictures.sound import Sound
from doorward.errors import ConfigurationError
from doorward.levels import Level

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from doorward.answers import Answer
    from doorward.challenges.issue import Issue
    from doorward.challenges.kinds import Asked
    from doorward.challenges.pictures.forms import Form
    from doorward.effects import Effect

WEIGHT_PER_STEP = 15.0
"""A step of hardness more for each of these in the request's sum of weights."""
DEFAULT_HARDNESS = 2

_LETTERS, _SHAPES, _ODD, _SOUND = Letters(), Shapes(), Odd(), Sound()
_FORMS: Mapping[str, Sequence[Form]] = {
    "pictures": (_LETTERS, _SHAPES, _ODD),
    "letters": (_LETTERS,),
    "shapes": (_SHAPES,),
    "odd": (_ODD,),
    "audio": (_SOUND,),
}
NAMES = tuple(_FORMS)


class Shown(NamedTuple):
    """What a page has.

    Attributes:
        main: What it shows.
        other: What it offers instead, to who cannot see, or cannot hear.
        grade: How hard both are.
    """

    main: Form
    other: Form
    grade: Grade


class Pictures:
    """A picture, with a sound to listen to instead; or a sound, with a picture.

    Args:
        name: ``"letters"`` to type; ``"shapes"`` to pick by an example; ``"odd"``: in each row the one that points
            another way; ``"pictures"``: one of these three by chance; ``"audio"``: digits to type.
        hardness: From 1 to 5. The request's sum of weights adds a step for each 15.
        drawings_per_minute: How many pictures and sounds may be drawn in a minute for everybody together.

    Raises:
        ConfigurationError: An argument is wrong, or what draws is not installed: the extra ``captcha``.
    """

    level = Level.HUMAN
    needs_script = False

    def __init__(
        self,
        name: str = "pictures",
        *,
        hardness: int = DEFAULT_HARDNESS,
        drawings_per_minute: int = MOST_IN_A_MINUTE,
    ) -> None:
        if name not in _FORMS:
            raise ConfigurationError("name", f"must be one of {', '.join(_FORMS)}, not {name!r}")
        self.name = name
        self.hardness = _whole(hardness, "hardness", EASIEST, HARDEST)
        self._forms = _FORMS[name]
        self._records = Records()
        most = _whole(drawings_per_minute, "drawings_per_minute", 1, 1_000_000)
        require_extra(name)
        _warmed(name)
        self._drawer = Drawer(self._records, most)

    def shown(self, issue: Issue) -> Shown:
        """What the page of a challenge has.

        The second challenge in a row is letters and digits so many that guessing is hopeless, whatever the first was.
        """
        steps = int(max(0.0, min(issue.weight, 1e6)) / WEIGHT_PER_STEP)
        grade = Grade(min(HARDEST, self.hardness + steps), long=issue.attempt > 1)
        if self._forms[0] is _SOUND:
            return Shown(_SOUND, _LETTERS, grade)
        if grade.long:
            return Shown(_LETTERS, _SOUND, grade)
        number = int.from_bytes(hashlib.sha256(issue.id.encode()).digest()[:4])
        return Shown(self._forms[number % len(self._forms)], _SOUND, grade)

    def pose(self, issue: Issue, prefix: str, words: Mapping[str, str]) -> Posed:
        """The picture and its fields; the sound, folded up; a button for another."""
        main, other, grade = self.shown(issue)
        earliest = luck.earliest_seconds(issue.attempt)
        parts = laid_out(issue, main, other, grade, prefix, words, earliest)
        media = {form.path: f"{prefix}/{form.path}" for form in (main, other)}
        data = {"kind": self.name, "form": main.name, "earliest": earliest, **media}
        return Posed(parts, data, without_script=True)

    def check(self, asked: Asked) -> Generator[Effect, object, Checked]:
        """Whether an answer is right. One answer for each challenge: whatever it is, there is no second."""
        if asked.fields.get("another") and asked.issue.renewed < MOST_RENEWED:
            return Checked(False, "another", ends=True)
        shown = self.shown(asked.issue)
        form, given = _given(shown, asked.fields)
        if given is None:
            return Checked(False, "empty", ends=True)
        if asked.now_ms - asked.issue.issued_ms < luck.earliest_seconds(asked.issue.attempt) * 1000:
            return Checked(False, "too_early")
        checked = yield from self._judged(asked, form, given, shown.grade)
        for each in (shown.main, shown.other):
            yield from self._records.forget(asked, each.name)
        return checked

    def _judged(self, asked: Asked, form: Form, given: str, grade: Grade) -> Generator[Effect, object, Checked]:
        seed, failed = yield from self._records.find(asked, form.name)
        if seed is None:
            if failed and asked.on_store_error == "allow":
                return Checked(True)
            return Checked(False, "unavailable" if failed else "undrawn", ends=True)
        charge, chance = None, form.chance(grade)
        if luck.cost(chance):
            charge = yield from luck.take(asked, chance)
            if charge is None:
                return Checked(False, "harder", ends=True)
        expected = form.answer(of_answer(seed, asked.issue, form.name), grade)
        if not compare_digest(expected.encode(), given.encode("utf-8", "surrogatepass")):
            return Checked(False, "wrong", ends=True)
        if charge is not None:
            yield from luck.give_back(charge)
        return Checked(True)

    def serve(self, name: str, asked: Asked) -> Generator[Effect, object, Answer | None]:
        """The picture, or the sound, of a challenge."""
        shown = self.shown(asked.issue)
        for form in (shown.main, shown.other):
            if form.path == name:
                return (yield from self._drawer.serve(form, shown.grade, asked))
        return None


def _given(shown: Shown, fields: Mapping[str, object]) -> tuple[Form, str | None]:
    """The form that is answered, and how. What is typed counts before what is picked: a field is filled on purpose."""
    both = sorted((shown.main, shown.other), key=lambda form: not form.typed)
    for form in both:
        given = form.given(fields, shown.grade)
        if given is not None:
            return form, given
    return shown.main, None


@cache
def _warmed(name: str) -> None:
    """Draw once, so that what drawing loads is there, and works, before somebody waits for it."""
    for form in (*_FORMS[name], _SOUND, _LETTERS):
        chance, easy = Random(0), Grade(EASIEST)  # noqa: S311  (nobody sees these)
        form.draw(form.answer(chance, easy), chance, easy)


def _whole(value: object, field: str, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ConfigurationError(field, f"must be a whole number from {least} to {most}, not {value!r}")
    return value
