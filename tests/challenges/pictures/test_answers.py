"""Every kind, at every hardness: the right answer passes, another does not, and there is one answer to a drawing."""

from __future__ import annotations

import json
import re

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.challenges.pictures.visitor import Reply, Site, fields_of, issue_of, passed, wrong_one

from doorward.challenges.issue import MOST_RENEWED, Issue
from doorward.challenges.pictures import NAMES, Pictures, letters
from doorward.challenges.pictures.forms import Grade
from doorward.challenges.pictures.records import of_answer, of_drawing
from doorward.levels import Level

HARDNESS = [1, 2, 3, 4, 5]


def opened(site: Site) -> tuple[str, list]:
    """A page whose picture and sound were fetched; and its forms."""
    token = site.page()
    shown = site.kind.shown(issue_of(token))
    for form in (shown.main, shown.other):
        assert site.fetch(token, form.path).status == 200
    return token, [shown.main, shown.other]


@pytest.mark.parametrize("which", [0, 1], ids=["main", "other"])
@pytest.mark.parametrize("hardness", HARDNESS)
@pytest.mark.parametrize("name", NAMES)
def test_the_right_answer_passes(name: str, hardness: int, which: int) -> None:
    """Also at hardness 4 and 5, also of sounds: a part of Humanify could never be passed there."""
    site = Site(Pictures(name, hardness=hardness))
    token, forms = opened(site)
    reply = site.send(token, fields_of(forms[which], site.right(token, forms[which])))
    assert passed(reply), reply
    cookie = reply.headers["Set-Cookie"].partition(";")[0]
    assert site.call("/x", cookie=cookie).status == 200


@pytest.mark.parametrize("which", [0, 1], ids=["main", "other"])
@pytest.mark.parametrize("hardness", HARDNESS)
@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_answer_ends_the_challenge(name: str, hardness: int, which: int) -> None:
    """Another challenge is posed; the first is not passed by the right answer either."""
    site = Site(Pictures(name, hardness=hardness))
    token, forms = opened(site)
    form = forms[which]
    right = site.right(token, form)
    reply = site.send(token, fields_of(form, wrong_one(form, right, site.kind.shown(issue_of(token)).grade)))
    assert (reply.status, site.why("wrong")) == (403, 1)
    assert issue_of(reply.token).attempt == 2
    assert issue_of(reply.token).id != issue_of(token).id
    assert not passed(site.send(token, fields_of(form, right)))


def test_a_wrong_answer_is_not_made_up_for_by_another_drawing() -> None:
    """What is fetched anew is another picture of a challenge that is spent."""
    site = Site(Pictures("letters"))
    token, forms = opened(site)
    form = forms[0]
    wrong = wrong_one(form, site.right(token, form), site.kind.shown(issue_of(token)).grade)
    site.send(token, fields_of(form, wrong))
    site.fetch(token, form.path)
    assert not passed(site.send(token, fields_of(form, site.right(token, form))))


@pytest.mark.parametrize("name", NAMES)
def test_the_second_challenge_can_be_passed(name: str) -> None:
    """With letters or digits, whatever the first was."""
    site = Site(Pictures(name))
    token = site.send(site.page(), {}).token
    shown = site.kind.shown(issue_of(token))
    assert {shown.main.name, shown.other.name} == {"letters", "sound"}
    for form in (shown.main, shown.other):
        site.fetch(token, form.path)
    right = [site.right(token, form) for form in (shown.main, shown.other)]
    assert passed(site.send(token, {"answer": right[0]}))
    assert not passed(site.send(token, {"answer": right[1]})), "one answer to a challenge"


def test_a_right_answer_passes_once() -> None:
    """Weakness 8 of the predecessors: the same answer, sent again and again, passed for ten minutes."""
    site = Site(Pictures("letters"))
    token, forms = opened(site)
    fields = fields_of(forms[0], site.right(token, forms[0]))
    assert [passed(site.send(token, fields)) for _ in range(4)] == [True, False, False, False]


def test_what_was_not_drawn_has_no_answer() -> None:
    """Whatever is sent."""
    site = Site(Pictures("letters"))
    for text in ("ACDE", "1234", "12345"):
        assert not passed(site.send(site.page(), {"answer": text}))
    assert site.why("undrawn") == 3


def test_typing_is_forgiving() -> None:
    """Case, spaces, hyphens and the forms of other keyboards make no difference."""
    site = Site(Pictures("letters"))
    token, forms = opened(site)
    right = site.right(token, forms[0])
    wide = "".join(chr(ord(letter) - ord("A") + ord("Ａ")) for letter in right)
    assert passed(site.send(token, {"answer": f" {'-'.join(wide).lower()} "}))
    token, forms = opened(site)
    arabic = "".join(chr(ord(digit) - ord("0") + 0x660) for digit in site.right(token, forms[1]))
    assert passed(site.send(token, {"answer": " ".join(arabic)}))


def test_letters_that_are_never_drawn_are_read_as_those_that_look_like_them() -> None:
    """Nobody has to know the alphabet. No answer has two texts that are both in it."""
    form = letters.Letters()
    assert form.given({"answer": "bog0q v"}, Grade(1)) == "RDCDDY"
    assert not {chr(code) for code in letters.TAKEN_FOR} & set(letters.ALPHABET)
    assert set(letters.TAKEN_FOR.values()) <= set(letters.ALPHABET)


