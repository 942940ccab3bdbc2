"""The syntax of e-mail addresses: what is one, what is none, and what a person is told to correct."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from doorward.email_syntax import parse

ATOM = st.from_regex(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,12}", fullmatch=True)
DOT_ATOM = st.lists(ATOM, min_size=1, max_size=4).map(".".join)
QUOTED = st.from_regex(r"\"(?:[ !#-\[\]-~]|\\[ -~]){1,25}\"", fullmatch=True)
LETTERS = st.text(st.sampled_from("aäßéñøłжщあ漢字한עβ"), min_size=1, max_size=12)
LABEL = st.from_regex(r"[a-z0-9](?:[a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True).filter(lambda text: text[2:4] != "--")
TOP_LEVEL = st.from_regex(r"[a-z](?:[a-z0-9-]{0,6}[a-z])?", fullmatch=True).filter(lambda text: text[2:4] != "--")
DOMAIN = st.builds(lambda labels, top: ".".join([*labels, top]), st.lists(LABEL, min_size=1, max_size=4), TOP_LEVEL)

TLDS = st.sampled_from(["onion", "onıon", "ONION", "ONİON", "test", "teſt", "TEST", "ınvalid", "loca\u2113", "arpa"])


@given(st.one_of(DOT_ATOM, QUOTED, LETTERS), DOMAIN)
@example("a", "host.test")
@example("a", "host.localhost")
@example("a", "in-addr.arpa")
def test_every_address_of_the_grammar_is_one(local_part, domain) -> None:
    """Mailbox of RFC 5321 section 4.1.2, with the local parts of RFC 6531; its domain comes out as it is."""
    assert parse(f"{local_part}@{domain}") == (domain, "", "")


@given(DOT_ATOM, DOMAIN, st.data())
def test_a_character_that_no_address_has_spoils_it(local_part, domain, data) -> None:
    """Control characters, brackets and spaces, wherever they are put; NUL and line breaks above all."""
    good = f"{local_part}@{domain}"
    place = data.draw(st.integers(0, len(good)))
    bad = data.draw(st.sampled_from("\0\r\n\t \x7f()<>[]:;,\u202e\u200b\u2028"))
    assert parse(good[:place] + bad + good[place:]).problem


@given(st.one_of(st.none(), st.integers(), st.binary(), st.text()), st.booleans(), st.booleans())
@example("\ud800@a.example", True, False)
@example("a@\ud800.example", True, False)
@example("a@xn--.example", True, False)
@example("a@" + "xn--" * 60, True, False)
@example("@" * 254, False, True)
@example('"' + "\\" * 250, False, True)
def test_nothing_raises(value, top_level, literal) -> None:
    """Whatever is sent is an address with a domain, or has a problem."""
    address = parse(value, require_top_level_domain=top_level, allow_domain_literal=literal)
    assert not (address.domain and address.problem)


@pytest.mark.parametrize("size", [255, 1_000_000])
def test_what_is_too_long_is_not_looked_at(size, monkeypatch) -> None:
    """A megabyte costs what one character too many does: the parser never sees it (RFC 5321 section 4.5.3.1.3)."""
    monkeypatch.setattr("doorward.email_syntax.validate_email", None)
    for letter in "aé":
        assert parse(letter * (size - 10) + "@b.example").problem == "it has more than 254 characters"


def test_the_longest_address_is_one() -> None:
    """64 octets before the @, 254 in all."""
    domain = ".".join(["d" * 61] * 3) + ".ex"
    assert len(f"{'a' * 64}@{domain}") == 253
    assert parse(f"{'a' * 64}@{domain}x").problem == ""
    assert parse(f"{'a' * 64}@{domain}xx").problem
    assert parse(f"{'a' * 63}@{domain[:-5]}ööö.ex").problem == "it has more than 254 characters"


@pytest.mark.parametrize("local_part", ["a" * 65, "ä" * 33, f'"{"a" * 63}"', '"' + "\\a" * 32 + '"'])
def test_the_local_part_is_counted_in_octets_as_written(local_part) -> None:
    """RFC 5321 section 4.5.3.1.1: 64 octets, with quotes and backslashes."""
    assert parse(f"{local_part}@a.example").problem == "it has more than 64 characters before the @"


def test_a_quoted_pair_is_ascii() -> None:
    """RFC 6531 section 3.3 extends the quoted text, not what may follow a backslash."""
    assert parse('"é"@a.example').problem == ""
    assert parse('"\\é"@a.example').problem == "it has a backslash where none may be"


@pytest.mark.parametrize(
    ("address", "domain"),
    [
        ("a@EXAMPLE.Com", "example.com"),
        ("a@Bücher.example", "xn--bcher-kva.example"),
        ("a@XN--bcher-kva.example", "xn--bcher-kva.example"),
        ("a@bücher。example", "xn--bcher-kva.example"),
        ("a@gmаil.com", "xn--gmil-63d.com"),
        ("a@Host.TEST", "host.test"),
        ("a@Bücher.Local", "xn--bcher-kva.local"),
    ],
)
def test_the_domain_comes_in_lower_case_a_labels(address, domain) -> None:
    """As the DNS and the lists have it (RFC 5890); a Cyrillic letter makes it another domain, not an invalid one."""
    assert parse(address).domain == domain


@given(st.lists(st.text("aiısſkK.ßéß一漢﹒ｏonteNTOION", min_size=1, max_size=12), min_size=1, max_size=3), TLDS)
@example(["x"], "onıon")
@example(["x"], "teſt")
def test_the_domain_is_ascii_whatever_was_typed(labels, top) -> None:
    """A-labels as the DNS has them, also of letters that only look like, or fold to, those of a reserved name."""
    domain = parse(f"u@{'.'.join([*labels, top])}").domain
    assert re.fullmatch(r"[a-z0-9.-]*", domain)


@given(st.text(max_size=40))
def test_the_domain_is_ascii_in_any_script(domain) -> None:
    """Or there is none."""
    assert re.fullmatch(r"[a-z0-9.-]*", parse(f"u@{domain}").domain)


def test_a_letter_that_folds_to_ascii_makes_another_name() -> None:
    """The Turkish dotless i has the same upper case as i: this is no onion name."""
    assert parse("u@x.onıon").domain == "x.xn--onon-mza"


def test_a_domain_without_a_dot_is_an_option() -> None:
    """Names reserved for special use are names all the same."""
    assert parse("alice@localhost").problem == "the domain has no dot"
    assert parse("alice@localhost", require_top_level_domain=False).domain == "localhost"
    assert parse("alice@intranet", require_top_level_domain=False).domain == "intranet"


def test_a_domain_literal_is_an_option() -> None:
    """RFC 5321 section 4.1.3; it has no domain to ask for."""
    for literal in ("[192.0.2.1]", "[IPv6:2001:db8::1]"):
        assert parse(f"a@{literal}").problem == "there is an IP address in place of the domain"
        assert parse(f"a@{literal}", allow_domain_literal=True) == ("", "", "")
    assert parse("a@[192.0.2.256]", allow_domain_literal=True).problem


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("", "it is empty"),
        (" a@b.example", "there is a space or a line break around it"),
        ("a@b.example\n", "there is a space or a line break around it"),
        ("Ann <a@b.example>", "it must be the address alone, without a name and angle brackets"),
        ("a.b.example", "there is no @"),
        ("@b.example", "there is nothing before the @"),
        ("a@", "there is nothing after the @"),
        ("a b@c.example", "there is a space in it"),
        ("a@b@c.example", "there is more than one @"),
        ("a..b@c.example", "there are two dots in a row"),
        ("a@b..example", "there are two dots in a row"),
        (".a@b.example", "there is a dot at the start or the end of the part before the @"),
        ("a.@b.example", "there is a dot at the start or the end of the part before the @"),
        ("a@.b.example", "there is a dot at the start or the end of the domain"),
        ("a@b.example.", "there is a dot at the start or the end of the domain"),
        ("a@b", "the domain has no dot"),
        ("a(b)@c.example", "the part before the @ has characters, or an order of them, that no address has"),
        ("a@-c.example", "the part after the @ has characters, or an order of them, that no address has"),
        ("a@b.123", "the part after the @ has characters, or an order of them, that no address has"),
    ],
)
def test_a_person_is_told_what_to_correct(address, problem) -> None:
    """The first thing that is wrong, in words of our own."""
    assert parse(address).problem == problem


@given(st.text('a@.\\" <é-', max_size=254))
def test_the_domain_of_what_is_none_is_what_was_typed(text) -> None:
    """What a suggestion goes by: the part after the last @."""
    address = parse(text)
    if address.problem and not re.search("more than|backslash", address.problem):
        assert address.typed_domain == (text.rpartition("@")[2].lower() if "@" in text else "")
