"""Long lists of short values: honest ones are looked at to the end, hostile ones are bounded."""

from __future__ import annotations

import json
from functools import cache
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.attacks.hostile_shapes import pumped
from tests.attacks.long_lists import ORDINARY, TECHNICAL, listed
from tests.unit.shield.marking import Marking
from tests.unit.shield.marking import scanner as marking

from doorward import RequestContext, shield
from doorward.attacks import scan as scan_module
from doorward.attacks.evidence import Family
from doorward.attacks.scan import Scan, Scanner
from doorward.attacks.work import BASE, PER_CHARACTER, Work

ATTACK = "' UNION SELECT name, secret FROM users--"
OF_THE_SYSTEM = ("files of logs", "files of settings")
"""In lists with names that say that they are of files."""
LONG = 3_000
"""Long enough for the part of the bound that does not grow to matter little."""


@cache
def scanner() -> Scanner:
    return shield().scanner


def scanned(body: object, kind: str = "application/json", by: Scanner | None = None) -> Scan:
    text = body if isinstance(body, str) else json.dumps(body)
    request = RequestContext(method="POST", path="/", headers=[("Content-Type", kind)], body=text.encode())
    return (by or scanner()).scan_now(request, body=True)


@pytest.fixture
def works(monkeypatch: pytest.MonkeyPatch) -> list[Work]:
    """The work of each scan, in order."""
    noted: list[Work] = []

    class Noted(Work):
        def __init__(self, size: int) -> None:
            super().__init__(size)
            noted.append(self)

    monkeypatch.setattr(scan_module, "Work", Noted)
    return noted


def families(result: Scan) -> set[Family]:
    return {finding.family for finding in result.findings}


# --- honest lists


@pytest.mark.parametrize("name", [name for name in ORDINARY if name not in OF_THE_SYSTEM])
def test_a_long_list_of_one_kind_passes(name: str) -> None:
    """Whatever signs are in each: nothing is denied, and nothing is too much."""
    result = scanned({"items": listed(ORDINARY[name], LONG, 1)})
    assert Family.UNSCANNED not in families(result)
    assert result.weight < 1


@pytest.mark.parametrize("name", TECHNICAL)
def test_a_long_list_of_code_is_looked_at_to_the_end(name: str) -> None:
    """Parts of programs may weigh, but are not too much."""
    assert Family.UNSCANNED not in families(scanned(listed(TECHNICAL[name], LONG, 1)))


@given(
    kinds=st.lists(st.sampled_from([name for name in ORDINARY if name not in OF_THE_SYSTEM]), min_size=1, max_size=4),
    count=st.integers(min_value=10, max_value=300),
    seed=st.integers(min_value=0, max_value=10**6),
)
def test_lists_of_any_kinds_pass(kinds: list[str], count: int, seed: int) -> None:
    """Of one length or the other, beside each other and in records."""
    lists = [listed(ORDINARY[name], count, seed) for name in kinds]
    assert scanned(dict(zip(kinds, lists, strict=False))).weight < 1
    assert scanned([dict(zip("abcd", row, strict=False)) for row in zip(*lists, strict=True)]).weight < 1


@pytest.mark.parametrize("name", ["prices", "one price", "bold numbers", "words of languages", "places to fill in"])
def test_fifty_thousand_are_not_too_many(name: str) -> None:
    """As much as a body of a megabyte may hold."""
    assert scanned(listed(ORDINARY[name], 50_000, 2)).weight < 1


@pytest.mark.parametrize("name", ["prices", "one price", "bold numbers", "places to fill in"])
def test_an_attack_behind_a_long_list_is_found(name: str) -> None:
    """Also behind values that come again, and once more behind itself."""
    items = listed(ORDINARY[name], LONG, 3)
    result = scanned([*items, ATTACK, *items])
    assert result.weight == 1.0
    assert families(result) == {Family.SQL}


def test_code_in_json_in_json_in_json_is_looked_at_to_the_end() -> None:
    """Each layer is a text of its own, and may cost as much."""
    body: object = "\n".join(listed(TECHNICAL["statements"], LONG, 4))
    for _ in range(4):
        body = json.dumps({"text": body, "kind": "code"})
        assert Family.UNSCANNED not in families(scanned(body))


# --- values that come again


