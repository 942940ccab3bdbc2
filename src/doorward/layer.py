"""What every middleware shares, whatever it wraps: which requests it looks at, and what it answers."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any, TypedDict

from doorward.answers import Answer, refusal
from doorward.errors import ConfigurationError, UnknownArgument
from doorward.limit_headers import parse_style
from doorward.patterns import DEFAULT_EXEMPT, RouteMatcher, is_plain_path
from doorward.preflight import is_preflight
from doorward.requests import without_line_end
from doorward.routes import Insists
from doorward.runtime import DECISION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from doorward.client import AsyncDoorward, Doorward
    from doorward.context import RequestContext
    from doorward.decision import Decision
    from doorward.engine import Engine
    from doorward.progress import Progress
    from doorward.requests import Carrier, ReadRequest
    from doorward.routes import RoutePolicy

    Patterns = Sequence[str | re.Pattern[str]]
    OnDenied = Callable[[RequestContext, Decision], Any]

SCANNED_TYPES = (
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "application/json",
    "application/xml",
    "text/",
)
SCANNED_LIMIT = 2**20
OTHER_LIMIT = 2**16
"""Bytes that are held of a body: of forms, JSON, XML and text, and of all else (the issue's figures)."""

PREFLIGHT = "OPTIONS"
"""Why a preflight is exempt: that stands whatever is said about a route."""

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_IS_SHARED = re.compile(r"\b(?:public|s-maxage)\b", re.IGNORECASE).search
"""Of Cache-Control: what caches may keep that serve many clients (RFC 9111 sections 5.2.2.9 and 5.2.2.10)."""
_FIELD_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


class LayerOptions(TypedDict, total=False):
    """What every middleware takes by keyword.

    Attributes:
        enforce: With False, decide and attach the decision, but never answer.
        include: Only requests to these paths: see :mod:`doorward.patterns`.
        exclude: No requests to these paths.
        default_exemptions: Leave preflights, health checks and static files alone: see ``DEFAULT_EXEMPT`` there.
        rate_limit_headers: Limit headers on allowed answers: True (``"draft-10"``), ``"draft-6"``, ``"x"``, or False.
        on_denied: Called with the request context and the decision instead of the built-in refusal; its answer is sent.
    """

    enforce: bool
    include: Patterns
    exclude: Patterns
    default_exemptions: bool
    rate_limit_headers: bool | str
    on_denied: OnDenied | None


class Layer:
    """One middleware's configuration, and what it does at each stage of a request. Never raises after construction."""

    def __init__(self, client: Doorward | AsyncDoorward, options: LayerOptions) -> None:
        for name in options:
            if name not in LayerOptions.__annotations__:
                raise UnknownArgument("DoorwardMiddleware", name, ["app", "aj", *LayerOptions.__annotations__])
        get: Callable[..., Any] = options.get
        self.client = client
        self.runtime = client.runtime
        self._endpoints = f"{client.runtime.settings.challenges.prefix}/"
        self.enforce = _flag(get("enforce", True), "enforce")
        self.on_denied: OnDenied | None = get("on_denied")
        self.style = parse_style(get("rate_limit_headers", False))
        if self.on_denied is not None and not callable(self.on_denied):
            raise ConfigurationError("on_denied", f"must be callable, not {self.on_denied!r}")
        self.coverage = Coverage(
            _patterns(get("include"), "include"),
            _patterns(get("exclude"), "exclude"),
            default_exemptions=_flag(get("default_exemptions", True), "default_exemptions"),
        )

    def admit(
        self,
        carrier: Carrier,
        method: str,
        path: str,
        policy: RoutePolicy | None,
        read: ReadRequest,
    ) -> Progress | None:
        """Begin with a request, read by ``read``; None when no rule is to look at it."""
        runtime = self.runtime
        engine = self.client.engine
        # setdefault: what a layer outside has decided says more than that this one has not looked.
        if runtime.off:
            carrier.setdefault(DECISION, runtime.switched_off(engine))
            return None
        path = without_line_end(path)
        exempt = policy is not None and policy.exempt
        why = "the route is exempt" if exempt else self.coverage.exempts(method, path, carrier)
        if why is not None and not (self.coverage.by_default(why) and _limited_by_name(engine, policy, method, path)):
            # Of OPTIONS too: the view itself would answer, as Django's functions do whatever the method, and who asks
            # with it would have the page unchallenged. Adapters know no policy where no view is to run.
            insists = Insists.NOTHING if policy is None or exempt else policy.insists
            if insists is Insists.NOTHING:
                carrier.setdefault(DECISION, runtime.exempted(engine, why))
                return None
            engine = engine if insists is Insists.ALL else runtime.routes.without_rules(engine)
        return runtime.resume(carrier, engine, policy, path, read)

    def refuses(self, decision: Decision) -> bool:
        """Whether the request is answered here."""
        return self.enforce and not decision.is_allowed()

    def refusal(self, request: RequestContext, decision: Decision) -> Answer:
        """The built-in answer."""
        if decision.is_challenged():
            try:
                return self.runtime.gatekeeper.gate.answer(request, decision)
            except Exception as error:
                self.runtime.journal.swallowed("challenge", error)
        return refusal(request, decision, self.runtime.gatekeeper.skin)

    def keeps_form(self, request: RequestContext, decision: Decision) -> bool:
        """Whether the body has to be read before :meth:`refusal`: a form that its page will keep. Never raises."""
        if not decision.is_challenged() or request.method != "POST" or request.body is not None:
            return False
        try:
            from doorward.challenges.resuming import worth_reading  # few requests are challenged

            return worth_reading(request)
        except Exception as error:
            self.runtime.journal.swallowed("challenge", error)
            return False

    def serves(self, path: str) -> bool:
        """Whether a path is one of the endpoints of challenges, which no application sees."""
        return path.startswith(self._endpoints) and not self.runtime.off

    def replaced(self, request: RequestContext, decision: Decision) -> Any:
        """What ``on_denied`` answers, fit to be sent; None for the built-in answer, also when it fails."""
        if self.on_denied is None:
            return None
        try:
            return usable(self.on_denied(request, decision))
        except Exception as error:
            self.runtime.journal.swallowed("on_denied", error)
            return None

    async def areplaced(self, request: RequestContext, decision: Decision) -> Any:
        """As :meth:`replaced`, for an ``on_denied`` that may be async."""
        if self.on_denied is None:
            return None
        try:
            answer = self.on_denied(request, decision)
            return usable(await answer if inspect.isawaitable(answer) else answer)
        except Exception as error:
            self.runtime.journal.swallowed("on_denied", error)
            return None

    def touches_response(self, progress: Progress) -> bool:
        """Whether an allowed response has to be looked at or added to."""
        return self.style is not None or self.awaits_response(progress) or bool(self.cookies(progress))

    def cookies(self, progress: Progress) -> Sequence[str]:
        """Values of Set-Cookie that an allowed response is to have beside its own. Never raises."""
        found = progress.cookies
        if found is None:
            found = progress.cookies = self.runtime.gatekeeper.new_cookies(progress)
        return found

    def fitting_cookies(self, progress: Progress, lines: Iterable[tuple[str, str]]) -> Sequence[str]:
        """As :meth:`cookies`, of a response with these headers: a cache between must not give one's cookie to others.

        Names of headers are in lower case.
        """
        found = self.cookies(progress)
        if not found or not any([name == "cache-control" and _IS_SHARED(value) for name, value in lines]):
            return found
        return ()

    def awaits_response(self, progress: Progress) -> bool:
        """Whether a limit waits for the response, or one may that the application has yet to ask."""
        return progress.engine.conditional or self.runtime.conditional


def _limited_by_name(engine: Engine, policy: RoutePolicy | None, method: str, path: str) -> bool:
    """Whether the application has limited this very route: that goes before an exemption that nobody asked for."""
    if policy is not None and (policy.rules or policy.additive):
        return True
    return any(bound.rule.names(method, path) for bound in engine.bound)


class Coverage:
    """Which requests a middleware looks at.

    Args:
        include: Only these, if any are given.
        exclude: Not these.
        default_exemptions: Nor preflights, health checks and static files.

    Raises:
        ConfigurationError: A pattern cannot be compiled.
    """

    __slots__ = ("_default", "_exact", "_excluded", "_included", "_listed", "_prefixes", "_reasons")

    def __init__(self, include: Patterns, exclude: Patterns, *, default_exemptions: bool) -> None:
        self._included = RouteMatcher(include, field="include", overlong=True) if include else None
        self._excluded = RouteMatcher(exclude, field="exclude") if exclude else None
        self._default = default_exemptions
        self._reasons = _default_reasons() if default_exemptions else {}
        self._listed = RouteMatcher([route for e in DEFAULT_EXEMPT for route in e.routes()], field="DEFAULT_EXEMPT")
        # Two looks that cost next to nothing, so that other paths need not be compared with each pattern.
        self._exact = frozenset(pattern for pattern in self._reasons if "*" not in pattern)
        self._prefixes = tuple(pattern.partition("*")[0] for pattern in self._reasons if "*" in pattern)

    def exempts(self, method: str, path: str, carrier: Carrier) -> str | None:
        """Why a request is left alone; None when it is not."""
        if self._default:
            if is_preflight(method, carrier):
                return PREFLIGHT
            listed = path in self._exact or path.startswith(self._prefixes)
            # A websocket is neither a health check nor a file, whatever its path.
            if listed and is_plain_path(path) and carrier.get("type") != "websocket":
                pattern = self._listed.match(method, path)
                if pattern is not None:
                    return self._reasons[pattern]
        if self._excluded is not None and is_plain_path(path) and self._excluded.match(method, path):
            return "excluded"
        if self._included is not None and not self._included.match(method, path):
            return "not included"
        return None

    def by_default(self, why: str) -> bool:
        """Whether an exemption is one that nobody asked for; that of preflights stands whatever was asked."""
        return why in self._reasons.values()


def usable(answer: Any, is_response: Callable[[Any], bool] = callable) -> Any:
    """What ``on_denied`` answered, fit to be sent.

    Args:
        answer: An Answer, a response of the framework's own, or None.
        is_response: Whether something is a response of the framework's own; those are not looked into.

    Raises:
        TypeError: It is none of these, or an Answer with parts of other types.
        ValueError: It is an Answer that HTTP cannot carry (RFC 9110 sections 5 and 15).
    """
    if isinstance(answer, Answer):
        return _sendable(*answer)
    if answer is None or is_response(answer):
        return answer
    raise TypeError(f"on_denied must return an Answer, a response or None, not {type(answer).__name__}")


def _sendable(status: Any, headers: Any, body: Any) -> Answer:
    if not isinstance(status, int) or not 200 <= status <= 599:
        raise ValueError(f"on_denied: the status must be 200 to 599, not {status!r}")
    if not isinstance(body, bytes | bytearray | memoryview | str):
        raise TypeError(f"on_denied: the body must be bytes, not {type(body).__name__}")
    lines = [_line(name, value) for name, value in headers]
    # Content-Length is added where the answer is sent, and once is enough.
    kept = [line for line in lines if line[0].lower() != "content-length"]
    return Answer(int(status), kept, body.encode() if isinstance(body, str) else bytes(body))


def _line(name: str, value: str) -> tuple[str, str]:
    if not _TOKEN.fullmatch(name):
        raise ValueError(f"on_denied: {name!r} is no name of a header")
    if not _FIELD_VALUE.fullmatch(value):
        raise ValueError(f"on_denied: {name} must be latin-1 text without control characters")
    return name, value.strip(" \t")


def _flag(value: object, field: str) -> bool:
    if not isinstance(value, bool):
        raise ConfigurationError(field, f"must be True or False, not {value!r}")
    return value


def _patterns(value: Any, field: str) -> Patterns:
    if value is None:
        return ()
    if isinstance(value, str | bytes) or not isinstance(value, list | tuple | set | frozenset):
        raise ConfigurationError(field, f"must be a list of patterns such as ['/api/*'], not {value!r}")
    return tuple(value)


def body_limit(request: RequestContext, configured: int | None) -> int:
    """Bytes of a request's body that are held for rules that read it; 0 where it is compressed."""
    encodings = request.headers.values("content-encoding")
    if any(encoding.strip().lower() not in ("", "identity") for encoding in encodings):
        return 0
    if configured is not None:
        return configured
    kind = request.headers.get("content-type").strip().lower()
    scanned = kind.startswith(SCANNED_TYPES) or "+json" in kind or "+xml" in kind
    return SCANNED_LIMIT if scanned else OTHER_LIMIT


def _default_reasons() -> dict[str, str]:
    return {pattern: exemption.reason for exemption in DEFAULT_EXEMPT for pattern in exemption.patterns}
