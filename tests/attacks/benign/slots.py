"""Texts from templates: `@{name}` stands for one of the words of that name, which may have slots itself."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from random import Random

Stock = Mapping[str, Sequence[str]]

_SLOT = re.compile(r"@\{(\w{1,20})\}")

COMMON: Stock = {
    "thing": [
        "bicycle lamp",
        "winter coat",
        "coffee grinder",
        "bread knife",
        "guitar strap",
        "desk chair",
        "tent",
        "garden hose",
    ],
    "person": [
        "Bob",
        "Jane",
        "Dr. O'Neil",
        "my sister-in-law",
        "the kids",
        "Mr. D'Souza",
        "Aunt Mary",
        "our neighbour",
        "Zoë",
    ],
    "place": ["the station", "King's Cross", "the town hall", "Mum's house", "café Zoë", "the union hall", "room 4/B"],
    "table": [
        "users",
        "orders",
        "invoices",
        "products",
        "sessions",
        "employees",
        "customers",
        "log_entries",
        "order_items",
    ],
    "column": ["id", "name", "email", "created_at", "price", "status", "user_id", "quantity", "country", "last_login"],
    "name": ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi"],
    "var": ["x", "i", "total", "result", "items", "row", "data", "value", "count", "user", "node"],
    "func": ["process", "get_user", "load", "parse_line", "render", "compute", "handle", "save_all"],
    "file": ["report.csv", "data.json", "app.log", "notes.txt", "backup.tar.gz", "image.png", "config.yaml", "main.py"],
    "dir": ["src", "build", "/var/log", "~/projects", "/srv/data", "docs", "./node_modules", "/home/jane"],
    "os": ["Ubuntu 22.04", "Windows 11", "macOS 14.2", "Debian 12", "Alpine", "Fedora 39"],
    "when": [
        "on Tuesday",
        "tomorrow at 8",
        "after lunch",
        "next week",
        "since yesterday",
        "at 10:30 am",
        "by 5 o'clock",
    ],
    "url": ["https://example.com/docs?page=2&lang=en", "http://localhost:8080/", "https://example.org/a/b#c"],
}


def fill(rng: Random, template: str, stock: Stock = COMMON) -> str:
    """`template` with its slots filled; `@{n}` is a number from 2 to 99, `@{year}` a year of this century."""
    return _SLOT.sub(lambda slot: _word(rng, slot[1], stock), template)


def pick(rng: Random, templates: Sequence[str], stock: Stock = COMMON) -> str:
    """One of the `templates`, filled."""
    return fill(rng, rng.choice(templates), stock)


def some(rng: Random, templates: Sequence[str], most: int, separator: str = " ", stock: Stock = COMMON) -> str:
    """One to `most` of the `templates`, filled and joined."""
    chosen = rng.sample(templates, rng.randint(1, min(most, len(templates))))
    return separator.join(fill(rng, template, stock) for template in chosen)


def _word(rng: Random, name: str, stock: Stock) -> str:
    match name:
        case "n":
            return str(rng.randint(2, 99))
        case "year":
            return str(rng.randint(2001, 2026))
        case _:
            return fill(rng, rng.choice(stock.get(name) or COMMON[name]), stock)
