"""Responses of the application pass as they are, and what they turn out to be decides what counts."""

from __future__ import annotations

import traceback

import pytest
from tests.behaviour.clients.base import AppUnderTest, MakeApp
from tests.behaviour.clients.views import CHUNKS

from doorward import sliding_window
from doorward.rules.base import Rule

MANY = sliding_window(max=100, interval="1m", name="many")
STYLES = {
    True: {"ratelimit-policy": '"many";q=100;w=60', "ratelimit": '"many";r=99;t=60'},
    "draft-6": {"ratelimit-limit": "100", "ratelimit-remaining": "99", "ratelimit-reset": "60"},
    "x": {"x-ratelimit-limit": "100", "x-ratelimit-remaining": "99", "x-ratelimit-reset": "60"},
}


def failed_logins(status: int = 401) -> object:
    return sliding_window(max=2, interval="1m", name="failed-logins", count_when=status)


def limit_lines(app: AppUnderTest, target: str = "/echo") -> dict[str, str]:
    """The lines about limits, each of which may be there once."""
    reply = app.get(target)
    names = [name for name, _ in reply.lines if "ratelimit" in name]
    assert len(names) == len(set(names))
    return {name: value for name, value in reply.lines if "ratelimit" in name}


def test_allowed_responses_have_no_limit_headers_unless_asked_for(make: MakeApp) -> None:
    """By default an allowed response says nothing about limits."""
    assert limit_lines(make(MANY)) == {}


@pytest.mark.parametrize("style", STYLES, ids=str)
def test_limit_headers_are_written_once_in_the_style_asked_for(make: MakeApp, style: object) -> None:
    """Each style has its own names; values are right to the second."""
    app = make(MANY, layer={"rate_limit_headers": style})
    assert limit_lines(app) == STYLES[style]  # type: ignore[index]


def test_our_limit_headers_take_the_place_of_the_applications(make: MakeApp) -> None:
    """Where both write RateLimit, one is sent; the application's other headers stay, in order, doubles too."""
    bare = make(protected=False).get("/own-headers")
    reply = make(MANY, layer={"rate_limit_headers": True}).get("/own-headers")
    assert reply.header("RateLimit") == '"many";r=99;t=60'
    assert [line for line in reply.lines if "ratelimit" not in line[0]] == [
        line for line in bare.lines if "ratelimit" not in line[0]
    ]


def test_the_applications_limit_headers_stay_unless_ours_are_asked_for(make: MakeApp) -> None:
    """An application that writes RateLimit itself goes on doing so."""
    assert make(MANY).get("/own-headers").lines == make(protected=False).get("/own-headers").lines


@pytest.mark.parametrize("layer", [{}, {"rate_limit_headers": True}], ids=["plain", "headers"])
@pytest.mark.parametrize("target", ["/stream", "/echo", "/own-headers", "/no/such/page"])
def test_an_allowed_response_is_the_applications_own(make: MakeApp, target: str, layer: dict[str, object]) -> None:
    """Status, body and every chunk are those of the application without doorward."""
    bare, guarded = make(protected=False).get(target), make(MANY, failed_logins(), layer=layer).get(target)
    assert (guarded.status, guarded.chunks) == (bare.status, bare.chunks)
    if not layer:
        assert guarded.lines == bare.lines


def test_streaming_passes_chunk_by_chunk(make: MakeApp) -> None:
    """A streamed response keeps its chunks."""
    assert tuple(make(MANY, layer={"rate_limit_headers": True}).get("/stream").chunks) == CHUNKS


@pytest.mark.parametrize("layer", [{}, {"rate_limit_headers": True}], ids=["plain", "headers"])
def test_an_exception_of_the_application_is_what_it_is_without_us(make: MakeApp, layer: dict[str, object]) -> None:
    """The same status, or the same exception with its traceback ending in the view."""
    bare = make(protected=False).get("/boom")
    guarded = make(MANY, failed_logins(), layer=layer).get("/boom")
    assert guarded.status == bare.status
    assert type(guarded.error) is type(bare.error)
    if guarded.error is not None:
        assert traceback.extract_tb(guarded.error.__traceback__)[-1].name == "boom"


def test_only_failed_logins_count(make: MakeApp) -> None:
    """``count_when=401``: successful log-ins use nothing, two failures use the limit up."""
    app = make(failed_logins())
    assert app.statuses(5, "/login?status=200") == [200] * 5
    assert app.statuses(3, "/login?status=401") == [401, 401, 429]
    assert app.get("/login?status=200").status == 429


def test_a_response_that_does_not_count_gives_its_charge_back_at_once(make: MakeApp) -> None:
    """Between two failures, any number of successes leaves the count where it was."""
    app = make(failed_logins())
    assert app.statuses(1, "/login?status=401") == [401]
    assert app.statuses(5, "/login?status=200") == [200] * 5
    assert app.statuses(2, "/login?status=401") == [401, 429]


def test_a_view_that_raises_is_a_500_to_count_when(make: MakeApp) -> None:
    """A limit on failed log-ins does not count a crash; one on crashes does."""
    app = make(failed_logins())
    for _ in range(4):
        assert app.get("/boom").status != 429
    crashing = make(failed_logins(500))
    assert [crashing.get("/boom").status == 429 for _ in range(3)] == [False, False, True]


def test_count_when_sees_status_and_headers(make: MakeApp) -> None:
    """A callable is given the response's status and its headers, names in lower case."""
    seen = []
    rule = sliding_window(max=9, interval="1m", count_when=lambda response: bool(seen.append(response)))
    make(rule).get("/own-headers")
    assert seen[0].status == 200
    assert ("x-app", "yes") in [tuple(line) for line in seen[0].headers]


def test_count_when_settles_a_streamed_response(make: MakeApp) -> None:
    """A streamed response that does not count is given back as any other."""
    assert make(failed_logins()).statuses(4, "/stream") == [200] * 4


def test_a_limit_without_count_when_is_not_touched_by_one_with(make: MakeApp) -> None:
    """Of two limits only the one that says so waits for the response."""
    app = make(failed_logins(), sliding_window(max=3, interval="1m"))
    assert app.statuses(4, "/login?status=200") == [200, 200, 200, 429]


@pytest.mark.parametrize(("rules", "style"), [([], True), ([MANY], "x")], ids=["no limit", "another style"])
def test_the_applications_limit_headers_stay_where_ours_are_not_written(
    make: MakeApp, rules: list[Rule], style: object
) -> None:
    """Only names that are written take the place of the application's: none where no limit ran."""
    assert make(*rules, layer={"rate_limit_headers": style}).get("/own-headers").header("RateLimit") == "the app's own"
