"""Reads the command line of curl that browsers copy: what request it would send. Nothing is run, no file is opened."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote_plus

from doorward.errors import ConfigurationError
from doorward.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST = 2**20
"""Characters of a command line."""
_FIELD = "--curl"
_AGENT = ("User-Agent", "curl/8")
_FORM = "application/x-www-form-urlencoded"
_ALONE = frozenset({
    "--compressed", "--insecure", "-k", "--location", "-L", "--silent", "-s", "--show-error", "-S", "--verbose", "-v",
    "--include", "-i", "--fail", "-f", "--globoff", "-g", "--http1.1", "--http2", "--http3", "--path-as-is",
    "--no-buffer", "-N", "--ipv4", "-4", "--ipv6", "-6", "--get", "-G", "--head", "-I",
})  # fmt: skip
"""Options without a value; all but the last four say nothing about the request."""
_IGNORED = frozenset({
    "--output", "-o", "--max-time", "-m", "--connect-timeout", "--proxy", "-x", "--cacert", "--cert", "--key",
    "--resolve", "--write-out", "-w", "--retry", "--interface", "--limit-rate", "--max-redirs",
})  # fmt: skip
"""Options with a value that says nothing about the request."""
_SHORT = {
    "-X": "--request", "-H": "--header", "-d": "--data", "-A": "--user-agent", "-e": "--referer", "-b": "--cookie",
    "-u": "--user", "-G": "--get", "-I": "--head",
}  # fmt: skip
_READ = frozenset(
    {*_SHORT.values(), "--url", "--data-raw", "--data-binary", "--data-ascii", "--data-urlencode", "--json"}
)
_ANSI_C = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "e": "\x1b", "0": "\0"}
_ANSI_C_NUMBER = re.compile(r"x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|([0-7]{1,3})")


class Curl(NamedTuple):
    """The request of a curl command line.

    Attributes:
        url: As written, with what ``--get`` adds.
        method: What curl sends.
        headers: Lines as ``Name: value``, curl's own among them.
        body: None where it sends none.
    """

    url: str
    method: str
    headers: list[str]
    body: str | None


def read_curl(text: str) -> Curl:
    """The request that a command line, as a shell of POSIX reads it, would have curl send.

    Raises:
        ConfigurationError: It is no such command line, or holds an option that is not read here.
    """
    if len(text) > LONGEST:
        raise _wrong(f"has more than {LONGEST} characters")
    words = list(_words(text))
    if not words or words[0].rpartition("/")[2] not in ("curl", "curl.exe"):
        raise _wrong("must be a command line that begins with curl, as browsers copy it (for POSIX shells)")
    return _request(list(_options(words[1:])))


def _request(options: list[tuple[str, str]]) -> Curl:
    given: dict[str, list[str]] = {}
    for name, value in options:
        given.setdefault(name, []).append(value)
    urls = given.get("--url", [])
    if len(urls) != 1:
        raise _wrong(f"must name one URL, not {len(urls)}")
    url = urls[0] if "://" in urls[0] else f"http://{urls[0]}"
    pieces = [_data(name, value) for name, value in options if name == "--json" or name.startswith("--data")]
    body = "&".join(pieces) if pieces else None
    headers = _headers(given, has_body=body is not None)
    method = given.get("--request", ["HEAD" if "--head" in given else "GET" if body is None else "POST"])[-1]
    if "--get" in given and body is not None:
        return Curl(f"{url}{'&' if '?' in url else '?'}{body}", given.get("--request", ["GET"])[-1], headers, None)
    return Curl(url, method, headers, body)


def _headers(given: dict[str, list[str]], *, has_body: bool) -> list[str]:
    own = {"Accept": "*/*", _AGENT[0]: _AGENT[1]}
    if has_body and "--get" not in given:
        own["Content-Type"] = "application/json" if "--json" in given else _FORM
    for option, name in (("--user-agent", "User-Agent"), ("--referer", "Referer"), ("--cookie", "Cookie")):
        if option in given:
            own[name] = given[option][-1]
    if "--user" in given:
        from base64 import b64encode

        own["Authorization"] = "Basic " + b64encode(given["--user"][-1].encode()).decode()
    lines = given.get("--header", [])
    mentioned = {_name(line) for line in lines}
    kept = [line for line in map(_sent, lines) if line]
    return [*[f"{name}: {value}" for name, value in own.items() if name.lower() not in mentioned], *kept]


def _name(line: str) -> str:
    return line.partition(":")[0].removesuffix(";").strip().lower()


def _sent(line: str) -> str:
    """A header as curl sends it: ``Name;`` is one without a value, and ``Name:`` takes curl's own away."""
    _, colon, value = line.partition(":")
    if not colon:
        return f"{line.removesuffix(';')}:" if line.endswith(";") else line
    return line if value.strip() else ""


