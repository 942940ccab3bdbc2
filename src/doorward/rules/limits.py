"""Rate limits: fixed window, sliding window, token bucket, and limits written as text."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Unpack, cast

from doorward.clock import NANOSECONDS
from doorward.duration import LONGEST, Duration, nanoseconds
from doorward.effects import Algorithm
from doorward.errors import ConfigurationError, UnknownArgument
from doorward.ids import rule_id
from doorward.rules.base import NO_PARTS, Phase, Rule, RuleOptions, positive
from doorward.rules.limit_text import parse_limits

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from doorward.decision import Mode
    from doorward.ids import Field
    from doorward.rules.base import View
    from doorward.rules.limit_text import Rate


class Quota(NamedTuple):
    """One counter of a limit.

    Attributes:
        label: Tells the counters of one rule apart in the store's keys.
        algorithm: How it counts.
        max: Units that a window admits; a bucket's capacity.
        interval: The window in nanoseconds; the time that an empty bucket takes to fill.
    """

    label: str
    algorithm: Algorithm
    max: int
    interval: int


class Response(NamedTuple):
    """What ``count_when`` is asked about.

    Attributes:
        status: The HTTP status that the application answered with; 500 when it raised.
        headers: Its headers, in order, names in lower case.
    """

    status: int
    headers: Sequence[tuple[str, str]]

    @property
    def status_code(self) -> int:
        """``status`` by its other usual name."""
        return self.status


_LONGEST_FILL = 100 * LONGEST * NANOSECONDS

CountWhen = Callable[[Response], bool]
LimitFor = Callable[..., str | None]


@dataclass(frozen=True, kw_only=True)
class Limit(Rule):
    """What all limits share.

    Attributes:
        scope: Limits of one scope and equal parameters share their counters.
        cost: Units a request takes, whatever ``requested`` says; None takes ``requested``.
        count_when: Asked after the response; where it says no, the charge is taken back.
    """

    phase: ClassVar[Phase] = Phase.COUNT
    kind: ClassVar[str] = "RATE_LIMIT"

    scope: str = ""
    cost: int | None = None
    count_when: CountWhen | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.scope, str):
            raise ConfigurationError("scope", f"must be text, not {self.scope!r}")
        if self.cost is not None:
            positive(self.cost, "cost")
        object.__setattr__(self, "count_when", _parse_count_when(self.count_when))

    def quotas(self, view: View) -> Sequence[Quota]:
        """The counters that a request is charged on; none when it is not limited."""
        raise TypeError(f"{type(self).__name__} has no quotas")

    @classmethod
    def accepted_on_error(cls) -> tuple[str, ...]:
        """Limits can go on locally."""
        return ("allow", "deny", "local")

    def _id_of(self, mode: Mode, algorithm: str, parameters: Sequence[Field]) -> str:
        characteristics: Field = ("characteristics", tuple(self.characteristics))
        match = self.match_field()
        return rule_id([*self.fields(mode), ("algorithm", algorithm), characteristics, match, *parameters])


@dataclass(frozen=True, kw_only=True)
class StaticLimit(Limit):
    """A limit with the same numbers for every request."""

    quota: Quota
    parameters: tuple[Field, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.cost is not None and self.cost > self.quota.max:
            raise ConfigurationError("cost", f"must be at most the {self.quota.max} that there are, not {self.cost}")

    def quotas(self, view: View) -> Sequence[Quota]:
        """The one quota."""
        del view
        return (self.quota,)

    def parts(self) -> frozenset[str]:
        """Nothing but what its client is known by."""
        return NO_PARTS

    def rule_id(self, mode: Mode) -> str:
        """Algorithm, characteristics, paths and parameters: change one, and a new counter starts."""
        return self._id_of(mode, self.quota.algorithm.value, self.parameters)


@dataclass(frozen=True, kw_only=True)
class DynamicLimit(Limit):
    """A limit that a callable of the application chooses for each request."""

    limit_for: LimitFor
    arguments: int = 1
    algorithm: Algorithm = Algorithm.SLIDING_WINDOW

    def quotas(self, view: View) -> Sequence[Quota]:
        """What the callable answers; its errors are the rule's."""
        answer = self.limit_for(*(view.request, view.given)[: self.arguments])
        return () if answer is None else text_quotas(answer, self.algorithm, "the callable's answer")

    def rule_id(self, mode: Mode) -> str:
        """As a static limit's; the numbers are in each quota's label instead."""
        return self._id_of(mode, self.algorithm.value, [("callable", _qualified_name(self.limit_for))])


