"""``doorward policy``: whether a policy file is right, what may stand in it, and what two of them differ in."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doorward.named_app import load_app
from doorward.presets import PREFIX
from doorward.printable import printable

if TYPE_CHECKING:
    from doorward.policy import Mistake, Policy, PolicyError
    from doorward.policy.described import Side
    from doorward.policy.diff import Diff

RIGHT, WRONG, UNUSABLE = 0, 1, 2
EQUAL, DIFFERENT = 0, 1
_EPILOG = """examples:
  doorward policy check policy.toml
  doorward policy schema > policy.schema.json
  doorward policy diff main.toml policy.toml
  doorward policy diff myapp:aj policy.toml --markdown

Where a file is named, MODULE:NAME may be, for the rules of an application, which is imported here.

Exit status: check: 0 every file is right, 1 one is not, 2 one cannot be read; diff: 0 equal, 1 different, 2 a wrong
argument or file.
"""


def add_policy(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    policy = commands.add_parser(
        "policy",
        help="check and compare policy files, and print their JSON Schema",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = policy.add_subparsers(dest="action", required=True, metavar="ACTION")
    check = actions.add_parser("check", help="find every mistake in policy files, with its line")
    check.add_argument("files", metavar="FILE", nargs="+", help="TOML or YAML")
    check.add_argument("--json", action="store_true", help="for programs")
    check.set_defaults(run=_check)
    schema = actions.add_parser("schema", help="print the JSON Schema of policy files, for editors")
    schema.set_defaults(run=_schema)
    diff = actions.add_parser("diff", help="say what changed between two policies, rule by rule")
    diff.add_argument("old", metavar="OLD", help="a file, or MODULE:NAME")
    diff.add_argument("new", metavar="NEW", help="the same")
    form = diff.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="for programs")
    form.add_argument("--markdown", action="store_true", help="a table for a pull request")
    diff.set_defaults(run=_diff)


# --- check


def _check(arguments: argparse.Namespace) -> int:
    from doorward.policy import PolicyError, load

    found: list[dict[str, Any]] = []
    status = RIGHT
    for file in arguments.files:
        try:
            policy = load(file)
        except PolicyError as error:
            status = max(status, UNUSABLE if all(each.unreadable for each in error.mistakes) else WRONG)
            found.append(_wrong(file, error))
            _tell(arguments, str(error))
        else:
            unmet = _unmet(policy)
            if unmet:
                status = max(status, WRONG)
                found.append(_wrong(file, PolicyError(file, unmet)))
                _tell(arguments, str(PolicyError(file, unmet)))
                continue
            found.append({"file": printable(file), "rules": len(policy.rules), "mistakes": []})
            _tell(arguments, f"{printable(file)}: {_counted(policy)}")
    if arguments.json:
        print(json.dumps(found, indent=1))
    return status


def _unmet(policy: Policy) -> list[Mistake]:
    """Examples of the file's own rules that come to something else than they say."""
    from doorward.policy.examples import unmet
    from doorward.twins import silent_logger

    own = tuple(entry for entry in policy.entries if not entry.file)
    if not any(entry.examples for entry in own):
        return []
    client = policy.client(logger=silent_logger())
    try:
        return unmet(own, client.runtime.addresses)
    finally:
        client.close()


def _tell(arguments: argparse.Namespace, text: str) -> None:
    if not arguments.json:
        print(text)


def _wrong(file: str, error: PolicyError) -> dict[str, Any]:
    mistakes = [{"line": each.line, "field": each.field, "problem": each.problem} for each in error.mistakes]
    return {"file": printable(file), "rules": 0, "mistakes": mistakes}


def _counted(policy: Policy) -> str:
    rules = len(policy.rules)
    examples = sum(len(entry.examples) for entry in policy.entries if not entry.file)
    met = f", {examples} example{'' if examples == 1 else 's'}" if examples else ""
    said = f"; options: {', '.join(sorted(policy.options))}" if policy.options else ""
    mode = "" if policy.protection == "auto" else f"; protection: {policy.protection}"
    return f"{rules} rule{'' if rules == 1 else 's'}{met}{mode}{said}"


# --- schema


def _schema(arguments: argparse.Namespace) -> int:
    del arguments
    from doorward.policy.schema import schema_text

    sys.stdout.write(schema_text())
    return RIGHT


# --- diff


def _diff(arguments: argparse.Namespace) -> int:
    from doorward.policy.diff import compared

    diff = compared(_side(arguments.old, "OLD"), _side(arguments.new, "NEW"))
    if arguments.json:
        print(json.dumps(diff.to_dict(), indent=1))
    elif arguments.markdown:
        sys.stdout.write(diff.markdown())
    else:
        _print(diff, arguments)
    return DIFFERENT if diff else EQUAL


def _print(diff: Diff, arguments: argparse.Namespace) -> None:
    if not diff:
        print("no rule and no option changes")
        return
    print(f"--- {printable(arguments.old)}\n+++ {printable(arguments.new)}")
    for line in diff.lines():
        print(line)


def _side(text: str, field: str) -> Side:
    from doorward.policy import load
    from doorward.policy.described import side_of
    from doorward.twins import silent_logger

    is_file = text.endswith((".toml", ".yaml", ".yml")) or text.startswith(PREFIX) or Path(text).exists()
    is_app = ":" in text and not is_file
    if is_app:
        return side_of(load_app(text, field).runtime)
    client = load(text).client(logger=silent_logger())
    try:
        return side_of(client.runtime)
    finally:
        client.close()


__all__ = ["add_policy"]
