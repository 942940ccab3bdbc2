"""The syntax of e-mail addresses: length caps of our own, then email-validator, then what a person should correct.

Importing this imports email-validator: builders do, when a rule is built.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from email_validator import EmailNotValidError, validate_email

LONGEST_LOCAL_PART = 64
"""Octets (RFC 5321 section 4.5.3.1.1)."""
LONGEST_ADDRESS = 254
"""Octets (RFC 5321 section 4.5.3.1.3: a path of 256 with its angle brackets; RFC 3696 erratum 1690)."""

# ASCII: other letters have the same upper case as some of these, and are other names.
_RESERVED = re.compile(r"(?:^|(?<=[@.]))(?:arpa|invalid|local|localhost|onion|test)\Z", re.ASCII | re.IGNORECASE)
_BAD_QUOTED_PAIR = re.compile(r"\\[^ -~]")


class Address(NamedTuple):
    """What an address is made of.

    Attributes:
        domain: In lower-case A-labels; empty for a domain literal, and where there is a problem.
        problem: Why it is no address, as an English sentence part without anything of the address; empty when it is.
        typed_domain: What stands after the last "@", where there is a problem; at most 254 characters.
    """

    domain: str
    problem: str = ""
    typed_domain: str = ""


def parse(value: object, *, require_top_level_domain: bool = True, allow_domain_literal: bool = False) -> Address:
    """Read an address: a Mailbox of RFC 5321 section 4.1.2, internationalized as in RFC 6531 section 3.3.

    Never raises, whatever the value; costs the same for all that is longer than an address may be. A name that is
    reserved for special use (RFC 6761) is syntactically a name.

    Args:
        value: What a client sent.
        require_top_level_domain: Refuse domains without a dot, and those whose last label does not end with a letter.
        allow_domain_literal: Take ``user@[192.0.2.1]``.
    """
    if not isinstance(value, str):
        return Address("", "it is not text")
    if len(value) > LONGEST_ADDRESS or _octets(value) > LONGEST_ADDRESS:
        return Address("", f"it has more than {LONGEST_ADDRESS} characters")
    local_part, at, domain = value.rpartition("@")
    problem = _beyond_the_grammar(local_part)
    if not problem:
        try:
            return Address(_domain(value, require_top_level_domain, allow_domain_literal))
        except (EmailNotValidError, ValueError):
            problem = _diagnosis(value)
    return Address("", problem, domain.lower() if at else "")


def _beyond_the_grammar(local_part: str) -> str:
    """What email-validator lets pass and the standard does not."""
    if _octets(local_part) > LONGEST_LOCAL_PART:
        return f"it has more than {LONGEST_LOCAL_PART} characters before the @"
    if "\\" in local_part and _BAD_QUOTED_PAIR.search(local_part):
        # quoted-pairSMTP is ASCII; RFC 6531 section 3.3 extends qtextSMTP, not it.
        return "it has a backslash where none may be"
    return ""


def _octets(text: str) -> int:
    # As SMTPUTF8 sends it: RFC 6531 leaves the limits of RFC 5321 as they are.
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _domain(address: str, require_top_level_domain: bool, allow_domain_literal: bool) -> str:  # noqa: FBT001  (private)
    reserved = _RESERVED.search(address)
    # email-validator refuses names reserved for special use. Whether they get mail is for the DNS to say: it is shown
    # another top-level domain of the same length instead.
    shown = f"{address[: reserved.start()]}{'x' * len(reserved[0])}" if reserved else address
    validated = validate_email(
        shown,
        allow_smtputf8=True,
        allow_quoted_local=True,
        allow_domain_literal=allow_domain_literal,
        check_deliverability=False,
        globally_deliverable=require_top_level_domain,
    )
    if address.endswith("]"):
        return ""
    domain = validated.ascii_domain.lower()
    return f"{domain[: -len(reserved[0])]}{reserved[0].lower()}" if reserved else domain


_PROBLEMS = (
    (re.compile(r"\Z"), "it is empty"),
    (re.compile(r"\s|.*\s\Z", re.DOTALL), "there is a space or a line break around it"),
    (re.compile(r"[^@]*\Z"), "there is no @"),
    (re.compile(r"[^<]*<[^>]*>"), "it must be the address alone, without a name and angle brackets"),
    (re.compile(r"@"), "there is nothing before the @"),
    (re.compile(r".*@\Z", re.DOTALL), "there is nothing after the @"),
    (re.compile(r"[^\"]*\s", re.DOTALL), "there is a space in it"),
    (re.compile(r"[^@\"]*@[^@]*@"), "there is more than one @"),
    (re.compile(r"[^\"]*\.\."), "there are two dots in a row"),
    (re.compile(r"\.|[^@]*\.@"), "there is a dot at the start or the end of the part before the @"),
    (re.compile(r".*@(?:\.|.*\.\Z)", re.DOTALL), "there is a dot at the start or the end of the domain"),
    (re.compile(r".*@\[", re.DOTALL), "there is an IP address in place of the domain"),
    (re.compile(r".*@[^.@]*\Z", re.DOTALL), "the domain has no dot"),
)
_ATOMS = re.compile(r"[\w!#$%&'*+/=?^`{|}~.-]+@")


def _diagnosis(address: str) -> str:
    side = "after" if _ATOMS.match(address) else "before"
    unusual = f"the part {side} the @ has characters, or an order of them, that no address has"
    return next((problem for pattern, problem in _PROBLEMS if pattern.match(address)), unusual)
