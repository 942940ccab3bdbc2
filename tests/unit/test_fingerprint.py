"""Who a request is counted as."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward import ConfigurationError, RequestContext
from doorward.fingerprint import MOST_KNOWN, Fingerprint, Identity, normalized

IP = "203.0.113.9"
REQUEST = RequestContext(
    method="post",
    host="Shop.Example:8443",
    path="/a",
    query="q=1&q=2",
    headers=[("X-Key", "k1"), ("x-key", "k2"), ("Cookie", "s=abc")],
)
PARTS = {
    "ip.src": (IP,),
    "http.host": ("shop.example:8443",),
    "http.request.method": ("POST",),
    "http.request.uri.path": ("/a",),
    'http.request.headers["x-key"]': ("k1", "k2"),
    'http.request.cookie["s"]': ("abc",),
    'http.request.uri.args["q"]': ("1", "2"),
    "userId": ("42",),
}
parts = st.lists(st.lists(st.text(alphabet="ab1:;", max_size=4), max_size=3).map(tuple), max_size=3).map(tuple)


def of(name: str, request: RequestContext = REQUEST, ip: str = IP, **given_values: object) -> Fingerprint:
    return Identity([name]).fingerprint(request, ip, given_values)


@given(parts, parts)
def test_different_parts_have_different_fingerprints(one: tuple, other: tuple) -> None:
    """Length prefixes: no value can flow over into its neighbour."""
    assert (Fingerprint(one).digest == Fingerprint(other).digest) is (one == other)


def test_the_format_is_pinned() -> None:
    """Counters in shared stores depend on it: SHA-256 of length-prefixed parts, behind a version."""
    fingerprint = Fingerprint([("a", "bc"), ("d",)])
    digest = hashlib.sha256(b"1:a2:bc;1:d;").hexdigest()
    assert (str(fingerprint), fingerprint.short) == (f"fp::3::{digest}", digest[:24])


@pytest.mark.parametrize("name", PARTS)
def test_each_characteristic_is_read_from_its_place(name: str) -> None:
    """All values of repeated headers and parameters count, host and method without case."""
    assert of(name, userId=42).digest == Fingerprint([(name, *PARTS[name])]).digest


def test_several_characteristics_count_together_in_one_order() -> None:
    """Order and repetition in the list change nothing."""
    names = list(PARTS)
    one = Identity(names).fingerprint(REQUEST, IP, {"userId": 42})
    other = Identity([*reversed(names), *names]).fingerprint(REQUEST, IP, {"userId": 42})
    expected = Fingerprint([(name, *PARTS[name]) for name in sorted(names)])
    assert one.digest == other.digest == expected.digest


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("http.method", "http.request.method"),
        ("http.request.headers['X-Key']", 'http.request.headers["x-key"]'),
        ('http.request.cookie["S"]', 'http.request.cookie["S"]'),
        ("http.request.uri.args['Q']", 'http.request.uri.args["Q"]'),
    ],
)
def test_aliases_and_spellings_mean_one_characteristic(written: str, name: str) -> None:
    """Header names have no case; cookies and parameters do."""
    assert normalized([written]) == (name,)


@pytest.mark.parametrize(
    "names",
    ["ip.src", None, 5, {"ip.src": 1}, ["ip.dst"], ["http.request.body"], ["http.request.headers"], [""], [5], ["a b"],
     ['http.request.headers["a]'], ["x" * 101]],
    ids=repr,
)  # fmt: skip
def test_what_is_no_characteristic_is_an_error_that_lists_them(names: object) -> None:
    """A typing error must not become a user-defined key that is never given."""
    with pytest.raises(ConfigurationError, match=r"ip\.src, http\.host"):
        normalized(names)


def test_an_absent_part_counts_as_empty() -> None:
    """No header is not the same as an empty one, and none is the same for all."""
    bare = RequestContext()
    empty = RequestContext(headers=[("x-key", "")])
    name = 'http.request.headers["x-key"]'
    assert of(name, bare).digest == Fingerprint([(name,)]).digest != of(name, empty).digest
    assert of(name, bare).missing == []


def test_ipv6_counts_by_its_network() -> None:
    """A /64 is one client; the option moves the boundary."""
    assert of("ip.src", ip="2001:db8::1").digest == of("ip.src", ip="2001:db8::ffff:1").digest
    assert of("ip.src", ip="2001:db8::1").digest != of("ip.src", ip="2001:db8:0:1::1").digest
    wide = Identity(["ip.src"], ipv6_prefix=48)
    assert (
        wide.fingerprint(REQUEST, "2001:db8::1", {}).digest == wide.fingerprint(REQUEST, "2001:db8:0:1::1", {}).digest
    )


def test_an_own_key_that_is_missing_falls_back_to_the_address() -> None:
    """And says so; None counts as not given, zero and False do not."""
    assert of("userId").missing == of("userId", userId=None).missing == ["userId"]
    assert of("userId").digest == of("ip.src").digest
    assert of("userId", userId=0).missing == of("userId", userId=False).missing == []
    assert len({of("userId", userId=value).digest for value in (0, False, "", 1.5)}) == 4


def test_an_own_key_cannot_take_the_address_of_another_client() -> None:
    """A user whose id looks like an address is not that address; ``ip.src`` cannot be given."""
    assert of("userId", userId=IP).digest != of("ip.src").digest
    both = Identity(["ip.src", "userId"])
    assert (
        both.fingerprint(REQUEST, IP, {"userId": 1}).digest
        == both.fingerprint(REQUEST, IP, {"userId": 1, "ip.src": "1.1.1.1"}).digest
    )


@pytest.mark.parametrize("value", [[1], {"a": 1}, b"x", object()])
def test_an_own_key_of_another_type_is_a_type_error_that_names_it(value: object) -> None:
    """Such values have no one text form."""
    with pytest.raises(TypeError, match=r"characteristics\['userId'\] must be str, int, float or bool"):
        of("userId", userId=value)


@pytest.mark.parametrize(
    "name",
    ["ip.src", "http.host", "http.request.method", "http.request.uri.path", "userId", 'http.request.cookie["s"]'],
)
def test_a_client_named_by_its_plain_value_is_the_one_that_is_counted(name: str) -> None:
    """What an operator writes finds the counter, in whatever case the host and the method are written."""
    value = {"http.host": "SHOP.example:8443", "http.request.method": "Post"}.get(name, PARTS[name][0])
    identity = Identity([name])
    counted = identity.fingerprint(REQUEST, IP, {"userId": 42}).digest
    assert identity.of_value(value).digest == identity.of_value({name: value}).digest == counted


def test_a_mapping_names_several_characteristics_by_any_of_their_spellings() -> None:
    """All of them, and no others."""
    identity = Identity(["ip.src", "http.method", "userId"])
    counted = identity.fingerprint(REQUEST, IP, {"userId": True})
    named = {"ip.src": f"::ffff:{IP}", "http.method": "POST", "userId": True}
    assert identity.of_value(named).digest == counted.digest
    assert identity.of_value({"ip.src": IP}) is None
    assert identity.of_value({**named, "other": 1}) is None
    assert identity.of_value(IP) is None
    with pytest.raises(ConfigurationError, match="client"):
        identity.of_value({"ip.dst": IP})


def test_text_that_is_no_address_names_nobody() -> None:
    """A typing error must not ban a client that does not exist."""
    with pytest.raises(ValueError, match="is no IP address"):
        Identity(["ip.src"]).of_value("203.0.113.999")


def test_fingerprints_of_addresses_are_kept_within_bounds() -> None:
    """A flood of addresses does not fill the memory."""
    identity = Identity(["ip.src"])
    first = identity.fingerprint(REQUEST, IP, {})
    assert identity.fingerprint(REQUEST, IP, {}) is first
    for number in range(MOST_KNOWN):
        identity.fingerprint(REQUEST, f"10.0.{number >> 8}.{number & 255}", {})
    assert len(identity._known) <= MOST_KNOWN
    assert identity.fingerprint(REQUEST, IP, {}).digest == first.digest
