"""From a provider's reply to what it says. Pure; believes nothing that is not as it should be."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from math import isfinite
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from doorward.challenges.providers.trouble import ProviderFailed
from doorward.challenges.providers.verified import Verified
from doorward.printable import printable
from doorward.service.client.breaking import is_held_against

if TYPE_CHECKING:
    from doorward.challenges.providers.provider import Provider
    from doorward.service.client.transport import Reply

MOST_CODES = 10
LONGEST_CODE = 60
LONGEST_HOST = 300
_EXPIRED = ("duplicate", "timeout", "expired", "already-seen", "DUPE", "EXPIRED")
_EMPTY_REASON = "INVALID_REASON_UNSPECIFIED"


def is_failure(status: int) -> bool:
    """Whether an answer says nothing about the response, whatever is in it.

    Of some statuses a visitor may be the cause, by the response that they send: nobody's visitor makes a provider fail.
    """
    return not 200 <= status < 300 and is_held_against(status)


def read(provider: Provider, reply: Reply) -> Verified:
    """What a reply says.

    Raises:
        ProviderFailed: Nothing about the response.
    """
    if is_failure(reply.status):
        raise ProviderFailed("status", f"{provider.name} answers with status {reply.status}")
    if reply.status >= 400:
        return _refused(provider, _codes_of_refusal(provider, reply))
    answer = _parsed(provider, reply.body)
    found: Any = _at(answer, provider.passed)
    if not isinstance(found, bool):
        raise _nonsense(provider, provider.passed)
    if not found:
        return _refused(provider, _codes(_at(answer, provider.errors)), answer)
    return Verified(
        True,
        provider=provider.name,
        hostname=host_of(_text(provider, answer, provider.hostname)),
        action=_text(provider, answer, provider.action),
        score=_score(provider, answer),
        solved_at=_time(provider, answer),
        answer=answer,
    )


def host_of(origin: str) -> str:
    """The host of an origin, an authority or a host name: in lower case and in ASCII; empty where there is none."""
    if len(origin) > LONGEST_HOST:
        return ""
    try:
        host = urlsplit(origin if "//" in origin else f"//{origin}").hostname or ""
        host = host.removesuffix(".")
        return host if host.isascii() else host.encode("idna").decode()
    except ValueError:  # of UnicodeError too
        return ""


def key_of(provider: Provider, found: Verified) -> str | None:
    """The site key that an answer is about; None where this provider does not tell."""
    return _text(provider, found.answer, provider.site_key) if provider.site_key else None


def name_of(provider: Provider, found: Verified, token: str) -> str:
    """What a response is known by once it was used: what the provider calls it, or itself."""
    named = _at(found.answer, provider.once)
    return f"{provider.name}:{named}" if isinstance(named, str) and named else token


def _refused(provider: Provider, codes: tuple[str, ...], answer: Mapping[str, Any] | None = None) -> Verified:
    """The provider does not accept a response, or us."""
    if any(code in provider.our_fault for code in codes):
        raise ProviderFailed("refused_us", f"{provider.name} refuses us: {', '.join(codes)}")
    is_old = any(word in code for code in codes for word in _EXPIRED)
    return Verified(False, "expired" if is_old else "wrong", provider.name, error_codes=codes, answer=answer or {})


def _codes_of_refusal(provider: Provider, reply: Reply) -> tuple[str, ...]:
    try:
        codes = _codes(_at(_parsed(provider, reply.body), provider.errors))
    except ProviderFailed:
        codes = ()
    return codes or (f"status-{reply.status}",)


def _parsed(provider: Provider, body: bytes) -> Mapping[str, Any]:
    try:
        answer = json.loads(body.decode("utf-8"), parse_constant=_no_constant, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise ProviderFailed("malformed", f"{provider.name} does not answer in JSON") from None
    if not isinstance(answer, dict):
        raise ProviderFailed("malformed", f"{provider.name} does not answer with a JSON object")
    return answer


def _no_constant(name: str) -> None:
    raise ValueError(name)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; one that says the same thing twice says nothing."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name twice")
    return found


def _at(answer: Mapping[str, Any], path: str) -> Any:
    found: Any = answer
    for name in path.split(".") if path else ():
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if path else None


def _codes(found: Any) -> tuple[str, ...]:
    listed = found if isinstance(found, list) else [found]
    codes = [printable(code, LONGEST_CODE) for code in listed[:MOST_CODES] if isinstance(code, str)]
    return tuple([code for code in codes if code != _EMPTY_REASON])


def _text(provider: Provider, answer: Mapping[str, Any], path: str) -> str:
    found = _at(answer, path)
    if found is not None and not isinstance(found, str):
        raise _nonsense(provider, path)
    return found or ""


def _score(provider: Provider, answer: Mapping[str, Any]) -> float | None:
    found = _at(answer, provider.score)
    if found is None:
        return None
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 <= found <= 1:
        raise _nonsense(provider, provider.score)
    return float(found)


def _time(provider: Provider, answer: Mapping[str, Any]) -> float | None:
    found = _at(answer, provider.solved_at)
    if found is None:
        return None
    if isinstance(found, str) and not found.isdigit():
        return _moment(provider, found)
    try:
        seconds = float(found) if not isinstance(found, bool) else float("nan")
    except (TypeError, ValueError, OverflowError):
        seconds = float("nan")
    if not isfinite(seconds):
        raise _nonsense(provider, provider.solved_at)
    return seconds


def _moment(provider: Provider, text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
        seconds = moment.timestamp() if moment.tzinfo is not None else None  # without a zone, it is nobody's time
    except (ValueError, OverflowError):
        seconds = None
    if seconds is None:
        raise _nonsense(provider, provider.solved_at)
    return seconds


def _nonsense(provider: Provider, path: str) -> ProviderFailed:
    return ProviderFailed("malformed", f"{provider.name} answers with no usable {path!r}")
