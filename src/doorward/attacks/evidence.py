"""What detectors come to: evidence in a text, and findings in a request."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Family(StrEnum):
    """Kinds of attacks; what ``shield(exclude=…)`` names."""

    SQL = "SQL"
    NOSQL = "NOSQL"
    LDAP = "LDAP"
    XSS = "XSS"
    SHELL = "SHELL"
    PATH = "PATH"
    INCLUDE = "INCLUDE"
    TEMPLATE = "TEMPLATE"
    CODE = "CODE"
    PHP = "PHP"
    JAVA = "JAVA"
    NODE = "NODE"
    XXE = "XXE"
    SSI = "SSI"
    MAIL = "MAIL"
    SSRF = "SSRF"
    CRLF = "CRLF"
    PROTOCOL = "PROTOCOL"
    SESSION = "SESSION"
    SCANNER = "SCANNER"
    UNSCANNED = "UNSCANNED"


class Place(StrEnum):
    """Where in a request a value stands."""

    REQUEST = "request"
    PATH = "path"
    QUERY = "query"
    HEADER = "header"
    COOKIE = "cookie"
    FORM = "form"
    JSON = "json"
    XML = "xml"
    MULTIPART = "multipart"
    FILENAME = "filename"
    BODY = "body"


class Value(NamedTuple):
    """One value of a request, as the application will see it.

    Attributes:
        place: Where it stands.
        name: Of the parameter, header, cookie, or the path to a leaf (``user.tags[0]``).
        text: The value, decoded as its place demands.
        is_name: Whether the text is a parameter's own name, which a client chooses too.
        offset: Where in the value the text begins; not 0 for the later pieces of a long one.
    """

    place: Place
    name: str
    text: str
    is_name: bool = False
    offset: int = 0


class Evidence(NamedTuple):
    """Something in a text that speaks for an attack.

    Attributes:
        family: The kind of attack.
        rule: The rule's id, such as ``sql.tautology``.
        weight: 0..1; evidence of one value adds up, and 1 is conclusive.
        start: Where in the text it begins.
        end: Where it ends.
        reason: An English sentence part, free of the client's own bytes.
    """

    family: Family
    rule: str
    weight: float
    start: int
    end: int
    reason: str


class Finding(NamedTuple):
    """Evidence, and the value in which it was found.

    Attributes:
        family: The kind of attack.
        rule: The rule's id.
        weight: 0..1.
        place: Where in the request.
        name: Name of the value there; printable, shortened.
        offset: Characters from the beginning of the value, in the form in which it was found.
        excerpt: What was found, letters and digits masked but for the beginning; printable, shortened.
        reason: An English sentence part.
        via: How the value had to be decoded for it: ``("percent", "base64")``.
    """

    family: Family
    rule: str
    weight: float
    place: Place
    name: str
    offset: int
    excerpt: str
    reason: str
    via: tuple[str, ...] = ()
