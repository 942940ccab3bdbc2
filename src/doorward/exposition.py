"""Metrics as Prometheus reads them, written by hand: text exposition format 0.0.4, and OpenMetrics 1.0.

They differ in the name of a counter's family (OpenMetrics leaves out ``_total``), in what is escaped in a description,
and in the end of the text (``# EOF``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"

Labels = tuple[tuple[str, str], ...]


class Family(NamedTuple):
    """A metric: its type, what it says, and its labels."""

    kind: str
    about: str
    labels: tuple[str, ...] = ()


class Series(NamedTuple):
    """The samples of a metric that is no histogram: values by their labels."""

    name: str
    family: Family
    samples: Sequence[tuple[Labels, float]]


def document(series: Iterable[Series], *, openmetrics: bool = False) -> str:
    """All metrics as one text."""
    lines = [line for each in series for line in lines_of(each, openmetrics=openmetrics)]
    return "".join(f"{line}\n" for line in [*lines, *(["# EOF"] if openmetrics else [])])


def lines_of(series: Series, *, openmetrics: bool = False) -> Iterator[str]:
    """The lines of one metric."""
    full = f"{series.name}_total" if series.family.kind == "counter" else series.name
    yield from described(series.name if openmetrics else full, series.family, openmetrics=openmetrics)
    for labels, value in series.samples:
        yield sample(full, labels, value)


def described(name: str, family: Family, *, openmetrics: bool = False) -> Iterator[str]:
    """What a metric says, and its type."""
    about = family.about.replace("\\", "\\\\").replace("\n", "\\n")
    about = about.replace('"', _QUOTE) if openmetrics else about
    yield f"# HELP {name} {about}"
    yield f"# TYPE {name} {family.kind}"


def sample(name: str, labels: Iterable[tuple[str, str]], value: float) -> str:
    """One line with a value."""
    inner = ",".join(f'{label}="{escaped(text)}"' for label, text in labels)
    return f"{name}{{{inner}}} {value:.15g}" if inner else f"{name} {value:.15g}"


def escaped(text: str) -> str:
    """Text as a label's value; what UTF-8 cannot hold is replaced."""
    text = text.replace("\\", "\\\\").replace('"', _QUOTE).replace("\n", "\\n")
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def labelled(family: Family, values: Mapping[tuple[str, ...], float]) -> list[tuple[Labels, float]]:
    """Samples of a metric by the values of its labels, in their order."""
    return [(tuple(zip(family.labels, own, strict=True)), value) for own, value in values.items()]


_QUOTE = '\\"'

__all__ = [
    "OPENMETRICS",
    "TEXT",
    "Family",
    "Labels",
    "Series",
    "described",
    "document",
    "escaped",
    "labelled",
    "sample",
]
