"""P24: every wrong argument is found when it is given; the error names it and says what is accepted."""

from __future__ import annotations

import logging
import re
from datetime import timedelta
from typing import Any

import pytest

from doorward import AsyncDoorward, ConfigurationError, Doorward, fixed_window, rate_limit, sliding_window, token_bucket
from doorward.asgi import DoorwardMiddleware as ASGIMiddleware
from doorward.errors import UnknownArgument
from doorward.wsgi import DoorwardMiddleware as WSGIMiddleware

CLIENT: dict[str, list[Any]] = {
    "rules": [None, 5, "rules", [None], [[5]], {"a": 1}, [sliding_window]],
    "mode": ["ON", "", None, 1, True, "OFF", b"LIVE"],
    "characteristics": ["ip.src", [5], ["no such thing!"], ["http.request.headers[x]"], 5, [None], [""], {}, ""],
    "store": ["nosuch://x", "memory", 5, None, type, "memory://x?y", "", b"memory://"],
    "proxies": ["nosuch", -1, True, ["999.1.1.1"], ["10.0.0.0/99"], [5], 1.5, {"a": 1}],
    "policy": [5, "", b"policy.toml", ["policy.toml"], True],
    "timeout": [0, -1, "soon", True, 61, float("nan"), float("inf"), [], "0s"],
    "on_error": ["local", "ALLOW", 1, None, ""],
    "name": ["", "a b", "x" * 65, 5, None, "a:b", "a\n"],
    "workers": [0, -1, 1.5, "two", True, 10**6],
    "body_limit": [0, -1, 1.5, "1MB", True, 10**12],
    "limits": [[], "5/minute", 5, {"/x": 5}, {"/x": "five a day"}, {5: "5/minute"}, {"": "5/minute"}, {"/x": ""}],
    "thresholds": [
        [],
        5,
        {"ALLOW": 5},
        {"DENY": 0},
        {"DENY": -1},
        {"DENY": "5"},
        {"DENY": True},
        {"DENY": float("nan")},
    ],
    "on_decision": [5, "print", []],
    "logger": ["doorward", 5, type, ""],
    "clock": [5, type, 0, ""],
    "ipv6_prefix": [0, 129, -1, "64", True, 64.0, None],
    "mask_addresses": ["yes", 1, None],
    "data": [5, b"folder", "", []],
    "geo": [5, "a.mmdb", ["there-is-no-such-file.mmdb"], [5], None],
    "service": [5, b"https://service.example", ""],
    "key": [5, b"key", ""],
    "challenges": [
        *(5, "12h", [], {"prefix": "x"}, {"lifetime": 0}, {"lifetime": "31d"}, {"lifetime": "x"}),
        *({"renew_for": "1h"}, {"renew_for": "31d"}, {"renew_for": -1}, {"quota": 5}, {"quota": "5/fortnight"}),
        *({"bind": "agent"}, {"bind": ["cookie"]}, {"levels": []}, {"levels": {"human": -1}}, {"kinds": []}),
        *({"secure": "yes"}, {"domain": "a b"}, {"not_before": -1}, {"not_before": "today"}, {"on_store_error": 1}),
        *({"kinds": ["weit"]}, {"kinds": ["wait", "wait"]}, {"prefix": "/"}),
        *({"status": 302}, {"status": True}, {"clients": 5}, {"clients": {"lifetime": 0}}),
        *({"clients": {"per_address": 0}}, {"clients": {"per_address": True}}, {"clients": {"new": "many"}}),
    ],
    "secret": [5, "", b"", [], ["x", ""], ["x", 5], {"x": "y"}],
    "transport": [5],
    "resolver": [5, "localhost", [], "127.0.0.1:x", b"::1", ""],
}
LAYER: dict[str, list[Any]] = {
    "enforce": ["yes", 1, None, 0],
    "include": ["/x", 5, [5], [None], ["re:("], [""]],
    "exclude": ["/x", 5, [5]],
    "default_exemptions": ["yes", 1, None],
    "rate_limit_headers": ["yes", 5, "draft-99", [True]],
    "on_denied": [5, "answer", []],
}
RULE: dict[str, list[Any]] = {
    "max": [0, -1, 1.5, "5", True, None, 2**60],
    "interval": [0, -1, "soon", "", "5 parsecs", True, None, timedelta(0), float("nan"), "1000d", [], 10**30],
    "mode": ["ON", 5, ""],
    "name": [5, "é", 'a"b', "x" * 101, "a\nb"],
    "on_error": ["maybe", 5, "DENY"],
    "characteristics": ["ip.src", [5], ["no such thing!"], 5, None],
    "paths": ["/x", [5], ["re:("], None],
    "methods": ["GET", ["G T"], [5], None, [""]],
    "dry_run_since": ["yesterday", 5, "", ["2026-08-01"], "2026-13-01"],
    "scope": [5, None],
    "cost": [0, -1, "1", True, 1.5],
    "count_when": ["401", 99, 600, ["401"], 5.0, [True]],
}
LIMITS = ["", "5", "5/", "/minute", "five/minute", "5/fortnight", "0/minute", "-1/minute", "5/0s", "5/minute,", ";",
          "5/minute;x", "1e3/minute", "5/400d", "9" * 30 + "/s", "5/minute" * 200, None, 5, ["5/minute"]]  # fmt: skip


