"""``doorward keys``: the keys that applications show to the decision service."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from doorward.clock import NANOSECONDS
from doorward.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doorward.service.server.key_file import KeyRow
    from doorward.service.server.keys import Keys, NewKey

YES, NO = 0, 1
_URL = "http://127.0.0.1:8710"
_EPILOG = """examples:
  doorward keys add shop --quota 1000/second --note "the shop in Paris"
  doorward keys list
  doorward keys rotate shop --grace 7d        a new key; the others end in a week
  doorward keys revoke 4k2mzq81               one key, by its id
  doorward keys revoke shop                   all keys of a site

A site is an application: it sees its own decisions only. A key is shown once, when it is made; what is kept is its
SHA-256. A running service knows of a change within a second.

Exit status: 0 done; 1 there was nothing to do; 2 a wrong argument, or the file cannot be used.
"""


def add_keys(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    keys = commands.add_parser(
        "keys",
        help="make, list, rotate or revoke the keys of a decision service",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = keys.add_subparsers(dest="action", required=True, metavar="ACTION")
    add = _add(actions, "add", _make, "make a key for a site")
    add.add_argument("site", metavar="SITE", help="letters, digits, - and _; it may have keys already")
    add.add_argument(
        "--quota", default="", metavar="LIMIT", help="of its decisions, such as 1000/second; default: none"
    )
    add.add_argument("--note", default="", metavar="TEXT", help="for whoever reads the list")
    add.add_argument("--expires", metavar="TIME", help="after which it ends, such as 90d; default: never")
    _add(actions, "list", _list, "all keys, without what is secret of them")
    rotate = _add(actions, "rotate", _rotate, "make a new key for a site, and let its others end")
    rotate.add_argument("site", metavar="SITE", help="that has a key")
    rotate.add_argument("--grace", default="7d", metavar="TIME", help="until then; 0 for now; default: %(default)s")
    revoke = _add(actions, "revoke", _revoke, "refuse a key, or all keys of a site, from now on")
    revoke.add_argument("name", metavar="KEY_ID|SITE", help="as the list has it")


def _add(
    actions: argparse._SubParsersAction[argparse.ArgumentParser], name: str, run: object, about: str
) -> argparse.ArgumentParser:
    action = actions.add_parser(name, help=about, description=about)
    where = "of the service; default: $DOORWARD_SERVICE_FOLDER, $DOORWARD_FOLDER or ./doorward-service"
    action.add_argument("--folder", type=Path, metavar="PATH", help=where)
    action.add_argument("--json", action="store_true", help="for programs")
    action.set_defaults(run=run)
    return action


def _keys(arguments: argparse.Namespace) -> Keys:
    from doorward.service.server.folder import KEYS, service_folder
    from doorward.service.server.keys import Keys

    return Keys(service_folder(arguments.folder) / KEYS)


# --- the actions


def _make(arguments: argparse.Namespace) -> int:
    new = _keys(arguments).add(
        arguments.site, quota=arguments.quota, note=arguments.note, expires=arguments.expires or None
    )
    return _show(arguments, new, "")


def _rotate(arguments: argparse.Namespace) -> int:
    grace = float(arguments.grace) if arguments.grace.isdecimal() and arguments.grace.isascii() else arguments.grace
    new = _keys(arguments).rotate(arguments.site, grace=grace)
    return _show(arguments, new, f"The other keys of {new.row.site} end in {arguments.grace}.")


def _show(arguments: argparse.Namespace, new: NewKey, also: str) -> int:
    if arguments.json:
        print(json.dumps({"key": new.token, **_document(new.row)}, indent=1))
        return YES
    print(f"The key of {new.row.site}, which is shown this once:\n\n  {new.token}\n")
    print(f"The application asks the service with it:\n\n  from doorward import Doorward\n  {_call(new.token)}\n")
    if also:
        print(also)
    print(f"A running service knows the key within a second. To take it back: doorward keys revoke {new.row.id}")
    return YES


def _call(token: str) -> str:
    return f'aj = Doorward(rules=[…], service="{_URL}", key="{token}")'


def _list(arguments: argparse.Namespace) -> int:
    rows = _keys(arguments).list()
    if arguments.json:
        print(json.dumps([_document(row) for row in rows], indent=1))
    elif not rows:
        print("there are no keys: `doorward keys add SITE` makes one")
    else:
        _print_table([("KEY", "SITE", "MADE", "USED", "ENDS", "QUOTA", "NOTE"), *map(_line, rows)])
    return YES


def _revoke(arguments: argparse.Namespace) -> int:
    gone = _keys(arguments).revoke(arguments.name)
    if arguments.json:
        print(json.dumps({"revoked": [row.id for row in gone]}, indent=1))
    elif gone:
        count = f"{len(gone)} key{'' if len(gone) == 1 else 's'}"
        print(f"{count} of {gone[0].site} revoked: refused by a running service within a second")
    else:
        print(f"no key and no site is called {printable(arguments.name)}")
    return YES if gone else NO


# --- how keys are shown


def _document(row: KeyRow) -> dict[str, object]:
    return {
        "id": row.id,
        "site": row.site,
        "made": _time(row.made_ns) or None,
        "used": _time(row.used_ns) or None,
        "ends": _time(row.ends_ns) or None,
        "quota": row.quota,
        "note": row.note,
    }


def _line(row: KeyRow) -> tuple[str, ...]:
    ends = _time(row.ends_ns) or "never"
    times = (_time(row.made_ns), _time(row.used_ns) or "never", ends)
    return tuple(printable(text) for text in (row.id, row.site, *times, row.quota or "-", row.note))


def _time(at_ns: int) -> str:
    return f"{datetime.fromtimestamp(at_ns / NANOSECONDS, UTC):%Y-%m-%dT%H:%M:%SZ}" if at_ns else ""


def _print_table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
