"""Named edges: their headers count on their platform and from their addresses, and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from doorward.client_ip import ClientIP, ClientIPPolicy, Provenance

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PEER = "10.0.0.1"
PROXY = "10.0.0.2"
CLIENT = "203.0.113.9"
SPOOFED = "198.51.100.6"
EDGE = "192.0.2.77"
RANGES = {"cloudflare": ["192.0.2.0/24", "2001:db8:cf::/48"]}


def headers(**lines: str | Sequence[str]) -> Callable[[str], Sequence[str]]:
    """A header look-up, from keywords with ``_`` for ``-``."""
    named = {name.replace("_", "-"): [value] if isinstance(value, str) else value for name, value in lines.items()}
    return lambda name: named.get(name, [])


def forbidden(name: str) -> Sequence[str]:
    """A header look-up that must not happen."""
    raise AssertionError(name)


PLATFORMS = [
    ("fly", {"FLY_APP_NAME": "shop"}, "fly-client-ip"),
    ("render", {"RENDER": "true"}, "true-client-ip"),
    ("vercel", {"VERCEL": "1"}, "x-real-ip"),
    ("vercel", {"VERCEL": "1"}, "x-vercel-forwarded-for"),
]


@pytest.mark.parametrize(("edge", "environ", "header"), PLATFORMS)
@pytest.mark.parametrize("peer", ["172.16.3.4", "fdaa::3", None])
def test_platform_header_is_read(edge: str, environ: dict[str, str], header: str, peer: str | None) -> None:
    """On the platform, its header names the client."""
    policy = ClientIPPolicy(edge, environ=environ)
    found = policy.resolve(peer, lambda name: [f" {CLIENT}:80 "] if name == header else [])
    assert found == ClientIP(CLIENT, Provenance.EDGE)


@pytest.mark.parametrize(("edge", "environ", "header"), PLATFORMS)
def test_p9_platform_header_needs_the_platform(edge: str, environ: dict[str, str], header: str) -> None:
    """Without the variable, or with another value, no header is read."""
    for wrong in ({}, dict.fromkeys(environ, ""), {"OTHER": header}):
        assert ClientIPPolicy(edge, environ=wrong).resolve(PEER, forbidden).address == PEER


@pytest.mark.parametrize(("edge", "environ"), [("render", {"RENDER": "1"}), ("vercel", {"VERCEL": "true"})])
def test_p9_platform_variable_must_have_its_value(edge: str, environ: dict[str, str]) -> None:
    """A variable of the same name but another value is not the platform's."""
    assert ClientIPPolicy(edge, environ=environ).resolve(PEER, forbidden).address == PEER


@pytest.mark.parametrize(("edge", "environ", "header"), PLATFORMS)
def test_p9_platform_header_of_a_public_peer(edge: str, environ: dict[str, str], header: str) -> None:
    """Whoever reaches the application past the edge is its own client."""
    assert header
    assert ClientIPPolicy(edge, environ=environ).resolve(CLIENT, forbidden).address == CLIENT


@pytest.mark.parametrize("lines", [[], [CLIENT, SPOOFED], [f"{SPOOFED}, {CLIENT}"], ["unknown"], [""]], ids=repr)
def test_p9_platform_header_must_be_one_address(lines: list[str]) -> None:
    """An ambiguous header is not believed, and X-Forwarded-For is no substitute."""
    policy = ClientIPPolicy("fly", environ={"FLY_APP_NAME": "shop"})
    assert policy.resolve(PEER, headers(fly_client_ip=lines, x_forwarded_for=SPOOFED)).address == PEER


def cloudflare() -> ClientIPPolicy:
    """The policy with the ranges of RANGES."""
    return ClientIPPolicy("cloudflare", edge_ranges=RANGES)


@pytest.mark.parametrize("peer", [EDGE, "2001:db8:cf::7", "::ffff:192.0.2.77"])
def test_cloudflare_peer_names_the_client(peer: str) -> None:
    """A peer in the published ranges is believed; other headers are not read."""
    found = cloudflare().resolve(peer, headers(cf_connecting_ip=CLIENT, x_forwarded_for=SPOOFED))
    assert found == ClientIP(CLIENT, Provenance.EDGE)


@pytest.mark.parametrize("peer", [PEER, None])
def test_cloudflare_beyond_private_hops(peer: str | None) -> None:
    """A private proxy vouches for the edge, and the edge for the client."""
    lookup = headers(cf_connecting_ip=CLIENT, x_forwarded_for=f"{SPOOFED}, {EDGE}, {PROXY}")
    assert cloudflare().resolve(peer, lookup) == ClientIP(CLIENT, Provenance.EDGE)


def test_p9_cloudflare_header_of_a_public_peer() -> None:
    """Past the edge, its header is not even looked up."""
    assert cloudflare().resolve(CLIENT, forbidden) == ClientIP(CLIENT, Provenance.PEER)


def test_p9_cloudflare_header_past_the_edge_through_a_private_proxy() -> None:
    """A client that reaches the private proxy directly cannot name itself."""
    lookup = headers(cf_connecting_ip=SPOOFED, x_forwarded_for=f"{EDGE}, {CLIENT}")
    assert cloudflare().resolve(PEER, lookup) == ClientIP(CLIENT, Provenance.FORWARDED)


def test_p9_cloudflare_header_of_a_private_client() -> None:
    """Inside the network, the edge's header means nothing."""
    assert cloudflare().resolve(PEER, headers(cf_connecting_ip=SPOOFED)).address == PEER


@pytest.mark.parametrize("lines", [[], [CLIENT, CLIENT], [f"{SPOOFED},{CLIENT}"], ["x"]], ids=repr)
def test_p9_cloudflare_header_must_be_one_address(lines: list[str]) -> None:
    """Without one clear address, the edge itself is the client."""
    assert cloudflare().resolve(EDGE, headers(cf_connecting_ip=lines)).address == EDGE
