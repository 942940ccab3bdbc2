"""Arcjet's fingerprint: the vectors that were measured, and its errors."""

from __future__ import annotations

import hashlib

import pytest

from doorward.context import RequestContext
from doorward.service.server.arcjet_fingerprint import fingerprint

REQUEST = RequestContext(
    method="POST", host="Shop.example:8080", path="/a", query="q=1&q=2&z=",
    headers=[("x-b", "two"), ("x-a", "one"), ("cookie", "s=abc; t=")],
)  # fmt: skip
GIVEN = {"a": "b", "ab": "c"}
VECTORS = {
    "127.0.0.1": "0d219da6100b99f95cf639b77e088c6df3c096aa5fd61dec5287c5cf94d5e545",
    "1.1.1.1": "10182843b9721ec9901b0b127e10705ae447f41391c1bdb153c9fec8d82bb875",
    "76.76.21.21": "30cc6b092efff7b35f658730073f40ceae0a724873e1ff175826fc57e1462149",
}
PIECES = {
    "ip.src": "ip192.0.2.1",
    "http.host": "hostShop.example:8080",
    "http.method": "methodPOST",
    "http.request.uri.path": "path/a",
    'http.request.headers["X-A"]': "headerx-aone",
    "http.request.headers['x-b']": "headerx-btwo",
    'http.request.cookie["s"]': "cookiesabc",
    'http.request.uri.args["q"]': "queryq12",
    'http.request.uri.args["z"]': "queryz",
    "a": "userdefinedab",
    "ab": "userdefinedabc",
}


def named(*names: str, ip: str = "192.0.2.1") -> str:
    return fingerprint(names, REQUEST, ip, GIVEN)


@pytest.mark.parametrize("address", VECTORS)
def test_of_an_address(address: str) -> None:
    """The measured values, with and without the characteristic."""
    assert named(ip=address) == named("ip.src", ip=address) == f"fp::2::{VECTORS[address]}"


def test_of_a_value_of_the_applications_own() -> None:
    """The measured value of a=b."""
    assert named("a") == "fp::2::83e4b462812b844fc17cd81eee04088c832ffbe00b714338a773ad458e472686"


@pytest.mark.parametrize("first", PIECES)
@pytest.mark.parametrize("second", PIECES)
def test_of_pairs(first: str, second: str) -> None:
    """Pieces come in the fixed order of kinds, whatever the order of the list."""
    expected = "".join(dict.fromkeys(PIECES[name] for name in PIECES if name in (first, second)))
    if first == second and first in ("a", "ab"):
        expected *= 2
    elif first == second:
        assert named(first, second) == ""
        return
    assert named(first, second) == named(second, first) == f"fp::2::{hashlib.sha256(expected.encode()).hexdigest()}"


@pytest.mark.parametrize(
    "name",
    ["missing", "", 'http.request.headers["none"]', 'http.request.cookie["none"]', 'http.request.uri.args["none"]',
     "http.request.method", 'http.request.headers["a.b"]', 'http.request.headers[""]'],
)  # fmt: skip
def test_what_is_not_there_has_none(name: str) -> None:
    """The SDKs make an error of it; there is nothing to remember then."""
    assert named(name) == ""


def test_an_empty_address_has_none() -> None:
    """As the SDKs."""
    assert named(ip="") == ""


def test_its_weakness_is_known() -> None:
    """Two clients with one fingerprint: why nothing is counted by it."""
    one = fingerprint(["a"], REQUEST, "", {"a": "bc"})
    other = fingerprint(["ab"], REQUEST, "", {"ab": "c"})
    assert one == other
