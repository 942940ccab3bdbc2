"""Promise: no regular expression that a user writes takes more than linear time; those that could are refused."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from doorward.errors import ConfigurationError
from doorward.patterns import compile_path, compile_regex
from doorward.regex_cost import steps_per_character
from doorward.regex_syntax import PROBES, Atom, Atomic, Choice, Edge, Node, Repeat, Sequence, UnsupportedSyntax, parse

EXPLODING = [
    r"(a|a)*b", r"(a|a)*", r"(a+)+", r"(a+)+$", r"(a*)*b", r"([a-z]+)*x", r"(\w+\s?)*$", r"(.*)*x", r"(x+x+)+y",
    r"(a|ab|b)*c", r"(a|aa)+$", r"(?:a?){30}a{30}", r"(a{1,30}){1,30}$", r"^(([a-z])+.)+[A-Z]([a-z])+$",
    r"(?:.|[^x])*y", r"(?i:k|\u212a)*x", r"(?:[^a]|\d)*x", r"(\w|ж)+x", r"(?:\d+|\w)+$", r"((ab)*)*c", r"(a*b?)*c",
]  # fmt: skip
POLYNOMIAL = [r".*.*x", r"\d+\d+x", r"a*a*a*a*b", r".*foo.*bar", r"\w*\d*x", r"(?:a*b?a*)c", r"a{1,99}a{1,99}a{1,99}x"]
UNBOUNDED_SEARCHES = [
    r"\s+$", r"bot.*crawl", r"a*b", r".*x", r"[^/]+/edit", r"\w+\d", r"(?m)^a*$", r"x*$", r"(?:^|a)a+b",
    r"a++b", r"(?>a+)b", r"(?:a++c?){2}", r"(?:x?a+b)+", r"[ab]+\b",
]  # fmt: skip
UNKNOWN = [
    r"(\d+)\1",
    r"(?P<a>x)(?P=a)",
    r"(a)?(?(1)b|c)",
    r"(?#note)a",
    r"(?x)a b",
    r"(?-i:a)",
    "(" * 40 + "a" + ")" * 40,
]
LINEAR = [
    r"/api/v\d+/.*", r"/users/[^/]+/edit", r"/(en|es|de)/.*", r".*\.php", r".*\.(?:php|asp|jsp)", r"([^/]+/)*x?",
    r"(?!/api/).*", r"(?:(?:[a-z]+,)+;)+", r"\w+\s+\w+", r"a{,3}", r"[]a]+[^]a]", r"\d{1,3}(?:\.\d{1,3}){3}", r"",
    r"(?>a*)b", r"a*+b", r"a*+[ab]*+c*+a", r'(?:[^"\\]++|\\.)*+"', r"(?:a|ab)*+c", r"(?:\w++\W)*+", r".*+x",
]  # fmt: skip
LINEAR_SEARCHES = [
    r"curl|wget|python-requests/\d+", r"\.php$", r"^Mozilla.*Safari", r"bot.{0,100}crawl", r"(?i)bot|crawler|spider",
    r"(?:^|/)\.git(?:/|$)", r"\b\d{1,3}(?:\.\d{1,3}){3}\b", r"\A\s*x", r"(?<!a)b\d+(?=c)",
    r".*", r"x*", r"\w+", r"[A-Z]\w*", r"x[ab]*+", r"q(?:a++b)*+",
]  # fmt: skip


@pytest.fixture
def without_re2(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make ``import re2`` fail, as where it is not installed."""
    monkeypatch.setitem(sys.modules, "re2", None)


@pytest.mark.usefixtures("without_re2")
@pytest.mark.parametrize("source", EXPLODING + POLYNOMIAL + UNKNOWN)
def test_what_can_explode_is_refused(source: str) -> None:
    """Nested, overlapping and unknown repeats are an error that names the field and says how to rewrite them."""
    for build in (compile_regex, lambda text, field: compile_path(f"re:{text}", field=field)):
        with pytest.raises(ConfigurationError, match=r"(?s)deny: the regular .* refused: .*[Bb]ound the repeat"):
            build(source, field="deny")


@pytest.mark.usefixtures("without_re2")
def test_humanify_1_8_the_pattern_that_passed_its_gate_is_refused() -> None:
    """Regression: ``(a|a)*b`` took 4 s on 24 characters."""
    with pytest.raises(ConfigurationError, match="exponential"):
        compile_path("re:(a|a)*b")


@pytest.mark.usefixtures("without_re2")
@pytest.mark.parametrize("source", UNBOUNDED_SEARCHES)
def test_searches_that_scan_from_every_start_are_refused(source: str) -> None:
    """A repeat without end that each start runs over again is quadratic in a search."""
    with pytest.raises(ConfigurationError, match="quadratic"):
        compile_regex(source, field="deny")


