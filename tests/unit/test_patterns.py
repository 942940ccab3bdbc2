"""Patterns of paths and routes: what they match, and what they refuse to."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from doorward.errors import ConfigurationError
from doorward.patterns import (
    DEFAULT_EXEMPT,
    MAX_TEXT,
    Exemption,
    RouteMatcher,
    compile_path,
    compile_regex,
    is_plain_path,
)

GLOBS = [
    # pattern, paths that match, paths that do not
    ("/login", ["/login"], ["/login/", "/Login", "/a/login", "/logins", "", "login"]),
    ("/", ["/"], ["", "//", "/a"]),
    ("/api/*", ["/api/", "/api/a", "/api/a/b", "/api//"], ["/api", "/apix", "/x/api/", "/API/a"]),
    ("/api/**", ["/api/", "/api/a/b"], ["/api", "/apix"]),
    ("/api*", ["/api", "/apix"], ["/api/", "/api/a", "/ap"]),
    ("/*", ["/", "/a", "/a/b"], ["", "a"]),
    ("*", ["/", "/a/b", ""], []),
    ("**", ["/", "/a/b", ""], []),
    ("/users/*/edit", ["/users/7/edit", "/users//edit"], ["/users/7/8/edit", "/users/edit", "/users/7/edit/"]),
    ("/users/*/files/*", ["/users/7/files/", "/users/7/files/a/b"], ["/users/7/8/files/a", "/users/7/files"]),
    ("/a/**/z", ["/a//z", "/a/b/z", "/a/b/c/z"], ["/a/z", "/a/b/z/"]),
    ("**/export", ["/export", "/a/b/export"], ["/exports", "/export/"]),
    ("*.php", ["/x.php", "/a/b.php"], ["/xphp", "/x.php5"]),
    ("/report-?.pdf", ["/report-1.pdf"], ["/report-.pdf", "/report-12.pdf", "/report-/.pdf"]),
    ("/a.b", ["/a.b"], ["/aXb"]),
    ("/[ab]{1}(c)+$", ["/[ab]{1}(c)+$"], ["/a", "/acc"]),
    ("/a\nb/*x", ["/a\nb/x"], ["/a\nb/x\n", "/a b/x"]),
    ("/*a*a*a*b", ["/aaab", "/xaxaxaxb"], ["/aab", "/aaa/b", "/aaa"]),
    ("/**a*a**b", ["/aab", "/a/aXa/b"], ["/a/a/a", "/ab"]),
]
PAIRS = [(glob, path, True) for glob, yes, _ in GLOBS for path in yes] + [
    (glob, path, False) for glob, _, no in GLOBS for path in no
]


@pytest.mark.parametrize(("glob", "path", "expected"), PAIRS)
def test_globs_match_the_whole_path(glob: str, path: str, expected: bool) -> None:
    """Each form of a glob matches the paths of its table, and no others."""
    assert compile_path(glob).matches(path) is expected


def naive_match(glob: str, path: str) -> bool:
    """The definition of a glob, tried in every way there is."""
    if not glob:
        return not path
    stars = len(glob) - len(glob.lstrip("*"))
    if stars:
        crossing = stars > 1
        ends = [end for end in range(len(path) + 1) if crossing or "/" not in path[:end]]
        return any(naive_match(glob[stars:], path[end:]) for end in ends)
    matches_one = path[:1] == glob[0] or (glob[0] == "?" and path[:1] not in ("", "/"))
    return matches_one and naive_match(glob[1:], path[1:])


def spell_out(glob: str) -> str:
    """A glob with its special first and last stars written as the ``**`` they stand for."""
    if glob.startswith("*"):
        glob = "**" + glob.lstrip("*")
    return glob + "*" if glob.endswith("/*") else glob


@given(
    start=st.sampled_from(["/", "*", "**"]),
    rest=st.text("ab/*?", max_size=8),
    path=st.text("ab/", max_size=9).map(lambda text: "/" + text),
)
@example(start="/", rest="**a*?a**b*", path="/aabab/b")
def test_globs_agree_with_their_definition(start: str, rest: str, path: str) -> None:
    """A compiled glob answers as the naive matcher does, whichever way it was compiled."""
    assert compile_path(start + rest).matches(path) is naive_match(spell_out(start + rest), path)


@pytest.mark.parametrize("pattern", ["login", "", "static/*", "?x", "http://a/b"])
def test_a_glob_that_can_match_no_path_is_refused(pattern: str) -> None:
    """A pattern that forgets its slash is an error that says so, not a setting that does nothing."""
    with pytest.raises(ConfigurationError, match=r"exclude: .*starts with '/'"):
        compile_path(pattern, field="exclude")


@pytest.mark.parametrize("pattern", [b"/login", 7, None, re.compile(b"/login")])
def test_only_text_is_a_pattern(pattern: object) -> None:
    """Bytes and other objects are refused with the name of the field."""
    with pytest.raises(ConfigurationError, match="paths: takes "):
        compile_path(pattern)  # type: ignore[arg-type]


@pytest.mark.parametrize("pattern", ["/" + "a" * 1000, "re:" + "a" * 1001])
def test_patterns_are_bounded(pattern: str) -> None:
    """A pattern of more than 1,000 characters is refused."""
    with pytest.raises(ConfigurationError, match="at most 1000 characters"):
        compile_path(pattern)


def test_a_pattern_is_a_value() -> None:
    """Patterns are equal and hash alike if they were written alike; the way of writing and flags count."""
    assert compile_path("/a/*") == compile_path("/a/*")
    assert hash(compile_path("/a/*")) == hash(compile_path("/a/*"))
    assert compile_path("/a/*").source == "/a/*"
    assert compile_path(re.compile("/a")) != compile_path("/a")
    assert compile_path(re.compile("/a", re.IGNORECASE)) != compile_path(re.compile("/a"))


@pytest.mark.parametrize("pattern", [r"re:/v\d+/.*", r"regex:/v\d+/.*", re.compile(r"/v\d+/.*")])
def test_a_regular_expression_matches_the_whole_path(pattern: str | re.Pattern[str]) -> None:
    """Text after "re:" and compiled patterns must match from end to end, and stars in them are no globs."""
    compiled = compile_path(pattern)
    assert compiled.matches("/v12/users")
    assert not compiled.matches("/old/v12/users")
    assert not compiled.matches("/v12")


def test_flags_of_a_compiled_pattern_count() -> None:
    """A pattern compiled with IGNORECASE ignores case."""
    assert compile_path(re.compile("/admin", re.IGNORECASE)).matches("/ADMIN")


def test_compile_regex_searches() -> None:
    """A user's expression is found anywhere in the text."""
    is_tool = compile_regex(r"curl/\d|wget", field="user_agent")
    assert is_tool("GNU wget 1.2")
    assert not is_tool("Mozilla/5.0")


