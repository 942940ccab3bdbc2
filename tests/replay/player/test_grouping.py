"""Time and routes: stretches that are bounded in number, and names that do not tell users apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.patterns import RouteMatcher
from doorward.replay.clock import RecordingClock
from doorward.replay.routes import LONGEST, RouteNames, grouped
from doorward.replay.spans import Spans

SECOND = 1_000_000_000


@given(st.lists(st.integers(0, 400), max_size=80), st.sampled_from([2, 4, 10]), st.integers(0, 5_000))
def test_stretches_hold_every_request_at_its_time(gaps: list[int], most: int, began: int) -> None:
    spans, times = Spans(most), []
    now = began * SECOND
    for gap in gaps:
        now += gap * SECOND
        times.append(now)
        spans.at(now).allowed += 1
    found = spans.all()
    assert len(found) <= most
    width = spans.width_ns
    assert [span.began_ns for span in found] == [found[0].began_ns + n * width for n in range(len(found))]
    for span in found:
        assert span.allowed == sum(span.began_ns <= time < span.began_ns + width for time in times)
    assert sum(span.allowed for span in found) == len(times)


def test_stretches_stay_whole_over_centuries() -> None:
    spans = Spans(4)
    for year in range(0, 400, 7):
        spans.at(year * 31_557_600 * SECOND).denied += 1
    assert len(spans.all()) <= 4
    assert sum(span.denied for span in spans.all()) == 58


def test_the_clock_never_goes_back() -> None:
    clock = RecordingClock()
    assert [clock.reach(at) for at in (5, 3, 7)] == [5, 5, 7]
    assert clock.now_ns() == 7
    assert clock.backwards == 1


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/", "/"),
        ("/users/42", "/users/{id}"),
        ("/users/42/edit", "/users/{id}/edit"),
        ("/o/3f2504e0-4f89-41d3-9a0c-0305e82c3301", "/o/{id}"),
        ("/blob/9e107d9d372bb6826bd81d3542a419d6", "/blob/{id}"),
        ("/invoices/17.pdf", "/invoices/{id}.pdf"),
        ("/reset/eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9", "/reset/{id}"),
        ("/unsubscribe/mary@shop.example", "/unsubscribe/{id}"),
        ("/api/v2/facade", "/api/v2/facade"),
        ("/wp-login.php", "/wp-login.php"),
        ("/" + "a" * 41, "/{id}"),
    ],
    ids=str,
)
def test_what_differs_from_user_to_user_becomes_one_name(path: str, name: str) -> None:
    assert RouteNames().name("GET", path) == f"GET {name}"


def test_patterns_of_the_application_go_first() -> None:
    names = RouteNames([RouteMatcher(["/shop/*"], field="limits")])
    assert names.name("GET", "/shop/shoes") == "GET /shop/*"
    assert names.name("GET", "/blog/shoes") == "GET /blog/shoes"


@given(st.one_of(st.text(max_size=300), st.text(max_size=20).map(lambda text: text * 200)))
def test_names_are_bounded_whatever_the_path(path: str) -> None:
    assert len(grouped(path)) <= LONGEST
    assert len(RouteNames().name("G" * 500, path)) <= LONGEST + 21
