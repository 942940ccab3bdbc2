"""Presets: their examples hold, the peers' false positives stay out, and people in browsers notice nothing."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from doorward import Conclusion, ConfigurationError, Doorward, RequestContext, State
from doorward.cli import main
from doorward.policy import PolicyError, load
from doorward.policy.examples import unmet
from doorward.policy.schema import schema
from doorward.presets import FOLDER, names, preset

SECRET = "s" * 40
CHROME = "Mozilla/5.0 ({}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 {}Safari/537.36{}"
WINDOWS, PHONE = "Windows NT 10.0; Win64; x64", "Linux; Android 10; K"
NAVER = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 "
    "NAVER(inapp; search; 2000; 12.9.1; 13PRO)"
)
SOGOU = (
    "Mozilla/5.0 (Linux; U; Android 11; zh-CN) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/78.0 Mobile "
    "Safari/537.36 SogouMSE,SogouMobileBrowser/5.28.10"
)
BROWSERS = {
    "chrome": CHROME.format(WINDOWS, "", ""),
    "chrome-android": CHROME.format(PHONE, "Mobile ", ""),
    "edge": CHROME.format(WINDOWS, "", " Edg/131.0.0.0"),
    "firefox": "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
    "firefox-android": "Mozilla/5.0 (Android 14; Mobile; rv:132.0) Gecko/132.0 Firefox/132.0",
    "safari": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 "
    "Safari/605.1.15",
    "safari-ios": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.1 Mobile/15E148 Safari/604.1",
    "chrome-ios": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "CriOS/131.0.6778.73 Mobile/15E148 Safari/604.1",
    "samsung": "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/27.0 "
    "Chrome/125.0.0.0 Mobile Safari/537.36",
    "naver": NAVER,
    "sogou": SOGOU,
    "cubot": CHROME.format("Linux; Android 13; CUBOT P80", "Mobile ", ""),
    "search-preview": "Mozilla/5.0 (Windows NT 10.0; rv:128.0) Gecko/20100101 SearchPreview Firefox/128.0",
    "opera-presto": "Opera/9.80 (Windows NT 6.1; U; en) Presto/2.10.289 Version/12.02",
}
"""As these browsers write themselves (2024-11), and the people whom peers took for bots."""


def browser_headers(agent: str, kind: str, scheme: str) -> list[tuple[str, str]]:
    """What a browser sends with a navigation, a fetch, an image or a form."""
    accept = {
        "navigation": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
        "form": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "fetch": "*/*",
        "image": "image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5",
    }[kind]
    found = [("Host", "www.example"), ("User-Agent", agent), ("Accept", accept), ("Accept-Language", "de,en-US;q=0.7")]
    found += [("Accept-Encoding", "gzip, deflate, br, zstd" if scheme == "https" else "gzip, deflate")]
    if scheme == "https":
        mode = {"navigation": "navigate", "form": "navigate", "fetch": "cors", "image": "no-cors"}[kind]
        target = {"navigation": "document", "form": "document", "fetch": "empty", "image": "image"}[kind]
        found += [("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Mode", mode), ("Sec-Fetch-Dest", target)]
        if "Chrome/131" in agent:
            found += [("sec-ch-ua", '"Chromium";v="131", "Not_A Brand";v="24"'), ("sec-ch-ua-mobile", "?0")]
    if kind == "form":
        found += [("Content-Type", "application/x-www-form-urlencoded"), ("Origin", f"{scheme}://www.example")]
    return [*found, ("Cookie", "session=abc; theme=dark"), ("Referer", f"{scheme}://www.example/")]


@pytest.fixture(scope="module")
def default() -> Doorward:
    """A client with the default preset, and nothing else."""
    return Doorward(policy="preset:default", secret=SECRET)


@pytest.mark.parametrize("name", names())
def test_every_rule_has_examples_on_both_sides_and_they_hold(name: str) -> None:
    """A rule that nobody has tried is one that misfires."""
    policy = load(f"preset:{name}")
    addresses = policy.client(secret=SECRET).runtime.addresses
    assert unmet(policy.entries, addresses) == []
    for entry in policy.entries:
        sides = {example.matches for example in entry.examples}
        assert sides == {True, False} or (name == "everyone" or entry.file == "preset:everyone"), entry.arguments


@pytest.mark.parametrize("name", names())
def test_presets_are_right_by_the_schema_and_by_the_command(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """So that an editor marks nothing in a copy of one."""
    document = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    assert [error.message for error in jsonschema_rs.Draft7Validator(schema()).iter_errors(document)] == []
    assert main(["policy", "check", f"preset:{name}"]) == 0
    assert capsys.readouterr().out.startswith(f"preset:{name}: ")


@pytest.mark.parametrize("kind", ["navigation", "fetch", "image", "form"])
@pytest.mark.parametrize("browser", BROWSERS)
@pytest.mark.parametrize("scheme", ["https", "http"])
def test_people_in_browsers_are_not_challenged(default: Doorward, browser: str, kind: str, scheme: str) -> None:
    """None of them, nowhere."""
    method = "POST" if kind == "form" else "GET"
    for path in ("/", "/shop/items/42", "/login", "/search", "/static/app.js", "/favicon.ico"):
        headers = browser_headers(BROWSERS[browser], kind, scheme)
        body = b"user=a&password=b" if kind == "form" else b""
        request = RequestContext(
            method=method, scheme=scheme, path=path, headers=headers, body=body, peer="203.0.114.7", raw_path=path
        )
        decision = default.protect(request)
        assert decision.conclusion is Conclusion.ALLOW, (path, decision.reason)
        # Not one of the rules that weigh or challenge found anything.
        assert not any(getattr(result.reason, "weight", 0) for result in decision.results)


@pytest.mark.parametrize(
    "path",
    ["/shellfish", "/x/cmdline", "/.github/x", "/.environment", "/blog/wp-login-guide", "/server-status-page",
     "/docs/index.php", "/admin/health", "/orders/status/1"],
)  # fmt: skip
@pytest.mark.parametrize("name", ["default", "api"])
def test_paths_that_peers_refused_to_people(name: str, path: str) -> None:
    """False positives of NoBot and Vouch, and what Humanify's exemptions let past."""
    aj = Doorward(policy=f"preset:{name}", secret=SECRET)
    headers = browser_headers(BROWSERS["firefox"], "navigation", "https")
    assert aj.protect(RequestContext(path=path, headers=headers, peer="203.0.114.7")).is_allowed()


