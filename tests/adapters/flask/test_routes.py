"""Marks on views, view classes, their methods and blueprints, and what happens when nobody reads them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Blueprint, Flask
from flask.views import MethodView, View
from tests.adapters.flask.support import limit, make_app, protected, statuses

from doorward import sliding_window
from doorward_flask import DoorwardFlask


def route(app: Any, path: str, view: Any) -> None:
    """Routes a view for GET and POST under an endpoint of its own."""
    app.add_url_rule(path, path.strip("/"), view, methods=["GET", "POST"])


def view() -> str:
    return "view"


def fresh() -> Callable[[], str]:
    """A view that nothing has been said about yet."""

    def inner() -> str:
        return "view"

    return inner


def test_exempt_has_an_effect() -> None:
    """Regression (flask-Humanify): ``exempt`` set a flag that was read after the decision."""
    app, guard = protected(limit(1))
    route(app, "/free", guard.exempt(fresh()))
    assert statuses(app, 4, "/free") == [200] * 4
    assert statuses(app, 2) == [200, 429]


def test_a_route_limit_is_counted_once() -> None:
    """Regression (flask-Humanify): a limited request was counted by the hook and by the decorator."""
    app, guard = protected(limit(10))
    route(app, "/limited", guard.limit("4/minute")(fresh()))
    assert statuses(app, 5, "/limited") == [200] * 4 + [429]


@pytest.mark.parametrize("exempt_first", [True, False])
def test_exempt_goes_before_limits_in_either_order(exempt_first: bool) -> None:
    """Regression (flask-Humanify): the documented precedence was not kept. Exempt, then route, then application."""
    app, guard = protected(limit(1))
    decorators = [guard.exempt, guard.limit("1/minute")]
    marked: Any = fresh()
    for decorator in decorators if exempt_first else reversed(decorators):
        marked = decorator(marked)
    route(app, "/both", marked)
    assert statuses(app, 3, "/both") == [200] * 3


def test_a_decorator_above_the_route_is_read_too() -> None:
    """``@guard.limit`` over ``@app.get`` marks the view that Flask holds already."""
    app, guard = protected()
    guard.limit("1/minute")(app.get("/over")(fresh()))
    assert statuses(app, 2, "/over") == [200, 429]


def test_stacked_decorators_add_up() -> None:
    """``guard`` and ``limit`` on one view both hold, and each is asked once."""
    app, guard = protected()
    route(app, "/stacked", guard.guard(limit(5, name="five"))(guard.limit("2/minute")(fresh())))
    assert statuses(app, 3, "/stacked") == [200, 200, 429]


def test_a_blueprint_limit_is_one_counter_for_its_views() -> None:
    """A limited blueprint has one limit for all of its views; the rest of the application is not touched."""
    app, guard = protected()
    blueprint = guard.limit("2/minute")(Blueprint("api", __name__, url_prefix="/api"))
    route(blueprint, "/a", view)
    route(blueprint, "/b", view)
    app.register_blueprint(blueprint)
    assert [statuses(app, 1, path)[0] for path in ("/api/a", "/api/b", "/api/a")] == [200, 200, 429]
    assert statuses(app, 3) == [200] * 3


def test_blueprints_with_equal_limits_count_apart() -> None:
    """Two blueprints limited alike have a counter each, although both are of one class."""
    app, guard = protected()
    for name in ("one", "two"):
        blueprint = guard.limit("1/minute")(Blueprint(name, __name__, url_prefix=f"/{name}"))
        route(blueprint, "/x", view)
        app.register_blueprint(blueprint)
    assert statuses(app, 2, "/one/x") == [200, 429]
    assert statuses(app, 2, "/two/x") == [200, 429]


def test_a_blueprint_registered_first_and_marked_later_is_protected() -> None:
    """Where the mark is put before or after registration makes no difference."""
    app, guard = protected(limit(1))
    blueprint = Blueprint("free", __name__, url_prefix="/free")
    route(blueprint, "/x", view)
    app.register_blueprint(blueprint)
    guard.exempt(blueprint)
    assert statuses(app, 3, "/free/x") == [200] * 3


def nested(guard: DoorwardFlask, mark_outer: Any = None, mark_inner: Any = None, mark_view: Any = None) -> Flask:
    """``/outer/inner/x``, with marks where they are given."""
    app = make_app()
    outer, inner = Blueprint("outer", __name__, url_prefix="/outer"), Blueprint("inner", __name__, url_prefix="/inner")
    route(inner, "/x", mark_view(fresh()) if mark_view else fresh())
    outer.register_blueprint(inner, name="renamed")
    app.register_blueprint(outer)
    for mark, blueprint in ((mark_outer, outer), (mark_inner, inner)):
        if mark:
            mark(blueprint)
    guard.init_app(app)
    return app


def test_a_nested_blueprint_is_protected_by_the_outer_one() -> None:
    """What is said about a blueprint holds for the blueprints in it, under whatever name they are registered."""
    guard = DoorwardFlask()
    assert statuses(nested(guard, mark_outer=guard.limit("1/minute")), 2, "/outer/inner/x") == [200, 429]


def test_an_inner_limit_takes_the_place_of_the_outer_one() -> None:
    """View before inner blueprint before outer blueprint: the closest limit decides."""
    guard = DoorwardFlask(rules=[limit(1)])
    app = nested(guard, guard.limit("1/minute"), guard.limit("2/minute"), guard.limit("3/minute"))
    assert statuses(app, 4, "/outer/inner/x") == [200] * 3 + [429]
    guard = DoorwardFlask(rules=[limit(1)])
    app = nested(guard, guard.limit("1/minute"), guard.limit("2/minute"))
    assert statuses(app, 3, "/outer/inner/x") == [200] * 2 + [429]


def test_a_limit_beside_an_outer_one_leaves_it_in_force() -> None:
    """With ``replace=False`` the blueprint's limit still refuses."""
    guard = DoorwardFlask()
    app = nested(guard, guard.limit("2/minute"), mark_view=guard.limit("9/minute", replace=False))
    assert statuses(app, 3, "/outer/inner/x") == [200, 200, 429]


