"""What the default preset makes of people with rare browsers, and of machines that a site cannot do without."""

from __future__ import annotations

import pytest

from doorward import Conclusion, Doorward, RequestContext

SECRET = "s" * 40
WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
CHROME = f"{WEBKIT} Chrome/124.0.0.0"
PEOPLE = [
    f"Mozilla/5.0 (Linux; U; Android 11; en-US; RMX2185) {WEBKIT} Version/4.0 Chrome/100.0 UCBrowser/13.6.0 Mobile",
    "Nokia5130c-2/2.0 (07.97) Profile/MIDP-2.1 Configuration/CLDC-1.1 UCWEB/2.0 (Java; U; MIDP-2.0)",
    "Opera/9.80 (J2ME/MIDP; Opera Mini/9.80 (S60; SymbOS; Opera Mobi/23.348; U; en) Presto/2.5.25 Version/10.54",
    "Opera/9.80 (Android; Opera Mini/36.2.2254/119.132; U; id) Presto/2.12.423 Version/12.16",
    "Mozilla/5.0 (Mobile; LYF/F90M/LYF-F90M; Android; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5",
    "Mozilla/5.0 (Windows NT 10.0; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Lynx/2.9.0dev.12 libwww-FM/2.14 SSL-MM/1.4.1 GNUTLS/3.7.8",
    "w3m/0.5.3+git20230121",
    "Links (2.29; Linux 6.1.0-18-amd64 x86_64; GNU C 12.2; text)",
    "ELinks/0.16.1.1 (textmode; Linux 6.1; 80x24-2)",
    "Dillo/3.1.0",
    "URL/Emacs Emacs/29.1 (PureGTK; x86_64-pc-linux-gnu)",
    f"Mozilla/5.0 (Linux; Android 12; V2148A; wv) {WEBKIT} Chrome/97.0 Mobile T7/13.32 baiduboxapp/13.33.0.10",
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} YaBrowser/24.6.0.0 Safari/537.36",
    f"Mozilla/5.0 (Linux; Android 13; SM-A525F) {CHROME} Mobile YandexSearch/24.51 YaApp_Android/24.51/apad",
    f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) {WEBKIT} Version/17.5 Mobile/15E148 DuckDuckGo/7",
    f"Mozilla/5.0 (Linux; Android 13; SM-S911N; wv) {CHROME} Mobile DaumApps/7.9.9 DaumDevice/mobile",
    f"Mozilla/5.0 (Linux; Android 10; HarmonyOS; EML-L29) {WEBKIT} Chrome/99.0 PetalSearch/12.0.4.301 Mobile",
    f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) {WEBKIT} Mobile/15E148 [Pinterest/iOS]",
    f"Mozilla/5.0 (Linux; Android 13; SM-A546B; wv) {CHROME} Mobile trill_350104 BytedanceWebview/d8a21c6",
    f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT} Slack/4.38 Electron/30.0.5 Slack_SSB/4.38.125",
    f"Mozilla/5.0 (Linux; Android 9; CUBOT_NOVA) {CHROME} Mobile",
    "Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Trident/4.0; SLCC2; MS-RTC LM 8)",
    "HbbTV/1.1.1 (;;;;;) firetv-firefox-plugin 1.1.20",
]  # fmt: skip
STAR, FEED = {"Accept": "*/*"}, {"Accept": "application/atom+xml"}
PASSES = [
    ("POST", "/hook", "Stripe/1.0 (+https://stripe.com/docs/webhooks)", {"Accept": "*/*; q=0.5, application/xml"}),
    ("POST", "/hook", "GitHub-Hookshot/44ab9c1", STAR),
    ("POST", "/hook", "Slackbot 1.0 (+https://api.slack.com/robots)", STAR),
    ("GET", "/metrics", "Prometheus/2.51.0", {"Accept": "application/openmetrics-text;version=1.0.0"}),
    ("GET", "/", "kube-probe/1.29", STAR),
    ("GET", "/", "ELB-HealthChecker/2.0", {}),
    ("GET", "/", "GoogleHC/1.0", {}),
    ("GET", "/", "Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)", STAR),
    ("GET", "/", "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", STAR),
    ("GET", "/", "WhatsApp/2.23.20.0", STAR),
    ("GET", "/api", "Shop/1 CFNetwork/1494.0.7 Darwin/23.4.0", STAR),
    ("GET", "/health", "curl/8.5.0", STAR),
    ("HEAD", "/healthz", "", {}),
    ("GET", "/health/ready", "", {}),
    ("GET", "/.well-known/acme-challenge/a_-9", "", {}),
    ("GET", "/.well-known/pki-validation/AB12.txt", "", {}),
    ("GET", "/.well-known/assetlinks.json", "", {}),
    ("GET", "/.well-known/openid-configuration", "Go-http-client/1.1", {}),
    ("GET", "/robots.txt", "python-requests/2.32.3", STAR),
    ("GET", "/sitemap_index.xml", "python-requests/2.32.3", STAR),
    ("GET", "/favicon.ico", "okhttp/4.12.0", {}),
    ("GET", "/feed", "NewsBlur Feed Fetcher - 100 subscribers", FEED),
    ("GET", "/podcast.xml", "Overcast/1.0 Podcast Sync (10 subscribers; feed-id=1; +http://overcast.fm/)", STAR),
]
CHALLENGED = [
    ("OPTIONS", "/", "", {}),
    ("GET", "/", "curl/8.5.0", STAR),
    ("GET", "/api", "okhttp/4.12.0", {}),
    ("GET", "/account", "FreshRSS/1.24.0 python-requests/2.32.3", STAR),
    ("GET", "/account/robots.txt", "python-requests/2.32.3", STAR),
    ("GET", "/.well-known/x/../../account", "python-requests/2.32.3", STAR),
]
"""What the page of the documentation says of them."""


@pytest.fixture(scope="module")
def default() -> Doorward:
    return Doorward(policy="preset:default", secret=SECRET)


def concludes(aj: Doorward, method: str, path: str, agent: str, headers: dict[str, str]) -> Conclusion:
    lines = [("Host", "shop.example"), *([("User-Agent", agent)] if agent else []), *headers.items()]
    return aj.protect(RequestContext(method=method, path=path, headers=lines, peer="203.0.114.7")).conclusion


@pytest.mark.parametrize("agent", PEOPLE)
def test_people_with_rare_browsers_notice_nothing(default: Doorward, agent: str) -> None:
    """Names of search engines, of bots and of libraries are in many of them."""
    headers = {"Accept": "text/html,*/*;q=0.8", "Accept-Language": "en", "Accept-Encoding": "gzip, deflate"}
    assert concludes(default, "GET", "/", agent, headers) is Conclusion.ALLOW


@pytest.mark.parametrize(("method", "path", "agent", "headers"), PASSES)
def test_machines_that_a_site_needs_pass(
    default: Doorward, method: str, path: str, agent: str, headers: dict[str, str]
) -> None:
    """Webhooks, monitors, load balancers, readers of feeds, certificate renewals."""
    assert concludes(default, method, path, agent, headers) is Conclusion.ALLOW


@pytest.mark.parametrize(("method", "path", "agent", "headers"), CHALLENGED)
def test_others_are_challenged(default: Doorward, method: str, path: str, agent: str, headers: dict[str, str]) -> None:
    """Also at paths that only look like those that machines need."""
    assert concludes(default, method, path, agent, headers) in (Conclusion.CHALLENGE, Conclusion.DENY)
