"""doorward for Flask.

::

    guard = DoorwardFlask(rules=[sliding_window(max=100, interval="1m")])

    def create_app():
        app = Flask(__name__)
        app.config["DOORWARD_RATE_LIMIT_HEADERS"] = True
        guard.init_app(app)
        return app

    @blueprint.post("/login")
    @guard.limit("5/minute")
    def login(): ...

Options come as keyword arguments, or from ``app.config`` under ``DOORWARD_`` and their name in capitals
(``DOORWARD_STORE``, ``DOORWARD_LIMITS``, ``DOORWARD_EXCLUDE`` …). An argument wins over ``app.config``; a key that does
not exist is an error. ``mode`` is ``DOORWARD_DEFAULT_MODE`` there, because the environment variable ``DOORWARD_MODE``
overrides both. Nothing changes under ``TESTING``: tests that are not to be refused set ``DOORWARD_ENFORCE`` to False.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, Unpack, overload

from flask import Blueprint, Flask, current_app, g, request

from doorward.errors import ConfigurationError
from doorward.progress import NOT_GIVEN
from doorward.runtime import DECISION
from doorward.settings import parse_rules
from doorward_flask.checking import Checking
from doorward_flask.installed import Installed
from doorward_flask.options import FlaskOptions, check_names, client_of, configured
from doorward_flask.stepping_up import SteppingUp, current_decision

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from doorward.challenges.forms import Form
    from doorward.client import AsyncDoorward, Doorward
    from doorward.decision import Decision
    from doorward.fingerprint import Scalar
    from doorward.progress import NotGiven
    from doorward.rules.base import Rule
    from doorward.rules.limits import LimitFor, LimitOptions

Target = TypeVar("Target", bound="Callable[..., Any] | Blueprint")
"""What can be marked: a view, a view class, one of its methods, what ``as_view`` returned, a blueprint."""
EXTENSION = "doorward"


class DoorwardFlask(SteppingUp, Checking):
    """Request protection for Flask applications.

    The decision about a request is at ``flask.g.doorward``, at ``environ["doorward.decision"]``, and what
    :func:`current_decision` returns. The extension decides before every other hook of the application, so that unknown
    paths and wrong methods are limited too.

    ``on_denied`` may return whatever a view may, or ``abort(429)`` to have the application's error handler answer.

    Args:
        app: The application; leave it out in a factory, and call :meth:`init_app` there.
        aj: A client. An :class:`~doorward.AsyncDoorward` will do when its store is not asynchronous.
        rules: Instead of ``aj``: the rules of the clients that are made here, one for each application.
        **options: Those of a client, unless ``aj`` is given, and :class:`doorward.layer.LayerOptions`.

    Raises:
        ConfigurationError: An argument, or a key of ``app.config``, is wrong.
    """

    def __init__(
        self,
        app: Flask | None = None,
        aj: Doorward | AsyncDoorward | None = None,
        rules: Sequence[Rule | Sequence[Rule]] | None = None,
        **options: Unpack[FlaskOptions],
    ) -> None:
        if aj is not None and rules is not None:
            raise ConfigurationError("rules", "belong to the client: give aj or rules, not both")
        self._aj = client_of(aj) if aj is not None else None
        self._rules = parse_rules(rules if rules is not None else ())
        self._options = options
        check_names(options, aj)
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Protect an application. Call it once for each, before the first request.

        Raises:
            ConfigurationError: ``app`` or a key of its configuration is wrong, or another extension protects it.
        """
        if not isinstance(app, Flask):
            raise ConfigurationError("app", f"must be a Flask application, not {app!r}")
        present: Installed | None = app.extensions.get(EXTENSION)
        if present is not None and present.guard is not self:
            raise ConfigurationError("app", "is protected by another DoorwardFlask already")
        if present is None:
            installed = self._made_for(app)
            # First, because Flask refuses it where it is too late: then nothing is installed.
            own: Any = app.jinja_env.globals.get("doorward_form")
            app.add_template_global(own or self.form_fields, "doorward_form")
            installed.hook_into(app)
            app.extensions[EXTENSION] = installed

    @property
    def client(self) -> Doorward:
        """The current application's client, for ``peek``, ``reset``, ``ban`` and the like."""
        return self.of_current_app().client

    @overload
    def protect(self, view: Target, /) -> Target: ...
    @overload
    def protect(
        self,
        view: None = ...,
        /,
        *,
        email: str | NotGiven | None = ...,
        requested: int | None = ...,
        characteristics: Mapping[str, Scalar] | None = ...,
        form: Form | NotGiven | None = ...,
    ) -> Decision: ...
    def protect(
        self,
        view: Any = None,
        /,
        *,
        email: str | NotGiven | None = NOT_GIVEN,
        requested: int | None = None,
        characteristics: Mapping[str, Scalar] | None = None,
        form: Form | NotGiven | None = NOT_GIVEN,
    ) -> Any:
        """:meth:`doorward.Doorward.protect` for the current request, whose current decision is then the answer.

        As a decorator of a view, :meth:`doorward.routes.RouteDecorators.protect`: all rules hold on its route.
        """
        if view is not None:
            return super().protect(view)
        decision = self.client.protect(
            request.environ, email=email, requested=requested, characteristics=characteristics, form=form
        )
        request.environ[DECISION] = g.doorward = decision
        return decision

    def limit(
        self,
        limit: str | LimitFor,
        *,
        algorithm: str = "sliding_window",
        replace: bool = True,
        **options: Unpack[LimitOptions],
    ) -> Callable[[Target], Target]:
        """:meth:`doorward.routes.RouteDecorators.limit`, for blueprints and view classes too.

        Their views share the counter. What is said about a view takes the place of its blueprint's limits.
        """
        decorate: Any = super().limit(limit, algorithm=algorithm, replace=replace, **options)
        return decorate  # type: ignore[no-any-return]  # typed for views only: a mark can be put on more

    def guard(self, *rules: Rule, replace: bool = True) -> Callable[[Target], Target]:
        """:meth:`doorward.routes.RouteDecorators.guard`, for blueprints and view classes too."""
        decorate: Any = super().guard(*rules, replace=replace)
        return decorate  # type: ignore[no-any-return]  # as above

    def exempt(self, view: Target) -> Target:
        """:meth:`doorward.routes.RouteDecorators.exempt`, for blueprints and view classes too."""
        target: Any = view
        return super().exempt(target)  # type: ignore[no-any-return]  # as above

    def _made_for(self, app: Flask) -> Installed:
        return Installed(self, configured(self._aj, self._rules, self._options, app.config))

    def of_current_app(self) -> Installed:
        """What the current application has of this extension."""
        extensions: dict[str, Installed] = current_app.extensions
        installed = extensions.get(EXTENSION)
        if installed is not None and installed.guard is self:
            return installed
        # Not installed here: made when a decorated view runs, so that the decorator has its effect all the same.
        key = f"{EXTENSION}.{id(self)}"
        return extensions.get(key) or extensions.setdefault(key, self._made_for(current_app))


__all__ = ["DoorwardFlask", "FlaskOptions", "current_decision"]
