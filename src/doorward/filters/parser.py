"""From text to a compiled expression, in one pass: the grammar says which literals may follow a field.

::

    expression  = exclusive {("or" | "||") exclusive}
    exclusive   = conjunction {("xor" | "^^") conjunction}
    conjunction = simple {("and" | "&&") simple}
    simple      = ("not" | "!") simple | "(" expression ")" | comparison
    comparison  = flag | operand operator literal | operand "in" "{" literal {literal} "}"
    operand     = field | map "[" text "]" | "local." name | ("len" | "lower" | "upper") "(" operand ")"
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from doorward.errors import ConfigurationError
from doorward.filters import operators
from doorward.filters.addresses import AddressRange, AddressSet, parse_range
from doorward.filters.fields import FIELDS, MAPS, Type, lower, upper
from doorward.filters.scanner import Problem, Scanner
from doorward.filters.truth import conjunction, disjunction, exclusive, negation
from doorward.patterns import compile_regex

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from doorward.filters.fields import Read
    from doorward.filters.operators import Test
    from doorward.filters.truth import Node

MOST_NESTED: Final = 32
"""Parentheses and functions within each other."""

_FUNCTIONS: Final = ("len", "lower", "upper")
_OPERATOR: Final = re.compile(r"[=!<>]=|[<>~=]|&(?!&)|[A-Za-z_]+")
_TEXT_OPERATORS: Final = ("contains", "matches", "~", "wildcard", "strict wildcard")
_SYMBOLS: Final = ("==", "!=", "<", "<=", ">", ">=")
_WORDS: Final = ("eq", "ne", "lt", "le", "gt", "ge", "in")
_LARGEST: Final = 2**63 - 1
_KNOWN: Final = {
    "http.cookie": 'http.request.cookie["name"]',
    "http.method": "http.request.method",
    "http.request.full_uri": "http.request.uri.path",
    "http.request.uri": "http.request.uri.path",
    "http.request.uri.query": 'http.request.uri.args["name"]',
    "http.user_agent": 'http.request.headers["user-agent"]',
    "ip": "ip.src",
}
"""What other dialects call our fields."""

_PARTS: Final = {"http.request.cookie": "cookie", "http.request.uri.args": "query"}
"""Where the values of a map are; those of headers are under their own names."""

_INTEGER: Final = re.compile(r"-?(?:0[xX]([0-9A-Fa-f]+)|0([0-7]+)|([0-9]+))")
_STAR_OR_ESCAPE: Final = re.compile(r"\\(.?)|\*(\*?)", re.DOTALL)


class Operand(NamedTuple):
    """The left side of a comparison.

    Attributes:
        type: What its values are.
        read: Reads them.
        name: As written.
    """

    type: Type
    read: Read
    name: str


class Parser:
    """Compiles one expression.

    Attributes:
        about: What it wants to know about the client's address.
        local: The keys of the application's own that it reads.
        parts: What of a request it reads, as in ``Rule.parts``.
        operands: What it reads of a request, by name as written.
    """

    def __init__(self, source: str) -> None:
        self._scanner = Scanner(source)
        self._nested = 0
        self.about: set[str] = set()
        self.local: set[str] = set()
        self.parts: set[str] = set()
        self.operands: dict[str, Read] = {}

    def parse(self) -> Node:
        """The whole expression.

        Raises:
            Problem: It is none.
        """
        node = self._expression()
        if not self._scanner.at_end():
            found = self._scanner.found()
            raise self._scanner.problem(f"expected and, or, xor or the end of the expression, found {found}")
        return node

    def _expression(self) -> Node:
        return self._joined(self._exclusive, ("or", "||"), disjunction)

    def _exclusive(self) -> Node:
        return self._joined(self._conjunction, ("xor", "^^"), exclusive)

    def _conjunction(self) -> Node:
        return self._joined(self._simple, ("and", "&&"), conjunction)

    def _joined(
        self, operand: Callable[[], Node], spellings: Sequence[str], join: Callable[[Sequence[Node]], Node]
    ) -> Node:
        nodes = [operand()]
        while self._scanner.accept(*spellings):
            nodes.append(operand())
        return nodes[0] if len(nodes) == 1 else join(nodes)

    def _simple(self) -> Node:
        negated = False
        while self._scanner.accept("not", "!"):
            negated = not negated
        node = self._group() if self._scanner.next() == "(" else self._comparison()
        return negation(node) if negated else node

    def _group(self) -> Node:
        self._open()
        node = self._expression()
        self._close()
        return node

    def _open(self) -> None:
        if self._nested == MOST_NESTED:
            raise self._scanner.problem(f"at most {MOST_NESTED} parentheses within each other are accepted")
        self._nested += 1
        self._scanner.expect("(", "behind the function")

    def _close(self) -> None:
        self._scanner.expect(")", 'to close the "(" before it')
        self._nested -= 1

    def _operand(self) -> Operand:
        scanner = self._scanner
        start = scanner.position
        name = scanner.identifier()
        if name in _FUNCTIONS and scanner.next() == "(":
            return self._call(name)
        if name in MAPS:
            return self._element(name, start)
        if name in FIELDS:
            field = FIELDS[name]
            self.about.update({field.about} - {""})
            self.parts.update({"host"} if name == "http.host" else ())
            if scanner.next() == "[":
                raise scanner.problem(f"{name} has no keys; there are {', '.join(MAPS)}")
            return self._read(Operand(field.type, field.read, name))
        if name.startswith("local."):
            return self._local(name.removeprefix("local.").encode(), name)
        raise _unknown(name, start, scanner)

    def _call(self, function: str) -> Operand:
        self._open()
        start = self._scanner.position
        argument = self._operand()
        if argument.type is not Type.TEXT:
            raise self._scanner.problem(f"{function} takes text, and {argument.name} is {argument.type.value}", start)
        self._close()
        name = f"{function}({argument.name})"
        if function == "len":
            return Operand(Type.NUMBER, _lengths(argument.read), name)
        return Operand(Type.TEXT, _mapped(argument.read, lower if function == "lower" else upper), name)

    def _element(self, name: str, start: int) -> Operand:
        if self._scanner.next() != "[":
            raise self._scanner.problem(f'{name} is read by a key: {name}["name"]', start)
        self._scanner.accept("[")
        key = self._scanner.text()
        self._scanner.expect("]", "behind the key")
        whole = self._scanner.source[start : self._scanner.position].strip()
        if name == "local":
            return self._local(key, whole)
        self.parts.add(_PARTS.get(name) or key.decode("latin-1").lower())
        return self._read(Operand(Type.TEXT, MAPS[name](key), whole))

    def _local(self, key: bytes, name: str) -> Operand:
        self.local.add(key.decode("utf-8", "replace"))
        return self._read(Operand(Type.TEXT, MAPS["local"](key), name))

    def _read(self, operand: Operand) -> Operand:
        self.operands[operand.name] = operand.read
        return operand

    def _comparison(self) -> Node:
        operand = self._operand()
        if operand.type is Type.FLAG:
            if self._scanner.next() not in ("", ")") and not self._follows_logic():
                raise self._scanner.problem(f"{operand.name} is true or false: it stands alone, or after not")
            return operators.applied(operand.read, operators.is_set)
        return operators.applied(operand.read, self._test(operand))

    def _follows_logic(self) -> bool:
        before = self._scanner.position
        follows = self._scanner.accept("and", "or", "xor", "&&", "||", "^^")
        self._scanner.position = before
        return follows

    def _test(self, operand: Operand) -> Test:
        start = self._scanner.position
        spelling = self._scanner.take(_OPERATOR)
        if spelling == "strict" and self._scanner.accept("wildcard"):
            spelling = "strict wildcard"
        accepted = _accepted(operand.type)
        if spelling not in accepted:
            self._scanner.position = start
            wrong = f"found {self._scanner.found()}" + ('; equality is "=="' if spelling == "=" else "")
            raise self._scanner.problem(f"expected one of {' '.join(accepted)} after {operand.name}, {wrong}")
        if spelling == "in":
            return self._membership(operand.type)
        if operand.type is Type.TEXT:
            return self._text_test(spelling)
        if operand.type is Type.ADDRESS:
            return operators.address_compared(spelling, self._address(single=True))
        number = self._number(single=True).start
        is_mask = spelling in ("&", "bitwise_and")
        return operators.masked(number) if is_mask else operators.compared(spelling, number)

    def _text_test(self, spelling: str) -> Test:
        if spelling in ("matches", "~"):
            return operators.matches(self._regex())
        if spelling.endswith("wildcard"):
            return operators.wildcard(self._pieces(), strict=spelling.startswith("strict"))
        literal = self._text()
        return operators.contains(literal) if spelling == "contains" else operators.compared(spelling, literal)

    def _membership(self, kind: Type) -> Test:
        scanner = self._scanner
        if scanner.next() == "$":
            raise scanner.problem("named lists ($…) do not exist here; write the values: {…}")
        scanner.expect("{", "and the values with spaces between them")
        literals: list[Any] = []
        while not literals or scanner.next() not in ("}", ""):
            if scanner.next() == ",":
                raise scanner.problem("values stand with spaces between them, not commas")
            literals.append(self._literal(kind))
        scanner.expect("}", "behind the values")
        if kind is Type.NUMBER:
            return operators.in_ranges(literals)
        return operators.one_of(AddressSet(literals) if kind is Type.ADDRESS else frozenset(literals))

    def _literal(self, kind: Type) -> Any:
        if kind is Type.TEXT:
            return self._text()
        return self._address() if kind is Type.ADDRESS else self._number()

    def _text(self) -> str:
        return self._scanner.text().decode("latin-1")

    def _regex(self) -> Callable[[str], bool]:
        start = self._scanner.position
        source = self._scanner.regex()
        try:
            return compile_regex(source, field="matches")
        except ConfigurationError as error:
            raise self._scanner.problem(error.problem, start) from None

    def _pieces(self) -> list[str]:
        r"""A pattern of ``wildcard``, cut at its stars; ``\*`` and ``\\`` stand for themselves."""
        start = self._scanner.position
        pattern, pieces, position = self._text(), [""], 0
        for match in _STAR_OR_ESCAPE.finditer(pattern):
            pieces[-1] += pattern[position : match.start()]
            position = match.end()
            if match[0] == "*":
                pieces.append("")
            elif match[0] in ("\\*", "\\\\"):
                pieces[-1] += match[1]
            else:
                wrong = (
                    "two stars in a row mean no more than one" if match[0] == "**" else r"a backslash is for \* and \\"
                )
                raise self._scanner.problem(wrong, start)
        pieces[-1] += pattern[position:]
        return pieces

    def _address(self, *, single: bool = False) -> AddressRange:
        scanner, start = self._scanner, self._scanner.position
        text = scanner.text().decode("utf-8", "replace") if scanner.at_text() else scanner.address()
        if not text:
            raise scanner.problem(f"expected an address, found {scanner.found()}")
        try:
            found = parse_range(text)
        except ValueError as error:
            raise scanner.problem(f"expected an address such as 192.0.2.1 or 2001:db8::1: {error}", start) from None
        if single and found.low != found.high:
            raise scanner.problem(f"expected a single address; for several: in {{{text}}}", start)
        return found

    def _number(self, *, single: bool = False) -> range:
        start = self._scanner.position
        written = self._scanner.number()
        if not written:
            raise self._scanner.problem(f"expected a whole number, found {self._scanner.found()}")
        low, dots, high = written.partition("..")
        first = self._integer(low, start)
        last = self._integer(high, start) if dots else first
        if last < first or (single and dots):
            wrong = "the range ends before it begins" if last < first else "a range stands in a set: in {1..20}"
            raise self._scanner.problem(wrong, start)
        return range(first, last + 1)

    def _integer(self, text: str, start: int) -> int:
        """Decimal, ``0x`` hexadecimal, or octal with a leading 0, as in C."""
        match = _INTEGER.fullmatch(text)
        if match is None:
            raise self._scanner.problem(f"expected a whole number such as 42 or 0x2A, found {text!r}", start)
        hexadecimal, octal, decimal = match.groups()
        number = int(hexadecimal, 16) if hexadecimal else int(octal, 8) if octal else int(decimal)
        if number > _LARGEST:
            raise self._scanner.problem(f"a number is at most {_LARGEST}", start)
        return -number if text.startswith("-") else number


def _accepted(kind: Type) -> tuple[str, ...]:
    common = (*_SYMBOLS, *_WORDS)
    if kind is Type.TEXT:
        return (*common, *_TEXT_OPERATORS)
    return (*common, "&", "bitwise_and") if kind is Type.NUMBER else common


def _lengths(read: Read) -> Read:
    # What is not there is as long as nothing: `len(x) eq 0` is how an expression asks whether x is there.
    return lambda view: [len(value) for value in read(view)] or (0,)


def _mapped(read: Read, convert: Callable[[str], str]) -> Read:
    return lambda view: [convert(value) for value in read(view)]


def _unknown(name: str, start: int, scanner: Scanner) -> Problem:
    if not name:
        return scanner.problem(f"expected a field or a function, found {scanner.found()}")
    from difflib import get_close_matches  # imported where a mistake was made

    if scanner.next() == "(":
        return scanner.problem(f"{name} is no function; there are {', '.join(_FUNCTIONS)}", start)
    near = _KNOWN.get(name) or next(iter(get_close_matches(name, [*FIELDS, *MAPS], n=1)), "")
    near = f'{near}["name"]' if near in MAPS else near
    hint = f"; did you mean {near}?" if near else f"; there are {', '.join([*FIELDS, *MAPS])}"
    return scanner.problem(f"{name} is unknown{hint}", start)
