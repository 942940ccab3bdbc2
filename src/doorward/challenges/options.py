"""What an application says about challenges, checked when its client is built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path  # noqa: TC003  (TypedDicts are looked into at run time)
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypedDict

from doorward.challenges.appearance import PARSERS as APPEARANCE
from doorward.challenges.appearance import Appearance, parse_appearance
from doorward.challenges.binding import PARTS
from doorward.challenges.standing_in import check_deputies
from doorward.duration import seconds
from doorward.errors import ConfigurationError, UnknownArgument
from doorward.levels import DEFAULT_LEVEL, Level, parse_level
from doorward.patterns import is_plain_path
from doorward.rules.base import positive
from doorward.rules.limit_text import Rate, parse_limits

if TYPE_CHECKING:
    from doorward.challenges.work.options import AltchaOptions, AltchaSettings

DEFAULT_KINDS = ("wait", "work", "browser")
DEFAULT_MOST = Level.BROWSER
"""The most that those show."""
SHOWN_BY = {
    Level.WAIT: "'wait'",
    Level.WORK: "'work'",
    Level.BROWSER: "'browser'",
    Level.HUMAN: "'letters', 'shapes', 'odd', 'pictures' or 'audio', or a hosted captcha such as turnstile(…)",
}
"""The kinds of ours by what they show."""
DEFAULT_PREFIX = "/.doorward"
DEFAULT_LIFETIME = 12 * 3600.0
LONGEST_LIFETIME = 30 * 86400.0
DEFAULT_CHALLENGE_LIFETIME = 1800.0
DEFAULT_CLIENT_LIFETIME = 30 * 86400.0
DEFAULT_NEW_CLIENTS = parse_limits("20/hour")
MOST_PER_ADDRESS = 10_000
STATUSES = (200, 401, 403, 429, 503)
STORE_ERRORS = ("local", "deny", "allow")


class ClientOptions(TypedDict, total=False):
    """How clients are told apart by a signed id of their own: the characteristic ``client.id``.

    Attributes:
        lifetime: How long an id holds: seconds, or text such as ``"30d"``, the default.
        per_address: How many clients one address stands for, at most: a limit by ``client.id`` admits that many times
            its ``max`` from one address, whatever ids it comes with. With 1, the default, it is at least as strict as a
            limit by address.
        new: How many ids an address is given: ``"20/hour"``.
    """

    lifetime: float | str
    per_address: int
    new: str


class ClientSettings(NamedTuple):
    """Checked :class:`ClientOptions`."""

    lifetime: float = DEFAULT_CLIENT_LIFETIME
    per_address: int = 1
    new: Sequence[Rate] = DEFAULT_NEW_CLIENTS


class ChallengeOptions(TypedDict, total=False):
    """The option ``challenges`` of a client.

    Attributes:
        prefix: Path of the endpoints, without the last ``/``; ``"/.doorward"``.
        lifetime: How long a clearance holds: seconds, or text such as ``"12h"``, the default.
        renew_for: How long after it was passed a clearance is renewed while it is in use, such as ``"7d"``; by default
            it is not.
        quota: What one clearance is good for, such as ``"120/minute"``: whoever uses more is challenged again.
        clients: How clients are told apart that limits count by ``client.id``: see :class:`ClientOptions`.
        bind: What a clearance is bound to: ``"address"`` (the client's /24, or /48), ``"agent"``, ``"host"`` (or the
            domain of cookies); all by default.
        levels: From which sum of weights on more is asked for than ``"work"``, or than a rule does: ``{"human": 20}``.
        kinds: The kinds of challenges on offer, in order of preference: ``("wait", "work", "browser")`` by default. A
            kind with arguments is an object, or a table: ``{"kind": "work", "most": 8000}``.
        secure: Whether cookies are for HTTPS only; by the scheme of each request when it is None.
        domain: Of cookies; that of the request when it is empty.
        not_before: Seconds since the Unix epoch: clearances issued before are refused.
        on_store_error: ``"local"``: single use is watched by each process alone while the store fails; ``"deny"``:
            nobody passes a challenge then; ``"allow"``: everybody may who answers it.
        status: HTTP status of a page that asks for a challenge; 403.
        theme: ``"light"``, ``"dark"``, or ``"auto"``: as the visitor's system has it, the default.
        accent: Colour of buttons: ``"#0b57d0"``.
        logo: A picture above the title: a :class:`pathlib.Path`, which is served with the pages, or a URL.
        title: Name of the site.
        css: Path of a style sheet that is added to ours.
        contact: Who helps: ``"mailto:help@example.org"``, an https URL, or text.
        words: Words in the place of ours, and languages besides: ``{"de": {"title": "Kurz warten"}}``.
        language: Spoken to clients that read none of the languages; ``"en"``.
        template_dir: Folder of templates of pages, with ``${name}`` placeholders: see docs/challenges/pages.md.
        altcha: Challenges for ALTCHA's widget in forms of the application's own: ``{"lifetime": "20m"}``. See
            :class:`~doorward.challenges.work.options.AltchaOptions`.
    """

    prefix: str
    lifetime: float | str
    renew_for: float | str
    quota: str
    clients: ClientOptions
    bind: Sequence[Literal["address", "agent", "host"]]
    levels: Mapping[str, float]
    kinds: Sequence[Any]
    secure: bool | None
    domain: str
    not_before: float
    on_store_error: Literal["local", "deny", "allow"]
    status: int
    theme: Literal["auto", "light", "dark"]
    accent: str
    logo: str | Path
    title: str
    css: str | Path
    contact: str
    words: Mapping[str, Mapping[str, str]]
    language: str
    template_dir: str | Path
    altcha: AltchaOptions


class ChallengeSettings(NamedTuple):
    """Checked :class:`ChallengeOptions`."""

    prefix: str = DEFAULT_PREFIX
    lifetime: float = DEFAULT_LIFETIME
    renew_for: float = 0.0
    quota: Sequence[Rate] = ()
    clients: ClientSettings = ClientSettings()
    bind: frozenset[str] = PARTS
    levels: Sequence[tuple[float, Level]] = ()
    kinds: Sequence[Any] = DEFAULT_KINDS
    secure: bool | None = None
    domain: str = ""
    not_before: float = 0.0
    on_store_error: Literal["local", "deny", "allow"] = "local"
    status: int = 403
    look: Appearance = Appearance()
    altcha: AltchaSettings | None = None

    def level_for(self, weight: float, otherwise: Level = DEFAULT_LEVEL) -> Level:
        """What a sum of weights asks for; ``otherwise`` where it is less than every sum that ``levels`` names."""
        return max([level for least, level in self.levels if weight >= least], default=otherwise)


def parse_challenges(given: Any) -> ChallengeSettings:
    """Check the option ``challenges``.

    Raises:
        ConfigurationError: Something in it is wrong.
    """
    if given is None:
        return ChallengeSettings()
    if not isinstance(given, Mapping):
        raise ConfigurationError("challenges", f"must be a dict such as {{'lifetime': '12h'}}, not {given!r}")
    for name in given:
        if name not in OPTION_PARSERS and name not in APPEARANCE:
            raise UnknownArgument("challenges", name, [*OPTION_PARSERS, *APPEARANCE])
    own = {
        name: OPTION_PARSERS[name](value, f"challenges.{name}")
        for name, value in given.items()
        if name in OPTION_PARSERS
    }
    look = parse_appearance({name: value for name, value in given.items() if name in APPEARANCE}, "challenges")
    if look != Appearance():
        from doorward.challenges.skin import Skin  # few applications say anything about the looks

        Skin(look)  # templates and languages are checked now, and not when somebody is first challenged
    found = ChallengeSettings(**own, look=look)
    if 0 < found.renew_for < found.lifetime:
        raise ConfigurationError("challenges.renew_for", "must be at least as long as lifetime")
    return found


def _prefix(value: Any, field: str) -> str:
    if not isinstance(value, str) or not is_plain_path(value) or value.endswith("/") or "*" in value:
        raise ConfigurationError(field, f"must be a path such as '/.doorward', not {value!r}")
    return value


def _lifetime(value: Any, field: str) -> float:
    lifetime = seconds(value, field)
    if not 0 < lifetime <= LONGEST_LIFETIME:
        raise ConfigurationError(field, f"must be over 0 and at most 30 days, not {value!r}")
    return lifetime


def _bind(value: Any, field: str) -> frozenset[str]:
    names = frozenset(value) if isinstance(value, list | tuple | set | frozenset) else frozenset([repr(value)])
    if not names <= PARTS:
        raise ConfigurationError(field, f"must be a list of 'address', 'agent' and 'host', not {value!r}")
    return names


def _clients(value: Any, field: str) -> ClientSettings:
    if not isinstance(value, Mapping):
        raise ConfigurationError(field, f"must be a dict such as {{'lifetime': '30d'}}, not {value!r}")
    parsers: Mapping[str, Any] = {
        "lifetime": _lifetime,
        "per_address": lambda number, name: positive(number, name, MOST_PER_ADDRESS),
        "new": parse_limits,
    }
    for name in value:
        if name not in parsers:
            raise UnknownArgument(field, name, list(parsers))
    return ClientSettings(**{name: parsers[name](each, f"{field}.{name}") for name, each in value.items()})


def _levels(value: Any, field: str) -> list[tuple[float, Level]]:
    if not isinstance(value, Mapping):
        raise ConfigurationError(field, f"must map levels to sums of weights, such as {{'human': 20}}, not {value!r}")
    return [(_positive(least, field), parse_level(level, field)) for level, least in value.items()]


def _positive(value: Any, field: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        raise ConfigurationError(field, f"must be a number over 0, not {value!r}")
    return float(value)


def _kinds(value: Any, field: str) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple) or not value:
        raise ConfigurationError(field, f"must be a list such as ['wait', 'work'], not {value!r}")
    check_deputies(value, field)
    return tuple(value)


def _secure(value: Any, field: str) -> bool | None:
    if value is not None and not isinstance(value, bool):
        raise ConfigurationError(field, f"must be True, False or None, not {value!r}")
    return value


def _domain(value: Any, field: str) -> str:
    if not isinstance(value, str) or not value.replace("-", "a").replace(".", "a").isalnum():
        raise ConfigurationError(field, f"must be a domain such as 'example.org', not {value!r}")
    return value


def _on_store_error(value: Any, field: str) -> Any:
    if value not in STORE_ERRORS:
        raise ConfigurationError(field, f"must be one of {', '.join(STORE_ERRORS)}, not {value!r}")
    return value


def _status(value: Any, field: str) -> int:
    if isinstance(value, bool) or value not in STATUSES:
        raise ConfigurationError(field, f"must be 200, 401, 403, 429 or 503, not {value!r}")
    return int(value)


def _altcha(value: Any, field: str) -> AltchaSettings:
    from doorward.challenges.work.options import parse_altcha  # few applications have forms with that widget

    return parse_altcha(value, field)


OPTION_PARSERS: Mapping[str, Any] = {
    "prefix": _prefix,
    "lifetime": _lifetime,
    "renew_for": _lifetime,
    "quota": parse_limits,
    "clients": _clients,
    "bind": _bind,
    "levels": _levels,
    "kinds": _kinds,
    "secure": _secure,
    "domain": _domain,
    "not_before": _positive,
    "on_store_error": _on_store_error,
    "status": _status,
    "altcha": _altcha,
}
