"""The arguments of a client, checked when it is built."""

from __future__ import annotations

import inspect
import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypedDict, get_args

from doorward.challenges.options import ChallengeSettings, parse_challenges
from doorward.client_ip import ClientIPPolicy, Proxies
from doorward.clock import Clock, SystemClock
from doorward.decision import Conclusion, Decision, Mode
from doorward.duration import seconds
from doorward.errors import ConfigurationError, UnknownArgument
from doorward.fingerprint import IP, Identity
from doorward.own_secrets import Secret, parse_secrets
from doorward.patterns import RouteMatcher
from doorward.rules.base import Rule, number, parse_mode, positive
from doorward.rules.limit_text import parse_limits
from doorward.workers import configured

if TYPE_CHECKING:
    from pathlib import Path

    from doorward.challenges.options import ChallengeOptions
    from doorward.context import RequestContext
    from doorward.network import AsyncResolver, Resolver
    from doorward.resolving.servers import Server
    from doorward.service.client.transport import Transport
    from doorward.stores.base import AsyncStore, Store

OnDecision = Callable[[Decision, "RequestContext"], object]
Override = Literal["LIVE", "DRY_RUN", "OFF", ""]

KEY_VARIABLE = "DOORWARD_KEY"
MODE_VARIABLE = "DOORWARD_MODE"
ENVIRONMENT_VARIABLE = "DOORWARD_ENV"
DEFAULT_TIMEOUT = 0.5
DEVELOPMENT_TIMEOUT = 1.0
LARGEST_BODY_LIMIT = 64 * 2**20


class Options(TypedDict, total=False):
    """Everything that a client takes by keyword besides ``rules``.

    Attributes:
        mode: Of rules that name none: ``"LIVE"`` or ``"DRY_RUN"``. The environment variable ``DOORWARD_MODE`` goes
            before it: ``DRY_RUN`` makes every rule dry, ``OFF`` switches everything off, ``LIVE`` changes only this.
        characteristics: Who clients are, for rules that name none.
        store: Where counters live: ``"memory://"`` in this process, ``"shared:///path/of/a/file"`` for the workers of
            one host, ``"redis://host"`` for many hosts, or an object with the methods of
            :class:`doorward.stores.base.Store`.
        proxies: Which hops are trusted to tell the client's address: see :mod:`doorward.client_ip`.
        timeout: Seconds that the remote work of one decision may take in all.
        on_error: ``"allow"`` or ``"deny"``: what follows when a rule cannot be evaluated. Limits go on locally
            (``"local"``) unless the rule itself says otherwise.
        name: Keeps the counters of several clients in one store apart.
        workers: Processes that share the traffic: while the store fails, each admits its part. None takes what
            ``WEB_CONCURRENCY`` or the server's command line says, else 1.
        body_limit: Bytes of a body that are held for rules that read it; None takes the defaults of each kind.
        limits: Limits by path: ``{"/api/*": "100/hour", "POST /login": "5/minute"}``.
        thresholds: What a sum of weights leads to: ``{"CHALLENGE": 10, "DENY": 20}``.
        on_decision: Called with every decision and its request context.
        logger: Where decisions are logged; ``logging.getLogger("doorward")`` by default.
        clock: The time; see :class:`doorward.testing.FakeClock`.
        ipv6_prefix: Bits of an IPv6 address that name a client.
        mask_addresses: Log only the network part of addresses.
        data: The folder that ``doorward data update`` fills; None takes ``DOORWARD_DATA``, else the user's own.
        geo: Your own MMDB files (GeoLite2, DB-IP, IPinfo …) for ``decision.ip``; needs the extra ``geo``.
        resolver: Name servers such as ``"127.0.0.1:53"`` instead of the system's, or an object with the method of
            :class:`doorward.network.Resolver`.
        service: URL of a decision service (``doorward serve``), which then counts, looks up, and keeps decisions. The
            store is what decides while it does not answer.
        key: What the service knows this application by; None takes the environment's ``DOORWARD_KEY``.
        secret: What signs what clients bring back: text, as UTF-8, or bytes; None takes the environment's
            ``DOORWARD_SECRET``, where several stand between commas or blanks. Of several the first signs, and all are
            accepted, so that one can be exchanged for another. ``doorward check`` says whether one could be guessed.
        challenges: What doubtful clients are asked to do, and for how long that is remembered: see
            :class:`doorward.challenges.options.ChallengeOptions`.
        transport: How to reach the service, for who has something of their own: an object with the methods of
            :class:`doorward.service.client.transport.Transport`.
        policy: A TOML or YAML file with more rules, and options that are not said here: see :mod:`doorward.policy`.
            Its changes are taken over while the application runs.
    """

    mode: Mode | str
    characteristics: Sequence[str]
    store: str | Store | AsyncStore
    proxies: str | int | Sequence[str] | Proxies
    timeout: float | None
    on_error: Literal["allow", "deny"]
    name: str
    workers: int | None
    body_limit: int | None
    limits: Mapping[str, str] | None
    thresholds: Mapping[str, float] | None
    on_decision: OnDecision | None
    logger: logging.Logger | None
    clock: Clock | None
    ipv6_prefix: int
    mask_addresses: bool
    data: str | Path | None
    geo: Sequence[str | Path]
    resolver: str | Sequence[str] | Resolver | AsyncResolver | None
    service: str | None
    key: str | None
    secret: str | bytes | Sequence[str | bytes] | None
    challenges: ChallengeOptions | None
    transport: Transport | None
    policy: str | Path | None


