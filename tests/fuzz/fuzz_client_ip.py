"""Whatever peers and header lines come, the client's address is canonical or "", and what is left of it means nothing.

An input is the peer in the first line and a header in each of the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ipaddress import ip_address

from tests.fuzz.harness import fuzz, instrumented, text_of

with instrumented(__name__):
    from doorward.client_ip import ClientIP, ClientIPPolicy, Provenance, Proxies

Headers = dict[str, list[str]]

POLICIES = {
    "private": ClientIPPolicy("private"),
    "nobody": ClientIPPolicy(()),
    "networks": ClientIPPolicy(("10.0.0.0/8", "2001:db8::/32", "unix")),
    "one hop": ClientIPPolicy(1),
    "three hops": ClientIPPolicy(3),
    "forwarded": ClientIPPolicy(Proxies("private", "forwarded")),
    "x-forwarded-for": ClientIPPolicy(Proxies(2, "x-forwarded-for")),
    "cloudflare": ClientIPPolicy("cloudflare", edge_ranges={"cloudflare": ["198.51.100.0/24", "2001:db8:cf::/48"]}),
    "vercel": ClientIPPolicy("vercel", environ={"VERCEL": "1"}),
    "development": ClientIPPolicy("private", development=True),
}
UNTRUSTED = {"x-forwarded-for": "203.0.113.9", "forwarded": "for=203.0.113.9"}
MOST_HOPS_HERE = 3
STRANGER = "203.0.113.77"


def lookup(headers: Headers) -> Callable[[str], Sequence[str]]:
    return lambda name: headers.get(name, ())


def parsed(data: bytes) -> tuple[str | None, Headers]:
    first, *lines = text_of(data).split("\n")
    headers: Headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers.setdefault(name.strip().lower(), []).append(value.strip(" "))
    return (None if first == "None" else first), headers


def is_canonical(client: ClientIP) -> bool:
    if client.address == "":
        return client.provenance is Provenance.NONE
    found = ip_address(client.address)
    return str(found) == client.address and getattr(found, "ipv4_mapped", None) is None


def with_stop(headers: Headers, name: str, prefix: str | None, *, own_line: bool = False) -> Headers:
    """The lines of a header behind an address that no policy trusts, and that behind a prefix."""
    stop = ",".join([UNTRUSTED[name]] * MOST_HOPS_HERE)
    first, *others = headers.get(name) or [""]
    first = f"{stop},{first}" if first else stop
    if prefix is None:
        return {**headers, name: [first, *others]}
    return {**headers, name: [prefix, first, *others] if own_line else [f"{prefix},{first}", *others]}


def check_prefix(policy: ClientIPPolicy, peer: str | None, headers: Headers, prefix: str) -> None:
    for name in UNTRUSTED:
        expected = policy.resolve(peer, lookup(with_stop(headers, name, None)))
        for own_line in (False, True):
            found = policy.resolve(peer, lookup(with_stop(headers, name, prefix, own_line=own_line)))
            assert found == expected, (name, prefix, found, expected)


def target(data: bytes) -> None:
    peer, headers = parsed(data)
    prefix = ",".join(line for name, lines in headers.items() for line in (name, *lines))
    for name, policy in POLICIES.items():
        client = policy.resolve(peer, lookup(headers))
        assert is_canonical(client), (name, client)
        assert policy.resolve(peer, lookup(headers)) == client, name
        check_prefix(policy, peer, headers, prefix)
    for name in ("private", "nobody", "networks", "cloudflare", "vercel"):
        client = POLICIES[name].resolve(STRANGER, lookup(headers))
        assert client == ClientIP(STRANGER, Provenance.PEER), (name, client)


if __name__ == "__main__":
    fuzz(target, "client_ip")
