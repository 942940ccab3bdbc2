"""Runs the application on a server: hypercorn where it is installed (HTTP/1.1, HTTP/2 also in clear text), or uvicorn.

The signals are ours, so that both stop in the same way: not ready first, then no new connections, then the end of what
is in work, then of the parts. A second signal ends at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import threading
import time
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from doorward.errors import ConfigurationError, DoorwardError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.applications import Starlette

    from doorward.service.server.settings import ServiceSettings

HYPERCORN, UVICORN = "hypercorn", "uvicorn"
GRACEFUL_SECONDS = 10
"""For what is in work when the server stops: longer than any client waits for a decision."""
IDLE_SECONDS = 75
"""Until a connection without requests is closed; clients keep theirs, so that a decision does not wait for one."""
HEADER_SECONDS = 15
BACKLOG = 512
_SWITCH_SECONDS = 0.0005
"""After which a thread that computes lets another go on; CPython's default is ten times that. The log's thread writes
rows while a decision waits, which takes less than that in all."""
POLL_SECONDS = 0.5
STOPS = ("SIGINT", "SIGTERM", "SIGBREAK")


def server_name() -> str:
    """The server that would be used.

    Raises:
        ConfigurationError: None is installed.
    """
    for name in (HYPERCORN, UVICORN):
        if find_spec(name) is not None:
            return name
    raise ConfigurationError("server", "none is installed: pip install 'doorward[service]', or 'doorward[arcjet]'")


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Raises:
        ConfigurationError: The address cannot be had.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise ConfigurationError("--host", f"{host} is no address of this machine: {error.strerror}") from error
    try:
        if os.name == "posix":  # elsewhere it would let two processes take the same port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        why = getattr(error, "strerror", None) or str(error)
        raise ConfigurationError("--port", f"{host}:{port} cannot be had: {why}") from error
    return listener


def run(app: Starlette, listener: socket.socket, settings: ServiceSettings) -> None:
    """Serve until a signal says to stop.

    Raises:
        DoorwardError: The service could not start.
    """
    sys.setswitchinterval(_SWITCH_SECONDS)
    serve = _hypercorn if server_name() == HYPERCORN else _uvicorn
    try:
        asyncio.run(_until_stopped(app, serve, listener, settings))
    except (Exception, SystemExit):
        failure: DoorwardError | None = getattr(app.state, "failure", None)
        if failure is None:
            raise
        raise failure from None


async def _until_stopped(app: Starlette, serve: Any, listener: socket.socket, settings: ServiceSettings) -> None:
    stop = asyncio.Event()
    with _signals(lambda quick: _stopping(app, stop, 0.0 if quick else settings.drain)):
        await serve(app, listener, settings, stop)


def _stopping(app: Starlette, stop: asyncio.Event, drain: float) -> None:
    """Begin to stop; at once where that has begun already."""
    service = getattr(app.state, "service", None)
    if service is None or service.draining or not drain:
        stop.set()
    else:
        asyncio.get_running_loop().call_later(drain, stop.set)
    if service is not None:
        service.draining = True


@contextlib.contextmanager
def _signals(tell: Callable[[bool], None]) -> Iterator[None]:
    """Hand signals to ``tell``, with whether a person at the keyboard sent them."""
    loop = asyncio.get_running_loop()
    numbers = [getattr(signal, name) for name in STOPS if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    for number in numbers:
        quick = number == signal.SIGINT
        try:
            loop.add_signal_handler(number, tell, quick)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_, quick=quick: loop.call_soon_threadsafe(tell, quick))
    try:
        yield
    finally:
        for number, handler in before.items():
            with contextlib.suppress(NotImplementedError):
                loop.remove_signal_handler(number)
            signal.signal(number, handler)


async def _hypercorn(app: Starlette, listener: socket.socket, settings: ServiceSettings, stop: asyncio.Event) -> None:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.accesslog = config.errorlog = None
    config.graceful_timeout = config.shutdown_timeout = GRACEFUL_SECONDS
    config.keep_alive_timeout = IDLE_SECONDS
    config.keep_alive_max_requests = 10**9  # 1,000 by default: every thousandth decision would fail, or be asked twice
    config.read_timeout = HEADER_SECONDS + IDLE_SECONDS
    config.include_server_header = False
    if settings.certificate is not None:
        config.certfile, config.keyfile = str(settings.certificate), str(settings.private_key)
    await serve(app, config, shutdown_trigger=stop.wait)  # type: ignore[arg-type]  # its own types of ASGI


async def _uvicorn(app: Starlette, listener: socket.socket, settings: ServiceSettings, stop: asyncio.Event) -> None:
    import uvicorn

    class Server(uvicorn.Server):
        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield  # they are ours

    config = uvicorn.Config(
        app,
        lifespan="on",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        proxy_headers=False,  # whose word counts is for ServiceSettings.proxies
        ws="none",
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=GRACEFUL_SECONDS,
        ssl_certfile=settings.certificate,
        ssl_keyfile=None if settings.private_key is None else str(settings.private_key),
    )
    server = Server(config)

    async def watch() -> None:
        await stop.wait()
        server.should_exit = True

    watching = asyncio.create_task(watch())
    try:
        await server.serve(sockets=[listener])
    finally:
        watching.cancel()


def die_with(parent: int) -> None:
    """End this worker, as by a signal, when its parent has gone: nobody would end it otherwise."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(POLL_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="doorward-parent", daemon=True).start()


__all__ = ["HYPERCORN", "die_with", "listen", "run", "server_name"]
