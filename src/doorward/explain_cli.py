"""``doorward explain``: what would happen to one request, rule by rule."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doorward.clock import NANOSECONDS
from doorward.errors import ConfigurationError
from doorward.printable import printable

if TYPE_CHECKING:
    from doorward.explaining.explanation import Explanation
    from doorward.facade import Facade

ALLOWED, REFUSED = 0, 1
_EARLIEST, _LATEST = 0, 7_258_118_400  # 1970 and 2200
_EPILOG = """examples:
  doorward explain --app myapp:aj --url 'https://shop.example/signup' --method POST --ip 203.0.113.7
  doorward explain --app myapp:aj --url '/search?q=1%27+or+1=1--' --header 'User-Agent: Mozilla/5.0' --ip 203.0.113.7
  doorward explain --rules policy.toml --url /signup --method POST --email a@b.example --set userId=42 --times 6
  doorward explain --app myapp:aj --curl "curl 'https://shop.example/' -H 'accept: */*'" --ip 203.0.113.7

It decides on a double of your Doorward object: nothing is charged, no counter of the real store is looked at, nobody is
asked over the network (--online allows look-ups). Rules that decorators give to routes are not part of it.

Without --email, --set and --requested it asks as middleware does, which leaves rules that need them to protect in your
handler; with any of them, or with --handler, it asks as that.

Exit status: 0 the request is allowed; 1 it is denied or challenged; 2 a wrong argument.
"""


def add_explain(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    command = commands.add_parser(
        "explain",
        help="say, rule by rule, what would happen to one request",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    rules = command.add_mutually_exclusive_group(required=True)
    rules.add_argument("--app", metavar="MODULE:NAME", help="where your Doorward object is, such as myapp:aj")
    rules.add_argument("--rules", metavar="FILE", help="a policy file, TOML or YAML")
    _add_request(command)
    _add_circumstances(command)
    command.add_argument("--json", action="store_true", help="for programs")
    command.set_defaults(run=_explain)


def _add_request(command: argparse.ArgumentParser) -> None:
    what = command.add_mutually_exclusive_group(required=True)
    what.add_argument("--url", help="such as https://shop.example/signup?x=1, or the path alone")
    what.add_argument("--curl", metavar="LINE", help="a command line of curl, as browsers copy it; it is not run")
    command.add_argument("--method", default="", help="default: GET; POST with a body")
    command.add_argument("--header", action="append", default=[], metavar="'NAME: VALUE'", help="may be repeated")
    command.add_argument("--body", metavar="TEXT|@FILE|-", help="text, a file, or standard input")
    about = "the other end of the connection; proxies of yours name the client in a --header"
    command.add_argument("--ip", "--peer", dest="peer", default="", metavar="ADDRESS", help=about)


def _add_circumstances(command: argparse.ArgumentParser) -> None:
    command.add_argument("--email", help="as the handler gives it to protect")
    command.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a characteristic of your own; may be repeated"
    )
    command.add_argument("--requested", type=int, metavar="UNITS", help="as the handler gives it to protect")
    command.add_argument("--handler", action="store_true", help="ask as protect in a handler, though nothing is given")
    command.add_argument("--times", type=int, default=1, metavar="N", help="send it N times in a row; explain the last")
    command.add_argument("--at", metavar="TIME", help="ISO 8601 (UTC unless it says otherwise) or epoch seconds")
    command.add_argument("--online", action="store_true", help="let rules ask your resolver and other hosts")


def _explain(arguments: argparse.Namespace) -> int:
    from doorward.explaining.explanation import MOST_TIMES
    from doorward.explaining.text import as_json, in_full

    if not 1 <= arguments.times <= MOST_TIMES:
        raise ConfigurationError("--times", f"must be from 1 to {MOST_TIMES}")
    explanation = _explanation(arguments)
    if arguments.json:
        print(json.dumps(as_json(explanation), indent=1))
    else:
        for line in in_full(explanation):
            print(line)
    return ALLOWED if explanation.decision.is_allowed() else REFUSED


def _explanation(arguments: argparse.Namespace) -> Explanation:
    from doorward.explaining.explanation import explain
    from doorward.progress import NOT_GIVEN, Inputs, given

    values = given(NOT_GIVEN if arguments.email is None else arguments.email)
    inputs = Inputs(values, _characteristics(arguments.set), arguments.requested)
    now_ns = _time(arguments.at)
    asked = _request(arguments)
    client = _client(arguments)
    return explain(
        client,
        _made(asked, arguments, client),
        inputs,
        now_ns=now_ns,
        handler=arguments.handler or bool(values or inputs.characteristics) or arguments.requested is not None,
        times=arguments.times,
        online=arguments.online,
    )


def _client(arguments: argparse.Namespace) -> Facade:
    if arguments.app:
        from doorward.named_app import load_app

        return load_app(arguments.app)
    policy: Any = importlib.import_module("doorward.policy")
    client: Facade = policy.load(arguments.rules).client()
    return client


# --- the request


def _request(arguments: argparse.Namespace) -> dict[str, Any]:
    """The arguments of ``asked_request``; what is typed beside a line of curl goes before it."""
    body = _body(arguments.body)
    if arguments.curl is None:
        return {"url": arguments.url, "method": arguments.method, "headers": arguments.header, "body": body}
    from doorward.explaining.curl import read_curl

    curl = read_curl(arguments.curl)
    typed = {line.partition(":")[0].strip().lower() for line in arguments.header}
    kept = [line for line in curl.headers if line.partition(":")[0].strip().lower() not in typed]
    pasted = None if curl.body is None else curl.body.encode("utf-8", "surrogateescape")
    return {
        "url": curl.url,
        "method": arguments.method or curl.method,
        "headers": [*kept, *arguments.header],
        "body": pasted if body is None else body,
    }


def _made(asked: dict[str, Any], arguments: argparse.Namespace, client: Facade) -> Any:
    from doorward.explaining.request import asked_request

    return asked_request(peer=arguments.peer, configured_limit=client.runtime.settings.body_limit, **asked)


def _body(text: str | None) -> bytes | None:
    from doorward.explaining.request import LONGEST_BODY

    if text is None:
        return None
    if text == "-":
        data = sys.stdin.buffer.read(LONGEST_BODY + 1)
    elif text.startswith("@"):
        try:
            with Path(text[1:]).open("rb") as file:
                data = file.read(LONGEST_BODY + 1)
        except (OSError, ValueError) as error:
            raise ConfigurationError("--body", f"cannot be read: {printable(str(error))}") from error
    else:
        data = text.encode("utf-8", "surrogateescape")
    if len(data) > LONGEST_BODY:
        raise ConfigurationError("--body", f"has more than {LONGEST_BODY} bytes")
    return data


def _characteristics(pairs: list[str]) -> dict[str, str]:
    found = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise ConfigurationError("--set", f"must be NAME=VALUE, not {printable(pair, 60)!r}")
        found[name] = value
    return found


def _time(text: str | None) -> int:
    if text is None:
        return time.time_ns()
    try:
        found = datetime.fromtimestamp(float(text), UTC) if _is_number(text) else datetime.fromisoformat(text)
        seconds = (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError, OSError):
        seconds = -1.0
    if not _EARLIEST <= seconds <= _LATEST:
        raise ConfigurationError(
            "--at", f"must be such as 2026-07-01T12:00:00Z or epoch seconds, not {printable(text, 40)!r}"
        )
    return round(seconds * NANOSECONDS)


def _is_number(text: str) -> bool:
    return len(text) <= 20 and text.replace(".", "", 1).isdecimal()