class Settings(NamedTuple):
    """Checked options: see :class:`Options`."""

    override: Override
    mode: Mode
    identity: Identity
    store: str | Store | AsyncStore
    ips: ClientIPPolicy
    timeout: float
    on_error: Literal["allow", "deny"]
    name: str
    workers: int
    body_limit: int | None
    limits: Mapping[str, str]
    thresholds: Sequence[tuple[float, Conclusion]]
    on_decision: OnDecision | None
    logger: logging.Logger
    clock: Clock
    ipv6_prefix: int
    mask_addresses: bool
    data: Path | None
    geo: Sequence[Path]
    resolver: Resolver | AsyncResolver | tuple[Server, ...] | None
    service: str | None
    key: str
    secret: Secret
    former_secrets: tuple[Secret, ...]
    transport: Transport | None
    proxies: object
    challenges: ChallengeSettings


def parse(options: Options, owner: str) -> Settings:
    """Check a client's options.

    Raises:
        ConfigurationError: One is wrong, or the environment is.
    """
    check_known(options, owner)
    get: Callable[..., Any] = options.get
    development = os.environ.get(ENVIRONMENT_VARIABLE, "").strip().lower() == "development"
    override = _override(os.environ.get(MODE_VARIABLE, ""))
    ipv6_prefix = positive(get("ipv6_prefix", 64), "ipv6_prefix", 128)
    timeout = get("timeout")
    challenges = parse_challenges(get("challenges"))
    secret, *former = parse_secrets(get("secret"))
    return Settings(
        override=override,
        mode=Mode.LIVE if override == "LIVE" else parse_mode(get("mode", Mode.LIVE)),
        identity=Identity(
            _characteristics(get("characteristics", ())),
            ipv6_prefix=ipv6_prefix,
            clients=challenges.clients.per_address,
        ),
        store=get("store", "memory://"),
        ips=_ips(get("proxies", "private"), get("data"), development=development),
        timeout=_timeout(timeout) if timeout is not None else DEVELOPMENT_TIMEOUT if development else DEFAULT_TIMEOUT,
        on_error=_choice(get("on_error", "allow"), ("allow", "deny"), "on_error"),
        name=_name(get("name", "default")),
        workers=_workers(get("workers")),
        body_limit=_body_limit(get("body_limit")),
        limits=_limits(_mapping(get("limits"), "limits", "paths to limits")),
        thresholds=_thresholds(_mapping(get("thresholds"), "thresholds", "conclusions to sums of weights")),
        on_decision=_callable(get("on_decision"), "on_decision"),
        logger=_instance(_default(get("logger"), logging.getLogger("doorward")), logging.Logger, "logger"),
        clock=_clock(get("clock")),
        ipv6_prefix=ipv6_prefix,
        mask_addresses=_instance(get("mask_addresses", False), bool, "mask_addresses"),
        data=_folder(get("data")),
        geo=_files(get("geo", ())),
        resolver=_resolver(get("resolver")),
        service=_service(get("service"), get("key"), get("transport")),
        key=_key(get("key")),
        secret=secret,
        former_secrets=tuple(former),
        transport=get("transport"),
        proxies=get("proxies", "private"),
        challenges=challenges,
    )


def parse_rules(rules: object, field: str = "rules") -> list[Rule]:
    """Rules from a sequence, in which sequences of rules (``protect_signup(…)``) may stand too.

    Raises:
        ConfigurationError: Something in it is no rule.
    """
    if isinstance(rules, Rule):
        return [rules]
    if not isinstance(rules, list | tuple):
        raise ConfigurationError(field, f"must hold rules such as fixed_window(…), not {rules!r}")
    return [rule for item in rules for rule in parse_rules(item, field)]


def check_known(options: Mapping[str, object], owner: str) -> None:
    """See that there is no option that does not exist.

    Raises:
        UnknownArgument: There is.
    """
    for name in options:
        if name not in Options.__annotations__:
            raise UnknownArgument(owner, name, ["rules", *Options.__annotations__])


def _override(value: str) -> Override:
    text = value.strip().upper().replace("-", "_")
    for override in get_args(Override):
        if text == override:
            return override  # type: ignore[no-any-return]  # one of the literals
    raise ConfigurationError(MODE_VARIABLE, f"must be LIVE, DRY_RUN or OFF, not {value!r}")


def _default(value: Any, default: Any) -> Any:
    return default if value is None else value


def _characteristics(value: Any) -> Any:
    return (IP,) if isinstance(value, list | tuple) and not value else value


