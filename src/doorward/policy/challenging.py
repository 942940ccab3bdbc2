"""What a policy file says about challenges: what ``challenges={…}`` says in code, but for secrets and objects.

Files are named from the folder of the policy on; in the place of an object, a kind with arguments is a table:
``{ kind = "work", most = 8000 }``, and a picture ``{ file = "logo.svg" }``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from doorward.challenges.appearance import PARSERS as LOOKS
from doorward.challenges.listed import kinds_of
from doorward.challenges.options import OPTION_PARSERS, parse_challenges
from doorward.errors import ConfigurationError, UnknownArgument
from doorward.printable import describe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from doorward.policy.documents import Place

CHALLENGES = "challenges"
FILE = "file"
_SECRET = ("secret", "api_key")
"""Arguments of hosted captchas that nothing but code and its environment should know."""

Wrong = tuple["Place", str]


def build_challenges(table: Mapping[str, Any], folder: Path) -> tuple[dict[str, Any], list[Wrong]]:
    """The option ``challenges``, and what is wrong with it: where, and what.

    Args:
        table: As it stands in the file.
        folder: Where the file is.
    """
    made: dict[str, Any] = {}
    wrong: list[Wrong] = []
    for name, value in table.items():
        mistakes = [*_wrong_kinds(value)] if name == "kinds" else []
        given = _with_files(name, value, folder)
        mistakes = mistakes or _wrong({name: given}, name)
        wrong += mistakes
        if not mistakes:
            made[name] = given
    return made, wrong or _wrong(made, "")


def _wrong(options: Mapping[str, Any], name: str) -> list[Wrong]:
    """What is wrong with options by themselves; with all of them, what is wrong between them."""
    if name and name not in OPTION_PARSERS and name not in LOOKS:
        return [((name,), UnknownArgument(CHALLENGES, name, [*OPTION_PARSERS, *LOOKS]).problem)]
    found = _refused(lambda: parse_challenges(options))
    return [(_place_of(found[0]) or ((name,) if name else ()), found[1])] if found else []


def _wrong_kinds(value: Any) -> list[Wrong]:
    """What is wrong with each kind."""
    found: list[Wrong] = []
    for number, each in enumerate(value if isinstance(value, list) else []):
        place: Place = ("kinds", number)
        if secret := _secret_of(each):
            problem = "is a secret, which no file holds: say challenges={'kinds': […]} in code"
            found.append(((*place, secret), problem))
        elif not isinstance(each, str | dict):
            found.append((place, f"must be text or a table, not {each!r}"))
        elif refused := _refused(lambda each=each: kinds_of([each])):  # type: ignore[misc]  # called at once
            inside = _place_of(refused[0])[1:]
            found.append(((*place, *inside), refused[1]))
    return found


def _secret_of(kind: Any) -> str:
    return next((name for name in _SECRET if name in kind), "") if isinstance(kind, dict) else ""


def _refused(build: Callable[[], object]) -> tuple[str, str] | None:
    """The field and the problem of what cannot be built."""
    try:
        build()
    except ConfigurationError as error:
        return error.field, error.problem
    except Exception as error:  # whatever a file holds, it comes to a message
        return "", f"cannot be used: {describe(error)}"
    return None


def _with_files(name: str, value: Any, folder: Path) -> Any:
    """An option with the files that it names as paths, which do not depend on where the application was started."""
    if name == "logo" and isinstance(value, dict) and isinstance(value.get(FILE), str) and len(value) == 1:
        return folder / value[FILE]
    if name in ("css", "template_dir") and isinstance(value, str):
        return folder / value
    return value


def _place_of(named: str) -> Place:
    """The place within the option that an error names: ``challenges.clients.new``, ``challenges.words['de']``."""
    first, _, rest = named.partition(".")
    if first != CHALLENGES:
        return ()
    return tuple([part.strip("'") for part in rest.replace("[", ".").replace("]", "").split(".") if part])


__all__ = ["CHALLENGES", "FILE", "build_challenges"]