@pytest.mark.parametrize("path", ["/WP-ADMIN/", "/.env", "/.git/config", "/cgi-bin/x", "/.ENV", "/a/../../etc/passwd"])
@pytest.mark.parametrize("name", ["default", "api", "strict"])
def test_probes_are_refused_whoever_asks(name: str, path: str) -> None:
    """In any case, and whatever browser it says it is."""
    aj = Doorward(policy=f"preset:{name}", secret=SECRET)
    headers = browser_headers(BROWSERS["chrome"], "navigation", "https")
    assert aj.protect(RequestContext(path=path, headers=headers, peer="203.0.114.7")).is_denied()


@pytest.mark.parametrize(
    ("agent", "conclusion"),
    [
        ("sqlmap/1.8#stable (https://sqlmap.org)", Conclusion.DENY),
        ("python-requests/2.32.3", Conclusion.CHALLENGE),
        ("curl/8.5.0", Conclusion.CHALLENGE),
        ("", Conclusion.CHALLENGE),
        ("Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2)", Conclusion.CHALLENGE),
        ("Mozilla/5.0 (X11) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/131.0.0.0", Conclusion.CHALLENGE),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", Conclusion.CHALLENGE),
        ("python-httpx/0.27.0", Conclusion.CHALLENGE),
    ],
)
def test_what_programs_come_to_by_default(default: Doorward, agent: str, conclusion: Conclusion) -> None:
    """Each sends what such a program sends; the "Googlebot" is at an address that is nobody's crawler."""
    found = default.protect(RequestContext(headers=[("user-agent", agent), ("accept", "*/*")], peer="10.0.0.9"))
    assert found.conclusion is conclusion, found.reason


