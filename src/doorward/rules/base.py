"""What a rule is: it looks at a request and comes to an :class:`Outcome`, or asks for what it needs to."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import IntEnum
from math import isfinite
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, TypedDict

from doorward.address_facts import NO_ADDRESS_DATA
from doorward.decision import Conclusion, Mode
from doorward.errors import ConfigurationError
from doorward.fingerprint import normalized
from doorward.ids import rule_id
from doorward.patterns import METHODS, RouteMatcher
from doorward.reason import Reason, ShieldReason

if TYPE_CHECKING:
    import re
    from collections.abc import Sequence

    from doorward.address_facts import Addresses
    from doorward.context import RequestContext
    from doorward.effects import Effect
    from doorward.ids import Field
    from doorward.rules.access import Matcher

OnError = Literal["allow", "deny", "local"]
WHOLE_REQUEST = frozenset({"*"})
"""In :meth:`Rule.parts`: everything."""
NO_PARTS: frozenset[str] = frozenset()
MOST = 1e9
"""What a weight, or a time in seconds, comes to at most."""


class Phase(IntEnum):
    """When in the walk a rule is asked (design: "the walk of one request"); the cheap ones first."""

    ACCESS = 2
    LOCAL = 3
    COUNT = 4
    LOOKUP = 5


class Outcome(NamedTuple):
    """What a rule found.

    Attributes:
        conclusion: ALLOW, DENY or CHALLENGE.
        reason: Why.
        weight: Added to the request's sum of weights; meant for ALLOW.
        ends: Kinds of rules that need not be asked any more, such as ``{"BOT", "CHALLENGE"}``.
        ttl: Seconds for which the same client will get the same answer.
        note: What else an operator should know, as in ``RuleResult.note``; logged as a warning.
        suspicion: Added to the client's sum of a rule that :attr:`Rule.sums_up`; 0.0 adds nothing.
    """

    conclusion: Conclusion
    reason: Reason
    weight: float = 0.0
    ends: frozenset[str] = frozenset()
    ttl: float = 0.0
    note: str = ""
    suspicion: float = 0.0

    def merely_allows(self) -> bool:
        """Whether it comes to ALLOW, and to nothing else."""
        return self.conclusion is Conclusion.ALLOW and self == (self.conclusion, self.reason, *_NOTHING_MORE)


_NOTHING_MORE = (0.0, frozenset[str](), 0.0, "", 0.0)
"""In an outcome after conclusion and reason."""


def checked(outcome: object) -> Outcome:
    """What a rule returned. It may be anybody's code: nonsense is to be an error of that rule, not of the decision.

    Raises:
        TypeError: It is no outcome, or something in it is not what it should be.
        ValueError: Its weight or ``ttl`` is not finite.
    """
    if not isinstance(outcome, Outcome):
        raise TypeError(f"the rule returned {type(outcome).__name__}, not an Outcome")
    conclusion, reason, weight, ends, ttl, note, suspicion = outcome
    if type(conclusion) is not Conclusion or conclusion is Conclusion.ERROR:
        raise TypeError(f"the rule concluded {conclusion!r}, not ALLOW, DENY or CHALLENGE")
    for value, kind in ((reason, Reason), (ends, frozenset), (note, str)):
        if not isinstance(value, kind):
            raise TypeError(f"the rule returned {value!r} where a {kind.__name__} belongs")
    if not (isfinite(weight) and isfinite(ttl) and isfinite(suspicion)):
        raise ValueError(f"weight, ttl and suspicion must be finite, not {weight!r}, {ttl!r} and {suspicion!r}")
    return outcome


Steps = Generator["Effect", Any, Outcome]
"""A rule that needs to ask: it yields effects, is sent their answers, and returns its outcome."""


class View(NamedTuple):
    """What a rule may look at.

    Attributes:
        request: The request.
        ip: The client's address; empty when there is none.
        inputs: What the application gave to ``protect`` by name: ``email`` …
        given: The characteristics of the application's own.
        addresses: Tells what is known about an address: ``view.addresses.about(view.ip)``.
    """

    request: RequestContext
    ip: str
    inputs: Mapping[str, object]
    given: Mapping[str, object]
    addresses: Addresses = NO_ADDRESS_DATA


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A rule before it is bound to a client. Subclasses say what it looks at.

    Attributes:
        mode: LIVE or DRY_RUN; None takes the client's.
        name: What results, logs and headers call it; made up from its kind when empty.
        on_error: What follows when it cannot be evaluated; None takes the client's.
        characteristics: Who it counts by; empty takes the client's.
        paths: Only requests to these paths; all when empty. See ``doorward.patterns``.
        methods: Only requests with these methods; all when empty. GET is HEAD too: both come to the same view.
        dry_run_since: The day on which the trial of a rule in DRY_RUN began, so that ``doorward check`` can say that
            it has been forgotten: a date, or text such as ``"2026-08-01"``. Changes nothing else.
    """

    kind: ClassVar[str]
    phase: ClassVar[Phase]
    effort: ClassVar[int] = 0
    """Orders the rules of one phase: the cheapest first."""
    needs: ClassVar[str] = ""
    """The input that ``protect`` has to give, such as ``"email"``."""
    needs_body: ClassVar[bool] = False
    waits: ClassVar[bool] = False
    """Whether ``evaluate`` may return a generator."""
    looks_up: ClassVar[bool] = False
    """Whether that generator asks the network: it is then begun in its phase, and goes on among the look-ups."""
    remote: ClassVar[bool] = False
    """Whether a decision service, where there is one, evaluates the rule in the place of that generator."""
    sums_up: ClassVar[bool] = False
    """Whether suspicion adds up per client, and refuses it: see :mod:`doorward.suspicion`."""
    blocks: ClassVar[bool] = False
    """Whether requests are denied that other rules would have challenged: see :mod:`doorward.combine`."""

    mode: Mode | None = None
    name: str = ""
    on_error: OnError | None = None
    characteristics: Sequence[str] = ()
    paths: Sequence[str | re.Pattern[str]] = ()
    methods: Sequence[str] = ()
    dry_run_since: date | str | None = field(default=None, compare=False)
    _matcher: RouteMatcher | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        set_once = object.__setattr__
        set_once(self, "mode", parse_mode(self.mode) if self.mode is not None else None)
        set_once(self, "name", _parse_name(self.name))
        set_once(self, "characteristics", normalized(self.characteristics))
        set_once(self, "methods", _parse_methods(self.methods))
        set_once(self, "dry_run_since", _parse_day(self.dry_run_since))
        _check_choice(self.on_error, self.accepted_on_error(), "on_error")
        set_once(self, "paths", _sequence(self.paths, "paths"))
        set_once(self, "_matcher", RouteMatcher(self.paths, field="paths", overlong=True) if self.paths else None)

    def applies_to(self, request: RequestContext) -> bool:
        """Whether the request is on the rule's paths and methods."""
        method = request.method.upper()
        if self.methods and method not in self.methods and not (method == "HEAD" and "GET" in self.methods):
            return False
        return self._matcher is None or self._matcher.match(request.method, request.path) is not None

    def asks_for_body(self, view: View) -> bool:
        """Whether the body of this request has to be held for it; for a rule that ``needs_body``."""
        return True

    def names(self, method: str, path: str) -> bool:
        """Whether the rule was declared for this very path, not for all."""
        return self._matcher is not None and self._matcher.match(method, path) is not None

    def usual(self) -> Outcome | None:
        """The one outcome, always the same object, that the rule comes to for nearly every request; None without one.

        Such a rule is pure: it may be asked twice about a request (:mod:`doorward.express`).
        """
        return None

    @property
    def met(self) -> Outcome | None:
        """What the rule always comes to on its paths, where it has no conditions; None where it may be anything."""
        return None

    def first(self) -> Matcher | None:
        """The condition that comes first: where its test says that it does not hold, the rule comes to ``usual``."""
        return None

    def barred(self, seconds: float) -> Reason:
        """Why a client is refused for what it was suspected of before, and for how many seconds more."""
        return ShieldReason(shield_triggered=True, suspicious=True, retry_seconds=seconds)

    def is_late(self) -> bool:
        """Whether it is asked after the response, and so for the client's next request."""
        return False

    def wants(self) -> frozenset[str]:
        """The application's characteristics that it looks at; middleware leaves it for a ``protect`` that has all."""
        return frozenset()

    def asks_web(self) -> bool:
        """Whether it asks web servers, which takes a client that is costly to make."""
        return False

    def reads(self) -> frozenset[str]:
        """What it wants to know about addresses: names of kinds or places, as in ``doorward.address_facts``."""
        return frozenset()

    def parts(self) -> frozenset[str]:
        """What of a request its conclusion depends on, beside address, method and path.

        Names of headers in lower case, ``query``, ``body``; ``*`` for all of it, also where a rule does not say. A
        replay does not ask a rule about requests whose recording lacks any of this.
        """
        return WHOLE_REQUEST

    def evaluate(self, view: View) -> Outcome | Steps:
        """Come to an outcome, or return a generator that asks for what it needs to."""
        raise TypeError(f"{type(self).__name__} does not say how it is evaluated")

    def fields(self, mode: Mode) -> list[Field]:
        """What makes the rule what it is; equal fields mean equal rules. Never holds secrets."""
        return [("type", self.kind), ("version", 0), ("mode", mode.value)]

    def rule_id(self, mode: Mode) -> str:
        """The id of this rule when it runs in ``mode``."""
        return rule_id(self.fields(mode))

    def match_field(self) -> Field:
        """The paths and methods as one field of the id."""
        paths = [path if isinstance(path, str) else f"re:{path.pattern}" for path in self.paths]
        return ("match", " ".join([*self.methods, *paths]))

    @classmethod
    def accepted_on_error(cls) -> tuple[str, ...]:
        """What ``on_error`` may be."""
        return ("allow", "deny")


