"""The shield behind real servers: attacks at every place are refused, bodies arrive as they were sent."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from urllib.parse import quote, urlencode

import pytest
from tests.servers.wire import KINDS, Answer, Kind, Server, read_answer, request_of, until

MIB = 2**20
BOUNDARY = "----WebKitFormBoundaryA1b2C3d4E5f6G7h8"
FORM = "application/x-www-form-urlencoded"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"
AGENT = "User-Agent: shop-app/4.2 (Android 14)"
ATTACKS = {
    "sql": "1' UNION SELECT password FROM users--",
    "script": "<script>alert(1)</script>",
    "path": "../../../../etc/passwd",
    "shell": "; cat /etc/passwd",
    "jndi": "${jndi:ldap://x.example/a}",
}
SCRIPT = quote(ATTACKS["script"], safe="")
ORDINARY = ("Ada Lovelace", "O'Brien & Sons", "select a size from the table", "50% off")


def _behind_a_shield(kind: Kind) -> Kind:
    command = [part.replace("servers.apps:", "servers.shield_apps:") for part in kind.command]
    return replace(
        kind, command=[part.replace("servers.django_apps:", "servers.shield_django_apps:") for part in command]
    )


def _fixture(kinds: list[Kind]) -> Callable[..., Iterator[Server]]:
    def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
        log = tmp_path_factory.mktemp(f"shield-{request.param.name}") / "log"
        with Server(_behind_a_shield(request.param), log) as running:
            yield running
            counts = running.state()["counts"]
        assert not [cause for cause in counts if cause.startswith("error.")]
        assert "failed, the request goes on" not in log.read_text()

    return pytest.fixture(scope="module", params=kinds, ids=[kind.name for kind in kinds])(server)


shielded = _fixture(list(KINDS))
"""Every server."""

shielded_chunked = _fixture([kind for kind in KINDS if not kind.django])
"""Those whose application reads bodies without a length."""

shielded_socket = _fixture([kind for kind in KINDS if kind.sockets])
"""Those that take websockets."""


def send(server: Server, target: str, client: str, *lines: str, method: str = "GET", body: bytes = b"") -> Answer:
    length = [f"Content-Length: {len(body)}"] if body else []
    head = request_of(target, AGENT, f"X-Forwarded-For: {client}", *lines, *length, method=method)
    answer = server.raw(head + body)
    assert answer is not None
    return answer


def post(server: Server, client: str, kind: str, body: bytes, *lines: str) -> Answer:
    return send(server, "/echo", client, f"Content-Type: {kind}", *lines, method="POST", body=body)


def multipart(disposition: str, content: str) -> bytes:
    part = f"--{BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{content}\r\n"
    return f"{part}--{BOUNDARY}--\r\n".encode()


Carry = Callable[[Server, str, str], Answer]
PLACES: dict[str, Carry] = {
    "query": lambda s, c, text: send(s, f"/echo?page=2&q={quote(text, safe='')}", c),
    "path": lambda s, c, text: send(s, f"/anything/{quote(text, safe='')}", c),
    "form": lambda s, c, text: post(s, c, FORM, urlencode({"a": "b", "comment": text}).encode()),
    "json": lambda s, c, text: post(s, c, "application/json", json.dumps({"a": [1, {"b": text}]}).encode()),
    "part": lambda s, c, text: post(s, c, MULTIPART, multipart('name="text"', text)),
    "filename": lambda s, c, text: post(s, c, MULTIPART, multipart(f'name="f"; filename="{text}"', "content")),
    "cookie": lambda s, c, text: send(s, "/echo", c, f"Cookie: theme=dark; last={quote(text, safe='')}"),
    "header": lambda s, c, text: send(s, "/echo", c, f"X-Tenant: {text}"),
}


def test_attacks_are_refused_at_every_place(shielded: Server) -> None:
    """Every classic at every place, each from an address of its own."""
    answers = {
        f"{name} in {place}": carry(shielded, shielded.client(), text).status
        for place, carry in PLACES.items()
        for name, text in ATTACKS.items()
    }
    assert {what: status for what, status in answers.items() if status != 403} == {}


def test_ordinary_requests_pass(shielded: Server) -> None:
    """The same requests with what people write."""
    client = shielded.client()
    answers = {
        f"{text} in {place}": carry(shielded, client, text).status
        for place, carry in PLACES.items()
        for text in ORDINARY
    }
    assert {what: status for what, status in answers.items() if status != 200} == {}


def test_a_refusal_tells_nothing(shielded: Server) -> None:
    """problem+json, complete on the wire."""
    answer = PLACES["json"](shielded, shielded.client(), ATTACKS["script"])
    assert (answer.status, answer.header("Content-Type")) == (403, "application/problem+json")
    assert set(answer.json()) == {"type", "title", "status", "detail", "id"}
    assert b"script" not in answer.body.lower()


@pytest.mark.parametrize("size", [100, MIB - 100, 3 * MIB], ids=["short", "megabyte", "over-the-limit"])
def test_bodies_arrive_as_they_were_sent(shielded: Server, size: int) -> None:
    """Looked at as far as the limit goes, and handed on whole."""
    if size > MIB and shielded.kind.django:
        size = 2 * MIB  # Django's own limit is 2.5 MB
    note = b"".join([b"tea %d and milk, " % (number * 7919) for number in range(size // 25)])  # not mere padding
    body = b'{"note": "' + note + b'"}'
    answer = post(shielded, shielded.client(), "application/json", body)
    assert (answer.status, answer.json()["length"]) == (200, len(body))
    assert answer.json()["sha256"] == hashlib.sha256(body).hexdigest()


def test_a_compressed_body_passes_unread(shielded: Server) -> None:
    """It is not inflated."""
    body = gzip.compress(json.dumps({"q": ATTACKS["script"]}).encode(), mtime=0)
    answer = post(shielded, shielded.client(), "application/json", body, "Content-Encoding: gzip")
    assert answer.json()["sha256"] == hashlib.sha256(body).hexdigest()


def test_a_get_with_a_body(shielded: Server) -> None:
    """It is looked at, and arrives."""
    line = "Content-Type: application/json"
    answer = send(shielded, "/echo", shielded.client(), line, body=b'{"q": "tea"}')
    assert answer.json()["length"] == 12
    attack = json.dumps({"q": ATTACKS["script"]}).encode()
    assert send(shielded, "/echo", shielded.client(), line, body=attack).status == 403


def test_chunked_bodies(shielded_chunked: Server) -> None:
    """Without a length: an attack that is cut in two is found, and what is allowed arrives."""
    for text, status in ((ATTACKS["script"], 403), ("tea and milk", 200)):
        body = json.dumps({"q": text}).encode()
        lines = ["Content-Type: application/json", f"X-Forwarded-For: {shielded_chunked.client()}"]
        head = request_of("/echo", AGENT, "Transfer-Encoding: chunked", *lines, method="POST")
        pieces = [body[:11], body[11:14], body[14:]]
        answer = shielded_chunked.raw(
            [head, *[b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces], b"0\r\n\r\n"]
        )
        assert answer is not None
        assert answer.status == status
    assert answer.json()["sha256"] == hashlib.sha256(body).hexdigest()


def test_a_websocket_handshake(shielded_socket: Server) -> None:
    """An attack in its query is refused before it is accepted; without one it opens."""
    statuses = []
    for query in ("q=tea", f"q={SCRIPT}"):
        lines = ["Upgrade: websocket", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13"]
        forwarded = f"X-Forwarded-For: {shielded_socket.client()}"
        head = [f"GET /ws?{query} HTTP/1.1", "Host: shop.example", "Connection: Upgrade", *lines, forwarded, "", ""]
        with shielded_socket.connect() as connection:
            connection.sendall("\r\n".join(head).encode())
            answer = read_answer(connection)
        assert answer is not None
        statuses.append(answer.status)
    assert statuses == [101, 403]


@pytest.mark.parametrize("path", ["/after", "/after-stream"])
def test_what_is_found_after_the_response_counts_for_the_next_request(shielded: Server, path: str) -> None:
    """Two attacks are answered in full; soon after, the client is refused on that path, and others are not."""
    client = shielded.client()
    for _ in range(2):
        answer = send(shielded, f"{path}?q={SCRIPT}", client)
        assert (answer.status, answer.json()["path"]) == (200, path)

    # The server may answer the next request before it has closed the last one.
    until(lambda: send(shielded, path, client).status == 403, "the client was never refused")
    refused = send(shielded, path, client)
    assert 0 < int(str(refused.header("Retry-After"))) <= 600
    assert send(shielded, path, shielded.client()).status == 200


def test_a_slow_attacker_is_refused(shielded: Server) -> None:
    """Five attacks, refused one by one, and then the client is: whatever it sends."""
    client = shielded.client()
    assert [PLACES["query"](shielded, client, ATTACKS["script"]).status for _ in range(5)] == [403] * 5
    refused = send(shielded, "/echo", client)
    assert refused.status == 403
    assert 0 < int(str(refused.header("Retry-After"))) <= 600
