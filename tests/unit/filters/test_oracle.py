"""Generated expressions against an evaluator written from the description alone.

The oracle works on bytes and trees, tries every choice of values one by one, and shares no code with the compiler.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from itertools import product
from typing import Any
from urllib.parse import quote_plus

from hypothesis import assume, given
from hypothesis import strategies as st
from tests.unit.filters.views import compiled, facts, view

from doorward.filters.truth import FALSE, TRUE, UNKNOWN


@dataclass(frozen=True)
class Asked:
    """A comparison: its text, where its values are, and what one of them comes to."""

    text: str
    place: str
    test: Callable[[Any], bool]
    of_nothing: Any = None
    """The value in place of none, if there is one."""


Tree = tuple[str, Any] | Asked

# --- literals


def quoted(value: bytes) -> st.SearchStrategy[str]:
    escaped = "".join(f"\\x{byte:02x}" for byte in value)
    plain = value.decode("utf-8", "ignore")
    options = [f'"{escaped}"']
    if plain.encode() == value:
        options.append('"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"')
        if '"' not in plain:
            options.append(f'r"{plain}"')
        options.append(f'r###"{plain}"###')
    return st.sampled_from(options)


VALUES = st.sampled_from([b"", b"a", b"A", b"b", b"ab", b"aB", b"abab", b"a*b", b"a\\b", "é".encode(), b"\xe9", b"zz"])
SEPARATORS = st.sampled_from([" ", "  ", "\n", "\t "])
SPELLINGS = {
    "eq": ["==", "eq"], "ne": ["!=", "ne"], "lt": ["<", "lt"], "le": ["<=", "le"], "gt": [">", "gt"],
    "ge": [">=", "ge"], "and": ["and", "&&"], "or": ["or", "||"], "xor": ["xor", "^^"], "not": ["not", "!"],
}  # fmt: skip
ORDERINGS = st.sampled_from(["eq", "ne", "lt", "le", "gt", "ge"])


def spelled(name: str) -> st.SearchStrategy[str]:
    return st.sampled_from(SPELLINGS[name])


# --- comparisons

TEXTS = {
    'http.request.headers["x"]': "header",
    'http.request.headers["X"]': "header",
    'http.request.cookie["c"]': "cookie",
    'http.request.uri.args["q"]': "argument",
    'local["k"]': "local",
    "local.k": "local",
    "ip.src.city": "city",
    "http.request.uri.path": "path",
}
FUNCTIONS: dict[str, Callable[[bytes], bytes]] = {"lower": bytes.lower, "upper": bytes.upper}
REGEXES = {
    '"^a"': lambda value: value.startswith(b"a"),
    'r"b$"': lambda value: value.endswith(b"b"),
    '"(?i)^AB"': lambda value: value.lower().startswith(b"ab"),
    '"[*]"': lambda value: b"*" in value,
    '"^$"': lambda value: value == b"",
}


def glob(pattern: bytes, value: bytes) -> bool:
    """``*`` by trying every split; a backslash makes the next byte plain."""
    if not pattern:
        return not value
    if pattern[:1] == b"*":
        return any(glob(pattern[1:], value[cut:]) for cut in range(len(value) + 1))
    plain = pattern[1:2] if pattern[:1] == b"\\" else pattern[:1]
    return value[:1] == plain and glob(pattern[2:] if pattern[:1] == b"\\" else pattern[1:], value[1:])


@st.composite
def operands(draw: st.DrawFn) -> tuple[str, str, Callable[[bytes], bytes]]:
    text = draw(st.sampled_from(sorted(TEXTS)))
    place, converts = TEXTS[text], []
    for name in draw(st.lists(st.sampled_from(["lower", "upper"]), max_size=2)):
        text = f"{name}({text})"
        converts.append(FUNCTIONS[name])

    def convert(value: bytes) -> bytes:
        for each in converts:
            value = each(value)
        return value

    return text, place, convert


@st.composite
def text_comparisons(draw: st.DrawFn) -> Asked:
    operand, place, convert = draw(operands())
    kind = draw(st.sampled_from(["ordering", "contains", "in", "wildcard", "strict wildcard", "matches"]))
    if kind == "ordering":
        name, literal = draw(ORDERINGS), draw(VALUES)
        compare = getattr(operator, name)
        return Asked(
            f"{operand} {draw(spelled(name))} {draw(quoted(literal))}", place, lambda v: compare(convert(v), literal)
        )
    if kind == "contains":
        literal = draw(VALUES)
        return Asked(f"{operand} contains {draw(quoted(literal))}", place, lambda v: literal in convert(v))
    if kind == "in":
        literals = draw(st.lists(VALUES, min_size=1, max_size=3))
        inside = draw(SEPARATORS).join(draw(quoted(literal)) for literal in literals)
        return Asked(f"{operand} in {{{inside}}}", place, lambda v: convert(v) in literals)
    if kind == "matches":
        regex = draw(st.sampled_from(sorted(REGEXES)))
        return Asked(f"{operand} {draw(st.sampled_from(['~', 'matches']))} {regex}", place,
                     lambda v: REGEXES[regex](convert(v)))  # fmt: skip
    pieces = draw(st.lists(st.sampled_from([b"*", b"a", b"B", b"b", b"\\*", b"\\\\", "é".encode()]), max_size=4))
    pattern = b"".join(pieces)
    assume(b"**" not in b"".join(b"x" if len(piece) > 1 else piece for piece in pieces))
    fold = bytes.lower if kind == "wildcard" else bytes
    return Asked(f"{operand} {kind} {draw(quoted(pattern))}", place,
                 lambda v: glob(fold(pattern), fold(convert(v))))  # fmt: skip


@st.composite
def number_comparisons(draw: st.DrawFn) -> Asked:
    operand, place, convert = draw(operands())
    kind = draw(st.sampled_from(["ordering", "&", "in"]))
    number = draw(st.integers(-1, 5))
    written = draw(st.sampled_from([str(number), hex(number)] if number >= 0 else [str(number)]))
    if kind == "ordering":
        name = draw(ORDERINGS)
        compare = getattr(operator, name)
        text, test = f"{draw(spelled(name))} {written}", lambda v: compare(len(convert(v)), number)
    elif kind == "&":
        text, test = f"& {written}", lambda v: len(convert(v)) & number != 0
    else:
        high = number + draw(st.integers(0, 2))
        text, test = f"in {{9 {number}..{high}}}", lambda v: number <= len(convert(v)) <= high or len(convert(v)) == 9
    return Asked(f"len({operand}) {text}", place, test, b"")


ADDRESSES = ["192.0.2.1", "192.0.2.200", "10.0.0.5", "2001:db8::1", "2001:db8:1::"]
SETS = {
    "192.0.2.0/25": lambda v: v in ip_network("192.0.2.0/25"),
    '"10.0.0.0/8"': lambda v: v in ip_network("10.0.0.0/8"),
    "10.0.0.1..192.0.2.1": lambda v: v.version == 4 and ip_address("10.0.0.1") <= v <= ip_address("192.0.2.1"),
    "2001:db8::/48": lambda v: v in ip_network("2001:db8::/48"),
    "::ffff:192.0.2.200": lambda v: v == ip_address("192.0.2.200"),
}


@st.composite
def address_comparisons(draw: st.DrawFn) -> Asked:
    if draw(st.booleans()):
        items = draw(st.lists(st.sampled_from(sorted(SETS)), min_size=1, max_size=3))
        return Asked(f"ip.src in {{{' '.join(items)}}}", "ip", lambda v: any(SETS[item](v) for item in items))
    name, literal = draw(ORDERINGS), ip_address(draw(st.sampled_from(ADDRESSES)))
    compare = getattr(operator, name)
    text = draw(st.sampled_from(["{}", '"{}"'])).format(literal)

    def test(value: Any) -> bool:
        return compare(value, literal) if value.version == literal.version else name == "ne"

    return Asked(f"ip.src {draw(spelled(name))} {text}", "ip", test)


FLAGS = st.sampled_from(["vpn", "tor"]).map(lambda kind: Asked(f"ip.src.{kind}", kind, bool))
COMPARISONS = st.one_of(text_comparisons(), text_comparisons(), number_comparisons(), address_comparisons(), FLAGS)

# --- expressions

TREES: st.SearchStrategy[Tree] = st.recursive(
    COMPARISONS,
    lambda trees: st.one_of(
        trees.map(lambda tree: ("not", [tree])),
        st.tuples(st.sampled_from(["and", "or", "xor"]), st.lists(trees, min_size=2, max_size=3)),
    ),
    max_leaves=5,
)
STRENGTH = {"or": 0, "xor": 1, "and": 2, "not": 3}


@st.composite
def written(draw: st.DrawFn, tree: Tree, least: int = 0) -> str:
    """A tree as text, with no more parentheses than it needs, or a few more."""
    if isinstance(tree, Asked):
        return tree.text
    name, parts = tree
    if name == "not":
        text = f"{draw(spelled('not'))}{draw(SEPARATORS)}{draw(written(parts[0], 3))}"
    else:
        joint = f"{draw(SEPARATORS)}{draw(spelled(name))}{draw(SEPARATORS)}"
        text = joint.join([draw(written(part, STRENGTH[name] + 1)) for part in parts])
    needed = STRENGTH[name] < least
    return f"({text})" if needed or draw(st.booleans()) else text


def comparisons_of(tree: Tree) -> Iterator[Asked]:
    if isinstance(tree, Asked):
        yield tree
    else:
        for part in tree[1]:
            yield from comparisons_of(part)


def kleene(tree: Tree, values: Iterator[bool | None]) -> bool | None:
    """Three-valued logic, written out."""
    if isinstance(tree, Asked):
        return next(values)
    name, parts = tree
    truths = [kleene(part, values) for part in parts]
    if name == "not":
        return None if truths[0] is None else not truths[0]
    if name == "xor":
        return None if None in truths else sum(truth is True for truth in truths) % 2 == 1
    ends = name == "or"
    return ends if ends in truths else None if None in truths else not ends


def outcomes(tree: Tree, request: dict[str, list[Any]]) -> set[bool | None]:
    """What the tree comes to over every choice of one value a comparison."""
    choices = []
    for asked in comparisons_of(tree):
        values = request[asked.place] or ([asked.of_nothing] if asked.of_nothing is not None else [])
        choices.append([asked.test(value) for value in values] or [None])
    return {kleene(tree, iter(choice)) for choice in product(*choices)}


# --- requests

HEADER = st.lists(VALUES, max_size=3)
COOKIE = st.lists(VALUES, max_size=2)
UNICODE = ["", "a", "A", "ab", "aB", "a*b", "a\\b", "é", "zz"]


@st.composite
def requests(draw: st.DrawFn) -> tuple[Any, dict[str, list[Any]]]:
    """A request, and what it says by place: bytes, addresses, true or false."""
    header, cookie = draw(HEADER), draw(COOKIE)
    argument = draw(st.lists(st.sampled_from(UNICODE), max_size=2))
    local, city = draw(st.sampled_from([None, *UNICODE])), draw(st.sampled_from(UNICODE))
    path, ip = draw(st.sampled_from(UNICODE)), draw(st.sampled_from(["", *ADDRESSES]))
    kinds = draw(st.lists(st.sampled_from(["vpn", "tor"]), unique=True))
    unknown = draw(st.sampled_from(["", "vpn", "tor", "vpn tor"]))
    known = [kind for kind in ("vpn", "tor") if kind not in unknown.split() or kind in kinds]
    request = view(
        ip=ip,
        about=facts(*kinds, known=" ".join(known), **({"city": city} if city else {})),
        given={"k": local},
        path=path,
        query="&".join(f"q={quote_plus(value)}" for value in argument),
        headers=[*[(b"x", value) for value in header], (b"cookie", b"; ".join(b"c=" + value for value in cookie))],
    )
    says = {
        "header": header,
        "cookie": cookie,
        "argument": [value.encode() for value in argument],
        "local": [] if local is None else [local.encode()],
        "city": [city.encode()] if city else [],
        "path": [path.encode()],
        "ip": [ip_address(ip)] if ip else [],
        **{kind: [kind in kinds] if kind in known else [] for kind in ("vpn", "tor")},
    }
    return request, says


MASKS = {True: TRUE, False: FALSE, None: UNKNOWN}


@given(st.data(), TREES, requests())
def test_an_expression_comes_to_what_its_description_says(data, tree: Tree, request) -> None:
    """All that it may come to, whichever values are read; nothing else."""
    looked_at, says = request
    source = data.draw(written(tree))
    assume(len(source.encode()) <= 1_024)
    expected = outcomes(tree, says)
    found = compiled(source)
    assert found.node(looked_at) == sum(MASKS[truth] for truth in expected)
    assert found.holds(looked_at, certain=True) is (True if expected == {True} else None if None in expected else False)
    assert found.holds(looked_at, certain=False) is (True if True in expected else None if None in expected else False)


ALL = [
    compiled(text)
    for text in (
        'http.request.headers["x"] ~ "(?i)a[b-z]" or lower(http.request.headers["x"]) eq "ab"',
        'http.request.cookie["c"] wildcard "*a*b*" xor len(http.request.cookie["c"]) & 7',
        'upper(http.request.uri.args["q"]) in {"A" "\\xff"} or http.request.uri.args["q"] ~ "\\\\w"',
        'http.request.uri.path < "\\x80" and not lower(http.request.uri.path) contains "a"',
        'http.request.uri.path ~ "^.$" or http.host ~ "." or http.request.method ~ "^[A-Z]+$"',
        'upper(http.host) strict wildcard "*A*" or lower(http.request.method) eq "x"',
        "ip.src in {10.0.0.0/8 ::1} or ip.src lt 10.0.0.1 or ip.src ne ::1",
        'local["k"] eq "a" or ip.src.city ~ "a" or ip.src.crawler.name eq "a"',
    )
]
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=30)  # with surrogates
ANY_LINE = st.tuples(
    st.sampled_from(["x", b"x", "cookie", b"host", "Host"]), st.one_of(ANY_TEXT, st.binary(max_size=30))
)


@given(
    lines=st.lists(ANY_LINE, max_size=5),
    path=ANY_TEXT,
    query=ANY_TEXT,
    method=ANY_TEXT,
    host=st.one_of(st.none(), ANY_TEXT),
    ip=ANY_TEXT,
    local=ANY_TEXT,
)
def test_no_request_makes_an_expression_fail(lines, path, query, method, host, ip, local) -> None:
    """Whatever bytes or characters come, lone surrogates too: some truth value is the answer."""
    request = view(ip=ip, about=facts("crawler", city=local), given={"k": local}, headers=lines, path=path,
                   query=query, method=method, host=host)  # fmt: skip
    for expression in ALL:
        assert 1 <= expression.node(request) <= 7
