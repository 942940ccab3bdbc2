r"""nginx's ``log_format`` (ngx_http_log_module) as parts of a line.

Taken as it stands in the configuration: ``$remote_addr - …``, in quotes or without, in several pieces, with
``escape=json`` or ``escape=none`` before it, or the whole directive.
"""

from __future__ import annotations

import re

from doorward.errors import ConfigurationError
from doorward.printable import printable
from doorward.replay.readers.line_patterns import LONGEST_FORMAT, Escaping, Part, Token

_DIRECTIVE = re.compile(r"\s*(?:log_format\s+[^\s'\"$;]+\s+)?(?:escape=(\w+)\s+)?", re.ASCII)
_PIECE = re.compile(r"""\s*+(?:'((?:[^'\\]|\\.)*+)'|"((?:[^"\\]|\\.)*+)")""", re.DOTALL)
_ESCAPED = re.compile(r"""\\(["'\\trn])""")
_CONTROLS = {"t": "\t", "r": "\r", "n": "\n"}
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))", re.ASCII)

# Use and shape of a variable; of what is not here nothing is needed, and it may be any text.
_VARIABLES = {
    "time_local": ("time_local", "clf"),
    "time_iso8601": ("time_iso8601", "word"),
    "msec": ("msec", "word"),
    "remote_addr": ("ip", "word"),
    "realip_remote_addr": ("peer", "word"),
    "request": ("request", "text"),
    "request_method": ("method", "word"),
    "request_uri": ("target", "text"),
    "uri": ("path", "text"),
    "document_uri": ("path", "text"),
    "args": ("query", "text"),
    "query_string": ("query", "text"),
    "is_args": ("", "flag"),
    "request_body": ("body", "text"),
    "host": ("host", "word"),
    "server_name": ("server", "word"),
    "scheme": ("scheme", "word"),
    "https": ("https", "word"),
    "status": ("status", "word"),
    "content_type": ("header content-type", "text"),
    "content_length": ("header content-length", "word"),
    "proxy_add_x_forwarded_for": ("forwarded", "text"),
}
_WORDS = frozenset(
    (  # noqa: SIM905  (a list would be three times as long)
        "body_bytes_sent bytes_sent request_length request_time connection connection_requests connection_time pipe "
        "server_protocol server_port server_addr remote_port realip_remote_port request_id pid hostname gzip_ratio "
        "ssl_protocol ssl_cipher http2 http3 request_completion nginx_version"
    ).split()
)


def parts_of_nginx(text: str, field: str) -> tuple[list[Token], Escaping]:
    """The parts of lines that a ``log_format`` writes, and how it escapes.

    Args:
        text: The format.
        field: The argument that errors name.

    Raises:
        ConfigurationError: It is no such format.
    """
    if len(text) > LONGEST_FORMAT:
        raise ConfigurationError(field, f"is longer than {LONGEST_FORMAT} characters")
    head = _DIRECTIVE.match(text)
    assert head is not None
    try:
        escaping = Escaping(head[1] or "default")
    except ValueError as error:
        raise ConfigurationError(field, f"escape={printable(head[1], 40)}: must be default, json or none") from error
    return _tokens(_joined(text[head.end() :], field)), escaping


def _joined(text: str, field: str) -> str:
    """The format without the quotes and the escapes of nginx's configuration."""
    if text[:1] not in ("'", '"'):
        return text.strip().removesuffix(";")
    pieces, position = [], 0
    while found := _PIECE.match(text, position):
        pieces.append(_ESCAPED.sub(lambda escape: _CONTROLS.get(escape[1], escape[1]), found[1] or found[2] or ""))
        position = found.end()
    if text[position:].strip() not in ("", ";"):
        # Not a quoted string, but a format that begins with a quote.
        if len(pieces) == 1 or not pieces:
            return text.strip()
        raise ConfigurationError(field, f"cannot be read from {printable(text[position:], 40)} on")
    return "".join(pieces)


def _tokens(text: str) -> list[Token]:
    tokens: list[Token] = []
    position = 0
    for found in _VARIABLE.finditer(text):
        if found.start() > position:
            tokens.append(text[position : found.start()])
        tokens.append(_part(found[1] or found[2]))
        position = found.end()
    return [*tokens, text[position:]] if position < len(text) else tokens


def _part(name: str) -> Part:
    use, shape = _VARIABLES.get(name, ("", "text"))
    if name in _WORDS:
        shape = "word"
    elif name.startswith("upstream_") and not name.startswith(
        ("upstream_http_", "upstream_cookie_", "upstream_trailer_")
    ):
        shape = "list"
    elif name.startswith("http_"):
        use = f"header {name.removeprefix('http_').replace('_', '-').lower()}"
    return Part(f"${name}", use, shape)


__all__ = ["parts_of_nginx"]
