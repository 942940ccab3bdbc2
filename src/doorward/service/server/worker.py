"""``python -m doorward.service.server.worker FD PARENT``: one of several workers that ``doorward serve`` starts.

The socket is the parent's, and the settings are in the environment.
"""

from __future__ import annotations

import socket
import sys

from doorward.errors import DoorwardError
from doorward.service.server.application import create_app
from doorward.service.server.launch import die_with, run
from doorward.service.server.settings import ServiceSettings


def main(descriptor: str, parent: str) -> int:
    """Serve on an open socket; the exit status."""
    die_with(int(parent))
    settings = ServiceSettings.from_environ()
    try:
        run(create_app(settings), socket.socket(fileno=int(descriptor)), settings)
    except DoorwardError as error:
        sys.stderr.write(f"doorward serve: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
