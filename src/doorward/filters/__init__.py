r"""The language of filters: conditions on a request, compiled when a rule is built.

::

    http.request.uri.path matches "^/admin" and not ip.src in {10.0.0.0/8 2001:db8::/32}
    lower(http.request.headers["user-agent"]) contains "curl" or ip.src.tor
    len(http.request.cookie["session"]) eq 0

It is Arcjet's, which is that of Cloudflare's wirefilter: https://github.com/cloudflare/wirefilter.

=============================  =======================================================================================
Fields                         Value
=============================  =======================================================================================
``ip.src``                     the client's address; 192.0.2.1 and "192.0.2.1" are the same literal
``http.host``                  as sent, with port and case
``http.request.method``        in upper case
``http.request.uri.path``      decoded, as the framework routes it
``http.request.headers["x"]``  a header, its name in any case
``http.request.cookie["x"]``   a cookie
``http.request.uri.args["x"]`` a query parameter, decoded
``local["x"]``, ``local.x``    what the application gave to ``protect``; numbers as text, true and false in lower case
``ip.src.tor`` …               true or false: crawler hosting proxy relay reserved tor vpn abuser mobile
``ip.src.country`` …           text, numbers too: accuracy_radius asnum asnum.country asnum.domain asnum.name asnum.type
                               city continent continent.name country country.name crawler.name lat lon postal_code
                               region service timezone.name
=============================  =======================================================================================

Operators are ``== eq``, ``!= ne``, ``< lt``, ``<= le``, ``> gt``, ``>= ge``, ``in {…}`` (spaces between; ``1..20``,
``10.0.0.1..10.0.0.9`` and ``10.0.0.0/8`` too); of text ``contains``, ``~ matches`` (regular expression, found
anywhere), ``wildcard`` (``*``; ASCII letters in any case) and ``strict wildcard``; of numbers ``&``. ``not !`` binds
most, then ``and &&``, ``xor ^^``, ``or ||``. ``len(…)`` counts bytes; ``lower(…)`` and ``upper(…)`` change ASCII
letters only. Texts are ``"…"`` with ``\"``, ``\\`` and ``\xHH``, or ``r"…"``, ``r#"…"#`` without escapes. They compare
byte by byte; between decoded and literal text as UTF-8.

**What is not there** (a header that was not sent, an address nobody knows the country of) makes a comparison neither
true nor false but undetermined, under ``not`` and with ``!=`` too. ``or`` with a true side is true all the same, and
``and`` with a false one false. ``len(…) eq 0`` is true.

**What is there twice** (a header, cookie or parameter sent several times) may be read either way by the application.
So an expression that denies matches if it is true for *some* choice of one value for each comparison, and one that
allows only if it is true for *every* choice. The same holds for a text of more than 8,192 characters that a regular
expression is to search: it could match.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from doorward.errors import ConfigurationError
from doorward.filters.parser import Parser
from doorward.filters.scanner import Problem
from doorward.filters.truth import TRUE, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from doorward.filters.fields import Read
    from doorward.filters.truth import Node
    from doorward.rules.base import View

__all__ = ["LONGEST", "MOST", "Filter", "compile_filter", "compile_filters"]

LONGEST = 1_024
"""Bytes of an expression, as UTF-8."""
MOST = 10
"""Expressions of one rule."""


@dataclass(frozen=True, slots=True)
class Filter:
    """A compiled expression.

    Attributes:
        source: As written.
        about: What it wants to know about the client's address, as in ``Rule.reads``.
        local: The keys of the application's own that it reads.
        parts: What of a request it reads, as in ``Rule.parts``.
        node: What it comes to for a request.
        operands: What it reads of a request, by name as written, for who explains it.
    """

    source: str
    about: frozenset[str] = field(repr=False, compare=False)
    local: frozenset[str] = field(repr=False, compare=False)
    parts: frozenset[str] = field(repr=False, compare=False)
    node: Node = field(repr=False, compare=False)
    operands: Mapping[str, Read] = field(repr=False, compare=False)

    def holds(self, view: View, *, certain: bool) -> bool | None:
        """Whether it is true; None when that cannot be told.

        Args:
            view: The request.
            certain: Only if it is true whichever value of a repeated header, cookie or parameter is read: for what
                lets requests pass. Otherwise also if it is true for some of them: for what refuses them.
        """
        truths = self.node(view)
        if truths == TRUE or (truths & TRUE and not certain):
            return True
        return None if truths & UNKNOWN else False


def compile_filter(source: object, field: str) -> Filter:
    """Compile one expression. Takes time linear in its length.

    Args:
        source: The expression.
        field: What to name in an error.

    Raises:
        ConfigurationError: It is no expression; the text says where, and what was expected.
    """
    if not isinstance(source, str) or not source.strip():
        raise ConfigurationError(field, f"must be a filter expression, not {source!r}")
    length = len(source.encode("utf-8", "surrogatepass"))
    if length > LONGEST:
        raise ConfigurationError(field, f"1:1: an expression has at most {LONGEST} bytes, not {length}")
    parser = Parser(source)
    try:
        node = parser.parse()
    except Problem as problem:
        raise ConfigurationError(field, problem.describe(source)) from None
    reads = frozenset(parser.about), frozenset(parser.local), frozenset(parser.parts)
    return Filter(source, *reads, node, parser.operands)


def compile_filters(sources: object, field: str) -> tuple[Filter, ...]:
    """Compile one expression, or a list or tuple of at most :data:`MOST`.

    Raises:
        ConfigurationError: One of them is none; the field is then ``deny[0]`` or the like.
    """
    given: Sequence[object] = [sources] if isinstance(sources, str) else sources  # type: ignore[assignment]
    if not isinstance(given, list | tuple):
        raise ConfigurationError(field, f"must be a filter expression or a list of them, not {sources!r}")
    if len(given) > MOST:
        raise ConfigurationError(field, f"takes at most {MOST} expressions, not {len(given)}; join them with or")
    return tuple(compile_filter(source, f"{field}[{number}]") for number, source in enumerate(given))
