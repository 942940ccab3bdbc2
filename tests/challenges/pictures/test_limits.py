"""What may be fetched, how often, and how."""

from __future__ import annotations

import asyncio
import threading

import pytest
from tests.challenges.pictures.visitor import NEWCOMER, Site, issue_of
from tests.unit.performing import asks, awaiting, blocking

from doorward import ConfigurationError
from doorward.async_driver import AsyncPorts, run_async
from doorward.challenges.pictures import NAMES, Pictures
from doorward.challenges.pictures.media import MOST_OF_NETWORK, MOST_OF_ONE
from doorward.effects import Compute
from doorward.errors import StoreError
from doorward.offload import Offload
from doorward.stores.memory import MemoryStore


@pytest.mark.parametrize("name", NAMES)
def test_what_is_fetched_again_is_the_same(name: str) -> None:
    """A player fetches a sound again to play it again; a picture that changed would have another answer."""
    site = Site(Pictures(name))
    token = site.page()
    shown = site.kind.shown(issue_of(token))
    for form in (shown.main, shown.other):
        drawn = [site.fetch(token, form.path) for _ in range(3)]
        assert len({reply.body for reply in drawn}) == 1
        assert drawn[0].headers["Cache-Control"] == "no-store"
        assert drawn[0].headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert drawn[0].headers["X-Content-Type-Options"] == "nosniff"


def test_one_challenge_is_drawn_a_bounded_number_of_times() -> None:
    """Who wants more asks for another."""
    site = Site(Pictures("letters"))
    token = site.page()
    assert [site.fetch(token, "picture").status for _ in range(MOST_OF_ONE + 2)] == [200] * MOST_OF_ONE + [429] * 2
    assert int(site.fetch(token, "picture").headers["Retry-After"]) > 0
    assert site.fetch(site.page(), "picture").status == 200


def test_one_network_is_drawn_for_a_bounded_number_of_times() -> None:
    """Weakness 17: any number of pages, 75 ms of a processor each, for whoever asked. Others are not harmed."""
    site = Site(Pictures("letters"))
    statuses = [site.fetch(site.page(), "picture").status for _ in range(MOST_OF_NETWORK + 5)]
    assert statuses == [200] * MOST_OF_NETWORK + [429] * 5
    assert site.fetch(site.page("198.51.100.1"), "picture", "198.51.100.1").status == 200
    site.clock.advance(60)
    assert site.fetch(site.page(), "picture").status == 200


def test_everybody_together_is_drawn_for_a_bounded_number_of_times() -> None:
    """By an argument: a flood from many networks costs a part of a processor, and no more."""
    site = Site(Pictures("letters", drawings_per_minute=3))
    addresses = [f"198.51.{number}.1" for number in range(5)]
    statuses = [site.fetch(site.page(ip), "picture", ip).status for ip in addresses]
    assert statuses == [200, 200, 200, 429, 429]


def test_only_who_was_asked_fetches() -> None:
    """And only by GET, and only what belongs to the challenge."""
    site = Site(Pictures("letters"))
    token = site.page()
    assert site.fetch(token, "picture", "198.51.100.1").status == 403
    assert site.fetch(token[:-1], "picture").status in (403, 404)
    assert site.fetch("", "picture").status == 404
    assert site.fetch(token, "movie").status == 404
    assert site.call("/.doorward/picture", {}, query=f"t={token}").status == 405


RANGES = {
    "bytes=0-": (206, "bytes 0-{last}/{size}"),
    "bytes=0-1": (206, "bytes 0-1/{size}"),
    "bytes=44-99999999": (206, "bytes 44-{last}/{size}"),
    "bytes=999999-": (416, "bytes */{size}"),
    "bytes=5-2": (416, "bytes */{size}"),
    "bytes=-5": (200, None),
    "bytes=0-1,3-4": (200, None),
    "lines=0-1": (200, None),
    "bytes=٣-": (200, None),
    "bytes=99999999999999999999-": (200, None),
}


@pytest.mark.parametrize("wanted", RANGES)
def test_parts_of_a_sound(wanted: str) -> None:
    """Some players fetch nothing but parts (RFC 9110 section 14); what we cannot read of it is answered whole."""
    site = Site(Pictures("audio"))
    token = site.page()
    whole = site.fetch(token, "sound").body
    reply = site.fetch(token, "sound", range=wanted)
    status, part = RANGES[wanted]
    assert reply.status == status
    size = len(whole)
    assert reply.headers.get("Content-Range") == (part and part.format(last=size - 1, size=size))
    if status == 206:
        first, last = map(int, part.format(last=size - 1, size=size)[6:].partition("/")[0].split("-"))
        assert reply.body == whole[first : last + 1]


def test_the_page_names_its_media_below_where_it_is_mounted() -> None:
    """The path of the application is part of the address."""
    site = Site(Pictures("letters"))
    page = site.call("/x", script_name="/shop").body.decode()
    assert 'src="/shop/.doorward/picture?t=' in page
    assert 'href="/shop/.doorward/static/pictures.' in page


