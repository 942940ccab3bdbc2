"""What detectors want to know about a text: prose in any script, code, lower case of the same length."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.attacks.evidence import Place, Value
from doorward.attacks.subject import Subject


def subject(text: str, offset: int = 0) -> Subject:
    return Subject(text, Value(Place.FORM, "comment", text, False, offset), ("percent",))


PROSE = {
    "english": "I don't know what you're talking about, O'Brien.",
    "french": "L\u2019\xe9t\xe9 dernier, j\u2019ai vu la mer \u00ab tr\xe8s bleue \u00bb.",
    "german": "Wir m\xfcssen morgen fr\xfch aufstehen, sonst wird es sp\xe4t.",
    "russian": "\u042d\u0442\u043e \u043f\u0440\u043e\u0441\u0442\u043e\u0435 \u043f\u0440\u0435\u0434\u043b\u043e\u0436\u0435\u043d\u0438\u0435 \u0438\u0437 \u0448\u0435\u0441\u0442\u0438 \u0441\u043b\u043e\u0432 \u0442\u0443\u0442.",  # noqa: E501
    "hindi": "\u092e\u0948\u0902 \u0906\u091c \u092c\u093e\u091c\u093c\u093e\u0930 \u091c\u093e \u0930\u0939\u093e \u0939\u0942\u0901 \u0914\u0930 \u092b\u0932 \u0932\u093e\u090a\u0901\u0917\u093e",  # noqa: E501
    "arabic": "\u0623\u0646\u0627 \u0630\u0627\u0647\u0628 \u0625\u0644\u0649 \u0627\u0644\u0633\u0648\u0642 \u0627\u0644\u064a\u0648\u0645 \u0645\u0639 \u0635\u062f\u064a\u0642\u064a",  # noqa: E501
    "hebrew": "\u05d0\u05e0\u05d9 \u05d4\u05d5\u05dc\u05da \u05d4\u05d9\u05d5\u05dd \u05dc\u05e9\u05d5\u05e7 \u05e2\u05dd \u05d7\u05d1\u05e8",  # noqa: E501
    "chinese": "\u6211\u4eec\u6628\u5929\u53bb\u4e86\u90a3\u5bb6\u9910\u5385\uff0c\u5473\u9053\u975e\u5e38\u597d\u3002",
    "japanese": "\u3053\u308c\u306f\u30c6\u30b9\u30c8\u3067\u3059\u3001\u3088\u308d\u3057\u304f\u304a\u9858\u3044\u3057\u307e\u3059",  # noqa: E501
    "thai": "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35\u0e04\u0e23\u0e31\u0e1a\u0e27\u0e31\u0e19\u0e19\u0e35\u0e49\u0e2d\u0e32\u0e01\u0e32\u0e28\u0e14\u0e35",  # noqa: E501
}


@pytest.mark.parametrize("language", PROSE)
def test_short_sentences_of_any_script_are_prose(language: str) -> None:
    """From six words on, whether there are spaces between them or not."""
    assert subject(PROSE[language]).is_prose
    assert subject(PROSE[language] * 400).is_prose


@pytest.mark.parametrize(
    "text",
    ["", "' or 1=1--", "<script>alert(1)</script>", "a;b;c;d;e;f;g;h", "../../../../etc/passwd", "Jane Doe",
     "'; exec xp_cmdshell('ping 127.0.0.1'); --", "\u4e2d\u6587", "id=1&x=<b>&y={{7*7}}&z=$(id)&w=`ls`"],
)  # fmt: skip
def test_values_and_attacks_are_no_prose(text: str) -> None:
    """Names, numbers, and what is mostly punctuation."""
    assert not subject(text).is_prose


@pytest.mark.parametrize(
    ("text", "is_code"),
    [
        ("def f(x):\n    return 1\n\nfor i in y:\n    print(i)\n", True),
        ("<ul>\n  <li>one</li>\n</ul>\n", True),
        ("How do I escape this?\n\n```\nrm -rf /tmp/x\n```\nThanks", True),
        ("$ ls -la\ntotal 8\n$ cat x\n", True),
        ("@@ -1,2 +1,2 @@\n-old line\n+new line\n same\n", True),
        ("2024-01-01 12:00:00 ERROR a\n2024-01-01 12:00:01 INFO b\n2024-01-01 12:00:02 INFO c", True),
        ("Dear all,\nplease find below the minutes.\nBest,\nJane\n", False),
        ("'; cat /etc/passwd;\n#", False),
        ("if (x) { y(); }", False),
        ("", False),
    ],
    ids=ascii,
)
def test_code_is_told_by_its_layout(text: str, is_code: bool) -> None:
    """Over at least three lines, or fenced."""
    assert subject(text).is_code_like is is_code


@given(st.text(alphabet="aI\u0130\u1e9eA\xdf"))
def test_all_but_the_dotted_i_is_put_into_lower_case(text: str) -> None:
    """As letter by letter, which takes thirty times as long."""
    assert subject(text).lower == "".join([small if len(small := c.lower()) == 1 else c for c in text])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("some words of people " * 110, True),
        ("some words of people " * 60, False),
        ("some words of people " * 55 + "f(x);" * 250, False),
        ("f(x);" * 250 + "some words of people " * 55, False),
        ("some words of people " * 55 + "f(x);" * 250 + "some words of people " * 55, True),
    ],
    ids=["long", "short", "code at its end", "code first", "code between"],
)
def test_a_long_text_is_told_by_its_ends(text: str, expected: bool) -> None:
    """A dozen plain words at each end of two thousand characters."""
    assert subject(text).is_between_words is expected


@given(st.text() | st.text(alphabet="\u0130\u1e9eA\xdf\u03a3"))
def test_lower_case_keeps_offsets(text: str) -> None:
    """Each character stands where it stood; also those whose small letter is two characters."""
    lower = subject(text).lower
    assert len(lower) == len(text)
    assert all(small == big or small in big.lower() or big == "\u03a3" for small, big in zip(lower, text, strict=True))


@given(st.text(max_size=200), st.integers(0, 60))
def test_any_text_may_be_asked_about(text: str, times: int) -> None:
    """Nothing raises, whatever the text is."""
    asked = subject(text * times)
    assert asked.is_prose in (True, False)
    assert asked.is_code_like in (True, False)
    assert asked.lines >= 0
    assert all(word.isascii() for word in asked.words)


def test_a_sample_of_a_long_text_is_looked_at() -> None:
    """Beginning, middle and end: an attack's filler makes its beginning prose, not what it is itself."""
    assert len(subject("word " * 20_000)._sample) <= 4_502
    assert not subject("(){};$=<>" * 300 + PROSE["english"] + "(){};$=<>" * 300).is_prose


def test_what_a_subject_takes_from_its_value() -> None:
    """Place, name, decodings; long texts, and later pieces of them."""
    asked = subject("SELECT a_1 FROM x9")
    assert (asked.place, asked.name, asked.is_name, asked.via) == (Place.FORM, "comment", False, ("percent",))
    assert asked.words == {"select", "a_1", "from", "x9"}
    assert not asked.is_long
    assert subject("a" * 500).is_long
    assert subject("a", offset=4096).is_long
