"""A form that an application has parsed already, written down again: its body is gone, its fields are not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from doorward.context import RequestContext

_BOUNDARY = re.compile(r'boundary="?([^";,\s]{1,200})', re.IGNORECASE)
_QUOTED = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})
"""As browsers write names (WHATWG HTML, "multipart form data")."""


def body_again(request: RequestContext, *forms: Any) -> bytes | None:
    """A body with the fields of ``forms``: mappings of several values a name, some of them files; None without any.

    Of files it has the names.
    """
    fields = [field for form in forms if form for field in _fields(form)]
    kind = request.headers.get("content-type")
    if not fields:
        return None
    if not kind.strip().lower().startswith("multipart/"):
        return urlencode(fields).encode()
    boundary = _BOUNDARY.search(kind)
    return b"".join(_parts(fields, boundary[1])) if boundary else None


def _fields(form: Any) -> Iterable[tuple[str, Any]]:
    """Names and values, however the framework calls them: Starlette, Werkzeug, Django."""
    if hasattr(form, "multi_items"):
        yield from form.multi_items()
    elif hasattr(form, "lists"):
        for name, values in form.lists():
            for value in values:
                yield name, value


def _parts(fields: Iterable[tuple[str, Any]], boundary: str) -> Iterator[bytes]:
    for name, value in fields:
        is_file = not isinstance(value, str)
        file_name = getattr(value, "filename", None) or getattr(value, "name", None) or ""
        more = f'; filename="{str(file_name).translate(_QUOTED)}"' if is_file else ""
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name.translate(_QUOTED)}"{more}\r\n\r\n'
        yield (head + ("" if is_file else value) + "\r\n").encode("utf-8", "surrogateescape")
    yield f"--{boundary}--\r\n".encode()
