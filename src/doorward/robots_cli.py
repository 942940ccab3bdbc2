"""``doorward robots``: a robots.txt that says what a bot rule does."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from doorward.errors import ConfigurationError
from doorward.printable import describe

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from doorward.rules.bots import BotRule


def add_robots(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to those of ``doorward``."""
    command = commands.add_parser(
        "robots",
        help="write a robots.txt that says what a bot rule does",
        epilog="example: doorward robots --allow CATEGORY:SEARCH_ENGINE --sitemap https://example.com/sitemap.xml",
    )
    source = command.add_mutually_exclusive_group(required=True)
    source.add_argument("--app", metavar="MODULE:NAME", help="the bot rule of this Doorward or AsyncDoorward")
    source.add_argument("--allow", nargs="*", metavar="BOT", help="ids and categories that pass; none when empty")
    source.add_argument("--deny", nargs="+", metavar="BOT", help="ids and categories that do not")
    command.add_argument(
        "--disallow", action="append", metavar="PATH", help="what the others may not fetch; may be repeated; default: /"
    )
    command.add_argument("--sitemap", action="append", default=[], metavar="URL", help="may be repeated")
    command.set_defaults(run=_robots)


def _robots(arguments: argparse.Namespace) -> int:
    from doorward.builders.bots import detect_bot
    from doorward.robots import robots_txt

    rule = _rule_of(arguments.app) if arguments.app else detect_bot(allow=arguments.allow, deny=arguments.deny)
    sys.stdout.write(robots_txt(rule, disallow=arguments.disallow or ("/",), sitemap=arguments.sitemap))
    return 0


def _rule_of(app: str) -> BotRule:
    """The one bot rule of a client that is named as servers name applications."""
    from doorward.facade import Facade
    from doorward.rules.bots import BotRule

    client = _imported(app)
    if not isinstance(client, Facade):
        raise ConfigurationError("--app", f"{app} is a {type(client).__name__}, not a Doorward or AsyncDoorward")
    rules = [bound.rule for bound in client.engine.bound if isinstance(bound.rule, BotRule)]
    if len(rules) != 1:
        raise ConfigurationError(
            "--app", f"{app} has {len(rules) or 'no'} bot rules; give its --allow or --deny instead"
        )
    return rules[0]


def _imported(app: str) -> object:
    module, colon, names = app.partition(":")
    if not (module and colon and names):
        raise ConfigurationError("--app", f"must be MODULE:NAME, such as myapp.protection:aj, not {app!r}")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)  # as servers do: a script's own path is where the script is
    try:
        found: object = import_module(module)
    except Exception as error:  # it is the user's code
        raise ConfigurationError("--app", f"{module} cannot be imported: {describe(error)}") from error
    return _attribute(found, names.split("."), app)


def _attribute(found: object, names: Sequence[str], app: str) -> object:
    for name in names:
        try:
            found = getattr(found, name)
        except AttributeError as error:
            raise ConfigurationError("--app", f"{app}: {describe(error)}") from error
    return found
