"""How a client's address was found, in English steps: for ``doorward ip`` and ``doorward explain``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorward.client_ip import Provenance
from doorward.forwarded import canonical, forwarded_nodes, list_items
from doorward.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from doorward.client_ip import ClientIP, ClientIPPolicy

FOUND = {
    Provenance.PEER: "the other end of the connection",
    Provenance.FORWARDED: "named by a trusted hop",
    Provenance.EDGE: "named by the edge in its own header",
    Provenance.DEVELOPMENT: "development: DOORWARD_ENV=development lets anybody choose",
    Provenance.NONE: "the connection has no address, and no trusted hop named one",
}
"""What each provenance means."""


class Lines:
    """A request's headers, and which of them were asked for."""

    def __init__(self, lines: Sequence[tuple[str, str]]) -> None:
        self._lines = lines
        self.asked: list[str] = []

    def header(self, name: str) -> Sequence[str]:
        """The lines of one header."""
        self.asked.append(name)
        return [value for key, value in self._lines if key == name]

    def names(self) -> set[str]:
        """The headers that it has."""
        return {name for name, _ in self._lines}


def steps(policy: ClientIPPolicy, peer: str, request: Lines, client: ClientIP) -> Iterator[str]:
    """What was looked at, and what was made of it."""
    name = printable(peer) or "(unix socket)"
    if not _trusts(policy, peer):
        yield f"peer {name} is not trusted: no header of this request counts"
        return
    yield f"peer {name} is trusted"
    read = [header for header in dict.fromkeys(request.asked) if header in request.names()]
    for header in read:
        yield from _entries(policy, header, request.header(header), client)
    if client.provenance in (Provenance.PEER, Provenance.NONE):
        yield f"{'nothing in it names a client' if read else 'no header that is read here is there'}: the peer it is"
    for header in sorted(request.names() & set(_READERS) - set(read)):
        yield f"{header} was not read"


def _entries(policy: ClientIPPolicy, header: str, lines: Sequence[str], client: ClientIP) -> Iterator[str]:
    if header not in _READERS:
        yield f"{header}: {printable(', '.join(lines))}"
        return
    counting = policy.counts_hops
    for position, text in enumerate(_READERS[header](lines), 1):
        address = canonical(text)
        if address is None:
            yield f"{header}: {printable(text)!r} is no address"
        elif counting:
            yield f"{header}: {address} is number {position} from the right"
        else:
            yield f"{header}: {address} is {'a trusted hop' if _trusts(policy, address) else 'not trusted'}"
        if address is None or (address == client.address and (counting or not _trusts(policy, address))):
            yield "reading ends here: what stands left of it may be invented"
            return


_READERS: dict[str, Callable[[Sequence[str]], Iterable[str]]] = {
    "x-forwarded-for": list_items,
    "forwarded": forwarded_nodes,
}


def _trusts(policy: ClientIPPolicy, peer: str) -> bool:
    """Whether a peer's word counts: a policy asks for headers only then."""
    silent = Lines(())
    policy.resolve(peer, silent.header)
    return any(name != "x-doorward-ip" for name in silent.asked)


__all__ = ["FOUND", "Lines", "steps"]