def test_an_answer_at_once_does_not_count() -> None:
    """Nobody has seen the picture by then. The challenge is not spent by it."""
    site = Site(Pictures("letters"))
    token, forms = opened(site)
    fields = fields_of(forms[0], site.right(token, forms[0]))
    assert not passed(site.send_now(token, fields))
    assert site.why("too_early") == 1
    assert passed(site.send(token, fields))


def test_asking_for_another_keeps_the_place() -> None:
    """The new challenge leads where the first would have."""
    site = Site(Pictures("shapes"))
    token = site.call("/x", query="page=3").token
    reply = site.send(token, {"another": "1", "answer": ""})
    assert (issue_of(reply.token).target, site.why("another")) == ("/x?page=3", 1)


def test_asking_for_another_has_a_bound_of_its_own() -> None:
    """Regression: it counted as an answer, made the next wait longer, and eight ended the row."""
    site = Site(Pictures("shapes"))
    reply = site.send(site.page(), {"answer": "wrong"})
    for times in range(1, MOST_RENEWED + 1):
        assert b'name="another"' in reply.body
        reply = site.send(reply.token, {"another": "1"})
        assert (issue_of(reply.token).attempt, site.why("another")) == (2, times)
        assert b'role="alert"' not in reply.body
    assert b'name="another"' not in reply.body
    reply = site.send(reply.token, {"another": "1"})
    assert (issue_of(reply.token).attempt, site.why("another")) == (3, MOST_RENEWED)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_that_is_sent_tells_of_the_answer(name: str) -> None:
    """Weakness 9: the length of a token told how many tiles were right. Ours are of one length, and of one text."""
    site = Site(Pictures(name, hardness=3))
    lengths, pages = set(), set()
    for _ in range(12):
        reply = site.call("/x", ip="203.0.113.9")
        token = reply.token
        shown = site.kind.shown(issue_of(token))
        site.fetch(token, shown.main.path, ip="203.0.113.9")
        lengths.add(len(token))
        plain = re.sub(rb"lreq_[0-9a-z]+", b"", reply.body.replace(token.encode(), b""))
        pages.add((shown.main.name, plain))
    assert len(lengths) == 1
    assert len(pages) == len({form for form, _ in pages}), "a page differs by more than its token and its number"


def test_what_is_seen_of_the_chance_of_a_drawing_is_not_that_of_its_answer() -> None:
    """Noise is drawn by a generator of its own: whoever works out its state knows no letter more."""
    issue = Issue("i" * 22, "letters", Level.HUMAN)
    answers, drawings = of_answer(b"s" * 16, issue, "letters"), of_drawing(b"s" * 16, issue, "letters")
    assert not {answers.random() for _ in range(100)} & {drawings.random() for _ in range(100)}
    assert of_answer(b"s" * 16, issue, "letters").random() != of_answer(b"s" * 16, issue, "sound").random()


@pytest.mark.parametrize("attempt", [1, 2])
@pytest.mark.parametrize("name", NAMES)
def test_pages_are_valid_and_every_field_has_a_name(name: str, attempt: int) -> None:
    """By a strict parser; labels, legends and descriptions are there that fields refer to."""
    site = Site(Pictures(name))
    reply = site.call("/x") if attempt == 1 else site.send(site.page(), {})
    page = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(reply.body.decode())
    ids = [node.get("id") for node in page.iter() if node.get("id")]
    assert len(ids) == len(set(ids))
    referred = [name for node in page.iter() for name in node.get("aria-describedby", "").split()]
    assert set(referred) <= set(ids)
    labelled = {node.get("for") for node in page.iter("label")} | {
        inner for label in page.iter("label") for inner in label.iter("input") if "".join(label.itertext()).strip()
    }
    for field in page.iter("input"):
        assert field.get("type") == "hidden" or field.get("id") in labelled or field in labelled
    for image in page.iter("img"):
        assert image.get("alt")
    for group in page.iter("fieldset"):
        assert group[0].tag == "legend"
        assert group[0].text.strip()


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=60),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from(["answer", "another", "tile-1", "tile-16", "row-1", "row-5", "token"]) | st.text(max_size=8)


@given(st.dictionaries(names, anything, max_size=6), st.sampled_from(NAMES))
def test_answers_of_any_type_are_wrong_and_nothing_worse(fields: dict, name: str) -> None:
    """Neither an error nor a way in."""
    site = Site(Pictures(name))
    token, _ = opened(site)
    site.clock.advance(5)
    body = json.dumps({**fields, "token": token}).encode()
    reply: Reply = site.call("/.doorward/verify", body, content_type="application/json")
    assert reply.status == 403, reply


@given(st.dictionaries(names, anything, max_size=6), st.sampled_from(NAMES), st.sampled_from(HARDNESS))
def test_what_is_given_is_read_as_it_would_be_drawn(fields: dict, name: str, hardness: int) -> None:
    """Reading never raises, and gives text or nothing."""
    kind = Pictures(name, hardness=hardness)
    issue = issue_of(Site(kind).page())
    shown = kind.shown(issue)
    for form in (shown.main, shown.other):
        given_ = form.given(fields, shown.grade)
        assert given_ is None or (isinstance(given_, str) and given_)
