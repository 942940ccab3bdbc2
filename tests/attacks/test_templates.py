"""Template expressions that probe or reach out are found; placeholders, and texts about templates, are not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.attacks.detectors.surroundings import Surroundings
from doorward.attacks.detectors.templates import LONGEST, TemplateDetector, expressions
from doorward.attacks.evidence import Place, Value
from doorward.attacks.subject import Subject
from doorward.attacks.work import Work
from doorward.builders.rule_files import contents, rulebooks

DETECTOR = TemplateDetector(rulebooks()["template"])
EXAMPLES = sorted({text for rule in contents()["template"]["rule"] for text in rule["match"]})
FILLER = "the cat sat on the mat and looked at us for a long time while it rained "


def subject_of(text: str, name: str = "x") -> Subject:
    return Subject(text, Value(Place.FORM, name, text))


def weight(text: str) -> float:
    subject = subject_of(text)
    if not DETECTOR.wants(subject):
        return 0.0
    return sum(evidence.weight for evidence in DETECTOR.examine(subject, Work(len(text))))


@pytest.mark.parametrize(
    "text",
    [
        "{{8*8}}",
        "{{ 8 * '8' }}",
        "${8*8}",
        "#{8*8}",
        "*{8*8}",
        "@(8*8)",
        "<%= 8*8 %>",
        "{8*8}",
        "{{=8*8}}",
        "${{8*8}}",
        "[[${8*8}]]",
        "before {{8*8}} after",
        "{{ 3+4 }}",
        "{!! 8*8 !!}",
        "[% 8*8 %]",
        "{{ 8 | times: 8 }}",
        "#set($a=8*8)$a",
        "${{<%[%'\"}}%\\",
    ],
    ids=ascii,
)
def test_arithmetic_in_any_delimiters(text: str) -> None:
    """The usual probe, whatever the engine."""
    assert weight(text) >= 1.0


@pytest.mark.parametrize(
    "text",
    [
        "{{config}}",
        "{{ config.items() }}",
        "{{ self._TemplateReference__context }}",
        "{{ lipsum.__globals__ }}",
        "{{ request|attr('application') }}",
        "{{''['__cl'+'ass__']}}",
        "{{ x['\\x5f\\x5fclass\\x5f\\x5f'] }}",
        "{% for c in [].__class__.__base__.__subclasses__() %}",
        "{% import os %}{{ os.popen('id').read() }}",
        "{% debug %}",
        "{{ _self.env.registerUndefinedFilterCallback('exec') }}",
        "{{ ['id']|map('system')|join }}",
        "{{ dump(app) }}",
    ],
    ids=ascii,
)
def test_python_and_php_engines(text: str) -> None:
    """Jinja2, Tornado, Django, Twig: their own objects, internals of the language, filters that call."""
    assert weight(text) >= 1.0


@pytest.mark.parametrize(
    "text",
    [
        "<#assign a='freemarker.template.utility.Execute'?new()>${a('id')}",
        "${''.getClass().forName('a.B')}",
        "*{T(java.lang.Runtime).getRuntime().exec('id')}",
        "__${new java.util.Scanner(a).next()}__::.x",
        "${pageContext.request}",
        "#set($r=$a.class.forName('java.lang.Runtime'))",
        "$class.inspect('a.B').type",
        "[[${T(a.b.C).d()}]]",
    ],
    ids=ascii,
)
def test_java_engines(text: str) -> None:
    """Freemarker, Velocity, Thymeleaf, EL."""
    assert weight(text) >= 1.0


@pytest.mark.parametrize(
    "text",
    [
        "<%= system('id') %>",
        "<%= File.open('/etc/hosts').read %>",
        "<%= `id` %>",
        "#{ %x|env| }",
        "{{constructor.constructor('a')()}}",
        "#{process.mainModule.require('fs')}",
        "{{#with 'a' as |b|}}{{lookup b.sub 'constructor'}}",
        "{system('id')}",
        "{$smarty.version}",
        "{if phpinfo()}{/if}",
        "@System.Diagnostics.Process.Start('a')",
        "<%@ page import='java.io.*' %>",
        "<% response.write(2*3) %>",
    ],
    ids=ascii,
)
def test_other_engines(text: str) -> None:
    """ERB, Slim, AngularJS, Pug, Handlebars, Smarty, Razor, JSP, ASP."""
    assert weight(text) >= 1.0


@pytest.mark.parametrize(
    "text",
    [
        "Dear {{first_name}}, welcome",
        "{{ user.name }}",
        "{{ value|date:'Y' }}",
        "{% if user %}Hello{% endif %}",
        "<%= user.name %>",
        "${price}",
        "Price: ${price:-10} placeholder",
        "${{ secrets.TOKEN }}",
        "${VAR}/bin",
        "{{#items}}{{name}}{{/items}}",
        "{{> footer}}",
        "#{name} is #{age}",
        "const a = `${b.c(d)}`;",
        "{{ url_for('index', page=2) }}",
        "{{ 'home' | translate }}",
        "{{2024-01-01}}",
        "{{ price * quantity }}",
        "\\frac{1}{2} x^{2*n}",
        "a { color: red }",
        '{"a": {"b": [1, 2]}}',
        "query { user(id: 1) { name } }",
        "{% include 'header.html' %}",
        "{{ obj.__class__.__name__ }}",
        "#foreach($a in $b)$a#end",
        "@media (min-width: 3px) {}",
        "f'{a:>{b}}'",
        "see you @(the usual place)",
        "[[Main Page]]",
        "{0} of {1}",
        "%{name} is %{count} years old",
        "#include <stdio.h>",
    ],
    ids=ascii,
)
def test_placeholders_pass(text: str) -> None:
    """What templates are for, in values of people and programs, is not evidence that counts."""
    assert weight(text) < 0.2


@pytest.mark.parametrize(
    "text",
    [
        "In Jinja you can write {{ 1 + 1 }} in a template, and the result is shown in place of it in the page.",
        "Our scanner sent {{7*7}} to the form, and the page showed it as it was, so that we think it is safe.",
        "The docs say that {{ config.items() }} lists what is configured, but in my template nothing is shown.",
    ],
    ids=["arithmetic", "probe", "object"],
)
def test_texts_about_templates_pass(text: str) -> None:
    """Words of a person around it."""
    assert weight(text) < 0.2


def test_what_is_explicit_is_found_in_long_filler() -> None:
    """Filler before an attack that could be nothing else does not hide it."""
    attack = "{{ ''.__class__.__mro__[1].__subclasses__() }}"
    assert weight(FILLER * 20 + attack + FILLER * 20) >= 1.0


def test_many_placeholders_do_not_hide_an_expression() -> None:
    """No bound on the number of expressions that are looked at."""
    assert weight("{{a}}" * 700 + "{{8*8}}") >= 1.0


def test_expressions_are_disjoint_and_in_place() -> None:
    """Each begins where it says; none is looked at twice; an open one ends after the longest that is looked at."""
    text = "a {{b}} ${c} <%= d %>"
    held = expressions(text)
    assert held.lines.split("\n") == ["{{b", "${c", "<%= d "]
    assert [text[offset] for offset in held.offsets] == ["{", "$", "<"]
    assert len(expressions("{{" + "a" * 3 * LONGEST).lines) <= LONGEST


@given(st.text(alphabet="{}$#<%>[]()@*~ab 1\n", max_size=300))
def test_expressions_hold_no_more_than_the_text(text: str) -> None:
    """The lines together are no longer than the text, with a line break for each."""
    held = expressions(text)
    assert len(held.lines) <= len(text) + len(held.starts)
    assert all(later > earlier for earlier, later in zip(held.offsets, held.offsets[1:], strict=False))


@pytest.mark.parametrize(
    "unit", ["{{", "${", "{{a", "{% ", "<%", "{{8*", "{{''.", "[[", "#set($a=", "{{__class__.", "@("]
)
def test_work_doubles_with_the_text(unit: str) -> None:
    """Twice the text is at most twice the work, and a bound for each character."""
    spent = []
    for size in (2_304, 4_608):
        text = (unit * size)[:size]
        work = Work(size)
        list(DETECTOR.examine(subject_of(text), work))
        spent.append(work.spent)
    assert spent[1] <= 2.2 * spent[0] + 100
    assert spent[1] <= 40 * 4_608


@given(st.sampled_from(EXAMPLES), st.text(max_size=20), st.text(max_size=20))
def test_the_screen_is_one_sided(example: str, before: str, after: str) -> None:
    """Where something is found, the detector wants the text, also joined with others."""
    text = f"{before}{example}{after}"
    if list(DETECTOR.examine(subject_of(text), Work(10_000))):
        assert DETECTOR.wants(subject_of(text))
        assert DETECTOR.wants(subject_of(f"name {text} value"))


@pytest.mark.parametrize(
    ("text", "scale"),
    [
        ("{{8*8}}", 1.0),
        ("a = {{8*8}};", 1.0),
        ("we wrote {{8*8}} in there", 0.45),
        ("we wrote {{8*8}} in there as it was", 0.3),
        ("we wrote {{8*8}} in there as it was said in the manual", 0.0),
        ("Use `{{8*8}}` instead", 0.45),
    ],
    ids=ascii,
)
def test_words_around_evidence_take_weight_away(text: str, scale: float) -> None:
    """The more plain words, the less is left; code between backticks counts as talked about."""
    start = text.index("{{")
    assert Surroundings(subject_of(text)).scale(start, start + 7) == scale


def test_words_within_evidence_take_nothing_away() -> None:
    """What is in a match is no surroundings of it."""
    text = "a plain text that has many words for all of us to read here"
    assert Surroundings(subject_of(text)).scale(0, len(text)) == 1.0