@pytest.mark.parametrize("agent", ["Googlebot/2.1", "WhatsApp/2", "Feedly/1.0", "UptimeRobot/2.0", "Wayback"])
@pytest.mark.parametrize("protection", ["all"])
def test_a_name_alone_lets_nobody_past(agent: str, protection: Any) -> None:
    """NoBot and Vouch let all of these pass, in mode "all" too."""
    policy = preset("default", protection=protection)
    aj = Doorward([*policy.rules], secret=SECRET, **policy.options)  # type: ignore[arg-type]
    headers = [("user-agent", agent), ("accept", "*/*"), ("accept-language", "en")]
    assert aj.protect(RequestContext(headers=headers, peer="203.0.114.7")).conclusion is Conclusion.CHALLENGE


def test_a_search_engine_at_its_own_address_passes() -> None:
    """Also where everybody is challenged."""
    aj = Doorward(policy="preset:strict", secret=SECRET)
    headers = [("user-agent", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)")]
    assert aj.protect(RequestContext(headers=[*headers, ("accept", "*/*")], peer="66.249.66.1")).is_allowed()
    person = RequestContext(headers=browser_headers(BROWSERS["firefox"], "navigation", "https"), peer="203.0.114.7")
    assert aj.protect(person).conclusion is Conclusion.CHALLENGE


def test_protection_auto_all_and_off() -> None:
    """auto: the rules decide; all: whoever no rule allowed or denied is challenged; off: only routes that say so."""
    person = RequestContext(headers=browser_headers(BROWSERS["firefox"], "navigation", "https"), peer="203.0.114.7")
    conclusions = []
    for protection in ("auto", "all", "off"):
        policy = preset("default", protection=protection)  # type: ignore[arg-type]
        aj = Doorward([*policy.rules], secret=SECRET, **policy.options)  # type: ignore[arg-type]
        conclusions.append(aj.protect(person).conclusion)
    assert conclusions == [Conclusion.ALLOW, Conclusion.CHALLENGE, Conclusion.ALLOW]
    assert preset("default", protection="off").rules == ()
    robots = RequestContext(path="/robots.txt", peer="203.0.114.7", headers=[("user-agent", "x"), ("accept", "*/*")])
    every = preset("default", protection="all")
    assert Doorward([*every.rules], secret=SECRET, **every.options).protect(robots).is_allowed()  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="protection: must be one of auto, all, off"):
        preset("default", protection="on")  # type: ignore[arg-type]


def test_files_include_presets(tmp_path: Path) -> None:
    """Theirs come first, options of the file's own hold, nothing comes twice."""
    file = tmp_path / "policy.toml"
    file.write_text(
        'include = ["preset:scanners", "preset:default"]\n[options]\nthresholds = { CHALLENGE = 4 }\n'
        '[[rules]]\nrule = "deny"\nname = "mine"\npaths = ["/mine"]\n'
    )
    policy = load(file)
    found = [rule.name for rule in policy.rules]
    assert found[0] == "scanners"
    assert found[-1] == "mine"
    assert len(found) == len(set(found))
    assert policy.options == {"thresholds": {"CHALLENGE": 4}}
    assert policy.place(policy.rules[0]) == "preset:scanners:3"
    assert policy.place(policy.rules[-1]) == f"{file}:4"
    aj = Doorward(policy=file, secret=SECRET)
    assert aj.reload() == []
    file.write_text('include = ["preset:scanners"]\n')
    assert any("mine" in change for change in aj.reload())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('include = ["preset:scaners"]', r"include\[0\]: 'scaners' is no preset.*did you mean scanners\?"),
        ('include = ["other.toml"]', r"include\[0\]: must be text such as"),
        ("include = 5", "include: must be a list"),
        ('[[rules]]\nrule = "deny"\npaths = ["/x"]\nexamples = 5', r"rules\[0\]\.examples: must be a table"),
        ('[[rules]]\nrule = "deny"\npaths = ["/x"]\nexamples = { matches = [] }', "must be a table with match"),
        ('[[rules]]\nrule = "deny"\npaths = ["/x"]\nexamples = { match = [5] }', r"match\[0\]: must be a table"),
        ('[[rules]]\nrule = "deny"\npaths = ["/x"]\nexamples = { match = [{ pth = "/" }] }', "has the key 'pth'"),
        ('[[rules]]\nrule = "deny"\npaths = ["/x"]\nexamples = { match = [{ path = 5 }] }', "has no text as path"),
    ],
)
def test_mistakes_have_their_place(tmp_path: Path, text: str, problem: str) -> None:
    """As all of a policy file's."""
    file = tmp_path / "policy.toml"
    file.write_text(text)
    with pytest.raises(PolicyError, match=problem):
        load(file)


