"""The command line.

``doorward limit``, ``doorward ip`` and ``doorward path`` say how a setting will be read. They ask the code that decides
about requests, so that what they say is what will happen. Exit status: 0 for yes (the text is a limit, a client was
found, every path matches), 1 for no, 2 for a wrong argument. The other commands have modules of their own.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from typing import TYPE_CHECKING

import doorward
from doorward.check_cli import add_check
from doorward.client_cli import add_client
from doorward.client_ip import ClientIPPolicy, Proxies
from doorward.data_cli import add_data
from doorward.effects import Algorithm
from doorward.errors import ConfigurationError, DataError
from doorward.eval_cli import add_eval
from doorward.explain_cli import add_explain
from doorward.explaining.addresses import FOUND, Lines, steps
from doorward.forwarded import canonical
from doorward.keys_cli import add_keys
from doorward.limit_sense import idle_quotas, in_words, span
from doorward.named_app import running_since_import
from doorward.patterns import DEFAULT_EXEMPT, RouteMatcher
from doorward.policy_cli import add_policy
from doorward.printable import describe, printable
from doorward.promotion_cli import add_promotion
from doorward.replay_cli import add_replay
from doorward.robots_cli import add_robots
from doorward.rules.limits import text_quotas
from doorward.serve_cli import add_serve
from doorward.store_cli import add_store
from doorward.tail_cli import add_tail
from doorward.unread import Unread, open_closed, to_nowhere

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from doorward.rules.limits import Quota

YES, NO, USAGE, INTERRUPTED = 0, 1, 2, 130
_ENDLESS = ("tail", "serve")
"""What goes on until nobody reads it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status. ``--help``, ``--version`` and wrong usage exit as argparse does."""
    open_closed()
    parsed = _parser().parse_args(arguments)
    try:
        return _run(parsed)
    except (ConfigurationError, DataError) as error:
        problem, status = str(error), USAGE
    except BrokenPipeError:  # of what goes on until nobody reads it
        to_nowhere(sys.stdout)
        return YES
    except OSError as error:
        to_nowhere(sys.stdout)
        named = f"{printable(str(error.filename))}: " if error.filename else ""
        problem, status = f"{named}{error.strerror or describe(error)}", USAGE
    except KeyboardInterrupt:
        problem, status = "interrupted", INTERRUPTED
    with contextlib.suppress(OSError):
        print(f"doorward {parsed.command}: {problem}", file=sys.stderr)
    return status


def _run(parsed: argparse.Namespace) -> int:
    run: Callable[[argparse.Namespace], int] = parsed.run
    if parsed.command in _ENDLESS:
        return run(parsed)
    with contextlib.redirect_stdout(Unread(sys.stdout)):
        try:
            status = run(parsed)
        except SystemExit as error:  # of a function that a rule calls: its status is no answer of ours
            raise DataError("the application", f"has ended the command: {describe(error)}") from error
        sys.stdout.flush()
    return status


def entry() -> None:
    """The command ``doorward``: ends also where threads of an application that it has imported go on."""
    status = main()
    left = running_since_import()
    if left:
        names = ", ".join([printable(thread.name, 40) for thread in left[:3]])
        with contextlib.suppress(OSError):
            print(f"doorward: threads of the application still run, and are not waited for: {names}", file=sys.stderr)
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(status)
    sys.exit(status)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="doorward", description="Ask doorward how it reads a setting, and look after its data and its clients."
    )
    parser.add_argument("--version", action="version", version=f"doorward {doorward.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for add in (
        _add_limit,
        _add_ip,
        _add_path,
        add_robots,
        add_data,
        add_eval,
        add_check,
        add_replay,
        add_client,
        add_explain,
        add_store,
        add_serve,
        add_keys,
        add_tail,
        add_policy,
        add_promotion,
    ):
        add(commands)
    return parser


# --- doorward limit


def _add_limit(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("limit", help="explain a limit such as '5/minute; 100/day'")
    command.add_argument("limit", metavar="LIMIT", help="text as rate_limit(…) takes it")
    algorithms = [algorithm.lower() for algorithm in Algorithm if algorithm is not Algorithm.BAN]
    command.add_argument("--algorithm", choices=algorithms, default="sliding_window", help="default: %(default)s")
    command.set_defaults(run=_limit)


def _limit(arguments: argparse.Namespace) -> int:
    quotas = text_quotas(arguments.limit, Algorithm(arguments.algorithm.upper()), "limit")
    for quota in quotas:
        print(f"- {_describe(quota)}")
    if len(quotas) > 1:
        print("A request has to have room in each of them, and is charged on all or on none.")
    for idle, because in idle_quotas(quotas):
        print(f"Note: {in_words(idle)} can never refuse, since {in_words(because)} refuses before.")
    return YES


def _describe(quota: Quota) -> str:
    units = f"{quota.max} request{'' if quota.max == 1 else 's'}"
    whole, even = span(quota.interval), span(quota.interval // quota.max)
    if quota.algorithm is Algorithm.TOKEN_BUCKET:
        return f"{units} at once; then one every {even}; full again after {whole}"
    if quota.algorithm is Algorithm.FIXED_WINDOW:
        return f"at most {units} in each window of {whole}, which begins and ends by the clock (UTC)"
    return f"at most {units} in any {whole}, wherever it begins; evenly spread, one every {even}"


# --- doorward ip


def _add_ip(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser(
        "ip",
        help="find a request's client address, and say why",
        epilog="example: doorward ip --peer 10.0.0.1 --header 'X-Forwarded-For: 203.0.113.7, 10.0.0.2'",
    )
    command.add_argument("--peer", required=True, help="the other end of the connection; '' for a unix socket")
    command.add_argument("--header", action="append", default=[], metavar="'NAME: VALUE'", help="may be repeated")
    command.add_argument(
        "--proxies",
        default="private",
        help="private (default), none, a number of hops, networks with commas between them, fly, render, vercel",
    )
    command.add_argument("--forwarding-header", metavar="NAME", help="x-forwarded-for or forwarded, as in Proxies(…)")
    command.set_defaults(run=_ip)


def _ip(arguments: argparse.Namespace) -> int:
    lines = [_header(line) for line in arguments.header]
    trusted = _proxies(arguments.proxies.strip())
    policy = _policy(trusted, arguments.forwarding_header)
    request = Lines(lines)
    client = policy.resolve(arguments.peer, request.header)
    print(f"client: {client.address or 'unknown'}  ({FOUND[client.provenance]})")
    for reason in steps(policy, arguments.peer, request, client):
        print(f"- {reason}")
    return YES if client.address else NO


def _header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or not name.strip():
        raise ConfigurationError("--header", f"must be 'NAME: VALUE', not {printable(line)!r}")
    return name.strip().lower(), value.strip()


def _policy(trusted: str | int | tuple[str, ...], header: str | None) -> ClientIPPolicy:
    development = os.environ.get("DOORWARD_ENV", "").strip().lower() == "development"
    proxies = trusted if header is None else Proxies(trusted, header.lower())
    return ClientIPPolicy(proxies, development=development, environ=os.environ)


def _proxies(text: str) -> str | int | tuple[str, ...]:
    if text in ("", "()", "none"):
        return ()
    if text.isascii() and text.isdigit():
        return int(text[:9])
    if "," in text or canonical(text.partition("/")[0]) is not None:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    return text


# --- doorward path


def _add_path(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("path", help="say which paths a pattern such as 'POST /api/*' is for")
    command.add_argument("pattern", metavar="PATTERN", help="as limits={…}, paths=, include= and exclude= take it")
    command.add_argument("paths", metavar="PATH", nargs="+", help="as the framework routes it: decoded, without query")
    command.add_argument("--method", default="GET", help="of the request; default: %(default)s")
    command.set_defaults(run=_path)


def _path(arguments: argparse.Namespace) -> int:
    matcher = RouteMatcher([arguments.pattern], field="pattern", overlong=True)
    exempt = RouteMatcher([route for group in DEFAULT_EXEMPT for route in group.routes()], field="exempt")
    status = YES
    for path in arguments.paths:
        matches = matcher.match(arguments.method, path) is not None
        note = "  (but middleware leaves it alone by default)" if exempt.match(arguments.method, path) else ""
        print(f"{'yes' if matches else 'no '}  {arguments.method.upper()} {printable(path)}{note}")
        status = status if matches else NO
    return status
