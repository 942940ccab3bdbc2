"""Every wrong ``proxies`` is refused when the policy is built, and says what is accepted."""

from __future__ import annotations

from typing import Any

import pytest

from doorward.client_ip import ClientIPPolicy, Proxies
from doorward.errors import ConfigurationError

WRONG: list[tuple[Any, str]] = [
    ("public", "'public' is unknown"),
    ("", "'' is unknown"),
    ("*", "'*' is unknown"),
    ("PRIVATE", "'PRIVATE' is unknown"),
    ("10.0.0.1", r"written as \('10.0.0.1',\)"),
    ("10.0.0.0/8", r"written as \('10.0.0.0/8',\)"),
    ("2001:db8::/32", r"written as \('2001:db8::/32',\)"),
    ("akamai", "cloudflare, fly, render, vercel"),
    (0, "0 is no hop count"),
    (-1, "-1 is no hop count"),
    (17, "17 is no hop count; .* from 1 to 16"),
    (True, "True is no hop count"),
    (False, "False is no hop count"),
    (1.0, "1.0 is unknown"),
    (None, "None is unknown"),
    (b"private", "b'private' is unknown"),
    ({"10.0.0.1": 1}, "is unknown"),
    ((10,), "10 is no text"),
    ((b"10.0.0.1",), "b'10.0.0.1' is no text"),
    ((["10.0.0.1"],), "is no text"),
    (("",), "'' is no address or network"),
    (("10.0.0",), "'10.0.0' is no address"),
    (("010.0.0.1",), "'010.0.0.1' is no address"),
    (("10.0.0.1/8",), "has host bits set"),
    (("10.0.0.0/33",), "'10.0.0.0/33' is no address"),
    ((" 10.0.0.1",), "' 10.0.0.1' is no address"),
    (("10.0.0.1:80",), "'10.0.0.1:80' is no address"),
    (("[::1]",), r"'\[::1\]' is no address"),
    (("example.com",), "'example.com' is no address"),
    (("cloudflare",), "'cloudflare' is no address"),
    (("0.0.0.0/0",), "is everybody"),
    (("::/0",), "is everybody"),
    (("::ffff:10.0.0.0/104",), "write it as IPv4"),
    (("::ffff:10.0.0.1",), "write it as IPv4"),
    (Proxies(header="x-real-ip"), "'x-real-ip': accepted are"),
    (Proxies(header="Forwarded"), "'Forwarded': accepted are"),
    (Proxies(trusted="cloudflare"), "a named edge stands alone"),
    (Proxies(trusted="fly"), "a named edge stands alone"),
    (Proxies(trusted=0), "0 is no hop count"),
    (Proxies(trusted=("x",)), "'x' is no address"),
]


@pytest.mark.parametrize(("proxies", "message"), WRONG, ids=repr)
def test_p9_wrong_proxies_are_refused(proxies: Any, message: str) -> None:
    """The error names the field, the value and what is accepted."""
    with pytest.raises(ConfigurationError, match=message) as raised:
        ClientIPPolicy(proxies)
    assert raised.value.field == "proxies"


@pytest.mark.parametrize("ranges", [None, {}, {"cloudflare": []}, {"fastly": ["192.0.2.0/24"]}], ids=repr)
def test_cloudflare_without_ranges_is_refused(ranges: dict[str, list[str]] | None) -> None:
    """The error says what to use instead."""
    with pytest.raises(ConfigurationError, match="give its published networks as a sequence"):
        ClientIPPolicy("cloudflare", edge_ranges=ranges)


def test_cloudflare_with_broken_ranges_is_refused() -> None:
    """Broken data is found when the policy is built."""
    with pytest.raises(ConfigurationError, match="'nonsense' is no address"):
        ClientIPPolicy("cloudflare", edge_ranges={"cloudflare": ["nonsense"]})


RIGHT: list[Any] = [
    *("private", (), [], set(), 1, 16, ("private",), ["unix"], frozenset({"10.0.0.0/8"}), {"::1"}),
    *(("192.0.2.1", "192.0.2.0/24", "2001:db8::/32", "2001:db8::1"), Proxies(), Proxies(2, "forwarded")),
    *("fly", "render", "vercel"),
]


@pytest.mark.parametrize("proxies", RIGHT, ids=repr)
def test_right_proxies_are_accepted(proxies: Any) -> None:
    """What the message lists is accepted, in any usual container."""
    assert ClientIPPolicy(proxies).resolve("203.0.113.9", lambda _: []).address == "203.0.113.9"
