"""From whatever a framework calls a request to a :class:`~doorward.context.RequestContext`.

Every supported request carries an ASGI scope or a WSGI environ, so no framework is needed to read one. The scope or
environ is also where a request's :class:`~doorward.progress.Progress` is kept, for the next layer to go on from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence
from functools import lru_cache
from typing import Any, TypeGuard

from doorward.context import Headers, RequestContext
from doorward.errors import UnsupportedRequest

ACCEPTED = (
    "a RequestContext, an ASGI scope, a WSGI environ, or a request of Flask, Django, Starlette or FastAPI "
    "(anything with a .scope or an .environ)"
)

Carrier = MutableMapping[str, Any]
ReadRequest = Callable[[Carrier, "str | None"], RequestContext]

_WERKZEUGS = "werkzeug.request"
"""Key of an environ under which Werkzeug, and so Flask, keeps its request."""
_FRAMED = ("1.0", "1.1")
_FRAMED_WSGI = ("HTTP/1.0", "HTTP/1.1")

ROUTED_PATH = "doorward.path"
"""Key of a scope or environ under which the path stands as the framework routes it, where the framework says so."""


def carrier_of(request: object) -> Carrier:
    """The scope or environ of a request.

    Raises:
        UnsupportedRequest: It is no request.
    """
    if type(request) is dict and _is_scope(request):  # as servers hand them on
        return request
    for candidate in (getattr(request, "scope", None), getattr(request, "environ", None), request):
        if candidate is None:
            continue
        if _is_mapping(candidate) and ("REQUEST_METHOD" in candidate or _is_scope(candidate)):
            # Django has overwritten PATH_INFO with decoded text, which can no longer be told from PEP 3333's latin-1.
            # As Django calls it, or Werkzeug, which routes "//login" as "/login".
            path = getattr(request, "path" if _WERKZEUGS in candidate else "path_info", None)
            if isinstance(path, str):
                candidate[ROUTED_PATH] = path
            return candidate
    raise UnsupportedRequest(f"protect takes {ACCEPTED}, not {type(request).__name__}")


def _is_mapping(candidate: object) -> TypeGuard[Carrier]:
    return type(candidate) is dict or isinstance(candidate, MutableMapping)  # the second costs ten times as much


def from_carrier(carrier: Carrier, path: str | None = None) -> RequestContext:
    """The context of an ASGI scope or a WSGI environ."""
    return from_scope(carrier, path) if _is_scope(carrier) else from_environ(carrier, path)


def from_scope(scope: Carrier, path: str | None = None) -> RequestContext:
    """The context of an ASGI scope (ASGI 3.0, HTTP and websocket); ``path`` as of :func:`from_environ`."""
    get = scope.get
    client = get("client")
    query, raw_path = get("query_string", b""), get("raw_path")
    # Past __init__, whose ten keywords cost as much as all the rest: this runs for every request.
    context = RequestContext.__new__(RequestContext)
    context.method = get("method", "GET")
    context.scheme = get("scheme", "http")
    context.path = without_line_end(route_path(scope)) if path is None else path
    # Text in requests of Django's AsyncRequestFactory.
    context.query = query.decode("latin-1") if isinstance(query, bytes) else query
    context.lines = scope["headers"]
    context.as_sent = True
    context.framed = get("http_version") in _FRAMED
    context.peer = client[0] if client else None
    if raw_path is not None:
        context.raw_path = raw_path.decode("latin-1")
    if root_path := get("root_path"):
        context.root_path = root_path
    return context


def from_environ(environ: Carrier, path: str | None = None) -> RequestContext:
    """The context of a WSGI environ (PEP 3333); ``path``, without a line end, where it is known already."""
    get = environ.get
    raw_path = get("RAW_URI") or get("REQUEST_URI")
    # A copy, because the environ is to refer to the context, and without what refers to the environ: a cycle would
    # leave every request to the collector.
    copied = dict(environ)
    copied.pop(_WERKZEUGS, None)
    context = RequestContext.__new__(RequestContext)  # as in from_scope
    context.method = get("REQUEST_METHOD", "GET")
    context.scheme = get("wsgi.url_scheme", "http")
    context.path = without_line_end(environ_path(environ)) if path is None else path
    context.query = get("QUERY_STRING", "")
    context.lines = EnvironHeaders(copied)
    context.peer = get("REMOTE_ADDR")
    if raw_path is not None:
        context.raw_path = raw_path
    if root_path := get("SCRIPT_NAME"):
        context.root_path = _decoded(root_path)
    # A server that hands on bodies without a length says so (PEP 3333 leaves them out).
    context.framed = not get("wsgi.input_terminated") or get("SERVER_PROTOCOL") in _FRAMED_WSGI
    return context


class EnvironHeaders(Headers):
    """Headers of a WSGI environ. The server has joined repeated lines with commas before anyone could see them."""

    __slots__ = ("_environ",)

    def __init__(self, environ: Carrier) -> None:
        # Not super's, which has lines and an index of them: this runs for every request.
        self._environ = environ

    def values(self, name: str) -> Sequence[str]:
        """The one value of a header, or none.

        A header that was *sent* with underscores cannot be told from its namesake here: servers drop it.
        """
        value = self._environ.get(_environ_key(name))
        return () if value is None else (str(value),)

    def picked(self, names: Iterable[str]) -> list[tuple[str, str]]:
        """As of :class:`~doorward.context.Headers`, in one pass."""
        environ = self._environ
        keys = _environ_keys(names if isinstance(names, tuple) else tuple(names))
        return [(name, str(environ[key])) for name, key in keys if key in environ]

    def _pairs(self) -> Iterator[tuple[str, str]]:
        for key, value in self._environ.items():
            if key in _WITHOUT_PREFIX and value:
                yield key.replace("_", "-"), str(value)
            elif key.startswith("HTTP_"):
                yield key[5:].replace("_", "-"), str(value)


_WITHOUT_PREFIX = frozenset({"CONTENT_TYPE", "CONTENT_LENGTH"})


@lru_cache(512)
def _environ_key(name: str) -> str:
    """Where a header stands: with an underscore in its name nowhere, for no key has a hyphen."""
    if "_" in name:
        return "-"
    key = name.upper().replace("-", "_")
    return key if key in _WITHOUT_PREFIX else f"HTTP_{key}"


@lru_cache(16)
def _environ_keys(names: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    return tuple([(name, _environ_key(name)) for name in names if "_" not in name])


def _is_scope(carrier: Carrier) -> bool:
    return carrier.get("type") in ("http", "websocket") and "headers" in carrier


def without_line_end(path: str) -> str:
    """A path as routers see it whose expressions end in ``$``, which also matches before a last line break.

    Starlette and Django route "/login%0a" to "/login", so rules take it for that.
    """
    return path.removesuffix("\n")


def route_path(scope: Carrier) -> str:
    """A scope's path below its root path, as Starlette routes it, or as another framework has said."""
    routed: str | None = scope.get(ROUTED_PATH)
    if routed is not None:
        return routed
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    if not root or not path.startswith(root):
        return path
    rest = path[len(root) :]
    return rest if rest.startswith("/") else path if rest else "/"


def environ_path(environ: Carrier) -> str:
    """An environ's path: bytes that PEP 3333 shows as latin-1, read as UTF-8; or as the framework has said."""
    routed: str | None = environ.get(ROUTED_PATH)
    if routed is not None:
        return routed
    path: str = environ.get("PATH_INFO", "")
    return path if path.isascii() else path.encode("latin-1", "replace").decode("utf-8", "replace")


def _decoded(path: str) -> str:
    """Bytes that PEP 3333 shows as latin-1, read as UTF-8; as it is where it is text already: Django puts it there."""
    if path.isascii():
        return path
    try:
        return path.encode("latin-1").decode()
    except ValueError:
        return path


def at_prefix(prefix: str, root: str, path: str) -> tuple[str, str]:
    """Root path and path as they are outside of a mount at ``prefix``; as they are where there is none."""
    if not path.startswith(f"{prefix}/") and root.endswith(prefix):
        return root[: -len(prefix)], prefix + path
    return root, path
