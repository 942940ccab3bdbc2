"""The command line: what it says, its exit status, and that wrong input is one clear line."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

import doorward
from doorward.cli import main
from doorward.client_ip import ClientIPPolicy


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit status, output, errors."""
    try:
        status = main(arguments)
    except SystemExit as end:
        status = int(end.code or 0)
    out, err = capsys.readouterr()
    return status, out, err


def test_module_and_version() -> None:
    """``python -m doorward`` is the command line, and knows its version."""
    done = subprocess.run(
        [sys.executable, "-m", "doorward", "--version"], check=False, capture_output=True, text=True, timeout=30
    )
    assert (done.returncode, done.stdout) == (0, f"doorward {doorward.__version__}\n")


def test_a_reader_that_goes_away_is_no_error() -> None:
    """``doorward … | true`` ends without a traceback."""
    limits = ";".join(["5/minute"] * 16)
    command = f"'{sys.executable}' -m doorward limit '{limits}' | true"
    done = subprocess.run(command, shell=True, check=False, capture_output=True, text=True, timeout=30)
    assert done.stderr == ""


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """The help lists the commands."""
    status, out, _ = run(capsys, "--help")
    assert status == 0
    assert all(f"\n    {command}" in out for command in ("limit", "ip", "path"))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            ["5/minute"],
            "- at most 5 requests in any 1 minute, wherever it begins; evenly spread, one every 12 seconds\n",
        ),
        (
            ["1 per 90 minutes", "--algorithm", "fixed_window"],
            "- at most 1 request in each window of 90 minutes, which begins and ends by the clock (UTC)\n",
        ),
        (
            ["60/minute", "--algorithm", "token_bucket"],
            "- 60 requests at once; then one every 1 second; full again after 1 minute\n",
        ),
    ],
)
def test_limits_are_put_into_words(capsys: pytest.CaptureFixture[str], arguments: list[str], expected: str) -> None:
    """Each algorithm is explained with the numbers that were read."""
    assert run(capsys, "limit", *arguments) == (0, expected, "")


@pytest.mark.parametrize(
    ("limit", "algorithm", "idle"),
    [
        ("5/minute; 7200/day", "sliding_window", "7200 in 1 day"),
        ("5/minute; 7199/day", "sliding_window", ""),
        ("5/40s; 10/minute", "sliding_window", "10 in 1 minute"),
        ("5/minute; 7200/day", "fixed_window", "7200 in 1 day"),
        ("5/40s; 10/minute", "fixed_window", ""),
        ("5/minute; 7200/day", "token_bucket", ""),
        ("100/day; 5/minute", "sliding_window", ""),
    ],
)
def test_a_limit_that_cannot_refuse_is_pointed_out(
    capsys: pytest.CaptureFixture[str], limit: str, algorithm: str, idle: str
) -> None:
    """A limit is called needless exactly when another one always refuses before it."""
    _, out, _ = run(capsys, "limit", limit, "--algorithm", algorithm)
    assert ("can never refuse" in out) is bool(idle)
    assert f"Note: {idle}" in out or not idle


