"""Every code of ``doorward check`` is found where it is to be, and not where it nearly is."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tests.checks.cases import NEAR_MISSES, TODAY, TRIGGERS, Case, Known

from doorward.checks import CODES, FAMILIES, LEVELS, Finding, findings_of
from doorward.checks.registry import INTERNAL
from doorward.checks.subject import Subject


def found(case: Case, monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    for name in ("DOORWARD_MODE", "DOORWARD_ENV", "DOORWARD_KEY", "DOORWARD_SECRET", "WEB_CONCURRENCY"):
        monkeypatch.delenv(name, raising=False)
    with case.client() as client:
        addresses: Any = client.runtime.addresses if case.known is None else Known(case.known)
        return findings_of(Subject(client, case.environ, case.command, TODAY, addresses))


def each(table: dict[str, list[Case]]) -> list[Any]:
    return [
        pytest.param(code, case, id=f"{code}-{number}")
        for code, cases in table.items()
        for number, case in enumerate(cases, 1)
    ]


@pytest.mark.parametrize(("code", "case"), each(TRIGGERS))
def test_each_code_is_found(code: str, case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """The finding names the rule, has the code's level, and says what to write instead."""
    findings = [finding for finding in found(case, monkeypatch) if finding.code == code]
    assert [finding.rule for finding in findings] == [case.about]
    assert findings[0].level == (case.level or CODES[code].level)
    assert len(findings[0].message) > 30
    assert len(findings[0].hint) > 10


@pytest.mark.parametrize(("code", "case"), each(NEAR_MISSES))
def test_what_is_nearly_so_is_not_found(code: str, case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """A near miss does not have the code; and no check of any code fails on it."""
    codes = {finding.code for finding in found(case, monkeypatch)}
    assert code not in codes
    assert INTERNAL not in codes


def test_every_code_has_both() -> None:
    """No code without a client that it is about, and one that it is not about; DW000 is tested by itself."""
    assert set(TRIGGERS) == set(NEAR_MISSES) == set(CODES) - {INTERNAL}
    assert all(TRIGGERS.values())
    assert all(NEAR_MISSES.values())


def test_codes_are_in_order() -> None:
    """Codes have one form, a level that there is, and checks that are all in the listed modules."""
    assert all(re.fullmatch(r"DW\d{3}", code) and entry.code == code for code, entry in CODES.items())
    assert {entry.level for entry in CODES.values()} <= set(LEVELS)
    modules = {family.__name__ for family in FAMILIES}
    assert {entry.find.__module__ for entry in CODES.values()} == {*modules, "doorward.checks.registry"}


SAID_OF_MANY = [
    ("DW005", "never does anything"),
    ("DW011", "nobody in"),
    ("DW033", "pages"),
    ("DW042", "counted as one"),
    ("DW046", "nobody is refused"),
    ("DW050", "503"),
]


@pytest.mark.parametrize(("code", "words"), SAID_OF_MANY)
def test_messages_say_what_happens(code: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message says what happens, and to whom."""
    (finding,) = [finding for finding in found(TRIGGERS[code][0], monkeypatch) if finding.code == code]
    assert words in finding.message


def test_secrets_are_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """No finding, and no repr, has any of a secret or a key in it."""
    for code in ("DW048", "DW049"):
        for case in TRIGGERS[code]:
            findings = str(found(case, monkeypatch))
            for name in ("secret", "key"):
                value = case.options.get(name, "")
                text = value if isinstance(value, str) else value.decode()
                assert not text or text not in findings
    with Case(options={"secret": "very-own-words"}).client() as client:
        assert "very-own-words" not in repr(client.runtime.settings) + repr(client)
        assert f"{client.runtime.settings.secret}" == str(client.runtime.settings.secret) == "<secret>"
        assert client.runtime.settings.secret == b"very-own-words"