class LimitOptions(RuleOptions, total=False):
    """What every limit builder takes besides its own arguments: see :class:`Limit`."""

    scope: str
    cost: int | None
    count_when: CountWhen | int | Collection[int] | None


def fixed_window(*, max: int, window: Duration, **options: Unpack[LimitOptions]) -> StaticLimit:  # noqa: A002  (Arcjet's name)
    """At most ``max`` requests in each clock-aligned ``window``.

    Args:
        max: Units from 1.
        window: Seconds, ``"10m"`` or a timedelta.
        **options: ``mode``, ``name``, ``characteristics``, ``on_error``, ``scope``, ``paths``, ``methods``, ``cost``,
            ``count_when``: see :class:`Limit` and :class:`~doorward.rules.base.Rule`.

    Raises:
        ConfigurationError: An argument is wrong.
    """
    interval = nanoseconds(window, "window")
    quota = Quota("", Algorithm.FIXED_WINDOW, positive(max, "max"), interval)
    return _static("fixed_window", quota, (("max", max), ("window", _span(interval))), options)


def sliding_window(*, max: int, interval: Duration, **options: Unpack[LimitOptions]) -> StaticLimit:  # noqa: A002  (Arcjet's name)
    """At most ``max`` requests in *any* span of ``interval``.

    Args:
        max: Units from 1.
        interval: Seconds, ``"10m"`` or a timedelta.
        **options: As of :func:`fixed_window`.

    Raises:
        ConfigurationError: An argument is wrong.
    """
    length = nanoseconds(interval, "interval")
    quota = Quota("", Algorithm.SLIDING_WINDOW, positive(max, "max"), length)
    return _static("sliding_window", quota, (("max", max), ("interval", _span(length))), options)


