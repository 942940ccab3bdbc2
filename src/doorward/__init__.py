"""doorward: request protection for Python web applications, decided inside the application.

::

    from doorward import Doorward, sliding_window

    aj = Doorward([sliding_window(max=5, interval="10m")])
    decision = aj.protect(request)
"""

from __future__ import annotations

from doorward.client import AsyncDoorward, Doorward
from doorward.context import Body, Headers, RequestContext
from doorward.decision import Conclusion, Decision, IPInfo, Mode, RuleResult, State
from doorward.errors import (
    ConfigurationError,
    DeadlineExceeded,
    DoorwardError,
    StoreError,
    UnknownArgument,
    UnsupportedRequest,
)
from doorward.reason import ChallengeReason, ErrorReason, RateLimitReason, Reason, RuleReason
from doorward.rules.limits import Response, fixed_window, rate_limit, sliding_window, token_bucket

__all__ = [
    "AsyncDoorward",
    "Body",
    "ChallengeReason",
    "Conclusion",
    "ConfigurationError",
    "DeadlineExceeded",
    "Decision",
    "Doorward",
    "DoorwardError",
    "ErrorReason",
    "Headers",
    "IPInfo",
    "Mode",
    "RateLimitReason",
    "Reason",
    "RequestContext",
    "Response",
    "RuleReason",
    "RuleResult",
    "State",
    "StoreError",
    "UnknownArgument",
    "UnsupportedRequest",
    "fixed_window",
    "rate_limit",
    "sliding_window",
    "token_bucket",
]

__version__ = "0.1.0"
