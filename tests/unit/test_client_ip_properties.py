"""The properties of promise P9, bounds, and agreement with uvicorn and werkzeug where they mean the same."""

from __future__ import annotations

from contextlib import suppress
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from hypothesis import assume, given
from hypothesis import strategies as st
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix

from doorward.client_ip import MOST_ITEMS, ClientIP, ClientIPPolicy, Provenance, Proxies

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PEER = "10.0.0.1"

trusted_addresses = st.sampled_from(["10.0.0.2", "10.9.8.7", "10.255.255.255", "::ffff:10.0.0.3", "10.0.0.4:80"])
public_addresses = st.one_of(
    st.integers(0xCB007100, 0xCB0071FF).map(lambda number: str(ip_address(number))),
    st.integers(2**125, 2**126 - 1).map(lambda number: str(ip_address(number))),
)
garbage = st.sampled_from(["unknown", "_hidden", "", "01.2.3.4", "x" * 99, "1.2.3", "é"])
addresses = trusted_addresses | public_addresses
words = st.text(alphabet=', \t";=\\:.[]%for0123456789abcdef_\xff\0', max_size=60)
prefixes = st.one_of(words, st.text(max_size=40), st.lists(addresses | garbage, max_size=130).map(", ".join))
stops = st.sampled_from(["private", ("10.0.0.0/8",)])


def xff(*lines: str) -> Callable[[str], Sequence[str]]:
    """A look-up with just X-Forwarded-For."""
    return lambda name: lines if name == "x-forwarded-for" else ()


def forwarded(*lines: str) -> Callable[[str], Sequence[str]]:
    """A look-up with just Forwarded."""
    return lambda name: lines if name == "forwarded" else ()


def element(item: str) -> str:
    """An entry as RFC 7239 has it."""
    return f'for="{item}";host="a,\\"b\\\\"'


# --- an untrusted peer's headers never change the result -------------------------------------------------------------


@given(public_addresses, st.lists(words), st.sampled_from(["private", (), ("10.0.0.0/8",), Proxies("private")]))
def test_p9_untrusted_peer_headers_never_change_the_result(peer: str, lines: list[str], proxies: Any) -> None:
    """Whatever an untrusted peer sends under whatever name, it is the client."""
    assert ClientIPPolicy(proxies).resolve(peer, lambda _: lines) == ClientIP(peer, Provenance.PEER)


# --- left-prepending never changes the result ------------------------------------------------------------------------


@given(stops, prefixes, st.lists(addresses | garbage), public_addresses | garbage, st.lists(trusted_addresses))
def test_p9_left_prepending_never_changes_the_result(
    proxies: Any, prefix: str, left: list[str], stop: str, right: list[str]
) -> None:
    """With an entry in the header that is no trusted address, nothing in front of it counts."""
    items = [*left, stop, *right]
    policy = ClientIPPolicy(proxies)
    for lookup, header in ((xff, ", ".join(items)), (forwarded, ", ".join(map(element, items)))):
        expected = policy.resolve(PEER, lookup(header))
        assert policy.resolve(PEER, lookup(f"{prefix},{header}")) == expected
        assert policy.resolve(PEER, lookup(prefix, header)) == expected


@given(st.integers(1, 16), prefixes, st.lists(addresses | garbage, min_size=1, max_size=20))
def test_p9_left_prepending_never_changes_a_counted_result(hops: int, prefix: str, items: list[str]) -> None:
    """With at least as many entries as hops, nothing in front of them counts."""
    assume(len(items) >= hops)
    policy = ClientIPPolicy(hops)
    for lookup, header in ((xff, ", ".join(items)), (forwarded, ", ".join(map(element, items)))):
        expected = policy.resolve(PEER, lookup(header))
        assert policy.resolve(PEER, lookup(f"{prefix},{header}")) == expected
        assert policy.resolve(PEER, lookup(prefix, header)) == expected


@given(st.lists(trusted_addresses | garbage), st.lists(trusted_addresses, min_size=1))
def test_p9_left_prepending_of_trusted_addresses_never_changes_the_result(left: list[str], right: list[str]) -> None:
    """Even where every entry is trusted, only an untrusted address in front can matter."""
    policy = ClientIPPolicy()
    assert policy.resolve(PEER, xff(", ".join([*left, *right]))) == policy.resolve(PEER, xff(", ".join(right)))


# --- anything may come -----------------------------------------------------------------------------------------------


@given(st.none() | st.text() | words, st.lists(st.text() | words), st.sampled_from(["private", (), 1, 3, "vercel"]))
def test_p9_whatever_comes_the_result_is_canonical(peer: str | None, lines: list[str], proxies: Any) -> None:
    """No text raises, and the result is an address in canonical form, or none."""
    address = ClientIPPolicy(proxies, environ={"VERCEL": "1"}).resolve(peer, lambda _: lines).address
    assert not address or str(ip_address(address)) == address
    assert not address.startswith("::ffff:")


