"""What the word stocks of the languages are made of."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Language:
    """The words of one language, enough to fill in forms and to write short texts."""

    code: str
    given: tuple[str, ...]
    family: tuple[str, ...]
    cities: tuple[str, ...]
    streets: tuple[str, ...]
    words: tuple[str, ...]
    sentences: tuple[str, ...]

    def name(self, rng: Random) -> str:
        return f"{rng.choice(self.given)} {rng.choice(self.family)}"

    def text(self, rng: Random, most: int = 4) -> str:
        """One to `most` sentences."""
        return " ".join(rng.sample(self.sentences, rng.randint(1, min(most, len(self.sentences)))))


def language(code: str, stock: str) -> Language:
    """A language from lines `key: item | item`; a line without a key is a sentence."""
    items: dict[str, list[str]] = {key: [] for key in ("given", "family", "cities", "streets", "words", "sentences")}
    for key, item in _items(stock, items):
        items[key].append(item)
    return Language(code, **{key: tuple(found) for key, found in items.items()})


def _items(stock: str, keys: dict[str, list[str]]) -> Iterator[tuple[str, str]]:
    for line in filter(None, map(str.strip, stock.splitlines())):
        key, colon, rest = line.partition(": ")
        if colon and key in keys:
            yield from ((key, item.strip()) for item in rest.split("|"))
        else:
            yield "sentences", line
