"""``python -m demo.service``: the demonstration split in two, an application and the service that decides for it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Self

from demo import names
from demo.__main__ import HOST, PORT_VARIABLE, listen, serve
from demo.app import build, protection
from demo.feed import Feed
from demo.made_up_name_server import NameServer

SERVICE_PORT_VARIABLE = "DOORWARD_DEMO_SERVICE_PORT"
MAKE = "make demo-service"
START_SECONDS = 30.0
STOP_SECONDS = 10.0
POLL_SECONDS = 0.05
_URL = re.compile(r" decision service on (\S+)")
_PASSWORD = re.compile(r" password (\S+)")
_LAST_LINE = "Ctrl-C"
_ENDINGS = ("SIGTERM", "SIGHUP")


class DecisionService:
    """``doorward serve`` as a process of its own. A context manager, which ends it.

    Args:
        folder: Where it keeps what it keeps.
        port: To listen on; 0 for any.
        resolver: Its name server; empty for the system's.

    Attributes:
        command: What starts another on the same port and folder.
        pid: Of the process.
        url: Of the service.
        password: Of its pages.
        key: What it knows the application by.

    Raises:
        ValueError: It does not start; why, in a line or more.
    """

    def __init__(self, folder: Path, port: int, resolver: str) -> None:
        self._folder = folder
        self.key = self._made_key()
        self.command = [*_DOORWARD, "serve", "--folder", str(folder), *(["--resolver", resolver] if resolver else [])]
        # Ctrl-C is for us: the application ends first, and has told the service everything by then.
        self._process = subprocess.Popen(
            [*self.command, "--port", str(port)], stdout=subprocess.PIPE, text=True, process_group=0
        )
        self.pid = self._process.pid
        self.url = self.password = ""

    def _made_key(self) -> str:
        command = [*_DOORWARD, "keys", "add", "demo", "--json", "--folder", str(self._folder)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            raise ValueError(f"There is no key for the application: {done.stderr.strip()}")
        key: str = json.loads(done.stdout)["key"]
        return key

    def __enter__(self) -> Self:
        try:
            self._read_introduction()
            self._wait_until_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _read_introduction(self) -> None:
        assert self._process.stdout is not None
        said = ""
        for line in self._process.stdout:
            said += line
            if _LAST_LINE in line:
                break
        url, password = _URL.search(said), _PASSWORD.search(said)
        if url is None or password is None:
            raise ValueError("The decision service does not start.")
        self.url, self.password = url[1], password[1]
        self.command += ["--port", self.url.rpartition(":")[2]]

    def _wait_until_ready(self) -> None:
        ends = time.monotonic() + START_SECONDS
        while self._process.poll() is None and time.monotonic() < ends:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.url}/health/ready", timeout=1.0):
                return
            time.sleep(POLL_SECONDS)
        raise ValueError("The decision service does not get ready.")

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
            self._process.send_signal(signal.SIGCONT)  # somebody may have stopped it, as the greeting says
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


_DOORWARD = (sys.executable, "-m", "doorward")


def main() -> int:
    """Serve until Ctrl-C; the exit status."""
    for name in _ENDINGS:  # also whoever closes the terminal leaves nothing behind
        signal.signal(getattr(signal, name), lambda *_: sys.exit(0))
    try:
        with contextlib.ExitStack() as stack:
            return _run(stack)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # before the application serves
        return 0


def _run(stack: contextlib.ExitStack) -> int:
    listener = stack.enter_context(listen(os.environ.get(PORT_VARIABLE, "8000"), PORT_VARIABLE, MAKE))
    port = _free_port(os.environ.get(SERVICE_PORT_VARIABLE, "8710"))
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="doorward-demo-"))
    made_up = names.resolver() is not None
    resolver = stack.enter_context(NameServer()).address if made_up else ""
    service = stack.enter_context(DecisionService(Path(folder), port, resolver))
    feed = Feed()
    app = build(feed, protection(feed, service.url, service.key))
    print(greeting(listener.getsockname()[1], service), flush=True)
    return serve(app, feed, listener)


def _free_port(text: str) -> int:
    """The port of the service, which it has to take itself: found out now whether it can, and said in one line."""
    with listen(text, SERVICE_PORT_VARIABLE, MAKE):
        return int(text)


def greeting(port: int, service: DecisionService) -> str:
    """What to do next."""
    url = f"http://{HOST}:{port}"
    return f"""
doorward demo, application:  {url}/signup   (Ctrl-C ends both)
doorward demo, service:      {service.url}/   password {service.password}

Sign up with the form: a person may, but not with a throw-away address (x@mailinator.com), a mistyped one
(x@@example.com), at a domain without mail (x@nomail.example), or for the sixth time in ten minutes. The service
decides, and its pages show what, by which rule and why. So do they for programs, which may not:

  curl -i {url}/signup -d email=x@example.com

Make the service hang, and sign up again: it goes on locally, limits too, and the terminal says so. Then wake it:

  kill -STOP {service.pid}
  kill -CONT {service.pid}

Or end the service with the first line; the second one starts it again:

  kill {service.pid}
  {" ".join(service.command)}
"""


if __name__ == "__main__":
    sys.exit(main())
