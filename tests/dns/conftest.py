"""A name server for every test in this folder, and both ways to wait for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.dns.server import DnsServer
from tests.dns.ways import WAYS, Way

ZONES = {
    "example.com": {"MX": ["20 B.example.com.", "10 a.Example.com."], "A": ["192.0.2.1", "192.0.2.2"]},
    "null.example": {"MX": ["0 ."]},
    "both.example": {"MX": ["0 .", "5 mx.both.example."]},
    "v6.example": {"AAAA": ["2001:0db8:0:0::0001"]},
    "1.2.0.192.in-addr.arpa": {"PTR": ["Crawl.Example.com."]},
    "alias.example": {"CNAME": ["example.com."]},
    "dangling.example": {"CNAME": ["gone.example."]},
    "here.example": {"CNAME": ["there.example."]},
    "there.example": {"CNAME": ["here.example."]},
    "self.example": {"CNAME": ["self.example."]},
}


@pytest.fixture
def server() -> Iterator[DnsServer]:
    with DnsServer(ZONES) as running:
        yield running


@pytest.fixture(params=WAYS, ids=lambda way: way.__name__)
def resolve(request: pytest.FixtureRequest) -> Way:
    way: Way = request.param
    return way
