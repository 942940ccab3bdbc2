"""Reads JSON lines: doorward's own form, nginx with ``escape=json``, Caddy, Traefik, and doorward's decisions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from doorward.replay.readers.building import addresses, asked_in, request_of
from doorward.replay.readers.decisions import decision_in
from doorward.replay.readers.json_values import STANDARD, body_bytes, header_lines, loaded, status_of, text_of
from doorward.replay.readers.log_lines import forwarded
from doorward.replay.readers.problems import NO_JSON, NO_PATH, NO_TIME, NoRequest
from doorward.replay.readers.times import moment_ns
from doorward.replay.records import EVERY_HEADER, NOTHING_SAID, Recorded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doorward.replay.readers.building import Lines
    from doorward.replay.records import Source

REDACTED = "REDACTED"
_LONGEST_PREFIX = 300
_MOST_SHAPES = 256
_MOST_KEYS = 200

# Keys of the top level, in lower case with underscores, by what they say; the first of a row that is there counts.
_KEYS = {
    "time": (
        "startutc", "msec", "time_iso8601", "time", "@timestamp", "timestamp", "ts", "time_local", "startlocal", "date",
        "datetime", "starteddatetime", "at",
    ),
    "ip": ("ip", "remote_addr", "client_ip", "clienthost", "remote_ip", "clientip", "clientaddr", "remoteaddr", "peer"),
    "peer": ("realip_remote_addr",),
    "request": ("request", "request_line"),
    "method": ("method", "request_method", "requestmethod", "http_method", "verb"),
    "target": ("path", "uri", "request_uri", "requestpath", "request_path", "url", "target"),
    "path": ("document_uri",),
    "query": ("query", "query_string", "args"),
    "status": ("status", "downstreamstatus", "status_code", "statuscode", "response_code"),
    "scheme": ("scheme", "requestscheme"),
    "https": ("https",),
    "host": ("host", "http_host", "requestaddr", "requesthost", "hostname"),
    "server": ("server_name", "vhost"),
    "forwarded": ("proxy_add_x_forwarded_for",),
    "email": ("email",),
    "header user-agent": ("user_agent", "useragent", "agent"),
    "header referer": ("referer", "referrer"),
    "header content-type": ("content_type",),
    "header x-forwarded-for": ("x_forwarded_for", "forwarded_for"),
}  # fmt: skip
_NO_HEADERS = frozenset({"http_host", "http_method", "http_version", "http_status", "http_code", "http_request"})


class JsonLines:
    """Reads one object a line, with or without something before it (``web-1  | {…}``)."""

    name = "JSON lines"

    def __init__(self) -> None:
        self._shapes: dict[tuple[str, ...], tuple[dict[str, str], frozenset[str]]] = {}

    def parse(self, text: str, source: Source) -> Recorded:
        """The request of a line.

        Raises:
            NoRequest: There is none.
        """
        begin = 0 if text[:1] == "{" else text.find("{", 0, _LONGEST_PREFIX)
        if begin < 0:
            raise NoRequest(NO_JSON)
        data = loaded(text[begin:])
        decision = decision_in(data, source)
        if decision is not None:
            return decision
        if isinstance(data.get("request"), dict):
            return _of_caddy(data, data["request"], source)
        return self._flat(data, source)

    def _flat(self, data: dict[str, Any], source: Source) -> Recorded:
        keys, known = self._shape(data)
        if "time" not in keys:
            raise NoRequest(NO_TIME)
        at_ns = moment_ns(data[keys["time"]])
        texts = {use: text_of(data[key]) for use, key in keys.items()}
        said = {use: text for use, text in texts.items() if text is not None and text not in ("", "-")}
        _mend_target(said)
        headers, known = _headers(data, said, known)
        request = request_of(asked_in(said), headers, addresses[said.get("ip", said.get("peer", ""))])
        body = body_bytes(data.get("body", data.get("request_body")), data.get("body_base64"))
        if body is not None:
            request.body, request.body_complete = body, True
            known |= {"body"}
        inputs = {"email": said["email"]} if "email" in said else NOTHING_SAID
        return Recorded(at_ns, request, known, source, status_of(said.get("status")), inputs)

    def _shape(self, data: Mapping[str, Any]) -> tuple[dict[str, str], frozenset[str]]:
        """Which keys of an object say what, and what is known of requests with these keys."""
        shape = tuple(data)
        found = self._shapes.get(shape)
        if found is None:
            found = _shape_of(shape)
            if len(shape) <= _MOST_KEYS:
                if len(self._shapes) >= _MOST_SHAPES:
                    self._shapes.clear()
                self._shapes[shape] = found
        return found


def _shape_of(keys: tuple[str, ...]) -> tuple[dict[str, str], frozenset[str]]:
    spelled: dict[str, str] = {}
    for key in keys:
        spelled.setdefault(key.lower().replace("-", "_"), key)
    found: dict[str, str] = {}
    for use, names in _KEYS.items():
        named = [spelled[name] for name in names if name in spelled]
        if named:
            found[use] = named[0]
    of_traefik = "downstreamstatus" in spelled or "requestmethod" in spelled
    for name, key in spelled.items():
        if name.startswith("http_") and name not in _NO_HEADERS:
            found[f"header {name[5:].replace('_', '-')}"] = key
        elif of_traefik and key.startswith("request_"):
            found[f"header {key[8:].lower()}"] = key
    known = {use.removeprefix("header ") for use in found if use.startswith("header ")}
    known |= {"host"} & found.keys()
    known |= {"query"} if found.keys() & {"request", "target", "query"} and "uri" not in spelled else set()
    known |= {"x-forwarded-for"} if "forwarded" in found else set()
    if "uri" in spelled and ("query" in found or "request" in found or not _is_nginx(spelled)):
        known.add("query")
    return found, frozenset(known)


def _is_nginx(keys: Mapping[str, str]) -> bool:
    """Whether ``uri`` is nginx's variable, which has no query."""
    return "remote_addr" in keys


