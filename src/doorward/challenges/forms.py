"""Traps in forms: a field that nobody sees, and the time that filling in takes, kept in a signed token.

Neither asks anything of a person, whatever they read pages with: the field is hidden from all of them alike.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from doorward.challenges.tokens import Purpose, Refused
from doorward.markup import Markup, fill
from doorward.rules.forms import FormFacts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from doorward.challenges.tokens import Signer
    from doorward.context import RequestContext

    Form = Mapping[str, Any]
    """Fields by name; of several values a name, as of Werkzeug, Django and Starlette, all are looked at."""

TOKEN_FIELD = "doorward_form"
FORM_TTL_MS = 24 * 3_600_000
DAY_MS = 24 * 3_600_000
LONGEST_NAME = 100
_NOUNS = ("topic", "remarks", "reference", "details", "summary", "heading", "notes", "subtitle")
"""None that a browser or a password manager fills in by itself (WHATWG HTML section 4.10.18.7.1, autofill field names):
those would be people."""

# `hidden`, and no style: an attribute needs no exception in a Content-Security-Policy. It takes the field from screens,
# screen readers and the tab order alike; what else is said is for programs that read pages in their own way.
_FIELDS = (
    '<div hidden aria-hidden="true"><label>{label} <input type="text" name="{trap}" value="" tabindex="-1" '
    'autocomplete="off"></label></div><input type="hidden" name="{token_field}" value="{token}">'
)
_LABEL = "Leave this empty"


class SafeMarkup(Markup):
    """HTML that Jinja and Django take as it is."""

    __slots__ = ()

    def __html__(self) -> str:
        """Itself."""
        return str(self)


def fields(signer: Signer, request: RequestContext, name: str, now_ms: int) -> SafeMarkup:
    """The fields of a form that was asked for by ``request``."""
    trap = trap_name(signer, now_ms)
    token = signer.sign(Purpose.FORM, {"f": trap, "n": name[:LONGEST_NAME]}, now_ms, FORM_TTL_MS, _bound_to(request))
    return SafeMarkup(fill(_FIELDS, label=_LABEL, trap=trap, token_field=TOKEN_FIELD, token=token))


def trap_name(signer: Signer, now_ms: int) -> str:
    """The name of the field that nobody sees: another one each day, and for each secret."""
    day = now_ms // DAY_MS
    digest = hashlib.sha256(signer.sign(Purpose.FORM, {"trap": day}, 0, 1).encode()).digest()
    return f"{_NOUNS[digest[0] % len(_NOUNS)]}_{digest[1:3].hex()}"


def facts(signer: Signer, form: Form | None, request: RequestContext, name: str | None, now_ms: int) -> FormFacts:
    """What a form says; ``name`` None for any. Never raises, whatever was sent."""
    try:
        return _facts(signer, form, request, name, now_ms)
    except Exception:  # a mapping of somebody's own, or one that reads the body as it is looked at
        return FormFacts("malformed")


def _facts(signer: Signer, form: Form | None, request: RequestContext, name: str | None, now_ms: int) -> FormFacts:
    token = next(_values(form, TOKEN_FIELD), "") if form is not None else ""
    if not token or form is None:
        return FormFacts("missing")
    try:
        found = signer.open(Purpose.FORM, token, now_ms, _bound_to(request))
    except Refused as refused:
        return FormFacts(refused.why)
    if "f" not in found.body:  # what names are made of, which never leaves the process
        return FormFacts("malformed")
    seconds = (now_ms - found.issued_ms) / 1000
    if name is not None and found.body["n"] != name[:LONGEST_NAME]:
        return FormFacts("other_form", seconds)
    trapped = list(_values(form, found.body["f"]))
    if not trapped:
        return FormFacts("absent", seconds)
    return FormFacts("filled" if any(trapped) else "", seconds)


def _values(form: Form, name: str) -> Iterator[str]:
    """All values of a field, as text."""
    several: Any = getattr(form, "getlist", None)
    values = several(name) if several is not None else [form[name]] if name in form else []
    for value in values:
        yield value if isinstance(value, str) else repr(value)


def _bound_to(request: RequestContext) -> str:
    # Not to the address, which changes while somebody on a train fills in a form.
    return f"form:{request.headers.get('user-agent')}"