def test_the_command_tries_examples(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One that comes to something else is a mistake with its line."""
    file = tmp_path / "policy.toml"
    file.write_text(
        '[[rules]]\nrule = "deny"\nform = { role = "admin" }\n[rules.examples]\nmatch = [\n'
        '  { form = { role = "admin" } },\n  { form = { role = "guest" } },\n]\n'
        'no_match = [{ json = { role = "admin" } }, { form = { role = "admin" } }]\n'
        '[[rules]]\nrule = "sliding_window"\nmax = 5\ninterval = 60\nexamples = { match = [{}] }\n'
    )
    assert main(["policy", "check", str(file)]) == 1
    out = capsys.readouterr().out
    assert f"{file}:7: rules[0].examples.match[1]: must match, and does not" in out
    assert f"{file}:9: rules[0].examples.no_match[1]: must not match, and does" in out
    assert "rules[1].examples.match[0]: cannot be tried: " in out
    assert main(["policy", "check", "--json", str(file)]) == 1
    assert len(json.loads(capsys.readouterr().out)[0]["mistakes"]) == 3


def test_presets_of_no_name() -> None:
    """Are errors, with the nearest."""
    for make in (lambda: preset("defualt"), lambda: Doorward(policy="preset:defualt"), lambda: load("preset:defualt")):
        with pytest.raises(ConfigurationError, match="did you mean default"):
            make()  # type: ignore[no-untyped-call]


def test_results_of_the_default_preset_are_all_there(default: Doorward) -> None:
    """Rules that are asked the short way have results as others have."""
    person = RequestContext(
        headers=browser_headers(BROWSERS["firefox"], "fetch", "https"), peer="203.0.114.7", raw_path="/"
    )
    decision = default.protect(person)
    assert len(decision.results) == len(load("preset:default").rules)
    assert {result.state for result in decision.results} <= {State.RUN, State.NOT_RUN}


@pytest.mark.parametrize("name", ["default", "api", "strict"])
def test_presets_pass_the_linter(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing in them is shadowed, unreachable or unanchored."""
    monkeypatch.setenv("DOORWARD_SECRET", "0WpRzQ1u9x-yL7tVb3NcKfE6hJ2sGd8aMiXoYrTeUqA")
    main(["check", f"preset:{name}", "--fail-on", "error"])
    found = capsys.readouterr().out
    assert not [line for line in found.splitlines() if line.startswith(("DW00", "DW01", "DW02"))], found


def test_presets_are_compared_and_explained(capsys: pytest.CaptureFixture[str]) -> None:
    """As files are."""
    assert main(["policy", "diff", "preset:api", "preset:strict"]) == 1
    assert "+ ai-crawlers: challenge(" in capsys.readouterr().out
    request = ["--url", "https://www.example/.env", "--header", "User-Agent: curl/8.5.0", "--ip", "203.0.114.7"]
    main(["explain", "--rules", "preset:default", *request])
    found = capsys.readouterr().out
    assert "dotfile-probes  [RULE, live]  DENY" in found
    assert "raw_path" not in found


def test_replay_asks_what_was_recorded() -> None:
    """Rules say which parts they read, so that none concludes from what nobody wrote down."""
    from doorward.replay.needs import askable

    client = Doorward(policy="preset:default", secret=SECRET)
    asked = {
        bound.name: askable(bound.rule, bound.identity, frozenset({"user-agent"})).rule is not None
        for bound in client.runtime.engine.bound
    }
    names_alone = ("scanners", "dotfile-probes", "search-engines", "http-libraries", "public-files")
    assert all(asked[name] for name in names_alone)
    assert not any(asked[name] for name in ("no-accept", "headless-browsers", "cloudflare-workers", "traversal-probes"))
