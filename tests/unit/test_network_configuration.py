"""What a client's ``resolver`` may be, and what is built when."""

from __future__ import annotations

import sys

import dns.resolver as dnspython
import pytest

from doorward import ConfigurationError
from doorward.effects import DnsAnswer, DnsKind
from doorward.network import Network, check_resolver
from doorward.resolver import DnsResolver
from doorward.resolving.servers import Server, system_servers
from doorward.testing import ScriptedResolver

LATE = 20.0
ANSWER = DnsAnswer(exists=True, records=("192.0.2.1",))


class Bare:
    """The least that a resolver is."""

    def resolve(self, name: str, kind: DnsKind, timeout: float) -> DnsAnswer:
        return ANSWER


def test_nothing_is_built_before_it_is_needed() -> None:
    """A client without such rules pays nothing; `warm` builds it all."""
    network = Network(check_resolver("127.0.0.1:5353"))
    assert (network._resolver, network._web) == (None, None)
    network.warm(web=True)
    assert isinstance(network.resolver, DnsResolver)
    assert [str(server) for server in network.resolver.servers] == ["127.0.0.1:5353"]
    assert network._web is not None
    network.close()


@pytest.mark.parametrize(("library", "web"), [("httpx", True), ("dns.rdtypes.ANY.CNAME", False)])
def test_a_missing_library_is_an_error_at_construction(monkeypatch, library: str, web: bool) -> None:
    """That names it."""
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ConfigurationError, match="httpx" if web else "dnspython"):
        Network().warm(web=web)


def test_the_hosts_servers_are_the_default() -> None:
    """Whatever they are on this machine, there is one."""
    assert Network().resolver.servers


WRONG = [
    "localhost",
    "127.0.0.1:0",
    "127.0.0.1:65536",
    "127.0.0.1:x",
    "127.0.0.1:²",
    "127.0.0.1:",
    "[::1]x",
    "",
    (),
    ["::1", 5],
    5,
    object(),
    {},
    b"::1",
    ScriptedResolver,
]


@pytest.mark.parametrize("value", WRONG, ids=lambda value: repr(value).partition(" object at")[0])
def test_a_wrong_resolver_is_an_error(value: object) -> None:
    """That names the argument and what is accepted."""
    with pytest.raises(ConfigurationError, match=r"resolver: must (be|name)") as caught:
        check_resolver(value)
    assert caught.value.field == "resolver"


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("9.9.9.9", "9.9.9.9:53"),
        ("127.0.0.1:5353", "127.0.0.1:5353"),
        ("::1", "[::1]:53"),
        ("[::1]", "[::1]:53"),
        ("[2001:db8::1]:5353", "[2001:db8::1]:5353"),
    ],
)
def test_addresses_of_servers(text: str, server: str) -> None:
    """With a port or without; 53 is the default."""
    assert [str(each) for each in check_resolver(text)] == [server]


def test_a_script_with_a_wrong_kind_is_an_error() -> None:
    """A test that asks for nonsense says so."""
    with pytest.raises(ConfigurationError, match="A, AAAA, MX, PTR, not 'TXT'"):
        ScriptedResolver({("example.com", "TXT"): ["v=spf1"]})


def test_a_script_tells_a_missing_name_from_a_missing_kind() -> None:
    """NXDOMAIN, and no records; an answer can be given whole, and names are written as one likes."""
    given = DnsAnswer(exists=True, records=("mx",))
    resolver = ScriptedResolver({("Example.com", "a"): ["192.0.2.1"], ("x.example", "MX"): given})
    assert resolver.resolve("EXAMPLE.com", DnsKind.A, LATE) == ANSWER
    assert resolver.resolve("example.com", DnsKind.MX, LATE) == DnsAnswer(exists=True)
    assert resolver.resolve("x.example", DnsKind.MX, LATE) is given
    assert resolver.resolve("y.example", DnsKind.MX, LATE) == DnsAnswer(exists=False)


def test_a_resolver_without_anything_to_warm_is_warm() -> None:
    """Nothing is asked of it but `resolve`."""
    Network(Bare()).warm()


def test_a_host_without_configuration_asks_itself(monkeypatch) -> None:
    """As resolv.conf(5) says; otherwise its first three servers are asked."""

    def unconfigured() -> None:
        raise dnspython.NoResolverConfiguration

    monkeypatch.setattr(dnspython, "Resolver", unconfigured)
    assert system_servers() == (Server("127.0.0.1"),)
    resolver = type("Resolver", (), {"nameservers": ["::1", "192.0.2.1", "192.0.2.2", "192.0.2.3"], "port": 53})
    monkeypatch.setattr(dnspython, "Resolver", resolver)
    assert list(map(str, system_servers())) == ["[::1]:53", "192.0.2.1:53", "192.0.2.2:53"]
