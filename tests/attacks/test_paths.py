"""Paths that climb, files of interest, hidden files, and files included from elsewhere."""

from __future__ import annotations

import posixpath

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.attacks.asking import PLENTY, detectors, subject, units, weight, weights

from doorward.attacks.detectors.paths import _walked
from doorward.attacks.evidence import Place, Value
from doorward.attacks.subject import Subject
from doorward.attacks.work import Work
from doorward.builders.rule_files import contents

SECRETS = ["etc/passwd", "proc/self/environ", "WEB-INF/web.xml", "windows/win.ini", ".ssh/id_rsa", ".env"]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize(
    "up",
    ["../", "..\\", "..//", "....//", "..././", "..;/", ".../", "./../", "a/../../", "/", "..\\/", "/static/../../"],
)
def test_ways_to_secrets_are_denied(up: str, secret: str) -> None:
    """However it is climbed: plain, backward, doubled, through parameters of segments; or absolute."""
    assert weight("paths", f"{up * 3}{secret}") >= 1
    assert weight("paths", f"{up}{secret}", Place.PATH) >= 1
    assert weight("paths", f"{up * 3}{secret}\0.png") >= 1


@pytest.mark.parametrize(
    "text",
    [
        "/etc/anything",
        "file:///etc/hosts",
        "file:/etc/passwd",
        "C:\\boot.ini",
        "c:/windows/win.ini",
        "/proc/17/maps",
        "~/.ssh/id_rsa",
        "/var/log/nginx/access.log",
        "..\\..\\x",
        "../../x/y",
        "\\\\192.0.2.1\\a\\b",
        "\\\\::1\\c$\\x",
        "0x2e0x2e/0x2e0x2e/x",
        ".\0./x",
        "%2e%2e%2fx",
        "x=../../etc/passwd",
    ],
    ids=range(16),
)
def test_whole_values_that_are_such_paths_are_denied(text: str) -> None:
    """Files of the machine, and depth that no link has."""
    assert weight("paths", text) >= 1


@pytest.mark.parametrize(
    "text",
    [
        "see ../README.md in the repo",
        "../README.md",
        "/etc is a directory on Unix",
        "C:\\Users\\jane\\Documents\\report.docx",
        "import x from '../../components/x'; it fails",
        "/account/../home",
        "the file /etc/passwd is read by login and others",
        "wait ... what",
        "a/b/c.txt",
        "https://example.org/a/../b",
        "/home/jane/notes.txt",
        "1..2",
        "e.g. ../x and ../y are two",
        "config/database.yml",
        "php.ini",
        "docs/.gitignore",
        "\\\\fileserver\\share\\plan.xlsx",
        "/dev/ttyUSB0",
        "C:/Windows/Fonts/a.ttf",
        "why does '../../../lib/x' not resolve in the build of my project?",
        "and/or",
        "../",
        "...",
        "v1.2.3",
    ],
    ids=range(24),
)
def test_what_people_write_passes(text: str) -> None:
    """Relative links, prose about files, files of one's own."""
    assert weight("paths", text) < 1


@pytest.mark.parametrize(
    ("path", "denied"),
    [
        ("/.git/HEAD", True),
        ("/.env", True),
        ("/app/.aws/credentials", True),
        ("/a/.ds_store", True),
        ("/.abc/settings.json", True),
        ("/static/../../x", True),
        ("/static../x", True),
        ("/@fs/etc/hosts", True),
        ("/.well-known/security.txt", False),
        ("/owner/project/blob/main/.github/workflows/a.yml", False),
        ("/a.b/c", False),
        ("/docs/v1.2/", False),
        ("/env", False),
        ("/files/O'Brien (copy).pdf", False),
        ("/.auth/login", False),
        ("/a/../b", False),
        ("/static/app.min.js", False),
    ],
    ids=range(17),
)
def test_requested_paths(path: str, denied: bool) -> None:
    """Hidden files are no routes, but for those that are, and in what shows source code."""
    assert (weight("paths", path, Place.PATH, "") >= 1) is denied


def test_names_of_files_that_climb_are_denied() -> None:
    """A file's name has no folder in it, let alone one above."""
    for name in ("../x.png", "..\\x.png", "a/../../x.php"):
        assert weight("paths", name, Place.FILENAME, "file") >= 1
    for name in ("x..png", "photo (1).jpeg", "a...b.pdf", "résumé.docx"):
        assert weight("paths", name, Place.FILENAME, "file") == 0


def test_long_climbs_are_found_within_long_text() -> None:
    """Filler around them is no way through; but prose about a short one passes."""
    filler = "lorem ipsum dolor sit amet " * 100
    assert weight("paths", f"{filler}../../../../../../etc/passwd {filler}") >= 1
    assert weight("paths", f"{filler}../etc/passwd {filler}") < 1


