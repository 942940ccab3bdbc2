"""The documentation of installed packages: paragraphs of their descriptions and of docstrings.

What is installed decides what is written here: these rows are the same only in the same environment.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from random import Random

from .encodings import chance, get, letters, multipart, post_json, submit
from .model import Draft, Topic

# Our own documentation is about attacks, and changes with the detectors that are measured here.
_LEFT_OUT = {"doorward"}
_MODULES = [
    "argparse",
    "ast",
    "base64",
    "bisect",
    "calendar",
    "codecs",
    "collections",
    "configparser",
    "contextlib",
    "csv",
    "dataclasses",
    "datetime",
    "decimal",
    "difflib",
    "email.message",
    "fileinput",
    "fnmatch",
    "functools",
    "glob",
    "hashlib",
    "html",
    "html.parser",
    "http.client",
    "http.cookies",
    "http.server",
    "inspect",
    "io",
    "ipaddress",
    "itertools",
    "json",
    "json.decoder",
    "locale",
    "logging",
    "logging.config",
    "mimetypes",
    "optparse",
    "os",
    "os.path",
    "pathlib",
    "pickle",
    "platform",
    "posixpath",
    "pprint",
    "random",
    "re",
    "secrets",
    "shelve",
    "shlex",
    "shutil",
    "smtplib",
    "socket",
    "sqlite3",
    "ssl",
    "statistics",
    "string",
    "struct",
    "subprocess",
    "tempfile",
    "textwrap",
    "time",
    "traceback",
    "types",
    "unicodedata",
    "unittest.mock",
    "urllib.parse",
    "urllib.request",
    "uuid",
    "warnings",
    "xml.dom.minidom",
    "xml.etree.ElementTree",
    "xml.sax.saxutils",
    "xmlrpc.client",
    "zipfile",
]
_SHORTEST, _LONGEST = 40, 1800


def _pieces(text: str, rng: Random) -> Iterator[str]:
    """Runs of one to three paragraphs of `text`; what is longer than `_LONGEST` is cut."""
    paragraphs = [paragraph.strip("\n") for paragraph in text.split("\n\n") if paragraph.strip()]
    start = 0
    while start < len(paragraphs):
        count = rng.randint(1, 3)
        piece = "\n\n".join(paragraphs[start : start + count])[:_LONGEST]
        start += count
        if len(piece) >= _SHORTEST:
            yield piece


def _descriptions() -> list[str]:
    """What the installed distributions say about themselves, by name."""
    found = {dist.metadata["Name"].lower(): dist for dist in metadata.distributions() if dist.metadata["Name"]}
    return [_description(found[name]) for name in sorted(found.keys() - _LEFT_OUT)]


def _description(dist: metadata.Distribution) -> str:
    body = dist.metadata.json.get("description", "")
    return body if isinstance(body, str) else "\n\n".join(body)


def _docstrings() -> Iterator[str]:
    """Of modules and their public classes and functions: what a test run puts into a module is none of these."""
    for name in _MODULES:
        module = importlib.import_module(name)
        yield inspect.getdoc(module) or ""
        for label, member in sorted(vars(module).items()):
            documented = inspect.isclass(member) or inspect.isroutine(member)
            if documented and member.__module__ == name and not label.startswith("_"):
                yield inspect.getdoc(member) or ""


@cache
def _paragraphs(origin: str) -> tuple[str, ...]:
    texts = _descriptions() if origin == "packages" else list(_docstrings())
    rng = Random(f"pieces:{origin}")
    return tuple(dict.fromkeys(piece for text in texts for piece in _pieces(text, rng)))


def _sent(rng: Random, piece: str) -> Draft:
    match rng.randint(0, 3):
        case 0:
            return get(rng, "/search", {"q": piece[:400], "in": "docs"})
        case 1:
            return post_json(rng, "/api/index", {"documents": [{"id": letters(rng, 8), "text": piece}], "lang": "en"})
        case 2:
            return multipart(rng, "/translate", {"source": piece, "target": "de"})
        case _:
            return submit(rng, "/comments", {"comment": piece, "parent": str(rng.randint(1, 999))})


def _from_packages(rng: Random) -> Draft:
    return _sent(rng, rng.choice(_paragraphs("packages")))


def _from_docstrings(rng: Random) -> Draft:
    piece = rng.choice(_paragraphs("docstrings"))
    return _sent(rng, piece.replace("\n", " ") if chance(rng, 0.2) else piece)


TOPICS = (
    Topic("package-description", "technical", 450, _from_packages),
    Topic("docstring", "technical", 350, _from_docstrings),
)
