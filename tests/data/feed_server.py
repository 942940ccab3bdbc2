"""A real HTTP server on loopback that plays every kind of feed, and every way in which a server can fail.

``SAMPLES`` has a small feed for each entry of the catalogue, in the form that its operator publishes.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import socket
import ssl
import struct
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, Self

CERTIFICATE = Path(__file__).with_name("loopback.pem")


class Answer(NamedTuple):
    """What the server does for one path.

    Attributes:
        body: The bytes.
        status: Of the answer.
        headers: Besides Content-Length.
        etag: Makes the server answer 304 to who names it.
        modified: The same for the time of the last change.
        fault: One of the methods of ``_Handler`` that begin with ``fault_``.
    """

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = MappingProxyType({})
    etag: str = ""
    modified: str = ""
    fault: str = ""


class FeedServer:
    """Plays what ``answers`` says by path, 404 for the rest. ``requests`` has what was asked, with its headers.

    With ``tls`` it speaks https, with a certificate that ``loopback.pem`` has.
    """

    def __init__(self, *, tls: bool = False) -> None:
        self.answers: dict[str, Answer] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.stopped = threading.Event()
        self.first_request = threading.Event()
        server = self

        class Handler(_Handler):
            feeds = server

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(CERTIFICATE)
            # The handshake is the handler's, so that a client which breaks it off does not end the server.
            self._http.socket = context.wrap_socket(self._http.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self._http.shutdown()
        self._http.server_close()

    def play(self, name: str, body: bytes = b"", **more: object) -> None:
        """Answer ``/<name>``, where a mirror has the feed of that id."""
        self.answers[f"/{name}"] = Answer(body, **more)

    def play_samples(self) -> None:
        """Play all feeds of the catalogue."""
        for name, body in SAMPLES.items():
            self.play(name, body, etag=f'"{name}-1"')

    def asked(self, name: str) -> list[dict[str, str]]:
        """The headers of the requests for a feed."""
        return [headers for path, headers in self.requests if path == f"/{name}"]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    feeds: FeedServer

    def handle(self) -> None:
        with contextlib.suppress(OSError):  # the client may break off, also in a handshake
            super().handle()

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self.feeds.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        self.feeds.first_request.set()
        answer = self.feeds.answers.get(self.path, Answer(b"not here", 404))
        with contextlib.suppress(OSError):  # the client may go whenever it likes
            if answer.fault:
                self.close_connection = True
                getattr(self, f"fault_{answer.fault}")(answer)
            else:
                self._answer(answer)

    def _answer(self, answer: Answer) -> None:
        current = answer.etag and self.headers.get("if-none-match") == answer.etag
        current = current or (answer.modified and self.headers.get("if-modified-since") == answer.modified)
        if current:
            answer = answer._replace(status=304, body=b"")
        self._head(answer, len(answer.body))
        self.wfile.write(answer.body)

    def _head(self, answer: Answer, length: int | None) -> None:
        self.send_response(answer.status)
        named = {"ETag": answer.etag, "Last-Modified": answer.modified, **answer.headers}
        for name, value in named.items():
            if value:
                self.send_header(name, value)
        if length is not None and answer.status != 304:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def fault_silent(self, _: Answer) -> None:
        """Never answer."""
        self.feeds.stopped.wait(30)

    def fault_reset(self, answer: Answer) -> None:
        """Reset the connection in the middle of the body."""
        self._head(answer, len(answer.body) + 100)
        self.wfile.write(answer.body)
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def fault_truncated(self, answer: Answer) -> None:
        """Close the connection before the body is over."""
        self._head(answer, len(answer.body) + 100)
        self.wfile.write(answer.body)

    def fault_truncated_chunks(self, answer: Answer) -> None:
        """The same where the length is not told in advance."""
        self._head(answer._replace(headers={"Transfer-Encoding": "chunked"}), None)
        self.wfile.write(b"%x\r\n%s\r\n" % (len(answer.body), answer.body))

    def fault_drip(self, answer: Answer) -> None:
        """A byte now and then, for ever, in a body that has no length."""
        self._head(answer, None)
        self._slowly(answer.body + b"\n" * 100_000)

    def fault_drip_headers(self, _: Answer) -> None:
        """A byte now and then, beginning with the headers."""
        self._slowly(b"HTTP/1.1 200 OK\r\nX-Padding: " + b"x" * 100_000)

    def _slowly(self, content: bytes) -> None:
        for byte in content:
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            if self.feeds.stopped.wait(0.02):
                return

    def fault_endless(self, _: Answer) -> None:
        """More than anybody wants."""
        self._head(Answer(), None)
        while not self.feeds.stopped.is_set():
            self.wfile.write(b"8.8.8.8\n" * 10_000)

    def fault_garbage(self, _: Answer) -> None:
        """No HTTP at all."""
        self.wfile.write(bytes(range(256)) * 4)


# --- Feeds as they are published, in small


def _google(*networks: str) -> bytes:
    prefixes = [{"ipv6Prefix" if ":" in text else "ipv4Prefix": text} for text in networks]
    return json.dumps({"creationTime": "2026-11-20T00:00:00", "prefixes": prefixes}).encode()


def _zipped(name: str, content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return file.getvalue()


IP2ASN = (
    "1.0.0.0\t1.0.0.255\t13335\tUS\tCLOUDFLARENET\n"
    "1.0.1.0\t1.0.3.255\t0\tNone\tNot routed\n"
    "5.9.0.0\t5.9.255.255\t24940\tDE\tHETZNER-AS\n"
    "10.0.0.0\t10.255.255.255\t0\tNone\tNot routed\n"
    "2001:41d0::\t2001:41d0:ffff:ffff:ffff:ffff:ffff:ffff\t16276\tFR\tOVH, “Ünïcode”\n"
)

SAMPLES: dict[str, bytes] = {
    "betterstack-uptime": json.dumps({"us": ["5.161.75.7"], "eu": ["2a01:4f8:c013:8b::1"]}).encode(),
    "checkly-monitors": json.dumps(["3.86.20.1", "52.28.10.2"]).encode(),
    "cookiehub-scanner": json.dumps(["34.241.1.1"]).encode(),
    "sentry-uptime": b"34.123.33.225\n34.41.121.171\n",
    "statuscake-monitors": json.dumps({"1": {"ip": "139.59.15.79"}, "2": {"ip": "178.62.78.199"}}).encode(),
    "stripe-webhooks": json.dumps({"WEBHOOKS": ["3.18.12.63", "3.130.192.231"]}).encode(),
    "aws": json.dumps(
        {
            "prefixes": [{"ip_prefix": "3.5.140.0/22", "service": "AMAZON"}],
            "ipv6_prefixes": [{"ipv6_prefix": "2600:1f00::/24", "service": "EC2"}],
        }
    ).encode(),
    "gcp": _google("34.1.208.0/20", "2600:1900:8000::/44"),
    "azure-v4": b"4.144.0.0/17\n13.64.0.0/16\n",
    "azure-v6": b"2603:1000::/40\n",
    "oracle": json.dumps(
        {"regions": [{"region": "x", "cidrs": [{"cidr": "129.146.0.0/21", "tags": ["OCI"]}]}]}
    ).encode(),
    "digitalocean": b"5.101.96.0/21,NL,NL-NH,Amsterdam,1098\n2400:6180::/48,SG,SG-01,Singapore,\n",
    "linode": b"# a geofeed (RFC 8805)\r\n45.33.0.0/20,US,US-TX,Richardson,\r\n2600:3c00::/32,US,,,\r\n",
    "vultr": json.dumps({"asn": 20473, "subnets": [{"ip_prefix": "45.32.0.0/21", "city": "x"}]}).encode(),
    "x4bnet-datacenter": b"5.9.0.0/16\n",
    "tor-exits": b"185.220.101.1\n185.220.101.2\n23.129.64.130\n",
    "protonvpn": b"37.19.199.149/32\n",
    "x4bnet-vpn": b"2.56.16.0/22\n",
    "firehol-proxies": b"# firehol_proxies\n#\n# Entries: 2\n1.20.254.32\n2.26.68.0/24\n",
    "apple-private-relay": b"172.224.226.0/27,GB,GB-EN,London,\n2a02:26f7:b3c0:4000::/64,US,US-CA,Los Angeles,\n",
    "spamhaus-drop-v4": b'{"cidr":"1.10.16.0/20","sblid":"SBL256894","rir":"apnic"}\n'
    b'{"type":"metadata","timestamp":1763000000,"records":1,"copyright":"(c) The Spamhaus Project"}\n',
    "spamhaus-drop-v6": b'{"cidr":"2a06:f680::/29","sblid":"SBL1"}\n{"type":"metadata","records":1}\n',
    "firehol-level1": b"# fullbogons and others\n0.0.0.0/8\n10.0.0.0/8\n1.10.16.0/20\n192.168.0.0/16\n224.0.0.0/3\n",
    "stopforumspam-toxic": b"5.188.48.0/24\n",
    "stopforumspam-7d": _zipped("listed_ip_7.txt", b"1.10.172.20\n1.10.214.107\n"),
    "google-googlebot": _google("66.249.64.0/27", "2001:4860:4801:10::/64"),
    "google-special": _google("108.177.2.0/27"),
    "google-user-triggered": _google("107.178.192.0/27"),
    "google-user-triggered-google": _google("142.250.32.0/27"),
    "google-user-triggered-agents": _google("136.121.16.0/24"),
    "bing-bingbot": _google("40.77.167.0/24"),
    "openai-gptbot": _google("132.196.86.0/24"),
    "openai-searchbot": _google("104.210.140.128/28"),
    "openai-chatgpt-user": _google("104.208.184.192/28"),
    "perplexity-bot": _google("107.20.236.150/32"),
    "perplexity-user": _google("18.97.21.0/30"),
    "apple-applebot": _google("17.166.150.0/24"),
    "duckduckgo-duckduckbot": _google("104.43.54.127/32"),
    "commoncrawl-ccbot": _google("18.97.14.80/29", "2600:1f28:365:8000::/56"),
    "ahrefs-crawler": _google("142.44.220.0/24"),
    "meta-crawler": b"# Meta\n31.13.24.0/21,US,US-CA,Menlo Park,\n2a03:2880::/48,US,US-CA,Menlo Park,\n",
    "datadog-synthetics": json.dumps(
        {"synthetics": {"prefixes_ipv4": ["3.18.172.189/32"], "prefixes_ipv6": ["2600:1f16::/56"]}}
    ).encode(),
    "hydrozen-monitor": _google("45.76.42.20/32"),
    "geedo-products": _google("144.76.96.20/32"),
    "pingdom-probes": b"13.232.220.164\n23.22.2.46\n",
    "newrelic-synthetics": json.dumps({"Columbus, OH, USA": ["3.145.224.0/24"], "London": ["3.9.157.0/24"]}).encode(),
    "amazon-route53-healthchecks": json.dumps(
        {
            "prefixes": [
                {"ip_prefix": "54.183.255.128/26", "service": "ROUTE53_HEALTHCHECKS"},
                {"ip_prefix": "3.5.140.0/22", "service": "AMAZON"},
            ],
            "ipv6_prefixes": [{"ipv6_prefix": "2600:1f1c:7ff:f800::/53", "service": "ROUTE53_HEALTHCHECKS"}],
        }
    ).encode(),
    "ip2asn": gzip.compress(IP2ASN.encode(), mtime=0),
    "disposable-wide": b"0-mail.com\n10minutemail.com\nmailinator.com\n",
    "cloudflare-v4": b"173.245.48.0/20\n103.21.244.0/22\n",
    "cloudflare-v6": b"2400:cb00::/32\n2606:4700::/32\n",
}


@contextlib.contextmanager
def serving(prepare: Callable[[FeedServer], None] = FeedServer.play_samples) -> Iterator[FeedServer]:
    """A running server."""
    with FeedServer() as server:
        prepare(server)
        yield server
