"""limit, guard and exempt on views of every kind, however they are wrapped and routed."""

from __future__ import annotations

import functools
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from tests.adapters.django.conftest import MakeSite, aok, ok
from tests.adapters.django_setup import MIDDLEWARE, urlconf

from doorward import ConfigurationError, sliding_window
from doorward_django import client, exempt, guard, limit
from doorward_django.decorators import decorators

TWICE = [200, 200, 429]
ONE = [sliding_window(max=1, interval=60)]


class Plain(View):
    def get(self, request: Any, *args: Any) -> HttpResponse:
        return HttpResponse("ok")


class Awaiting(View):
    async def get(self, request: Any, *args: Any) -> HttpResponse:
        return HttpResponse("ok")


def subclass(base: type[View], name: str = "Sub") -> Any:
    return type(name, (base,), {"__module__": __name__})


def wrapped_in_a_stranger(view: Any) -> Any:
    """A decorator without functools.wraps: it hides the marks."""

    def hiding(request: Any, *args: Any) -> Any:
        return view(request, *args)

    return hiding


def wrapped_politely(view: Any) -> Any:
    @functools.wraps(view)
    def inner(request: Any, *args: Any) -> Any:
        return view(request, *args)

    return inner


def on_the_method(base: type[View]) -> Any:
    handler = vars(base)["get"]
    return type("OnMethod", (base,), {"__module__": __name__, "get": limit("2/minute")(handler)}).as_view()


def method_decorated(base: type[View], decorator: Any, name: str = "dispatch") -> Any:
    return method_decorator(decorator, name=name)(subclass(base)).as_view()


KINDS: dict[str, Any] = {
    "function": lambda: limit("2/minute")(ok),
    "async function": lambda: limit("2/minute")(aok),
    "csrf_exempt outside": lambda: csrf_exempt(limit("2/minute")(ok)),
    "csrf_exempt inside": lambda: limit("2/minute")(csrf_exempt(aok)),
    "functools.wraps": lambda: wrapped_politely(limit("2/minute")(ok)),
    "no functools.wraps": lambda: wrapped_in_a_stranger(limit("2/minute")(ok)),
    "partial": lambda: limit("2/minute")(functools.partial(ok)),
    "callable object": lambda: limit("2/minute")(Callable()),
    "class": lambda: limit("2/minute")(subclass(Plain)).as_view(),
    "async class": lambda: limit("2/minute")(subclass(Awaiting)).as_view(),
    "subclass of a decorated class": lambda: subclass(limit("2/minute")(subclass(Plain))).as_view(),
    "as_view": lambda: limit("2/minute")(Plain.as_view()),
    "as_view of an async class": lambda: limit("2/minute")(Awaiting.as_view()),
    "a method": lambda: on_the_method(Plain),
    "an async method": lambda: on_the_method(Awaiting),
    "method_decorator": lambda: method_decorated(Plain, limit("2/minute")),
    "method_decorator, async": lambda: method_decorated(Awaiting, limit("2/minute")),
    "method_decorator on get": lambda: method_decorated(Plain, limit("2/minute"), "get"),
    "method_decorator on async get": lambda: method_decorated(Awaiting, limit("2/minute"), "get"),
    "method_decorator with others": lambda: method_decorated(Plain, [never_cache, limit("2/minute"), csrf_exempt]),
    "method_decorator twice": lambda: method_decorator(limit("2/minute"), name="dispatch")(
        method_decorator(limit("9/minute"), name="dispatch")(subclass(Plain))
    ).as_view(),
}


class Callable:
    __slots__ = ()

    def __call__(self, request: Any) -> HttpResponse:
        return HttpResponse("ok")


@pytest.mark.parametrize("kind", KINDS)
def test_a_limited_view(make_site: MakeSite, kind: str) -> None:
    """A limit holds on a view of any kind, and nowhere else."""
    site = make_site(path("", KINDS[kind]()), path("free", ok))
    assert site.statuses("/", 3) == TWICE
    assert site.statuses("/free", 2) == [200, 200]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "no functools.wraps"])
