"""Who may look at the pages: one operator, by a password.

What is kept, readable by its owner only: the password as a scrypt hash in one file; in a folder that all workers of
the service share, a random secret that sessions are signed with, and marks of the sessions that were ended. A session
is a signed cookie: nothing else is kept about it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
import unicodedata
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from doorward.client import AsyncDoorward
from doorward.clock import NANOSECONDS, SystemClock
from doorward.errors import ConfigurationError, DataError
from doorward.reason import RateLimitReason, whole_seconds
from doorward.rules.limits import sliding_window

if TYPE_CHECKING:
    from collections.abc import Mapping

    from anyio import CapacityLimiter

    from doorward.clock import Clock

SHORTEST, LONGEST = 10, 256
"""Characters of a password."""
SESSION_SECONDS = 12 * 3600
FORM_SECONDS = 3600
PER_ADDRESS, IN_ALL, WINDOW = 5, 60, "5m"
"""Wrong passwords that are looked at, in any such window."""

COST = (2**15, 8, 3)
"""N, r and p of scrypt: 32 MiB and about 0.3 s (OWASP Password Storage Cheat Sheet, 2024)."""
_AT_ONCE, _MOST_WAITING = 1, 4
_MOST_MEMORY = 128 * 2**20
_SCHEME = "doorward-scrypt-1"


class Session(NamedTuple):
    """Somebody who has logged in, or, before that, who was shown the form.

    Attributes:
        id: Random; no secret is in it, but it names the session: not for logs.
        ends: Seconds since the Unix epoch.
    """

    id: str
    ends: int


class Refused(NamedTuple):
    """Why nobody was let in.

    Attributes:
        status: As HTTP has it.
        why: For the person who tried.
        retry_seconds: When to try again; 0 for at once.
    """

    status: int
    why: str
    retry_seconds: int = 0


# --- the password


def set_password(path: str | Path, text: str) -> None:
    """Keep the hash of a password, in the place of the one before. All sessions end.

    Raises:
        ConfigurationError: It is too short or too long.
        DataError: The file cannot be written.
    """
    if not SHORTEST <= len(text) <= LONGEST:
        raise ConfigurationError("password", f"must have {SHORTEST} to {LONGEST} characters")
    salt = os.urandom(16)
    fields = [_SCHEME, *map(str, COST), _text(salt), _text(_stretched(text, salt, COST))]
    _replace(Path(path), ":".join(fields).encode())


def first_password() -> str:
    """A password that is made up: 20 letters and digits in fours, 99 bits."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(5))


class _Kept(NamedTuple):
    """A password as its file has it."""

    cost: tuple[int, int, int]
    salt: bytes
    stretched: bytes
    line: bytes

    def fits(self, text: str) -> bool:
        return hmac.compare_digest(_stretched(text, self.salt, self.cost), self.stretched)


def _kept(path: Path) -> _Kept:
    try:
        line = path.read_bytes().strip()
        scheme, n, r, p, salt, stretched = line.decode("ascii").split(":")
        if scheme == _SCHEME:
            return _Kept((int(n), int(r), int(p)), _bytes(salt), _bytes(stretched), line)
    except OSError as error:
        raise DataError(path, f"the operator's password cannot be read: {error.strerror}") from error
    except ValueError:
        pass
    raise DataError(path, "is no file with a password; set the password again")


def _stretched(text: str, salt: bytes, cost: tuple[int, int, int]) -> bytes:
    n, r, p = cost
    password = unicodedata.normalize("NFKC", text).encode("utf-8", "surrogatepass")
    return hashlib.scrypt(password, salt=salt, n=n, r=r, p=p, maxmem=_MOST_MEMORY, dklen=32)


# --- the sessions