@given(
    items=st.lists(st.sampled_from(["$5.99", "<b>1</b>", "../x.png", "cat /x", "O'Brien", "%24x", ATTACK]), max_size=40)
)
def test_what_comes_again_comes_to_the_same(items: list[str]) -> None:
    """A list weighs what the list of its different values weighs."""
    often, once = scanned(items), scanned(list(dict.fromkeys(items)))
    assert often.weight == once.weight
    assert {f.rule for f in often.findings} == {f.rule for f in once.findings}


def test_a_value_of_another_name_is_another_value() -> None:
    """Names tell: a password full of signs is none in a field for something else."""
    text = "$(cat /etc/passwd)"
    assert scanned({"password": text, "note": text}).weight == scanned({"note": text}).weight == 1.0
    assert scanned({"password": [text, text]}).weight == scanned({"password": [text]}).weight


def test_equal_values_are_examined_once(works: list[Work]) -> None:
    """Ten thousand equal ones cost little more than to tell that they are equal."""
    scanned(["<b>1</b>"] * 10_000)
    scanned([f"<b>x{number}</b>" for number in range(10_000)])
    assert works[0].spent < works[1].spent / 5


# --- hostile lists


@pytest.mark.parametrize("items", [["weigh(0)" * 3_000], [f"weigh(0) {n}" for n in range(2_000)]], ids=["long", "list"])
def test_what_is_built_to_be_costly_is_too_much(items: list[str]) -> None:
    """However it is cut: where looking at texts costs more than any natural text does, the scan ends."""
    assert families(scanned(items, by=marking(Marking(cost=2_000_000 // len(items) * 10)))) == {Family.UNSCANNED}


@pytest.mark.parametrize("unit", ["${(", "__*{", "x&dir foo", "' or 1", "<!--", "..\\app", "{a,b}"])
@pytest.mark.parametrize("length", [5, 12, 60])
def test_work_on_hostile_lists_is_bounded(unit: str, length: int, works: list[Work]) -> None:
    """By their characters, and by what it costs to ask about each in a few forms: no shape of a list makes it more."""
    items = [pumped(unit, length)[:-1] + str(number) for number in range(1_000)]
    scanned(items)
    assert works[0].spent <= BASE + 2 * PER_CHARACTER * len(json.dumps(items)) + 5_000 * 6 * len(items)


# --- lists of files


REAL = [
    "/etc/passwd", "/etc/hosts", "/etc/nginx/nginx.conf", "/etc/ssh/sshd_config", "/etc/php/8.2/fpm/php.ini",
    "/proc/cpuinfo", "/root/x.sh", "/var/log/syslog", "/var/log/auth.log", "/var/log/nginx/access.log",
    "/usr/share/nginx/html/index.html", "/home/jane/.bashrc", "/usr/bin/python3", "/usr/lib/php/20190902/curl.so",
    "/var/backups/db.sql.gz", "/boot/grub/grub.cfg",
]  # fmt: skip


@pytest.mark.parametrize("count", [40, 4_000])
def test_lists_of_files_of_the_system_pass(count: int) -> None:
    """A log shipper's, a backup's, a file manager's: as elements, in records, in a form; nor do they add up."""
    paths = [*REAL, *listed(ORDINARY["files of logs"], count, 1), *listed(ORDINARY["files of settings"], count, 1)]
    assert scanned({"sources": paths}).weight < 0.5
    assert scanned({"files": [{"path": path, "size": 1} for path in paths]}).weight < 0.5
    assert scanned(urlencode([("paths[]", path) for path in paths]), "application/x-www-form-urlencoded").weight < 0.5
    logs = [path for path in paths if path.startswith("/var/log/")]
    assert scanned({"paths": logs}).weight < 0.2


@pytest.mark.parametrize("path", ["/etc/passwd", "/etc/x/y.conf", "/proc/17/maps", "/var/log/syslog"])
def test_one_such_path_by_itself_is_denied(path: str) -> None:
    """A parameter that is no list, and a list in a query, which no interface to files takes."""
    assert scanned({"file": path}).weight == 1.0
    assert scanned({"a": {"b": path}}).weight == 1.0
    for name in ("file", "file[]"):
        asked = RequestContext(method="GET", path="/", query=urlencode({name: path}))
        assert scanner().scan_now(asked).weight == 1.0


@pytest.mark.parametrize(
    "path", ["../../etc/passwd", "..\\..\\..\\x", "/var/log/../../etc/shadow", "....//....//etc/passwd"]
)
def test_a_path_that_climbs_is_denied_in_a_list_too(path: str) -> None:
    """Nobody's list of files has one."""
    assert scanned({"paths": ["/etc/x/y.conf", path]}).weight == 1.0