def _mend_target(said: dict[str, str]) -> None:
    """A query of its own belongs to the target; a full URL of a key such as ``url`` names the host, too."""
    target, query = said.get("target"), said.get("query")
    if target is not None and query is not None and "?" not in target:
        said["target"] = f"{target}?{query.removeprefix('?')}"
    elif query is not None:
        said["query"] = query.removeprefix("?")


def _headers(data: Mapping[str, Any], said: Mapping[str, str], known: frozenset[str]) -> tuple[Lines, frozenset[str]]:
    """The header lines, and what is known."""
    given = data.get("headers", data.get("request_headers"))
    lines = header_lines(given)
    hidden = {name for name, value in lines if value == REDACTED}
    lines = [line for line in lines if line[0] not in hidden]
    names = {name for name, _ in lines}
    lines += [
        (use.removeprefix("header "), value)
        for use, value in said.items()
        if use.startswith("header ") and use.removeprefix("header ") not in names
    ]
    if "host" in said and "host" not in names:
        lines.append(("host", said["host"]))
    if "forwarded" in said and "x-forwarded-for" not in names:
        lines += forwarded(said["forwarded"])
    if isinstance(given, dict | list):
        known = known | STANDARD | names | {EVERY_HEADER}
    return lines, known - hidden


def _of_caddy(data: Mapping[str, Any], asked_for: Mapping[str, Any], source: Source) -> Recorded:
    """A line of Caddy's access log (its module http.log.access), which has all headers but the secret ones."""
    when = next((data[key] for key in ("ts", "time", "timestamp") if key in data), None)
    if when is None:
        raise NoRequest(NO_TIME)
    if not isinstance(asked_for.get("uri"), str):
        raise NoRequest(NO_PATH)
    names = {"method": "method", "uri": "target", "host": "host"}
    said = {use: text for key, use in names.items() if (text := text_of(asked_for.get(key)))}
    if isinstance(asked_for.get("tls"), dict):
        said["scheme"] = "https"
    headers, known = _headers(asked_for, said, frozenset({"query", "host"}))
    ip = text_of(asked_for.get("client_ip", asked_for.get("remote_ip", asked_for.get("remote_addr"))))
    request = request_of(asked_in(said), headers, addresses[ip or ""])
    return Recorded(moment_ns(when), request, known, source, status_of(data.get("status")))


__all__ = ["JsonLines"]