class Login:
    """Lets the operator in, and knows who is.

    Args:
        path: The file of the password: :func:`set_password` writes it.
        folder: Shared by all workers of the service; made where it is missing.
        store: Counts attempts: a store's URL, or a store. In ``memory://`` each worker counts for itself.
        proxies: Which hops are trusted to tell the address that attempts come from: see :mod:`doorward.client_ip`.
        clock: The time.

    Raises:
        ConfigurationError: An argument is wrong.
        DataError: The folder cannot be used.
    """

    def __init__(
        self,
        path: str | Path,
        folder: str | Path,
        *,
        store: object = "memory://",
        proxies: object = "private",
        clock: Clock | None = None,
    ) -> None:
        self._path = Path(path)
        self._folder = Path(folder)
        self._clock = clock or SystemClock()
        self._secret = _shared_secret(self._folder)
        self._waiting = 0
        self._limiter: CapacityLimiter | None = None
        rules = [
            sliding_window(max=PER_ADDRESS, interval=WINDOW, name="login-address"),
            sliding_window(max=IN_ALL, interval=WINDOW, name="login-all", characteristics=("everybody",)),
        ]
        self._attempts = AsyncDoorward(
            rules,
            store=store,  # type: ignore[arg-type]  # checked there, with a message
            proxies=proxies,  # type: ignore[arg-type]  # the same
            name="doorward-login",
            clock=self._clock,
        )

    async def open(self, scope: Mapping[str, object], password: str) -> str | Refused:
        """The cookie of a new session, if the password is right.

        Args:
            scope: Of the ASGI request that brought it.
            password: As typed.

        Raises:
            DataError: There is no password, or its file is damaged.
        """
        kept = _kept(self._path)
        attempt = await self._attempts.protect(scope, characteristics={"everybody": "all"})
        if attempt.is_denied():
            seconds = attempt.reason.reset_seconds if isinstance(attempt.reason, RateLimitReason) else 60
            return Refused(429, "Too many attempts.", whole_seconds(seconds))
        if self._waiting >= _MOST_WAITING:
            return Refused(503, "Others are logging in.", 1)
        if not await self._fits(kept, password):
            return Refused(403, "That is not the password.")
        await attempt.refund()
        return self._signed(b"session", kept.line, SESSION_SECONDS)

    async def _fits(self, kept: _Kept, password: str) -> bool:
        """Compares on a thread, one at a time: neither memory nor processors can be had by guessing."""
        from anyio import CapacityLimiter, to_thread

        self._limiter = self._limiter or CapacityLimiter(_AT_ONCE)
        self._waiting += 1
        try:
            return await to_thread.run_sync(kept.fits, password[: LONGEST + 1], limiter=self._limiter)
        finally:
            self._waiting -= 1

    def session(self, cookie: str | None) -> Session | None:
        """Whose cookie it is; None if it is forged, over, ended, or older than the password.

        Raises:
            DataError: There is no password, or its file is damaged.
        """
        if not cookie:
            return None
        session = self._read(cookie, b"session", _kept(self._path).line)
        return None if session is None or self._mark(session).exists() else session

    def end(self, session: Session) -> None:
        """Log out: the cookie is worth nothing any more, wherever it is.

        Raises:
            DataError: The folder cannot be written to.
        """
        try:
            self._forget_what_is_over()
            self._mark(session).touch(mode=0o600)
        except OSError as error:
            raise DataError(self._folder, f"the session cannot be ended: {error.strerror}") from error

    def form_cookie(self) -> str:
        """A cookie for somebody who is shown the log-in form."""
        return self._signed(b"form", b"", FORM_SECONDS)

    def form_session(self, cookie: str | None) -> Session | None:
        """Whose form it is; None if the cookie is forged or over."""
        return self._read(cookie, b"form", b"") if cookie else None

    def token(self, session: Session) -> str:
        """What each form of a session holds: other sites cannot know it."""
        return _text(self._mac(b"token", b"", session.id))

    def is_token(self, session: Session, token: str) -> bool:
        """Whether a form is one of ours, for this session."""
        return hmac.compare_digest(self.token(session).encode(), token.encode("utf-8", "replace"))

    async def close(self) -> None:
        """Give back what the store holds open."""
        await self._attempts.aclose()

    def _now(self) -> int:
        return self._clock.now_ns() // NANOSECONDS

    def _signed(self, purpose: bytes, epoch: bytes, seconds: int) -> str:
        body = f"{_text(os.urandom(18))}.{self._now() + seconds}"
        return f"{body}.{_text(self._mac(purpose, epoch, body))}"

    def _read(self, cookie: str, purpose: bytes, epoch: bytes) -> Session | None:
        body, _, mac = cookie.rpartition(".")
        expected = _text(self._mac(purpose, epoch, body))
        if not hmac.compare_digest(expected.encode(), mac.encode("utf-8", "replace")):
            return None
        name, _, ends = body.partition(".")
        session = Session(name, int(ends))  # ours: the signature says so
        return session if self._now() < session.ends else None

    def _mac(self, purpose: bytes, epoch: bytes, text: str) -> bytes:
        """HMAC-SHA256. Each purpose has a key of its own; a new password, which is the epoch, makes a new one."""
        key = hmac.digest(self._secret, purpose + b"\0" + epoch, "sha256")
        return hmac.digest(key, text.encode("utf-8", "replace"), "sha256")

    def _mark(self, session: Session) -> Path:
        return self._folder / f"ended-{session.id}"

    def _forget_what_is_over(self) -> None:
        oldest = self._clock.now_ns() / NANOSECONDS - SESSION_SECONDS
        for mark in self._folder.glob("ended-*"):
            with suppress(FileNotFoundError):  # another worker was faster
                if mark.stat().st_mtime < oldest:
                    mark.unlink()


# --- files


def _shared_secret(folder: Path) -> bytes:
    """The secret of all workers; made by the first."""
    path = folder / "session.secret"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            _create(path, os.urandom(32))
        secret = path.read_bytes()
    except OSError as error:
        raise DataError(folder, f"the secret of sessions cannot be kept: {error.strerror}") from error
    if len(secret) < 32:
        raise DataError(path, "is too short to be a secret; delete it, and all sessions end")
    return secret


def _create(path: Path, content: bytes) -> None:
    """A whole file or none, and the first of several writers wins."""
    fresh = _written(path, content)
    try:
        with suppress(FileExistsError):
            os.link(fresh, path)
    finally:
        fresh.unlink()


def _replace(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _written(path, content).replace(path)
    except OSError as error:
        raise DataError(path, f"the password cannot be kept: {error.strerror}") from error


def _written(path: Path, content: bytes) -> Path:
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return fresh


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


__all__ = ["Login", "Refused", "Session", "first_password", "set_password"]