def token_bucket(
    *, refill_rate: int, interval: Duration, capacity: int, **options: Unpack[LimitOptions]
) -> StaticLimit:
    """A bucket of ``capacity`` tokens, refilled evenly with ``refill_rate`` tokens an ``interval``.

    Args:
        refill_rate: Tokens from 1.
        interval: Seconds, ``"10m"`` or a timedelta.
        capacity: The most tokens that the bucket holds, from 1.
        **options: As of :func:`fixed_window`.

    Raises:
        ConfigurationError: An argument is wrong.
    """
    length = nanoseconds(interval, "interval")
    positive(refill_rate, "refill_rate")
    # Rounded up: a bucket may fill a nanosecond late, never early.
    fill_time = -(-positive(capacity, "capacity") * length // refill_rate)
    if fill_time > _LONGEST_FILL:
        raise ConfigurationError("capacity", f"takes over a century to fill at {refill_rate} in {interval!r}")
    quota = Quota("", Algorithm.TOKEN_BUCKET, capacity, fill_time)
    parameters: list[Field] = [("refillRate", refill_rate), ("interval", _span(length)), ("capacity", capacity)]
    return _static("token_bucket", quota, parameters, options)


def rate_limit(
    limit: str | LimitFor, *, algorithm: str = "sliding_window", **options: Unpack[LimitOptions]
) -> tuple[Limit, ...]:
    """Limits written as text, or chosen for each request.

    Args:
        limit: ``"5/minute"``, ``"100 per 10 minutes"``, several with ``;`` between them, or a callable that answers
            with such text, or with None for no limit. It is called with as many of (request context, characteristics
            given to ``protect``) as it takes, and must not wait for anything.
        algorithm: ``sliding_window``, ``fixed_window`` or ``token_bucket`` (which starts full and refills evenly).
        **options: As of :func:`fixed_window`; ``name`` is given a number when the text holds several limits.

    Raises:
        ConfigurationError: The text does not parse, or an argument is wrong.
    """
    chosen = _parse_algorithm(algorithm)
    _check_options("rate_limit", options)
    if callable(limit):
        named: Any = {"name": _qualified_name(limit), **options}
        return (DynamicLimit(limit_for=limit, arguments=_arguments(limit), algorithm=chosen, **named),)
    quotas = text_quotas(limit, chosen, "limit")
    name = options.pop("name", "")
    names = [name if len(quotas) == 1 or not name else f"{name}-{number}" for number in range(1, len(quotas) + 1)]
    return tuple(
        _static("rate_limit", quota._replace(label=""), _text_parameters(quota), {**options, "name": own_name})
        for quota, own_name in zip(quotas, names, strict=True)
    )


def limits_by_path(limits: Mapping[Any, Any]) -> Iterator[tuple[Limit, ...]]:
    """The rules of a client's ``limits``: by path pattern a limit, as :func:`rate_limit` takes it.

    Raises:
        ConfigurationError: There is something else than a limit.
    """
    for path, limit in limits.items():
        if not (isinstance(limit, str) or callable(limit)):
            raise ConfigurationError("limits", f"{path!r} must map to a limit such as '5/minute', not {limit!r}")
        yield rate_limit(cast("str", limit), paths=[path], scope=path, name=_header_safe(path))


def _header_safe(path: object) -> str:
    """A name that may stand in a header of limits."""
    text = path if isinstance(path, str) else getattr(path, "pattern", "path")
    return "".join(c if c.isascii() and c.isprintable() and c not in '"\\' else "_" for c in text)[:100]


def text_quotas(limits: str, algorithm: Algorithm, field: str) -> list[Quota]:
    """The counters that a limit string stands for."""
    return quotas_of(parse_limits(limits, field), algorithm)


def quotas_of(rates: Iterable[Rate], algorithm: Algorithm = Algorithm.SLIDING_WINDOW) -> list[Quota]:
    """The counters of rates."""
    return [Quota(f"{rate.max}/{rate.interval // NANOSECONDS}", algorithm, rate.max, rate.interval) for rate in rates]


def _text_parameters(quota: Quota) -> list[Field]:
    return [("max", quota.max), ("interval", _span(quota.interval))]


def _span(interval: int) -> int | str:
    """A window in an id: whole seconds as Arcjet's ids have them, else text that tells it apart."""
    return interval // NANOSECONDS if interval % NANOSECONDS == 0 else f"{interval}ns"


def _static(builder: str, quota: Quota, parameters: Sequence[Field], options: Mapping[str, Any]) -> StaticLimit:
    _check_options(builder, options)
    named = {**options, "name": options.get("name") or quota.algorithm.value.lower()}
    return StaticLimit(quota=quota, parameters=tuple(parameters), **named)


OPTIONS = tuple({**RuleOptions.__annotations__, **LimitOptions.__annotations__})
_BUILDERS = {
    "fixed_window": ("max", "window"),
    "sliding_window": ("max", "interval"),
    "token_bucket": ("refill_rate", "interval", "capacity"),
    "rate_limit": ("limit", "algorithm"),
}


def _check_options(builder: str, options: Mapping[str, Any]) -> None:
    for name in options:
        if name not in OPTIONS:
            raise UnknownArgument(builder, name, [*_BUILDERS[builder], *OPTIONS])


def _parse_algorithm(algorithm: object) -> Algorithm:
    accepted = [name for name in _BUILDERS if name != "rate_limit"]
    if algorithm not in accepted:
        raise ConfigurationError("algorithm", f"must be one of {', '.join(accepted)}, not {algorithm!r}")
    return Algorithm(str(algorithm).upper())


def _parse_count_when(value: object) -> CountWhen | None:
    if value is None:
        return None
    if callable(value) and not inspect.iscoroutinefunction(value):
        return cast("CountWhen", value)
    statuses = {value} if isinstance(value, int) else value
    if (
        isinstance(statuses, Collection)
        and statuses
        and all(isinstance(item, int) and 100 <= item <= 599 for item in statuses)
    ):
        chosen = frozenset(statuses)
        return lambda response: response.status in chosen
    raise ConfigurationError(
        "count_when", f"must be a plain function, an HTTP status or several of them, not {value!r}"
    )


def _arguments(limit_for: LimitFor) -> int:
    if inspect.iscoroutinefunction(limit_for):
        raise ConfigurationError("limit", "must be a plain function: the core does not wait; look plans up beforehand")
    try:
        parameters = inspect.signature(limit_for).parameters.values()
    except (TypeError, ValueError):
        return 1
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return min(2, len(positional))


def _qualified_name(limit_for: LimitFor) -> str:
    name = getattr(limit_for, "__qualname__", type(limit_for).__qualname__)
    return "".join(c for c in name if c.isascii() and (c.isalnum() or c in "._"))[-60:] or "limit"
