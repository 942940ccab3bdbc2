"""What ``challenges={…}`` says in code, said in a policy file: the same settings, taken over on reload."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path
from typing import Any

import pytest
from tests.challenges.clearing import Site, kept
from tests.policy.test_loading import mistakes, written
from tests.policy.test_schema import VALIDATOR

from doorward import ConfigurationError, Doorward, RequestContext, challenge, sliding_window
from doorward.challenges.listed import ARGUMENTS, kinds_of
from doorward.challenges.options import ChallengeOptions, parse_challenges
from doorward.challenges.work import Work
from doorward.cli import main
from doorward.levels import Level
from doorward.policy import PolicyError, load
from doorward.policy.challenging import build_challenges
from doorward.testing import FakeClock

SECRET = "s" * 40
EVERYTHING: dict[str, list[Any]] = {
    "prefix": ["/.checks"],
    "lifetime": ["1h", 60],
    "renew_for": ["7d"],
    "quota": ["120/minute"],
    "clients": [{"per_address": 5, "new": "5/hour", "lifetime": "10d"}],
    "bind": [["address", "host"], []],
    "levels": [{"browser": 10, "WAIT": 2.5}],
    "kinds": [
        ["wait"],
        ["wait", {"kind": "work", "algorithm": "SCRYPT", "cost": 512, "memory": 8, "least": 50, "most": 200}],
        [{"kind": "wait"}, {"kind": "browser", "doubtful": 3, "work": {"most": 2000}}],
    ],
    "secure": [True, False],
    "domain": ["example.org"],
    "not_before": [1_700_000_000],
    "on_store_error": ["local", "deny", "allow"],
    "status": [200, 503],
    "theme": ["auto", "dark"],
    "accent": ["#0b57d0"],
    "logo": ["/static/logo.svg", "https://a.example/l.png", {"file": "logo.svg"}],
    "title": ["Example shop"],
    "css": ["own.css"],
    "contact": ["mailto:help@example.org", "call us"],
    "words": [{"de": {"title": "Kurz warten"}, "sv": {"title": "Ett ögonblick"}, "*": {"go_on": ">>"}}],
    "language": ["de"],
    "template_dir": ["pages"],
    "altcha": [{"algorithm": "PBKDF2/SHA-512", "lifetime": "10m", "bind": True}, {"version": 1, "least": 9000}],
}


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    (tmp_path / "logo.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (tmp_path / "own.css").write_text("body { color: #123456 }")
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "page.html").write_text("<html><head>${head}</head><body>${content}</body></html>")
    return tmp_path


def test_there_are_values_of_every_option() -> None:
    """So that one that is added is tested here, too."""
    assert set(EVERYTHING) == set(ChallengeOptions.__annotations__)


@pytest.mark.parametrize(("name", "value"), [(name, each) for name, values in EVERYTHING.items() for each in values])
def test_every_option_can_be_said_in_a_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: Any
) -> None:
    """As in code; files are found from the policy's folder on, wherever the application was started."""
    document = {"options": {"challenges": {name: value}}}
    file = written(folder, json.dumps(document), "policy.yaml")
    assert [error.message for error in VALIDATOR.iter_errors(document)] == []
    in_code = folder / value["file"] if isinstance(value, dict) and "file" in value else value
    in_code = folder / value if name in ("css", "template_dir") else in_code
    monkeypatch.chdir("/")
    found = load(file).client(secret=SECRET).runtime.settings.challenges
    assert found == parse_challenges({name: in_code})
    assert found != parse_challenges({}) or (name, value) in [("on_store_error", "local"), ("theme", "auto")]


WRONG = """
[options.challenges]
lifetim = "1h"
lifetime = "31d"
levels = { browser = 0 }
status = 404
accent = "blue"
template_dir = "nowhere"
secure = "yes"
kinds = [
  "wait",
  "letter",
  { kind = "work", most = 0 },
  { kind = "work", mots = 5 },
  { kind = "browser", work = { algorithm = "MD5" } },
  { kind = "turnstile", site_key = "0x4", secret = "0x5" },
  7,
]
altcha = { algorithm = [] }

[options.challenges.clients]
per_address = 0
"""