def _data(option: str, value: str) -> str:
    if value.startswith("@") and option != "--data-raw":
        raise _wrong(f"{option} {printable(value, 40)}: files are not opened for a pasted line; give --body @FILE")
    if option == "--data-urlencode":
        name, equals, text = value.partition("=")
        return f"{name}{equals if name else ''}{quote_plus(text)}" if equals else quote_plus(value)
    return value


def _options(words: list[str]) -> Iterator[tuple[str, str]]:
    """Options in their long form, and the URL as ``--url``."""
    rest = iter(words)
    for word in rest:
        if not word.startswith("-") or word == "-":
            yield "--url", word
            continue
        name, value = _split(word)
        if name in _ALONE and value is None:
            yield _SHORT.get(name, name), ""
            continue
        if name not in _ALONE and value is None:
            value = next(rest, None)
        long = _SHORT.get(name, name)
        if value is None or (long not in _READ and name not in _IGNORED):
            problem = "has no value" if value is None else "is an option that is not read here"
            raise _wrong(f"{printable(word, 40)} {problem}; read are {', '.join(sorted(_READ))}")
        if name not in _IGNORED:
            yield long, value


def _split(word: str) -> tuple[str, str | None]:
    """An option, and the value that is written together with it: ``-XPOST``, ``--request=POST``."""
    if word.startswith("--"):
        name, equals, value = word.partition("=")
        return name, value if equals else None
    return (word[:2], word[2:]) if len(word) > 2 and word[:2] not in _ALONE else (word, None)


# --- words, as a shell of POSIX has them, and $'…' of bash, which browsers write


def _words(text: str) -> Iterator[str]:
    at, word = 0, None
    while at < len(text):
        character = text[at]
        if character.isspace():
            if word is not None:
                yield word
            word, at = None, at + 1
            continue
        if text.startswith(("\\\n", "\\\r\n"), at):  # a line that goes on
            at = text.index("\n", at) + 1
            continue
        piece, at = _piece(text, at)
        word = (word or "") + piece
    if word is not None:
        yield word


def _piece(text: str, at: int) -> tuple[str, int]:
    """One part of a word, and where it ends."""
    if text[at] == "'":
        end = _closing(text, at + 1, "'")
        return text[at + 1 : end], end + 1
    if text.startswith("$'", at):
        return _escaped(text, at + 2)
    if text[at] == '"':
        return _quoted(text, at + 1)
    if text[at] == "\\":
        return text[at + 1 : at + 2], at + 2
    if text[at] in "|&;<>`$()^":
        raise _wrong(f"holds {text[at]!r} outside quotes: paste one command, as copied for a POSIX shell")
    found = re.compile(r"[^\s'\"\\|&;<>`$()^]+").match(text, at)
    assert found is not None
    return found[0], found.end()


def _closing(text: str, at: int, quote: str) -> int:
    end = text.find(quote, at)
    if end < 0:
        raise _wrong(f"has a {quote} that is not closed")
    return end


def _quoted(text: str, at: int) -> tuple[str, int]:
    found: list[str] = []
    while True:
        character = text[at : at + 1]
        if not character:
            raise _wrong('has a " that is not closed')
        if character == '"':
            return "".join(found), at + 1
        if character == "\\" and text[at + 1 : at + 2] in ('"', "\\", "$", "`"):
            at += 1
            character = text[at]
        found.append(character)
        at += 1


def _escaped(text: str, at: int) -> tuple[str, int]:
    """ANSI-C quoting: ``$'…'``."""
    found: list[str] = []
    while True:
        character = text[at : at + 1]
        if not character:
            raise _wrong("has a $' that is not closed")
        if character == "'":
            return "".join(found), at + 1
        if character != "\\":
            found.append(character)
            at += 1
            continue
        number = _ANSI_C_NUMBER.match(text, at + 1)
        if number is not None:
            code = int(number[4], 8) if number[4] else int(number[1] or number[2] or number[3], 16)
            found.append(chr(code) if code < 0x110000 else "\ufffd")
            at = number.end()
            continue
        found.append(_ANSI_C.get(text[at + 1 : at + 2], text[at + 1 : at + 2]))
        at += 2


def _wrong(problem: str) -> ConfigurationError:
    return ConfigurationError(_FIELD, problem)


__all__ = ["Curl", "read_curl"]