@pytest.mark.usefixtures("without_re2")
@pytest.mark.parametrize("source", LINEAR)
def test_linear_patterns_of_paths_are_accepted(source: str) -> None:
    """What people write for paths needs no rewriting."""
    compile_path(f"re:{source}")


@pytest.mark.usefixtures("without_re2")
@pytest.mark.parametrize("source", LINEAR_SEARCHES)
def test_linear_searches_are_accepted(source: str) -> None:
    """What people write for headers needs no rewriting."""
    compile_regex(source, field="deny")


@pytest.mark.parametrize("source", ["(", "a**", "[", "\\", "a{2,1}", r"\p{L}"])
def test_what_is_no_regular_expression_is_refused(source: str) -> None:
    """A syntax error names the field."""
    with pytest.raises(ConfigurationError, match="deny: "):
        compile_regex(source, field="deny")


class Backtracker:
    """Tries every way to match, as ``re`` does before it gives up, and counts the atoms tried."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.steps = 0

    def run(self, node: Node, at: int, then: Callable[[int], None]) -> None:
        match node:
            case Atom(mask=mask):
                self.steps += 1
                if at < len(self.text) and mask >> PROBES.index(self.text[at]) & 1:
                    then(at + 1)
            case Edge(starts=starts):
                self.steps += 1
                if not starts or at == 0:
                    then(at)
            case Sequence(items=items):
                self._sequence(items, at, then)
            case Choice(branches=branches):
                for branch in branches:
                    self.run(branch, at, then)
            case Repeat(child=child, low=low, high=high):
                self._repeat(child, low, high, at, then)
            case Atomic(child=child):
                first = self._first_end(child, at)
                if first is not None:
                    then(first)

    def _first_end(self, node: Node, at: int) -> int | None:
        def found(end: int) -> None:
            raise StopIteration(end)

        try:
            self.run(node, at, found)
        except StopIteration as stop:
            return int(stop.value)
        return None

    def _sequence(self, items: tuple[Node, ...], at: int, then: Callable[[int], None]) -> None:
        if not items:
            then(at)
            return
        self.run(items[0], at, lambda end: self._sequence(items[1:], end, then))

    def _repeat(self, child: Node, low: int, high: int | None, at: int, then: Callable[[int], None]) -> None:
        def again(end: int) -> None:
            if end > at or low > 0:
                self._repeat(child, max(low - 1, 0), None if high is None else high - 1, end, then)

        if high is None or high > 0:
            self.run(child, at, again)
        if low == 0:
            then(at)


def count_steps(tree: Node, text: str, *, whole: bool) -> int:
    """Of every way from a start; a search that has found something tries no further start."""
    matcher = Backtracker(text)
    ends: list[int] = []
    for start in range(1 if whole else len(text) + 1):
        matcher.run(tree, start, ends.append)
        if ends:
            break
    return matcher.steps


def matches(tree: Node, text: str) -> bool:
    ends: list[int] = []
    Backtracker(text).run(tree, 0, ends.append)
    return len(text) in ends


ATOMS = st.sampled_from(["a", "b", "c", "[ab]", "[^a]", ".", r"\w", "^", ""])
REPEATS = ["*", "+", "?", "{2}", "{0,3}", "{2,}", "*+", "++", "?+", "{2}+", "{0,3}+", "{2,}+"]
REGEXES = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=4).map("".join),
        st.lists(inner, min_size=2, max_size=3).map(lambda branches: f"(?:{'|'.join(branches)})"),
        st.tuples(inner, st.sampled_from(REPEATS)).map(lambda p: f"(?:{p[0]}){p[1]}"),
        inner.map(lambda source: f"(?>{source})"),
    ),
    max_leaves=8,
)
TEXTS = st.tuples(st.text("abc", max_size=3), st.integers(0, 9), st.text("abc", max_size=2)).map(
    lambda parts: parts[0] * parts[1] + parts[2]
)


@given(source=REGEXES, text=TEXTS, whole=st.booleans())
@example(source="(?:a|b)*c", text="ab" * 12, whole=True)
@example(source=".*[ab]c", text="ab" * 12, whole=True)
@example(source="(?:^a)+", text="aa", whole=False)
@example(source="a(?:b)+", text="ab" * 12, whole=False)
@example(source="(?:a++c?){2}", text="a" * 24, whole=False)
@example(source="(?:a|aa)*+b", text="a" * 24, whole=True)
@example(source="(?:a++)?ab", text="a" * 24, whole=True)
def test_accepted_patterns_keep_their_bound(source: str, text: str, whole: bool) -> None:
    """Whatever is accepted, trying every way on any text takes at most the promised steps per character."""
    pattern = re.compile(source)
    steps = steps_per_character(pattern, whole=whole)
    assume(steps is not None)
    assert steps is not None
    assert count_steps(parse(pattern), text, whole=whole) <= steps * (len(text) + 1)


@given(source=REGEXES, text=TEXTS)
@example(source="a*+[ab]c", text="aabc")
@example(source="(?>a|ab)c", text="abc")
def test_the_tree_says_what_the_pattern_says(source: str, text: str) -> None:
    """The parser gets atomic groups and possessive repeats right: the tree matches what ``re`` matches."""
    pattern = re.compile(source)
    assert matches(parse(pattern), text) is (pattern.fullmatch(text) is not None)


@pytest.mark.parametrize("source", [r"[\u0430-\u0440]*+ж", r"(?:[\u0430-\u0440]++)*ж"])
def test_a_possessive_set_beyond_latin_1_excludes_nothing_after_it(source: str) -> None:
    """The probes cannot tell which of such characters cannot follow."""
    assert parse(re.compile(r"[а-я]")).sure == 0  # type: ignore[union-attr]
    assert steps_per_character(re.compile(f"(?:{source})*"), whole=True) is None


@pytest.mark.parametrize("source", ["(?:a|a)*b", "(?:a+)+b", "a*a*b"])
def test_the_step_counter_sees_explosions(source: str) -> None:
    """The instrument of the test above does tell: twice the text takes more than twice the steps."""
    tree = parse(re.compile(source))
    assert count_steps(tree, "a" * 12, whole=True) > 3 * count_steps(tree, "a" * 6, whole=True)


def test_probes_stand_for_all_characters() -> None:
    """No character beyond Latin-1 matches a Latin-1 set unless a probe of its kind does."""
    beyond = "".join(map(chr, range(256, sys.maxunicode + 1)))
    assert set(re.findall("[\x00-\xff]", beyond, re.IGNORECASE)) <= set(PROBES)
    for kind in (r"[^\W\d]", r"\d", r"\s", r"[^\w\s]"):
        assert any(re.fullmatch(kind, probe) for probe in PROBES[256:])
    assert not re.search(r"(?=\d)\W|(?=\w)\s", beyond)


@pytest.mark.parametrize("source", [r"[\u0436-\u0440]*ж", "ж*[а-я]", r"(?i)s*ſ", r"\w*[^a]"])
def test_sets_beyond_latin_1_may_overlap_with_anything(source: str) -> None:
    """An overlap outside the probes is still seen: followed by more, such a repeat is refused."""
    assert steps_per_character(re.compile(source + "*x"), whole=True) is None


def test_a_look_around_must_be_bounded() -> None:
    """A look-ahead is run at every step, so it must take constant time."""
    bounded = steps_per_character(re.compile(r"(?:(?!ab)[^/])*"), whole=True)
    assert bounded is not None
    assert bounded > steps_per_character(re.compile(r"(?:[^/])*"), whole=True)  # type: ignore[operator]
    with pytest.raises(UnsupportedSyntax, match="look-around"):
        steps_per_character(re.compile(r"(?=a*b)a"), whole=True)


@pytest.mark.parametrize("source", EXPLODING[:12] + POLYNOMIAL[:4] + UNBOUNDED_SEARCHES[:7])
def test_re2_runs_what_re_cannot(source: str) -> None:
    """With google-re2 installed, patterns that are refused without it are run, and mean the same."""
    found = compile_regex(source, field="deny")
    for text in ("aaab", "xxxxy", "foo bar", "12x", "a", "", "bot-crawl", "ж"):
        assert found(text) is (re.search(source, text) is not None), text


def test_re2_keeps_flags() -> None:
    """The flags of a pattern hold under re2 as well, inline ones too."""
    for pattern in (re.compile("(K+)+L$", re.IGNORECASE), "(?i)(K+)+L$"):
        assert compile_regex(pattern, field="deny")("kkl")
    assert compile_path(re.compile("(?:a.*)*", re.DOTALL)).matches("a\nb")


def test_re2_gets_texts_it_cannot_encode() -> None:
    """A lone surrogate, as a broken path decodes to, is no error."""
    assert compile_regex("(a+)+$", field="deny")("\udcffaa")


@pytest.mark.parametrize("source", [r"(\d+)\1", r"(?>a*)b", r"(?=a*)b"])
def test_what_neither_engine_can_bound_is_refused(source: str) -> None:
    """Back-references and endless look-arounds are refused with both engines' reasons."""
    with pytest.raises(ConfigurationError, match="refuses too"):
        compile_regex(source, field="deny")


def test_safe_patterns_do_not_load_re2() -> None:
    """What ``re`` runs safely means the same on every machine: re2 is not even imported."""
    code = (
        "import sys; from doorward.patterns import compile_path; compile_path('re:/v[0-9]+/.*');"
        "assert 're2' not in sys.modules; compile_path('re:(a|a)*b'); assert 're2' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
