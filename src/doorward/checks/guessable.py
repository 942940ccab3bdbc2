"""Secrets and keys that could be guessed."""

from __future__ import annotations

from collections import Counter
from math import log2
from typing import TYPE_CHECKING

from doorward.checks.registry import CLIENT, Told, looks_for
from doorward.own_secrets import SHORTEST_SECRET

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorward.checks.subject import Subject

_LEAST_BITS = 32.0
"""By the text's own frequencies of characters. "aaaabbbbccccdddd" has these; of 100,000 draws of 16 random hexadecimal
digits the least had 32.3."""
_BESIDE = 96.0
"""What has to be there beside a word of an example, for it to be no example."""
_DEFAULTS = (
    b"change", b"secret", b"password", b"passwd", b"default", b"example", b"insecure", b"replace", b"your-", b"your_",
    b"todo", b"test", b"dev-key", b"devkey", b"placeholder", b"qwerty", b"letmein", b"123456", b"abcdef", b"xxxx",
    b"s3cr3t", b"foobar",
)  # fmt: skip
"""What stands in examples and templates, in lower case."""
_RANDOM = 'python -c "import secrets; print(secrets.token_urlsafe(32))"'


@looks_for("DW048", "a secret that can be guessed", "error", about="deployment")
def weak_secret(subject: Subject) -> Iterator[Told]:
    """``secret=`` or ``DOORWARD_SECRET``; each of several, since all are accepted."""
    settings = subject.settings
    found = [weakness(bytes(secret)) for secret in (settings.secret, *settings.former_secrets) if secret]
    why = next((why for why in found if why), "")
    if why:
        yield Told(
            CLIENT,
            f"the secret {why}: whoever guesses it makes tokens of their own, and passes every challenge",
            f"make one by {_RANDOM}, and set it as DOORWARD_SECRET",
        )


@looks_for("DW049", "a key of the service that is a placeholder", about="deployment")
def weak_key(subject: Subject) -> Iterator[Told]:
    """``key=`` or ``DOORWARD_KEY``, where there is a service."""
    settings = subject.settings
    if settings.service is None or settings.transport is not None:
        return
    why = weakness(settings.key.encode("utf-8", "surrogatepass"))
    if why:
        yield Told(
            CLIENT,
            f"the key of the service {why}: a service that checks keys refuses this application, and each rule goes on "
            "as its on_error says",
            "`doorward keys add NAME` prints one; set it as DOORWARD_KEY",
        )


def weakness(secret: bytes) -> str:
    """Why a secret is weak, as words to stand behind it, without any of its text; empty when it is not.

    What is long enough beside a word of :data:`_DEFAULTS` is not called weak for it: there may be one by chance.
    """
    text = rest = secret.lower()
    for default in _DEFAULTS:
        rest = rest.replace(default, b"")
    if rest != text and bits(rest) < _BESIDE:
        return "is, or contains, what stands in examples"
    if len(secret) < SHORTEST_SECRET:
        return f"has {len(secret)} bytes, fewer than {SHORTEST_SECRET}"
    if bits(secret) <= _LEAST_BITS:
        return "repeats a few characters"
    return ""


def bits(text: bytes) -> float:
    """Shannon's entropy of the bytes by their own frequencies: an upper bound for text that is not random."""
    counts = Counter(text)
    return sum(-count * log2(count / len(text)) for count in counts.values())