@pytest.mark.parametrize("overlong", [False, True])
def test_texts_too_long_for_a_regular_expression_get_the_safe_answer(overlong: bool) -> None:
    """Past the bound nothing is tried, and the caller has said which answer protects."""
    pattern = compile_path("re:/a*", overlong=overlong)
    assert pattern.matches("/" + "a" * (MAX_TEXT - 1))
    assert pattern.matches("/" + "a" * MAX_TEXT) is overlong
    assert compile_regex("^/a*", field="f", overlong=overlong)("/" + "a" * MAX_TEXT) is overlong


def test_globs_have_no_bound_on_the_path() -> None:
    """A long path cannot slip past a glob."""
    assert compile_path("/search/*").matches("/search/" + "a" * MAX_TEXT)
    assert compile_path("/*a*a*a*b").matches("/" + "a" * MAX_TEXT + "b")


def test_routes_match_method_and_path() -> None:
    """A route with methods is for those only, in any case; one without is for all."""
    routes = RouteMatcher(["POST /login", "GET,HEAD /static/*", "put , patch /items/*", "/open"], field="include")
    assert routes.match("POST", "/login") == "/login"
    assert routes.match("post", "/login") == "/login"
    assert routes.match("GET", "/login") is None
    assert routes.match("HEAD", "/static/a.css") == "/static/*"
    assert routes.match("PATCH", "/items/1") == "/items/*"
    assert routes.match("BREW", "/open") == "/open"


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (["/a/*", "/a/b"], "/a/*"),
        (["/a/b", "/a/*"], "/a/b"),
        (["POST /a/b", "/a/*"], "/a/*"),
        (["/x", "re:/a/.*", "/a/b"], "re:/a/.*"),
        (["POST /a/b", "GET /a/b"], "/a/b"),
    ],
)
def test_the_first_route_that_matches_wins(patterns: list[str], expected: str) -> None:
    """Order decides, also between exact paths and patterns."""
    assert RouteMatcher(patterns, field="include").match("GET", "/a/b") == expected


