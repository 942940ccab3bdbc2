"""One application, many frameworks: what a test may ask of each, whatever it is made of."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Self

from doorward import AsyncDoorward, Doorward
from doorward.rules.base import Rule
from doorward.testing import FakeClock

PEER = "203.0.113.9"
Lines = Sequence[tuple[str, str]]


@dataclass(kw_only=True)
class Setup:
    """How the application under test is protected.

    Attributes:
        rules: Of the client.
        options: The client's other arguments.
        layer: Options of the middleware or extension.
        limited: Limit of the route /limited, and of /limited-and-exempt.
        beside: Limit of the route /beside, which counts beside the application's; frameworks only.
        guards: Rules of the route /guarded; frameworks only.
        said: What else is said about routes, by path: a function of the guard that gives a decorator; frameworks only.
        protected: With False, the same application without doorward.
    """

    rules: Sequence[Rule] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    layer: Mapping[str, Any] = field(default_factory=dict)
    limited: str = ""
    beside: str = ""
    guards: Sequence[Rule] = ()
    said: Mapping[str, Callable[[Any], Callable[[Any], Any]]] = field(default_factory=dict)
    protected: bool = True


@dataclass(frozen=True)
class Reply:
    """What came back.

    Attributes:
        status: HTTP status; 0 when the application answered nothing.
        lines: Header lines in order, names in lower case.
        chunks: The body as it was sent, piece by piece, empty pieces left out.
        error: The exception that left the application.
    """

    status: int
    lines: Lines = ()
    chunks: Sequence[bytes] = ()
    error: BaseException | None = None

    @property
    def body(self) -> bytes:
        return b"".join(self.chunks)

    def json(self) -> Any:
        return json.loads(self.body)

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.lines if key == name.lower()]

    def header(self, name: str) -> str | None:
        values = self.values(name)
        assert len(values) <= 1, f"{name} was written {len(values)} times"
        return values[0] if values else None


@dataclass(frozen=True)
class SocketReply:
    """What became of a websocket: accepted and echoed, closed before that, or refused with an answer."""

    accepted: bool
    texts: Sequence[str] = ()
    close_code: int | None = None
    denial: Reply | None = None


class AppUnderTest(ABC):
    """The application in one framework, and how to talk to it. Routes are those of ``views.py``."""

    name: ClassVar[str]
    awaits: ClassVar[bool]
    """Whether the application is an ASGI application."""
    decorates: ClassVar[bool] = True
    """Whether routes are marked with decorators."""
    sockets: ClassVar[bool] = False
    """Whether it takes websockets."""
    chunked: ClassVar[bool] = True
    """Whether it reads bodies that have no Content-Length."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.clock = FakeClock()
        kind = AsyncDoorward if self.awaits else Doorward
        rate: Any = {} if self.decorates else {"limits": {"/limited": setup.limited} if setup.limited else {}}
        self.aj: Any = kind(list(setup.rules), **{"clock": self.clock, **rate, **setup.options})

    def layer_options(self) -> dict[str, Any]:
        """Options of the middleware; without decorators, ``exclude`` says what is exempt."""
        undecorated = {} if self.decorates else {"exclude": ["/exempt", "/limited-and-exempt"]}
        return {**undecorated, **self.setup.layer}

    def marks(self, guard: Any) -> dict[str, Callable[[Any], Any]]:
        """What is said about each marked route, with the decorators of ``guard``."""
        setup = self.setup
        if not setup.protected:
            return {}
        marks: dict[str, Callable[[Any], Any]] = {"/exempt": guard.exempt, "/limited-and-exempt": guard.exempt}
        if setup.limited:
            marks["/limited"] = limited = guard.limit(setup.limited)
            marks["/limited-and-exempt"] = lambda view: guard.exempt(limited(view))
        if setup.beside:
            marks["/beside"] = guard.limit(setup.beside, replace=False)
        if setup.guards:
            marks["/guarded"] = guard.guard(*setup.guards)
        marks.update({path: say(guard) for path, say in setup.said.items()})
        return marks

    @cached_property
    def app(self) -> Any:
        """The application, as a server would be given it."""
        return self.build()

    @abstractmethod
    def build(self) -> Any:
        """Make the application."""

    @abstractmethod
    def request(
        self,
        target: str,
        *,
        method: str = "GET",
        headers: Lines = (),
        body: bytes | Sequence[bytes] = b"",
        peer: str | None = PEER,
    ) -> Reply:
        """Send one request; a body in several pieces has no Content-Length."""

    def get(self, target: str = "/echo", **more: Any) -> Reply:
        return self.request(target, **more)

    def post(self, target: str = "/echo", **more: Any) -> Reply:
        return self.request(target, method="POST", **more)

    def statuses(self, count: int, target: str = "/echo", **more: Any) -> list[int]:
        """The statuses of several equal requests."""
        return [self.request(target, **more).status for _ in range(count)]

    def own_answer(self, status: int, text: str) -> Any:
        """A response of the framework's own, for ``on_denied``."""
        raise NotImplementedError

    def settle(self, answer: Any) -> Any:
        """The answer of a method of the client, awaited where that is needed."""
        return answer

    def counts(self) -> Mapping[str, int]:
        counts: Mapping[str, int] = self.aj.health()["counts"]
        return counts

    @abstractmethod
    def close(self) -> None:
        """Give back what it holds."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


MakeApp = Callable[..., AppUnderTest]
