"""doorward: request protection for Python web applications, decided inside the application.

::

    from doorward import Doorward, sliding_window

    aj = Doorward([sliding_window(max=5, interval="10m")])
    decision = aj.protect(request)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorward.client import AsyncDoorward, Doorward
from doorward.context import Body, Headers, RequestContext
from doorward.decision import Conclusion, Decision, Mode, RuleResult, State
from doorward.errors import (
    ConfigurationError,
    DataError,
    DeadlineExceeded,
    DoorwardError,
    ResolverError,
    ServiceError,
    StoreError,
    UnknownArgument,
    UnsupportedRequest,
)
from doorward.ip_info import IPInfo
from doorward.reason import (
    BotReason,
    ChallengeReason,
    EmailReason,
    ErrorReason,
    FilterReason,
    RateLimitReason,
    Reason,
    RuleReason,
    ShieldReason,
)
from doorward.rules.limits import Response, fixed_window, rate_limit, sliding_window, token_bucket

if TYPE_CHECKING:
    from doorward.builders.access import allow, challenge, deny, weigh
    from doorward.builders.bots import detect_bot
    from doorward.builders.email import validate_email
    from doorward.builders.shield import shield
    from doorward.builders.signup import protect_signup
    from doorward.checks import check
    from doorward.rules.bots import BotCategory, is_missing_user_agent, is_spoofed_bot, is_verified_bot
    from doorward.rules.email import EmailType
    from doorward.rules.filters import filter_request
    from doorward.rules.forms import form_trap
    from doorward.rules.honeypots import honeypot

__all__ = [
    "AsyncDoorward",
    "Body",
    "BotCategory",
    "BotReason",
    "ChallengeReason",
    "Conclusion",
    "ConfigurationError",
    "DataError",
    "DeadlineExceeded",
    "Decision",
    "Doorward",
    "DoorwardError",
    "EmailReason",
    "EmailType",
    "ErrorReason",
    "FilterReason",
    "Headers",
    "IPInfo",
    "Mode",
    "RateLimitReason",
    "Reason",
    "RequestContext",
    "ResolverError",
    "Response",
    "RuleReason",
    "RuleResult",
    "ServiceError",
    "ShieldReason",
    "State",
    "StoreError",
    "UnknownArgument",
    "UnsupportedRequest",
    "allow",
    "challenge",
    "check",
    "deny",
    "detect_bot",
    "filter_request",
    "fixed_window",
    "form_trap",
    "honeypot",
    "is_missing_user_agent",
    "is_spoofed_bot",
    "is_verified_bot",
    "protect_signup",
    "rate_limit",
    "shield",
    "sliding_window",
    "token_bucket",
    "validate_email",
    "weigh",
]

__version__ = "0.1.0"

_LATER = {
    "BotCategory": "rules.bots",
    "EmailType": "rules.email",
    "allow": "builders.access",
    "challenge": "builders.access",
    "check": "checks",
    "deny": "builders.access",
    "detect_bot": "builders.bots",
    "filter_request": "rules.filters",
    "form_trap": "rules.forms",
    "honeypot": "rules.honeypots",
    "is_missing_user_agent": "rules.bots",
    "is_spoofed_bot": "rules.bots",
    "is_verified_bot": "rules.bots",
    "protect_signup": "builders.signup",
    "shield": "builders.shield",
    "validate_email": "builders.email",
    "weigh": "builders.access",
}
"""What is imported when it is first asked for: an application that only limits rates need not wait for it."""


def __getattr__(name: str) -> object:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*globals(), *_LATER]
