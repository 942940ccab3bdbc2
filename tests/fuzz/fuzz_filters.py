"""Whatever expression is written, it compiles or the error says where it is wrong; and it means the same in all forms.

An input is an expression; what follows the last line break is what the request has in its headers, cookies and path.
"""

from __future__ import annotations

import re

from tests.fuzz.harness import fuzz, instrumented, text_of

with instrumented(__name__):
    from doorward import RequestContext
    from doorward.address_facts import AddressFacts
    from doorward.errors import ConfigurationError
    from doorward.filters import LONGEST, Filter, compile_filter
    from doorward.rules.base import View

PLACE = re.compile(r"(\d+):(\d+): \S")
OTHER = "something else"


class Known:
    """Knows a little about every address."""

    def about(self, address: str) -> AddressFacts:
        return AddressFacts(frozenset({"tor", "vpn"}), {"tor": ("exits",)}, {"country": "DE", "asn": "64500"})


def view(*values: str) -> View:
    """A request in which whatever can have several values has these."""
    lines = [("X", value) for value in values] + [("Cookie", f"x={value}") for value in values]
    query = "&".join(f"x={value}" for value in values)
    path = f"/{values[0]}" if values else "/"
    request = RequestContext(host="example.com", path=path, query=query, headers=lines)
    return View(request, "192.0.2.7", {}, {"plan": values[0] if values else ""}, Known())


def compiled(source: str) -> Filter | None:
    """The filter of an expression; None if it is refused, with a place in the expression. Another error is a bug."""
    try:
        return compile_filter(source, "deny[0]")
    except ConfigurationError as error:
        refusal = error
    assert refusal.field == "deny[0]"
    if source.strip():
        place = PLACE.match(refusal.problem)
        assert place, refusal.problem
        line, column = int(place[1]), int(place[2])
        assert 1 <= line <= source.count("\n") + 1, refusal.problem
        assert 1 <= column <= len(source) + 1, refusal.problem
    return None


def truth(expression: Filter, request: View) -> tuple[bool | None, bool | None]:
    """Whether it may be true, and whether it is for certain."""
    possible, certain = (expression.holds(request, certain=certain) for certain in (False, True))
    assert possible in (True, False, None)
    assert certain is not True or possible is True
    return possible, certain


def check_forms(source: str, found: Filter, request: View) -> None:
    """Parentheses change nothing, and ``not`` what is to be expected, unless the limits of an expression are met."""
    expected = truth(found, request)
    for form in (f"({source}\n)", f"not not ({source}\n)", f"({source}\n) or ({source}\n)"):
        other = compiled(form)
        assert other is None or truth(other, request) == expected, form
    negated = compiled(f"not ({source}\n)")
    if negated is not None and request.request.header_values("x")[1:] == []:
        assert truth(negated, request)[0] is (None if expected[0] is None else not expected[0]) or is_open(expected)


def is_open(truths: tuple[bool | None, bool | None]) -> bool:
    """Whether it is true or false by what nobody knows: a text too long to be searched."""
    return truths[0] is not truths[1]


def check_values(found: Filter, subject: str) -> None:
    """The order of several values does not matter, and one more takes no possible match away and makes none certain."""
    one, two = truth(found, view(subject)), truth(found, view(subject, OTHER))
    assert two == truth(found, view(subject, OTHER, subject))
    assert two[0] is True or one[0] is not True
    assert two[1] is not True or one[1] is True


def target(data: bytes) -> None:
    source, _, subject = text_of(data).rpartition("\n")
    found = compiled(source)
    if found is None:
        return
    assert len(source.encode("utf-8", "surrogatepass")) <= LONGEST
    assert compiled(source) == found
    for request in (view(), view(subject), view(subject, OTHER)):
        check_forms(source, found, request)
    check_values(found, subject)


if __name__ == "__main__":
    fuzz(target, "filters")
