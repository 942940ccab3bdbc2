"""The service's own pages: what was decided, and why; for the developer who wonders, and for whoever is on call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import Route

from doorward.clock import SystemClock
from doorward.service.server.pages.assets import Assets
from doorward.service.server.pages.banning import Banning
from doorward.service.server.pages.door import Door
from doorward.service.server.pages.dry_runs import DryRuns
from doorward.service.server.pages.guard import Gate
from doorward.service.server.pages.ports import Bans, KeyLine, LogState
from doorward.service.server.pages.reading import Reading
from doorward.service.server.pages.render import Renderer
from doorward.service.server.pages.threads import Threads

if TYPE_CHECKING:
    from doorward.clock import Clock
    from doorward.service.server.login import Login
    from doorward.service.server.pages.guard import View, Visit
    from doorward.service.server.pages.ports import Figures, Keys
    from doorward.service.server.ports import LogReader

FOR_GOOD = "public, max-age=31536000, immutable"


def routes(
    reader: LogReader,
    login: Login,
    bans: Bans | None = None,
    keys: Keys | None = None,
    figures: Figures | None = None,
    *,
    clock: Clock | None = None,
) -> list[Route]:
    """All pages, as routes for a Starlette application that has nothing else at these paths.

    Args:
        reader: The log of decisions; read on threads.
        login: Knows who may see pages.
        bans: Where bans are; without, there is no page for them.
        keys: Lists the keys, without their secrets; called on a thread. Without, there is no page for them.
        figures: Tells how the log does; called for each overview, and must not wait.
        clock: The time.

    Raises:
        ConfigurationError: Jinja2 is not installed.
    """
    assets = Assets()
    offered = [
        ("Overview", "/", True),
        ("Decisions", "/decisions", True),
        ("Dry runs", "/dry-runs", True),
        ("Bans", "/bans", bans),
        ("Keys", "/keys", keys),
    ]
    sections = [(name, path) for name, path, there in offered if there]
    renderer = Renderer(assets.urls, sections)
    gate = Gate(login, renderer)
    door = Door(gate, renderer)
    clock, threads = clock or SystemClock(), Threads()
    reading = Reading(reader, threads, renderer, clock, keys=keys, figures=figures, can_ban=bans is not None)
    dry_runs = DryRuns(reader, threads, renderer, clock)
    found = [
        Route("/", gate.page(get=reading.overview)),
        Route("/decisions", gate.page(get=reading.decisions)),
        Route("/decisions/live", gate.page(get=reading.live)),
        Route("/decisions/{id:path}", gate.page(get=reading.decision)),
        Route("/dry-runs", gate.page(get=dry_runs.show)),
        Route("/login", gate.public(get=door.show, post=door.enter)),
        Route("/logout", gate.page(post=door.leave)),
        Route("/assets/{name:path}", gate.public(get=_sender(assets, renderer))),
    ]
    if bans is not None:
        banning = Banning(bans, renderer)
        found.append(Route("/bans", gate.page(get=banning.show, post=banning.change)))
    if keys is not None:
        found.append(Route("/keys", gate.page(get=reading.keys)))
    return found


def _sender(assets: Assets, renderer: Renderer) -> View:
    async def send(visit: Visit) -> Response:
        asset = assets.find(visit.request.path_params["name"])
        if asset is None:
            return renderer.response("error.html", 404, title="Not found", why="There is no such file.")
        return Response(asset.content, media_type=asset.kind, headers={"Cache-Control": FOR_GOOD})

    return send


__all__ = ["Bans", "KeyLine", "LogState", "routes"]
