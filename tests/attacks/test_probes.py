"""What scanners ask any server for by path, and what visitors ask for by similar paths."""

from __future__ import annotations

import pytest
from tests.attacks.asking import weight

from doorward.attacks.evidence import Place

PROBES = {
    "router": "/HNAP1/",
    "gateway": "/+CSCOE+/logon.html",
    "Java server": "/manager/html",
    "Spring": "/actuator/heapdump",
    "Go profiler": "/debug/pprof/",
    "error page": "/_ignition/execute-solution",
    "version control of old": "/CVS/Entries",
    "state of infrastructure": "/infra/terraform.tfstate",
    "archive of the site": "/backup.tar.gz",
    "script that administers": "/adminer.php",
    "script left by a burglar": "/images/c99.php",
    "test runner": "/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php",
    "handler of ASP.NET": "/trace.axd",
    "with a parameter": "/cgi-bin/luci/;stok=/locale",
    "behind what is taken back": "/vpn/../vpns/cfg/a",
}
ORDINARY = {
    "article about it": "/blog/wp-admin-tips",
    "documentation": "/docs/actuator/env",
    "source code": "/owner/project/blob/main/Dockerfile",
    "telephone book": "/phpbook",
    "download": "/downloads/report.zip",
    "release": "/release-1.2.tar.gz",
    "picture of a former blog": "/wp-content/uploads/2015/a.jpg",
    "resource of ASP.NET": "/WebResource.axd",
    "page": "/manager",
}
MAYBE = {
    "page of a former site": "/index.php",
    "its login": "/wp-login.php",
    "old gateway": "/cgi-bin/view.cgi",
    "name that others have": "/solr/",
    "manifest": "/composer.json",
}


@pytest.mark.parametrize("name", PROBES)
def test_what_no_application_has_is_conclusive(name: str) -> None:
    """By its kind, not by a list of whole paths."""
    assert weight("probes", PROBES[name], Place.PATH) >= 1


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_paths_pass(name: str) -> None:
    """Pages about such products are read, too."""
    assert weight("probes", ORDINARY[name], Place.PATH) < 1


@pytest.mark.parametrize("name", MAYBE)
def test_what_an_application_may_have_is_not_conclusive(name: str) -> None:
    """A proxy may serve another site beside it."""
    assert 0 < weight("probes", MAYBE[name], Place.PATH) < 1


@pytest.mark.parametrize("name", PROBES)
def test_only_what_is_asked_for_counts(name: str) -> None:
    """A path in a comment is no request."""
    assert weight("probes", PROBES[name], Place.FORM) == 0
