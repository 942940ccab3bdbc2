"""From feeds on a loopback server to ``decision.ip``, filters and rules, in a process that goes on running."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from doorward import Decision, Doorward, RequestContext, deny, detect_bot, filter_request, validate_email
from doorward.testing import FakeClock

KINDS = {
    "hosting": ("3.5.140.7", "2600:1f00::7"),
    "tor": ("185.220.101.1", None),
    "vpn": ("37.19.199.149", None),
    "proxy": ("1.20.254.32", None),
    "relay": ("172.224.226.1", "2a02:26f7:b3c0:4000::1"),
    "abuse": ("1.10.16.9", "2a06:f680::9"),
    "crawler": ("31.13.24.1", "2a03:2880::1"),
}
NOBODY = "9.9.9.9"


@pytest.fixture
def client(data: Any, server: Any, folder: Path) -> Doorward:
    """A client with everything that the feeds say."""
    assert data("update", "--accept", "all", "--mirror", server.url).status == 0
    return Doorward(data=folder)


def about(client: Doorward, address: str) -> Decision:
    return client.protect(RequestContext(peer=address))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_told(client: Doorward, kind: str) -> None:
    """IPv4, IPv6, and the mapped form; of an address that is in no list it is False, not None."""
    told = {"abuse": "is_abuser"}.get(kind, f"is_{kind}")
    four, six = KINDS[kind]
    addresses = [four, f"::ffff:{four}", *([six] if six else [])]
    assert [getattr(about(client, address).ip, told)() for address in addresses] == [True] * len(addresses)
    assert getattr(about(client, NOBODY).ip, told)() is False


def test_places_are_told(client: Doorward) -> None:
    """Country and network, also of IPv6; unknown is None."""
    ip = about(client, "5.9.1.1").ip
    assert (ip.country, ip.asn, ip.asn_name) == ("DE", 24940, "HETZNER-AS")
    assert (about(client, "2001:41d0::9").ip.country, about(client, "2001:41d0::9").ip.asn) == ("FR", 16276)
    assert (about(client, NOBODY).ip.country, about(client, NOBODY).ip.asn) == (None, None)


def test_rules_decide_by_what_was_fed(folder: Path, client: Doorward) -> None:
    """``deny(ip=[…])`` and filters have what ``decision.ip`` has."""
    rules = [deny(ip=["tor", "abuse", "country:de"]), filter_request(deny=['ip.src.asnum eq "16276"', "ip.src.vpn"])]
    strict = Doorward(rules, data=folder)
    refused = ["185.220.101.1", "1.10.16.9", "5.9.1.1", "2001:41d0::9", "37.19.199.149"]
    assert [about(strict, address).is_denied() for address in [*refused, NOBODY]] == [True] * 5 + [False]


def test_a_running_process_takes_up_an_update(data: Any, server: Any, folder: Path) -> None:
    """Within ten seconds, without a restart, also a rule that was built when there was no data."""
    clock = FakeClock()
    aj = Doorward([deny(ip=["abuse"])], data=folder, clock=clock)
    before = about(aj, "1.10.16.9")
    assert (before.is_denied(), before.ip.is_abuser()) == (False, None)
    assert data("update", "--only", "abuse", "--mirror", server.url).status == 0
    clock.advance(11)
    after = about(aj, "1.10.16.9")
    assert (after.is_denied(), after.ip.is_abuser()) == (True, True)


def test_a_crawler_is_verified_by_ranges_that_an_update_brings(data: Any, server: Any, folder: Path) -> None:
    """The wheel has no ranges of Meta's: without them nobody can say, with them both answers are certain."""
    clock = FakeClock()
    aj = Doorward([detect_bot(allow=["CATEGORY:META"])], data=folder, clock=clock)
    agent = [("User-Agent", "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)")]

    def ask(address: str) -> Decision:
        return aj.protect(RequestContext(peer=address, headers=agent))

    assert ask("31.13.24.1").is_errored()
    assert data("update", "--only", "crawler", "--mirror", server.url).status == 0
    clock.advance(11)
    assert ask("31.13.24.1").results[0].reason.verified
    assert ask(NOBODY).is_denied()
    assert ask(NOBODY).reason.spoofed


def test_the_wide_list_of_throw_away_domains(
    data: Any, server: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It needs the update, and says so; it adds domains, and never a relay or a well-known provider."""
    monkeypatch.setenv("DOORWARD_DATA", str(folder))
    with pytest.raises(ValueError, match="doorward data update"):
        validate_email(deny=["DISPOSABLE"], disposable="wide")
    server.play("disposable-wide", b"zero-mail-for-tests.com\nduck.com\ngmail.com\n")
    assert data("update", "--only", "disposable", "--mirror", server.url).status == 0
    aj = Doorward([validate_email(deny=["DISPOSABLE"], disposable="wide")])
    emails = ["a@zero-mail-for-tests.com", "a@mailinator.com", "a@duck.com", "a@gmail.com"]
    denied = [aj.protect(RequestContext(peer=NOBODY), email=email).is_denied() for email in emails]
    assert denied == [True, True, False, False]
