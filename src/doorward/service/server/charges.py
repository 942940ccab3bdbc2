"""What a request was charged, as text that a client hands back to have it refunded: sealed, and good for one time."""

from __future__ import annotations

import hmac
import json
import os
from base64 import b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING, Any

from doorward import admin
from doorward.clock import NANOSECONDS
from doorward.effects import Algorithm, AskStore, Charge, Hit
from doorward.errors import StoreError
from doorward.service.server.reputation import SERVICE

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from doorward.effects import Effect, Verdict
    from doorward.runtime import Runtime

_KEY_NAME = f"{SERVICE}:secret"
_KEY_LASTS = 366 * 86_400.0
_MAC_BYTES = 16
_SECRET_BYTES = 32
_NUMBER_BYTES = 9
_MARGIN = 60.0
_as_json = json.JSONEncoder(separators=(",", ":")).encode  # json.dumps would make an encoder for each charge
_TRIES = 5


class Charges:
    """Seals charges, and takes them back.

    Args:
        runtime: The store.
        secret: What all workers seal with; by default made by the first of them, and kept in the store.
    """

    def __init__(self, runtime: Runtime, secret: bytes | None = None) -> None:
        self._runtime = runtime
        self._secret = secret

    def ready(self) -> Generator[Effect, Any, bool]:
        """See that there is a secret; whether there is. Raises StoreError."""
        for _ in range(_TRIES if self._secret is None else 0):
            known: bytes | None = yield AskStore("get", (_KEY_NAME,))
            if known is not None and len(known) == _SECRET_BYTES:
                self._secret = known
                break
            if (yield AskStore("add_if_absent", (f"{_KEY_NAME}:maker", 1.0))):
                yield AskStore("put", (_KEY_NAME, os.urandom(_SECRET_BYTES), _KEY_LASTS))
        return self._secret is not None

    @property
    def has_secret(self) -> bool:
        """Whether anything can be sealed."""
        return self._secret is not None

    def seal(self, site: str, hit: Hit, verdict: Verdict) -> str:
        """A charge as text."""
        # By its number it is known to have been taken back: two may be equal in all else.
        number = os.urandom(_NUMBER_BYTES).hex()
        fields = [number, hit.key, hit.algorithm.value, hit.max, hit.interval, hit.cost, verdict.at]
        content = _as_json(fields).encode()
        return urlsafe_b64encode(self._mac(site, content) + content).decode()

    def open(self, site: str, text: str) -> tuple[str, Charge] | None:
        """The charge that a text stands for, and its number; None for a forged one, or another site's."""
        try:
            raw = b64decode(text.encode("ascii"), b"-_", validate=True)
            sealed, content = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
            if not hmac.compare_digest(sealed, self._mac(site, content)):
                return None
            number, key, algorithm, most, interval, cost, at = json.loads(content)
            return number, Charge(Hit(key, Algorithm(algorithm), most, interval, cost), at)
        except (ValueError, TypeError):
            return None

    def take_back(self, site: str, texts: Sequence[str]) -> Generator[Effect, Any, int]:
        """Refund charges, each once; how many. Raises StoreError; what was marked until then stays charged."""
        refunded = 0
        if not texts or not (yield from self.ready()):
            return refunded
        for text in dict.fromkeys(texts):
            opened = self.open(site, text)
            if opened is None:
                self._runtime.journal.count("refund.refused")
            elif (yield from self._is_first(*opened)):
                yield from admin.refund(self._runtime, [opened[1]])
                refunded += 1
        return refunded

    def _is_first(self, number: str, charge: Charge) -> Generator[Effect, Any, bool]:
        lasts = charge.hit.interval / NANOSECONDS + _MARGIN
        is_first: bool = yield AskStore("add_if_absent", (f"{SERVICE}:refund:{number}", lasts))
        if not is_first:
            self._runtime.journal.count("refund.repeated")
        return is_first

    def _mac(self, site: str, content: bytes) -> bytes:
        if self._secret is None:
            raise StoreError("there is no secret to seal charges with")
        message = b"%d:%b%b" % (len(site), site.encode(), content)
        return hmac.digest(self._secret, message, "sha256")[:_MAC_BYTES]


__all__ = ["Charges"]
