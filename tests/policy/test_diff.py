"""What changed between two policies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.policy.test_loading import written

from doorward import Doorward, deny, shield, sliding_window
from doorward.cli import main
from doorward.policy.described import side_of
from doorward.policy.diff import Diff, compared

LOGIN: dict[str, Any] = {"name": "login", "max": 5, "interval": "10m"}


def diff(old: list[Any], new: list[Any], before: dict[str, Any] | None = None, **after: Any) -> Diff:
    """Of two clients."""
    return compared(side_of(Doorward(old, **(before or {})).runtime), side_of(Doorward(new, **after).runtime))


def test_equal_policies_are_equal() -> None:
    """Though they are two objects."""
    assert not diff([shield(), sliding_window(**LOGIN)], [shield(), sliding_window(**LOGIN)])


def test_a_rule_that_goes_live_is_said_plainly() -> None:
    """The mode first, then the other fields."""
    found = diff([sliding_window(**LOGIN, mode="DRY_RUN")], [sliding_window(**{**LOGIN, "max": 9}, mode="LIVE")])
    assert found.lines() == ["~ login: DRY_RUN -> LIVE", "~ login: max: 5 -> 9"]


def test_the_mode_of_the_client_goes_through_to_rules_that_name_none() -> None:
    """As it does when they run."""
    found = diff([shield()], [shield()], before={"mode": "DRY_RUN"})
    assert found.lines() == ["option mode: DRY_RUN -> LIVE", "~ shield: DRY_RUN -> LIVE"]


def test_rules_that_come_and_go() -> None:
    """And those that stay are paired with the most alike."""
    lists = [deny(ip="tor"), deny(ip=["192.0.2.1", "192.0.2.2"])]
    found = diff([*lists, shield()], [deny(ip=["192.0.2.1", "192.0.2.3"]), lists[0], sliding_window(**LOGIN)])
    assert [rule.builder for rule in found.removed] == ["shield"]
    assert [rule.name for rule in found.added] == ["login"]
    assert "~ deny: ip: -192.0.2.2, +192.0.2.3" in found.lines()
    assert found.reordered


def test_limits_by_path_are_rules_too() -> None:
    """They are changed as often."""
    found = diff([], [], before={"limits": {"/a": "5/minute"}}, limits={"/a": "6/minute"})
    assert found.lines() == ["~ /a: max: 5 -> 6"]


def test_options_are_compared() -> None:
    """Also who is trusted to name the client."""
    found = diff([], [], proxies=2, thresholds={"DENY": 3}, characteristics=["userId"])
    assert [change.field for change in found.options] == ["characteristics", "proxies", "thresholds"]


FILES = (
    '[[rules]]\nrule = "sliding_window"\nname = "signup"\nmax = 5\ninterval = 600\nmode = "DRY_RUN"\n',
    (
        '[[rules]]\nrule = "sliding_window"\nname = "signup"\nmax = 5\ninterval = "10m"\nmode = "LIVE"\n'
        '[[rules]]\nrule = "deny"\nname = "<b>|`x"\npaths = ["/<i>|*x*"]\n'
    ),
)


@pytest.fixture(name="files")
def _files(tmp_path: Path) -> tuple[str, str]:
    return str(written(tmp_path, FILES[0], "old.toml")), str(written(tmp_path, FILES[1], "new.toml"))


def test_the_command_prints_text(files: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """Status 1 where they differ, 0 where not; 600 is 10m."""
    assert main(["policy", "diff", *files]) == 1
    assert capsys.readouterr().out.splitlines()[2:] == [
        "+ <b>|`x: deny(paths /<i>|*x*) LIVE",
        "~ signup: DRY_RUN -> LIVE",
    ]
    assert main(["policy", "diff", files[0], files[0]]) == 0


def test_the_command_prints_json(files: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """For programs."""
    assert main(["policy", "diff", *files, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["changed"] == [
        {"name": "signup", "rule": "sliding_window", "fields": {"mode": {"old": "DRY_RUN", "new": "LIVE"}}}
    ]
    assert [rule["fields"]["paths"] for rule in found["added"]] == [["/<i>|*x*"]]
    assert not found["equal"]


def test_the_command_prints_markdown(files: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """In which names and paths are text, whatever they hold."""
    assert main(["policy", "diff", *files, "--markdown"]) == 1
    rows = capsys.readouterr().out.splitlines()[2:]
    assert rows == [
        r"| added | &lt;b&gt;\|\`x: deny\(paths /&lt;i&gt;\|\*x\*\) LIVE |  |  |",
        r"| changed | signup: mode | DRY\_RUN | LIVE |",
    ]


def test_an_application_is_compared_with_a_file(
    files: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As servers name applications."""
    (tmp_path / "policyapp.py").write_text(
        "from doorward import Doorward, sliding_window\n"
        'aj = Doorward([sliding_window(name="signup", max=5, interval=600, mode="DRY_RUN")])\n'
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert main(["policy", "diff", "policyapp:aj", files[0]]) == 0
    assert main(["policy", "diff", "policyapp:aj", files[1]]) == 1
    assert "~ signup: DRY_RUN -> LIVE" in capsys.readouterr().out


def test_a_wrong_file_is_no_difference(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 2, and the line that is wrong."""
    wrong = written(tmp_path, "\nrules = 5\n")
    assert main(["policy", "diff", str(wrong), str(wrong)]) == 2
    assert f"{wrong}:2: rules: must be a list" in capsys.readouterr().err


def test_check_lists_every_mistake_of_every_file(
    files: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """0 right, 1 wrong, 2 not to be read."""
    assert main(["policy", "check", *files]) == 0
    assert capsys.readouterr().out.splitlines() == [f"{files[0]}: 1 rule", f"{files[1]}: 2 rules"]
    wrong = written(tmp_path, "rules = 5\noptions = 6\n")
    assert main(["policy", "check", files[0], str(wrong)]) == 1
    assert [line.partition(": ")[0] for line in capsys.readouterr().out.splitlines()[1:]] == [
        f"{wrong}:1",
        f"{wrong}:2",
    ]
    assert main(["policy", "check", str(tmp_path / "no.toml"), str(wrong)]) == 2
    capsys.readouterr()
    assert main(["policy", "check", str(wrong), "--json"]) == 1
    assert [each["line"] for each in json.loads(capsys.readouterr().out)[0]["mistakes"]] == [1, 2]


def test_the_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """As it is published."""
    assert main(["policy", "schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "doorward policy"
