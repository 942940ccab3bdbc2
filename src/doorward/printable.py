"""Text that is safe to log and to show: one line, no control characters, bounded."""

from __future__ import annotations

LONGEST = 200


def printable(text: str, longest: int = LONGEST) -> str:
    """``text`` with everything but printable ASCII escaped, cut to ``longest`` characters.

    Line breaks, terminal escapes, bidirectional marks and lone surrogates cannot forge a log line or hide in one.
    """
    # Cut first, so that a megabyte costs no more than a line; cut again, since escapes are longer than what they say.
    cut = text[: longest + 1]
    if cut.isascii() and cut.isprintable() and "\\" not in cut:
        escaped = cut
    else:
        escaped = "".join(c if " " <= c <= "~" and c != "\\" else _escaped(c) for c in cut)
    return escaped if len(escaped) <= longest else escaped[: longest - 3] + "..."


def describe(error: BaseException) -> str:
    """An exception as one printable line."""
    try:
        message = printable(str(error))
    except Exception as own:
        return f"{type(error).__name__}: its text cannot be had: {type(own).__name__}"
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def _escaped(character: str) -> str:
    code = ord(character)
    if character == "\\":
        return "\\\\"
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
