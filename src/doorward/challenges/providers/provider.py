"""One row of the table: everything that sets one provider of captchas apart from another."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from doorward.levels import Level

if TYPE_CHECKING:
    from collections.abc import Mapping

Encoding = Literal["form", "json", "query"]

SITEVERIFY: Mapping[str, str] = MappingProxyType({"secret": "secret", "response": "token", "remoteip": "ip"})
"""What most providers take: the parameters of reCAPTCHA's ``siteverify``, which others have taken over."""

OUR_FAULT = frozenset(
    {"missing-input-secret", "invalid-input-secret", "secret_missing", "secret_invalid", "auth_required"}
    | {"auth_invalid", "internal-error", "missing-privatekey", "invalid-privatekey"}
)
"""Error codes that say that our side or theirs is wrong, and no visitor can bring about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """How one provider is embedded, asked and understood.

    Names of what an answer holds are paths: ``"data.challenge.origin"`` is ``answer["data"]["challenge"]["origin"]``.
    One that is empty is not told by this provider, and not checked. What a provider is said to tell has to be there.

    Attributes:
        name: As in configurations, tokens and logs.
        verify_url: Where responses are verified; ``https``.
        response_field: Name of the form's field that holds the response.
        widget: HTML of the widget, as :func:`doorward.markup.fill` takes it, with ``{site_key}``, ``{action}``,
            ``{callback}`` and ``{more}`` (attributes that the application adds).
        scripts: URLs of the provider's scripts; ``{site_key}`` is filled in.
        modules: Whether they are modules.
        needs_help: Whether a form of the application's own needs our script too: where the widget asks for an inline
            script, or for a call before the form is sent.
        docs: The documentation by which this was written: its title.
        method: Of the request that verifies.
        encoding: How the request's parameters are written: a form, a JSON object, or the URL's query.
        parameters: What is sent: names (paths, where it is JSON) and one of ``secret``, ``token``, ``site_key``,
            ``action``, ``ip``, ``agent``. Those that are empty are left out.
        headers: The same for headers.
        passed: Where an answer says whether the response is good.
        hostname: Where it says for which host it was made: a host name, or an origin.
        action: Where it says for what.
        score: Where it says how surely a person was there: 0.0 to 1.0, which is the best.
        solved_at: Where it says when that was: text (ISO 8601), or seconds since the Unix epoch.
        errors: Where it says what is wrong: a code, or a list of them.
        site_key: Where it says for which site key, where providers verify responses for any.
        once: Where it says which response it was, by a name that stays the same however the response is written.
        our_fault: Error codes of which no visitor is the cause.
        sources: What a page's Content-Security-Policy has to allow, by directive.
        longest_token: Characters of a response.
        level: What is shown by one.
    """

    name: str
    verify_url: str
    response_field: str
    widget: str
    docs: str
    scripts: tuple[str, ...] = ()
    modules: bool = False
    needs_help: bool = False
    method: Literal["POST", "GET"] = "POST"
    encoding: Encoding = "form"
    parameters: Mapping[str, str] = field(default_factory=lambda: SITEVERIFY)
    headers: Mapping[str, str] = field(default_factory=dict)
    passed: str = "success"
    hostname: str = "hostname"
    action: str = ""
    score: str = ""
    solved_at: str = "challenge_ts"
    errors: str = "error-codes"
    site_key: str = ""
    once: str = ""
    our_fault: frozenset[str] = OUR_FAULT
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    longest_token: int = 4_096
    level: Level = Level.HUMAN
