"""P21: nothing benign that is added to an attack lets it pass, and padding is no way through."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward import Doorward, RequestContext, shield
from doorward.attacks.scan import OVERLAP, PIECE, Scanner

ATTACKS = (
    "1' UNION SELECT password FROM users--",
    "<script>alert(document.cookie)</script>",
    "../../../../etc/passwd",
    "; cat /etc/passwd",
    "${jndi:ldap://x.example/a}",
    "{{7*7}}{{config.__class__.__init__.__globals__}}",
    "<?php system($_GET['c']); ?>",
)
WORDS = ("ada", "lovelace", "blue", "size", "shop", "42", "2024", "hello", "world", "street", "true")
NAMES = st.sampled_from(["name", "comment", "page", "lang", "colour", "ref"])
TEXTS = st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join)
PAIRS = st.lists(st.tuples(NAMES, TEXTS), max_size=8)
HEADERS = st.lists(st.tuples(NAMES.map(lambda name: f"X-{name}"), TEXTS), max_size=6)
ANY_ATTACK = st.sampled_from(ATTACKS)
BOUNDARY = "----boundary7"
Pairs = list[tuple[str, str]]


@cache
def scanner() -> Scanner:
    return shield().scanner


def is_denied(request: RequestContext) -> bool:
    scan = scanner().scan(request)
    while True:
        try:
            next(scan)
        except StopIteration as stop:
            return bool(stop.value.weight >= 1.0)


def post(content_type: str, body: str | bytes, headers: Any = ()) -> RequestContext:
    data = body.encode() if isinstance(body, str) else body
    lines = [("Host", "shop.example"), ("Content-Type", content_type), *headers]
    return RequestContext(method="POST", path="/items", headers=lines, body=data)


def query(pairs: Pairs, headers: Any = ()) -> RequestContext:
    return RequestContext(path="/items", query=urlencode(pairs), headers=[("Host", "shop.example"), *headers])


def form(pairs: Pairs, headers: Any = ()) -> RequestContext:
    return post("application/x-www-form-urlencoded", urlencode(pairs), headers)


def members(pairs: Pairs, headers: Any = ()) -> RequestContext:
    """JSON with duplicate keys, as they come."""
    body = "{" + ",".join(f"{json.dumps(name)}: {json.dumps(text)}" for name, text in pairs) + "}"
    return post("application/json", body, headers)


def elements(pairs: Pairs, headers: Any = ()) -> RequestContext:
    return post("application/json", json.dumps({"items": [{name: [text]} for name, text in pairs]}), headers)


def xml(pairs: Pairs, headers: Any = ()) -> RequestContext:
    def escaped(text: str) -> str:
        return text.replace("&", "&amp;").replace("<", "&lt;")

    return post("application/xml", "<a>" + "".join(f"<{n}>{escaped(t)}</{n}>" for n, t in pairs) + "</a>", headers)


def parts(pairs: Pairs, headers: Any = ()) -> RequestContext:
    body = "".join(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n' for name, text in pairs
    )
    return post(f"multipart/form-data; boundary={BOUNDARY}", f"{body}--{BOUNDARY}--\r\n", headers)


def cookies(pairs: Pairs, headers: Any = ()) -> RequestContext:
    line = "; ".join(f"{name}={quote(text, safe='')}" for name, text in pairs)
    return RequestContext(path="/items", headers=[("Host", "shop.example"), ("Cookie", line), *headers])


Wear = Callable[..., RequestContext]
WEARS: list[Wear] = [query, form, members, elements, xml, parts, cookies]
BODIES: list[Wear] = [form, members, elements, xml, parts]
every = pytest.mark.parametrize("wear", WEARS, ids=lambda wear: wear.__name__)
bodies = pytest.mark.parametrize("wear", BODIES, ids=lambda wear: wear.__name__)


@every
@given(attack=ANY_ATTACK, before=PAIRS, after=PAIRS, headers=HEADERS)
def test_p21_what_is_added_around_an_attack_saves_nobody(
    wear: Wear, attack: str, before: Pairs, after: Pairs, headers: Pairs
) -> None:
    """P21: further parameters, members, parts, elements, cookies and headers, before and after."""
    assert is_denied(wear([*before, ("q", attack), *after], headers))


@every
@given(attack=ANY_ATTACK, benign=PAIRS, place=st.integers(0, 8))
def test_p21_the_order_of_duplicates_is_irrelevant(wear: Wear, attack: str, benign: Pairs, place: int) -> None:
    """P21: whichever of several parameters of one name is the attack."""
    pairs = [("q", text) for _, text in benign]
    pairs.insert(place % (len(pairs) + 1), ("q", attack))
    assert is_denied(wear(pairs))


@bodies
@given(
    attack=ANY_ATTACK,
    before=st.integers(0, 2 * PIECE),
    after=st.integers(0, 2 * PIECE),
    word=st.sampled_from(WORDS),
)
def test_p21_padding_within_the_value_saves_nobody(wear: Wear, attack: str, before: int, after: int, word: str) -> None:
    """P21: ordinary words before and after it, so that it lies anywhere in pieces, or on the edge between two."""
    text = f"{(word + ' ') * (before // len(word))}{attack} {(' ' + word) * (after // len(word))}"
    assert is_denied(wear([("q", text)]))


@pytest.mark.parametrize("attack", ATTACKS[:2])
@pytest.mark.parametrize("shift", [-OVERLAP, -40, -20, -8, -1, 0, 8])
def test_p21_an_attack_split_over_pieces_is_seen_whole(attack: str, shift: int) -> None:
    """P21: pieces overlap, so that what crosses an edge is whole in the next."""
    for edge in (PIECE, PIECE + OVERLAP, 16_384, 16_384 + PIECE):
        padding = ("lorem ipsum " * (edge // 12 + 1))[: edge + shift - 1] + " "
        for wear in BODIES:
            assert is_denied(wear([("q", padding + attack + " lorem" * 2_000)])), (wear.__name__, edge)


@bodies
@pytest.mark.parametrize("count", [250, 20_000])
def test_p21_an_attack_after_many_values(wear: Wear, count: int) -> None:
    """P21: engines that stop looking after so many values let this pass."""
    assert is_denied(wear([*[("n", f"value {number}") for number in range(count)], ("q", ATTACKS[0])]))


@bodies
@pytest.mark.parametrize("padding", ["a", "lorem ipsum dolor ", "1, 2, 3\n", "0123456789abcdef"])
def test_p21_an_attack_after_300_000_bytes_of_padding(wear: Wear, padding: str) -> None:
    """P21: engines that look at the beginning of a value let this pass."""
    text = padding * (300_000 // len(padding)) + " " + ATTACKS[1]
    assert is_denied(wear([("q", text)]))


def test_p21_an_attack_in_the_text_of_a_body_of_no_kind() -> None:
    """P21: the same where the type says nothing."""
    assert is_denied(post("text/plain", "lorem ipsum " * 25_000 + ATTACKS[1]))


@pytest.mark.parametrize("depth", [10, 1_000, 10_000])
def test_p21_an_attack_deep_in_json(depth: int) -> None:
    """P21: depth hides nothing."""
    body = '{"a":[' * depth + json.dumps(ATTACKS[0]) + "]}" * depth
    assert is_denied(post("application/json", body))


@pytest.mark.parametrize("number", range(len(ATTACKS)))
def test_p21_what_was_seen_before_makes_no_difference(number: int) -> None:
    """P21: known values are remembered; an attack beside them is seen each time."""
    aj = Doorward([shield()], mode="LIVE")
    attack, benign = ATTACKS[number], [("X-Note", "hello blue world")]
    assert aj.protect(query([("q", "hello blue world")], benign)).is_allowed()
    for _ in range(3):
        request = RequestContext(path="/items", query=f"q={quote_plus(attack)}", headers=benign, peer="203.0.113.9")
        assert aj.protect(request).is_denied()
