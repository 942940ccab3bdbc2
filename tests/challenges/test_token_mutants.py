"""P13: of the verifier no mutant survives its tests: whatever one mistake is made in it, a test finds it.

A mutator of our own, over ``ast``: comparisons, "and" and "or", "not", numbers, texts, arithmetic, slices, ``any``, and
statements left out. Every mutant is asked what :mod:`tests.challenges.token_checks` asks of the module, in this
process, which takes seconds.
"""

from __future__ import annotations

import ast
import copy
import inspect
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from tests.challenges.token_checks import CHECKS

from doorward.challenges import tokens

_SPARE = "decoders pass over spare padding; the token is compared with its one spelling afterwards"
EQUIVALENT = {
    "super().__init__(why) -> pass": "BaseException.__new__ keeps the arguments",
    "b'=' -> b'=='": "rstrip takes a set of characters",
    "'=' -> '=='": _SPARE,
    "-len(token) -> len(token)": _SPARE,
    "not token.isascii() or len(token) > LONGEST_TOKEN -> False or len(token) > LONGEST_TOKEN": (
        "the decoder raises ValueError for what is not ASCII, and that is malformed too"
    ),
}
"""Mutants that do the same, and why."""

_COMPARISONS: dict[type[ast.cmpop], list[type[ast.cmpop]]] = {
    ast.Lt: [ast.LtE, ast.GtE],
    ast.LtE: [ast.Lt, ast.Gt],
    ast.Gt: [ast.GtE, ast.LtE],
    ast.GtE: [ast.Gt, ast.Lt],
    ast.Eq: [ast.NotEq],
    ast.NotEq: [ast.Eq],
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Mod: ast.Mult,
}


def variants(node: ast.AST) -> Iterator[ast.AST]:
    """What one mistake makes of a node."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in _COMPARISONS:
        for op in _COMPARISONS[type(node.ops[0])]:
            yield ast.Compare(node.left, [op()], node.comparators)
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.And() if isinstance(node.op, ast.Or) else ast.Or(), node.values)
        for left_out in range(len(node.values)):
            neutral = ast.Constant(isinstance(node.op, ast.And))
            yield ast.BoolOp(node.op, [neutral if i == left_out else v for i, v in enumerate(node.values)])
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        yield node.operand
    elif isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        yield ast.BinOp(node.left, _ARITHMETIC[type(node.op)](), node.right)
    elif isinstance(node, ast.Constant) and type(node.value) is int:
        yield ast.Constant(node.value + 1)
        yield ast.Constant(node.value - 1)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
        yield ast.Constant(
            node.value + node.value[:1] if node.value else type(node.value)("x" if node.value == "" else b"x")
        )
    elif isinstance(node, ast.Name) and node.id == "any" and isinstance(node.ctx, ast.Load):
        yield ast.Name("all", ast.Load())
    elif isinstance(node, ast.Call) and node.keywords:
        for left_out in range(len(node.keywords)):
            yield ast.Call(node.func, node.args, [k for i, k in enumerate(node.keywords) if i != left_out])
    elif isinstance(node, ast.Raise | ast.Expr | ast.If):
        yield ast.Pass()


class Places(ast.NodeTransformer):
    """Walks over everything that runs; at the ``wanted``-th variant, puts it in."""

    def __init__(self, wanted: int = -1) -> None:
        self.wanted, self.seen, self.told = wanted, 0, ""

    def visit(self, node: ast.AST) -> Any:
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module):
            node.body = [each for each in node.body if not _is_docstring(each)] or [ast.Pass()]
        if _is_for_readers(node):
            return node
        for variant in variants(node):
            if self.seen == self.wanted:
                self.seen += 1
                self.told = f"{_words(node)} -> {_words(variant)}"
                return ast.copy_location(variant, node)
            self.seen += 1
        return self._inside(node)

    def _inside(self, node: ast.AST) -> ast.AST:
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns"):
                continue
            if isinstance(value, list):
                setattr(node, name, [self.visit(each) if isinstance(each, ast.AST) else each for each in value])
            elif isinstance(value, ast.AST):
                setattr(node, name, self.visit(value))
        return node


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _is_for_readers(node: ast.AST) -> bool:
    return isinstance(node, ast.Import | ast.ImportFrom) or (
        isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )


def _words(node: ast.AST) -> str:
    return ast.unparse(ast.fix_missing_locations(node)).splitlines()[0]


SOURCE = inspect.getsource(tokens)


def count() -> int:
    places = Places()
    places.visit(ast.parse(SOURCE))
    return places.seen


def mutant(number: int) -> tuple[str, ModuleType | None]:
    """The mutant of this number, and what was changed; no module where it does not even come about."""
    places = Places(number)
    tree = ast.fix_missing_locations(places.visit(copy.deepcopy(ast.parse(SOURCE))))
    module = ModuleType(f"mutant_{number}")
    sys.modules[module.__name__] = module
    try:
        exec(compile(tree, module.__name__, "exec"), vars(module))
    except Exception:
        return places.told, None
    finally:
        del sys.modules[module.__name__]
    return places.told, module


def killed(module: ModuleType | None) -> bool:
    if module is None:
        return True
    for holds in CHECKS:
        try:
            holds(module)
        except Exception:
            return True
        except AssertionError:
            return True
    return False


def test_the_module_itself_is_no_mutant_that_is_killed() -> None:
    """What kills everything proves nothing."""
    module = ModuleType("as_it_is")
    exec(compile(ast.parse(SOURCE), "as_it_is", "exec"), vars(module))
    assert not killed(module)


@pytest.mark.timeout(600)
def test_p13_no_mutant_of_the_verifier_survives() -> None:
    """P13: every mutant is killed, but those that are known to do the same."""
    total = count()
    assert total > 100
    survivors = []
    for number in range(total):
        told, module = mutant(number)
        if not killed(module) and told not in EQUIVALENT:
            survivors.append(told)
    assert survivors == []