def test_an_exempt_outer_blueprint_exempts_limited_views() -> None:
    """Exempt goes before every limit, wherever either was said."""
    guard = DoorwardFlask(rules=[limit(1)])
    app = nested(guard, guard.exempt, mark_view=guard.limit("1/minute"))
    assert statuses(app, 3, "/outer/inner/x") == [200] * 3


def items(guard: DoorwardFlask) -> type[MethodView]:
    class Items(MethodView):
        def get(self) -> str:
            return "get"

        @guard.limit("1/minute")
        def post(self) -> str:
            return "post"

    return Items


def test_a_method_of_a_view_class_is_marked_alone() -> None:
    """A limit on ``post`` leaves ``get`` to the application's rules."""
    app, guard = protected(limit(3))
    app.add_url_rule("/items", view_func=items(guard).as_view("items"))
    assert statuses(app, 2, "/items", "POST") == [200, 429]
    assert statuses(app, 4, "/items") == [200] * 3 + [429]


def test_head_is_marked_as_get_is() -> None:
    """Flask answers HEAD with ``get``: so its limit holds for HEAD."""
    app, guard = protected()

    class Page(MethodView):
        @guard.limit("1/minute")
        def get(self) -> str:
            return "get"

    app.add_url_rule("/page", view_func=Page.as_view("page"))
    assert statuses(app, 2, "/page", "HEAD") == [200, 429]


def test_a_view_class_is_marked_whole() -> None:
    """A limit on the class counts all of its methods together."""
    app, guard = protected()
    app.add_url_rule("/items", view_func=guard.limit("2/minute")(items(guard)).as_view("items"))
    assert statuses(app, 3, "/items") == [200, 200, 429]


@pytest.mark.parametrize("by_attribute", [True, False])
def test_views_of_as_view_count_apart(by_attribute: bool) -> None:
    """Two view classes limited alike, by ``decorators`` or on ``as_view()``, have a counter each."""
    app, guard = protected()
    for name in ("one", "two"):
        kind: Any = type(name, (View,), {"dispatch_request": lambda _: "x", "decorators": []})
        kind.decorators = [guard.limit("1/minute")] if by_attribute else []
        made = kind.as_view(name)
        app.add_url_rule(f"/{name}", view_func=made if by_attribute else guard.limit("1/minute")(made))
    assert statuses(app, 2, "/one") == [200, 429]
    assert statuses(app, 2, "/two") == [200, 429]


def test_dispatch_request_is_marked() -> None:
    """The one method of a plain View class can be marked as any method."""
    app, guard = protected(limit(1))

    class Free(View):
        @guard.exempt
        def dispatch_request(self) -> str:
            return "free"

    app.add_url_rule("/free", view_func=Free.as_view("free"))
    assert statuses(app, 3, "/free") == [200] * 3


