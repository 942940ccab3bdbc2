"""Reads the rules of attack detection: the files of ``doorward/attacks/rules``."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import doorward.attacks
from doorward.attacks.plain import Plain, Told
from doorward.attacks.rulebook import Rulebook, literals_of
from doorward.attacks.vocabulary import Vocabulary
from doorward.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = Path(doorward.attacks.__file__).parent / "rules"


def rulebooks(paranoia: int = 1) -> dict[str, Rulebook]:
    """The rulebooks by the names of their files.

    Raises:
        DataError: A file cannot be read, or is not what it should be.
    """
    try:
        vocabulary = Vocabulary([literal for data in contents().values() for literal in literals_of(data)])
        return {name: Rulebook(name, data, paranoia, vocabulary) for name, data in contents().items()}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(FOLDER, f"the rules of attack detection cannot be read: {error}") from error


MARKED = frozenset({"template", "html", "xxe", "ssi", "crlf", "ldap", "probes", "protocol", "session", "unscanned"})
"""Files none of whose rules finds anything in a value without the marks that :mod:`doorward.attacks.plain` asks for."""
CONTEXT = {
    "windows": {"notable", "code_flags"},
    "include": {"files", "roots"},
    "paths": {"lists", "hidden", "welcome", "file_parameters", "source_ends"},
    "ssrf": {
        "addressed", "development_ports", "fetched", "fetching", "inner_paths", "sent_to", "service_ports",
        "telling_paths",
    },
    "shell": {"code_flags"},
    "mail": {"fields"},
    "nosql": {"operators", "comparing", "secrets"},
    "script": {"of_page"},
    "sql": {
        "constants", "everyday_functions", "everyday_verbs", "from", "into", "joints", "negations", "objects",
        "quantifiers", "relations", "sessions", "thens", "values", "whens",
    },
}  # fmt: skip
"""Vocabularies that say what stands around evidence, not what is evidence."""


_PHRASE = re.compile(r"(?!-\w)(?:(?<=\w)/(?=\w)|[\w\s.,;:!?'\"()&%-])+")
"""What sentences may hold: a literal of other signs cannot be in one."""


def plain_values() -> Plain:
    """What tells values in which nothing can be found."""
    vocabularies = {name: _telling_words(name, data) for name, data in contents().items() if name not in MARKED}
    literals = {name: literals_of(data) for name, data in contents().items() if name not in MARKED}
    of_paths = vocabularies.pop("paths")
    return Plain(
        Told(chain(*vocabularies.values()), chain(*literals.values())),
        Told(of_paths, ()),
        Told(vocabularies["sql"], filter(_PHRASE.fullmatch, chain(*literals.values()))),
        frozenset(chain(vocabularies["shell"], vocabularies["windows"])),
        frozenset(chain(vocabularies["php"], vocabularies["script"])),
    )


def _telling_words(name: str, data: Mapping[str, Any]) -> list[str]:
    vocabularies = data.get("words", {}).items()
    return [word for key, words in vocabularies if key not in CONTEXT.get(name, ()) for word in words]


@cache
def contents() -> dict[str, dict[str, Any]]:
    """What is in the files, by their names without the ending; examples too."""
    return {path.stem: tomllib.loads(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.toml"))}