def pairs(table: dict[str, list[Any]]) -> list[Any]:
    return [pytest.param(name, value, id=f"{name}-{value!r:.30}") for name, values in table.items() for value in values]


async def app(*_: Any) -> None: ...


def named(error: pytest.ExceptionInfo[ConfigurationError], name: str) -> None:
    """The error names the argument, shows more than that, and is a ValueError."""
    # "challenges.lifetime" is in "challenges".
    assert re.split(r"[.\[]", error.value.field)[0] == name
    assert len(error.value.problem) > 10
    assert isinstance(error.value, ValueError)


@pytest.mark.parametrize("kind", [Doorward, AsyncDoorward])
@pytest.mark.parametrize(("name", "value"), pairs(CLIENT))
def test_p24_a_wrong_argument_of_a_client_is_named(kind: Any, name: str, value: Any) -> None:
    """P24: no client is built with a wrong argument."""
    with pytest.raises(ConfigurationError) as error:
        kind(**{name: value})
    named(error, name)


@pytest.mark.parametrize("middleware", [ASGIMiddleware, WSGIMiddleware])
@pytest.mark.parametrize(("name", "value"), pairs(LAYER))
def test_p24_a_wrong_option_of_a_middleware_is_named(middleware: Any, name: str, value: Any) -> None:
    """P24: no middleware is built with a wrong option."""
    with pytest.raises(ConfigurationError) as error:
        middleware(app, Doorward(), **{name: value})
    named(error, name)


@pytest.mark.parametrize(("name", "value"), pairs(RULE))
def test_p24_a_wrong_argument_of_a_limit_is_named(name: str, value: Any) -> None:
    """P24: no limit is built with a wrong argument."""
    with pytest.raises(ConfigurationError) as error:
        sliding_window(**{"max": 5, "interval": "1m", name: value})
    named(error, name)


@pytest.mark.parametrize("value", LIMITS, ids=lambda value: f"{value!r:.20}")
def test_p24_text_that_is_no_limit_is_refused(value: Any) -> None:
    """P24: a limit written as text is parsed when it is given, here and in ``limits``."""
    with pytest.raises(ConfigurationError):
        rate_limit(value)
    with pytest.raises(ConfigurationError):
        Doorward(limits={"/x": value})


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: Doorward(modus="LIVE"), "modus"),  # type: ignore[call-arg]
        (lambda: AsyncDoorward(characteristic=["ip.src"]), "characteristic"),  # type: ignore[call-arg]
        (lambda: sliding_window(max=1, interval=1, windw=1), "windw"),  # type: ignore[call-arg]
        (lambda: rate_limit("5/minute", max=5), "max"),  # type: ignore[call-arg]
        (lambda: ASGIMiddleware(app, Doorward(), enforced=True), "enforced"),  # type: ignore[call-arg]
        (lambda: WSGIMiddleware(app, Doorward(), exempt=["/x"]), "exempt"),  # type: ignore[call-arg, arg-type]
    ],
)
def test_p24_an_unknown_keyword_is_named_with_those_that_exist(make: Any, name: str) -> None:
    """P24: a misspelled keyword is an error that lists the right ones, for all that take keywords."""
    with pytest.raises(ConfigurationError, match="ccepted: ") as error:
        make()
    assert error.value.field.partition(".")[0] == name


