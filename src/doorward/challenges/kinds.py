"""What a kind of challenge is, and which kind a client is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

from doorward.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from doorward.answers import Answer
    from doorward.challenges.issue import Issue
    from doorward.context import RequestContext
    from doorward.effects import Effect
    from doorward.journal import Journal
    from doorward.levels import Level
    from doorward.markup import Markup


class Posed(NamedTuple):
    """What a page needs to pose a challenge.

    Attributes:
        parts: HTML for the middle of the page, inside the form that posts to ``…/verify``. Its fields are the answer.
        data: What the page's script is told, as JSON: ``{"kind": "work", …}``. Nothing in it is secret.
        scripts: Names of the files in ``static`` that find the answer; ``page.js`` comes before them.
        without_script: Whether it can be passed without JavaScript.
        refresh_seconds: Seconds after which a browser without JavaScript posts by itself; 0 for never.
        sources: What the Content-Security-Policy has to allow besides our own: ``{"script-src": ["https://…"]}``.
    """

    parts: Markup
    data: Mapping[str, object]
    scripts: Sequence[str] = ()
    without_script: bool = False
    refresh_seconds: int = 0
    sources: Mapping[str, Sequence[str]] = {}

    def words(self) -> Mapping[str, object]:
        """What the script of the kind says, besides what that of the page does."""
        words = self.data.get("words")
        return words if isinstance(words, Mapping) else {}


class Checked(NamedTuple):
    """What an answer comes to.

    Attributes:
        passed: Whether it is right.
        why: A code for logs and for the page's text where it is not: ``"too_early"``, ``"wrong"``, ``"malformed"`` …
        weight: What else was found adds to doubt: more than 0 where something is suspicious, though it is no proof.
        ends: Whether the challenge is spent although it was not passed: no second guess.
    """

    passed: bool
    why: str = ""
    weight: float = 0.0
    ends: bool = False


class Asked(NamedTuple):
    """An answer as it came.

    Attributes:
        issue: The challenge.
        fields: What was sent, by name. Anybody may have sent anything.
        request: The request that brought it.
        ip: The client's address.
        now_ms: The time, in milliseconds since the Unix epoch.
        journal: Counts and logs.
        on_store_error: What the application wants while the store fails: ``"local"``, ``"deny"`` or ``"allow"``.
    """

    issue: Issue
    fields: Mapping[str, object]
    request: RequestContext
    ip: str
    now_ms: int
    journal: Journal | None = None
    on_store_error: str = "local"


class Kind(Protocol):
    """A kind of challenge. Holds configuration only; what is remembered of one challenge is in its token or the store.

    Attributes:
        name: As in tokens, configuration and logs.
        level: What it shows that it was passed.
        needs_script: Whether a browser needs JavaScript to pass it.
    """

    name: str
    level: Level
    needs_script: bool

    def pose(self, issue: Issue, prefix: str, words: Mapping[str, str]) -> Posed:
        """What the page shows. ``words`` are the page's texts in the client's language."""
        ...

    def check(self, asked: Asked) -> Generator[Effect, object, Checked]:
        """Whether an answer is right. May ask for effects; must never raise for what a client sent."""
        ...

    def serve(self, name: str, asked: Asked) -> Generator[Effect, object, Answer | None]:
        """What belongs to one challenge and is fetched apart, such as its picture: ``GET …/name?t=token``."""
        ...


@runtime_checkable
class Prepared(Protocol):
    """A kind that has to know something again when an answer comes."""

    def prepare(self, issue: Issue, now_ms: int) -> Mapping[str, Any]:
        """The :attr:`~doorward.challenges.issue.Issue.detail` of a challenge that is about to be posed."""
        ...


class Offer:
    """The kinds that an application offers.

    Args:
        kinds: In order of preference.

    Raises:
        ConfigurationError: Two have one name.
    """

    def __init__(self, kinds: Sequence[Kind]) -> None:
        self.by_name = {kind.name: kind for kind in kinds}
        if len(self.by_name) < len(kinds):
            raise ConfigurationError("challenges.kinds", "has one kind twice")
        self.most = max(kind.level for kind in kinds)

    def choose(self, level: Level) -> Kind:
        """The kind for ``level``: the least that shows enough; the most there is where none does."""
        kinds = list(self.by_name.values())
        enough = [kind for kind in kinds if kind.level >= level]
        return min(enough, key=lambda kind: kind.level) if enough else max(kinds, key=lambda kind: kind.level)