def test_marks_of_another_extension_do_not_count() -> None:
    """A blueprint shared by two applications has a policy for each extension."""
    app, guard = protected(limit(1))
    other = DoorwardFlask()
    route(app, "/x", guard.limit("2/minute")(other.exempt(fresh())))
    assert statuses(app, 3, "/x") == [200, 200, 429]


def test_static_files_are_exempt_whatever_their_path() -> None:
    """A page loads dozens of files at once; Flask knows which view serves them."""
    app = Flask("application", static_url_path="/files", static_folder=".")
    DoorwardFlask(app, rules=[limit(1)])
    assert statuses(app, 3, "/files/missing.css") == [404] * 3
    assert statuses(app, 2, "/elsewhere") == [404, 429]


@pytest.mark.parametrize(("path", "options"), [("", {}), ("/files", {"default_exemptions": False})])
def test_static_files_at_the_root_are_limited(path: str, options: dict[str, Any]) -> None:
    """Served without a prefix, static files answer every unknown path: those must stay limited; so without defaults."""
    app = Flask("application", static_url_path=path, static_folder=".")
    DoorwardFlask(app, rules=[limit(1)], **options)
    assert statuses(app, 2, f"{path}/wp-login.php") == [404, 429]


# --- nobody read the mark


def hiding(view: Any) -> Any:
    """A decorator that does not use functools.wraps."""

    def hidden(*arguments: Any) -> Any:
        return view(*arguments)

    return hidden


def test_a_mark_hidden_by_another_decorator_still_holds(caplog: pytest.LogCaptureFixture) -> None:
    """The limit is enforced as the view runs, and the log says how to have it enforced before."""
    app, guard = protected()
    route(app, "/hidden", hiding(guard.limit("2/minute")(fresh())))
    assert statuses(app, 3, "/hidden") == [200, 200, 429]
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "functools.wraps" in caplog.text


def test_a_view_called_by_another_view_is_not_charged() -> None:
    """A view that is routed itself and called as a function costs the request nothing more."""
    app, guard = protected(limit(9))
    limited = guard.limit("1/minute")(fresh())
    route(app, "/limited", limited)
    route(app, "/calls", lambda: f"called: {limited()}")
    assert statuses(app, 3, "/calls") == [200] * 3
    assert statuses(app, 2, "/limited") == [200, 429]


def test_a_marked_view_can_be_called_without_a_request() -> None:
    """A unit test calls the function itself."""
    assert DoorwardFlask().limit("1/minute")(view)() == "view"


def test_a_decorated_view_is_protected_without_init_app(caplog: pytest.LogCaptureFixture) -> None:
    """Forgotten ``init_app``: decorated views are protected as they run, and one warning says that others are not."""
    guard, app = DoorwardFlask(rules=[limit(9)], rate_limit_headers=True), make_app()
    route(app, "/limited", guard.limit("2/minute", name="route")(fresh()))
    replies = [app.test_client().get("/limited") for _ in range(3)]
    assert [reply.status_code for reply in replies] == [200, 200, 429]
    assert replies[0].headers.getlist("RateLimit") == ['"route";r=1;t=60']
    assert caplog.text.count("init_app was not called") == 1


def test_exempt_without_init_app_exempts() -> None:
    """Without ``init_app`` too, an exempt view is nobody's business."""
    guard, app = DoorwardFlask(rules=[limit(1)]), make_app()
    route(app, "/free", guard.exempt(fresh()))
    assert statuses(app, 3, "/free") == [200] * 3


def test_a_view_stays_up_when_protection_cannot_be_built(caplog: pytest.LogCaptureFixture) -> None:
    """Without ``init_app`` and with a wrong configuration the view answers, and the log says what is wrong."""
    guard, app = DoorwardFlask(), make_app(DOORWARD_TIMEOUT="soon")
    route(app, "/limited", guard.limit("1/minute")(fresh()))
    assert statuses(app, 2, "/limited") == [200, 200]
    assert "DOORWARD_TIMEOUT" in caplog.text


def test_routes_of_one_path_have_a_policy_each() -> None:
    """Routes that share a path but not a method have each their own policy."""
    app, guard = protected(sliding_window(max=2, interval="1m"))
    app.add_url_rule("/x", "read", fresh(), methods=["GET"])
    app.add_url_rule("/x", "write", guard.limit("1/minute")(fresh()), methods=["POST"])
    assert statuses(app, 2, "/x", "POST") == [200, 429]
    assert statuses(app, 3, "/x") == [200, 200, 429]