def _timeout(value: object) -> float:
    timeout = seconds(value, "timeout")
    if not 0 < timeout <= 60:
        raise ConfigurationError("timeout", f"must be over 0 and at most 60 seconds, not {value!r}")
    return timeout


def _workers(value: object) -> int:
    return configured(os.environ, sys.argv)[0] if value is None else positive(value, "workers", 10_000)


def _choice(value: Any, accepted: Sequence[str], field: str) -> Any:
    if value not in accepted:
        raise ConfigurationError(field, f"must be one of {', '.join(accepted)}, not {value!r}")
    return value


def _name(value: object) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= 64 or not value.replace("-", "_").isidentifier():
        raise ConfigurationError("name", f"must be letters, digits, - and _, at most 64, not {value!r}")
    return value


def _body_limit(value: object) -> int | None:
    return None if value is None else positive(value, "body_limit", LARGEST_BODY_LIMIT)


def _mapping(value: Any, field: str, what: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ConfigurationError(field, f"must map {what}, not {value!r}")
    return value


def _limits(limits: Mapping[Any, Any]) -> Mapping[str, Any]:
    """Checked here, where a mistake can be named by the argument that it is in."""
    for path, limit in limits.items():
        RouteMatcher([path], field="limits")
        if not callable(limit):
            parse_limits(limit, "limits")
    return limits


def _thresholds(thresholds: Mapping[str, Any]) -> list[tuple[float, Conclusion]]:
    parsed = []
    for name, weight in thresholds.items():
        action = str(name).upper()
        _choice(action, ("CHALLENGE", "DENY"), "thresholds")
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight < float("inf"):
            raise ConfigurationError("thresholds", f"{action} must be a number over 0, not {weight!r}")
        parsed.append((number(weight, "thresholds", "numbers over 0"), Conclusion(action)))
    return parsed


def _callable(value: Any, field: str) -> Any:
    if value is not None and not callable(value):
        raise ConfigurationError(field, f"must be callable, not {value!r}")
    if inspect.iscoroutinefunction(value):
        raise ConfigurationError(field, f"must be a plain function, since nobody awaits it: {value!r}")
    return value


def _ips(proxies: Any, folder: Any, *, development: bool) -> ClientIPPolicy:
    edges: Mapping[str, Sequence[str]] | None = None
    if proxies == "cloudflare":
        from doorward.intelligence.library import Library

        edges = Library(_folder(folder)).edge_ranges()
    return ClientIPPolicy(proxies, development=development, environ=os.environ, edge_ranges=edges)


def _folder(value: object) -> Path | None:
    """The folder; it may come into being later, by ``doorward data update``."""
    folder = None if value is None else _path(value, "data")
    if folder is not None and folder.exists() and not folder.is_dir():
        raise ConfigurationError("data", f"must be a folder, not the file {str(folder)!r}")
    return folder


def _files(values: object) -> tuple[Path, ...]:
    if not isinstance(values, list | tuple):
        raise ConfigurationError("geo", f"must be a list of MMDB files, not {values!r}")
    files = tuple([_path(value, "geo") for value in values])
    for file in files:
        if not file.is_file():
            raise ConfigurationError("geo", f"must be MMDB files that exist, not {str(file)!r}")
    return files


def _path(value: object, field: str) -> Path:
    from pathlib import Path  # few clients name one, and importing it takes as long as three modules of ours

    if not isinstance(value, str | Path) or not str(value):
        raise ConfigurationError(field, f"must be a path, not {value!r}")
    return Path(value)


def _resolver(value: Any) -> Any:
    if value is None:
        return None
    from doorward.network import check_resolver  # most clients take the system's

    return check_resolver(value)


def _service(service: object, key: object, transport: object) -> str | None:
    """The service's URL, which :mod:`doorward.service.client` looks at more closely."""
    if service is None:
        for name, value in (("key", key), ("transport", transport)):
            if value is not None:
                raise ConfigurationError(name, "is for a decision service: give its URL as service=")
        return None
    if not isinstance(service, str) or not service:
        raise ConfigurationError("service", f"must be the URL of a decision service, not {service!r}")
    return service


def _key(key: object) -> str:
    if key is None:
        return os.environ.get(KEY_VARIABLE, "")
    # Never shown: it is a secret, also one that is mistyped.
    if not isinstance(key, str) or not key:
        raise ConfigurationError("key", "must be the key that `doorward keys add` has printed")
    return key


def _instance(value: Any, kind: type, field: str) -> Any:
    if not isinstance(value, kind):
        raise ConfigurationError(field, f"must be a {kind.__name__}, not {value!r}")
    return value


def _clock(value: object) -> Clock:
    if value is None:
        return SystemClock()
    if not callable(getattr(value, "now_ns", None)):
        raise ConfigurationError("clock", f"must have a now_ns() method, not {value!r}")
    clock: Any = value
    return clock  # type: ignore[no-any-return]  # a Protocol, checked just above
