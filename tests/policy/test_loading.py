"""Rules from files are the rules of code, for every builder and argument; and every mistake is named with its line."""

from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.policy.values import APART, REQUIRED, VALUES, all_differences
from tests.policy.writing import toml

import doorward
from doorward import ConfigurationError, Doorward, Mode
from doorward.client_ip import Proxies
from doorward.policy import PolicyError, load
from doorward.policy.arguments import BUILDERS, arguments, builder, by_names

SOAK = os.environ.get("DOORWARD_SOAK") == "1"
SHARED_FOLDER = settings(
    max_examples=2_000 if SOAK else 50,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def written(folder: Path, text: str | bytes, name: str = "policy.toml") -> Path:
    """A policy file."""
    file = folder / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    return file


def mistakes(folder: Path, text: str | bytes, name: str = "policy.toml") -> list[tuple[int, str, str]]:
    """What is wrong with a policy: line, field and problem of each mistake."""
    file = written(folder, text, name)
    with pytest.raises(PolicyError) as refused:
        load(file)
    assert refused.value.file == str(file)
    return [each[:3] for each in refused.value.mistakes]


@st.composite
def calls(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A builder and arguments that it may take."""
    name = draw(st.sampled_from(sorted(VALUES)))
    needed = draw(st.sampled_from(REQUIRED.get(name, [set()])))
    others = draw(st.sets(st.sampled_from(sorted(VALUES[name])), max_size=5)) | needed
    for apart in APART:
        kept = sorted(others & apart & needed) or sorted(others & apart)
        others -= (apart - set(kept[:1])) if name not in ("allow", "deny", "weigh", "shield") else set()
    return name, {key: draw(st.sampled_from(VALUES[name][key])) for key in sorted(others)}


def test_values_are_there_for_every_argument() -> None:
    """So that an argument that is added to a builder is tested here, too."""
    assert set(VALUES) == set(BUILDERS)
    for name in BUILDERS:
        assert set(VALUES[name]) == set(arguments(name)), name


@pytest.mark.parametrize("kind", ["toml", "yaml"])
@SHARED_FOLDER
@given(data=st.data(), call=calls())
def test_rules_of_a_file_are_the_rules_of_code(
    tmp_path: Path, kind: str, data: st.DataObject, call: tuple[str, dict[str, Any]]
) -> None:
    """The same classes, fields and ids; and what code refuses, a file is refused for."""
    name, given_arguments = call
    document = {"rules": [{"rule": name, **given_arguments}]}
    text = toml(data.draw, document).text if kind == "toml" else yaml.safe_dump(document, sort_keys=False)
    file = written(tmp_path, text, f"policy.{kind}")
    built, problem = called(name, given_arguments)
    if problem:
        with pytest.raises(PolicyError) as refused:
            load(file)
        assert problem in refused.value.problem
    else:
        assert all_differences(load(file).rules, built) == []


def called(name: str, given_arguments: dict[str, Any]) -> tuple[tuple[Any, ...], str]:
    """What a builder makes in code, and the beginning of what it says is wrong."""
    try:
        built = by_names(builder(name))(**given_arguments)
    except ConfigurationError as error:
        return (), error.problem.partition("\n")[0][:40]
    return built if isinstance(built, tuple) else (built,), ""


def problems(file: Path) -> PolicyError | None:
    """What is wrong with a file; None where nothing is."""
    try:
        load(file)
    except PolicyError as error:
        return error
    return None


@pytest.mark.parametrize(("name", "argument"), [(name, key) for name in BUILDERS for key in VALUES[name]])
def test_every_argument_can_be_said(tmp_path: Path, name: str, argument: str) -> None:
    """Each by itself, beside what is required, in each of its forms."""
    for value in VALUES[name][argument]:
        needed = next((each for each in REQUIRED.get(name, [set()]) if argument in each), None)
        needed = (REQUIRED.get(name) or [set()])[0] if needed is None else needed
        given_arguments = {key: VALUES[name][key][-1] for key in needed} | {argument: value}
        if argument == "verified_only" or name == "filter_request":
            given_arguments |= {"allow": ["ip.src.tor"]} if name == "filter_request" and argument != "deny" else {}
        if name in ("allow", "deny", "weigh", "challenge"):
            given_arguments = {"ip": "tor", **given_arguments}
        try:
            built = by_names(builder(name))(**given_arguments)
        except ConfigurationError:
            continue  # an empty list, where one is wanted that is not
        file = written(tmp_path, json.dumps({"rules": [{"rule": name, **given_arguments}]}), "policy.yaml")
        assert all_differences(load(file).rules, built if isinstance(built, tuple) else (built,)) == []


OPTIONS: dict[str, list[Any]] = {
    "mode": ["DRY_RUN", "live"],
    "on_error": ["allow", "deny"],
    "characteristics": [["userId"], ["ip.src", "http.host"]],
    "ipv6_prefix": [48, 128],
    "proxies": ["private", 2, ["192.0.2.0/24"], []],
    "limits": [{"/api/*": "100/hour", "POST /login": "5/minute"}],
    "thresholds": [{"CHALLENGE": 10, "deny": 20.5}],
    "body_limit": [1000],
    "challenges": [
        {"lifetime": "1h", "bind": ["address"], "levels": {"browser": 10}, "contact": "mailto:help@example.org"},
        {"kinds": ["wait", {"kind": "work", "algorithm": "SCRYPT", "least": 50, "most": 200}], "theme": "dark"},
        {"clients": {"per_address": 5}, "altcha": {"version": 1}, "words": {"de": {"title": "Kurz"}}, "status": 429},
    ],
}


@pytest.mark.parametrize("said", ["2026-08-01", '"2026-08-01"'])
def test_the_day_on_which_a_trial_began_is_a_date_of_toml_or_text(tmp_path: Path, said: str) -> None:
    """What is neither is told so."""
    text = f'[[rules]]\nrule = "shield"\nmode = "DRY_RUN"\ndry_run_since = {said}\n'
    (rule,) = load(written(tmp_path, text)).rules
    assert rule.dry_run_since == date(2026, 8, 1)
    with pytest.raises(PolicyError, match="dry_run_since: must be a date or text, not true"):
        load(written(tmp_path, text.replace(said, "true")))


@pytest.mark.parametrize(("option", "value"), [(name, each) for name, values in OPTIONS.items() for each in values])
def test_options_of_a_file_are_the_options_of_code(tmp_path: Path, option: str, value: Any) -> None:
    """By the client that is made of them."""
    file = written(tmp_path, json.dumps({"options": {option: value}}), "policy.yaml")
    ours, theirs = load(file).client().runtime.settings, Doorward(**{option: value}).runtime.settings
    named = ("mode", "on_error", "ipv6_prefix", "proxies", "limits", "thresholds", "body_limit", "challenges")
    assert [getattr(ours, name) for name in named] == [getattr(theirs, name) for name in named]
    assert ours.identity.names == theirs.identity.names


def test_the_header_of_proxies_can_be_said(tmp_path: Path) -> None:
    """As a table, which is ``Proxies(…)`` in code."""
    text = '[options]\nproxies = { trusted = ["192.0.2.1"], header = "forwarded" }\n'
    assert load(written(tmp_path, text)).options["proxies"] == Proxies(["192.0.2.1"], "forwarded")
    wrong = '[options.proxies]\nheadr = "forwarded"\ntrusted = "everybody"\n'
    assert [line for line, _, _ in mistakes(tmp_path, wrong)] == [1, 2]


def test_a_policy_knows_where_its_rules_stand_and_makes_a_client(tmp_path: Path) -> None:
    """One entry may be several rules."""
    file = written(tmp_path, '# rules\n[[rules]]\nrule = "shield"\n\n[[rules]]\nrule = "protect_signup"\n')
    policy = load(file)
    assert [policy.place(rule) for rule in policy.rules] == [f"{file}:2", *[f"{file}:5"] * 3]
    assert policy.place(doorward.shield()) == ""
    client = policy.client(mode="DRY_RUN", name="tried")
    assert set(client.health()["rules"].values()) == {Mode.DRY_RUN.value}
    assert "policy" not in client.health()


def test_all_mistakes_are_reported_together_each_with_its_line(tmp_path: Path) -> None:
    """Field, what is accepted, and what may have been meant."""
    text = """\
rulez = 1
[options]
mode = "DRYISH"
store = "memory://"
limits = { "/api/*" = "100/hour", "POST /login" = "5/fortnight" }
thresholds = { DENY = 20, CHALENGE = 4 }

[[rules]]
rule = "sliding_windw"

[[rules]]
rule = "sliding_window"
max = 0
interval = "10 parsecs"
pathes = ["/x"]
paths = [
  "/x",
  5,
]
count_when = "ok"

[[rules]]
rule = "protect_signup"
rate_limit = [{max = 5, interval = "1m"}, {max = "x", interval = "1m"}]
email.deny = ["INVLAID"]
bots = 4

[[rules]]
rule = "fixed_window"
max = true
"""
    found = mistakes(tmp_path, text)
    assert [(line, field) for line, field, _ in found] == [
        (1, "rulez"),
        (3, "options.mode"),
        (4, "options.store"),
        (5, "options.limits.POST /login"),
        (6, "options.thresholds.CHALENGE"),
        (9, "rules[0].rule"),
        (13, "rules[1].max"),
        (14, "rules[1].interval"),
        (15, "rules[1].pathes"),
        (18, "rules[1].paths[1]"),
        (20, "rules[1].count_when"),
        (24, "rules[2].rate_limit[1].max"),
        (25, "rules[2].email.deny"),
        (26, "rules[2].bots"),
        (28, "rules[3].window"),
        (30, "rules[3].max"),
    ]
    said = {field: problem for _, field, problem in found}
    assert "is said in code" in said["options.store"]
    assert "Did you mean sliding_window?" in said["rules[0].rule"]
    assert "Did you mean paths?" in said["rules[1].pathes"]
    assert said["rules[1].interval"].startswith('must be seconds or text such as "30s"')
    assert 'begins with "re:"' in said["rules[1].paths[1]"]
    assert "a function can only be given in code" in said["rules[1].count_when"]
    assert "Did you mean INVALID?" in said["rules[2].email.deny"]
    assert said["rules[3].max"] == "must be a whole number, not true"
    assert said["rules[3].window"] == "is missing"


@pytest.mark.parametrize(
    ("text", "name", "problem"),
    [
        ("", "policy.toml", "is empty"),
        ("# nothing\n", "policy.yaml", "is empty"),
        ("rules = 5", "policy.toml", "must be a list of tables, not 5"),
        ("rules = [5]", "policy.toml", "must be a table such as"),
        ("rules: [{}]", "policy.yml", "and is missing"),
        ("options = 5", "policy.toml", "must be a table, not 5"),
        ("rules: null", "policy.yml", "must be a list of tables, not null"),
        ("rules: [{rule: shield, mode: null}]", "policy.yml", "must be text, not null"),
        ("x", "policy.json", "must be named .toml"),
        (b"a = '\xff'", "policy.toml", "must be UTF-8"),
        (b"# " + b"x" * 2**20, "policy.toml", "is larger than"),
        ('[[rules]]\nrule = "deny"\n', "policy.toml", "needs a condition"),
        ('[[rules]]\nrule = "detect_bot"\nallow = []\ndeny = []\n', "policy.toml", "cannot be given together"),
        ('[[rules]]\nrule = "deny"\npaths = ["re:(a"]\n', "policy.toml", "(a"),
        ("rules: [{rule: shield, threshold: .nan}]", "policy.yaml", "must be a number above 0"),
        ("rules: [{rule: sliding_window, max: 1, interval: .inf}]", "policy.yaml", "must be from one millisecond"),
    ],
    ids=str,
)
def test_what_is_no_policy_is_refused(tmp_path: Path, text: str | bytes, name: str, problem: str) -> None:
    """Whatever it is, by a message that says what is wrong."""
    assert any(problem in said for _, _, said in mistakes(tmp_path, text, name))


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    """A folder, a pipe that nobody writes to, a file that is not there."""
    (tmp_path / "folder.toml").mkdir()
    os.mkfifo(tmp_path / "pipe.toml")
    for name, problem in (("folder", "cannot be read|regular"), ("pipe", "regular file"), ("nothing", "No such file")):
        with pytest.raises(PolicyError, match=problem) as refused:
            load(tmp_path / f"{name}.toml")
        assert refused.value.line == 0
    for wrong in ("", None, 5, "a\0b.toml"):
        with pytest.raises(ConfigurationError, match="must be the path"):
            load(wrong)  # type: ignore[arg-type]


def test_what_a_file_holds_is_never_printed_raw(tmp_path: Path) -> None:
    """Terminal escapes, line breaks, bidirectional marks: in keys and in values."""
    text = (
        '"a\\u001b[2J" = 1\n[[rules]]\nrule = "x\\u001b\\n\\u202e"\n'
        '[[rules]]\nrule="deny"\nip=["\\u001b[0m"]\n"\\n" = 1\n'
    )
    file = written(tmp_path, text)
    with pytest.raises(PolicyError) as refused:
        load(file)
    lines = str(refused.value).split("\n")
    assert len(lines) == len(refused.value.mistakes) == 4
    assert all(line.isascii() and line.isprintable() for line in lines)


HOSTILE = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=8),
        st.sampled_from(["LIVE", "/x", "re:(", "re:(a*)*b", "10m", "5/minute", "tor", "9" * 400, 10**400, -(10**400)]),
    ),
    lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=5), v, max_size=3),
    max_leaves=5,
)


@st.composite
def hostile(draw: st.DrawFn) -> dict[str, Any]:
    """A document whose keys are a policy's and whose values are anything."""
    name = draw(st.sampled_from(BUILDERS))
    keys = draw(st.sets(st.sampled_from(sorted(arguments(name)))))
    nested = {"rate_limit", "bots", "email", "exclude"}
    inner = st.dictionaries(st.sampled_from(["max", "interval", "allow", "deny", "path", "family", "carries"]), HOSTILE)
    rule = {key: draw(HOSTILE | inner | st.lists(inner) if key in nested else HOSTILE) for key in sorted(keys)}
    options = draw(st.dictionaries(st.sampled_from([*OPTIONS, "store", "x"]), HOSTILE, max_size=3))
    return {"options": options, "rules": [{"rule": name, **rule}, draw(HOSTILE)]}


@SHARED_FOLDER
@given(document=hostile())
def test_hostile_files_do_nothing_but_raise_policy_errors(tmp_path: Path, document: dict[str, Any]) -> None:
    """Whatever types and values stand where."""
    file = written(tmp_path, json.dumps(document).replace("NaN", ".nan").replace("Infinity", ".inf"), "policy.yaml")
    error = problems(file)
    assert "cannot be built" not in str(error), "a builder raised something else than ConfigurationError"


@SHARED_FOLDER
@given(content=st.binary(max_size=80), kind=st.sampled_from(["toml", "yaml"]))
def test_any_bytes_are_refused_or_read(tmp_path: Path, content: bytes, kind: str) -> None:
    """Never anything else."""
    error = problems(written(tmp_path, content, f"policy.{kind}"))
    assert error is None or all(each.problem.isprintable() for each in error.mistakes)
