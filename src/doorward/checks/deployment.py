"""What the surroundings make of a client: workers, proxies, variables left behind, servers that can be away."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from doorward.checks.registry import CLIENT, Told, looks_for
from doorward.client_ip import Proxies
from doorward.fingerprint import IP
from doorward.rules.limits import Limit
from doorward.workers import configured

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from doorward.bound import Bound
    from doorward.checks.subject import Subject

_EDGES = {"FLY_APP_NAME": "fly", "RENDER": "render", "VERCEL": "vercel"}
"""Platforms whose edge writes a header of its own, by a variable that they set: see :mod:`doorward.client_ip`."""

_BEHIND_ROUTERS = {
    **_EDGES,
    "DYNO": "Heroku",
    "K_SERVICE": "Cloud Run",
    "GAE_SERVICE": "App Engine",
    "WEBSITE_INSTANCE_ID": "Azure App Service",
    "RAILWAY_ENVIRONMENT_NAME": "Railway",
    "KUBERNETES_SERVICE_HOST": "Kubernetes",
}
"""Where a router stands between clients and the application, by a variable that is always set there."""

_SLOW = 2.0
"""Seconds of a request that nobody should wait for a decision."""
_INSIDE = (".internal", ".local", ".localhost", ".lan", ".svc", ".cluster.local", ".home.arpa")
_FORWARDED_ALLOW = "--forwarded-allow-ips"


@looks_for("DW041", "counters in memory with several workers", about="deployment")
def separate_counters(subject: Subject) -> Iterator[Told]:
    """``memory://`` where the server is told to start several processes."""
    settings, engine = subject.settings, subject.client.engine
    if settings.store != "memory://" or settings.service is not None or not (engine.limits or engine.barring):
        return
    count, by = configured(subject.environ, subject.command)
    if count > 1 or settings.workers > 1:
        count, by = (count, by) if count > 1 else (settings.workers, "the option workers")
        yield Told(
            CLIENT,
            f"{by} says that {count} processes serve the application, and each counts for itself (memory://): a client "
            f"gets up to {count} times what each limit says",
            'store="shared:///run/myapp/doorward" for one host, "redis://…" for many; store=MemoryStore() if it is '
            "meant so",
        )


@looks_for("DW042", "a proxy in front that the client's address is not read through", about="deployment")
def unread_proxies(subject: Subject) -> Iterator[Told]:
    """``proxies`` does not fit the platform: all clients have its router's address, and share each limit."""
    given = subject.settings.ips.given
    given = given.trusted if isinstance(given, Proxies) else given
    by_address = [bound.name for bound in subject.rules if IP in bound.identity.names]
    present = [name for name in _BEHIND_ROUTERS if subject.environ.get(name)]
    if not by_address or not present:
        return
    variable = present[0]
    platform = _BEHIND_ROUTERS[variable]
    edge = _EDGES.get(variable)
    trusts_nobody = not isinstance(given, str | int) and not given
    if edge is not None and (given == "private" or trusts_nobody):
        hint = f'proxies="{edge}" reads the header that its edge writes'
    elif trusts_nobody:
        hint = 'proxies="private" reads X-Forwarded-For from routers in private networks; or name their networks'
    else:
        return
    yield Told(
        CLIENT,
        f"{variable} is set: this runs behind the router of {platform}, and proxies={given!r} takes the router for the "
        f"client: all clients together are counted as one by {by_address[0]}, and refused together",
        hint,
    )


@looks_for("DW043", "an edge that is not here", "note", about="deployment")
def absent_edge(subject: Subject) -> Iterator[Told]:
    """``proxies="fly"`` anywhere else."""
    given = subject.settings.ips.given
    for variable, edge in _EDGES.items():
        if given == edge and not subject.environ.get(variable):
            yield Told(
                CLIENT,
                f"proxies={given!r}, but {variable} is not set here: its header is not read, and the client is "
                "whoever connects",
                f"right on a machine of your own; in production {variable} has to reach the process",
            )


@looks_for("DW044", "a server that believes anybody's X-Forwarded-For", about="deployment")
def forwarded_from_anybody(subject: Subject) -> Iterator[Told]:
    """``FORWARDED_ALLOW_IPS=*``: the server takes the left end of the header, which the client writes."""
    command = " ".join(subject.command)
    said = subject.environ.get("FORWARDED_ALLOW_IPS", "").strip() == "*"
    for by, holds in (
        ("FORWARDED_ALLOW_IPS is *", said),
        (f"the command line has {_FORWARDED_ALLOW} *", f"{_FORWARDED_ALLOW} *" in command.replace("=", " ")),
    ):
        if holds:
            yield Told(
                CLIENT,
                f"{by}: uvicorn then takes the left end of X-Forwarded-For for the peer, which the client writes: "
                "anybody gets round limits and bans by address",
                "name the proxy's networks there, or start uvicorn with --no-proxy-headers and leave it to proxies=",
            )
            return


