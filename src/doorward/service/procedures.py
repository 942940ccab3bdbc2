"""Where the service's two calls are, below its URL: the paths of Arcjet's wire, for client and server."""

from __future__ import annotations

BASE = "/proto.decide.v1alpha1.DecideService/"
DECIDE = BASE + "Decide"
REPORT = BASE + "Report"

__all__ = ["BASE", "DECIDE", "REPORT"]
