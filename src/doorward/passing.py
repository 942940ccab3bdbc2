"""What those are counted on who have passed a challenge, and those who are to be given an id; and who was let in late.

Functions over a :class:`~doorward.walk.Walk`, for the few requests that a clearance lets in or that come without an id.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from doorward.bound import ClearanceQuota, NewClients
from doorward.combine import let_in_by
from doorward.counting import charge_store
from doorward.decision import Mode
from doorward.effects import AskStore, Hit
from doorward.fingerprint import IP, Fingerprint
from doorward.rules.limits import quotas_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from doorward.bound import Bound
    from doorward.challenges.options import ChallengeSettings
    from doorward.cleared import Clearance
    from doorward.effects import Effect
    from doorward.progress import Counter
    from doorward.rules.base import Rule
    from doorward.rules.limits import Quota
    from doorward.walk import Walk

_NEW_CLIENTS = 3
"""The group of ids that are handed out: a request is not refused for want of one, nor charged for one when refused."""


class PassRules(NamedTuple):
    """What is counted of clients that have passed, and of new ones.

    Attributes:
        quota: The rule that stands for the quota of a clearance, live; ``quotas``, its counters, none as a rule.
        clients: The rule that stands for ids handed out, on trial, so that it refuses nothing; ``new``, its counters.
        names_clients: Whether any limit counts by ``client.id``.
    """

    quota: Bound
    quotas: Sequence[Quota]
    clients: Bound
    new: Sequence[Quota]
    names_clients: bool = False


def pass_rules(settings: ChallengeSettings, bind: Callable[[Rule, str], Bound]) -> PassRules:
    """The counters that the options of a client ask for."""
    quota = bind(ClearanceQuota(mode=Mode.LIVE, on_error="local"), "clearance")
    clients = bind(NewClients(mode=Mode.DRY_RUN, on_error="allow", characteristics=(IP,)), "clients")
    return PassRules(quota, quotas_of(settings.quota), clients, quotas_of(settings.clients.new))


def add_counters(walk: Walk) -> None:
    """Add to what the request is about to be charged on, in one call with its limits."""
    rules = walk.engine.passes
    assert rules is not None
    for counter in (*quota_counters(walk), *(_new_client(walk, rules) if walk.hits else ())):
        walk.counters.append(counter)
        walk.hits.append(counter[2])


def quota_counters(walk: Walk) -> list[Counter]:
    """The counters of the clearance that lets the request in; none where there is no quota, or it was charged."""
    rules = walk.engine.passes
    if rules is None or not rules.quotas or rules.quota in walk.progress.results:
        return []
    clearance = let_in_by(walk.engine, walk.progress, walk.now_ns)
    if clearance is None:
        return []
    own = Fingerprint([("clearance", clearance.id)])
    return [(rules.quota, own, Hit(rules.quota.key(quota.label, own), *quota[1:])) for quota in rules.quotas]


def check_again(walk: Walk, clearance: Clearance, key: str | None) -> Generator[Effect, Any, bool]:
    """Whether a request that a clearance lets in has to be decided about anew.

    The clearance may have been revoked, by another process, or its quota be used up.

    Args:
        walk: The request's.
        clearance: What lets it in.
        key: Where the store keeps the revocation epoch; None where it need not be asked.
    """
    clearances, progress = walk.engine.clearances, walk.progress
    if key is not None:
        try:
            clearances.learn_epoch((yield AskStore("get", (key,))), walk.now_ns)
        except Exception as error:
            clearances.learn_epoch(error, walk.now_ns)
        if clearances.revoked(clearance):
            progress.clearance, progress.spent = None, True
            return True
    counters = quota_counters(walk)
    if counters:
        yield from charge_store(walk, counters)
    return progress.spent


def _new_client(walk: Walk, rules: PassRules) -> list[Counter]:
    """The counters of an address that is to be given an id."""
    if not rules.names_clients or walk.request.client_id or rules.clients in walk.progress.results:
        return []
    own = rules.clients.identity.fingerprint(walk.request, walk.ip, {})
    prefix = rules.clients.prefix + own.short
    return [
        (rules.clients, own, Hit(prefix + quota.label, *quota[1:], 1, _NEW_CLIENTS, dry_run=True))
        for quota in rules.new
    ]
