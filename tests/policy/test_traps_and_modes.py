"""Honeypots, traps in forms and the modes auto, all and off, as policy files say them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.policy.test_loading import mistakes, written

from doorward import Doorward, RequestContext
from doorward.cli import main
from doorward.policy import load
from doorward.presets import preset
from doorward.rules.forms import FormTrapRule
from doorward.testing import FakeClock

SECRET = "s" * 40
TRAPS = """
[[rules]]
rule = "honeypot"
traps = ["/.env", "/wp-admin/*"]
lasts = "10m"

[rules.examples]
match = [{ path = "/.env" }, { path = "/WP-ADMIN/x" }]
no_match = [{ path = "/env" }]

[[rules]]
rule = "form_trap"
action = "weigh"
weight = 5
"""


def request(path: str = "/", ip: str = "203.0.113.9") -> RequestContext:
    """A request of one client."""
    return RequestContext(path=path, peer=ip, headers=[("user-agent", "x"), ("accept", "*/*")])


def test_a_honeypot_of_a_file_catches(tmp_path: Path) -> None:
    """As one of code: for as long as it says."""
    clock = FakeClock()
    aj = Doorward(policy=written(tmp_path, TRAPS), secret=SECRET, clock=clock)
    assert aj.protect(request()).is_allowed()
    assert aj.protect(request("/.env")).is_denied()
    assert aj.protect(request()).is_denied()
    assert aj.protect(request(ip="203.0.113.10")).is_allowed()
    clock.advance(601)
    assert aj.protect(request()).is_allowed()


def test_a_trap_in_forms_of_a_file_is_asked_about_the_form(tmp_path: Path) -> None:
    """What it finds wrong weighs what the file says."""
    aj = Doorward(policy=written(tmp_path, TRAPS + "[options]\nthresholds = { DENY = 5 }\n"), secret=SECRET)
    assert aj.protect(request(), form={}).is_denied()
    assert [bound.rule.kind for bound in aj.engine.bound] == ["HONEYPOT", "FORM"]
    trap: Any = next(rule for rule in load(tmp_path / "policy.toml").rules if isinstance(rule, FormTrapRule))
    assert (trap.action, trap.weight) == ("weigh", 5)


def test_mistakes_in_traps_are_named(tmp_path: Path) -> None:
    """With the argument, as of all rules."""
    found = mistakes(tmp_path, '[[rules]]\nrule = "honeypot"\nlasts = "60d"\nhits = 0\n')
    assert [(line, field) for line, field, _ in found] == [
        (1, "rules[0].traps"),
        (3, "rules[0].lasts"),
        (4, "rules[0].hits"),
    ]
    text = '[[rules]]\nrule = "honeypot"\ntraps = []\n[[rules]]\nrule = "honeypot"\ntraps = ["/x"]\npaths = ["/y"]\n'
    assert [field for _, field, _ in mistakes(tmp_path, text)] == ["rules[0].traps", "rules[1].paths"]
    ((_, _, problem),) = mistakes(tmp_path, '[[rules]]\nrule = "form_trap"\naction = "weigh"\n')
    assert problem.startswith("weight: must be over 0")


def test_examples_of_traps_are_tried(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a form nothing can be tried without one."""
    assert main(["policy", "check", str(written(tmp_path, TRAPS))]) == 0
    assert "2 rules, 3 examples" in capsys.readouterr().out
    weighing = TRAPS.replace('lasts = "10m"', 'lasts = "10m"\nweight = 20')
    assert main(["policy", "check", str(written(tmp_path, weighing.replace('"/env"', '"/.ENV"')))]) == 1
    assert "must not match, and does" in capsys.readouterr().out
    form = '[[rules]]\nrule = "form_trap"\nexamples.match = [{ path = "/" }]\n'
    assert main(["policy", "check", str(written(tmp_path, form))]) == 1
    assert "the application gives form, which no request holds" in capsys.readouterr().out


