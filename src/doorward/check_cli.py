"""``doorward check``: what is wrong with a client's rules, and with where it is to run."""

from __future__ import annotations

import argparse
import json
import os
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doorward.errors import ConfigurationError
from doorward.named_app import load_app
from doorward.presets import PREFIX
from doorward.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from doorward.checks import Finding
    from doorward.facade import Facade

NOTHING, FINDINGS = 0, 1
_POLICIES = (".toml", ".yaml", ".yml")
_EPILOG = """examples:
  doorward check myapp:aj
  doorward check policy.toml --fail-on error
  doorward check myapp:aj --silence DW033,DW031:everything --json

It looks at the rules, at the environment of this process, and at the data files; it asks no server. Run it where the
application runs, or with its environment. docs/check.md explains each code. DOORWARD_SILENCE silences, too.

Exit status: 0 nothing to say (notes do not count); 1 there are findings; 2 a wrong argument.
"""


def add_check(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    command = commands.add_parser(
        "check",
        help="find rules that cannot work, and settings that will hurt",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("target", metavar="MODULE:NAME|POLICY", help="your Doorward object, or a file of rules")
    command.add_argument("--json", action="store_true", help="for programs: a list of findings")
    command.add_argument(
        "--silence", action="append", default=[], metavar="CODES", help="such as DW033, or DW033:signup for one rule"
    )
    command.add_argument(
        "--fail-on", choices=("warning", "error"), default="warning", help="exit with 1 from here on; default: warning"
    )
    command.add_argument("--data", metavar="FOLDER", help="what `doorward data update` fills; default: the client's")
    command.set_defaults(run=_check)


def _check(arguments: argparse.Namespace) -> int:
    from doorward.checks import LEVELS, findings_of, parse_silence
    from doorward.checks.subject import subject_of

    codes = [code for text in arguments.silence for code in text.split(",") if code.strip()]
    silenced = parse_silence(codes, "--silence")
    # The command line is this command's: of the application's server it says nothing.
    subject = subject_of(_client(arguments.target), os.environ, (), data=_folder(arguments.data))
    found = findings_of(subject, silenced)
    if arguments.json:
        print(json.dumps([finding._asdict() for finding in found], indent=1))
    else:
        for line in _lines(found):
            print(line)
    worst = LEVELS.index(arguments.fail_on)
    return FINDINGS if any(LEVELS.index(finding.level) >= worst for finding in found) else NOTHING


def _client(target: str) -> Facade:
    if not (target.endswith(_POLICIES) or target.startswith(PREFIX)):
        return load_app(target, "MODULE:NAME")
    policy: Any = import_module("doorward.policy")  # brings pydantic
    client: Facade = policy.load(target).client()
    return client


def _folder(data: str | None) -> Path | None:
    if data is not None and not Path(data).is_dir():
        raise ConfigurationError("--data", f"must be a folder that is there, not {printable(data)!r}")
    return None if data is None else Path(data)


def _lines(found: Sequence[Finding]) -> Iterator[str]:
    for code, level, rule, message, hint in found:
        yield f"{code} {level}{': ' + printable(rule) if rule else ''}"
        yield f"  {message}"
        yield f"  -> {hint}"
    yield _summary(found)


def _summary(found: Sequence[Finding]) -> str:
    if not found:
        return "nothing to say"
    counts = [(level, sum(finding.level == level for finding in found)) for level in ("error", "warning", "note")]
    return ", ".join(f"{count} {level}{'' if count == 1 else 's'}" for level, count in counts if count)
