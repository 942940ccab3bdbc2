"""``python -m demo``: serve the demonstration on this computer only."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from typing import TYPE_CHECKING

import uvicorn

from demo.app import build
from demo.feed import Feed

if TYPE_CHECKING:
    from starlette.applications import Starlette

HOST = "127.0.0.1"
PORT_VARIABLE = "DOORWARD_DEMO_PORT"
GRACE_SECONDS = 0.1


class Server(uvicorn.Server):
    """Ends at once on Ctrl-C: an open feed would otherwise be waited for."""

    feed: Feed

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the feeds, cut off who does not read even that, then end the server."""
        self.feed.close()
        await asyncio.sleep(GRACE_SECONDS)
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await super().shutdown(sockets)


def main() -> int:
    """Serve until Ctrl-C; the exit status."""
    feed = Feed()
    try:
        app = build(feed)
        listener = listen(os.environ.get(PORT_VARIABLE, "8000"))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    print(greeting(listener.getsockname()[1]), flush=True)
    return serve(app, feed, listener)


def serve(app: Starlette, feed: Feed, listener: socket.socket) -> int:
    """Serve the application until Ctrl-C; the exit status."""
    # proxy_headers: whose address counts is for doorward to find out.
    config = uvicorn.Config(
        app, log_level="warning", proxy_headers=False, server_header=False, timeout_graceful_shutdown=1
    )
    server = Server(config)
    server.feed = feed
    try:
        server.run(sockets=[listener])
    except KeyboardInterrupt:
        print("\nBye.")
    return 0


def listen(port: str, variable: str = PORT_VARIABLE, make: str = "make demo") -> socket.socket:
    """A socket on ``port``.

    Args:
        port: As somebody wrote it.
        variable: Where; for the error.
        make: What to run again; for the error.

    Raises:
        ValueError: It is no port, or somebody else's.
    """
    if not port.isascii() or not port.isdigit() or int(port[:6]) > 65535:
        raise ValueError(f"{variable} must be a port from 0 to 65535, not {port!r}")
    try:
        return socket.create_server((HOST, int(port)))
    except OSError as error:
        hint = f"try another: {variable}=8080 {make}"
        raise ValueError(f"Port {port} of {HOST} cannot be used ({os.strerror(error.errno or 0)}); {hint}") from None


def greeting(port: int) -> str:
    """What to do next."""
    url = f"http://{HOST}:{port}"
    return f"""
doorward demo: {url}   (Ctrl-C ends it)

Sign up with the form: {url}/signup
People may; a throw-away address (x@mailinator.com), a mistyped one (x@@example.com), a domain without mail
(x@nomail.example) and the sixth attempt in ten minutes are refused. So are programs:

  curl -i {url}/signup -d email=x@example.com

Challenges to pass, or not: {url}/challenges

  curl -i {url}/challenges/work

Search engines may read the articles, but only from their own addresses (this computer is trusted as a proxy, so its
word on addresses counts):

  curl -i {url}/articles -A 'Googlebot/2.1' -H 'X-Forwarded-For: 66.249.66.1'
  curl -i {url}/articles -A 'Googlebot/2.1' -H 'X-Forwarded-For: 203.0.113.7'

The JSON API is limited only:

  for i in 1 2 3 4 5 6; do curl -i -X POST {url}/api/signup; echo; done
"""


if __name__ == "__main__":
    sys.exit(main())
