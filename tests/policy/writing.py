"""Writes values as TOML and YAML in many layouts, and knows on which line each has come to stand."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

Place = tuple[str | int, ...]


class Toml:
    """A text that grows.

    Args:
        draw: Of hypothesis: chooses the layout.
    """

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.text = ""
        self.lines: dict[Place, int] = {}

    def note(self, place: Place) -> None:
        self.lines.setdefault(place, self.text.count("\n") + 1)

    def table(self, table: dict[str, Any], place: Place = ()) -> None:
        """A table's own pairs, then its tables, then its lists of tables under headers."""
        headed = [key for key, value in table.items() if is_table(value) and self.draw(st.booleans())]
        listed = [key for key, value in table.items() if is_tables(value) and self.draw(st.booleans())]
        for key, value in table.items():
            if key not in headed and key not in listed:
                self.space()
                self.note((*place, key))
                self.text += f"{self.key(key)}{self.blank()}={self.blank()}"
                self.value(value, (*place, key))
                self.end()
        for key in headed:
            self.header((*place, key), "[", "]")
            self.table(table[key], (*place, key))
        for key in listed:
            for position, inner in enumerate(table[key]):
                self.header((*place, key), "[[", "]]", position)
                self.table(inner, (*place, key, position))

    def header(self, place: Place, left: str, right: str, position: int | None = None) -> None:
        self.space()
        self.note(place)
        if position is not None:
            self.note((*place, position))
        name = f"{self.blank()}.{self.blank()}".join(self.key(part) for part in place if isinstance(part, str))
        self.text += f"{left}{self.blank()}{name}{self.blank()}{right}"
        self.end()

    def value(self, value: Any, place: Place) -> None:
        if isinstance(value, list):
            self.text += "["
            for position, inner in enumerate(value):
                self.space()
                self.note((*place, position))
                self.value(inner, (*place, position))
                self.space()
                self.text += "," if position < len(value) - 1 or self.draw(st.booleans()) else ""
            self.space()
            self.text += "]"
        elif isinstance(value, dict):
            self.text += "{"
            for position, (key, inner) in enumerate(value.items()):
                self.note((*place, key))
                self.text += f"{',' if position else ''}{self.blank()}{self.key(key)} = "
                self.value(inner, (*place, key))
            self.text += f"{self.blank()}}}"
        elif isinstance(value, str):
            self.text += self.string(value)
        else:
            self.text += json.dumps(value).replace("Infinity", "inf").replace("NaN", "nan")

    def string(self, value: str) -> str:
        forms = [basic(value)]
        plain = value.isprintable() and value.isascii()
        if plain and "'" not in value:
            forms.append(f"'{value}'")
            forms.append(f"'''\n{value}'''")
        if plain and '"' not in value and "\\" not in value:
            forms.append(f'"""\n{value}"""')
            forms.append(f'"""\\\n   \n  {value}"""' if value and value[0] != " " else f'"""{value}"""')
        return self.draw(st.sampled_from(forms))

    def key(self, key: str) -> str:
        bare = key and key.isascii() and key.replace("_", "").replace("-", "").isalnum()
        forms = [basic(key), *([key, key] if bare else []), *([f"'{key}'"] if bare else [])]
        return self.draw(st.sampled_from(forms))

    def blank(self) -> str:
        return self.draw(st.sampled_from(["", " ", "\t  "]))

    def space(self) -> None:
        self.text += self.draw(st.sampled_from(["", " ", "\n", "# a [comment] = \"'''\n", "\n\n  # é\n\t"]))

    def end(self) -> None:
        self.text += self.draw(st.sampled_from(["\n", "  # [x] \n", "\r\n"]))


def basic(text: str) -> str:
    """A string of TOML; its escapes are nearly JSON's."""
    escaped = json.dumps(text, ensure_ascii=False)
    return "".join(c if c >= " " and c != "\x7f" else f"\\u{ord(c):04x}" for c in escaped)


def is_table(value: Any) -> bool:
    return isinstance(value, dict)


def is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(is_table, value))


def all_places(value: Any, place: Place = ()) -> list[Place]:
    """Where anything stands in a value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, inner in items for found in [(*place, key), *all_places(inner, (*place, key))]]


def toml(draw: st.DrawFn, data: dict[str, Any]) -> Toml:
    """Data as TOML in a drawn layout."""
    made = Toml(draw)
    made.table(data)
    return made
