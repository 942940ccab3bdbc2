"""An open page of the demonstration."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any


class Viewer:
    """An open page: reads the feed."""

    def __init__(self, demo: Any, **headers: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", demo.port, timeout=20)
        self.connection.request("GET", "/feed", headers=headers)
        self.response = self.connection.getresponse()

    def lines(self) -> Iterator[str]:
        while line := self.response.readline():
            yield line.decode().rstrip("\n")

    def decisions(self, count: int) -> list[dict[str, Any]]:
        """The next ``count`` decisions."""
        found = []
        for line in self.lines():
            if line.startswith("data: "):
                found.append(json.loads(line[6:]))
                if len(found) == count:
                    break
        return found

    def refusal(self) -> dict[str, Any]:
        """The next decision that refuses something."""
        while (decision := self.decisions(1)[0])["conclusion"] != "DENY":
            continue
        return decision
