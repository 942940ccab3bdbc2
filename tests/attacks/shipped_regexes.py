"""Every regular expression that doorward ships, and how each is run: found by looking, not by a list."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from functools import cache
from types import ModuleType
from typing import Any, NamedTuple

import doorward
from doorward.attacks.detectors import request_detectors, value_detectors
from doorward.builders.rule_files import rulebooks

AT_ONE_PLACE = {"match", "fullmatch"}
RUN = {*AT_ONE_PLACE, "search", "findall", "finditer", "split", "sub", "subn", "scanner"}
DEPTH = 4
_LAYOUT = re.compile(r"(\\.|\[\^?\]?(?:\\.|[^\]\\])*\])|\s+|#[^\n]*", re.DOTALL)


class Shipped(NamedTuple):
    """A pattern.

    Attributes:
        name: Where it is: the module and its name there, or the rule.
        pattern: Of text, without layout, whatever it was written as.
        searched: Whether it is tried at every place of a text; False if it is only matched where the caller says.
    """

    name: str
    pattern: re.Pattern[str]
    searched: bool


@cache
def shipped() -> tuple[Shipped, ...]:
    """The patterns of all modules, rules, and of detectors as they are built; each once."""
    found: dict[int, Shipped] = {}
    for name, pattern, searched in _all():
        found.setdefault(id(pattern), Shipped(name, as_plain_text(pattern), searched))
    return tuple(sorted(found.values()))


def as_plain_text(pattern: re.Pattern[Any]) -> re.Pattern[str]:
    """The same pattern without :data:`re.VERBOSE`; of text where it is of bytes."""
    source, flags = pattern.pattern, pattern.flags
    if isinstance(source, bytes):
        source, flags = source.decode("latin-1"), flags | re.ASCII
    if flags & re.VERBOSE:
        source, flags = _LAYOUT.sub(lambda part: part[1] or "", source), flags & ~re.VERBOSE
    return re.compile(source, flags)


@cache
def modules() -> dict[str, ModuleType]:
    """All modules that can be imported without starting something."""
    names = [module.name for module in pkgutil.walk_packages(doorward.__path__, "doorward.")]
    return {name: importlib.import_module(name) for name in names if not name.endswith("__main__")}


def literal_uses() -> Iterator[str]:
    """Where a function of :mod:`re` is called with a pattern that is not compiled."""
    for name, module in modules().items():
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id == "re"
                and node.func.attr in RUN
            ):
                yield f"{name}:{node.lineno}"


def _all() -> Iterator[tuple[str, re.Pattern[Any], bool]]:
    for module_name, module in modules().items():
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern):
                yield f"{module_name}.{name}", value, _is_searched(name, value)
            else:
                yield from _inside(f"{module_name}.{name}", value, DEPTH)
    books = rulebooks(3)
    for book in books.values():
        for rule in book.patterns:
            if rule.pattern is not None:
                yield rule.id, rule.pattern, True
    for detector in [*value_detectors(books), *request_detectors(books)]:
        yield from _inside(
            f"{type(detector).__module__}.{type(detector).__name__}", getattr(detector, "__dict__", {}), DEPTH
        )


def _inside(name: str, value: Any, depth: int) -> Iterator[tuple[str, re.Pattern[Any], bool]]:
    if isinstance(value, re.Pattern):
        yield name, value, True
    elif depth and isinstance(value, (list, tuple, set, frozenset)):
        for number, item in enumerate(value):
            yield from _inside(f"{name}[{number}]", item, depth - 1)
    elif depth and isinstance(value, dict):
        for key, item in value.items():
            yield from _inside(f"{name}[{key!r}]", item, depth - 1)
    elif depth and isinstance(value, type) and value.__module__.startswith("doorward"):
        yield from _inside(name, dict(vars(value)), depth - 1)
    elif depth and inspect.isbuiltin(value) and isinstance(value.__self__, re.Pattern):
        # A method of a pattern, bound: ``search = re.compile(…).search``.
        yield name, value.__self__, value.__name__ not in AT_ONE_PLACE


@cache
def _uses() -> dict[str, dict[str, set[str]]]:
    """By module and name: the methods that are taken of it."""
    found: dict[str, dict[str, set[str]]] = {}
    for module_name, module in modules().items():
        uses = found[module_name] = {}
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                uses.setdefault(node.value.id, set()).add(node.attr)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                uses.setdefault(node.id, set()).add("")
    return found


def _is_searched(name: str, pattern: re.Pattern[Any]) -> bool:
    holders = [of_module for of_module, module in modules().items() if vars(module).get(name) is pattern]
    methods = set().union(*(_uses()[holder].get(name, set()) for holder in holders)) - {""}
    return not methods or not methods <= AT_ONE_PLACE
