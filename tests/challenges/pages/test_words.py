"""The words of pages: the same in every language, and chosen as RFC 4647 says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import doorward
from doorward import ConfigurationError
from doorward.challenges.languages import Languages, catalogues, lookup
from doorward.challenges.pages import _TOLD_WORDS

ALL = sorted(catalogues())
WANTED = ["en", "es", "fr", "de", "it", "pt", "nl", "pl", "ru", "uk", "tr", "zh-Hans", "ja", "ko", "hi", "ar", "he"]


def test_there_are_the_languages_that_were_promised() -> None:
    assert sorted(WANTED) == ALL


@pytest.mark.parametrize("tag", ALL)
def test_every_catalogue_has_the_same_keys_and_placeholders(tag: str) -> None:
    english, words = catalogues()["en"], catalogues()[tag]
    assert list(words) == list(english)
    for key, text in words.items():
        assert text.strip() == text != ""
        assert len(text) < 300, "pages show no more"
        assert sorted(re.findall(r"{\w+}", text)) == sorted(re.findall(r"{\w+}", english[key]))
        assert "<" not in text


SOURCES = Path(doorward.__file__).parent
BY_STATUS = re.compile(r"(http|message)_([0-9]{3}|[45]xx)")
IN_SCRIPTS = re.compile(r"""told\.words\.(\w+)|\b(?:say|failed)\("(\w+)"|key: "(\w+)\"""")


def asked_by(tree: ast.AST) -> Iterator[str]:
    """Keys of words that Python code asks for: ``words["key"]``, either of two, and tables of such keys."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and "words" in ast.unparse(node.value).lower():
            yield from texts_of(node.slice)
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in ("_TOLD_WORDS", "_SAID"):
            yield from texts_of(node.value.values if isinstance(node.value, ast.Dict) else node.value)


def texts_of(found: ast.AST | list[ast.expr]) -> list[str]:
    """The texts of an expression, without those of a condition."""
    if isinstance(found, list):
        return [text for each in found for text in texts_of(each)]
    if isinstance(found, ast.IfExp):
        return texts_of([found.body, found.orelse])
    if isinstance(found, ast.Tuple):
        return texts_of(found.elts)
    return [found.value] if isinstance(found, ast.Constant) and isinstance(found.value, str) else []


def test_every_word_that_is_asked_for_is_there() -> None:
    """By Python as by scripts; and scripts ask for nothing that their page is not told."""
    english = set(catalogues()["en"])
    files = [*(SOURCES / "challenges").rglob("*.py"), *(SOURCES / "error_pages").rglob("*.py")]
    asked = {key for file in files for key in asked_by(ast.parse(file.read_text("utf-8")))}
    assert {"why", "frame", "work_progress", "picture_listen", "wrong", "hosted"} <= asked, "it finds them"
    assert asked <= english
    scripts = {
        key
        for file in (SOURCES / "challenges/static").glob("*.js")
        for found in IN_SCRIPTS.findall(file.read_text("utf-8"))
        for key in found
        if key
    }
    assert {"passed", "work_slow", "hosted_failed"} <= scripts, "it finds them"
    told = {*_TOLD_WORDS, "work_failed", "work_slow", "hosted_failed"}
    assert scripts <= told <= english


def test_no_word_is_there_for_nothing() -> None:
    """A key that no file names is left from something that is gone."""
    files = [file for file in SOURCES.rglob("*.*") if file.suffix in (".py", ".js")]
    sources = "\n".join(file.read_text("utf-8") for file in files)
    named = set(re.findall(r"""["'.](\w+)["';,)\s]""", sources))
    assert {key for key in catalogues()["en"] if not BY_STATUS.fullmatch(key)} <= named


@pytest.mark.parametrize("tag", [tag for tag in ALL if tag != "en"])
def test_a_translation_is_one(tag: str) -> None:
    english, words = catalogues()["en"], catalogues()[tag]
    same = [key for key in words if words[key] == english[key]]
    assert set(same) <= {"contact"}


@pytest.mark.parametrize(
    ("accept", "tag"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("en-US,en;q=0.5", "en"),
        ("zh-CN,zh;q=0.9", "zh-Hans"),
        ("zh", "zh-Hans"),
        ("zh-Hans-SG", "zh-Hans"),
        ("zh-Hant-TW, ja;q=0.5", "zh-Hans"),
        ("iw", "he"),
        ("xx, fr;q=0.5, de;q=0.7", "de"),
        ("fr;q=0, de;q=0.1", "de"),
        ("FR-be", "fr"),
        ("*", "en"),
        ("", "en"),
        ("de-x-private", "de"),
        ("fr;q=nan, es;q=0.2", "es"),
        ("fr;q=2, es;q=0.2", "es"),
        (",,,;;;q=,", "en"),
    ],
)
def test_the_best_language_is_found(accept: str, tag: str) -> None:
    assert Languages().of([accept]).tag == tag


@given(st.lists(st.text(max_size=300), max_size=4))
def test_any_header_finds_a_language(accept: list[str]) -> None:
    assert Languages().of(accept).tag in ALL


def test_a_long_header_costs_no_more_than_its_beginning() -> None:
    languages = Languages()
    assert languages.of(["xx," * 100_000 + "de"]).tag == "en"
    for number in range(2000):
        languages.of([f"a{number}"])
    assert len(languages._chosen) <= 512


def test_hebrew_and_arabic_are_read_from_the_right() -> None:
    found = {tag: Languages().of([tag]).direction for tag in ALL}
    assert {tag for tag, direction in found.items() if direction == "rtl"} == {"ar", "he"}
    assert Languages({"fa": {"title": "…"}}).of(["fa-IR"]).direction == "rtl"


def test_operators_add_words_and_languages() -> None:
    own = {"de": {"title": "Kurz warten"}, "de-CH": {"why": "Grüezi"}, "sv": {"title": "Vänta"}, "*": {"contact": "@"}}
    languages = Languages(own, default="sv")
    assert languages.of(["de-CH"]).words["title"] == "Kurz warten"
    assert languages.of(["de-CH"]).words["why"] == "Grüezi"
    assert languages.of(["de"]).words["why"].startswith("Diese Website")
    assert (languages.of(["xx"]).tag, languages.of(["xx"]).words["title"]) == ("sv", "Vänta")
    assert languages.of(["sv"]).words["go_on"] == "Continue"
    assert languages.of(["ja"]).words["contact"] == "@"


def test_a_default_that_nobody_speaks_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match=r"challenges.language.*'xx'"):
        Languages(default="xx")


def test_lookup_takes_a_single_letter_with_what_follows() -> None:
    """RFC 4647 section 3.4: zh-Hant-CN-x-private1 is shortened past the x."""
    assert lookup("zh-hant-cn-x-private1", {"zh-hant": "zh-Hant"}) == "zh-hant"
