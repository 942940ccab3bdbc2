"""How values of a request are compared: headers, hosts, parameters, fields of the body, what the application gave."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from doorward.body_fields import BodyFields
    from doorward.rules.base import View
    from doorward.rules.conditions import ByAgent, Test
    from doorward.rules.texts import Predicate

    Spec = Predicate | None
    """What a value has to be; None where it only has to be there."""
else:
    Spec = object

_MOST_REMEMBERED = 1_024
_LONGEST_REMEMBERED = 512


def header_test(name: str, spec: Spec) -> Test:
    """Of a header, whose name is in lower case. One without a value counts as absent, and nothing absent matches."""

    def test(view: View) -> bool:
        values = view[0].header_values(name)
        if not values:
            return False
        if len(values) == 1:
            value = values[0]
            return value != "" and (spec is None or spec(value))
        sent = [value for value in values if value]
        # Joined as well, as WSGI servers hand them on (RFC 9110 section 5.3 lets anybody do it).
        return bool(sent) and (spec is None or any([spec(value) for value in sent]) or spec(",".join(values)))

    return test


def agent_test(spec: Predicate) -> tuple[Test, ByAgent]:
    """Of the User-Agent, and the same of one at hand. There are few of them, so what was found is remembered."""
    found: dict[str, bool] = {}

    def remembering(agent: str) -> bool:
        if not agent:
            return False
        known = found.get(agent)
        if known is None:
            known = spec(agent)
            if len(agent) <= _LONGEST_REMEMBERED:
                if len(found) >= _MOST_REMEMBERED:
                    found.clear()
                found[agent] = known
        return known

    several = header_test("user-agent", remembering)

    def test(view: View) -> bool:
        agents = view[0].agents()
        return remembering(agents[0]) if len(agents) == 1 else bool(several(view))

    return test, remembering


def host_test(spec: Predicate) -> Test:
    """Of the host that a request is for, whichever of several Host headers says so."""

    def test(view: View) -> bool:
        request = view.request
        hosts = {request.host, *request.header_values("host")}
        return any([bool(host) and spec(without_port(host)) for host in hosts])

    return test


def without_port(host: str) -> str:
    """A host as it is compared: in lower case, without its port, and without the dot of the root."""
    name, colon, port = host.rpartition(":")
    alone = name if colon and (port.isdigit() or not port) and (":" not in name or name.endswith("]")) else host
    return alone.strip().removesuffix(".").lower()


def values_test(spec: Spec, read: Callable[[View], Sequence[str]]) -> Test:
    """Of what may come several times: any may match."""
    if spec is None:
        return lambda view: bool(read(view))
    return lambda view: any([spec(value) for value in read(view)])


def body_test(spec: Spec, read: Callable[[BodyFields], tuple[Sequence[str], bool]]) -> Test:
    """Of a field of the body; where the body does not tell all, what is not found is unknown."""

    def test(view: View) -> bool | None:
        values, is_all = read(view.request.body_fields())
        if bool(values) if spec is None else any([spec(value) for value in values]):
            return True
        return False if is_all else None

    return test


def given_test(spec: Spec, name: str) -> Test:
    """Of a characteristic of the application's own: one that it has not given is absent, and its value is unknown."""

    def test(view: View) -> bool | None:
        if name not in view.given:
            return False if spec is None else None
        value = view.given[name]
        return spec is None or spec(str(value).lower() if isinstance(value, bool) else str(value))

    return test


__all__ = ["Spec", "agent_test", "body_test", "given_test", "header_test", "host_test", "values_test", "without_port"]