def test_traps_that_change_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By what their author wrote."""
    old = written(tmp_path, TRAPS, "old.toml")
    changed = TRAPS.replace('"/wp-admin/*"', '"/.git/*"').replace("weight = 5", "weight = 6")
    assert main(["policy", "diff", str(old), str(written(tmp_path, changed))]) == 1
    printed = capsys.readouterr().out
    assert "~ honeypot: traps: -/wp-admin/*, +/.git/*" in printed
    assert "~ form_trap: weight: 5.0 -> 6.0" in printed


def test_a_trap_is_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Which traps there are, and that this is one."""
    file = written(tmp_path, TRAPS)
    main(["explain", "--rules", str(file), "--url", "https://a.example/.env", "--ip", "203.0.113.9"])
    printed = capsys.readouterr().out
    assert "/.env /wp-admin/*  (holds)" in printed
    assert "the client for 600 s" in printed


# --- auto, all, off

MODES = """
protection = "{}"

[[rules]]
rule = "deny"
paths = ["/closed"]

[[rules]]
rule = "allow"
paths = ["/health"]
"""


@pytest.mark.parametrize(
    ("protection", "expected"),
    [
        ("auto", ["ALLOW", "DENY", "ALLOW"]),
        ("all", ["CHALLENGE", "DENY", "ALLOW"]),
        ("off", ["ALLOW", "ALLOW", "ALLOW"]),
    ],
)
def test_modes_of_a_file(tmp_path: Path, protection: str, expected: list[str]) -> None:
    """As of presets in code."""
    aj = Doorward(policy=written(tmp_path, MODES.format(protection)), secret=SECRET)
    found = [aj.protect(request(path)).conclusion.value for path in ("/", "/closed", "/health")]
    assert found == expected


def test_a_preset_is_included_with_a_mode(tmp_path: Path) -> None:
    """It comes to what ``preset(…)`` makes; nobody is challenged twice where a preset challenges everybody already."""
    file = written(tmp_path, 'include = ["preset:default"]\nprotection = "all"\n')
    names = [rule.name for rule in load(file).rules]
    assert names == [rule.name for rule in preset("default", protection="all").rules]
    assert names[-1] == "everyone"
    assert load(file).place(load(file).rules[-1]).startswith("preset:everyone:")
    strict = load(written(tmp_path, 'include = ["preset:strict"]\nprotection = "all"\n'))
    assert [rule.name for rule in strict.rules].count("everyone") == 1


def test_a_mode_changes_while_the_application_runs(tmp_path: Path) -> None:
    """Under attack everybody is asked; afterwards the rules decide again, with what they have learnt."""
    limit = '[[rules]]\nrule = "sliding_window"\nmax = 2\ninterval = "10m"\n'
    file = written(tmp_path, limit)
    aj = Doorward(policy=file, secret=SECRET, clock=FakeClock())
    assert all(aj.protect(request()).is_allowed() for _ in range(2))
    written(tmp_path, 'protection = "off"\n' + limit)
    assert aj.reload() == ["- sliding_window(max 2, interval 10m) LIVE"]
    assert aj.protect(request()).is_allowed()
    written(tmp_path, 'protection = "all"\n' + limit)
    assert [line[:24] for line in aj.reload()] == ["+ sliding_window(max 2, ", "+ everyone: challenge(le"]
    assert aj.protect(request(ip="203.0.113.77")).is_challenged()
    health: Any = aj.health()["policy"]
    assert health["protection"] == "all"
    written(tmp_path, limit)
    aj.reload()
    assert aj.protect(request()).is_denied(), "the limit has its counter still"


def test_rules_that_are_off_are_looked_at_all_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A mistake is one also where nobody is asked."""
    wrong = mistakes(tmp_path, 'protection = "off"\n[[rules]]\nrule = "sheild"\n')
    assert [field for _, field, _ in wrong] == ["rules[0].rule"]
    assert mistakes(tmp_path, 'protection = "on"\n') == [
        (1, "protection", "must be one of auto, all, off, not 'on'"),
    ]
    unmet = 'protection = "off"\n[[rules]]\nrule = "deny"\npaths = ["/a"]\nexamples.match = [{ path = "/b" }]\n'
    assert main(["policy", "check", str(written(tmp_path, unmet))]) == 1
    assert "must match, and does not" in capsys.readouterr().out
    assert main(["policy", "check", "--json", str(written(tmp_path, MODES.format("off")))]) == 0
    assert json.loads(capsys.readouterr().out)[0]["rules"] == 0
