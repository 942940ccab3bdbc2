"""What detectors leave out in long texts: nothing that they would find."""

from __future__ import annotations

import re

import pytest
from benchmarks.long_bodies import TYPICAL, long_body
from hypothesis import given
from hypothesis import strategies as st
from tests.attacks.hostile_shapes import GENERAL, pumped, sampled
from tests.attacks.weighed import detectors, match_examples, subject_of

from doorward import RequestContext, shield
from doorward.attacks import characters, decoding
from doorward.attacks.detectors import html_tokens, javascript_uses, ssrf, templates
from doorward.attacks.detectors.literacy import Reading, is_literate
from doorward.attacks.detectors.surroundings import Surroundings
from doorward.attacks.parts import PAUSE_UNITS
from doorward.attacks.scan import OVERLAP, PIECE
from doorward.attacks.subject import PLAIN_WORD
from doorward.attacks.work import SLICE, Work
from doorward.builders.rule_files import rulebooks

WORDS = "these are some of the words that people write to each other, and some more of them. "
UNDER_WAY = "doorward.attacks.scan.Work"


# --- forms of pieces


@pytest.mark.parametrize("at", [0, 300, 2_000, 4_200])
@pytest.mark.parametrize(
    "attack", ["&lt;script&gt;alert(1)&lt;/script&gt;", "%27%20union%20select%20a%2cb%20from%20c--"]
)
def test_of_a_long_text_the_decoded_part_is_a_form(attack: str, at: int) -> None:
    """With what stands around it; the rest was looked at already."""
    text = (WORDS * 60)[: PIECE + OVERLAP]
    given_text = (text[:at] + attack + text[at:])[: PIECE + OVERLAP]
    short, long = list(decoding.forms(attack)), list(decoding.forms(given_text))
    assert [form.via for form in long] == [form.via for form in short]
    assert short[0].text in long[0].text
    assert len(long[0].text) < 2_000
    assert text[max(0, at - 500) : at] in long[0].text
    assert text[at : at + 1_000] in long[0].text


@given(st.lists(st.sampled_from(["word ", "%3c", "&lt;", "\\x3c", "\u200b", "\n", "x" * 700]), max_size=40))
def test_pieces_have_the_forms_of_shorter_texts(parts: list[str]) -> None:
    """Each is a part of what it would be as a whole, and has all that differs from the text."""
    text = ("".join(parts) + "." * decoding.LONG)[: decoding.LONG]
    whole = {form.via: form.text for form in decoding.forms(text)}
    for form, via, _ in decoding.forms(f"{text} "):
        assert form in f"{whole[via]} "


@given(st.text(max_size=60), st.text(max_size=60))
def test_what_texts_have_in_common_is_found_by_halves(one: str, other: str) -> None:
    """As character by character."""
    same = 0
    while same < min(len(one), len(other)) and one[same] == other[same]:
        same += 1
    assert decoding._in_common(one, other) == same


# --- what is looked for by what is rare in it


@given(st.lists(st.sampled_from([*"ab:/\\@# ", "http:", "https://", "a+b.c:", "x" * 25, "é", "1", "//"])).map("".join))
def test_urls_are_those_that_a_search_finds(text: str) -> None:
    """From their slashes and colons backwards."""
    by_search = [found.span() for found in ssrf._URL.finditer(text)]
    assert [found.span() for found in ssrf._url_matches(text)] == by_search


@given(
    st.lists(st.sampled_from(["alert", "(", "1", "_", "a", "eval", ".", "`", "top", "[", "é", " ", ";"])).map("".join)
)
def test_uses_are_those_of_whole_words(short: str) -> None:
    """In their order, each once; a name within another word is none."""
    found = list(javascript_uses.uses(short))
    words = {word.start(): word[0] for word in re.finditer(r"[a-z_][a-z0-9_]*+", short)}
    assert [use.start for use in found] == sorted({use.start for use in found})
    assert all(words[use.start] in ("alert", "eval", "top") for use in found)


@pytest.mark.parametrize("text", [" {{a}}", "{{a}}", "{a}", "  {a}", "x {a} {{b}}", "@{a}@(b)", "[[a]][%b%]<%c%>"])
def test_expressions_begin_where_an_opener_stands(text: str) -> None:
    """A single brace opens one at the beginning of a text only."""
    pattern = re.compile(r"\{\{|\{%|[$#*~@]\{|<%|@\(|\[[\[%=]|\A\s{0,8}+\{")
    first = pattern.search(text)
    assert first is not None
    assert templates.expressions(text).offsets[0] == first.end() - len(first[0].lstrip())


@given(st.text(alphabet="aA \n\x00\x0b\x7f\xa0\xad\u200b\xc0\xe0\x80\xaf./\udcc0\uff1c\u30fb\ufe0f"))
def test_nothing_is_decoded_that_does_not_hide(text: str) -> None:
    """What tells whether there is anything to do never says no where there is."""
    functions = (characters.overlong, characters.wide, characters.visible, characters.spaced)
    assert characters.hides(text) or all(function(text) is text for function in functions)


# --- tags and code in the middle of a text


