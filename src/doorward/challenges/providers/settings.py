"""What an application says about one provider, checked when it is built."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Literal, TypedDict
from urllib.parse import urlsplit

from doorward.challenges.providers.answers import host_of
from doorward.duration import Duration, seconds
from doorward.errors import ConfigurationError, UnknownArgument
from doorward.levels import Level, parse_level

if TYPE_CHECKING:
    import ssl
    from collections.abc import Sequence

    from doorward.challenges.providers.provider import Provider

OnFailure = Literal["deny", "allow", "local"]

DEFAULT_TIMEOUT = 5.0
LONGEST_TIMEOUT = 30.0
DEFAULT_MAX_AGE = 300.0
LONGEST_MAX_AGE = 3_600.0
DEFAULT_MIN_SCORE = 0.5
"""What Google recommends to begin with (reCAPTCHA v3, "Interpreting the score")."""
DEFAULT_ACTION = "doorward"
_SITE_KEY = re.compile(r"[A-Za-z0-9_.:-]{1,200}")
_ACTION = re.compile(r"[A-Za-z0-9_-]{1,32}")  # Turnstile's rule, the narrowest of them
_ATTRIBUTE = re.compile(r"(data-[a-z0-9-]{1,40}|lang|dir|theme|auto|floating|hidelogo|hidefooter)")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


class HostedOptions(TypedDict, total=False):
    """What may be said about any provider.

    Attributes:
        name: Of the kind of challenge, where one provider is used twice.
        hostnames: On which hosts a response may have been made: a list, or ``"any"``. Without, it must be the one that
            the request names; name yours wherever your application answers to any ``Host``.
        action: What a response must have been made for, where the provider tells; ``"doorward"`` by default. reCAPTCHA
            takes none with a hyphen.
        min_score: The least score, where the provider tells one; 0.5.
        max_age: How old a response may be, where the provider tells when it was made; ``"5m"``.
        remoteip: Whether the provider is told the client's address; False.
        on_error: What follows when it cannot be asked: ``"deny"``, the default (a challenge of another kind where one
            of this level is on offer), ``"allow"``, or ``"local"`` (the proof of work in its place, which must be
            among the kinds).
        timeout: Seconds for all of one call; 5.
        level: What passing it shows: ``"human"``.
        attributes: More attributes of the widget, such as ``{"data-theme": "dark"}``.
        verify_url: Where responses are verified, where that is not the provider's usual address; without TLS only in
            one's own network.
        verify: Whose certificates are believed: see :class:`doorward.service.client.http_transport.HttpTransport`.
    """

    name: str
    hostnames: Sequence[str] | Literal["any"] | None
    action: str
    min_score: float
    max_age: Duration
    remoteip: bool
    on_error: OnFailure
    timeout: float
    level: str | Level
    attributes: Mapping[str, str]
    verify_url: str
    verify: bool | str | ssl.SSLContext


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedSettings:
    """Checked :class:`HostedOptions`, with the keys."""

    site_key: str
    secret: str = field(repr=False)
    hostnames: frozenset[str] | None = None
    any_host: bool = False
    action: str = DEFAULT_ACTION
    min_score: float = DEFAULT_MIN_SCORE
    max_age: float = DEFAULT_MAX_AGE
    remoteip: bool = False
    on_error: OnFailure = "deny"
    timeout: float = DEFAULT_TIMEOUT
    level: Level = Level.HUMAN
    attributes: Mapping[str, str] = field(default_factory=dict)
    verify: bool | str | ssl.SSLContext = True


def parse_hosted(
    provider: Provider, site_key: Any, secret: Any, options: Mapping[str, Any]
) -> tuple[Provider, HostedSettings]:
    """The provider as it is used here, and how.

    Raises:
        ConfigurationError: Something is wrong; the message names it after the provider, such as ``turnstile.secret``.
    """
    for name in options:
        if name not in HostedOptions.__annotations__:
            raise UnknownArgument(provider.name, name, list(HostedOptions.__annotations__))
    owner = provider.name
    given = {name: _PARSERS[name](value, f"{owner}.{name}") for name, value in options.items() if name in _PARSERS}
    hostnames = given.pop("hostnames", None)
    settings = HostedSettings(
        site_key=_key(site_key, f"{owner}.site_key", _SITE_KEY),
        secret=_secret(secret, f"{owner}.secret", site_key),
        hostnames=None if hostnames == "any" else hostnames,
        any_host=hostnames == "any",
        **{"level": provider.level, **given},
    )
    changes = {name: options[name] for name in ("name", "verify_url") if name in options}
    return _checked(replace(provider, **changes)), settings


def _checked(provider: Provider) -> Provider:
    name: Any = provider.name
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ConfigurationError("name", f"must be a short word in lower case, not {name!r}")
    url: Any = provider.verify_url
    parts = urlsplit(url) if isinstance(url, str) else None
    if parts is None or parts.query or parts.fragment or parts.username or "{" in url:
        raise ConfigurationError(f"{provider.name}.verify_url", "must be a URL without user name, query and fragment")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_near(parts.hostname or "")):
        raise ConfigurationError(f"{provider.name}.verify_url", "must begin with https://: the secret goes there")
    return provider


def _is_near(host: str) -> bool:
    """Whether a host is on this computer or in its own network, such as another container: ``cap``, ``10.0.0.7``."""
    try:
        return ip_address(host).is_private
    except ValueError:
        return "." not in host


def _key(value: Any, field_name: str, form: re.Pattern[str]) -> str:
    if not isinstance(value, str) or not form.fullmatch(value):
        raise ConfigurationError(field_name, "must be the key as the provider shows it: letters, digits and _ . : -")
    return value


def _secret(value: Any, field_name: str, site_key: object) -> str:
    # What is wrong with it is said without it.
    if not isinstance(value, str) or not value or not all("!" <= character <= "~" for character in value):
        raise ConfigurationError(field_name, "must be the secret as the provider shows it: printable ASCII")
    if value == site_key:
        raise ConfigurationError(field_name, "is the site key, which everybody can read")
    return value


def _hostnames(value: Any, field_name: str) -> Any:
    if value is None or value == "any":
        return value
    listed = list(value) if isinstance(value, list | tuple | set | frozenset) else [None]
    names = frozenset([host_of(name) if isinstance(name, str) else "" for name in listed])
    if not names or "" in names:
        raise ConfigurationError(field_name, f"must be a list of host names, or 'any', not {value!r}")
    return names


def _action(value: Any, field_name: str) -> str:
    if not isinstance(value, str) or not _ACTION.fullmatch(value):
        raise ConfigurationError(field_name, f"must be up to 32 letters, digits, _ and -, not {value!r}")
    return value


def _number(value: Any, field_name: str, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise ConfigurationError(field_name, f"must be a number from {least:g} to {most:g}, not {value!r}")
    return float(value)


def _max_age(value: Any, field_name: str) -> float:
    return _number(seconds(value, field_name), field_name, 1, LONGEST_MAX_AGE)


def _flag(value: Any, field_name: str) -> bool:
    if not isinstance(value, bool):
        raise ConfigurationError(field_name, f"must be True or False, not {value!r}")
    return value


def _on_error(value: Any, field_name: str) -> Any:
    if value not in ("deny", "allow", "local"):
        raise ConfigurationError(field_name, f"must be one of deny, allow, local, not {value!r}")
    return value


def _attributes(value: Any, field_name: str) -> Mapping[str, str]:
    good = isinstance(value, Mapping) and all(
        isinstance(name, str) and _ATTRIBUTE.fullmatch(name) and isinstance(text, str) for name, text in value.items()
    )
    if not good:
        raise ConfigurationError(field_name, f"must map names such as 'data-theme' to text, not {value!r}")
    return dict(value)


_PARSERS: Mapping[str, Any] = {
    "hostnames": _hostnames,
    "action": _action,
    "min_score": lambda value, name: _number(value, name, 0, 1),
    "max_age": _max_age,
    "remoteip": _flag,
    "on_error": _on_error,
    "timeout": lambda value, name: _number(value, name, 0.1, LONGEST_TIMEOUT),
    "level": parse_level,
    "attributes": _attributes,
    "verify": lambda value, _: value,
}
