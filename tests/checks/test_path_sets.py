"""What is said about sets of paths is certain: compared with every short path there is, and with the matcher itself."""

from __future__ import annotations

import re
from functools import lru_cache, partial
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorward import deny
from doorward.checks.path_sets import EVERY_PATH, covers, covers_everything, matches_nothing, region
from doorward.errors import ConfigurationError
from doorward.patterns import compile_path

ALPHABET = "/ab.\n"
PATHS = ["/" + "".join(rest) for length in range(5) for rest in product(ALPHABET, repeat=length)]
PROBES = [*PATHS, "/ж", "/жa", "/K", "/k", "/\u212a", "/é/a", "/a/ж", "/A", "/1", "/_", "/aaaaaaaaaa", "/ab/ab/ab"]


def usable(pattern: str) -> bool:
    try:
        compile_path(pattern, overlong=True)
    except ConfigurationError:
        return False
    return True


globs = st.text(st.sampled_from("/ab.*?"), max_size=6).map(lambda text: f"/{text}") | st.text(
    st.sampled_from("/ab*"), max_size=5
).map(lambda text: f"*{text}")
atoms = st.sampled_from(["a", "b", "/", ".", r"\.", "[ab]", "[^/]", r"\w", r"\d", "ж", "(?:a|/b)", r"[^a]", "k"])
repeats = st.sampled_from(["", "", "", "?", "*", "+", "{2}", "{1,3}"])
regexes = st.lists(st.tuples(atoms, repeats).map("".join), max_size=4).map(lambda parts: "re:/" + "".join(parts))
alternatives = st.tuples(regexes, regexes).map(lambda two: f"re:(?:{two[0][3:]}|{two[1][3:]})")
flagged = regexes.map(lambda source: f"re:(?i){source[3:]}")


short = st.text(st.sampled_from("/a*?"), max_size=3).map(lambda text: f"/{text}").filter(usable)
LONGER = ["/" + "".join(rest) for length in range(8) for rest in product("/az", repeat=length)]
patterns = (globs | regexes | alternatives | flagged).filter(usable)


compiled = lru_cache(maxsize=1024)(partial(compile_path, overlong=True))


def matched(several: list[str], path: str) -> bool:
    return any(compiled(pattern).matches(path) for pattern in several)


@settings(max_examples=300, deadline=None)
@given(st.lists(patterns, min_size=1, max_size=3), st.lists(patterns, min_size=1, max_size=2))
def test_covering_is_never_claimed_in_vain(outer: list[str], inner: list[str]) -> None:
    """Where one list is said to cover another, no path of the other is left over."""
    if covers(outer, inner):
        left = [path for path in PROBES if matched(inner, path) and not matched(outer, path)]
        assert left == []


@settings(max_examples=200, deadline=None)
@given(st.lists(short, min_size=1, max_size=2), short)
def test_globs_are_compared_exactly(outer: list[str], inner: str) -> None:
    """Among globs nothing is missed: where covering is not claimed, some path is left over."""
    if not covers(outer, [inner]):
        # What is left over is no longer than the pieces of both together, each star as nothing or a few characters.
        assert any(matched([inner], path) and not matched(outer, path) for path in LONGER)


@settings(max_examples=300, deadline=None)
@given(patterns)
def test_what_matches_nothing_matches_nothing(pattern: str) -> None:
    """A pattern that is said to match no path matches none; one said to match everything, every one."""
    if matches_nothing(pattern):
        assert not any(matched([pattern], path) for path in PROBES)
    if covers_everything([pattern]):
        assert all(matched([pattern], path) for path in PROBES)


@pytest.mark.parametrize(
    ("outer", "inner", "expected"),
    [
        (["/api/*"], ["/api/users/*"], True),
        (["/api/*"], ["/api"], False),
        (["/api", "/api/*"], ["/api", "/api/x"], True),
        (["/a*", "/b*"], ["/?"], False),
        (["**"], ["re:/x"], True),
        (["/**"], [EVERY_PATH], True),
        (["/*"], [EVERY_PATH], True),
        (["re:/.*"], ["/a"], True),
        (["re:/.*"], ["/*"], False),  # "." is no line break
        (["re:(?s)/.*"], ["/*"], True),
        ([r"re:/users/\d+"], [r"re:/users/[0-9]"], True),
        ([r"re:/users/[0-9]+"], [r"re:/users/\d+"], False),  # \d has other digits, too
        (["re:/[a-z]*"], ["/abc"], True),
        ([r"re:/a(?=b)b"], ["/ab"], False),  # conditions are not read on this side
        (["/ab"], [r"re:/a(?=b)b"], True),
        (["/*/edit"], ["/users/*/edit"], False),
        (["**/edit"], ["/users/*/edit"], True),
        (["/ж*"], ["/жук"], True),
        (["/é*"], ["/ж*"], False),
        (["re:(?i)/login"], ["/LOGIN"], True),
        (["/login"], ["re:(?i)/login"], False),
        (["re:^/login"], ["/login"], True),
    ],
    ids=str,
)
def test_covering(outer: list[str], inner: list[str], expected: bool) -> None:
    """Examples, with what is certain and what is not."""
    assert covers(outer, inner) is expected


def test_compiled_patterns_keep_their_flags() -> None:
    """A compiled expression is read with its flags."""
    assert covers([re.compile("/login", re.IGNORECASE)], ["/LOGIN"])
    assert not covers([re.compile("/login")], ["/LOGIN"])


def test_what_grows_is_given_up() -> None:
    """A pattern whose comparison takes too many states claims nothing, and takes no time."""
    wide = "/" + "*a?" * 30
    assert covers([wide], [wide])
    assert not covers([wide, "/b"], ["/*a" + "?" * 80])
    assert not covers(["re:/" + "[ab]{0,50}" * 60], ["/a"])


@pytest.mark.parametrize(
    ("wide", "narrow", "expected"),
    [
        (((), ()), (("/a",), ("POST",)), True),
        ((("/a",), ()), (("POST /a",), ()), True),
        ((("POST /a",), ()), (("/a",), ()), False),
        ((("GET /a",), ()), (("/a",), ("HEAD",)), True),  # GET is HEAD too
        ((("GET /a", "POST /a"), ()), (("/a",), ("GET", "POST")), True),
        (((), ("GET",)), (("/a",), ("GET",)), True),
        (((), ("GET", "POST")), ((), ()), False),
        ((("/*",), ()), ((), ()), True),
    ],
    ids=str,
)
def test_regions(wide: tuple, narrow: tuple, expected: bool) -> None:
    """Paths and methods together."""
    assert region(*wide).covers(region(*narrow)) is expected


METHODS = ["GET", "HEAD", "POST", "DELETE", "BREW"]
named = st.tuples(st.sampled_from(["", "GET ", "POST ", "GET,DELETE ", "HEAD "]), globs.filter(usable)).map("".join)


@settings(max_examples=200, deadline=None)
@given(*[st.tuples(st.lists(named, max_size=2), st.lists(st.sampled_from(METHODS[:4]), max_size=2))] * 2)
def test_regions_agree_with_rules(one: tuple, other: tuple) -> None:
    """What is said of regions holds for the rules themselves, asked about each method and short path."""
    from doorward import RequestContext

    first, second = region(*map(tuple, one)), region(*map(tuple, other))
    if not first.covers(second):
        return
    wide, narrow = (deny(ip="192.0.2.1", paths=paths, methods=methods) for paths, methods in (one, other))
    for method in METHODS:
        for path in PATHS[:200]:
            asked = RequestContext(method=method, path=path)
            assert wide.applies_to(asked) or not narrow.applies_to(asked), (method, path)