def test_every_mistake_is_named_with_its_line(tmp_path: Path) -> None:
    """Also within kinds; a secret is never shown."""
    found = mistakes(tmp_path, WRONG)
    assert [(line, field.removeprefix("options.challenges.")) for line, field, _ in found] == [
        (3, "lifetim"),
        (4, "lifetime"),
        (5, "levels"),
        (6, "status"),
        (7, "accent"),
        (8, "template_dir"),
        (9, "secure"),
        (12, "kinds[1]"),
        (13, "kinds[2].most"),
        (14, "kinds[3].mots"),
        (15, "kinds[4].work.algorithm"),
        (16, "kinds[5].secret"),
        (17, "kinds[6]"),
        (19, "altcha"),
        (22, "clients.per_address"),
    ]
    said = {field.removeprefix("options.challenges."): problem for _, field, problem in found}
    assert "Did you mean lifetime?" in said["lifetim"]
    assert said["kinds[5].secret"] == "is a secret, which no file holds: say challenges={'kinds': […]} in code".replace(
        "…", "\\u2026"
    )
    assert "0x5" not in str(said)


def test_what_is_wrong_between_options_is_found_too(tmp_path: Path) -> None:
    """And what is no table at all."""
    found = mistakes(tmp_path, '[options.challenges]\nlifetime = "2h"\nrenew_for = "1h"\n')
    assert found == [(3, "options.challenges.renew_for", "must be at least as long as lifetime")]
    assert mistakes(tmp_path, "[options]\nchallenges = 5\n") == [(2, "options.challenges", "must be a table, not 5")]


@pytest.mark.parametrize(
    "wrong",
    [
        {"lifetim": "1h"},
        {"kinds": []},
        {"kinds": ["letter"]},
        {"kinds": [{"kind": "work", "secret": "x"}]},
        {"kinds": [{"kind": "turnstile"}]},
        {"status": 404},
        {"accent": "blue"},
        {"levels": {"robot": 5}},
        {"clients": {"per_address": 0}},
        {"logo": {"fil": "x.png"}},
        {"words": {"de": "x"}},
    ],
    ids=str,
)
def test_what_is_wrong_is_wrong_by_the_schema(tmp_path: Path, wrong: dict[str, Any]) -> None:
    """An editor marks what the loader refuses."""
    document = {"options": {"challenges": wrong}}
    assert not VALIDATOR.is_valid(document)
    with pytest.raises(PolicyError):
        load(written(tmp_path, json.dumps(document), "policy.yaml"))


def test_secrets_are_no_option_of_files(tmp_path: Path) -> None:
    """The error names the field."""
    ((line, field, problem),) = mistakes(tmp_path, '[options]\nsecret = "of mine"\n')
    assert (line, field) == (2, "options.secret")
    assert problem.startswith("is said in code")
    assert mistakes(tmp_path, '[options.challenges]\nsecret = "of mine"\n')[0][1] == "options.challenges.secret"


def test_kinds_as_tables_are_for_code_as_well() -> None:
    """Each argument that a table takes is one of the kind."""
    work: Any = kinds_of([{"kind": "work", "most": 5000}])[0]
    assert (type(work), work.most) == (Work, 5000)
    with pytest.raises(ConfigurationError, match=r"challenges\.kinds\.mots: work takes no such argument"):
        Doorward([], secret=SECRET, challenges={"kinds": [{"kind": "work", "mots": 5000}]})
    with pytest.raises(ConfigurationError, match="'werk' is none of"):
        Doorward([], secret=SECRET, challenges={"kinds": [{"kind": "werk"}]})
    pytest.importorskip("PIL")
    assert kinds_of([{"kind": "letters", "hardness": 4}])[0].hardness == 4  # type: ignore[attr-defined]
    assert set(ARGUMENTS) == {kind.name for kind in kinds_of(list(ARGUMENTS))}


# --- beside code

SHOP = '[options.challenges]\ntitle = "Shop"\nlifetime = "{}"\n'


