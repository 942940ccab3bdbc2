"""``doorward check``: what is wrong with a client's rules, and with where it runs, before a request shows it.

::

    aj = Doorward([…])
    for finding in doorward.check(aj, log=True):
        ...

Each finding has a code, which ``docs/check.md`` explains. A check claims only what is certain, never raises, and asks
nobody: it looks at the rules, the environment, the command line and the data files.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from typing import TYPE_CHECKING

from doorward.checks import (
    contradictions,
    deployment,
    guessable,
    labels,
    limit_reach,
    pattern_texts,
    reach,
    trials,
)
from doorward.checks.registry import CLIENT, CODES, INTERNAL, LEVELS, Code, Finding, Level, found_by
from doorward.checks.subject import Subject, subject_of
from doorward.client import AsyncDoorward, Doorward
from doorward.errors import ConfigurationError
from doorward.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from doorward.facade import Facade

__all__ = ["CODES", "LEVELS", "Code", "Finding", "Level", "check", "findings_of", "parse_silence"]

FAMILIES = (reach, contradictions, pattern_texts, limit_reach, deployment, guessable, labels, trials)
"""The modules whose checks are in the registry."""

SILENCE_VARIABLE = "DOORWARD_SILENCE"
_SILENCED = re.compile(r"(DW[0-9]{3})(?::(.+))?")
_LOGGED_AS = {"note": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def check(
    aj: Doorward | AsyncDoorward | object,
    *,
    silence: Collection[str] = (),
    log: bool = False,
    data: str | Path | None = None,
) -> list[Finding]:
    """Look for what is wrong with a client. For the start of an application, or for its tests.

    Args:
        aj: The client, or what an adapter makes of it.
        silence: What not to say: codes (``"DW033"``), or codes of one rule (``"DW033:signup"``). What the environment's
            ``DOORWARD_SILENCE`` lists, with commas between them, is added.
        log: Write what is found to the client's logger, too.
        data: A folder of data to look at in place of the client's.

    Returns:
        The findings in the order of their codes; none when there is nothing to say.

    Raises:
        ConfigurationError: ``aj`` is no client, or something in ``silence`` is no code.
    """
    client = _client(aj)
    subject = subject_of(client, os.environ, sys.argv, data=_folder(data))
    found = findings_of(subject, parse_silence(silence, "silence"))
    if log:
        _log(client, found)
    return found


def findings_of(
    subject: Subject, silenced: Iterable[tuple[str, str]] = (), only: Callable[[Code], bool] | None = None
) -> list[Finding]:
    """What all checks find, but for what is silenced, here or by ``DOORWARD_SILENCE``.

    Args:
        subject: What is looked at.
        silenced: Codes, each with a rule's name, or empty for all rules.
        only: Which checks are asked; all when None.
    """
    listed, found = _listed(subject.environ)
    quiet = {*silenced, *listed}
    checks = [
        code for _, code in sorted(CODES.items()) if (only is None or only(code)) and (code.code, "") not in quiet
    ]
    found += [finding for code in checks for finding in found_by(code, subject)]
    return [finding for finding in found if not {(finding.code, ""), (finding.code, finding.rule)} & quiet]


def parse_silence(values: object, field: str) -> list[tuple[str, str]]:
    """Codes, each with a rule's name or empty text.

    Raises:
        ConfigurationError: One is no code.
    """
    if isinstance(values, str | bytes) or not isinstance(values, list | tuple | set | frozenset):
        raise ConfigurationError(field, f'must be a list of codes such as ["DW033"], not {values!r}')
    parsed = []
    for value in values:
        match = _SILENCED.fullmatch(value.strip()) if isinstance(value, str) else None
        if match is None or match[1] not in CODES:
            raise ConfigurationError(field, f'must hold codes such as "DW033" or "DW033:signup", not {value!r}')
        parsed.append((match[1], match[2] or ""))
    return parsed


def _listed(environ: Mapping[str, str]) -> tuple[list[tuple[str, str]], list[Finding]]:
    """What ``DOORWARD_SILENCE`` lists; what is no code in it keeps no application from starting, but is said."""
    silenced, problems = [], []
    for value in environ.get(SILENCE_VARIABLE, "").split(","):
        try:
            silenced += parse_silence([value], SILENCE_VARIABLE) if value.strip() else []
        except ConfigurationError as error:
            text = printable(str(error), 300)
            problems.append(Finding(INTERNAL, "warning", CLIENT, text, "docs/check.md lists the codes"))
    return silenced, problems


def _client(aj: object) -> Facade:
    for candidate in (aj, getattr(aj, "client", None)):
        if isinstance(candidate, Doorward | AsyncDoorward):
            return candidate
    raise ConfigurationError("aj", f"must be a Doorward or an AsyncDoorward, not {type(aj).__name__}")


def _folder(data: str | Path | None) -> Path | None:
    if data is None:
        return None
    from pathlib import Path  # few name one

    folder = Path(data)
    if not folder.is_dir():
        raise ConfigurationError("data", f"must be a folder that is there, not {str(data)!r}")
    return folder


def _log(client: Facade, found: Sequence[Finding]) -> None:
    """One record for each; a logger that raises is the application's, and no reason not to start."""
    for finding in found:
        try:
            client.runtime.settings.logger.log(
                _LOGGED_AS[finding.level], "doorward check %s", finding, extra={"doorward": finding._asdict()}
            )
        except Exception:
            client.runtime.journal.count("error.logger")
