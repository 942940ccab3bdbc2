"""Secrets and keys that could be guessed, or are not there."""

from __future__ import annotations

from collections import Counter
from math import log2
from typing import TYPE_CHECKING

from doorward.checks.registry import CLIENT, Told, looks_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorward.checks.subject import Subject

_SHORTEST = 16
"""Bytes: 128 bits, the least that RFC 4086 section 8.2 and OWASP ask of what signs sessions."""
_LEAST_BITS = 48.0
"""Of the text's own frequencies of characters: what 16 random hexadecimal digits have in 999 of 1,000 draws."""
_DEFAULTS = (
    "change", "secret", "password", "passwd", "default", "example", "insecure", "replace", "your-", "your_", "todo",
    "test", "dev-key", "devkey", "placeholder", "qwerty", "letmein", "123456", "abcdef", "xxxx", "s3cr3t", "foobar",
)  # fmt: skip
"""What stands in examples and templates, in lower case."""
_RANDOM = 'python -c "import secrets; print(secrets.token_urlsafe(32))"'


@looks_for("DW048", "a secret that can be guessed", "error", about="deployment")
def weak_secret(subject: Subject) -> Iterator[Told]:
    """``secret=`` or ``DOORWARD_SECRET``."""
    secret = bytes(subject.settings.secret)
    why = weakness(secret) if secret else ""
    if why:
        yield Told(
            CLIENT,
            f"the secret {why}: whoever guesses it makes tokens of their own, and passes every challenge",
            f"make one by {_RANDOM}, and set it as DOORWARD_SECRET",
        )


@looks_for("DW049", "a key of the service that is missing or a placeholder", about="deployment")
def weak_key(subject: Subject) -> Iterator[Told]:
    """``key=`` or ``DOORWARD_KEY``, where there is a service."""
    settings = subject.settings
    if settings.service is None or settings.transport is not None:
        return
    why = weakness(settings.key.encode("utf-8", "surrogatepass")) if settings.key else "is missing"
    if why:
        yield Told(
            CLIENT,
            f"the key of the service {why}: a service that checks keys refuses this application, and each rule goes on "
            "as its on_error says",
            "`doorward keys add NAME` prints one; set it as DOORWARD_KEY",
        )


def weakness(secret: bytes) -> str:
    """Why a secret is weak, as words to stand behind it, without any of its text; empty when it is not.

    Random text has a default of :data:`_DEFAULTS` in it by chance about once in a million draws; what is long enough
    beside the default is not called weak for it.
    """
    text = secret.decode("latin-1").lower()
    known = next((default for default in _DEFAULTS if default in text), "")
    if known and bits(secret.lower().replace(known.encode(), b"")) < 2 * _LEAST_BITS:
        return "is, or contains, what stands in examples"
    if len(secret) < _SHORTEST:
        return f"has {len(secret)} bytes, fewer than {_SHORTEST}"
    if bits(secret) < _LEAST_BITS:
        return "repeats a few characters"
    return ""


def bits(text: bytes) -> float:
    """Shannon's entropy of the bytes by their own frequencies: an upper bound for text that is not random."""
    counts = Counter(text)
    return sum(-count * log2(count / len(text)) for count in counts.values())