@pytest.mark.parametrize(
    "arguments",
    [
        ["limit", "5/fortnight"],
        ["limit", ""],
        ["ip", "--peer", "10.0.0.1", "--proxies", "nginx"],
        ["ip", "--peer", "10.0.0.1", "--proxies", "99"],
        ["ip", "--peer", "10.0.0.1", "--proxies", "cloudflare"],
        ["ip", "--peer", "10.0.0.1", "--header", "no colon"],
        ["ip", "--peer", "10.0.0.1", "--forwarding-header", "x-real-ip"],
        ["path", "api", "/api"],
    ],
)
def test_wrong_settings_are_one_line(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    """What a client would refuse at construction is refused in one line, with status 2."""
    status, out, err = run(capsys, *arguments)
    assert (status, out) == (2, "")
    assert err.startswith(f"doorward {arguments[0]}: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments", [[], ["limit"], ["ip"], ["nonsense"], ["limit", "5/minute", "--algorithm", "ban"]]
)
def test_wrong_usage_is_explained(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    """Missing and unknown arguments print the usage and end with status 2."""
    status, _, err = run(capsys, *arguments)
    assert status == 2
    assert err.startswith("usage: doorward")


CHAIN = ["--header", "X-Forwarded-For: 198.51.100.6, 203.0.113.7, 10.0.0.2"]
FOUND = [
    # arguments, client, something that is said about it
    (["--peer", "10.0.0.1", *CHAIN], "203.0.113.7", "x-forwarded-for: 10.0.0.2 is a trusted hop"),
    (["--peer", "192.0.2.1", *CHAIN], "192.0.2.1", "not trusted: no header of this request counts"),
    (["--peer", "10.0.0.1", "--proxies", "none", *CHAIN], "10.0.0.1", "not trusted"),
    (["--peer", "192.0.2.1", "--proxies", "2", *CHAIN], "203.0.113.7", "203.0.113.7 is number 2 from the right"),
    (["--peer", "192.0.2.1", "--proxies", "4", *CHAIN], "192.0.2.1", "nothing in it names a client"),
    (["--peer", "192.0.2.1", "--proxies", "192.0.2.0/24,10.0.0.2", *CHAIN], "203.0.113.7", "peer 192.0.2.1 is trusted"),
    (["--peer", "", "--header", 'Forwarded: for="[2001:db8::1]:80"'], "2001:db8::1", "peer (unix socket) is trusted"),
    (["--peer", "10.0.0.1", *CHAIN, "--header", "Forwarded: for=192.0.2.9"], "203.0.113.7", "forwarded was not read"),
    (["--peer", "10.0.0.1", "--header", "X-Forwarded-For: 192.0.2.9, junk"], "10.0.0.1", "'junk' is no address"),
]


@pytest.mark.parametrize(("arguments", "client", "said"), FOUND)
def test_the_client_is_found_and_explained(
    capsys: pytest.CaptureFixture[str], arguments: list[str], client: str, said: str
) -> None:
    """The first line is the client, the others say how it was found."""
    status, out, _ = run(capsys, "ip", *arguments)
    assert status == 0
    assert out.startswith(f"client: {client}  (")
    assert said in out


def test_a_platform_is_known_by_its_variable(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The header of a named edge is read where the platform's variable is set, and only there."""
    arguments = ["ip", "--proxies", "fly", "--peer", "10.0.0.1", "--header", "Fly-Client-IP: 203.0.113.9"]
    monkeypatch.delenv("FLY_APP_NAME", raising=False)
    assert run(capsys, *arguments)[1].startswith("client: 10.0.0.1")
    monkeypatch.setenv("FLY_APP_NAME", "shop")
    assert run(capsys, *arguments)[1].startswith("client: 203.0.113.9")


def test_no_client_is_status_1(capsys: pytest.CaptureFixture[str]) -> None:
    """A unix socket without a forwarding header has no client."""
    status, out, _ = run(capsys, "ip", "--peer", "")
    assert status == 1
    assert out.startswith("client: unknown")


@given(header=st.text(st.characters(codec="utf-8")), peer=st.sampled_from(["10.0.0.1", "", "junk", "192.0.2.1"]))
def test_whatever_the_header_says_the_answer_is_the_policys(header: str, peer: str) -> None:
    """No header makes it fail, and its first line is what the policy finds."""
    lines: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("builtins.print", lambda text="", **_: lines.append(text))
        main(["ip", f"--peer={peer}", f"--header=X-Forwarded-For: {header}"])
    values = {"x-forwarded-for": [header.strip()]}
    found = ClientIPPolicy("private").resolve(peer, lambda name: values.get(name, []))
    assert lines[0].startswith(f"client: {found.address or 'unknown'}  (")
    assert all(line.isprintable() for line in lines)


def test_paths_are_compared(capsys: pytest.CaptureFixture[str]) -> None:
    """One line a path; status 0 only where every path matches; exempt paths are pointed out."""
    status, out, _ = run(capsys, "path", "POST /api/*", "/api/a", "/api", "--method", "post")
    assert (status, out) == (1, "yes  POST /api/a\nno   POST /api\n")
    status, out, _ = run(capsys, "path", "/health*", "/healthz")
    assert (status, out) == (0, "yes  GET /healthz  (but middleware leaves it alone by default)\n")
