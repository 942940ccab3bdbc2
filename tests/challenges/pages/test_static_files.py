"""Attacks on the static files: other methods, other paths, and scripts that not all browsers of people can read."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest
from tests.challenges.work.asking import shop, visitor

from doorward.challenges.assets import assets, url_of

SCRIPTS = sorted(name for name in assets() if name.endswith(".js"))
# Optional chaining, nullish coalescing, logical assignment, class fields with #, numeric separators, /v flags …
_TOO_NEW = re.compile(r"\?\.[A-Za-z_$(\[]|\?\?|\|\|=|&&=|\.replaceAll\(|\.at\(|\bstructuredClone\(|\bawait import\(")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_files_are_only_read(method: str) -> None:
    """405 with Allow (RFC 9110 section 15.5.6), and not the file."""
    reply = visitor(shop())(url_of("page.js", "/.doorward"), method)
    assert (reply.status, reply.headers["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    "path",
    ["", "/", "page.js", "../gate.py", "..%2fgate.py", "..\\gate.py", "/etc/passwd", "page.js\x00", "%00",
     "words/de.json", "//page.js", "./page.js", "\u202epage.js"],
)  # fmt: skip
def test_nothing_else_is_served(path: str) -> None:
    """Files are found by their names in a table; no path is ever put together."""
    assert visitor(shop())(f"/.doorward/static/{path}").status == 404


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_are_read_by_old_telephones(name: str) -> None:
    """iOS 12 and Android 4.4 end at ECMAScript 2019. One "?." more, and the whole file is nothing to them.

    Who has such a telephone could not pass the kind ``browser``, however often it was tried.
    """
    text = files("doorward.challenges").joinpath("static", name).read_text()
    code = "\n".join(line.partition("// ")[0] for line in text.splitlines())
    assert not _TOO_NEW.findall(code)
