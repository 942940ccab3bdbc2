"""``doorward serve``: the decision service."""

from __future__ import annotations

import argparse
import os
from importlib.util import find_spec
from ipaddress import ip_address
from typing import TYPE_CHECKING

import doorward
from doorward.errors import ConfigurationError

if TYPE_CHECKING:
    import socket

    from doorward.service.server.settings import ServiceSettings

HOST, PORT = "127.0.0.1", 8710
MOST_WORKERS = 256
_EPILOG = """examples:
  doorward serve
  doorward serve --host 0.0.0.0 --certificate server.pem --private-key server.key --workers 4
  doorward serve --store redis://counters.example --folder /var/lib/doorward

Settings come from the variables DOORWARD_SERVICE_FOLDER, DOORWARD_SERVICE_STORE and so on; what is said here goes
before them. Any other ASGI server can run doorward.service.app:app with the same variables.

Exit status: 0 when it was told to stop, 1 when its workers would not run, 2 for a wrong argument or a taken port.
"""


def add_serve(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    serve = commands.add_parser(
        "serve",
        help="run the decision service, for several applications, hosts and languages",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = serve.add_argument
    add("--host", default=HOST, help="address to listen on; default: %(default)s")
    add("--port", type=int, default=PORT, help="default: %(default)s; 0 for any that is free")
    add("--workers", type=int, default=1, metavar="N", help="processes; default: %(default)s")
    add("--folder", metavar="PATH", help="for keys, decisions and counters; default: ./doorward-service")
    add("--store", metavar="URL", help="where counters live; default: shared:// in the folder")
    add("--resolver", metavar="SERVER", help="name servers with commas between them, instead of the system's")
    add("--timeout", metavar="SECONDS", help="for a decision's remote work when a client names none; default: 0.4")
    add("--body-limit", metavar="BYTES", help="of one message; default: 4194304")
    add("--log-days", metavar="DAYS", help="that decisions are kept; default: 30")
    add("--log-rows", metavar="N", help="the most decisions that are kept; default: 1000000")
    add("--proxies", help="hops that are trusted to name the other end; default: private")
    add("--no-pages", dest="pages", action="store_const", const="off", help="without the pages")
    add(
        "--admin-password-file",
        metavar="PATH",
        help="hash of the pages' password; default: admin.password in the folder",
    )
    add("--certificate", metavar="PEM", help="for TLS")
    add("--private-key", metavar="PEM", help="for TLS")
    add("--drain", metavar="SECONDS", help="between not ready and the end, upon SIGTERM; default: 0")
    serve.set_defaults(run=_serve)


_OPTIONS = (
    "folder", "store", "resolver", "timeout", "body_limit", "log_days", "log_rows", "proxies", "pages",
    "admin_password_file", "certificate", "private_key", "drain",
)  # fmt: skip


def _serve(arguments: argparse.Namespace) -> int:
    from doorward.service.server.launch import listen, run, server_name
    from doorward.service.server.parts import make_folder

    settings = _settings(arguments)
    if arguments.workers > 1 and isinstance(settings.store, str) and settings.store.startswith("memory:"):
        raise ConfigurationError("--store", "memory:// belongs to one process; several need shared:// or redis://")
    server = server_name()
    make_folder(settings)
    listener = listen(arguments.host, arguments.port)
    _introduce(settings, listener, server)
    if arguments.workers > 1:
        return _supervise(arguments.workers, listener, settings)
    from doorward.service.server.application import create_app

    run(create_app(settings), listener, settings)
    return 0


def _supervise(workers: int, listener: socket.socket, settings: ServiceSettings) -> int:
    from doorward.service.server.supervisor import Supervisor

    return Supervisor(workers, listener, settings.to_environ()).run()


def _settings(arguments: argparse.Namespace) -> ServiceSettings:
    """The settings of the environment, with the arguments before them; mistakes are named as they were written."""
    from doorward.service.server.settings import PREFIX, ServiceSettings

    if not 1 <= arguments.workers <= MOST_WORKERS:
        raise ConfigurationError("--workers", f"must be from 1 to {MOST_WORKERS}, not {arguments.workers}")
    if not 0 <= arguments.port <= 65535:
        raise ConfigurationError("--port", f"must be from 0 to 65535, not {arguments.port}")
    given = {
        PREFIX + name.upper(): getattr(arguments, name) for name in _OPTIONS if getattr(arguments, name) is not None
    }
    try:
        return ServiceSettings.from_environ({**os.environ, **given})
    except ConfigurationError as error:
        if error.field in given:
            option = "--" + error.field.removeprefix(PREFIX).lower().replace("_", "-")
            raise ConfigurationError(option, error.problem) from None
        raise


# --- what a first-time user needs


def _introduce(settings: ServiceSettings, listener: socket.socket, server: str) -> None:
    from doorward.service.server.launch import HYPERCORN

    scheme = "https" if settings.certificate else "http"
    host, port = listener.getsockname()[:2]
    url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
    more = "; HTTP/2, which @arcjet/node needs, comes with pip install 'doorward[arcjet]'"
    speaks = "HTTP/1.1" + (" and HTTP/2" if server == HYPERCORN else more)
    lines = [
        f"doorward {doorward.__version__} decision service on {url}",
        f"  speaks   {speaks}",
        f"  keeps    keys and decisions in {settings.folder}",
        f"  pages    {_pages(settings, url)}",
        f"  keys     {_keys(settings)}",
        f"  clients  Doorward(..., service={url!r}, key=...)",
        "  Ctrl-C ends it.",
    ]
    if not settings.certificate and not _is_loopback(host):
        lines.append("WARNING: keys and visitors' data pass in clear text: give --certificate and --private-key, "
                     "or put a proxy with TLS in front.")  # fmt: skip
    print("\n".join(lines), flush=True)


def _pages(settings: ServiceSettings, url: str) -> str:
    if not settings.pages:
        return "off"
    if find_spec("jinja2") is None:
        return "missing: pip install 'doorward[service]'"
    path = settings.password_path
    if path.exists():
        return f"{url}/  password as shown at the first start; delete {path} for a new one"
    from doorward.service.server import login

    password = login.first_password()
    login.set_password(path, password)
    return f"{url}/  password {password}  (made now, and shown only this once)"


def _keys(settings: ServiceSettings) -> str:
    from doorward.service.server.keys import Keys

    keys = Keys(settings.keys_path)
    try:
        count = len(keys.list()) if settings.keys_path.exists() else 0  # the first key makes the file
    finally:
        keys.close()
    make = f"doorward keys add SITE --folder {settings.folder}"
    return f"{count} in use; another one:  {make}" if count else f"none yet; make one:  {make}"


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


__all__ = ["add_serve"]
