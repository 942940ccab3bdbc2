"""Apache's ``LogFormat`` (mod_log_config) as parts of a line."""

from __future__ import annotations

import re

from doorward.errors import ConfigurationError
from doorward.printable import printable
from doorward.replay.readers.line_patterns import LONGEST_FORMAT, Part, Token

_DIRECTIVE = re.compile(r"""\s*(?:LogFormat\s+)?"((?:[^"\\]|\\.)*+)"(?:\s+[\w-]+)?\s*""", re.DOTALL)
# Modifiers: status codes (%!200,304{Referer}i), < and > for before and after internal redirects.
_ITEM = re.compile(r"%(?:(%)|[!<>,\d]*+(?:\{([^{}]*+)\})?+[<>]?(\^t[io]|[A-Za-z]))", re.ASCII)
_ESCAPED = re.compile(r'\\["\\tn]')
_ESCAPES = {'\\"': '"', "\\\\": "\\", "\\t": "\t", "\\n": "\n"}

# Use and shape of a directive; of what is not here nothing is needed, and it is a word.
_DIRECTIVES = {
    "h": ("ip", "word"),
    "a": ("ip", "word"),
    "u": ("", "text"),
    "r": ("request", "text"),
    "s": ("status", "word"),
    "m": ("method", "word"),
    "U": ("path", "text"),
    "q": ("?query", "text"),
    "v": ("server", "word"),
    "V": ("server", "word"),
    "f": ("", "text"),
}
_TIMES = {"": ("time_local", "bracketed"), "sec": ("msec", "word"), "msec": ("msec", "word"), "usec": ("msec", "word")}
_ISO = re.compile(r"%Y-%m-%d[T ]%(?:T|H:%M:%S)(?:%z)?")


def parts_of_apache(text: str, field: str) -> list[Token]:
    """The parts of lines that a ``LogFormat`` writes.

    Args:
        text: The format, in quotes and with backslashes as in the configuration, or plain.
        field: The argument that errors name.

    Raises:
        ConfigurationError: It is no such format.
    """
    if len(text) > LONGEST_FORMAT:
        raise ConfigurationError(field, f"is longer than {LONGEST_FORMAT} characters")
    quoted = _DIRECTIVE.fullmatch(text)
    text = _ESCAPED.sub(lambda found: _ESCAPES[found[0]], quoted[1] if quoted else text)
    tokens: list[Token] = []
    position = 0
    for found in _ITEM.finditer(text):
        _add(tokens, text[position : found.start()])
        position = found.end()
        if found[1]:
            _add(tokens, "%")
        else:
            _add_part(tokens, found[0], found[3], found[2] or "", field)
    _add(tokens, text[position:])
    return tokens


def _add(tokens: list[Token], text: str) -> None:
    """Text, joined with text before it: patterns expect a part between two of them."""
    if tokens and isinstance(tokens[-1], str):
        tokens[-1] += text
    elif text:
        tokens.append(text)


def _add_part(tokens: list[Token], label: str, letter: str, argument: str, field: str) -> None:
    if letter != "t":
        tokens.append(Part(label, *_use(letter, argument)))
        return
    use, shape = _time(argument, label, field)
    _add(tokens, "[" if shape == "bracketed" else "")
    tokens.append(Part(label, use, "clf" if shape == "bracketed" else shape))
    _add(tokens, "]" if shape == "bracketed" else "")


def _use(letter: str, argument: str) -> tuple[str, str]:
    if letter == "i":
        name = argument.lower()
        return f"header {name}", "text"
    if letter == "a" and argument == "c":
        return "peer", "word"
    if letter in ("o", "C", "e", "n", "^ti", "^to"):
        return "", "text"
    return _DIRECTIVES.get(letter, ("", "word"))


def _time(argument: str, label: str, field: str) -> tuple[str, str]:
    """Use and shape of ``%{…}t``."""
    form = argument.removeprefix("begin:").removeprefix("end:")
    if form in _TIMES:
        return _TIMES[form]
    if form in ("%d/%b/%Y:%T %z", "%d/%b/%Y:%H:%M:%S %z"):
        return "time_local", "clf"
    if _ISO.fullmatch(form):
        return "time_iso8601", "text" if " " in form else "word"
    if form in ("%s", "%s.%{msec_frac}t", "%s.%{usec_frac}t"):
        return "msec", "word"
    if form in ("msec_frac", "usec_frac"):
        return "", "word"
    accepted = "%t, %{sec}t, %{msec}t, %{usec}t, %{%s}t, %{%Y-%m-%dT%H:%M:%S%z}t, %{%d/%b/%Y:%H:%M:%S %z}t"
    raise ConfigurationError(field, f"the time {printable(label, 80)} is not known; known are {accepted}")


__all__ = ["parts_of_apache"]
