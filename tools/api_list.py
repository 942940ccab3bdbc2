"""The list of the public API: every public name with its signature, so that a change to it is seen in review.

``--check`` (the default) compares it with tests/packaging/api.txt; ``--write`` replaces that file.
"""

from __future__ import annotations

import difflib
import enum
import importlib
import inspect
import pkgutil
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

API_FILE = Path(__file__).parent.parent / "tests" / "packaging" / "api.txt"
PACKAGES = (
    "doorward",
    "doorward_django",
    "doorward_fastapi",
    "doorward_flask",
    "doorward_pytest",
    "doorward_starlette",
)
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
_SET = re.compile(r"\{([^{}]*)\}")


def main() -> int:
    """Check or write the list; 1 if it is not up to date."""
    lines = sorted(set(_lines()))
    if "--write" in sys.argv[1:]:
        API_FILE.write_text("".join(f"{line}\n" for line in lines))
        print(f"{API_FILE.name}: {len(lines)} lines")
        return 0
    known = API_FILE.read_text().splitlines() if API_FILE.exists() else []
    for line in difflib.unified_diff(known, lines, "api.txt", "the code", lineterm="", n=0):
        print(line)
    if known != lines:
        print("The public API differs from tests/packaging/api.txt. If that is wanted: make api")
    return int(known != lines)


def _lines() -> Iterator[str]:
    for module in _modules():
        for name in getattr(module, "__all__", ()):
            yield from _describe(f"{module.__name__}.{name}", getattr(module, name))


def _modules() -> Iterator[ModuleType]:
    """The packages and those of their modules that say in ``__all__`` what is public."""
    for package_name in PACKAGES:
        package = importlib.import_module(package_name)
        yield package
        for found in pkgutil.walk_packages(package.__path__, f"{package_name}."):
            if "._" not in found.name:
                yield importlib.import_module(found.name)


def _describe(path: str, value: object) -> Iterator[str]:
    if inspect.isclass(value):
        yield from _describe_class(path, value)
    elif callable(value):
        yield f"{path}{_signature(value)}"
    elif inspect.ismodule(value):
        yield f"{path}: module"
    else:
        yield f"{path}: {type(value).__name__}"


def _describe_class(path: str, kind: type) -> Iterator[str]:
    bases = ", ".join(base.__name__ for base in kind.__bases__ if base is not object)
    yield f"{path}: class({bases})"
    if issubclass(kind, enum.Enum):
        yield from (f"{path}.{member.name} = {member.value!r}" for member in kind)
        return
    if _is_ours(kind.__init__) or hasattr(kind, "__dataclass_fields__"):
        yield f"{path}{_signature(kind)}"
    for name, member in inspect.getmembers_static(kind):
        if name.startswith("_") or not _is_defined_by_us(kind, name):
            continue
        if isinstance(member, staticmethod | classmethod):
            yield f"{path}.{name}{_signature(getattr(kind, name))}"
        elif inspect.isfunction(member):
            yield f"{path}.{name}{_signature(member)}"
        else:
            yield f"{path}.{name}: attribute"


def _is_ours(function: object) -> bool:
    return str(getattr(function, "__module__", "")).partition(".")[0] in PACKAGES


def _is_defined_by_us(kind: type, name: str) -> bool:
    owner = next((base for base in kind.__mro__ if name in base.__dict__), None)
    return _is_ours(owner)


def _signature(value: object) -> str:
    try:
        text = str(inspect.signature(value))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return "(…)"
    # Sets are written in the order of their hashes, which is another one in each process.
    return _SET.sub(lambda found: f"{{{', '.join(sorted(found[1].split(', ')))}}}", _ADDRESS.sub("", text))


if __name__ == "__main__":
    sys.exit(main())
