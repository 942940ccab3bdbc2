"""``doorward client``: how one client stands, and what operators do about it, by plain value."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from typing import TYPE_CHECKING, Any

from doorward.errors import ConfigurationError
from doorward.named_app import load_app
from doorward.printable import describe, printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from doorward.admin import ClientState
    from doorward.client import AsyncDoorward, Doorward

YES, NO, UNREACHABLE = 0, 1, 3
_EPILOG = """examples:
  doorward client show ip.src=203.0.113.9 --app myapp:aj
  doorward client reset userId=42 --app myapp:aj
  doorward client ban 203.0.113.9 --for 2h --store redis://localhost
  doorward client bans --store shared:///run/myapp/doorward --json

--app names your Doorward object, as servers name applications; it is imported here. Where it counts by address, --store
(and --name, if it has one) does for bans. A store in memory:// belongs to its process and cannot be reached from here.

Exit status: 0 done, and for show: the client may pass; 1 there was nothing to do, and for show: it is refused;
2 a wrong argument; 3 the store cannot answer.
"""


def add_client(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    client = commands.add_parser(
        "client",
        help="show, reset, ban or unban one client, in the store of a running application",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = client.add_subparsers(dest="action", required=True, metavar="ACTION")
    _add(actions, "show", _show, "how it stands with each limit, and whether it is banned", rules=True)
    _add(actions, "reset", _reset, "forget what it has used; a ban stays", rules=True)
    ban = _add(actions, "ban", _ban, "refuse it, whatever the rules say")
    ban.add_argument(
        "--for", dest="duration", default="1h", metavar="TIME", help="such as 90s, 2h; default: %(default)s"
    )
    _add(actions, "unban", _unban, "lift its ban")
    _add(actions, "bans", _bans, "all bans there are; addresses are kept as hashes only", value=False)


def _add(
    actions: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Any,
    about: str,
    *,
    rules: bool = False,
    value: bool = True,
) -> argparse.ArgumentParser:
    action = actions.add_parser(name, help=about, description=about)
    if value:
        what = "its address, the value of your characteristic, or NAME=VALUE for each of several"
        action.add_argument("value", metavar="VALUE", nargs="+", help=what)
    where = action.add_mutually_exclusive_group(required=True)
    where.add_argument("--app", metavar="MODULE:NAME", help="where your Doorward object is, such as myapp:aj")
    if not rules:
        where.add_argument("--store", metavar="URL", help="the store, where clients are known by their address")
        action.add_argument("--name", default="default", help="of the Doorward object; default: %(default)s")
    action.add_argument("--json", action="store_true", help="for programs")
    action.set_defaults(run=run)
    return action


# --- the actions


def _show(arguments: argparse.Namespace) -> int:
    state: ClientState | None = _asked(arguments, "peek", _client(arguments.value))
    if state is None:
        return UNREACHABLE
    refused = state.banned_for is not None or state.refused_for or any(r.remaining < 1 for r in state.limits.values())
    if arguments.json:
        _print_json(_state(state))
    else:
        for line in _lines(state):
            print(line)
    return NO if refused else YES


def _reset(arguments: argparse.Namespace) -> int:
    count = _asked(arguments, "reset", _client(arguments.value))
    return _tell(
        arguments,
        "forgotten",
        count,
        f"{count} counter{'' if count == 1 else 's'} forgotten" if count else "there was nothing to forget",
    )


def _ban(arguments: argparse.Namespace) -> int:
    done = _asked(arguments, "ban", _client(arguments.value), arguments.duration)
    return _tell(arguments, "banned", done, f"banned for {arguments.duration}")


def _unban(arguments: argparse.Namespace) -> int:
    lifted = _asked(arguments, "unban", _client(arguments.value))
    return _tell(arguments, "lifted", lifted, "the ban is lifted" if lifted else "it was not banned")


def _bans(arguments: argparse.Namespace) -> int:
    bans: dict[str, float] | None = _asked(arguments, "bans")
    if bans is None:
        return UNREACHABLE
    if arguments.json:
        _print_json(bans)
    elif not bans:
        print("nobody is banned")
    else:
        for fingerprint, left in sorted(bans.items(), key=lambda ban: ban[1]):
            print(f"{printable(fingerprint)}  {left:.0f} s left")
    return YES


def _tell(arguments: argparse.Namespace, name: str, figure: object, sentence: str) -> int:
    if figure is None:
        return UNREACHABLE
    if arguments.json:
        _print_json({name: figure})
    else:
        print(sentence)
    return YES if figure else NO


def _print_json(document: object) -> None:
    print(json.dumps(document, indent=1))


def _state(state: ClientState) -> dict[str, object]:
    return {
        "banned_seconds": state.banned_for,
        "refused_seconds": state.refused_for,
        "limits": {
            name: {
                "max": reason.max,
                "remaining": reason.remaining,
                "reset_seconds": reason.reset_seconds,
                "window_seconds": reason.window_seconds,
            }
            for name, reason in state.limits.items()
        },
    }


def _lines(state: ClientState) -> list[str]:
    banned = "not banned" if state.banned_for is None else f"banned for {state.banned_for:.0f} s more"
    suspected = [f"{name}: refused for {left:.0f} s for what it sent" for name, left in state.refused_for.items()]
    return [banned, *suspected, *[f"{name}: {reason.explain()}" for name, reason in state.limits.items()]]


# --- whom to ask


def _asked(arguments: argparse.Namespace, method: str, *values: object) -> Any:
    """What the client's ``method`` answers, True where that is nothing; None, said on stderr, if the store cannot."""
    aj = load_app(arguments.app) if arguments.app else _of_store(arguments)
    if type(aj.runtime.store).__name__ == "MemoryStore":
        where = "--app" if arguments.app else "--store"
        raise ConfigurationError(
            where, "memory:// belongs to the process of the application: it cannot be reached here"
        )
    try:
        answer = _call(aj, method, values)
    except ConfigurationError:
        raise
    except Exception as error:  # of a store of somebody's, any
        print(f"doorward client: the store cannot answer: {printable(describe(error), 300)}", file=sys.stderr)
        return None
    return True if answer is None else answer


def _call(aj: Doorward | AsyncDoorward, method: str, values: Sequence[object]) -> Any:
    from doorward.client import Doorward

    if isinstance(aj, Doorward):
        with aj:
            return getattr(aj, method)(*values)

    async def ask() -> Any:
        async with aj:
            return await getattr(aj, method)(*values)

    return asyncio.run(ask())


def _client(values: Sequence[str]) -> str | Mapping[str, str]:
    """A plain value, or values by the names of their characteristics."""
    if len(values) == 1 and "=" not in values[0]:
        return values[0]
    named = {name: value for name, equals, value in [text.partition("=") for text in values] if equals}
    if len(named) < len(values):
        raise ConfigurationError("VALUE", f"several must each be NAME=VALUE, and each name once: {' '.join(values)!r}")
    return named


def _of_store(arguments: argparse.Namespace) -> Doorward:
    from doorward.client import Doorward

    return Doorward([], store=arguments.store, name=arguments.name)
