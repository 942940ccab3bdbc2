"""What one Flask application has of an extension: its client, its layer, and the hooks that use them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from flask import Response, after_this_request, current_app, g, request

from doorward.answers import Answer
from doorward.requests import ROUTED_PATH, from_environ, without_line_end
from doorward.rules.limits import Response as Answered
from doorward.runtime import DECISION
from doorward.wsgi import built_in, decide, endpoint_answer
from doorward_flask.hooks import hook_around
from doorward_flask.responses import flask_style, response_of, write_cookies, write_limits
from doorward_flask.routing import Route, Routes, endpoint_of
from doorward_flask.templates import fill_templates

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask, Request

    from doorward.client import Doorward
    from doorward.context import RequestContext
    from doorward.decision import Decision
    from doorward.layer import Layer
    from doorward.progress import Progress
    from doorward.routes import RouteDecorators, RoutePolicy
    from doorward_flask.options import Configuration

# What Flask's proxies stand for just now. Asked for once where it is used, because each use of a proxy costs.
_current_request: Callable[[], Request] = request._get_current_object  # type: ignore[attr-defined]  # noqa: SLF001
_current_g: Callable[[], Any] = g._get_current_object  # noqa: SLF001


class Handled(NamedTuple):
    """What became of a request so far.

    Attributes:
        route: Its route.
        progress: None where no rule looks at it.
        refused: Whether it was refused.
        unclosed: Whether nobody will say when its response has been sent.
    """

    route: Route
    progress: Progress | None = None
    refused: bool = False
    unclosed: bool = False


class Installed:
    """An extension in one application. Holds no reference to the application: its hooks run inside of it.

    Attributes:
        guard: The extension.
        client: The application's client.
        layer: What the hooks decide with.
    """

    def __init__(self, guard: RouteDecorators, configuration: Configuration) -> None:
        self.guard = guard
        self.client: Doorward = configuration.client
        self.layer: Layer = configuration.layer
        self._routes = Routes(guard, exempts_static=configuration.exempts_static)
        # By extension: one environ may pass through several applications.
        self._key = f"doorward.flask.{id(self)}"
        self._has_unclosed = False
        if self.layer.on_denied is not None:
            self.layer.on_denied = flask_style(self.layer.on_denied)

    def hook_into(self, app: Flask) -> None:
        """Decide before everything else that the application does with a request, and look at responses last."""
        fill_templates(app, self.client)
        hook_around(app, self.before, self.after, self.teardown)

    # --- hooks

    def before(self) -> Response | None:
        """Decide about the current request; the refusal, or None to go on. Endpoints of challenges are answered."""
        asked = _current_request()
        if self.layer.serves(asked.path):
            return response_of(endpoint_answer(self.layer.runtime, asked.environ))
        return self._guarded(asked, None)

    def after(self, response: Response) -> Response:
        """Write RateLimit headers, and tell limits what the response was."""
        handled: Handled | None = _current_request().environ.get(self._key)
        if handled is None or handled.refused or (progress := handled.progress) is None:
            return response
        if self.layer.style is not None:
            write_limits(self.layer, response.headers, progress.decision)
        if self.layer.cookies(progress):
            write_cookies(self.layer, response.headers, progress)
        if progress.engine.late:
            self._look_back_after(handled, progress, response)
        if progress.engine.conditional:
            lines = [(name.lower(), value) for name, value in response.headers]
            self.client.settle(progress, Answered(response.status_code, lines))
        return response

    def teardown(self, error: BaseException | None) -> None:
        """Tell limits of the exception that kept the response from coming about."""
        if error is None and not self._has_unclosed:
            return
        handled: Handled | None = _current_request().environ.get(self._key)
        if handled is None or handled.refused or (progress := handled.progress) is None:
            return
        if error is not None:
            self.client.settle(progress, Answered(500, ()))
        if error is not None or handled.unclosed:
            self.client.look_back(progress)

    def overlooked(self, mark: RoutePolicy, view: str) -> Response | None:
        """The refusal of a marked view that runs although nobody read its mark; None as a rule."""
        if self._key not in request.environ:
            why = "init_app was not called for this application: only its decorated views are protected"
            self.layer.runtime.journal.warn("flask", f"{view}: {why}")
            after_this_request(self.after)
            refusal = self._guarded(_current_request(), None)
            if refusal is not None:
                return refusal
        handled: Handled = request.environ[self._key]
        if any(read.covers(mark) for read in handled.route.marks) or self._routes.has(mark):
            return None
        why = "a decorator hides its mark; functools.wraps would keep it"
        self.layer.runtime.journal.warn("flask", f"{view} is not checked before it runs, but as it runs: {why}")
        return self._guarded(_current_request(), Route((*handled.route.marks, mark), mark))

    # --- decisions

    def answer(self, decision: Decision) -> Response:
        """The response to the current request that is not let in."""
        handled: Handled | None = request.environ.get(self._key)
        known = handled.progress if handled is not None else None
        asked = known.request if known is not None else from_environ(request.environ, without_line_end(request.path))
        return self._refusal(asked, decision)

    def _guarded(self, asked: Request, route: Route | None) -> Response | None:
        environ, path = asked.environ, asked.path
        route = self._route(asked) if route is None else route
        try:
            environ[ROUTED_PATH] = path
            progress = self.layer.admit(environ, asked.method, path, route.policy, from_environ)
            if progress is not None:
                told = endpoint_of(asked, progress.engine)
                environ[DECISION] = decide(self.client, self.layer, progress, environ, told)
            decision = _current_g().doorward = environ[DECISION]
            refused = progress is not None and self.layer.refuses(decision)
        except Exception as error:
            self.layer.runtime.journal.swallowed("middleware", error)
            environ[self._key] = Handled(route)
            return None
        environ[self._key] = Handled(route, progress, refused)
        return self._refusal(progress.request, decision) if refused and progress is not None else None

    def _route(self, asked: Request) -> Route:
        try:
            return self._routes.of(asked)
        except Exception as error:
            # A route that cannot be found out about is no reason to leave the other rules out.
            self.layer.runtime.journal.swallowed("route", error)
            return Route()

    def _refusal(self, asked: RequestContext, decision: Decision) -> Response:
        answer = self.layer.replaced(asked, decision)
        if answer is None:
            answer = built_in(self.layer, asked, decision, request.environ)
        elif not isinstance(answer, Answer):
            return cast("Response", answer)  # flask_style has made it
        try:
            return current_app.response_class(answer.body, answer.status, list(answer.headers))
        except Exception as error:
            # A class of the application's own: what is refused must not go on to the view because of it.
            self.layer.runtime.journal.swallowed("response_class", error)
            return response_of(answer)

    def _look_back_after(self, handled: Handled, progress: Progress, response: Response) -> None:
        """Ask the rules that look after the response once it has been sent, or as late as there is a way to."""
        if response.direct_passthrough:  # Werkzeug gives the file to the server, which does not tell when it is done
            request.environ[self._key] = handled._replace(unclosed=True)
            self._has_unclosed = True
        else:
            response.call_on_close(partial(self.client.look_back, progress))