def parse_mode(value: object, field_name: str = "mode") -> Mode:
    """LIVE or DRY_RUN from a member or from text in any case.

    Raises:
        ConfigurationError: It is neither.
    """
    text = str(value).upper().replace("-", "_") if isinstance(value, str) else ""
    text = "DRY_RUN" if text == "DRYRUN" else text
    if text not in Mode.__members__:
        raise ConfigurationError(field_name, f'must be "LIVE" or "DRY_RUN", not {value!r}')
    return Mode[text]


LARGEST = 10**15 - 1
"""The largest Integer of RFC 9651 section 3.3.1, as which limits stand in headers."""


def positive(value: object, name: str, largest: int = LARGEST) -> int:
    """A whole number from 1.

    Raises:
        ConfigurationError: It is not.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= largest:
        raise ConfigurationError(name, f"must be a whole number from 1 to {largest}, not {value!r}")
    return value


def number(value: object, name: str, what: str, least: float = 0.0) -> float:
    """A number from ``least`` to :data:`MOST`: integers may be larger than any float, and sums must not overflow.

    Raises:
        ConfigurationError: It is not.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value < float("inf"):
        raise ConfigurationError(name, f"must be {what}, not {value!r}")
    if value > MOST:
        raise ConfigurationError(name, f"must be at most {MOST:g}")
    return float(value)


