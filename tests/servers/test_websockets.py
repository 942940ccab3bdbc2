"""Websockets behind real servers, with a client that speaks RFC 6455 as far as the handshake goes."""

from __future__ import annotations

from tests.servers.wire import Answer, Server, read_answer

FRAME = b"\x81\x85\0\0\0\0hello"  # a text frame, masked with zeros


def handshake(client: str) -> bytes:
    lines = [
        "GET /ws HTTP/1.1",
        "Host: shop.example",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        f"X-Forwarded-For: {client}",
        "",
        "",
    ]
    return "\r\n".join(lines).encode()


def opened(server: Server, client: str) -> Answer | None:
    with server.connect() as connection:
        connection.sendall(handshake(client))
        return read_answer(connection)


def test_an_allowed_websocket_opens_and_echoes(awaiting: Server) -> None:
    """The handshake is answered with 101, and the application's echo comes back."""
    with awaiting.connect() as connection:
        connection.sendall(handshake(awaiting.client()))
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += connection.recv(1)
        assert head.startswith(b"HTTP/1.1 101")
        connection.sendall(FRAME)
        assert connection.recv(7) == b"\x81\x05hello"


def test_a_denied_websocket_is_answered_before_it_is_accepted(awaiting: Server) -> None:
    """The sixth handshake of five sees 429 where the server can say so, else 403; never 101, never 5xx."""
    client = awaiting.client()
    for _ in range(5):
        assert (answer := opened(awaiting, client)) is not None
        assert answer.status == 101
    refused = opened(awaiting, client)
    assert refused is not None
    assert refused.status in (403, 429)
    assert refused.status == 403 or int(str(refused.header("Retry-After"))) > 0