def test_p24_an_unknown_argument_suggests_the_nearest() -> None:
    """P24: the error of a misspelled keyword says what was probably meant, and is a TypeError too."""
    with pytest.raises(UnknownArgument, match="Did you mean characteristics") as error:
        Doorward(characteristic=["ip.src"])  # type: ignore[call-arg]
    assert isinstance(error.value, TypeError)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: fixed_window(max=0, window=1), "max"),
        (lambda: fixed_window(max=1, window=0), "window"),
        (lambda: token_bucket(refill_rate=0, interval=1, capacity=1), "refill_rate"),
        (lambda: token_bucket(refill_rate=1, interval=0, capacity=1), "interval"),
        (lambda: token_bucket(refill_rate=1, interval=1, capacity=0), "capacity"),
        (lambda: rate_limit("5/minute", algorithm="leaky"), "algorithm"),
        (lambda: ASGIMiddleware(app, object()), "aj"),  # type: ignore[arg-type]
        (lambda: WSGIMiddleware(app, None), "aj"),  # type: ignore[arg-type]
    ],
)
def test_p24_other_wrong_arguments_are_named(make: Any, name: str) -> None:
    """P24: the same for the other builders."""
    with pytest.raises(ConfigurationError) as error:
        make()
    named(error, name)


def test_p24_an_asynchronous_store_needs_an_asynchronous_client() -> None:
    """P24: a client that blocks cannot await its store, and says so when it is built."""

    class Store:
        blocking = True

        async def count(self, hits: Any) -> Any: ...

        def __getattr__(self, name: str) -> Any:
            return self.count

    with pytest.raises(ConfigurationError, match="AsyncDoorward") as error:
        Doorward([sliding_window(max=1, interval=1)], store=Store())  # type: ignore[arg-type]
    named(error, "store")


@pytest.mark.parametrize("value", ["ON", "live,dry", "1", "true", "DRY RUN"])
def test_p24_a_wrong_environment_is_named(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """P24: a wrong DOORWARD_MODE stops every client from being built."""
    monkeypatch.setenv("DOORWARD_MODE", value)
    with pytest.raises(ConfigurationError, match="LIVE, DRY_RUN or OFF") as error:
        Doorward()
    named(error, "DOORWARD_MODE")


def test_p24_every_option_of_a_client_has_wrong_values_here() -> None:
    """P24: an option that is added to a client is added to this table."""
    from doorward.layer import LayerOptions
    from doorward.settings import Options

    assert set(CLIENT) == {"rules", *Options.__annotations__}
    assert set(LAYER) == set(LayerOptions.__annotations__)


def test_p24_right_values_are_taken() -> None:
    """P24: the table refuses what is wrong and nothing else."""
    Doorward(
        [sliding_window(max=1, interval=timedelta(seconds=1.5), count_when=range(400, 500))],
        mode="dry-run", characteristics=("ip.src", "userId"), proxies=["10.0.0.0/8"], timeout="1s", on_error="deny",
        name="a-b_1", workers=None, body_limit=10, limits={"POST /x": "5/minute; 9/hour"}, thresholds={"deny": 1.5},
        on_decision=print, logger=logging.getLogger("x"), ipv6_prefix=48, mask_addresses=True,
        data="no-such-folder-yet", geo=(), resolver=["127.0.0.1:5353", "::1"],
    )  # fmt: skip