@given(st.lists(st.sampled_from(["..", ".", "a", "b", ""]), min_size=1, max_size=12))
def test_segments_are_resolved_as_in_file_names(segments: list[str]) -> None:
    """As ``posixpath.normpath`` does."""
    path = "/".join(["x", *segments])
    expected = posixpath.normpath(path)
    walked = _walked(path, Place.QUERY, is_whole=True)
    assert "/".join([".."] * walked.out + list(walked.rest)) == ("" if expected == "." else expected)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("page", "http://192.0.2.1/shell.txt?"),
        ("file", "https://example.net/x.php"),
        ("include", "ftp://example.net/a.inc"),
        ("mosConfig_absolute_path", "https://example.net"),
        ("_CONF[path]", "https://example.net"),
        ("src", "http://[2001:db8::1]/a.php"),
        ("x", "php://filter/convert.base64-encode/resource=index.php"),
        ("x", "data://text/plain;base64,PD9waHA="),
        ("x", "expect://id"),
        ("x", "phar://a.jpg/b"),
        ("x", "zip://a.jpg#b.php"),
        ("x", "https?"),
    ],
    ids=range(12),
)
def test_inclusion_from_elsewhere_is_denied(name: str, text: str) -> None:
    """URLs where files are named, and PHP's streams anywhere."""
    assert weight("include", text, name=name) >= 1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("redirect_uri", "https://example.org/callback?x=1"),
        ("avatar_url", "https://example.org/u/5?"),
        ("image", "https://example.org/a.jpg"),
        ("src", "https://example.org/a.png"),
        ("page", "2"),
        ("page", "https://example.org/about"),
        ("webhook", "http://192.0.2.1/hook"),
        ("icon", "data:image/png;base64,iVBORw0KGgo="),
        ("q", "is it http? or https?"),
        ("q", "file:///home/me/notes.txt is not opening"),
        ("website", "http://example.org/index.php"),
        ("url", "https://example.org/search.php?q=x"),
    ],
    ids=range(12),
)
def test_links_pass(name: str, text: str) -> None:
    """Redirects, images, sites."""
    assert weight("include", text, name=name) < 1


def test_headers_and_names_are_not_included() -> None:
    """A Referer is a URL."""
    assert weights("include", "http://192.0.2.1/a.php", Place.HEADER, "referer") == {}
    assert weights("include", "http://192.0.2.1/a.php", is_name=True) == {}


@pytest.mark.parametrize("book", ["paths", "include"])
@pytest.mark.parametrize(
    "piece",
    ["../", "..\\", "a/", "a/b. ", "..;/", ".\0", "0x2e", "%2e", "://", "http://1.1.1.1/", "php:", "\\\\a", "."],
)
def test_cost_is_proportional_to_length(book: str, piece: str) -> None:
    """Twice as much of the same costs twice as much."""
    short, long = (units(book, piece * (count // len(piece))) for count in (2_304, 4_608))
    assert long <= 2.2 * short + 10_000


EXAMPLES = {
    book: [text for rule in contents()[book]["rule"] for text in rule["match"]] for book in ("paths", "include")
}
AROUND = st.text(" abz019.,;'\"|&\n/-=(\\:", max_size=12)


@pytest.mark.parametrize("book", ["paths", "include"])
@given(data=st.data())
def test_the_screens_are_one_sided(book: str, data: st.DataObject) -> None:
    """What a detector finds in a text it wants to look at, also with other text around it."""
    before, after = data.draw(AROUND), data.draw(AROUND)
    text = f"{before}{data.draw(st.sampled_from(EXAMPLES[book]))}{after}"
    place = data.draw(st.sampled_from([Place.QUERY, Place.PATH, Place.FILENAME]))
    for detector in detectors(book):
        if list(detector.examine(subject(text, place), Work(PLENTY))):
            assert detector.wants(Subject(f"x {text} y", Value(place, "first", "x")))


@pytest.mark.parametrize("place", [Place.QUERY, Place.PATH, Place.FILENAME, Place.JSON])
def test_no_name_is_hidden_by_the_screen(place: Place) -> None:
    """Every name of the vocabularies is asked about where it is found: :func:`weights` asserts it."""
    words = contents()["paths"]["words"]
    for name in (*words["secrets"], *words["probes"], *words["hidden"], *words["folders"]):
        for text in (name, f"/{name}", f"a/{name}", f"x {name}", f"../{name}"):
            weights("paths", text, place)
    assert all(weight("paths", f"/{name}", Place.PATH) >= 1 for name in words["secrets"])