def test_a_client_without_pages_is_told_what_to_do() -> None:
    """Where the picture is, and nothing of what it shows."""
    import json

    site = Site(Pictures("letters"))
    reply = site.call("/x", accept="application/json")
    told = json.loads(reply.body)["challenge"]
    assert {name: told[name] for name in ("kind", "form", "picture", "sound", "verify", "earliest")} == {
        "kind": "letters",
        "form": "letters",
        "picture": "/.doorward/picture",
        "sound": "/.doorward/sound",
        "verify": "/.doorward/verify",
        "earliest": 1,
    }
    assert site.call(told["picture"], query=f"t={told['token']}").status == 200
    form = site.kind.shown(issue_of(told["token"])).main
    site.clock.advance(5)
    body = json.dumps({"token": told["token"], "answer": site.right(told["token"], form)}).encode()
    reply = site.call(told["verify"], body, content_type="application/json", accept="application/json")
    assert (reply.status, json.loads(reply.body)["passed"]) == (200, True)


# Computing apart


def here() -> int:
    return threading.get_ident()


def test_drawing_keeps_no_event_loop() -> None:
    """Who awaits has a thread do it; who blocks does it where it stands."""
    pool = Offload(2)
    assert blocking(None, Compute(pool, here)) == [threading.get_ident()]
    assert awaiting(None, Compute(pool, here)) != [threading.get_ident()]
    assert awaiting(None, Compute(pool, max, (3, 5))) == blocking(None, Compute(pool, max, (3, 5))) == [5]
    pool.close()


def test_what_a_computation_raises_is_raised() -> None:
    """Into the flow, by both drivers."""
    pool = Offload(2)
    for heard in (blocking(None, Compute(pool, int, ("x",))), awaiting(None, Compute(pool, int, ("x",)))):
        assert isinstance(heard[0], ValueError)
    pool.close()


async def _both(pool: Offload) -> list:
    release = threading.Event()
    ports = AsyncPorts(MemoryStore(), MemoryStore, Offload, 1.0)
    first = asyncio.ensure_future(run_async(asks(Compute(pool, release.wait, (20,))), ports))
    await asyncio.sleep(0)
    second = await run_async(asks(Compute(pool, here)), ports)
    release.set()
    await first
    return second


def test_more_than_there_are_threads_for_is_refused() -> None:
    """At once: a queue would only grow."""
    pool = Offload(1)
    assert isinstance(asyncio.run(_both(pool))[0], StoreError)
    pool.close()


def test_threads_draw_the_same_as_one() -> None:
    """Fonts and recordings are shared by all threads."""
    from concurrent.futures import ThreadPoolExecutor
    from random import Random

    from doorward.challenges.pictures.forms import Grade
    from doorward.challenges.pictures.kind import _FORMS

    forms = [form for name in ("letters", "shapes", "odd", "audio") for form in _FORMS[name]]
    jobs = [(form, seed) for seed in range(8) for form in forms]

    def draw(job) -> bytes:
        form, seed = job
        return form.draw(form.answer(Random(seed), Grade(2)), Random(seed), Grade(2)).content

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(draw, jobs)) == [draw(job) for job in jobs]


def test_few_threads_draw_for_many() -> None:
    """Calls wait for one of them, up to a bound, and come in order."""
    pool = Offload(6, threads=2)
    release, begun, seen = threading.Event(), threading.Semaphore(0), []

    def work(number: int) -> int:
        seen.append(threading.get_ident())
        begun.release()
        release.wait(20)
        return number

    futures = [pool.submit(work, number) for number in range(6)]
    with pytest.raises(StoreError):
        pool.submit(work, 6)
    assert begun.acquire(timeout=20)
    assert begun.acquire(timeout=20)
    release.set()
    assert [future.result(20) for future in futures] == list(range(6))
    assert len(set(seen)) == 2
    pool.close()


# Configuration


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"name": "cats"}, "name"),
        ({"hardness": 0}, "hardness"),
        ({"hardness": 6}, "hardness"),
        ({"hardness": True}, "hardness"),
        ({"hardness": "2"}, "hardness"),
        ({"drawings_per_minute": 0}, "drawings_per_minute"),
    ],
)
def test_mistakes_are_told_when_a_kind_is_made(arguments: dict, field: str) -> None:
    """By the name of the argument."""
    with pytest.raises(ConfigurationError, match=field):
        Pictures(**arguments)


@pytest.mark.parametrize("name", NAMES)
def test_kinds_by_name(name: str) -> None:
    """As configurations name them."""
    site = Site(name)
    assert site.call("/x", ip=NEWCOMER).status == 403
    assert issue_of(site.page()).kind == name


@pytest.mark.parametrize("missing", [{"PIL": "Pillow"}, {"captcha": "captcha"}])
def test_a_missing_extra_is_told_when_the_client_is_built(missing: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    """And not when somebody is first challenged; by the name of what to install."""
    from doorward.challenges.pictures import canvas

    monkeypatch.setattr(canvas, "find_spec", lambda name: None if name in missing else name)
    with pytest.raises(ConfigurationError, match=rf"'letters' needs {next(iter(missing.values()))}: .*\[captcha\]"):
        Site("letters")
