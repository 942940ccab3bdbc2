"""What is asked with Arcjet's SDKs, and what has to come out: the same for each SDK, in Python and in JavaScript.

Of an address and a path of the plan each SDK has its own, so that all can ask one service.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
HEADERS = {  # of a browser that follows a link, but for its User-Agent
    "host": "example.com",
    "accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "accept-language": "en-US,en;q=0.5",
    "accept-encoding": "gzip, deflate, br, zstd",
    "connection": "keep-alive",
    "upgrade-insecure-requests": "1",
    "sec-fetch-dest": "document",
    "sec-fetch-mode": "navigate",
    "sec-fetch-site": "same-origin",
    "sec-fetch-user": "?1",
}
LIBRARY = "Java/17.0.2"  # of no robot that the SDKs know by themselves
TAUTOLOGY = "q=1%27%20OR%20%271%27%3D%271"


class Call(NamedTuple):
    """One ``protect``.

    Attributes:
        answer: The conclusion, and of a denial the type of its reason.
        arguments: Of ``protect``.
        served: Whether the service decides; otherwise the SDK does, and reports it.
        dry: Types of the dry-run results that would have denied.
    """

    answer: str
    arguments: Mapping[str, Any] = MappingProxyType({})
    served: bool = True
    dry: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scenario:
    """Calls of one client.

    Attributes:
        name: Also its path.
        rules: Names of the builders, as Python has them, with their arguments.
        calls: One after the other, from one address.
        agent: The ``User-Agent``.
        query: Of the request.
        characteristics: Of the client.
    """

    name: str
    rules: list[tuple[str, dict[str, Any]]]
    calls: list[Call]
    agent: str = BROWSER
    query: str = ""
    characteristics: list[str] = field(default_factory=list)


LIMITED = "DENY RATE_LIMIT"
FINE = {"email": "ada@example.com"}
DISPOSABLE = {"email": "ada@mailinator.com"}
SIGN_UP = {
    "rate_limit": {"mode": "LIVE", "max": 2, "interval": 600},
    "bots": {"mode": "LIVE", "allow": []},
    "email": {"mode": "LIVE", "deny": ["DISPOSABLE", "INVALID"]},
}
BUCKET = {"refill_rate": 1, "interval": 3600, "capacity": 5}
TAKE_ALL, TAKE_MOST, TAKE_ONE = {"requested": 5}, {"requested": 3}, {"requested": 1}
FIRST, SECOND = {"userId": "1"}, {"userId": "2"}
PROMPT = {"detect_prompt_injection_message": "What is the weather like?"}

PLAN = [
    Scenario(
        "open",
        [("shield", {}), ("detect_bot", {"allow": []}), ("sliding_window", {"max": 100, "interval": 60})],
        [Call("ALLOW"), Call("ALLOW")],
    ),
    Scenario("attack", [("shield", {})], [Call("DENY SHIELD"), Call("DENY SHIELD")], query=TAUTOLOGY),
    Scenario("bot", [("detect_bot", {"allow": []})], [Call("DENY BOT"), Call("DENY BOT")], agent=LIBRARY),
    Scenario("allowed-bot", [("detect_bot", {"allow": ["CURL"]})], [Call("ALLOW")], agent="curl/8.5.0"),
    Scenario(
        "bot-that-the-sdk-knows",
        [("detect_bot", {"deny": ["CURL"]})],
        [Call("DENY BOT", served=False), Call("DENY BOT", served=False)],
        agent="curl/8.5.0",
    ),
    # The report of the denial has the ids of all these rules.
    Scenario(
        "rules-of-all-kinds",
        [
            ("shield", {}),
            ("fixed_window", {"max": 5, "window": 60}),
            ("sliding_window", {"max": 5, "interval": 60, "characteristics": ["userId", "ip.src"]}),
            ("token_bucket", BUCKET),
            ("filter_request", {"deny": ['http.request.uri.path eq "/never"', "ip.src == 192.0.2.250"]}),
            ("detect_sensitive_info", {"deny": ["EMAIL"]}),
            ("detect_bot", {"deny": ["CURL", "CATEGORY:AI"]}),
        ],
        [Call("DENY BOT", {"requested": 1, "userId": "1", "sensitive_info_value": "nothing"}, served=False)],
        agent="curl/8.5.0",
        characteristics=["userId"],
    ),
    Scenario(
        "disposable",
        [("validate_email", {"deny": ["DISPOSABLE"]})],
        [Call("DENY EMAIL", DISPOSABLE), Call("DENY EMAIL", DISPOSABLE), Call("ALLOW", FINE)],
    ),
    Scenario(
        "no-address",
        [("validate_email", {"deny": ["INVALID"]})],
        [Call("DENY EMAIL", {"email": "ada"}, served=False), Call("ALLOW", FINE)],
    ),
    Scenario(
        "sliding-window",
        [("sliding_window", {"max": 2, "interval": 600})],
        [Call("ALLOW"), Call("ALLOW"), Call(LIMITED), Call(LIMITED, served=False), Call(LIMITED, served=False)],
    ),
    Scenario(
        "fixed-window",
        [("fixed_window", {"max": 1, "window": 86_400})],
        [Call("ALLOW"), Call(LIMITED), Call(LIMITED, served=False)],
    ),
    Scenario(
        "token-bucket",
        [("token_bucket", BUCKET)],
        [Call("ALLOW", TAKE_ALL), Call(LIMITED, TAKE_ONE), Call(LIMITED, TAKE_ONE, served=False)],
    ),
    # The SDKs would refuse any amount by what they remember, so they are told to remember nothing.
    Scenario(
        "too-much-at-once",
        [("token_bucket", BUCKET)],
        [Call("ALLOW", TAKE_MOST), Call(LIMITED, TAKE_MOST), Call("ALLOW", TAKE_ONE)],
    ),
    Scenario(
        "buckets-of-users",
        [("token_bucket", BUCKET)],
        [
            Call("ALLOW", {**TAKE_ALL, **FIRST}),
            Call(LIMITED, {**TAKE_ONE, **FIRST}),
            Call("ALLOW", {**TAKE_ONE, **SECOND}),
            Call(LIMITED, {**TAKE_ONE, **FIRST}, served=False),
        ],
        characteristics=["userId"],
    ),
    Scenario(
        "sign-up",
        [("protect_signup", SIGN_UP)],
        [Call("ALLOW", FINE), Call("ALLOW", FINE), Call(LIMITED, FINE), Call(LIMITED, FINE, served=False)],
    ),
    Scenario("sign-up-by-bot", [("protect_signup", SIGN_UP)], [Call("DENY BOT", FINE)], agent=LIBRARY),
    Scenario("sign-up-corrected", [("protect_signup", SIGN_UP)], [Call("DENY EMAIL", DISPOSABLE), Call("ALLOW", FINE)]),
    Scenario(
        "dry-run",
        [("detect_bot", {"mode": "DRY_RUN", "allow": []}), ("sliding_window", {"max": 1, "interval": 600})],
        [Call("ALLOW", dry=("BOT",)), Call(LIMITED, dry=("BOT",)), Call(LIMITED, served=False)],
        agent=LIBRARY,
    ),
    # The service has no such rule: its result is an error, and the other decides.
    Scenario(
        "unknown-rule",
        [("detect_prompt_injection", {}), ("sliding_window", {"max": 1, "interval": 600})],
        [Call("ALLOW", PROMPT), Call(LIMITED, PROMPT), Call(LIMITED, PROMPT, served=False)],
    ),
]


def steps(client: str, network: str) -> list[dict[str, Any]]:
    """The plan for one SDK, in JSON.

    Args:
        client: The SDK, as paths and users name it.
        network: The first three numbers of its visitors' addresses.
    """
    return [
        {
            **vars(scenario),
            "headers": {**HEADERS, "user-agent": scenario.agent},
            "path": f"/{client}/{scenario.name}",
            "ip": f"{network}.{number}",
            "calls": [_arguments(call, client) for call in scenario.calls],
        }
        for number, scenario in enumerate(PLAN, 1)
    ]


def _arguments(call: Call, client: str) -> dict[str, Any]:
    user = call.arguments.get("userId")
    return {**call.arguments, **({"userId": f"{client}-{user}"} if user else {})}
