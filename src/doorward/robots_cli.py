"""``doorward robots``: a robots.txt that says what a bot rule does, and keeps good crawlers out of honeypots."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from doorward.errors import ConfigurationError
from doorward.printable import describe, printable

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from doorward.rules.base import Rule
    from doorward.rules.bots import BotRule
    from doorward.rules.honeypots import HoneypotRule


def add_robots(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to those of ``doorward``."""
    command = commands.add_parser(
        "robots",
        help="write a robots.txt that says what a bot rule does",
        epilog="example: doorward robots --allow CATEGORY:SEARCH_ENGINE --sitemap https://example.com/sitemap.xml. "
        "Of --app and --rules, the traps of honeypots are disallowed to everybody.",
    )
    source = command.add_mutually_exclusive_group(required=True)
    source.add_argument("--app", metavar="MODULE:NAME", help="the rules of this Doorward or AsyncDoorward")
    source.add_argument("--rules", metavar="FILE", help="the rules of this policy file")
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

    named = arguments.app or arguments.rules
    if named:
        rule, honeypots = _of_rules(_rules_of(arguments), "--app" if arguments.app else "--rules", named)
    else:
        rule, honeypots = detect_bot(allow=arguments.allow, deny=arguments.deny), []
    disallow, sitemap = arguments.disallow or ("/",), arguments.sitemap
    sys.stdout.write(robots_txt(rule, disallow=disallow, sitemap=sitemap, honeypots=honeypots))
    _warn_of_expressions(honeypots)
    return 0


def _rules_of(arguments: argparse.Namespace) -> list[Rule]:
    """The rules of a policy file, or of a client that is named as servers name applications."""
    from doorward.facade import Facade

    if arguments.rules:
        from doorward.policy import load  # brings pydantic

        return list(load(arguments.rules).rules)
    client = _imported(arguments.app)
    if not isinstance(client, Facade):
        kind = type(client).__name__
        raise ConfigurationError("--app", f"{arguments.app} is a {kind}, not a Doorward or AsyncDoorward")
    return [bound.rule for bound in client.engine.bound]


def _of_rules(rules: Sequence[Rule], option: str, named: str) -> tuple[BotRule, list[HoneypotRule]]:
    """The one bot rule, and the honeypots; where there are only those, bots are let in everywhere else."""
    from doorward.builders.bots import detect_bot
    from doorward.rules.bots import BotRule
    from doorward.rules.honeypots import HoneypotRule

    bots = [rule for rule in rules if isinstance(rule, BotRule)]
    honeypots = [rule for rule in rules if isinstance(rule, HoneypotRule)]
    if len(bots) > 1 or not (bots or honeypots):
        problem = f"{named} has {len(bots) or 'no'} bot rules; give its --allow or --deny instead"
        raise ConfigurationError(option, problem)
    return bots[0] if bots else detect_bot(deny=[]), honeypots


def _warn_of_expressions(honeypots: Sequence[HoneypotRule]) -> None:
    from doorward.rules.honeypots import REGEX

    for trap in [trap for honeypot in honeypots for trap in honeypot.traps if trap.lower().startswith(REGEX)]:
        print(f"no robots.txt can say the trap {printable(trap)}: a good crawler may fall in", file=sys.stderr)


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
