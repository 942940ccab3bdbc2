"""The player decides as middleware would have, by the recording's time, and honestly about what was not recorded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest
from tests.replay.player.recordings import ATTACK, BOT, BROWSER, COMMON, recorded

from doorward import (
    AsyncDoorward,
    Doorward,
    RequestContext,
    allow,
    deny,
    detect_bot,
    filter_request,
    fixed_window,
    rate_limit,
    shield,
    sliding_window,
    validate_email,
    weigh,
)
from doorward.decision import Conclusion
from doorward.facade import Facade
from doorward.reason import ChallengeReason, RuleReason
from doorward.replay.player import INTERRUPTED, Player, replay
from doorward.replay.records import EVERY_HEADER, EVERYTHING, Recorded
from doorward.replay.report import Report, RuleTally
from doorward.rules.base import Outcome, Phase, Rule, View

LIMIT = "1/minute"


def played(
    rules: object, requests: Iterable[Recorded], *, client: type[Facade] = Doorward, **options: object
) -> Report:
    own = {name: options.pop(name) for name in ("against", "as_live", "exemptions", "samples") if name in options}
    return replay(client(rules, **options), requests, **own)  # type: ignore[arg-type, call-arg]


def only(report: Report) -> RuleTally:
    (tally,) = report.rules
    return tally


# --- the recording's time


def test_limits_go_by_the_time_of_the_recording() -> None:
    times = [0, 1, 59, 61, 200]
    report = played(rate_limit("2/minute"), [recorded(at=at) for at in times])
    assert (report.allowed, report.denied) == (4, 1)
    assert only(report).samples[0].at_ns == report.began_ns + 59 * 10**9


def test_time_never_goes_back_and_the_report_says_so() -> None:
    report = played(rate_limit("1/minute"), [recorded(at=at) for at in (100, 30, 161)])
    assert (report.allowed, report.denied) == (2, 1)
    assert "1 request dated before the one before: decided at the time of that one" in report.notes


# --- the client's address


@pytest.mark.parametrize("proxies", [2, "private", (), ("10.0.0.0/8",)], ids=str)
@pytest.mark.parametrize("ip", ["10.1.2.3", "198.51.100.7", "2001:db8::7"])
def test_the_logged_address_is_the_client_where_no_header_was_logged(proxies: object, ip: str) -> None:
    report = played(deny(ip=["192.0.2.0/24"]), [recorded(ip=ip)], proxies=proxies)
    assert report.clients[0].name == ip


def test_a_logged_forwarding_header_goes_through_the_clients_own_policy() -> None:
    headers = [("x-forwarded-for", "198.51.100.7, 203.0.113.5")]
    known = frozenset({"x-forwarded-for", "user-agent"})
    request = recorded(ip="10.0.0.1", headers=headers, known=known)
    assert played([], [request], proxies="private").clients[0].name == "203.0.113.5"
    assert played([], [request], proxies=2).clients[0].name == "198.51.100.7"
    assert played([], [request], proxies=()).clients[0].name == "10.0.0.1"


# --- what a recording does not have


def test_bots_go_by_their_names_where_no_other_header_was_recorded() -> None:
    report = played(detect_bot(allow=[]), [recorded(agent=BROWSER), recorded(agent=BOT), recorded(agent=None)])
    assert (report.allowed, report.denied) == (1, 2)
    assert "User-Agent alone" in only(report).left_out


def test_bots_are_judged_by_all_headers_where_all_were_recorded() -> None:
    report = played(detect_bot(allow=[]), [recorded(agent=BROWSER, known=EVERYTHING)])
    assert report.denied == 1  # it sends nothing that browsers send
    assert not only(report).left_out


def test_bots_are_not_asked_where_no_agent_was_recorded() -> None:
    report = played(detect_bot(allow=[]), [recorded(agent=None, known=COMMON)] * 3)
    assert (report.allowed, only(report).asked) == (3, 0)
    assert only(report).left_out == "not asked: the recording does not have the header user-agent"
    assert f"rule bot: {only(report).left_out}" in report.notes


def test_attacks_are_found_in_what_there_is() -> None:
    report = played(shield(), [recorded(ATTACK), recorded("/"), recorded("/etc/passwd%00", known=frozenset())])
    assert report.denied >= 1
    assert "does not have headers but referer and user-agent and bodies" in only(report).left_out
    whole = [recorded(ATTACK, known=EVERYTHING, body=b"")]
    assert not only(played(shield(), whole)).left_out


def test_attacks_in_recorded_bodies_are_found() -> None:
    body = b"comment=%3Cscript%3Ealert(document.cookie)%3C/script%3E"
    headers = [("content-type", "application/x-www-form-urlencoded")]
    request = recorded("/c", method="POST", body=body, headers=headers, known=EVERYTHING)
    assert played(shield(), [request]).denied == 1


def test_filters_are_asked_by_the_expressions_that_can_be_told() -> None:
    rule = filter_request(
        deny=['http.request.uri.path eq "/old"', 'len(http.request.headers["x-key"]) eq 0', "ip.src eq 192.0.2.1"]
    )
    report = played(rule, [recorded("/old"), recorded("/new")])
    assert (report.allowed, report.denied) == (1, 1)
    assert only(report).left_out == "asked by 2 of its 3 expressions: the recording does not have the header x-key"


@pytest.mark.parametrize(
    ("rule", "missing"),
    [
        (filter_request(allow=['http.request.headers["x-key"] eq "k"']), "the header x-key"),
        (filter_request(deny=['len(http.request.cookie["s"]) eq 0']), "the header cookie"),
        (deny(where='not http.host eq "shop.example"'), "the header host"),
        (deny(where='len(http.request.uri.args["q"]) eq 0'), "the query"),
        (allow(where='http.request.headers["x-monitor"] eq "1"'), "what it would let past other rules"),
        (
            fixed_window(max=1, window="1h", characteristics=['http.request.headers["x-api-key"]']),
            "the header x-api-key",
        ),
        (fixed_window(max=1, window="1h", characteristics=['http.request.cookie["sid"]']), "the header cookie"),
        (rate_limit(lambda request: LIMIT), "chosen by a function"),
    ],
    ids=["allow", "cookie", "host", "query", "let-past", "header-limit", "cookie-limit", "function"],
)
def test_rules_that_read_what_was_not_recorded_are_left_out(rule: object, missing: str) -> None:
    report = played(rule, [recorded(known=frozenset({"user-agent"}))] * 5)
    assert (report.allowed, report.denied, only(report).asked) == (5, 0, 0)
    assert missing in only(report).left_out


def test_clients_known_by_a_cookie_are_not_all_counted_as_one_by_the_shield() -> None:
    rule = shield(threshold=0.3, characteristics=['http.request.cookie["sid"]'])
    suspicious = [recorded(f"/search?q={n}+or+1=1", ip=f"203.0.113.{n}") for n in range(1, 30)]
    report = played(rule, [*suspicious, recorded("/", ip="192.0.2.1")])
    assert not any("add up" in tally.name for tally in report.reasons)
    assert "suspicion is not added up" in only(report).left_out


def test_a_recording_that_has_it_now_and_then_is_asked_then() -> None:
    rule = fixed_window(max=1, window="1h", characteristics=['http.request.headers["x-api-key"]'])
    known = frozenset({"x-api-key"})
    keyed = [recorded(headers=[("x-api-key", "k")], known=known) for _ in range(3)]
    report = played(rule, [*keyed, recorded(known=COMMON)])
    assert (report.denied, only(report).asked) == (2, 3)
    assert only(report).left_out.endswith("(of 1 of 4 requests)")


def test_where_all_headers_were_recorded_one_that_is_not_there_was_not_sent() -> None:
    known = frozenset({"query", "user-agent", EVERY_HEADER})
    rules = [
        filter_request(deny=['len(http.request.headers["x-key"]) eq 0'], name="key"),
        filter_request(deny=['len(http.request.cookie["sid"]) eq 0'], name="cookie"),
        detect_bot(allow=[]),
        shield(),
    ]
    report = played(rules, [recorded(known=known)])
    key, cookie, bot, attacks = report.rules
    assert (key.denied, key.left_out) == (1, "")
    assert "the header cookie" in cookie.left_out  # servers keep those to themselves
    assert not bot.left_out
    assert attacks.left_out == "looks at what there is: the recording does not have bodies"
    told = known | {"cookie"}
    assert not played(rules, [recorded(known=told)]).rules[1].left_out


def test_any_number_of_kinds_of_requests_takes_bounded_memory() -> None:
    player = Player(Doorward([shield()]), "p")
    for number in range(3_000):
        player.play(recorded(known=frozenset({f"x-{number}"})))
        player.play(recorded(known=frozenset({f"x-{number}", EVERY_HEADER, "query"})))
    assert len(player.decider.kinds) == 2
    assert player.report().requests == 6_000


# --- what the application says


def test_inputs_of_the_application_are_used_where_they_were_recorded() -> None:
    requests = [recorded(inputs={"email": "no address"}), recorded(inputs={"email": "mary@shop.example"}), recorded()]
    report = played(validate_email(deny=[]), requests)
    assert (report.allowed, report.denied, only(report).asked) == (2, 1, 2)
    assert only(report).left_out == (
        "not asked: the recording does not have what the application gives to protect: email (of 1 of 3 requests)"
    )


def test_characteristics_of_the_application_count_where_they_were_recorded() -> None:
    rule = fixed_window(max=1, window="1h", characteristics=["userId"])
    report = played(rule, [recorded(inputs={"userId": user}) for user in ("a", "b", "a")] + [recorded()] * 4)
    assert (report.denied, only(report).asked) == (1, 3)
    assert "userId" in only(report).left_out


def test_rules_that_would_look_something_up_fail_and_refuse_nobody() -> None:
    rule = validate_email(deny=["NO_MX_RECORDS"], on_error="deny")
    report = played(rule, [recorded(inputs={"email": "mary@shop.example"})] * 2)
    assert (report.allowed, report.denied, report.errors, only(report).errors) == (2, 0, 2, 2)
    (note,) = [note for note in report.notes if "failed" in note]
    assert "2 requests" in note
    assert "on_error is deny" in note


# --- the response


def test_limits_that_count_by_the_response_go_by_the_recorded_status() -> None:
    rule = sliding_window(max=1, interval="1h", count_when=401)
    statuses = [200, 200, 401, 200]
    report = played(rule, [recorded(status=status) for status in statuses])
    assert (report.allowed, report.denied) == (3, 1)


def test_a_status_that_was_not_recorded_counts() -> None:
    rule = sliding_window(max=1, interval="1h", count_when=401)
    report = played(rule, [recorded(status=None), recorded(status=None)])
    assert report.denied == 1
    assert any("1 request without a status" in note for note in report.notes)


def test_a_shield_that_looks_after_the_response_is_asked_then() -> None:
    rule = shield(when="after", threshold=0.5)
    report = played(rule, [recorded(ATTACK), recorded("/"), recorded("/")])
    assert (report.allowed, report.denied) == (1, 2)
    assert only(report).asked == 3
    assert only(report).denied == 2


# --- what comes of it


class Asks(Rule):
    """Asks each client for a challenge."""

    kind = "CHALLENGE"
    phase = Phase.LOCAL

    def parts(self) -> frozenset[str]:
        return frozenset()

    def evaluate(self, view: View) -> Outcome:
        return Outcome(Conclusion.CHALLENGE, ChallengeReason("asks", "prove it"))


class Silent(Rule):
    """Denies, and does not say what it reads."""

    kind = "RULE"
    phase = Phase.LOCAL

    def evaluate(self, view: View) -> Outcome:
        return Outcome(Conclusion.DENY, RuleReason("silent"))


def test_challenges_are_neither_allowed_nor_denied() -> None:
    report = played(Asks(name="asks"), [recorded()] * 3)
    assert (report.requests, report.allowed, report.denied, report.challenged) == (3, 0, 0, 3)
    assert only(report).challenged == 3
    dry = played(Asks(name="asks", mode="DRY_RUN"), [recorded()] * 3)  # type: ignore[arg-type]
    assert (dry.allowed, dry.challenged, dry.would_deny, only(dry).challenged) == (3, 0, 0, 3)


def test_rules_of_the_applications_own_that_do_not_say_what_they_read_are_asked_about_whole_requests_only() -> None:
    assert played(Silent(name="s"), [recorded()]).denied == 0
    assert played(Silent(name="s"), [recorded(known=EVERYTHING)]).denied == 1


def test_sums_of_weights_are_a_rule_of_their_own() -> None:
    rules = [weigh(6, paths=["/a"]), weigh(6, methods=["GET"])]
    report = played(rules, [recorded("/a"), recorded("/b")], thresholds={"DENY": 10})
    assert (report.denied, report.rules[-1].name, report.rules[-1].denied) == (1, "weights", 1)
    assert report.reasons[0].denied == 1


def test_dry_rules_behind_a_live_denial_are_counted_by_themselves() -> None:
    rules = [deny(paths=["/x"], name="live"), deny(paths=["/*"], name="dry", mode="DRY_RUN")]
    report = played(rules, [recorded("/x"), recorded("/y")])
    assert (report.denied, report.would_deny) == (1, 1)
    assert {tally.name: (tally.denied, tally.would_deny) for tally in report.rules}["live"] == (1, 0)


def test_what_middleware_leaves_alone_is_left_alone_here() -> None:
    requests = [recorded("/static/app.js"), recorded("/healthz"), recorded("/", method="OPTIONS"), recorded("/")]
    report = played(rate_limit(LIMIT), requests)
    assert (report.allowed, report.denied, only(report).asked) == (4, 0, 1)
    assert sum("left alone, as middleware does by default" in note for note in report.notes) == 3
    assert played(rate_limit(LIMIT), requests, exemptions=False).denied == 3


def test_a_limit_of_a_path_is_no_less_in_force_for_being_a_health_check() -> None:
    assert played([], [recorded("/healthz")] * 3, limits={"/healthz": LIMIT}).denied == 2


def test_patterns_of_limits_name_routes() -> None:
    report = played([], [recorded("/api/a"), recorded("/api/b/c"), recorded("/x/17")], limits={"/api/*": "5/minute"})
    assert {tally.name for tally in report.routes} == {"GET /api/*", "GET /x/{id}"}


def test_a_client_that_awaits_is_played_too_and_left_alone() -> None:
    seen: list[object] = []
    aj = AsyncDoorward(rate_limit(LIMIT), on_decision=lambda *_: seen.append(1))
    assert replay(aj, [recorded()] * 3).denied == 2
    assert not seen
    assert not aj.health()["counts"]


def test_the_mode_of_the_environment_is_not_that_of_the_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOORWARD_MODE", "DRY_RUN")
    report = played(rate_limit(LIMIT), [recorded()] * 3)
    assert (report.denied, only(report).mode) == (2, "LIVE")
    assert any("DOORWARD_MODE is DRY_RUN here" in note for note in report.notes)


def test_as_live_reaches_rules_of_every_origin() -> None:
    aj = Doorward(deny(paths=["/a"], mode="DRY_RUN"), mode="DRY_RUN", limits={"/b": LIMIT}).with_rule(
        deny(paths=["/c"], mode="DRY_RUN")
    )
    requests = [recorded("/a"), recorded("/b"), recorded("/b"), recorded("/c")]
    assert (replay(aj, requests).denied, replay(aj, requests).would_deny) == (0, 3)
    assert replay(aj, requests, as_live=True).denied == 3


def test_an_interrupted_replay_reports_what_there_is() -> None:
    def interrupted() -> Iterator[Recorded]:
        yield from [recorded()] * 3
        raise KeyboardInterrupt

    report = played(rate_limit(LIMIT), interrupted())
    assert (report.requests, report.denied) == (3, 2)
    assert report.notes[0] == INTERRUPTED


# --- two policies


def test_what_changes_between_two_policies() -> None:
    base = Doorward([deny(paths=["/old"], name="old"), rate_limit("2/minute")])
    new = Doorward([deny(paths=["/new"], name="new"), rate_limit("1/minute")])
    requests = [recorded(path, ip=f"192.0.2.{n}") for n, path in enumerate(["/old", "/new", "/new", "/x"], 1)]
    report = replay(new, [*requests, *[recorded("/users/7")] * 3], name="new", against=("main.toml", base))
    found = report.against
    assert found is not None
    assert (found.base, found.newly_denied, found.newly_allowed) == ("main.toml", 3, 1)
    assert found.denied_by == {"new": 2, "sliding_window": 1}
    assert found.allowed_by == {"old": 1}
    assert found.denied_routes == {"GET /new": 2, "GET /users/{id}": 1}
    assert [sample.rule for sample in found.newly_denied_samples] == ["new", "new", "sliding_window"]
    assert found.newly_allowed_samples[0].rule == "old"
    assert report.denied == 2 + 2


def test_a_policy_against_itself_changes_nothing() -> None:
    rules = [shield(), detect_bot(allow=[]), sliding_window(max=2, interval="1m")]
    requests = [recorded(path, agent=agent) for path in ("/", ATTACK) for agent in (BROWSER, BOT)] * 5
    found = replay(Doorward(rules), requests, against=("same", Doorward(rules))).against
    assert found is not None
    assert (found.newly_denied, found.newly_allowed) == (0, 0)


def test_dry_rules_change_nothing_unless_taken_for_live() -> None:
    base, new = Doorward([]), Doorward(rate_limit(LIMIT, mode="DRY_RUN"))
    for as_live, expected in ((False, 0), (True, 2)):
        found = replay(new, [recorded()] * 3, against=("main", base), as_live=as_live).against
        assert found is not None
        assert found.newly_denied == expected


def test_requests_reach_the_rules_as_they_were_recorded() -> None:
    context = RequestContext(path="/", peer="203.0.113.9")
    assert replay(Doorward([]), [recorded()._replace(request=context)]).requests == 1
