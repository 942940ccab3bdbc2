"""Requests in which attacks are looked for: a page asked for, an order as JSON, a form of ten fields."""

from __future__ import annotations

import io
import json
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

from benchmarks.traffic import HEADERS, QUERY, address, agent, asgi_scope, timed_asgi, timed_wsgi, wsgi_environ

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benchmarks.common import Call

FEW = 1_000
_ITEMS = ("shoes", "boots", "lamps", "jackets", "chairs")
_SENTENCES = (
    "The {item} arrived on Monday, and they're great value for money (really).",
    "Please deliver order {number} to Main Street 5 before noon; the bell doesn't work.",
    "We would like red {item} instead of blue ones, if that is still possible.",
    "Call us & ask for Mr. O'Neill about invoice {number}: he knows the details.",
    "Is there a discount for more than {number} pieces?",
    "I've selected the {item} from the list, but the price of {number} € was not updated.",
    'My sister said: "Drop them & update your order where you can"; so I did.',
    "Size {number} is too small, the next one of these {item} fits.",
    "Thanks a lot & see you soon!",
)
_NAMES = ("Jane O'Brien", "Max Müller", "Li Wei", "Zoë D'Angelo")


class Submission(NamedTuple):
    """What differs from one request to the next.

    Attributes:
        client: The client's address.
        headers: Name and value of each line; those of a body are added.
        query: The query, as sent.
        kind: Content type of the body; empty where there is none, as in a GET.
        body: The body.
    """

    client: str
    headers: list[tuple[str, str]]
    query: str = QUERY
    kind: str = ""
    body: bytes = b""

    def asgi(self) -> dict[str, Any]:
        """As the scope of a server."""
        lines = [(name.encode(), value.encode()) for name, value in [*self.headers, *self._of_body()]]
        own = {"method": self._method(), "query_string": self.query.encode(), "headers": lines}
        return asgi_scope(self.client) | own

    def wsgi(self) -> dict[str, Any]:
        """As the environ of a server."""
        lines = {"HTTP_" + name.upper().replace("-", "_"): value for name, value in self.headers}
        lines |= {name.upper().replace("-", "_"): value for name, value in self._of_body()}
        own = {"REQUEST_METHOD": self._method(), "QUERY_STRING": self.query, "wsgi.input": io.BytesIO(self.body)}
        return wsgi_environ(self.client) | own | lines

    def _method(self) -> str:
        return "POST" if self.kind else "GET"

    def _of_body(self) -> list[tuple[str, str]]:
        return [("content-type", self.kind), ("content-length", str(len(self.body)))] if self.kind else []


def sentences(rng: Random, count: int) -> str:
    """As many ordinary sentences, of about ten words each."""
    chosen = rng.choices(_SENTENCES, k=count)
    return " ".join(each.format(number=rng.randrange(10**5), item=rng.choice(_ITEMS)) for each in chosen)


def order(number: int) -> dict[str, Any]:
    """One record of an API, another for each number: about 500 bytes as JSON."""
    rng = Random(number)
    return {
        "id": number,
        "name": rng.choice(_NAMES),
        "email": f"user{number}@example.com",
        "url": f"https://shop.example/items/{number}?ref=mail&page={number % 90}",
        "created": f"2024-05-{number % 28 + 1:02d}T12:{number % 60:02d}:00Z",
        "items": [{"sku": f"SKU-{rng.randrange(10**6):06d}", "count": rng.randrange(9), "price": 9.99}],
        "tags": rng.choices(("red", "summer", "sale", "new in"), k=3),
        "note": sentences(rng, 3),
        "gift": False,
    }


def _seen_before(number: int) -> Submission:
    return Submission(address(number % FEW), HEADERS)


def _all_new(number: int) -> Submission:
    rng = Random(number)
    own = {
        "user-agent": agent(number),
        "cookie": f"session={rng.randbytes(10).hex()}; theme=dark; cart={rng.randrange(10**9)}",
        "referer": f"https://shop.example/items?page={number}&sort=price",
    }
    headers = [(name, own.get(name, value)) for name, value in HEADERS]
    return Submission(address(number), headers, f"q={rng.choice(_ITEMS)}+{rng.randrange(50)}&page={number}")


def _json(number: int) -> Submission:
    body = json.dumps({"order": order(number), "text": sentences(Random(-number), 8)}).encode()
    return Submission(address(number % FEW), HEADERS, "", "application/json", body)


def _form(number: int) -> Submission:
    rng = Random(number)
    fields = {
        "name": rng.choice(_NAMES), "email": f"user{number}@example.com", "company": "Miller & Sons (Holding) Ltd.",
        "street": f"Main Street {number % 300}", "city": "São Paulo", "postcode": f"{number % 10**5:05d}",
        "country": "Brazil", "phone": f"+55 11 {number % 10**7:07d}", "subject": f"Order {number}",
        "message": sentences(rng, 5),
    }  # fmt: skip
    kind = "application/x-www-form-urlencoded"
    return Submission(address(number % FEW), HEADERS, "", kind, urlencode(fields).encode())


SUBMISSIONS: Mapping[str, Callable[[int], Submission]] = {
    "GET, headers seen before": _seen_before,
    "GET, all new": _all_new,
    "POST, 1 kB of JSON": _json,
    "POST, form of 10 fields": _form,
}
"""By what tables call them; each makes the request of that number."""


def asgi_submissions(app: Any, kind: str) -> Call:
    """Time an ASGI application on requests of one of :data:`SUBMISSIONS`."""
    make = SUBMISSIONS[kind]

    def prepare(number: int) -> tuple[dict[str, Any], bytes]:
        sent = make(number)
        return sent.asgi(), sent.body

    return timed_asgi(app, prepare)


def wsgi_submissions(app: Any, kind: str) -> Call:
    """As :func:`asgi_submissions`, of a WSGI application."""
    make = SUBMISSIONS[kind]
    return timed_wsgi(app, lambda number: make(number).wsgi())
