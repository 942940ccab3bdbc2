"""Pure WSGI middleware: any WSGI application (PEP 3333), no framework.

Allowed requests pass byte for byte: the application's iterable is returned as it is, and ``start_response`` is handed
through untouched unless a header was asked for or a limit waits for the response.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Sized
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Unpack, cast

from doorward.answers import NOT_FOUND
from doorward.client import AsyncDoorward, Doorward
from doorward.errors import ConfigurationError
from doorward.holding import KEPT_FORM, hold_body, hold_form_now
from doorward.layer import Layer, LayerOptions
from doorward.limit_headers import names_of
from doorward.progress import NO_INPUTS
from doorward.requests import ROUTED_PATH, at_prefix, environ_path, from_environ
from doorward.rules.limits import Response
from doorward.runtime import ANSWERED, DECISION

if TYPE_CHECKING:
    from doorward.answers import Answer
    from doorward.context import RequestContext
    from doorward.decision import Decision
    from doorward.progress import Inputs, Progress
    from doorward.routes import RoutePolicy
    from doorward.runtime import Runtime

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
WSGIApp = Callable[[Environ, StartResponse], Iterable[bytes]]
PolicyFor = Callable[[Environ], "RoutePolicy | None"]


class DoorwardMiddleware:
    """Decides about every request before the application sees it.

    The decision is at ``environ["doorward.decision"]``.

    Args:
        app: The application to protect.
        aj: The client. An :class:`~doorward.AsyncDoorward` will do when its store is not asynchronous.
        policy_for: What the route of an environ says about itself; for adapters.
        **options: See :class:`doorward.layer.LayerOptions`.

    Raises:
        ConfigurationError: An option is wrong.
    """

    def __init__(
        self,
        app: WSGIApp,
        aj: Doorward | AsyncDoorward,
        *,
        policy_for: PolicyFor | None = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        if not isinstance(aj, Doorward | AsyncDoorward):
            raise ConfigurationError("aj", f"must be a Doorward or an AsyncDoorward, not {aj!r}")
        if _is_async(options.get("on_denied")):
            raise ConfigurationError("on_denied", "must not be async: WSGI does not await")
        self.app = app
        self.client = aj if isinstance(aj, Doorward) else aj.as_sync()
        self.layer = Layer(self.client, options)
        self._policy_for = policy_for

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Handle one request."""
        path = environ_path(environ)
        if self.layer.serves(path):
            return _sent(endpoint_answer(self.layer.runtime, environ), environ, start_response)
        progress = self._admitted(environ, path)
        if progress is None:
            return self.app(environ, start_response)
        decision = decide(self.client, self.layer, progress, environ)
        environ[DECISION] = decision
        if not progress.engine.late:
            return self._answer(progress, decision, environ, start_response)
        look_back = partial(self.client.look_back, progress)
        try:
            return looked_back(self._answer(progress, decision, environ, start_response), look_back)
        except BaseException:
            look_back()
            raise

    def _answer(
        self, progress: Progress, decision: Decision, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        if self.layer.refuses(decision):
            return self._refuse(progress, decision, environ, start_response)
        if self.layer.touches_response(progress):
            return self._watched(progress, decision, environ, start_response)
        return self.app(environ, start_response)

    def _admitted(self, environ: Environ, path: str) -> Progress | None:
        try:
            policy = self._policy(environ) if self._policy_for is not None else None
            method = environ.get("REQUEST_METHOD", "GET")
            return self.layer.admit(environ, method, path, policy, from_environ)
        except Exception as error:
            self.layer.runtime.journal.swallowed("middleware", error)
            return None

    def _policy(self, environ: Environ) -> RoutePolicy | None:
        try:
            return self._policy_for(environ) if self._policy_for is not None else None
        except Exception as error:
            # A route that cannot be found out about is no reason to leave the other rules out.
            self.layer.runtime.journal.swallowed("route", error)
            return None

    def _watched(
        self, progress: Progress, decision: Decision, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        watch = ResponseWatch(self.client, self.layer, progress, decision, start_response)
        try:
            body = self.app(environ, watch.start_response)
        except BaseException:
            self.client.settle(progress, Response(500, ()))
            raise
        # An application that has answered by now is settled, and the server is given its iterable as it is.
        return body if watch.started or not self.layer.awaits_response(progress) else Unanswered(body, watch)

    def _refuse(
        self, progress: Progress, decision: Decision, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        answer = self.layer.replaced(progress.request, decision)
        if callable(answer):
            return cast("WSGIApp", answer)(environ, start_response)
        if answer is None:
            answer = built_in(self.layer, progress.request, decision, environ)
        return _sent(answer, environ, start_response)


def built_in(layer: Layer, request: RequestContext, decision: Decision, environ: Environ) -> Answer:
    """The built-in answer to a refused request; a challenged form is read, to be kept."""
    hold_form_now(layer, request, decision, partial(hold_body, request, environ, KEPT_FORM))
    return layer.refusal(request, decision)


class ChallengeEndpoints:
    """The endpoints of challenges as a WSGI application, for who decides without middleware.

    ``DispatcherMiddleware(app, {"/.doorward": ChallengeEndpoints(aj)})``: at the ``prefix`` of the option
    ``challenges``, or around it.

    Args:
        aj: The client.

    Raises:
        ConfigurationError: ``aj`` is no client, or its store is asynchronous.
    """

    def __init__(self, aj: Doorward | AsyncDoorward) -> None:
        if not isinstance(aj, Doorward | AsyncDoorward):
            raise ConfigurationError("aj", f"must be a Doorward or an AsyncDoorward, not {aj!r}")
        self._runtime = (aj if isinstance(aj, Doorward) else aj.as_sync()).runtime
        self._prefix = aj.runtime.settings.challenges.prefix

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request; 404 to what is none of the endpoints, and for as long as ``DOORWARD_MODE`` is OFF."""
        root, path = at_prefix(self._prefix, environ.get("SCRIPT_NAME", ""), environ_path(environ))
        if self._runtime.off or not path.startswith(f"{self._prefix}/"):
            return _sent(NOT_FOUND, environ, start_response)
        moved = {**environ, "SCRIPT_NAME": root, ROUTED_PATH: path}
        return _sent(endpoint_answer(self._runtime, moved), environ, start_response)


def endpoint_answer(runtime: Runtime, environ: Environ) -> Answer:
    """The answer to a request for one of the endpoints of challenges."""
    from doorward.challenges.serving import serve  # few requests are for them

    request = from_environ(environ, None)
    return serve(runtime, request, partial(hold_body, request, environ, None))


def _sent(answer: Answer, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    environ[ANSWERED] = answer is not NOT_FOUND
    headers = [*answer.headers, ("Content-Length", str(len(answer.body)))]
    start_response(status_line(answer.status), headers)
    return [] if environ.get("REQUEST_METHOD") == "HEAD" else [answer.body]


class ResponseWatch:
    """Looks at one response's head on its way out: adds headers, and tells limits what it was."""

    __slots__ = ("_client", "_decision", "_layer", "_progress", "_start_response", "started")

    def __init__(
        self, client: Doorward, layer: Layer, progress: Progress, decision: Decision, start_response: StartResponse
    ) -> None:
        self._client = client
        self._layer = layer
        self._progress = progress
        self._decision = decision
        self._start_response = start_response
        self.started = False

    def start_response(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        """In place of the server's ``start_response``."""
        # Settled here and not at the iterable's end, so that the server is given the application's own iterable.
        self.started = True
        seen = Response(500, ())
        try:
            if not isinstance(headers, list | tuple):  # an iterator, which would be gone after one reading
                headers = list(headers)
            seen = _seen(status, headers)
            headers = [*self._with_limits(headers), *self._cookies(seen)]
        except Exception as error:
            self._layer.runtime.journal.swallowed("rate_limit_headers", error)
        self._client.settle(self._progress, seen)
        return self._start_response(status, headers, exc_info) if exc_info else self._start_response(status, headers)

    def failed(self) -> None:
        """The application raised: a 500, unless it had answered."""
        if not self.started:
            self._client.settle(self._progress, Response(500, ()))

    def _with_limits(self, headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
        style = self._layer.style
        own = style(self._progress.decision or self._decision) if style is not None else []
        if not own:
            return headers
        taken = names_of(own)
        return [*[line for line in headers if line[0].lower() not in taken], *own]

    def _cookies(self, seen: Response) -> list[tuple[str, str]]:
        return [("Set-Cookie", cookie) for cookie in self._layer.fitting_cookies(self._progress, seen.headers)]


def _seen(status: str, headers: Iterable[tuple[str, str]]) -> Response:
    """A response as ``count_when`` sees it."""
    code = status[:3]
    return Response(
        int(code) if code.isascii() and code.isdigit() else 500, [(name.lower(), value) for name, value in headers]
    )


class Unanswered:
    """The iterable of an application that has not called ``start_response`` yet: a generator, which may raise first."""

    def __init__(self, body: Iterable[bytes], watch: ResponseWatch) -> None:
        self._body = body
        self._watch = watch

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._body
        except BaseException:
            self._watch.failed()
            raise

    def close(self) -> None:
        """Close the application's own."""
        close = getattr(self._body, "close", None)
        if close is not None:
            close()


class LookedBack:
    """An application's iterable, and what is done once the server has sent it (PEP 3333: ``close``)."""

    def __init__(self, body: Iterable[bytes], look_back: Callable[[], None]) -> None:
        self._body = body
        self._look_back = look_back

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def close(self) -> None:
        """Close the application's own, then look back."""
        close = getattr(self._body, "close", None)
        try:
            if close is not None:
                close()
        finally:
            self._look_back()


class SizedLookedBack(LookedBack):
    """The same for a list: servers write a Content-Length where they see that there is but one piece."""

    def __len__(self) -> int:
        return len(cast("Sized", self._body))


def looked_back(body: Iterable[bytes], look_back: Callable[[], None]) -> LookedBack:
    """``body``, with ``look_back`` called once the server is done with it."""
    return (SizedLookedBack if isinstance(body, Sized) else LookedBack)(body, look_back)


def _is_async(function: object) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)


def decide(
    client: Doorward, layer: Layer, progress: Progress, environ: Environ, inputs: Inputs = NO_INPUTS
) -> Decision:
    """Decide about a request whose environ is at hand, holding its body if a rule asks for it."""
    read_body = None
    if progress.engine.reads_body:
        read_body = partial(hold_body, progress.request, environ, layer.runtime.settings.body_limit)
    return client.decide(progress, inputs, deferring=True, read_body=read_body)


def status_line(status: int) -> str:
    """``429 Too Many Requests``."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"{status} Refused"
