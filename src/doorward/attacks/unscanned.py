"""What could not be looked at, and what that weighs.

These weights are not in ``rules/*.toml``: they are about no text, so that there are no examples that must match.
An attacker who hides behind what is not looked at pays with them at every request.
"""

from __future__ import annotations

from doorward.attacks.evidence import Family, Finding, Place


def _finding(rule: str, weight: float, place: Place, reason: str) -> Finding:
    return Finding(Family.UNSCANNED, f"unscanned.{rule}", weight, place, "", 0, "", reason)


COMPRESSED = _finding("compressed", 0.2, Place.BODY, "the body is compressed, which is not undone")
"""Rare in requests, and honest where it happens: agents that send telemetry, build tools."""
TOO_LONG = _finding("too_long", 0.6, Place.BODY, "the body is longer than what is looked at")
"""Honest imports are so long, too; some in a row are not how people use forms."""
PADDED = _finding("padded", 1.0, Place.BODY, "the body is padded to be longer than what is looked at")
"""What is held of it can be compressed to a two-hundredth: nobody's data is so empty, and so long."""
TRUNCATED_PART = _finding("truncated_part", 0.4, Place.MULTIPART, "the form is longer than what is looked at")
"""A form that is so long without a file in it. Where the limit falls into a file, this is not said."""
UNKNOWN_CHARSET = _finding("charset", 0.2, Place.BODY, "the body is said to be in a charset that is not known")
"""Misspelt by honest programs now and then; read as UTF-8 all the same."""
NO_BOUNDARY = _finding("no_boundary", 0.4, Place.MULTIPART, "the parts of the form cannot be told apart")
"""No boundary, or none that occurs in the body: read as raw text all the same."""
TWO_BOUNDARIES = _finding("two_boundaries", 1.0, Place.MULTIPART, "two different boundaries are declared")
"""Servers differ in which they take; no client has a reason for it."""
STRAY_BOUNDARY = _finding("stray_boundary", 0.5, Place.MULTIPART, "the boundary stands where it separates nothing")
"""Clients choose it at random, so that it does not occur within a part. Parsers differ in whether it ends one."""
TWO_NAMES = _finding("two_names", 0.6, Place.MULTIPART, "a part has two different names")
"""Servers differ in which they take; some broken clients may do it."""
TWO_TYPES = _finding("two_types", 0.5, Place.BODY, "two different types are declared for the body")
"""Servers differ in which they take; proxies that add a line of their own exist."""
TOO_MANY_PARTS = _finding("too_many_parts", 0.4, Place.MULTIPART, "the form has more parts than servers accept")
"""Past 10,000: frameworks stop at 1,000 or earlier. All are looked at."""
TOO_NESTED = _finding("nested_parts", 0.6, Place.MULTIPART, "multipart bodies are nested too deep")
"""Browsers nest none, and old ones nested one."""
