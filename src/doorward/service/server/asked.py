"""What an application asks about: the request as its client's SDK describes it, and who the client is."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from doorward.client_ip import ClientIP, Provenance, canonical
from doorward.context import RequestContext
from doorward.fingerprint import VERSION, Fingerprint, Identity
from doorward.progress import Inputs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from doorward.service.messages import RequestDetails

_MOST_ALTERNATIVES = 8
_MOST_IDENTITIES = 64
_FINGERPRINT = re.compile(re.escape(VERSION) + r"[0-9a-f]{64}")
NOBODY = ClientIP("", Provenance.NONE)


class Asked(RequestContext):
    """A request of an application's visitor.

    Attributes:
        client_ip: The visitor's address; none where what was sent is no address.
        fingerprints: Who the visitor is by sets of characteristics, as doorward's own client has found out.
        took_us: Microseconds that rules took, by the identity of the rule object.
        counting_us: Microseconds of the one call to the store.
    """

    def __init__(self, details: RequestDetails) -> None:
        super().__init__(
            method=details.method,
            scheme=details.protocol.rstrip(":").lower() or "http",
            host=details.host or None,
            path=details.path,
            query=details.query.removeprefix("?"),
            headers=_headers(details),
            body=details.body or None,
        )
        address = canonical(details.ip)
        self.client_ip = NOBODY if address is None else ClientIP(address, Provenance.MANUAL)
        self.fingerprints = {
            names: found for names, sent in details.fingerprints.items() if (found := _fingerprints(sent.values))
        }
        self.took_us: dict[int, int] = {}
        self.counting_us = 0


class SentIdentity(Identity):
    """Who to count a request as: as doorward's own client says, where it does; else by what the request holds."""

    def fingerprint(self, request: RequestContext, ip: str, given: Mapping[str, object]) -> Fingerprint:
        """Who this request is; raises as the base class."""
        sent = self._sent(request)
        return super().fingerprint(request, ip, given) if sent is None else sent[0]

    def fingerprints(self, request: RequestContext, ip: str, given: Mapping[str, object]) -> list[Fingerprint]:
        """All whom this request may be; raises as the base class."""
        sent = self._sent(request)
        if sent is None:
            return super().fingerprints(request, ip, given)
        # Only of what can be sent several times there are several.
        return sent if self.keyed else sent[:1]

    def _sent(self, request: RequestContext) -> list[Fingerprint] | None:
        return request.fingerprints.get(",".join(self.names)) if isinstance(request, Asked) else None


@lru_cache(maxsize=_MOST_IDENTITIES)
def identity_of(names: tuple[str, ...], ipv6_prefix: int) -> SentIdentity:
    """One for all rules that count by the same: each keeps fingerprints of thousands of addresses at hand."""
    return SentIdentity(names, ipv6_prefix=ipv6_prefix)


def inputs_of(details: RequestDetails) -> Inputs:
    """What the application says about the request.

    A number that is none is left as it is: it makes the limits that it is about fail, with a message.
    """
    given: dict[str, object] = dict(details.extra)
    requested = given.pop("requested", None)
    units: object = _whole(requested) if isinstance(requested, str) else None
    return Inputs({"email": details.email}, given, units)  # type: ignore[arg-type]  # what is no number is told apart


def _whole(text: str) -> int | str:
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) <= 20 else "text that is no number"


def _fingerprints(texts: Sequence[str]) -> list[Fingerprint]:
    distinct = dict.fromkeys(text for text in texts if _FINGERPRINT.fullmatch(text))
    return [sent_fingerprint(text) for text in list(distinct)[:_MOST_ALTERNATIVES]]


def sent_fingerprint(text: str) -> Fingerprint:
    """A fingerprint from its text."""
    found = Fingerprint(())
    found.digest = text.removeprefix(VERSION)
    found.short = found.digest[: len(found.short)]
    return found


def _headers(details: RequestDetails) -> list[tuple[str, str]]:
    """The header lines. The cookies come by themselves, and in one SDK also among the headers."""
    lines = [*details.headers.items()]
    if details.cookies and not any(name.lower() == "cookie" and value == details.cookies for name, value in lines):
        lines.append(("cookie", details.cookies))
    return lines


__all__ = ["NOBODY", "Asked", "SentIdentity", "identity_of", "inputs_of", "sent_fingerprint"]