def test_a_limited_view_without_the_middleware(
    make_site: MakeSite, kind: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A decorator is obeyed where the middleware is missing, and the log says once that it is."""
    monkeypatch.setattr("doorward_django.enforcing._complaints", set())
    site = make_site(path("", KINDS[kind]()), path("free", ok), middleware=())
    assert site.statuses("/", 3) == TWICE
    assert site.statuses("/free", 9) == [200] * 9
    said = [record.getMessage() for record in caplog.records if "not in MIDDLEWARE" in record.getMessage()]
    assert len(said) == 1


def test_through_include(make_site: MakeSite) -> None:
    """Marks are found behind include()."""
    inner = ([path("deep/", limit("2/minute")(ok))], "inner")
    assert make_site(path("a/", include(inner))).statuses("/a/deep/", 3) == TWICE


def test_a_route_limit_is_counted_once(make_site: MakeSite) -> None:
    """Regression (humanify): a route's limit takes one unit a request, though middleware and wrapper both know it."""
    site = make_site(path("", limit("5/minute")(ok)), rate_limit_headers=True)
    assert site.get("/")["RateLimit"] == '"sliding_window-2";r=4;t=60'


def test_a_route_limit_takes_the_place_of_the_applications(make_site: MakeSite) -> None:
    """Regression (humanify): route over application, also where the route's limit is the wider one."""
    site = make_site(path("", limit("3/minute")(ok)), rules=ONE)
    assert site.statuses("/", 4) == [200, 200, 200, 429]


def test_a_route_limit_can_count_beside_the_applications(make_site: MakeSite) -> None:
    """With replace=False both are counted."""
    assert make_site(path("", limit("3/minute", replace=False)(ok)), rules=ONE).statuses("/", 2) == [200, 429]


def exempt_class(base: type[View]) -> Any:
    return exempt(subclass(base)).as_view()


EXEMPT: dict[str, Any] = {
    "function": lambda: exempt(ok),
    "async function": lambda: exempt(aok),
    "over limit": lambda: exempt(limit("1/minute")(ok)),
    "under limit": lambda: limit("1/minute")(exempt(ok)),
    "class": lambda: exempt_class(Plain),
    "async class": lambda: exempt_class(Awaiting),
    "method_decorator": lambda: method_decorated(Plain, exempt),
    "method_decorator, async": lambda: method_decorated(Awaiting, exempt),
}


@pytest.mark.parametrize("kind", EXEMPT)
@pytest.mark.parametrize("middleware", [(MIDDLEWARE,), ()], ids=["middleware", "no middleware"])
def test_an_exempt_view_is_not_limited(make_site: MakeSite, kind: str, middleware: Any) -> None:
    """Regression (humanify: the decorator had no effect): exempt over route over application, in any order."""
    site = make_site(path("", EXEMPT[kind]()), rules=ONE, middleware=middleware)
    assert site.statuses("/", 4) == [200] * 4


def test_an_exempt_view_that_only_shows_late_is_not_charged(make_site: MakeSite) -> None:
    """Where a stranger's wrapper hides the mark, the charge of the application's limits is given back."""
    site = make_site(path("", wrapped_in_a_stranger(exempt(ok))), rules=[sliding_window(max=2, interval=60)])
    assert site.statuses("/", 4) == [200] * 4


def test_guard_asks_more_rules(make_site: MakeSite) -> None:
    """guard takes rules, and denies in the name of the first that does."""
    view = guard(sliding_window(max=1, interval=60, name="narrow"), sliding_window(max=9, interval=60))(ok)
    assert make_site(path("", view)).statuses("/", 2) == [200, 429]


@pytest.mark.parametrize("wrong", [lambda: guard("5/minute"), lambda: limit("5/fortnight"), lambda: exempt(Exception)])
def test_mistakes_are_found_when_decorating(wrong: Any) -> None:
    """What a decorator cannot be given is refused when the module is imported."""
    with pytest.raises(ConfigurationError):
        wrong()


def test_a_view_that_is_wrapped_twice_keeps_its_own_limit(make_site: MakeSite) -> None:
    """A second decoration marks its own wrapper, not the view inside, which is routed elsewhere."""
    wide = limit("3/minute")(ok)
    narrow = limit("1/minute")(csrf_exempt(wide))
    site = make_site(path("wide", wide), path("narrow", narrow), rules=())
    assert site.statuses("/narrow", 2) == [200, 429]
    assert site.statuses("/wide", 3) == [200, 200, 429]


def test_equal_limits_on_different_views_are_counted_apart(make_site: MakeSite) -> None:
    """A limit's scope is its view, also for classes, whose views all have the same name."""
    five = limit("1/minute")
    urls = [path("a", method_decorator(five, name="dispatch")(subclass(Plain, "A")).as_view()),
            path("b", method_decorator(five, name="dispatch")(subclass(Plain, "B")).as_view()),
            path("c", five(subclass(Plain, "C").as_view())),
            path("d", five(subclass(Plain, "D").as_view())),
            path("e", method_decorator(five, name="get")(subclass(Plain, "E")).as_view()),
            path("f", method_decorator(five, name="get")(subclass(Plain, "F")).as_view())]  # fmt: skip
    site = make_site(*urls, rules=())
    assert [site.get(f"/{name}").status_code for name in "abcdef"] == [200] * 6
    assert [site.get(f"/{name}").status_code for name in "abcdef"] == [429] * 6


def test_a_method_decorator_keeps_nothing_for_each_request(make_site: MakeSite) -> None:
    """Regression: method_decorator decorates anew for each request; rules and policies do not pile up."""
    site = make_site(path("", method_decorated(Plain, limit("900/minute"), "get")))
    site.get("/")
    runtime, before = client().runtime, len(decorators._policies)
    kept = (len(runtime.routed), before)
    site.statuses("/", 4)
    assert (len(runtime.routed), len(decorators._policies)) == kept


def test_marks_are_found_before_the_first_request(make_site: MakeSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first request imports the URLconf and with it the decorated views; their marks hold for it already."""
    monkeypatch.setattr(decorators, "used", False)

    class Late:
        @property
        def urlpatterns(self) -> Any:
            return [path("", exempt(ok))]

    site = make_site(urls=Late(), rules=[sliding_window(max=1, interval=60)])
    assert site.statuses("/", 3) == [200] * 3


def test_views_that_are_called_directly_run(make_site: MakeSite) -> None:
    """A unit test may call a decorated view with a bare request."""
    make_site()
    assert limit("1/minute")(ok)(HttpRequest()).status_code == 200


def test_a_wrong_setting_without_middleware_does_not_break_the_view(make_site: MakeSite) -> None:
    """Where the setting is wrong and nothing has noticed at the start, decorated views run unprotected."""
    site = make_site(path("", limit("1/minute")(ok)), middleware=(), rulez=())
    assert site.statuses("/", 2) == [200, 200]


def late_urlconf(get_response: Any) -> Any:
    """Middleware below that chooses another URLconf, as django-hosts does."""

    def middleware(request: Any) -> Any:
        request.urlconf = OTHER
        return get_response(request)

    return middleware


OTHER = urlconf(path("", limit("2/minute")(ok)))


def test_a_urlconf_that_changes_below_is_obeyed(make_site: MakeSite) -> None:
    """A mark that the middleware could not have found is obeyed when the view is reached."""
    site = make_site(path("", ok), middleware=(MIDDLEWARE, f"{__name__}.late_urlconf"), rules=())
    assert site.statuses("/", 3) == TWICE


def test_count_when_of_a_limit_that_shows_late(make_site: MakeSite) -> None:
    """A conditional limit that only the wrapper knew is settled by the middleware."""
    view = wrapped_in_a_stranger(limit("1/minute", count_when=[401])(ok))
    assert make_site(path("", view), rules=()).statuses("/", 3) == [200] * 3


def test_an_excluded_path_is_excluded_for_decorators_too(make_site: MakeSite) -> None:
    """What the middleware was told to leave alone is left alone."""
    site = make_site(path("x", limit("1/minute")(ok)), exclude=["/x"])
    assert site.statuses("/x", 3) == [200] * 3