@looks_for("DW045", "development in production", "error", about="deployment")
def development(subject: Subject) -> Iterator[Told]:
    """``DOORWARD_ENV=development`` where a platform or several workers say that this is none."""
    if subject.environ.get("DOORWARD_ENV", "").strip().lower() != "development":
        return
    signs = [name for name in _BEHIND_ROUTERS if subject.environ.get(name)]
    if configured(subject.environ, subject.command)[0] > 1:
        signs.append(configured(subject.environ, subject.command)[1])
    if signs:
        yield Told(
            CLIENT,
            f"DOORWARD_ENV is development, and {signs[0]} speaks of production: anybody may choose an address by the "
            "header x-doorward-ip, and so gets round limits and bans",
            "remove DOORWARD_ENV from the environment of production",
        )


@looks_for("DW046", "DOORWARD_MODE left in the environment", about="deployment")
def left_mode(subject: Subject) -> Iterator[Told]:
    """OFF or DRY_RUN, whatever the code says."""
    value = subject.environ.get("DOORWARD_MODE", "").strip().upper().replace("-", "_")
    if value == "OFF":
        message, level = "DOORWARD_MODE is OFF: no rule is asked, and nobody is refused", "error"
    elif value == "DRY_RUN":
        message, level = "DOORWARD_MODE is DRY_RUN: no rule refuses anybody, whatever it says", "warning"
    else:
        return
    yield Told(CLIENT, message, "remove DOORWARD_MODE once the incident is over", level)  # type: ignore[arg-type]


@looks_for("DW047", "a service that is spoken to in clear text", "error", about="deployment")
def clear_text(subject: Subject) -> Iterator[Told]:
    """``service="http://…"`` to a public host."""
    parts = urlsplit(subject.settings.service or "")
    if parts.scheme == "http" and _is_public(parts.hostname or ""):
        yield Told(
            CLIENT,
            f"service= goes to {parts.hostname} over http: whoever is on the way reads the key, and can answer in the "
            "service's place",
            "use https, or a private network",
        )


def _is_public(host: str) -> bool:
    try:
        return ip_address(host).is_global
    except ValueError:
        return "." in host and not host.endswith(_INSIDE)


@looks_for("DW050", "an outage that locks everyone out", about="deployment")
def locked_out(subject: Subject) -> Iterator[Told]:
    """``on_error="deny"`` for a rule that asks another host."""
    for bound in subject.live():
        if bound.on_error == "deny" and (what := _asked_by(subject, bound)):
            yield Told(
                bound.name,
                f'on_error is "deny", and it asks {what}: while that is away, all whom it is for are refused (503)',
                'on_error="local" has a limit go on in each process, "allow" lets a rule pass; silence this where '
                "refusing is meant",
            )


def _asked_by(subject: Subject, bound: Bound) -> str:
    """What other host a rule asks about each of its requests; empty when none."""
    if isinstance(bound.rule, Limit):
        return _counting_elsewhere(subject)
    if bound.rule.remote and subject.client.runtime.service is not None:
        return "the decision service" if bound.rule.needs else ""
    return "the DNS" if bound.rule.looks_up and bound.rule.needs else ""


def _counting_elsewhere(subject: Subject) -> str:
    runtime = subject.client.runtime
    if runtime.service is not None:
        return "the decision service"
    return "" if runtime.inline else "the store on another host"


@looks_for("DW051", "a deadline that makes people wait", about="deployment")
def long_deadline(subject: Subject) -> Iterator[Told]:
    """``timeout`` of seconds, where something is asked that can be slow."""
    timeout = subject.settings.timeout
    asked = _counting_elsewhere(subject) or ("the DNS" if _looks_up(subject.rules) else "")
    if timeout > _SLOW and asked:
        yield Told(
            CLIENT,
            f"timeout is {timeout:g} s: while {asked} is slow, each request waits that long, and holds its worker",
            "0.5 is the default; more than a second helps nobody",
        )


def _looks_up(rules: Sequence[Bound]) -> bool:
    return any(bound.rule.looks_up for bound in rules)
