"""Where a client may be sent: paths of this site, and nothing that some browser takes for more than that."""

from __future__ import annotations

import re

AS_IT_IS = "%/:?@!$&'()*+,;=~-._[]#"
"""What stands in targets unescaped, besides letters and digits."""

_SAFE = re.compile(r"/(?![/\\])[\x21\x23-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7e]*")
"""After the first "/" no second slash of either kind, and only what URLs are written with (RFC 3986 section 2): no
control character, white space, quote, backslash, nor anything that is not ASCII."""


def safe_target(target: str, longest: int) -> str:
    """``target`` where it is a path of this site with its query; else ``/``."""
    return target if len(target) <= longest and _SAFE.fullmatch(target) else "/"


def mounted(root_path: str) -> str:
    """The path that an application is mounted at, as URLs have it; empty for what would lead to another site.

    Frameworks decode it, and where a mount has parameters, as in ``Mount("/{tenant}", …)``, the client has written it.
    """
    from urllib.parse import quote  # few requests are challenged, and few applications mounted

    # Without ";", which would end the path of a cookie.
    quoted = quote(root_path.rstrip("/"), safe="/:@!$&'()*+,=~-._", errors="replace")
    return quoted if _SAFE.fullmatch(quoted) else ""