@pytest.mark.parametrize(
    ("attack", "rule"),
    [
        ("<script>alert(1)</script>", "html.script_element"),
        ("<img src=x onerror=alert(document.cookie)>", "html.handler"),
        ("<a href='java\tscript:alert(1)'>x</a>", "html.script_url"),
        ("<p style='x:expression(alert(1))'>x</p>", "html.style"),
        ("<x @click='constructor.constructor(\"alert(1)\")()'>x</x>", "html.directive"),
        ("<svg:script href='//a.example/x'/>", "html.script_element"),
    ],
    ids=["element", "handler", "url", "style", "directive", "prefix"],
)
def test_attacks_between_honest_tags_are_found(attack: str, rule: str) -> None:
    """Tags are passed over only where none of a text can tell anything."""
    filler = "".join([f'<entry id="{number}" name="Name {number}">text</entry>\n' for number in range(40)])
    assert not _weights("html", filler)
    assert _weights("html", f"{filler}{attack}{filler}")[rule] > 0


@given(st.lists(st.sampled_from(["<a ", "<b>", "href=", '"', "javascript:x()", "java\tscript:x()", "onx=", "onload=",
                                 " ", "style=", "@click=", "v-on:a=", "x-a=", "ng-a=", "data:text/html,x", ">", "p"]),
                max_size=12).map("".join))  # fmt: skip
def test_no_tag_that_tells_is_passed_over(text: str) -> None:
    """The quick look at a text says yes wherever one of its tags has evidence."""
    detector = detectors("html")[0]
    subject = subject_of(text)
    reading = Reading(text, text.lower(), is_literate(text))
    for tag in html_tokens.tags(text, detector._elements.names):  # type: ignore[attr-defined]
        told = [*detector._attributes.judge(tag, reading), *detector._elements.judge(tag, reading)]  # type: ignore[attr-defined]
        assert not told or detector._may_tell(text.lower(), subject.words)  # type: ignore[attr-defined]


@given(st.text(alphabet="ab (.\n", max_size=300), st.integers(0, 4_000), st.integers(0, 700))
def test_nothing_weighs_between_many_words(middle: str, at: int, length: int) -> None:
    """What is not looked for there has ten words beside it, wherever it is."""
    subject = subject_of(WORDS * 15 + middle + WORDS * 15)
    assert Surroundings(subject).drown
    assert Surroundings(subject).scale(at, at + length) == 0.0
    assert sum(not at <= word.start() < at + length for word in PLAIN_WORD.finditer(subject.text)) >= 10


@pytest.mark.parametrize("book", ["php", "node", "template"])
def test_explicit_code_is_found_between_many_words(book: str) -> None:
    """What weighs the same everywhere is looked for everywhere, and is all that is found."""
    explicit = {f"{book}.{name}" for name in rulebooks()[book].words("explicit")}
    found = [_weights(book, f"{WORDS * 20}\n{example}\n{WORDS * 20}") for example in match_examples(book)]
    seen = {rule for weights in found for rule in weights}
    assert seen & explicit
    assert seen <= explicit


# --- pauses


def _shapes() -> list[tuple[str, str, bytes]]:
    hostile = [
        (f"{kind} of {unit}", kind, pumped(unit, 100_000).encode("utf-8", "replace"))
        for kind in ("text/plain", "application/xml")
        for unit in (*sampled(GENERAL, 16), "&#x3c;", "<script>", "<a b='", "$a->", "()")
    ]
    natural = [(name, body.kind, body.data) for name in TYPICAL for body in [long_body(name, 100_000)]]
    return [*hostile, *natural]


@pytest.mark.parametrize(("kind", "body"), [pytest.param(k, b, id=ascii(name)) for name, k, b in _shapes()])
def test_no_stretch_of_work_is_much_longer_than_a_slice(
    monkeypatch: pytest.MonkeyPatch, kind: str, body: bytes
) -> None:
    """Between two pauses there is a slice, and what one detector takes for one piece."""
    monkeypatch.setattr(UNDER_WAY, Recording)
    request = RequestContext(method="POST", path="/", headers=[("content-type", kind)], body=body)
    spent = [Recording.spent_last() for _ in shield().scanner.scan(request)]
    stretches = [after - before for before, after in zip([0, *spent], [*spent, Recording.spent_last()], strict=False)]
    assert max(stretches) <= MOST_BETWEEN_PAUSES


class Recording(Work):
    """Work that can be asked about from outside."""

    last: Recording | None = None

    def __init__(self, size: int) -> None:
        super().__init__(size)
        Recording.last = self

    @classmethod
    def spent_last(cls) -> int:
        assert cls.last is not None
        return cls.last.spent


MOST_BETWEEN_PAUSES = SLICE + 64 * (PIECE + OVERLAP) + PAUSE_UNITS


def _weights(book: str, text: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for detector in detectors(book):
        subject = subject_of(text)
        if detector.wants(subject):
            for evidence in detector.examine(subject, Work(1_000_000)):
                found[evidence.rule] = max(found.get(evidence.rule, 0.0), evidence.weight)
    return {rule: weight for rule, weight in found.items() if weight}