class Line(str):  # noqa: SLOT000  (it has an attribute)
    """A header line that counts the characters that are taken out of it, and refuses to be split."""

    taken: int

    def __getitem__(self, key: Any) -> str:
        part = super().__getitem__(key)
        self.taken = getattr(self, "taken", 0) + len(part)
        return part

    def split(self, *_: object, **__: object) -> list[str]:
        raise AssertionError

    rsplit = partition = rpartition = split  # type: ignore[assignment]  # none of them may be called


def test_p9_64_kib_of_commas_are_not_split() -> None:
    """The reading ends at the first item."""
    for lookup in (xff, forwarded):
        line = Line("," * 65536)
        assert ClientIPPolicy().resolve(PEER, lookup(line)).address == PEER
        assert line.taken <= 1200


def test_p9_a_long_chain_is_read_only_so_far() -> None:
    """The public address in front of a hundred trusted ones is not found, and the rest is not read."""
    line = Line("203.0.113.9," + ",".join(["10.0.0.2"] * 5000))
    assert ClientIPPolicy().resolve(PEER, xff(line)).address == "10.0.0.2"
    assert line.taken == MOST_ITEMS * len("10.0.0.2")


def test_p9_the_last_item_that_is_read() -> None:
    """Just as many items as the bound are read."""
    for trusted, expected in ((MOST_ITEMS - 1, "203.0.113.9"), (MOST_ITEMS, "10.0.0.2")):
        line = ",".join(["203.0.113.9", *["10.0.0.2"] * trusted])
        assert ClientIPPolicy().resolve(PEER, xff(line)).address == expected


def test_p9_caches_are_bounded() -> None:
    """Neither many peers nor many entries nor long texts pile up."""
    policy = ClientIPPolicy()
    for number in range(10_000):
        policy.resolve(str(ip_address(0xCB000000 + number)), xff())
        policy.resolve(PEER, xff(str(ip_address(0xCB000000 + number))))
    policy.resolve("/" + "x" * 1000, xff())
    caches = (policy._peers, policy._items)  # pyright: ignore[reportPrivateUsage]
    assert all(0 < len(cache) <= 4096 for cache in caches)
    assert max(len(text) for cache in caches for text in cache) <= 64


def test_a_remembered_peer_is_resolved_alike() -> None:
    """The second look at a peer says what the first one said."""
    policy = ClientIPPolicy()
    for peer in ("203.0.113.9", PEER, "", "testclient"):
        assert policy.resolve(peer, xff("192.0.2.1")) == policy.resolve(peer, xff("192.0.2.1"))


# --- others ----------------------------------------------------------------------------------------------------------

plain = st.sampled_from(["10.0.0.2", "10.9.8.7"]) | public_addresses
lines_of_items = st.lists(st.lists(plain, min_size=1, max_size=5).map(", ".join), min_size=1, max_size=4)


def uvicorn_client(lines: list[str]) -> str:
    """The client as uvicorn's middleware sees it."""
    scope: Any = {
        "type": "http",
        "client": (PEER, 1),
        "headers": [(b"x-forwarded-for", line.encode()) for line in lines],
    }

    async def application(*_: object) -> None:
        """Answer nothing."""

    call: Any = ProxyHeadersMiddleware(application, ["10.0.0.0/8"])(scope, None, None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with suppress(StopIteration):
        call.send(None)
    return str(scope["client"][0])


@given(lines_of_items, public_addresses, st.lists(st.sampled_from(["10.0.0.2", "10.9.8.7"])))
def test_p9_agrees_with_uvicorn(lines: list[str], client: str, hops: list[str]) -> None:
    """By a list of networks, with an untrusted entry in the chain, uvicorn finds the same client."""
    lines = [*lines, ", ".join([client, *hops])]
    assert ClientIPPolicy(("10.0.0.0/8",)).resolve(PEER, xff(*lines)).address == uvicorn_client(lines) == client


def werkzeug_client(hops: int, lines: list[str]) -> str:
    """The client as werkzeug's ProxyFix sees it."""
    environ: Any = {"REMOTE_ADDR": PEER, "HTTP_X_FORWARDED_FOR": ",".join(lines)}

    def application(*_: object) -> list[bytes]:
        return []

    ProxyFix(application, x_for=hops)(environ, lambda *_: lambda _: None)
    return str(environ["REMOTE_ADDR"])


@given(st.integers(1, 16), lines_of_items)
def test_p9_agrees_with_werkzeug(hops: int, lines: list[str]) -> None:
    """By a hop count, werkzeug finds the same client, also with fewer entries than hops."""
    assert ClientIPPolicy(hops).resolve(PEER, xff(*lines)).address == werkzeug_client(hops, lines)