def test_some_options_stand_in_code_and_others_in_the_file(tmp_path: Path) -> None:
    """What is said in both is an error that names it."""
    file = written(tmp_path, SHOP.format("1h"))
    aj = Doorward(policy=file, secret=SECRET, challenges={"kinds": ["wait"]})
    found = aj.runtime.settings.challenges
    assert (found.kinds, found.lifetime, found.look.title) == (("wait",), 3600.0, "Shop")
    with pytest.raises(PolicyError, match=r"policy\.toml:2: options\.challenges\.title: is said in code too"):
        Doorward(policy=file, secret=SECRET, challenges={"title": "Another"})
    with pytest.raises(ConfigurationError, match="challenges"):
        Doorward(policy=file, secret=SECRET, challenges=5)  # type: ignore[arg-type]
    client = load(file).client(secret=SECRET, challenges={"title": "Another"})
    assert client.runtime.settings.challenges.look.title == "Another"
    assert client.runtime.settings.challenges.lifetime == 3600.0


def test_levels_of_a_file_have_to_be_on_offer(tmp_path: Path) -> None:
    """By the kinds of the same file; where kinds are said in code, tools that know the file alone take it as it is."""
    rule = '[[rules]]\nrule = "challenge"\nname = "pay"\nlevel = "browser"\n'
    file = written(tmp_path, rule + '[options.challenges]\nkinds = ["wait", "work"]\n')
    with pytest.raises(ConfigurationError, match="'pay' asks for 'browser'"):
        load(file).client(secret=SECRET)
    human = written(tmp_path, rule.replace("browser", "human") + SHOP.format("1h"))
    assert load(human).client(secret=SECRET).engine.bound


# --- on reload

RULE = '[[rules]]\nrule = "challenge"\nlevel = "wait"\npaths = ["/search"]\n'


class Followed(Site):
    """An application that follows a file."""

    def __init__(self, folder: Path, options: str, **more: Any) -> None:
        self.folder = folder
        self.write(options)
        super().__init__([], policy=folder / "policy.toml", **more)

    def write(self, options: str) -> None:
        written(self.folder, RULE + "[options.challenges]\n" + options)

    def reload(self, options: str) -> list[str]:
        self.write(options)
        return self.aj.reload()


def page(site: Followed) -> str:
    """What a browser without a clearance is shown."""
    return site.get("/search").body.decode()


def test_a_changed_file_takes_effect_and_clearances_hold(tmp_path: Path) -> None:
    """Words, kinds and times are new; who has passed has passed, for as long as was said then."""
    site = Followed(tmp_path, 'title = "Shop"\nlifetime = "1h"\nkinds = ["wait"]\n')
    cookie = f"__Host-doorward={site.token(Level.WAIT)}"
    assert "Shop" in page(site)
    assert site.get("/search", cookie).status == 200
    changes = site.reload('title = "Market"\nlifetime = "30s"\nkinds = ["wait", "work"]\n')
    assert changes == [
        "option challenges.lifetime: 3600 -> 30",
        "option challenges.kinds: +work",
        "option challenges.title: Shop -> Market",
    ]
    assert "Market" in page(site)
    assert site.get("/search", cookie).status == 200
    site.clock.advance(45)
    assert site.get("/search", cookie).status == 200
    short = f"__Host-doorward={site.token(Level.WAIT)}"
    site.clock.advance(45)
    assert (site.get("/search", cookie).status, site.get("/search", short).status) == (200, 403)


def test_a_challenge_that_was_posed_before_is_passed_after(tmp_path: Path) -> None:
    """Also where there is no secret but that of the process, and where nobody was challenged before."""
    site = Followed(tmp_path, 'title = "Shop"\n', secret=None)
    token = re.search(r'name="token" value="([^"]+)"', page(site))
    assert token is not None
    site.reload('title = "Market"\nkinds = ["wait", "work"]\n')
    site.clock.advance(10)
    reply = site.call("POST", "/.doorward/verify", body=b"token=" + token[1].encode())
    assert reply.status == 303
    assert site.get("/search", kept(reply.cookies[0])).status == 200


def test_what_was_revoked_stays_revoked(tmp_path: Path) -> None:
    """And what was redeemed stays redeemed."""
    site = Followed(tmp_path, 'title = "Shop"\n')
    cookie = f"__Host-doorward={site.token(Level.WAIT)}"
    site.clock.advance(1)
    site.aj.revoke_clearances()
    gate = site.aj.runtime.gatekeeper.gate
    assert gate.spent.add("one", 1, 10**15)
    work = gate.offer.by_name["work"]
    site.reload('title = "Market"\n')
    after = site.aj.runtime.gatekeeper.gate
    assert after is not gate
    assert site.get("/search", cookie).status == 403
    assert not after.spent.add("one", 2, 10**15)
    assert after.offer.by_name["work"] is work, "which knows how much is asked of it"


