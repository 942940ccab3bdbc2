"""``protect_signup``: rate limits, bots and e-mail for a sign-up form, in one call."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from doorward.builders.bots import detect_bot
from doorward.builders.email import validate_email
from doorward.errors import ConfigurationError, UnknownArgument
from doorward.rules import limits
from doorward.rules.limits import fixed_window, sliding_window, token_bucket

if TYPE_CHECKING:
    import re
    from collections.abc import Callable
    from datetime import date

    from doorward.decision import Mode
    from doorward.rules.base import OnError, Rule

RECOMMENDED_LIMIT: Mapping[str, Any] = {"interval": "10m", "max": 5}
RECOMMENDED_BOTS: Mapping[str, Any] = {"allow": ()}
RECOMMENDED_EMAIL: Mapping[str, Any] = {"deny": ("DISPOSABLE", "INVALID", "NO_MX_RECORDS")}

LimitSpec = Mapping[str, Any] | str


class SignupOptions(TypedDict, total=False):
    """What holds for all of the rules that do not say otherwise: see :class:`~doorward.rules.base.Rule`."""

    mode: Mode | str | None
    on_error: OnError | None
    characteristics: Sequence[str]
    paths: Sequence[str | re.Pattern[str]]
    methods: Sequence[str]
    dry_run_since: date | str | None


def protect_signup(
    *,
    rate_limit: LimitSpec | Sequence[LimitSpec] | None = None,
    rate_limits: Sequence[LimitSpec] | None = None,
    bots: Mapping[str, Any] | None = None,
    email: Mapping[str, Any] | None = None,
    **options: Unpack[SignupOptions],
) -> tuple[Rule, ...]:
    """The rules of a sign-up form: its limits, then ``detect_bot``, then ``validate_email``. Unpack them with ``*``.

    What is left out is as recommended: five submissions in any ten minutes, no automated client, no address that is
    disposable, invalid, or of a domain without mail.

    Args:
        rate_limit: The arguments of ``sliding_window``; of ``fixed_window`` where there is a ``window``; of
            ``token_bucket`` where there is a ``capacity``; or text as for ``rate_limit``, such as ``"5/10m"``. Several
            in a list.
        rate_limits: Several, under the name that says so.
        bots: The arguments of ``detect_bot``.
        email: The arguments of ``validate_email``.
        **options: ``mode``, ``on_error``, ``characteristics``, ``paths``, ``methods``,
            ``dry_run_since`` of all the rules.

    Raises:
        ConfigurationError: An argument is wrong; the field is written as in ``rate_limit.max``, ``email.deny``.
    """
    for name in options:
        if name not in SignupOptions.__annotations__:
            accepted = ["rate_limit", "rate_limits", "bots", "email", *SignupOptions.__annotations__]
            raise UnknownArgument("protect_signup", name, accepted)
    common: dict[str, Any] = dict(options)
    return (
        *_limits(rate_limit, rate_limits, common),
        _built(detect_bot, "bots", RECOMMENDED_BOTS if bots is None else bots, common),
        _built(validate_email, "email", RECOMMENDED_EMAIL if email is None else email, common),
    )


def _limits(one: object, several: object, common: Mapping[str, Any]) -> list[Rule]:
    if one is not None and several is not None:
        raise ConfigurationError("rate_limits", "is another name of `rate_limit`: give one of them")
    field, given = ("rate_limit", one) if several is None else ("rate_limits", several)
    if given is None:
        given = RECOMMENDED_LIMIT
    if isinstance(given, str | Mapping):
        return _limit(field, given, common)
    if not isinstance(given, Sequence) or isinstance(given, bytes):
        raise ConfigurationError(field, f'must be a mapping, text such as "5/10m", or a list of them, not {given!r}')
    return [rule for place, spec in enumerate(given) for rule in _limit(f"{field}[{place}]", spec, common)]


def _limit(field: str, spec: object, common: Mapping[str, Any]) -> list[Rule]:
    if not isinstance(spec, str):
        return [_built(_limit_builder(spec), field, spec, common)]
    try:
        return list(limits.rate_limit(spec, **common))
    except ConfigurationError as error:
        raise ConfigurationError(field, error.problem) from error


def _limit_builder(spec: object) -> Callable[..., Rule]:
    keys = spec if isinstance(spec, Mapping) else ()
    if "capacity" in keys or "refill_rate" in keys:
        return token_bucket
    return fixed_window if "window" in keys else sliding_window


def _built(build: Callable[..., Rule], field: str, arguments: object, common: Mapping[str, Any]) -> Rule:
    """Call a builder, so that its errors name the field of ``protect_signup``."""
    if not isinstance(arguments, Mapping) or not all(isinstance(key, str) for key in arguments):
        raise ConfigurationError(field, f"must be a mapping of arguments by name, not {arguments!r}")
    for name, parameter in inspect.signature(build).parameters.items():
        required = parameter.kind is parameter.KEYWORD_ONLY and parameter.default is parameter.empty
        if required and name not in arguments:
            raise ConfigurationError(f"{field}.{name}", "is missing")
    try:
        return build(**{**common, **arguments})
    except ConfigurationError as error:
        wrong = ", ".join(f"{field}.{name}" for name in error.field.split(", "))
        raise ConfigurationError(wrong, error.problem) from error
