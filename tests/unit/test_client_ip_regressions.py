"""One test for each client-IP weakness seen in another library or advisory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from doorward.client_ip import ClientIPPolicy, Proxies

if TYPE_CHECKING:
    from collections.abc import Sequence

CLIENT = "203.0.113.9"
SPOOFED = "198.51.100.6"


class Recorder:
    """A header look-up that remembers the names it was asked for."""

    def __init__(self, **lines: Sequence[str]) -> None:
        self.asked: list[str] = []
        self._lines = {name.replace("_", "-"): value for name, value in lines.items()}

    def __call__(self, name: str) -> Sequence[str]:
        self.asked.append(name)
        return self._lines.get(name, [])


@pytest.mark.parametrize("proxies", ["private", 1, ("10.0.0.0/8",), Proxies(header="forwarded"), "fly"], ids=repr)
def test_p9_slowapi_underscore_header(proxies: str | int | Proxies | Sequence[str]) -> None:
    """slowapi honoured ``X_FORWARDED_FOR``, which only attackers send: no name with an underscore is ever asked for."""
    recorder = Recorder()
    ClientIPPolicy(proxies, environ={"FLY_APP_NAME": "a"}, development=True).resolve("10.0.0.1", recorder)
    assert recorder.asked
    assert not [name for name in recorder.asked if "_" in name or name != name.lower()]


@pytest.mark.parametrize("proxies", ["private", 1, ("10.0.0.0/8",)], ids=repr)
def test_p9_fastapi_limiter_left_most_entry(proxies: str | int | Sequence[str]) -> None:
    """fastapi-limiter took the left-most entry: a forged one gave a new identity for each request."""
    policy = ClientIPPolicy(proxies)
    found = {policy.resolve("10.0.0.1", Recorder(x_forwarded_for=[f"6.6.6.{n}, {CLIENT}"])) for n in range(20)}
    assert {client.address for client in found} == {CLIENT}


def test_p9_fastapi_limiter_forged_header_of_a_public_peer() -> None:
    """fastapi-limiter read the header of anyone: a public peer is its own client."""
    assert ClientIPPolicy().resolve(CLIENT, Recorder(x_forwarded_for=["6.6.6.6"])).address == CLIENT


@pytest.mark.parametrize("lines", [[SPOOFED, CLIENT], [f"{SPOOFED}, {CLIENT}", "10.0.0.7"], [CLIENT, "10.0.0.7"]])
def test_p9_arcjet_two_header_lines_collapse(lines: list[str]) -> None:
    """arcjet kept only the last of several lines: all are read, from the last one's right end."""
    assert ClientIPPolicy().resolve("10.0.0.1", Recorder(x_forwarded_for=lines)).address == CLIENT


@pytest.mark.parametrize("mapped", ["::ffff:203.0.113.9", "::ffff:cb00:7109", "0:0:0:0:0:FFFF:203.0.113.9"])
def test_p9_arcjet_mapped_form_distinct_identity(mapped: str) -> None:
    """arcjet kept mapped IPv4 as an identity of its own: it is the IPv4 client, as peer and in a header."""
    policy = ClientIPPolicy()
    assert policy.resolve(mapped, Recorder()) == policy.resolve(CLIENT, Recorder())
    assert policy.resolve("10.0.0.1", Recorder(x_forwarded_for=[mapped])).address == CLIENT


def test_p9_arcjet_private_peer_is_not_a_proxy() -> None:
    """arcjet let any private peer choose its client: with the proxies named, the others choose nothing."""
    policy = ClientIPPolicy(("10.0.0.1",))
    assert policy.resolve("10.0.0.2", Recorder(x_forwarded_for=[SPOOFED])).address == "10.0.0.2"


def test_p9_cve_2025_46814_forged_allow_listed_address() -> None:
    """fastapi-guard before 2.0.0 took X-Forwarded-For on trust: loopback cannot be claimed from outside."""
    assert ClientIPPolicy().resolve(CLIENT, Recorder(x_forwarded_for=["127.0.0.1"])).address == CLIENT
    assert ClientIPPolicy().resolve("10.0.0.1", Recorder(x_forwarded_for=[f"127.0.0.1, {CLIENT}"])).address == CLIENT


@pytest.mark.parametrize("name", ["x_client_ip", "x_real_ip", "true_client_ip", "cf_connecting_ip", "fly_client_ip"])
@pytest.mark.parametrize("peer", [CLIENT, "10.0.0.1"])
def test_p9_mod_wsgi_x_client_ip_of_untrusted_peers(name: str, peer: str) -> None:
    """mod_wsgi before 4.9.3 let X-Client-IP through: by default no such header is an identity."""
    assert ClientIPPolicy().resolve(peer, Recorder(**{name: [SPOOFED]})).address == peer


@pytest.mark.parametrize("opening", ['"', 'for="', 'for="x', 'for="\\', 'host="a\\"', '"";"'])
@pytest.mark.parametrize("element", [f"for={CLIENT}", f'for="{CLIENT}";host="a, \\"b\\\\"'])
def test_p9_forwarded_unbalanced_quote(opening: str, element: str) -> None:
    """A client's open quote would swallow the proxy's element, if ``Forwarded`` were read from the left."""
    found = ClientIPPolicy().resolve("10.0.0.1", Recorder(forwarded=[f"{opening}, {element}"]))
    assert found.address == CLIENT
