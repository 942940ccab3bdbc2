"""One decision in full."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from doorward.service.server.pages.reasons import explain
from doorward.service.server.pages.texts import cost, link, shown, span

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doorward.service.server.ports import LogRecord

MOST_RULES = 100
LONGEST_JSON = 64_000
_KINDS = {
    "isHosting": "hosting",
    "isVpn": "VPN",
    "isProxy": "proxy",
    "isTor": "Tor exit",
    "isRelay": "privacy relay",
    "isAbuser": "listed for abuse",
    "isCrawler": "crawler",
    "isReserved": "reserved",
}
_FOUND = {
    "PEER": "the peer of the connection",
    "FORWARDED": "a forwarding header, set by a trusted proxy",
    "EDGE": "the header of a named edge network",
    "DEVELOPMENT": "made up for development",
    "NONE": "not found",
}


class RuleLine(NamedTuple):
    """What one rule came to."""

    name: str
    href: str
    kind: str
    state: str
    conclusion: str
    why: str
    note: str
    fingerprint: str
    rule_id: str
    ttl: str
    took: str


class Fact(NamedTuple):
    """A line of a list of facts; with a link where there are more decisions of that kind."""

    name: str
    value: str
    href: str = ""


def rule_lines(record: LogRecord) -> list[RuleLine]:
    """A line for each rule, in the order of declaration."""
    return [_rule_line(result) for result in record.results[:MOST_RULES]]


def _rule_line(result: Mapping[str, Any]) -> RuleLine:
    kind, why = explain(result.get("reason"))
    name = str(result.get("rule") or "")
    return RuleLine(
        name=shown(name) or "(no name)",
        href=link("/decisions", rule=name),
        kind=shown(kind, 40),
        state=shown(str(result.get("state", "")).removeprefix("RULE_STATE_"), 20),
        conclusion=shown(str(result.get("conclusion", "")).removeprefix("CONCLUSION_"), 20),
        why=shown(why, 600),
        note=shown(result.get("note") or "", 400),
        fingerprint=shown(result.get("fingerprint") or "", 120),
        rule_id=shown(result.get("ruleId") or "", 80),
        ttl=span(seconds) if (seconds := _number(result.get("ttl"))) > 0 else "",
        took=cost(_number(result.get("tookUs"))),
    )


def request_facts(record: LogRecord) -> list[Fact]:
    """What was asked about."""
    facts = [
        Fact(
            "Request",
            f"{shown(record.method, 16)} {shown(record.path, 600)}".strip(),
            link("/decisions", path=record.path),
        ),
        Fact("Host", shown(record.host, 260)),
        Fact("User-Agent", shown(record.agent, 600)),
        Fact("Site", shown(record.site, 100), link("/decisions", site=record.site)),
        Fact("Asked by", shown(record.client, 100)),
        Fact("Decided", "by the application, which reported it" if record.reported else "by this service"),
        Fact("Took", cost(record.took_us)),
    ]
    return [fact for fact in facts if fact.value]


def address_facts(record: LogRecord) -> list[Fact]:
    """What is known about the visitor's address, and how it was found."""
    known = record.ip_details or {}
    names = known.get("names")
    owners = [name for named in names.values() for name in _list(named)] if isinstance(names, dict) else []
    place = [known.get(name) for name in ("city", "region", "countryName")]
    network = [f"AS{known['asn']}" if known.get("asn") else "", known.get("asnName"), known.get("asnDomain")]
    provenance = str(known.get("provenance") or "")
    facts = [
        Fact("Address", shown(record.ip, 80), link("/decisions", ip=record.ip)),
        Fact("Found", shown(_FOUND.get(provenance, provenance))),
        Fact("Country", shown(record.country or known.get("country") or "", 40)),
        Fact("Place", _joined(place)),
        Fact("Network", _joined(network)),
        Fact("Kind of network", _joined([known.get("asnType"), known.get("service")])),
        Fact("Is", _joined([text for name, text in _KINDS.items() if known.get(name) is True])),
        Fact("Is not", _joined([text for name, text in _KINDS.items() if known.get(name) is False])),
        Fact("Says who", _joined(owners)),
    ]
    return [fact for fact in facts if fact.value]


def raw(record: LogRecord) -> str:
    """Everything that is kept, as JSON in ASCII; the end is cut off where it is very long."""
    text = json.dumps(record._asdict(), indent=2, default=str)
    return (
        text if len(text) <= LONGEST_JSON else f"{text[:LONGEST_JSON]}\n… {len(text) - LONGEST_JSON:,} more characters"
    )


def _joined(values: list[Any]) -> str:
    return shown(", ".join(str(value) for value in values if value), 300)


def _list(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list | tuple) else []


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and 0 <= value < 1e12 else 0.0