def test_a_route_takes_a_regular_expression_after_its_methods() -> None:
    """Methods and regular expressions go together; a regular expression may hold spaces."""
    routes = RouteMatcher(["POST re:/v\\d/x", "re:/a b", re.compile("/c")], field="include")
    assert routes.match("POST", "/v1/x") == "re:/v\\d/x"
    assert routes.match("GET", "/v1/x") is None
    assert routes.match("GET", "/a b") == "re:/a b"
    assert routes.match("GET", "/c") == "/c"


def test_a_misspelt_method_is_refused() -> None:
    """A route for a method that does not exist is an error with a suggestion."""
    with pytest.raises(
        ConfigurationError, match=r"limits: 'PSOT /login' names no HTTP method: PSOT. Did you mean POST"
    ):
        RouteMatcher(["PSOT /login"], field="limits")


def test_one_text_is_no_list_of_routes() -> None:
    """A single pattern where a list belongs is not taken apart into characters."""
    with pytest.raises(ConfigurationError, match="takes a list"):
        RouteMatcher("/*", field="exclude")


def test_a_matcher_knows_whether_it_is_empty() -> None:
    """No patterns: false, and nothing matches."""
    assert not RouteMatcher([], field="exclude")
    assert RouteMatcher(["/a"], field="exclude")
    assert RouteMatcher([], field="exclude").match("GET", "/") is None


PLAIN = ["/", "/static/a.css", "/a/b/", "/.well-known/x", "/a/..b", "/a/b..", "/a/...", "/a b", "/ж"]
SUSPECT = [
    "", "static", "*", "//", "/a//b", "/./a", "/a/.", "/static/../login", "/a/..", "/a\\..\\b", "/a%2e", "/a;v=1",
    "/a\x00", "/a\n", "/a\x7f", "/a\u2028b", "/a\udcff",
]  # fmt: skip


@pytest.mark.parametrize(("path", "plain"), [(p, True) for p in PLAIN] + [(p, False) for p in SUSPECT])
def test_plain_paths(path: str, plain: bool) -> None:
    """A path that some router or file system would rewrite is not plain."""
    assert is_plain_path(path) is plain


def default_exemptions() -> RouteMatcher:
    return RouteMatcher([route for exemption in DEFAULT_EXEMPT for route in exemption.routes()], field="exempt")


@pytest.mark.parametrize(
    "path",
    ["/health", "/healthz", "/readyz", "/ping", "/static/js/app.js", "/assets/logo.png", "/favicon.ico", "/robots.txt",
     "/.well-known/acme-challenge/token"],
)  # fmt: skip
def test_health_checks_and_static_files_are_exempt(path: str) -> None:
    """The defaults cover what orchestrators ask for and what pages load, when read."""
    assert default_exemptions().match("GET", path) is not None
    assert default_exemptions().match("HEAD", path) is not None
    assert default_exemptions().match("POST", path) is None


@pytest.mark.parametrize(
    "path",
    ["/admin/health", "/admin/healthcare-records", "/healthcare-records", "/orders/status/1", "/secret/robots.txt",
     "/private/.well-known/y", "/api/ping", "/health/", "/healthz/../admin", "/x/favicon.ico", "/static", "/staticx/a",
     "/my/static/a", "/.well-known/webfinger", "/status"],
)  # fmt: skip
def test_humanify_1_8_default_exemptions_are_anchored(path: str) -> None:
    """Regression: unanchored defaults exempted /admin/health and its like from all protection."""
    assert default_exemptions().match("GET", path) is None


def test_exemptions_carry_a_reason() -> None:
    """Each default can be explained, and is for reading methods only."""
    for exemption in DEFAULT_EXEMPT:
        assert exemption.reason
        assert exemption.methods == ("GET", "HEAD")
    assert Exemption("r", ("GET", "HEAD"), ("/a", "/b")).routes() == ("GET,HEAD /a", "GET,HEAD /b")
