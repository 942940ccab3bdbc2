"""Long lists of short values, as clients send them: what there are many of, and each has a sign in it."""

from __future__ import annotations

import base64
import json
import string
from collections.abc import Callable
from random import Random

Kind = Callable[[Random], str]

_SYLLABLES = ("ba", "do", "fi", "gu", "ka", "le", "mi", "no", "pu", "ra", "so", "te")
_COMMANDS = ("select", "update", "delete", "union", "echo", "cat", "curl", "print", "function", "alert", "script", "or")


def word(random: Random) -> str:
    """A word that means nothing; one of twenty thousand."""
    return "".join(random.choices(_SYLLABLES, k=4))


def number(random: Random, most: int = 999) -> int:
    return random.randrange(most)


def encoded(random: Random, size: int) -> str:
    return base64.b64encode(b"\x89" + random.randbytes(size - 1)).decode()


ORDINARY: dict[str, Kind] = {
    "prices": lambda r: f"${number(r)}.{number(r, 100):02}",
    "one price": lambda _: "$5.99",
    "shares": lambda r: f"{number(r, 100)}%",
    "bold numbers": lambda r: f"<b>{number(r)}</b>",
    "items of a list": lambda r: f'<li class="item">{word(r)} {word(r)}</li>',
    "links": lambda r: f'<a href="/{word(r)}/{number(r)}">{word(r)}</a>',
    "lines": lambda r: f"{word(r)}<br/>{word(r)}",
    "words of languages": lambda r: r.choice(_COMMANDS),
    "a word of a language and another": lambda r: f"{r.choice(_COMMANDS)} {word(r)}",
    "languages": lambda r: r.choice(["C++", "C#", "F#", ".NET", "Node.js", "R&D", "AT&T"]),
    "tokens": lambda r: encoded(r, 18),
    "thumbnails": lambda r: f"data:image/png;base64,{encoded(r, 90)}",
    "UUIDs": lambda r: "-".join([r.randbytes(size).hex() for size in (4, 2, 2, 2, 6)]),
    "addresses of mail": lambda r: f"{word(r)}@{word(r)}.example",
    "people with addresses": lambda r: f'"{word(r).title()} {word(r).title()}" <{word(r)}@{word(r)}.example>',
    "hashtags": lambda r: f"#{word(r)}",
    "phone numbers": lambda r: f"+1 ({number(r)}) {number(r)}-{number(r, 9999):04}",
    "numbers of articles": lambda r: f"A/{number(r)}-B;{number(r, 9)}",
    "names with apostrophes": lambda r: f"O'{word(r).title()} {word(r).title()}",
    "dates": lambda r: f"2024-{1 + number(r, 12):02}-{1 + number(r, 28):02}T{number(r, 24):02}:00:00+00:00",
    "coordinates": lambda r: f"{r.uniform(-90, 90):.5f},{r.uniform(-180, 180):.5f}",
    "degrees": lambda r: f"{number(r, 90)}°{number(r, 60)}'{number(r, 60)}\"N",
    "colours": lambda r: f"#{r.getrandbits(24):06x}",
    "rules of style": lambda r: f".{word(r)} {{ color: #{r.getrandbits(24):06x}; }}",
    "addresses": lambda r: f"https://{word(r)}.example/{word(r)}?a={word(r)}&b={number(r)}#{word(r)}",
    "files of Windows": lambda r: f"C:\\Users\\{word(r)}\\{word(r)}{number(r)}.docx",
    "files of logs": lambda r: f"/var/log/{word(r)}/{word(r)}{number(r)}.log",
    "files of settings": lambda r: f"/etc/{word(r)}/{word(r)}{number(r)}.conf",
    "files of programs": lambda r: f"/usr/share/{word(r)}/{word(r)}{number(r)}.py",
    "versions": lambda r: f">={number(r, 99)}.{number(r, 99)},<{number(r)}",
    "formulas": lambda r: f"\\frac{{{number(r)}}}{{{word(r)}}}",
    "places to fill in": lambda r: f"${{{word(r)}}}",
    "texts to fill in": lambda r: f"Hello {{{{{word(r)}}}}}, welcome",
    "escaped text": lambda r: f"{word(r)}\\n{word(r)}\\u00e9",
    "resources": lambda r: f"arn:aws:s3:::{word(r)}/{word(r)}/*",
    "records within JSON": lambda r: json.dumps({"id": number(r), "name": word(r), "price": f"${number(r)}"}),
    "snippets within JSON": lambda r: json.dumps({"a": f"<b>{word(r)}</b>", "b": [word(r)]}),
}
"""Never denied."""

TECHNICAL: dict[str, Kind] = {
    "patterns": lambda r: f"^[a-z]{{{number(r, 9)}}}{word(r)}\\d+$",
    "functions": lambda r: f"function {word(r)}() {{ return {number(r)}; }}",
    "relative files": lambda r: f"../{word(r)}/{word(r)}.png",
    "commands": lambda r: f"{r.choice(_COMMANDS)} -{r.choice(string.ascii_lowercase)} {word(r)}",
    "statements": lambda r: f"{word(r)}[{number(r)}] = {word(r)}({number(r)}) || {word(r)};",
}
"""May weigh; never too much to look at."""


def listed(kind: Kind, count: int, seed: int) -> list[str]:
    """So many of a kind."""
    random = Random(seed)
    return [kind(random) for _ in range(count)]