def test_where_the_endpoints_are_does_not_change_while_it_runs(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Middleware has it: what was in force stays in force."""
    site = Followed(tmp_path, 'title = "Shop"\n')
    with caplog.at_level(logging.WARNING), pytest.raises(ConfigurationError, match=r"challenges\.prefix: is '/\.doorw"):
        site.reload('title = "Market"\nprefix = "/.checks"\n')
    assert "Shop" in page(site)
    health: Any = site.aj.health()["policy"]
    assert "challenges.prefix" in health["error"]


def test_addresses_with_many_clients_stay_so(tmp_path: Path) -> None:
    """Regression: a policy that was taken over forgot what code had said about clients by address."""
    file = written(tmp_path, RULE)
    clock = FakeClock()
    options: Any = {"secret": SECRET, "clock": clock, "challenges": {"clients": {"per_address": 3}}}
    aj = Doorward([sliding_window(max=1, interval="1h")], policy=file, characteristics=["client.id"], **options)
    written(tmp_path, RULE + RULE.replace("/search", "/find"))
    assert aj.reload()
    passes, plain = aj.runtime.gatekeeper.gate.passes, RequestContext(path="/", peer="203.0.113.9", scheme="https")
    cookies = [kept(passes.new_client(plain, clock.now_ns() // 1_000_000)) for _ in range(2)]
    found = [
        aj.protect(RequestContext(path="/", peer="203.0.113.9", scheme="https", headers=[("cookie", each)])).conclusion
        for each in [*cookies, cookies[0]]
    ]
    assert [each.value for each in found] == ["ALLOW", "ALLOW", "DENY"]


# --- on the command line


def test_the_diff_names_options_and_shows_no_secret(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of hosted captchas in code only the name."""
    (folder / "shop_with_captcha.py").write_text(
        "from doorward import Doorward\nfrom doorward.challenges.providers import turnstile\n"
        "aj = Doorward([], secret='s' * 40,"
        " challenges={'kinds': ['wait', turnstile(site_key='0xsite', secret='0xhidden')]})\n"
    )
    monkeypatch.chdir(folder)
    kinds = '["wait", { kind = "work", most = 2000 }]'
    text = f'[options.challenges]\nkinds = {kinds}\ncss = "own.css"\nwords.de.title = "Kurz"\n'
    new = written(folder, text, "new.toml")
    assert main(["policy", "diff", "shop_with_captcha:aj", str(new)]) == 1
    printed = capsys.readouterr().out
    assert "option challenges.kinds: -turnstile, +work (most 2000)" in printed
    assert "option challenges.css: none -> own.css " in printed
    assert "option challenges.words: none -> de.title: Kurz" in printed
    assert "0xhidden" not in printed


def test_policy_check_finds_mistakes_in_challenges(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And says that there are options where all is well."""
    assert main(["policy", "check", str(written(tmp_path, SHOP.format("1h")))]) == 0
    assert "options: challenges" in capsys.readouterr().out
    assert main(["policy", "check", str(written(tmp_path, SHOP.format("31d")))]) == 1
    assert "policy.toml:3: options.challenges.lifetime: must be over 0 and at most 30 days" in capsys.readouterr().out


def test_what_is_built_of_a_table_needs_no_other(tmp_path: Path) -> None:
    """Nothing raises, whatever a file holds."""
    for value in (None, True, 5, "x", [], {}, [[]], {"a": {}}, [{"kind": []}], [None]):
        for name in ChallengeOptions.__annotations__:
            made, wrong = build_challenges({name: value}, tmp_path)
            assert wrong or made.keys() == {name}


def test_a_rule_of_code_is_challenged_by_the_file(tmp_path: Path) -> None:
    """The file's options are for all rules."""
    file = written(tmp_path, '[options.challenges]\nkinds = ["wait"]\nstatus = 503\n')
    aj = Doorward([challenge("wait")], policy=file, secret=SECRET, clock=FakeClock())
    request = RequestContext(path="/", peer="203.0.113.9", headers=[("accept", "text/html")])
    answer = aj.answer(request, aj.protect(request))
    assert answer is not None
    assert answer.status == 503
