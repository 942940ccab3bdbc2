"""Checked by mypy and pyright, never run: how the shield looks to a user's type checker."""

from __future__ import annotations

from datetime import timedelta
from typing import assert_type

from doorward import Doorward, RequestContext, shield
from doorward.attacks.evidence import Family, Finding, Place
from doorward.reason import ShieldReason
from doorward.rules.shield import ShieldRule

assert_type(shield(), ShieldRule)
assert_type(shield(mode="DRY_RUN", threshold=4, window="10m", paranoia=2, body=False, when="after"), ShieldRule)
shield(window=timedelta(minutes=10), characteristics=["userId"], on_error="deny", name="guard", paths=["/api/*"])
shield(exclude=["/editor/*", {"path": ["/a", "/b"], "parameter": "html", "family": "XSS"}, {"carries": "code"}])
shield(exclude=[{"family": ["SQL", Family.XSS]}])

reason = Doorward([shield()]).protect(RequestContext()).reason
if isinstance(reason, ShieldReason):
    assert_type(reason.findings, tuple[Finding, ...])
    assert_type((reason.suspicious, reason.shield_triggered, reason.weight), tuple[bool, bool, float])
    for finding in reason.findings:
        assert_type((finding.family, finding.place), tuple[Family, Place])
        assert_type(finding.via, tuple[str, ...])
assert_type(Doorward([shield()]).peek("203.0.113.9").refused_for, dict[str, float])

shield(3.0)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
shield(threshold="3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
shield(when="later")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
shield(exclude=[{"paths": "/a"}])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
shield(treshold=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
