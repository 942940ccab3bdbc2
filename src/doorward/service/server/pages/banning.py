"""The page of bans: who is banned, and the two things to do about it."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, NamedTuple

from starlette.responses import RedirectResponse, Response

from doorward import duration
from doorward.errors import ConfigurationError
from doorward.service.server.pages.texts import link, shown, span

if TYPE_CHECKING:
    from doorward.service.server.pages.guard import Visit
    from doorward.service.server.pages.ports import Bans
    from doorward.service.server.pages.render import Renderer

LENGTHS = ("10m", "1h", "24h", "7d", "30d")
LONGEST_WHY = 200
MOST = 500


class BanLine(NamedTuple):
    """A ban as it is shown; ``raw`` is what lifting it takes."""

    ip: str
    raw: str
    left: str
    why: str
    href: str


class Banning:
    """The views.

    Args:
        bans: Where bans are.
        renderer: Draws.
    """

    def __init__(self, bans: Bans, renderer: Renderer) -> None:
        self._bans = bans
        self._renderer = renderer

    async def show(self, visit: Visit) -> Response:
        """Who is banned, and a form to ban somebody."""
        done = {name: _address(visit.query.get(name, "")) for name in ("banned", "unbanned", "missing")}
        return await self._page(visit, ip=_address(visit.query.get("ip", "")), done=done)

    async def change(self, visit: Visit) -> Response:
        """Ban, or lift a ban; then show."""
        action = self._unban if visit.form.get("action") == "unban" else self._ban
        try:
            return RedirectResponse(await action(visit), 303)
        except ConfigurationError as error:
            return await self._page(visit, 400, ip=visit.form.get("ip", "")[:100], problem=shown(str(error)))

    async def _ban(self, visit: Visit) -> str:
        ip = _address(visit.form.get("ip", ""))
        if not ip:
            raise ConfigurationError("Address", "must be an IPv4 or IPv6 address, such as 203.0.113.9")
        seconds = duration.seconds(visit.form.get("length", ""), "Time")
        if seconds < 1:
            raise ConfigurationError("Time", "must be at least a second")
        why = "".join(c for c in visit.form.get("why", "")[:LONGEST_WHY] if c.isprintable()).strip()
        await self._bans.ban(ip, seconds, why or "banned by the operator")
        return link("/bans", banned=ip)

    async def _unban(self, visit: Visit) -> str:
        ip = _address(visit.form.get("ip", ""))
        if not ip:
            raise ConfigurationError("Address", "must be one that is banned")
        lifted = await self._bans.unban(ip)
        return link("/bans", **{"unbanned" if lifted else "missing": ip})

    async def _page(self, visit: Visit, status: int = 200, **values: object) -> Response:
        bans = sorted(await self._bans.bans(), key=lambda ban: -ban.seconds)
        lines = [
            BanLine(shown(b.ip, 80), _address(b.ip), span(b.seconds), shown(b.why, 300), link("/decisions", ip=b.ip))
            for b in bans[:MOST]
        ]
        given = {"problem": "", "done": {}, **values}
        return self._renderer.response(
            "bans.html",
            status,
            token=visit.token,
            bans=lines,
            count=len(bans),
            lengths=LENGTHS,
            form=visit.form,
            **given,
        )


def _address(text: str) -> str:
    """An address, or a network, in its canonical text; empty if it is neither."""
    text = text.strip()[:100]
    if not text.isascii() or "%" in text:
        return ""
    try:
        return str(ip_network(text) if "/" in text else ip_address(text))
    except ValueError:
        return ""
