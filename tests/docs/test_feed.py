"""The demonstration's feed: bounded in every direction."""

from __future__ import annotations

import pytest
from demo.feed import KEEP_ALIVE, RETRY, Feed

from doorward import Decision, Doorward, RequestContext, sliding_window

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """The feed belongs to asyncio, as uvicorn does."""
    return "asyncio"


def decided(path: str = "/") -> tuple[Decision, RequestContext]:
    request = RequestContext(peer="203.0.113.9", path=path)
    return Doorward([sliding_window(max=5, interval="10m")]).protect(request), request


async def test_a_slow_viewer_is_dropped_and_the_others_stay() -> None:
    """Who lags behind by more than is held is ended, so that nobody's slowness costs memory."""
    feed = Feed(most_waiting=2)
    slow, fast = feed.watch(), feed.watch()
    await anext(slow)
    await anext(fast)
    for path in ("/a", "/b", "/c"):
        feed.publish(*decided(path))
        assert path.encode() in await anext(fast)
    assert feed.viewers == 1
    assert [frame async for frame in slow] == []


async def test_the_past_is_bounded() -> None:
    """Only the last decisions are kept for those who come later."""
    feed = Feed(most_events=2)
    for path in ("/a", "/b", "/c"):
        feed.publish(*decided(path))
    first = await anext(feed.watch())
    assert first.startswith(RETRY)
    assert (b'"/a"' in first, b'"/b"' in first, b'"/c"' in first) == (False, True, True)


async def test_silence_is_filled() -> None:
    """Where nothing is decided, a comment keeps the connection open."""
    viewer = Feed(keep_alive=0.001).watch()
    assert await anext(viewer) == RETRY
    assert await anext(viewer) == KEEP_ALIVE


async def test_viewers_are_counted_and_bounded() -> None:
    """The feed is full at its most viewers, and has room again when one leaves."""
    feed = Feed(most_viewers=1)
    viewer = feed.watch()
    await anext(viewer)
    assert feed.is_full
    await viewer.aclose()
    assert not feed.is_full


async def test_closing_ends_every_stream() -> None:
    """A feed that is closed ends the streams of all who watch."""
    feed = Feed()
    viewers = [feed.watch() for _ in range(3)]
    for viewer in viewers:
        await anext(viewer)
    feed.close()
    assert [[frame async for frame in viewer] for viewer in viewers] == [[], [], []]