def _check_choice(value: object, accepted: Sequence[str], name: str) -> None:
    if value is not None and value not in accepted:
        raise ConfigurationError(name, f"must be one of {', '.join(accepted)}, not {value!r}")


def _parse_name(name: object) -> str:
    # It becomes a quoted string of RFC 9651 in the RateLimit header: printable ASCII, and nothing to escape.
    if not isinstance(name, str) or not name.isascii() or any(c in '"\\' or not c.isprintable() for c in name):
        raise ConfigurationError("name", f"must be printable ASCII text without quotes or backslashes, not {name!r}")
    if len(name) > 100:
        raise ConfigurationError("name", f"must have at most 100 characters, not {len(name)}")
    return name


def _sequence(values: object, name: str) -> tuple[Any, ...]:
    if isinstance(values, str | bytes) or not isinstance(values, list | tuple | set | frozenset):
        raise ConfigurationError(name, f"must be a list or tuple, not {values!r}")
    return tuple(values)


def _parse_methods(methods: object) -> tuple[str, ...]:
    values = _sequence(methods, "methods")
    for method in values:
        if not isinstance(method, str) or method.upper() not in METHODS:
            raise ConfigurationError("methods", f"must be HTTP methods such as GET or POST, not {method!r}")
    return tuple(sorted({method.upper() for method in values}))


def _parse_day(value: object) -> date | None:
    """A day; of a time, the day that stands in it."""
    try:
        day = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        day = value
    if isinstance(day, datetime):
        return day.date()
    if day is None or isinstance(day, date):
        return day
    raise ConfigurationError("dry_run_since", f'must be a date, or text such as "2026-08-01", not {value!r}')


class RuleOptions(TypedDict, total=False):
    """What every rule builder takes besides its own arguments: see :class:`Rule`."""

    mode: Mode | str | None
    name: str
    on_error: OnError | None
    characteristics: Sequence[str]
    paths: Sequence[str | re.Pattern[str]]
    methods: Sequence[str]
    dry_run_since: date | str | None
